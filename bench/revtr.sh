#!/bin/bash
# revtr.sh BUILD_DIRECTORY: reverse traceroute without cooperation in generated worlds, beside simpler methods and the
# published algorithm. Seeds that nothing was tuned with. SIZES, SITES and SEEDS may be given; EXTRAS= leaves out what is
# measured at one size only: the cost against the number of agents and of measurements at once, and two processes.
#
# Lines of bench/revtr/revtr.c, with "revtr|" before them.
set -euo pipefail

build=${1:-build}
: "${SIZES=1000 5000}" "${SITES=20 50 150}" "${SEEDS=201 202 203}" "${EXTRAS=agents at_once two}"
methods=(symmetric-guess atlas-only set-cover-order published retour selection)

# Of other rows than retour's own only what is in the table.
run() { # ASES SITES SEED ROW...
	"$build/bench/revtr" "$1" "$2" 2000 "${@:3}" |
		awk -F'|' '$1 !~ /-(calibration|wrong)$/ || $1 ~ /^retour-/'
}

# Lines of the row itself, by another name.
named() { # NAME
	sed -n "s/^retour|/revtr|$1|/p"
}

agents() {
	local sites
	for sites in 10 20 50 100; do
		for seed in $SEEDS; do
			run 1000 $sites "$seed" retour | named agents
		done
	done
}

at_once() {
	local count
	for count in 1 10 100 1000; do
		for seed in $SEEDS; do
			REVTR_AT_ONCE=$count run 1000 20 "$seed" retour | named at-once-$count
		done
	done
}

# One process for each of two cores, at the same time.
two() {
	local seed
	for seed in $SEEDS; do
		{
			run 1000 50 "$seed" retour | named two &
			run 1000 50 "$((seed + 10))" retour | named two
			wait
		}
	done
}

for ases in $SIZES; do
	for sites in $SITES; do
		for seed in $SEEDS; do
			rows=("${methods[@]}")
			# The ideas, one by one, at one size.
			[ "$ases-$sites" != 1000-50 ] || rows=()
			run "$ases" "$sites" "$seed" "${rows[@]}" | sed 's/^/revtr|/'
		done
	done
done
for extra in $EXTRAS; do
	$extra
done
