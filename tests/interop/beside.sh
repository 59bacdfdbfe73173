#!/bin/bash
# The field's own programs on the same kernel routers: all see the way there that retour sees, and Record
# Route, which stamps both directions, sees the way back that retour's responder sees.
. "$(dirname "$0")/../netns/lib.sh"
need mtr scamper

build_asymmetric

by_mtr() { # DESTINATION
	in_node near mtr -n -r -c 1 -G 1 --json "$1" | jq -r '.report.hubs[].host'
}

by_scamper() { # DESTINATION
	in_node near scamper -O json -I "trace -P icmp-paris $1" |
		jq -r 'select(.type == "trace") | .hops[].addr'
}

for family in 4 6; do
	far=far$family
	expected=$(truth near "${!far}")
	expect_equal "traceroute, IPv$family" "$expected" "$(reference near "${!far}" | owners)"
	expect_equal "mtr, IPv$family" "$expected" "$(by_mtr "${!far}" | owners)"
	expect_equal "scamper, IPv$family" "$expected" "$(by_scamper "${!far}" | owners)"
	expect_status 0 in_node near "$RETOUR" trace "${!far}" --json
	expect_equal "retour, IPv$family" "$expected" "$(hops $scratch/out forward | owners)"
	# Same addresses, not only the same routers.
	expect_equal "retour and scamper agree by address, IPv$family" "$(by_scamper "${!far}")" \
		"$(hops $scratch/out forward)"
done

# The first stamp is our own, and who answers stamps twice; nine slots reach two routers beyond g2.
recorded=$(in_node near ping -n -R -c 1 "$(address 4 g2 f3)" | grep -oE '10\.77\.[0-9]+\.[0-9]+$' | owners)
expect_equal "ping -R" $'near\ng1\nf1\nf2\nf3\ng2\ng2\nb1\nb2' "$recorded"

start_in far serve.log "$RETOUR" serve
await 10 in_node near "$RETOUR" back "$far4" --via responder
expect_status 0 in_node near "$RETOUR" "$far4" --json
expect_equal "the way back begins as ping -R recorded it" "$(tail -n 3 <<<"$recorded")" \
	"$(hops $scratch/out reverse | owners | head -n 3)"
