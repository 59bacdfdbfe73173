#!/bin/bash
# The responder, asked by a client that knows the deployed protocol and nothing of retour: the way back is the true
# one, and ordinary ping works while the responder runs and after any end of it.
. "$(dirname "$0")/lib.sh"

need nft
build_asymmetric

start() { # OPTIONS...
	rm -f $scratch/serve
	nsenter --net=/run/netns/far -- "$RETOUR" serve "$@" 2>$scratch/serve &
	server=$!
	await 5 grep -qs ready $scratch/serve
}

pings() { # WHEN
	in_node near ping -q -c 1 -W 2 "$far4" >/dev/null || fail "no IPv4 ping $1"
	in_node near ping -q -c 1 -W 2 "$far6" >/dev/null || fail "no IPv6 ping $1"
	echo "ok: ping $1"
}

ask() { # ADDRESS PROTOCOL [FLOW]
	in_node near /usr/bin/python3 "$here/stock_client.py" "$@" 2>&1 || true
}

rules() {
	in_node far nft list ruleset
}

start
! grep -q "the kernel will echo" $scratch/serve || skip "no nftables rule: $(head -n 1 $scratch/serve)"
back4=$(reference far "$near4")
back6=$(reference far "$near6")
pings "while it serves"
for protocol in icmp udp tcp; do
	for flow in 0 40000; do
		expect_equal "IPv4 $protocol, flow $flow" "$back4" "$(ask "$far4" $protocol $flow)"
		expect_equal "IPv6 $protocol, flow $flow" "$back6" "$(ask "$far6" $protocol $flow)"
	done
done

# Our own client, all hops at once, within two round trips and a little.
for family in 4 6; do
	address=far$family expected=back$family
	for protocol in -u -I; do
		in_node near "$RETOUR" back -$family $protocol -n --json --via responder "${!address}" >$scratch/back.json
		expect_equal "retour back, IPv$family $protocol" "${!expected}" "$(hops $scratch/back.json reverse)"
		expect_equal "retour back, IPv$family $protocol: reached" true "$(jq .reverse.reached $scratch/back.json)"
	done
done
took=$(jq '.reverse.duration_ms | floor' $scratch/back.json)
[ "$took" -lt 50 ] || fail "retour back took $took ms"

# The server leaves by the host's routing and not where the request came in.
link far b2 60
way "$(prefix 4 near g1)" "$(prefix 6 near g1)" far b2
in_node far ping -q -c 1 -w 5 -I "$far4" "$near4" >/dev/null
in_node far ping -q -c 1 -w 5 -I "$far6" "$near6" >/dev/null
new4=$(in_node far traceroute -n -q 1 -w 1 -s "$far4" "$near4" | awk 'NR > 1 { print $2 }')
new6=$(in_node far traceroute -n -q 1 -w 1 -s "$far6" "$near6" | awk 'NR > 1 { print $2 }')
[ "$new4" != "$back4" ] || fail "the test did not change the way back"
expect_equal "another interface out" "$new4" "$(ask "$far4" udp)"

# So it does where routing depends on the source.
way "$(prefix 4 near g1)" "$(prefix 6 near g1)" far g2
ip -n far rule add from "$far4" lookup 100
ip -n far route add default via "$(address 4 b2 far)" table 100
expect_equal "routing by source, IPv4" "$new4" "$(ask "$far4" udp)"
ip -n far -6 rule add from "$far6" lookup 100
ip -n far -6 route add default via "$(address 6 b2 far)" table 100
expect_equal "routing by source, IPv6" "$new6" "$(ask "$far6" udp)"
ip -n far link del to-b2
expect_equal "an interface vanished" "$back4" "$(ask "$far4" udp)"

# An address that comes later is served too.
ip -n far address add 10.77.99.1/32 dev lo
way 10.77.99.1/32 fd77:0:0:99::1/128 near g1 f1 f2 f3 g2 far
way 10.77.99.1/32 fd77:0:0:99::1/128 b4 b3 b2 b1 g2
expect_equal "a later address" "$back4" "$(ask 10.77.99.1 udp)"

# So it is after more changes at once than the kernel keeps for a slow reader.
kill -STOP $server
for end in {1..250} {1..250} {1..250}; do
	printf 'address add 10.78.%s.1/32 dev lo\naddress del 10.78.%s.1/32 dev lo\n' "$end" "$end"
done | ip -n far -batch -
ip -n far address del 10.77.99.1/32 dev lo
kill -CONT $server
sleep 0.3
ip -n far address add 10.77.99.1/32 dev lo
expect_equal "an address after many changes" "$back4" "$(ask 10.77.99.1 udp)"

# Nothing but what it holds is left to it.
grep -q '^CapPrm:[[:space:]]*0000000000000000$' "/proc/$server/status" || fail "the server kept capabilities"
grep -q '^Seccomp:[[:space:]]*2$' "/proc/$server/status" || fail "the server's system calls are not limited"
echo "ok: confined"

[[ $(rules) == *"table inet retour-$server"* ]] || fail "no rule while it serves: $(rules)"
kill -KILL $server
wait $server 2>/dev/null || true
await 2 test -z "$(rules)"
pings "after SIGKILL"
in_node near "$RETOUR" back -4 -n --json --via responder "$far4" >$scratch/back.json && fail "a way back from nobody"
expect_equal "no responder" unsupported "$(jq -r '.reverse_attempts[0].status' $scratch/back.json)"

start
kill -USR1 $server
await 2 grep -q "requests" $scratch/serve
kill -TERM $server
wait $server || fail "exit status $? after SIGTERM"
expect_equal "no rule is left" "" "$(rules)"
pings "after SIGTERM"

start --allow 192.0.2.0/24
expect_equal "a stranger to --allow" "no answer to the hello" "$(ask "$far4" udp)"
kill -INT $server
wait $server || fail "exit status $? after SIGINT"

# Paths to third parties, where the operator names them: those that the host itself would take.
third4=$(address 4 b4 g1) third6=$(address 6 b4 g1)
start --allow-target "$third4" --allow-target "$third6"
for protocol in icmp udp tcp; do
	expect_equal "IPv4 $protocol to a third party" "$(reference far "$third4")" "$(ask "$far4" $protocol 40000 "$third4")"
	expect_equal "IPv6 $protocol to a third party" "$(reference far "$third6")" "$(ask "$far6" $protocol 40000 "$third6")"
done
expect_equal "another third party" "refused: 4 5 0" "$(ask "$far4" udp 40000 "$(address 4 f1 g1)")"
expect_equal "the way back goes on as well" "$back4" "$(ask "$far4" udp 40000)"
kill -INT $server
wait $server || fail "exit status $? after SIGINT"
