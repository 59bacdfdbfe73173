#!/bin/bash
# A responder under forged requests: does an honest client still get its path, and how much later?
#
#   near -- gate -- mid -- far (retour serve)        flood -- gate
#
#   BUILD=build RUNS=20 bench/flood.sh [RATE...]     requests a second; default 0 1000 100000
#
# A line each, for bench/table.sh: flood|RATE|COMPLETE PATHS|MEDIAN SECONDS|BYTES INTO THE SERVER|BYTES OUT OF IT
build=$(cd "$(dirname "$0")/.." && pwd)/${BUILD:-build}
export RETOUR=$build/retour
. "$(dirname "$0")/../tests/netns/lib.sh"
: "${RUNS=20}"
rates=("$@")
[ ${#rates[@]} -gt 0 ] || rates=(0 1000 100000)

node near gate mid far flood
link near gate 1
link flood gate 2
link gate mid 3
link mid far 4
way default default near gate
way default default flood gate
way default default far mid gate
way "$(prefix 4 mid far)" "$(prefix 6 mid far)" gate mid
way "$(prefix 4 near gate)" "$(prefix 6 near gate)" mid gate
ip -n gate route add blackhole 11.0.0.0/8 # where everything sent to the forged addresses ends
far4=$(address 4 far mid)
expected=$(printf '%s\n' "$(address 4 mid far)" "$(address 4 gate mid)" "$(address 4 near gate)")
in_node near ping -q -c 1 -w 5 "$far4" >/dev/null
in_node flood ping -q -c 1 -w 5 "$far4" >/dev/null

nsenter --net=/run/netns/far -- "$RETOUR" serve 2>$scratch/serve &
server=$!
await 5 grep -q ready $scratch/serve

bytes() { # rx|tx of the server
	ip -n far -s -j link show to-mid | jq ".[0].stats64.$1.bytes"
}

for rate in "${rates[@]}"; do
	: >$scratch/flood
	if [ "$rate" -gt 0 ]; then
		nsenter --net=/run/netns/flood -- "$build/bench/responder_flood" "$far4" "$rate" 60 >$scratch/flood &
		flooder=$!
		sleep 1
	fi
	received=$(bytes rx) sent=$(bytes tx) start=$EPOCHREALTIME
	before=$(ip -n flood -s -j link show to-gate | jq '.[0].stats64.tx.packets')
	complete=0
	: >$scratch/times
	for ((run = 0; run < RUNS; run++)); do
		in_node near "$RETOUR" back -n --json --via responder "$far4" >$scratch/back.json 2>/dev/null || true
		[ "$(hops $scratch/back.json reverse 2>/dev/null)" != "$expected" ] || complete=$((complete + 1))
		jq '.reverse_attempts[0].duration_ms / 1000' $scratch/back.json >>$scratch/times 2>/dev/null || true
	done
	after=$(ip -n flood -s -j link show to-gate | jq '.[0].stats64.tx.packets')
	received=$(($(bytes rx) - received)) sent=$(($(bytes tx) - sent))
	really=$(awk "BEGIN { printf \"%d\", ($after - $before) / ($EPOCHREALTIME - $start) }")
	if [ "$rate" -gt 0 ]; then
		kill "$flooder" 2>/dev/null || true
		wait "$flooder" 2>/dev/null || true
	fi
	[ "$rate" -gt 0 ] || really=0
	printf 'flood|%s (%s arrived)|%s|%s|%s|%s\n' "$rate" "$really" "$complete of $RUNS" \
		"$(sort -n $scratch/times | awk '{ t[NR] = $1 } END { printf "%.4f", t[int((NR + 1) / 2)] }')" \
		$received $sent
done
kill $server
wait $server 2>/dev/null || true
tail -n 1 $scratch/serve >&2
