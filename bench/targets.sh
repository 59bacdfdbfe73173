#!/bin/bash
# targets.sh RETOUR: a thousand targets at once in a generated world, by retour and by scamper, both held to the same
# number of packets a second.
#
# A line each: targets|COMMAND|SECONDS|PACKETS|REACHED|KIB
set -euo pipefail

retour=$1
pace=1000
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
world=$scratch/world.yaml

"$retour" lab generate --ases 1000 --seed 1 -o "$world" >/dev/null
"$retour" lab hosts -w "$world" >"$scratch/hosts"
from=$(grep '^vp' "$scratch/hosts" | head -n 1)
# Addresses, so that nobody waits for names.
grep -v "^$from\$" "$scratch/hosts" | sed 's/$/.lab/' | shuf -n 1000 --random-source="$world" >"$scratch/names"

cat >"$scratch/inside" <<'END'
set -euo pipefail
getent ahostsv4 localhost >/dev/null
while read -r name; do
	getent ahostsv4 "$name" | awk 'NR == 1 { print $1 }'
done <"$scratch/names" >"$scratch/targets"
device=$(ip -4 route show default | sed 's/.* dev \([^ ]*\).*/\1/')
sent() { ip -s -j link show "$device" | jq '.[0].stats64.tx.packets'; }

run() { # LABEL COMMAND...
	local label=$1 before start end
	shift
	sleep 5
	before=$(sent) start=$EPOCHREALTIME
	/usr/bin/time -f %M -o "$scratch/memory" "$@" >"$scratch/out" 2>"$scratch/err" || true
	end=$EPOCHREALTIME
	printf 'targets|%s|%s|%s|%s|%s\n' "$label" "$(awk "BEGIN { printf \"%.2f\", $end - $start }")" \
		$(($(sent) - before)) "$(reached)" "$(tail -n 1 "$scratch/memory")"
}

reached() { jq -s '[.[].measurement | select(.forward.reached)] | length' "$scratch/out"; }
run "retour trace --targets, $pace/s" "$retour" trace -n -u --jsonl --rate "$pace" --targets "$scratch/targets"

reached() { jq -s '[.[] | select(.type == "trace" and .stop_reason == "COMPLETED")] | length' "$scratch/out"; }
run "scamper trace -q 3 -Q, $pace/s" scamper -p "$pace" -w 1000 -O json -c 'trace -P udp-paris -q 3 -Q' -f "$scratch/targets"
END
export retour pace scratch
"$retour" lab run -w "$world" --on "$from" -- bash "$scratch/inside"
