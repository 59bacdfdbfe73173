#!/bin/bash
# The way back by Record Route on kernel routers, which write their addresses down: whole where it fits into nine
# addresses, the beginning of it where it does not, compared with the routing tables.
#
#             f1
#            /  \
#   near -- g1   g2 -- far       there by f1, back by b1 and b2
#           |\  /
#        host b2 - b1
. "$(dirname "$0")/lib.sh"

node near g1 f1 g2 b1 b2 far host
link near g1 1
link g2 far 2
link g1 host 3
link g1 f1 32
link f1 g2 33
link g2 b1 48
link b1 b2 49
link b2 g1 50
way default default near g1
way default default far g2
way default default host g1
way default default f1 g1
way default default b2 g1
way default default b1 b2
way "$(prefix 4 g2 far)" "$(prefix 6 g2 far)" g1 f1 g2
way "$(prefix 4 near g1)" "$(prefix 6 near g1)" g2 b1 b2 g1
near4=$(address 4 near g1) far4=$(address 4 far g2) host4=$(address 4 host g1) far6=$(address 6 far g2)
in_node near ping -q -c 1 -w 5 "$far4" >/dev/null
in_node near ping -q -c 1 -w 5 "$host4" >/dev/null
in_node near ping -q -c 1 -w 5 "$far6" >/dev/null

back() { # STATUS ARGUMENT...
	expect_status "$1" in_node near "$RETOUR" "${@:2}" --json
	validate $scratch/out
}

field() { # FILTER
	jq -r "$1" $scratch/out
}

# nine addresses: three routers there, the target twice, four routers back
back 0 back "$far4" --via record-route
expect_equal "it just fits: routers back" "$(truth far "$near4")" "$(hops $scratch/out reverse | owners)"
expect_equal "it just fits: how it is known" "true record-route record-route measured" \
	"$(field '.reverse | "\(.reached) \(.method) \([.hops[].technique] | unique | join(",")) \([.hops[].certainty] | unique | join(","))"')"
expect_equal "it just fits: one packet" 1 "$(field '.reverse.probes_sent')"

# the whole measurement, with nothing on the far host
back 0 "$far4" --numeric
expect_equal "there and back: routers there" "$(truth near "$far4")" "$(hops $scratch/out forward | owners)"
expect_equal "there and back: routers back" "$(truth far "$near4")" "$(hops $scratch/out reverse | owners)"
expect_equal "there and back: the ways differ" paths-differ "$(field '.findings[].id | select(. == "paths-differ")')"
expect_equal "there and back: how the target was found is said" true \
	"$(field '[.reverse_attempts[] | select(.method == "record-route").detail] | any(test("wrote its own address"))')"

# free places are left: the kernel of this host writes itself down, too
back 0 back "$host4" --via record-route
expect_equal "places to spare" "$(truth host "$near4")" "$(hops $scratch/out reverse | owners)"

# one router more on the way back, and the last one is cut off
node b3
link b2 b3 51
link b3 g1 52
way "$(prefix 4 near g1)" "$(prefix 6 near g1)" b2 b3 g1
in_node b3 ping -q -c 1 -w 5 "$(address 4 g1 b3)" >/dev/null
in_node b2 ping -q -c 1 -w 5 "$(address 4 b3 b2)" >/dev/null
back 0 back "$far4" --via record-route
expect_equal "too long: the beginning" "$(truth far "$near4" | head -4)" "$(hops $scratch/out reverse | owners)"
expect_equal "too long: partial" "false partial partial" \
	"$(field '"\(.reverse.reached) \(.reverse.stop_reason) \(.reverse_attempts[0].status)"')"

# a router that drops packets with options
if command -v nft >/dev/null; then
	in_node b1 nft -f - <<-'END'
		table ip filter {
			chain forward { type filter hook forward priority 0; ip option rr exists drop; }
		}
	END
	back 2 back "$far4" --via record-route
	expect_equal "dropped: said so" timeout "$(field '.reverse_attempts[0].status')"
fi

# IPv6 has no such option
back 2 back "$far6" --via record-route
expect_equal "IPv6: unavailable" "unavailable not for IPv6" \
	"$(field '.reverse_attempts[0] | "\(.status) \(.detail)"')"
