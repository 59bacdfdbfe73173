#!/bin/bash
# The return path from a responder over six hops that are as close as namespaces are: as the reference client of the
# protocol was measured. Each line for bench/table.sh: responder_near|LABEL|SECONDS|SENT|RECEIVED|HOPS AND DURATION
build=$(cd "$(dirname "$0")/.." && pwd)/${BUILD:-build}
export RETOUR=$build/retour
. "$(dirname "$0")/../tests/netns/lib.sh"
: "${RUNS=3}" "${IDLE_S=7}"

chain=(near r1 r2 r3 r4 r5 far)
REPLY_LIMIT_MS='' node "${chain[@]}"
for n in 1 2 3 4 5 6; do
	link "${chain[$((n - 1))]}" "${chain[$n]}" "$n"
done
way default default "${chain[@]:0:6}"
way "$(prefix 4 r5 far)" "$(prefix 6 r5 far)" "${chain[@]:0:6}"
way default default far r5 r4 r3 r2 r1
way "$(prefix 4 near r1)" "$(prefix 6 near r1)" far r5 r4 r3 r2 r1
far4=$(address 4 far r5) far6=$(address 6 far r5)
for target in "$far4" "$far6"; do
	in_node near ping -q -c 2 -i 0.2 -w 5 "$target" >/dev/null
	in_node far traceroute -n -q 1 -N 1 -w 0.5 "$(address "$([ "$target" = "$far4" ] && echo 4 || echo 6)" near r1)" >/dev/null
done

counter() { # rx|tx
	ip -n near -s -j link show to-r1 | jq ".[0].stats64.$1.packets"
}

nsenter --net=/run/netns/far -- "$RETOUR" serve 2>"$scratch/serve" &
server=$!
await 5 grep -qs ready "$scratch/serve"
for ((run = 0; run < RUNS; run++)); do
	for family in 4 6; do
		target=far$family
		sleep "$IDLE_S"
		tx=$(counter tx) rx=$(counter rx)
		start=$EPOCHREALTIME
		in_node near "$RETOUR" back -n --json --via responder "${!target}" >"$scratch/out"
		end=$EPOCHREALTIME
		hops=$(jq '.reverse.hops | length' "$scratch/out")
		[ "$hops $(jq .reverse.reached "$scratch/out")" = "6 true" ] || fail "not the whole way: $hops hops"
		printf 'responder_near|retour back --via responder, IPv%s|%s|%s|%s|%s hops, measured in %.1f ms\n' $family \
			"$(awk "BEGIN { printf \"%.3f\", $end - $start }")" $(($(counter tx) - tx)) $(($(counter rx) - rx)) \
			"$hops" "$(jq .reverse.duration_ms "$scratch/out")"
	done
done
kill $server
wait $server || true
