#!/bin/bash
# `retour --json server.lab` in every shipped world against `retour lab truth`, hop by hop, both directions, both
# families. What the world hides must be shown as hidden, not left out and not made up.
set -euo pipefail

RETOUR=${RETOUR:-$(cd "$(dirname "$0")/../.." && pwd)/build/retour}
validate=$(cd "$(dirname "$0")/../golden" && pwd)/validate.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

if ! "$RETOUR" lab run -- true 2>"$scratch/err"; then
	echo "SKIP $(cat "$scratch/err")"
	exit 77
fi

# The hops of a truth as "ttl address" lines, one list for each path it knows; silent ones have no address, those
# inside a hidden tunnel have no TTL and do not show.
# shellcheck disable=SC2016
truth_hops='(.paths // [.])[] | [.hops[] | select(.ttl != null) |
	"\(.ttl) \(if .hidden == "silent" then "-" else .address end)"] | join(";")'
# What routers write into a Record Route option, and what is left where only the length is inferred.
# shellcheck disable=SC2016
recorded_hops='(.paths // [.])[] | [.hops[] | "\(.ttl) \(.record_route // .address)"] | join(";")'
# shellcheck disable=SC2016
inferred_hops='(.paths // [.])[] | [.hops[:-1][] | "\(.ttl) -"] | join(";")'
# The same of a measured path. Behind a loop's first round or the last answer there is nothing to compare.
# shellcheck disable=SC2016
measured_hops='[.hops[] | "\(.ttl) \(.address // "-")"] | join(";")'

truth() { # WORLD FAMILY FROM TO
	local six=()
	[ "$2" = 4 ] || six=(-6)
	"$RETOUR" lab truth -w "$1" "${six[@]}" --json "$3" "$4"
}

compare() { # LABEL DIRECTION WORLD FAMILY FROM TO
	local label=$1 direction=$2 end measured paths shown
	truth "$3" "$4" "$5" "$6" >"$scratch/truth.json"
	end=$(jq -r '(.paths // [.])[0].end' "$scratch/truth.json")
	case $(jq -r ".$direction.method" "$scratch/measured.json") in
	record-route) shown=$recorded_hops ;;
	inferred) shown=$inferred_hops ;;
	*) shown=$truth_hops ;;
	esac
	paths=$(jq -r "$shown" "$scratch/truth.json")
	measured=$(jq -r ".$direction | if . == null then \"none\" else $measured_hops end" "$scratch/measured.json")
	case $end in
	loop | dropped)
		# As far as the truth goes; then the circle again, or silence.
		[ "${measured:0:${#paths}}" = "$paths" ] && echo "ok: $label" && return
		;;
	*)
		grep -qxF -- "$measured" <<<"$paths" && echo "ok: $label" && return
		;;
	esac
	printf 'FAIL %s (%s)\n  truth    %s\n  measured %s\n' "$label" "$end" "$paths" "$measured"
	failures=$((failures + 1))
}

reachable() { # WORLD FAMILY: do packets from each end arrive at the other?
	local ends
	ends=$(truth "$1" "$2" client server | jq -r '(.paths // [.])[].end'
		truth "$1" "$2" server client | jq -r '(.paths // [.])[].end')
	[ "$(sort -u <<<"$ends")" = reached ]
}

measure() { # WORLD FAMILY
	local status=0
	"$RETOUR" lab run -w "$1" -- "$RETOUR" "-$2" -n --json server.lab >"$scratch/measured.json" 2>"$scratch/err" ||
		status=$?
	if [ $status -ne 0 ] && [ $status -ne 2 ]; then
		echo "FAIL $1 IPv$2: status $status: $(cat "$scratch/err")"
		failures=$((failures + 1))
		return 1
	fi
	if ! "$validate" "$scratch/measured.json" >"$scratch/err" 2>&1; then
		echo "FAIL $1 IPv$2: not a retour/1 document: $(tail -n 3 "$scratch/err")"
		failures=$((failures + 1))
		return 1
	fi
}

for world in $("$RETOUR" lab list | awk '{ print $1 }'); do
	for family in 4 6; do
		measure "$world" $family || continue
		compare "$world IPv$family there" forward "$world" $family client server
		if reachable "$world" $family; then
			compare "$world IPv$family back" reverse "$world" $family server client
		elif [ "$(jq -r .reverse "$scratch/measured.json")" != null ]; then
			echo "FAIL $world IPv$family: a way back from a host that cannot be reached"
			failures=$((failures + 1))
		fi
	done
done
[ $failures -eq 0 ]
