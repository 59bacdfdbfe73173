#!/bin/bash
# A row of bench/run.sh: every branch of three, one a hop longer, on a path of ten hops with 20 ms of round trip; retour
# beside scamper's tracelb. Prints ROW|LABEL|SECONDS|SENT|RECEIVED|NOTE.
build=$(cd "$(dirname "$0")/.." && pwd)/${BUILD:-build}
export RETOUR=$build/retour
. "$(dirname "$0")/../tests/netns/lib.sh"
need scamper
: "${RUNS=3}"

nodes=(near r1 s a b c c2 m n1 n2 n3 n4 far)
node "${nodes[@]}" cable
for name in "${nodes[@]}"; do
	in_node "$name" sh -c 'echo 1 >/proc/sys/net/ipv4/fib_multipath_hash_policy'
done
link near r1 1
ip link add to-s netns r1 type veth peer name left netns cable
ip link add to-r1 netns s type veth peer name right netns cable
in_node cable sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; ip link set left up; ip link set right up'
number_ends r1 s 2
in_node cable "$build/bench/delay_link" left right 10000 >"$scratch/cable" &
await 5 grep -q ready "$scratch/cable"
link s a 3
link s b 4
link s c 5
link c c2 6
link a m 7
link b m 8
link c2 m 9
link m n1 10
link n1 n2 11
link n2 n3 12
link n3 n4 13
link n4 far 14
near4=$(address 4 near r1) far4=$(address 4 far n4)
way default default near r1 s
way default default far n4
way default default a m
way default default b m
way default default c c2 m
way "$(prefix 4 n4 far)" "$(prefix 6 n4 far)" m n1 n2 n3 n4
ip -n s route add "$(prefix 4 n4 far)" nexthop via "$(address 4 a s)" nexthop via "$(address 4 b s)" \
	nexthop via "$(address 4 c s)"
way "$(prefix 4 near r1)" "$(prefix 6 near r1)" n4 n3 n2 n1 m a s r1
way "$(prefix 4 near r1)" "$(prefix 6 near r1)" b s
way "$(prefix 4 near r1)" "$(prefix 6 near r1)" c2 c s
in_node near ping -q -c 2 -i 0.2 "$far4" >/dev/null
for _ in 1 2 3 4 5 6; do
	in_node near traceroute -n -w 0.5 "$far4" >/dev/null
done

counter() { # rx|tx
	ip -n near -s -j link show to-r1 | jq ".[0].stats64.$1.packets"
}

measure() { # LABEL FILTER COMMAND...
	local label=$1 filter=$2 sent received start end
	shift 2
	sent=$(counter tx) received=$(counter rx) start=$EPOCHREALTIME
	in_node near timeout 200 "$@" >"$scratch/out" 2>"$scratch/err" || true
	end=$EPOCHREALTIME
	printf 'diamond|%s|%s|%s|%s|%s\n' "$label" "$(awk "BEGIN { printf \"%.3f\", $end - $start }")" \
		$(($(counter tx) - sent)) $(($(counter rx) - received)) "$(jq -r "$filter" "$scratch/out")"
}

for ((run = 0; run < RUNS; run++)); do
	measure "retour trace --multipath" '"\([.forward.edges[] | select(.ttl == 3)] | length) branches"' \
		"$RETOUR" trace -n --json --multipath "$far4"
	measure "scamper tracelb -P udp-sport" \
		'select(.type == "tracelb") | "\([.nodes[]?.links[]? | length] | max) branches"' \
		scamper -O json -c 'tracelb -P udp-sport' -i "$far4"
done
