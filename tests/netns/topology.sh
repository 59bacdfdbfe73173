#!/bin/bash
# The test bed itself: Debian's traceroute sees the ways that the routing tables make, in both directions.
. "$(dirname "$0")/lib.sh"

build_asymmetric

forward=$'g1\nf1\nf2\nf3\ng2\nfar'
reverse=$'g2\nb1\nb2\nb3\nb4\ng1\nnear'
expect_equal "tables there, IPv4" "$forward" "$(truth near "$far4")"
expect_equal "tables there, IPv6" "$forward" "$(truth near "$far6")"
expect_equal "tables back, IPv4" "$reverse" "$(truth far "$near4")"
expect_equal "tables back, IPv6" "$reverse" "$(truth far "$near6")"
expect_equal "traceroute there, IPv4" "$forward" "$(reference near "$far4" | owners)"
expect_equal "traceroute there, IPv6" "$forward" "$(reference near "$far6" | owners)"
expect_equal "traceroute back, IPv4" "$reverse" "$(reference far "$near4" | owners)"
expect_equal "traceroute back, IPv6" "$reverse" "$(reference far "$near6" | owners)"
