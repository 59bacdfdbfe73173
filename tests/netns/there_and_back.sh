#!/bin/bash
# The main job on kernel routers: with `retour serve` on the far host both true ways are reported, for IPv4 and
# IPv6; without it the way there, and which ways back were tried and why they failed.
. "$(dirname "$0")/lib.sh"
need nft

build_asymmetric
document=$scratch/document

measure() { # ADDRESS
	expect_status 0 in_node near "$RETOUR" "$1" --json
	validate $scratch/out
	mv $scratch/out $document
}

forward_is_true() { # LABEL DESTINATION
	expect_equal "$1: routers there" "$(truth near "$2")" "$(hops $document forward | owners)"
	expect_equal "$1: addresses there" "$(reference near "$2")" "$(hops $document forward)"
	expect_equal "$1: reached" true "$(jq .forward.reached $document)"
}

reverse_is_true() { # LABEL ASKER
	expect_equal "$1: routers back" "$(truth far "$2")" "$(hops $document reverse | owners)"
	expect_equal "$1: addresses back" "$(reference far "$2")" "$(hops $document reverse)"
	expect_equal "$1: a way back that was measured" "true responder" \
		"$(jq -r '"\(.reverse.reached) \(.reverse.method)"' $document)"
	expect_equal "$1: the ways differ" false "$(jq .alignment.symmetric.router $document)"
	expect_equal "$1: and that is a finding" paths-differ \
		"$(jq -r '.findings[].id | select(. == "paths-differ")' $document)"
}

attempts_are_told() { # LABEL
	expect_equal "$1: no whole way back" "false" "$(jq '.reverse.reached // false' $document)"
	expect_equal "$1: tried something" true "$(jq '.reverse_attempts | length > 0' $document)"
	expect_equal "$1: each failure has its reason" true \
		"$(jq '[.reverse_attempts[] | .status != "ok" and (.detail | length > 0)] | all' $document)"
}

for family in 4 6; do
	far=far$family
	measure "${!far}"
	forward_is_true "alone, IPv$family" "${!far}"
	attempts_are_told "alone, IPv$family"
done

start_in far serve.log "$RETOUR" serve
server=$!
await 10 in_node near "$RETOUR" back "$far4" --via responder

for family in 4 6; do
	far=far$family near=near$family
	measure "${!far}"
	forward_is_true "served, IPv$family" "${!far}"
	reverse_is_true "served, IPv$family" "${!near}"
	expect_status 0 in_node near "$RETOUR" back "${!far}" --via responder --json
	expect_equal "back alone, IPv$family" "$(truth far "${!near}")" "$(hops $scratch/out reverse | owners)"
	in_node near ping -q -c 2 -i 0.2 "${!far}" >/dev/null || fail "ping is disturbed while retour serve runs"
done

kill -TERM $server
wait $server || fail "retour serve: status $? after SIGTERM: $(cat $scratch/serve.log)"
expect_equal "no rule is left behind" "" "$(in_node far nft list ruleset)"
