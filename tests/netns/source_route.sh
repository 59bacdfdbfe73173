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

outcome() { # METHOD
	field ".reverse_attempts[] | select(.method == \"$1\") | \"\(.status) \(.detail)\""
}

# as kernels come
measure 2 back "$far6" --via source-route
expect_equal "off: no path" null "$(field .reverse)"
expect_equal "off: said" "timeout yes" \
	"$(outcome source-route | sed -E 's/^(.[a-z]*) .* get to hop 5 .*the far host does not send them on.*/\1 yes/')"

# the far host sends segments on
segments far to-g2 1
measure 0 back "$far6" --via source-route
expect_equal "routers back" "$(truth far "$near6")" "$(hops $scratch/out reverse | owners)"
expect_equal "how it is known" "true source-route source-route measured 1,2,3,4,5,6,7" \
	"$(field '.reverse | "\(.reached) \(.method) \([.hops[].technique] | unique | join(",")) \([.hops[].certainty] | unique | join(",")) \([.hops[].ttl] | join(","))"')"
