#!/bin/bash
# How long one waits for the way back of a host that helps nobody: `retour back --via revtr` in the world revtr-demo, with real
# processes. The atlas is warm, as the world's coordinator fills it before the command begins; nothing is known of the host.
#
#   RUNS=3 bench/revtr_wall.sh RETOUR
#
# A line for each run: revtr_wall|WHAT|SECONDS|HOPS|OPTION PACKETS
set -euo pipefail
retour=$1
: "${RUNS=3}"
# shellcheck disable=SC2016 # the shell inside expands
for ((run = 0; run < RUNS; run++)); do
	"$retour" lab run -w revtr-demo -- bash -c '
		one() { # WHAT OPTION...
			start=$EPOCHREALTIME
			retour back server.lab --via revtr "${@:2}" >"$RETOUR_DATA/out"
			end=$EPOCHREALTIME
			printf "revtr_wall|%s|%s|" "$1" "$(awk "BEGIN { printf \"%.3f\", $end - $start }")"
		}
		numbers() {
			jq -r ".reverse | \"\(.hops | length)|\(.probes_sent)\"" "$RETOUR_DATA/out"
		}
		one "a host that nobody has asked about" --json; numbers
		one "the same host again" --json; numbers
		one "as text, with names"; echo "|"'
done
