#!/bin/bash
# How large packets may be, on Linux routers: a narrow link whose router says so, and one whose messages are filtered.
. "$(dirname "$0")/lib.sh"
need nft

build_asymmetric
measured() { # TARGET
	expect_status 0 in_node near "$RETOUR" trace -n --json --mtu "$1"
	validate $scratch/out
	jq -c '.forward.mtu | [.bytes, [.steps[] | [.hop, .bytes, .said_by != null]]]' $scratch/out
}
finding() {
	jq -r '[.findings[].id | select(startswith("mtu"))] | join(" ")' $scratch/out
}

for target in "$far4" "$far6"; do
	expect_equal "$target: nothing narrow" '[1500,[]]' "$(measured "$target")"
	expect_equal "$target: no finding" '' "$(finding)"
done

# f2 is hop 3; its link to f3 carries 1400 bytes.
ip -n f2 link set to-f3 mtu 1400
for target in "$far4" "$far6"; do
	expect_equal "$target: 1400 behind hop 3, said by f2" '[1400,[[3,1400,true]]]' "$(measured "$target")"
	expect_equal "$target: its finding" mtu-narrowing "$(finding)"
	lost=$(jq '[.forward.hops[] | .sent - .received] | add' $scratch/out)
	expect_equal "$target: the trace lost nothing" 0 "$lost"
done

# The same, and f2 may not say it.
in_node f2 nft 'add table inet quiet; add chain inet quiet out { type filter hook output priority 0; };
	add rule inet quiet out icmp type destination-unreachable icmp code 4 drop;
	add rule inet quiet out icmpv6 type packet-too-big drop'
for target in "$far4" "$far6"; do
	expect_equal "$target: 1400 behind hop 3, said by nobody" '[1400,[[3,1400,false]]]' "$(measured "$target")"
	expect_equal "$target: its finding" mtu-black-hole "$(finding)"
done
