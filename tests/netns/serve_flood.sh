#!/bin/bash
# What strangers do to the daemon's HTTP interface stops neither the responder nor honest clients elsewhere.
. "$(dirname "$0")/lib.sh"

need nft curl
build_asymmetric
nsenter --net=/run/netns/far -- "$RETOUR" serve --listen :8080 --trace-rate 100000 2>$scratch/serve &
server=$!
await 5 grep -qs ready $scratch/serve
back=$(reference far "$near4")
honest=$(address 4 f1 f2)

# 62,500 addresses of 250 networks, all at the host that floods.
ip -n near route add local 10.88.0.0/16 dev lo
way 10.88.0.0/16 fd88::/64 far g2 b1 b2 b3 b4 g1 near

# The daemon's own clock: while it is flooded the way back takes a moment longer, not for ever.
works() { # WHILE
	in_node near "$RETOUR" back -4 -n --json --via responder "$far4" >$scratch/back.json ||
		fail "no way back from the responder while $1"
	expect_equal "the responder answers while $1" "$back" "$(hops $scratch/back.json reverse)"
	took=$(jq '.reverse.duration_ms | floor' $scratch/back.json)
	[ "$took" -lt 1000 ] || fail "it took the responder $took ms while $1"
	# A new connection may have to come again: a full table takes it in once somebody else is out.
	expect_equal "an honest client is answered while $1" "$honest" "$(in_node f1 curl -gsS -m 10 --retry 3 \
		--retry-all-errors "http://$far4:8080/api/v1/address" | jq -r .address)"
	kill -0 $flooder || fail "the flood ended before it was seen what it does"
}

flood() { # MODE SECONDS [SOURCE PREFIX]
	in_node near /usr/bin/python3 "$here/http_flood.py" "$far4" 8080 "$2" "$1" ${3+"$3"} >$scratch/flood &
	flooder=$!
	sleep 1.5
}

open_now() {
	in_node f1 curl -gsS -m 10 --retry 3 --retry-all-errors "http://$far4:8080/metrics" |
		awk '$1 == "retour_http_connections" { print $2 }'
}

flood hold 5
works "one network opens 10,000 connections"
[ "$(open_now)" -le 66 ] || fail "one network has $(open_now) connections"
wait $flooder
echo "ok: tried and were open at most: $(cat $scratch/flood)"

flood hold 6 10.88
works "250 networks open 10,000 connections"
[ "$(open_now)" -le 580 ] || fail "$(open_now) connections at a time"
wait $flooder
echo "ok: tried and were open at most: $(cat $scratch/flood)"

# On a busy machine they need long to open all; each has its time from its own beginning.
flood drip 90 10.88
works "600 clients send a byte a second"
few_are_open() {
	[ "$(open_now)" -le 100 ]
}
sleep 10
await 60 few_are_open
works "they still do"
kill $flooder
wait $flooder || true
echo "ok: whose requests do not end are let go"

flood hammer 8
works "one network asks without pause"
wait $flooder
echo "ok: requests answered in 8 s: $(cat $scratch/flood)"

flood hammer 8 10.88
works "16 networks ask without pause"
wait $flooder
echo "ok: requests answered in 8 s: $(cat $scratch/flood)"

flood vanish 8 10.88
works "clients vanish from their traces"
wait $flooder
await 15 sh -c "nsenter --net=/run/netns/f1 -- curl -gsS -m 5 http://$far4:8080/metrics | grep -qx 'retour_traces_running 0'"
echo "ok: traces of clients that vanished end: $(cat $scratch/flood)"

kill $server
wait $server || fail "exit status $? after SIGTERM: $(cat $scratch/serve)"
