#!/bin/bash
# revtr.sh BUILD_DIRECTORY: reverse traceroute without cooperation in generated worlds, beside simpler methods and the
# published algorithm. Seeds that nothing was tuned with. SIZES, SITES and SEEDS may be given; about an hour with all.
#
# Lines of bench/revtr/revtr.c, with "revtr|" before them.
set -euo pipefail

build=${1:-build}
: "${SIZES=1000 5000}" "${SITES=20 50 150}" "${SEEDS=201 202 203}"
methods=(symmetric-guess atlas-only set-cover-order published retour)

for ases in $SIZES; do
	for sites in $SITES; do
		for seed in $SEEDS; do
			rows=("${methods[@]}")
			# The ideas, one by one, at one size.
			[ "$ases-$sites" != 1000-50 ] || rows=()
			"$build/bench/revtr" "$ases" "$sites" 2000 "$seed" "${rows[@]}" | sed 's/^/revtr|/'
		done
	done
done
