#!/bin/bash
# Rounds over Linux routers that limit their replies as the kernel does by default: no loss is made of that, where mtr
# shows plenty; a route that changes in mid-run is one change; ten rounds take ten seconds.
REPLY_LIMIT_MS=1000
. "$(dirname "$0")/lib.sh"
need mtr

build_asymmetric

document() { # JQ EXPRESSION
	jq -r "$1" "$scratch/out"
}

# ---- limits

# Nothing is lost on these links: a hundred pings, which no limit concerns, come back.
in_node near ping -q -n -i 0.01 -c 100 "$far4" | grep -q ' 0% packet loss' || fail "the network itself loses packets"

in_node near mtr -n -r -c 40 -i 0.2 -G 1 --json "$far4" >"$scratch/mtr.json"
lossy=$(jq '[.report.hubs[] | select(."Loss%" > 20)] | length' "$scratch/mtr.json")
[ "$lossy" -ge 3 ] || skip "this kernel does not limit ICMP errors as usual: mtr shows $lossy lossy hops"
echo "ok mtr shows loss at $lossy hops, where there is none"
sleep 7

expect_status 0 in_node near "$RETOUR" watch -n -r -c 190 -i 0.2 --json "$far4"
validate "$scratch/out"
expect_equal "no hop loses" "0 0 0 0 0 0" "$(document '[.forward.hops[].series.loss.lost] | map(tostring) | join(" ")')"
expect_equal "hops that skip answers are as many as with mtr" 5 \
	"$(document '[.forward.hops[] | select(.series.loss.skipped > 10)] | length')"
expect_equal "slower asking brought answers back" "limits-replies" \
	"$(document '[.forward.hops[].series.replies | select(. != null and . != "testing")] | unique | join(",")')"
expect_equal "and is said to be certain" "certain" \
	"$(document '[.findings[] | select(.id == "reply-rate-limited") | .confidence][0]')"
expect_equal "nothing is called loss" "" \
	"$(document '.findings[] | select(.id | test("^(loss|replies-lost|path-changed|congestion)")) | .id')"

# ---- ten rounds

sleep 7
begin=$(date +%s%N)
expect_status 0 in_node near "$RETOUR" watch -n -r -c 10 --json "$far4"
took_ms=$((($(date +%s%N) - begin) / 1000000))
[ "$took_ms" -le 10300 ] || fail "ten rounds took $took_ms ms"
echo "ok ten rounds took $took_ms ms"
expect_equal "ten probes to each hop, each answered" "10/10 10/10 10/10 10/10 10/10 10/10" \
	"$(document '[.forward.hops[].series | "\(.received)/\(.sent)"] | join(" ")')"
for family in 4 6; do
	far=far$family
	expect_status 0 in_node near "$RETOUR" watch -n -r -c 3 -i 0.3 -u --json "${!far}"
	expect_equal "the way there, UDP, IPv$family" "$(truth near "${!far}")" "$(hops "$scratch/out" forward | owners)"
done

# ---- a route that changes

for name in near g1 f1 f2 f3 g2 b1 b2 b3 b4 far; do
	in_node "$name" sh -c 'echo 0 >/proc/sys/net/ipv4/icmp_ratelimit'
done
start_in near watch.json "$RETOUR" watch -n -r -c 40 -i 0.2 --json "$far4"
watcher=$!
sleep 3
way "$(prefix 4 far g2)" "$(prefix 6 far g2)" g1 b4 b3 b2 b1 g2
wait "$watcher" || fail "watch ended with $?: $(cat "$scratch/watch.json")"
cp "$scratch/watch.json" "$scratch/out"
validate "$scratch/out"
expect_equal "one change, from the second hop on, one hop longer" "1 2 $(address 4 f1 g1) $(address 4 b4 g1) 6 7" \
	"$(document '"\(.changes | length) \(.changes[0] | "\(.first_ttl) \(.before) \(.after) \(.end_before) \(.end_after)")"')"
expect_equal "the way as it is now" "$(truth near "$far4")" "$(hops "$scratch/out" forward | owners)"
expect_equal "old routers are kept, as such" "$(address 4 f1 g1)" \
	"$(document '.forward.hops[1].series.responders[] | select(.present | not) | .address')"
expect_equal "no loss by it" 0 "$(document '[.forward.hops[].series.loss.lost] | max | if . > 1 then . else 0 end')"

# ---- interrupted

start_in near interrupted "$RETOUR" watch -n -r -c 100 "$far4"
watcher=$!
sleep 2
kill -INT "$watcher"
status=0
wait "$watcher" || status=$?
expect_equal "status when interrupted" 130 "$status"
grep -q 'loss 95 %' "$scratch/interrupted" || fail "what was known is printed: $(cat "$scratch/interrupted")"
