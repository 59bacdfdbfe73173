#!/bin/bash
# A responder and its clients on Linux routers, beyond one flow and one network: every way back where routers balance
# flows, and a client behind a masquerading gateway that knows its own public address.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/diamond.sh"

need nft

serve_in() { # NODE OPTIONS...
	rm -f $scratch/serve
	start_in "$1" serve "$RETOUR" serve "${@:2}"
	server=$!
	await 5 grep -qs ready $scratch/serve
}

# ---- every way back: here it is `far` that asks, so the ways back are those from r1 on

build_diamond
serve_in near

expect_diamond far reverse "$near4" "$near6" "$RETOUR" back -n --json --via responder
expect_branches far reverse destination_port -p "$near4" "$RETOUR" back -n --json --via responder

# Another responder than the target, by its name: what it tells is inferred, and where it comes from is told.
printf '%s near.test\n' "$near4" >>$names
expect_status 0 in_node far "$RETOUR" back -n --json --via responder:near.test "$(address 4 r1 near)"
validate $scratch/out
expect_equal "a vantage point" "the responder near.test, $near4, inferred" "$(jq -r '.reverse |
	"\(.vantage.name), \(.vantage.address), \([.hops[].certainty] | unique | join(" "))"' $scratch/out)"
expect_status 2 in_node far "$RETOUR" back -n --json --via responder:nobody.test "$(address 4 r1 near)"
expect_equal "no vantage point" failed "$(jq -r '.reverse_attempts[0].status' $scratch/out)"
kill -TERM $server
wait $server || fail "exit status $? after SIGTERM"

# What one client asks is within what a responder allows its network.
serve_in near
expect_status 0 in_node far "$RETOUR" back -n --json --via responder --multipath=99 "$near4"
kill -TERM $server
wait $server || fail "exit status $? after SIGTERM"
! grep -E '[1-9][0-9]* over (prefix )?rate' $scratch/serve || fail "limits were not kept: $(cat $scratch/serve)"
echo "ok: the responder's limits are kept"

# ---- a client behind a gateway that masquerades: home -- gate -- r1 -- ... -- far, asked from home

node home gate
link home gate 20
link gate r1 21
way default default home gate
way default default gate r1
way "$(prefix 4 gate r1)" "$(prefix 6 gate r1)" n m a r1
way "$(prefix 4 gate r1)" "$(prefix 6 gate r1)" b r1
way "$(prefix 4 gate r1)" "$(prefix 6 gate r1)" c2 c r1
public=$(address 4 gate r1)
in_node gate nft -f - <<END
table ip nat {
	chain out {
		type nat hook postrouting priority srcnat
		oifname "to-r1" masquerade
	}
}
END
serve_in far
in_node home ping -q -c 1 -w 5 "$far4" >/dev/null
truth=$(truth far "$public" | paste -sd' ')
for protocol in u T I; do
	expect_status 0 in_node home "$RETOUR" back -n --json --via responder -$protocol "$far4"
	validate $scratch/out
	expect_equal "behind a gateway, -$protocol: the way" "$truth" "$(hops $scratch/out reverse | owners | paste -sd' ')"
	expect_equal "behind a gateway, -$protocol: reached" true "$(jq .reverse.reached $scratch/out)"
	expect_equal "behind a gateway, -$protocol: our address" "$public" "$(jq -r .source.public_address $scratch/out)"
	jq -r '.reverse_attempts[0].detail' $scratch/out | grep -q "reached your NAT" ||
		fail "it does not say so: $(jq -c .reverse_attempts $scratch/out)"
done
# What the user says counts, and what answers for another address is no NAT of ours.
expect_status 0 in_node home "$RETOUR" back -n --json --via responder --public-address "$public" "$far4"
expect_equal "with --public-address" "true $public" "$(jq -r '"\(.reverse.reached) \(.source.public_address)"' $scratch/out)"
expect_status 0 in_node home "$RETOUR" back -n --json --via responder --public-address 192.0.2.99 "$far4"
expect_equal "with a wrong one" "false partial" \
	"$(jq -r '"\(.reverse.reached) \(.reverse_attempts[0].status)"' $scratch/out)"
# All flows end at the gateway.
expect_status 0 in_node home "$RETOUR" back -n --json --via responder --multipath "$far4"
expect_equal "all ways end at the gateway" "gate" "$(hops $scratch/out reverse | tail -n 1 | owners)"
echo "ok: a client behind a gateway"
