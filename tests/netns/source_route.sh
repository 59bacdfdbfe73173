#!/bin/bash
# The way back by a Segment Routing Header on kernel routers: whole where the far host sends segments on, with
# different ways there and back; and what is said where it does not, or where something is in the way.
. "$(dirname "$0")/lib.sh"

[ -e /proc/sys/net/ipv6/conf/all/seg6_enabled ] || skip "this kernel has no IPv6 segment routing"
build_asymmetric

segments() { # NODE INTERFACE 0|1
	in_node "$1" sh -c "echo $3 >/proc/sys/net/ipv6/conf/all/seg6_enabled
		echo $3 >/proc/sys/net/ipv6/conf/$2/seg6_enabled"
}

measure() { # STATUS ARGUMENT...
	expect_status "$1" in_node near "$RETOUR" "${@:2}" --json
	validate $scratch/out
}

field() { # FILTER
	jq -r "$1" $scratch/out
}

# How the attempt ended, and whether its explanation matches.
expect_outcome() { # WHAT METHOD STATUS PATTERN
	local found
	found=$(field ".reverse_attempts[] | select(.method == \"$2\") | \"\(.status) \(.detail)\"")
	# shellcheck disable=SC2053 # a pattern
	[[ $found == "$3 "$4 ]] || fail "$1: expected '$3 $4', found '$found'"
	echo "ok: $1"
}

# as kernels come
measure 2 back "$far6" --via source-route
expect_equal "off: no path" null "$(field .reverse)"
expect_outcome "off: said" source-route timeout '*get to hop 5 *the far host does not send them on*seg6_enabled*'
measure 0 "$far6" --via source-route --numeric
expect_outcome "off, with the way there known: said" source-route unsupported '*does not send them on*seg6_enabled*'

# the far host sends segments on
segments far to-g2 1
measure 0 back "$far6" --via source-route
expect_equal "routers back" "$(truth far "$near6")" "$(hops $scratch/out reverse | owners)"
expect_equal "how it is known" "true source-route source-route measured 1,2,3,4,5,6,7" \
	"$(field '.reverse | "\(.reached) \(.method) \([.hops[].technique] | unique | join(",")) \([.hops[].certainty] | unique | join(",")) \([.hops[].ttl] | map(tostring) | join(","))"')"
expect_outcome "routers back: said" source-route ok '*6 routers back'

# both ways at once
measure 0 "$far6" --via source-route --numeric
expect_equal "there and back: routers there" "$(truth near "$far6")" "$(hops $scratch/out forward | owners)"
expect_equal "there and back: routers back" "$(truth far "$near6")" "$(hops $scratch/out reverse | owners)"
expect_equal "there and back: the ways differ" paths-differ "$(field '.findings[].id | select(. == "paths-differ")')"

# without --via, nothing on the far host asks for more
measure 0 back "$far6"
expect_equal "by itself" "source-route true" "$(field '.reverse | "\(.method) \(.reached)"')"

# far and g1 as seen by somebody else: what our packets ask for is what others see in them
if command -v tcpdump >/dev/null; then
	start_in g2 wire tcpdump -i to-far -nn -l -v 'ip6 and ip6[6] == 43'
	await 5 grep -q 'listening on' $scratch/wire
	measure 0 back "$far6" --via source-route
	await 5 grep -q 'segleft=0' $scratch/wire
	expect_equal "on the wire: there, then home" "segleft=0 segleft=1" \
		"$(grep -o 'segleft=[01]' $scratch/wire | sort -u | paste -sd' ')"
	expect_equal "on the wire: the segments" 1 \
		"$(grep -o "\[0\]$near6, \[1\]$far6" $scratch/wire | sort -u | wc -l)"
fi

# our own kernel takes segments, and answers the echo request that comes home
segments near to-g1 1
measure 0 back "$far6" --via source-route
expect_equal "our kernel answers" "$(truth far "$near6")" "$(hops $scratch/out reverse | owners)"
segments near to-g1 0

# a host that has segment routing, but does not forward
in_node far sh -c 'echo 0 >/proc/sys/net/ipv6/conf/all/forwarding'
in_node far ip -6 route replace default via "$(address 6 g2 far)"
measure 2 back "$far6" --via source-route
expect_outcome "no forwarding: said" source-route timeout '*the far host does not send them on*forwarding*'
in_node far sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'

# the two of old
measure 2 back "$far6" --via source-route-rh0
expect_outcome "type 0: refused" source-route-rh0 refused "the far host $far6 *RFC 5095*"
measure 2 back "$far4" --via source-route-lsrr
expect_outcome "loose source route: said" source-route-lsrr timeout '*RFC 7126*'
measure 2 back "$far4" --via source-route
expect_outcome "IPv4: said" source-route unavailable 'not for IPv4'

# the same in the lab, whose routers are not kernels
"$RETOUR" lab truth -w segments -6 server client --json >$scratch/truth
"$RETOUR" lab run -w segments -- "$RETOUR" back -6 server.lab --via source-route --json >$scratch/out
expect_equal "in the lab" "$(jq -r '.hops[].address' $scratch/truth)" "$(hops $scratch/out reverse)"

if command -v nft >/dev/null; then
	filter() { # NODE HOOK RULE
		in_node "$1" nft "add table ip6 f; add chain ip6 f c { type filter hook $2 priority 0; }; add rule ip6 f c $3"
	}
	unfilter() { # NODE
		in_node "$1" nft delete table ip6 f
	}

	# a router on the way there drops them
	filter f2 forward 'exthdr rt exists drop'
	measure 0 "$far6" --via source-route --numeric
	expect_outcome "dropped on the way there" source-route timeout '*dropped after hop 3 *'
	unfilter f2

	# the network of the far host checks sources (BCP 38), as packets come in
	filter g2 prerouting "iifname to-far ip6 saddr != $(prefix 6 g2 far) drop"
	measure 2 back "$far6" --via source-route
	expect_equal "sources are checked: no path" null "$(field .reverse)"
	expect_outcome "sources are checked: said" source-route timeout '*0 routers back; none came home*BCP 38*'
	unfilter g2

	# our own network does
	filter g1 forward "oifname to-near ip6 saddr $near6 drop"
	measure 0 back "$far6" --via source-route
	expect_equal "dropped before home: what is known" "$(truth far "$near6" | head -6)" \
		"$(hops $scratch/out reverse | owners)"
	expect_outcome "dropped before home: said" source-route partial '*none came home*BCP 38*'
	unfilter g1
fi
