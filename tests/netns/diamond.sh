# shellcheck shell=bash
# shellcheck disable=SC2034 # used where this is sourced
: "${scratch:?}" # of lib.sh
# Linux routers that balance flows by ports: three ways from r1 to m, one of them a hop longer. Sourced after lib.sh.
#
#                 a ------
#               /          \
#   near -- r1 --- b ------- m -- n -- far
#               \          /
#                 c -- c2 -
build_diamond() {
	local name family via prefix4 prefix6
	local nodes=(near r1 a b c c2 m n far)
	node "${nodes[@]}"
	for name in "${nodes[@]}"; do
		in_node "$name" sh -c 'echo 1 >/proc/sys/net/ipv4/fib_multipath_hash_policy
			echo 1 >/proc/sys/net/ipv6/fib_multipath_hash_policy'
	done
	link near r1 1
	link r1 a 2
	link r1 b 3
	link r1 c 4
	link c c2 5
	link a m 6
	link b m 7
	link c2 m 8
	link m n 9
	link n far 10
	near4=$(address 4 near r1) near6=$(address 6 near r1)
	far4=$(address 4 far n) far6=$(address 6 far n)
	way default default near r1
	way default default a m
	way default default b m
	way default default c c2 m n
	way default default far n
	way "$(prefix 4 n far)" "$(prefix 6 n far)" m n
	for family in 4 6; do
		via=()
		for name in a b c; do
			via+=(nexthop via "$(address $family "$name" r1)")
		done
		ip -n r1 -$family route add "$(prefix $family n far)" "${via[@]}"
	done
	# Back by way of a, so that every router can answer.
	prefix4=$(prefix 4 near r1) prefix6=$(prefix 6 near r1)
	way "$prefix4" "$prefix6" n m a r1
	way "$prefix4" "$prefix6" b r1
	way "$prefix4" "$prefix6" c2 c r1
	in_node near ping -q -c 1 -w 5 "$far4" >/dev/null
	in_node near ping -q -c 1 -w 5 "$far6" >/dev/null
	for _ in 1 2 3 4 5 6 7 8; do
		in_node near traceroute -n -q 3 -w 0.3 "$far4" >/dev/null
		in_node near traceroute -n -q 3 -w 0.3 "$far6" >/dev/null
	done
}

# The links of the truth between nodes that answer, by name.
diamond_links='a m
b m
c c2
c2 m
m n
n far
r1 a
r1 b
r1 c'

# The links of a document, by node; each once.
links() { # DOCUMENT forward|reverse
	local from to
	jq -r --arg direction "$2" '.[$direction].edges[] | .from + " " + .to' "$1" | while read -r from to; do
		echo "${owner_of[$from]-$from} ${owner_of[$to]-$to}"
	done | sort -u
}

# The command finds all links and no others, by each protocol.
expect_diamond() { # NODE forward|reverse TARGET4 TARGET6 COMMAND...
	local family target protocol complete false expected
	for family in 4 6; do
		target=$3
		[ $family = 4 ] || target=$4
		for protocol in u I T; do
			complete=0
			for _ in 1 2 3 4 5; do
				expect_status 0 in_node "$1" "${@:5}" --multipath=99 -$protocol "$target"
				validate "$scratch"/out
				links "$scratch"/out "$2" >"$scratch"/links
				false=$(grep -vxF "$diamond_links" "$scratch"/links || true)
				[ -z "$false" ] || fail "IPv$family -$protocol: links that are not there: $false"
				# Linux has no ports to look at in ICMP: all of it goes one way.
				expected=$diamond_links
				[ $protocol != I ] || expected=$(cat "$scratch"/links)
				[ $protocol != I ] || expect_equal "ICMP takes one way" 1 "$(grep -c '^r1 ' "$scratch"/links)"
				[ "$(cat "$scratch"/links)" = "$expected" ] && complete=$((complete + 1))
			done
			[ $complete -ge 4 ] || fail "IPv$family -$protocol: complete only $complete times of 5: $(cat "$scratch"/links)"
			echo "ok: IPv$family -$protocol: all links $complete times of 5, and no others, the last in" \
				"$(jq ".$2.duration_ms" "$scratch"/out) ms, $(jq ".$2.probes_sent" "$scratch"/out) packets"
		done
	done
}

# The port of a branch reproduces it.
expect_branches() { # NODE forward|reverse source_port|destination_port OPTION TARGET COMMAND...
	local address port
	expect_status 0 in_node "$1" "${@:6}" --multipath "$5"
	jq -r ".$2.edges[] | select(.ttl == 2) | .to + \" \" + (.$3 | tostring)" "$scratch"/out >"$scratch"/branches
	[ "$(wc -l <"$scratch"/branches)" -ge 2 ] || fail "no branches: $(cat "$scratch"/out)"
	while read -r address port; do
		expect_status 0 in_node "$1" "${@:6}" -u "$4" "$port" "$5"
		expect_equal "port $port takes the way by ${owner_of[$address]}" "$address" \
			"$(jq -r ".$2.hops[1].address" "$scratch"/out)"
	done <"$scratch"/branches
}
