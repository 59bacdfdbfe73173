# shellcheck shell=bash
: "${scratch:?}" # of tests/netns/lib.sh
# The path of the benchmarks: a source, nine Linux routers and a target, ten hops, with a cable of 10 ms each way
# between the first two routers. Reply limits are the kernel's own. Sourced after the test suites' library.

delay_us=10000
chain=(source r1 r2 r3 r4 r5 r6 r7 r8 r9 target)

build_chain() { # DELAY_LINK
	local n
	REPLY_LIMIT_MS='' node "${chain[@]}" cable
	ip link add to-r2 netns r1 type veth peer name left netns cable
	ip link add to-r1 netns r2 type veth peer name right netns cable
	in_node cable sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
		ip link set left up; ip link set right up'
	number_ends r1 r2 2
	in_node cable "$1" left right $delay_us >"$scratch/cable" &
	await 5 grep -q ready "$scratch/cable"

	link source r1 1
	for n in 2 3 4 5 6 7 8 9; do
		link "${chain[$n]}" "${chain[$((n + 1))]}" $((n + 1))
	done
	source4=$(address 4 source r1)
	target4=$(address 4 target r9)
	way default default "${chain[@]:0:10}"
	ip -n target route add default via "$(address 4 r9 target)"
	way "$(prefix 4 r9 target)" "$(prefix 6 r9 target)" "${chain[@]:0:10}"
	for n in 9 8 7 6 5 4 3 2; do
		way "$(prefix 4 source r1)" "$(prefix 6 source r1)" "${chain[$n]}" "${chain[$((n - 1))]}"
	done
	# Only IPv4 is measured; neighbours are known beforehand, so that every packet counted is a probe.
	in_node source sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6'
	in_node source ping -q -c 2 -i 0.2 "$target4" >/dev/null
	ip -n source neighbour replace "$(address 4 r1 source)" dev to-r1 \
		lladdr "$(ip -n r1 -j link show to-source | jq -r '.[0].address')" nud permanent
	ip -n r1 neighbour replace "$source4" dev to-source \
		lladdr "$(ip -n source -j link show to-r1 | jq -r '.[0].address')" nud permanent
}

# What goes wrong on the chain; each undoes what the one before did.
healthy() {
	in_node r5 nft flush ruleset
	ip -n r9 route flush type blackhole 2>/dev/null || true
	ip -n r9 route flush type unreachable 2>/dev/null || true
}
silent() {
	healthy
	in_node r5 nft 'add table ip silence; add chain ip silence out { type filter hook output priority 0; };
		add rule ip silence out ip protocol icmp drop'
}
black_hole() {
	healthy
	ip -n r9 route add blackhole "$target4/32"
}
refusal() {
	healthy
	ip -n r9 route add unreachable "$target4/32"
}
