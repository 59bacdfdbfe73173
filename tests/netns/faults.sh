#!/bin/bash
# Bad input and faults: each ends with a clear line, the right exit status, and nothing left behind.
. "$(dirname "$0")/lib.sh"
need nft traceroute
/usr/bin/python3 -c 'import scapy' 2>/dev/null || need python3-scapy

build_asymmetric

leftovers() { # what a run could leave in near: interfaces, rules, processes, files
	ip -n near -o link | wc -l
	in_node near nft list ruleset
	pgrep -x retour || true
}
before=$(leftovers)

# One line on standard error that names the thing, nothing on standard output, status 4.
cannot_measure() { # LABEL PATTERN ARGUMENTS...
	expect_status 4 timeout 20 nsenter --net=/run/netns/near -- "$RETOUR" "${@:3}"
	grep -qiE "$2" $scratch/err || fail "$1: standard error should say $2: $(cat $scratch/err)"
	expect_equal "$1: one line, and no result" "1 0" "$(wc -l <$scratch/err) $(wc -c <$scratch/out)"
}

cannot_measure "unknown host" 'nowhere\.test' nowhere.test
cannot_measure "unknown host, as JSON" 'nowhere\.test' nowhere.test --json
printf '%s only4.test\n' "$far4" >>$names
cannot_measure "unusable family" 'only4\.test.*IPv6|IPv6.*only4\.test' -6 only4.test
cannot_measure "address of the other family" 'IPv6' -6 "$far4"
cannot_measure "source address that is not ours" '10\.99\.99\.99' -s 10.99.99.99 "$far4"
ip -n near route del default
cannot_measure "no route" 'route|unreachable' "$far4"
ip -n near route add default via "$(address 4 g1 near)"
expect_status 3 in_node near "$RETOUR" --no-such-option
expect_status 3 in_node near "$RETOUR"

# Behind g2 everything vanishes without a word: a measurement that takes its time.
black_hole() { # on|off
	if [ "$1" = on ]; then
		ip -n g2 route replace blackhole "$far4/32"
	else
		ip -n g2 route del blackhole "$far4/32"
	fi
}

# Ctrl-C in mid-run: what there is, status 130.
black_hole on
status=0
in_node near "$RETOUR" trace "$far4" --json >$scratch/out 2>$scratch/err &
sleep 0.3
pkill -INT -x retour || fail "Ctrl-C: retour was done before: $(cat $scratch/out $scratch/err)"
wait $! || status=$?
expect_equal "Ctrl-C: status" 130 $status
validate $scratch/out
expect_equal "Ctrl-C: prints what it has" $'g1\nf1\nf2\nf3' "$(hops $scratch/out forward | owners | head -n 4)"
expect_equal "Ctrl-C: says so" interrupted "$(jq -r .forward.stop_reason $scratch/out)"

# The interface goes away in mid-run: no hang, no crash, a line about it.
status=0
in_node near timeout 20 "$RETOUR" trace "$far4" --json >$scratch/out 2>$scratch/err &
sleep 0.2
ip -n near link set to-g1 down
wait $! || status=$?
[ $status -eq 2 ] || [ $status -eq 4 ] || fail "interface vanishes: status $status: $(cat $scratch/err)"
echo "ok: interface vanishes: status $status"
ip -n near link set to-g1 up
ip -n near address replace "$near6/126" dev to-g1 nodad
ip -n near route replace default via "$(address 4 g1 near)"
ip -n near -6 route replace default via "$(address 6 g1 near)"
black_hole off
await 5 in_node near ping -q -c 1 -W 1 "$far4"

# Replies that lie, and other programs' probes at the same time.
forged=10.66.6.6
start_in g1 noise.log "$here/noise.py" to-near "$near4" $forged
noise=$!
await 20 grep -q ready $scratch/noise.log
for _ in 1 2 3; do
	in_node near traceroute -n -q 2 -w 1 "$far4" >$scratch/other &
	other=$!
	in_node near ping -q -c 5 -i 0.2 "$far4" >/dev/null &
	pinger=$!
	expect_status 0 in_node near "$RETOUR" trace "$far4" --json
	expect_equal "lies and strangers' replies are not believed" "$(truth near "$far4")" \
		"$(hops $scratch/out forward | owners)"
	wait $other
	grep -q "$far4 " <(tail -n 1 $scratch/other) || fail "traceroute beside us suffered: $(cat $scratch/other)"
	wait $pinger || fail "ping beside us suffered"
done
# While a hop is silent there is all the time in the world to lie about it.
black_hole on
expect_status 2 in_node near "$RETOUR" trace "$far4" --json
expect_equal "nobody speaks for a silent hop" 0 "$(grep -c -F $forged $scratch/out)"
expect_equal "and those before it are seen" $'g1\nf1\nf2\nf3' "$(hops $scratch/out forward | owners | head -n 4)"
black_hole off
kill $noise
grep -q Traceback $scratch/noise.log && fail "the liar broke: $(cat $scratch/noise.log)"

expect_equal "nothing is left behind" "$before" "$(leftovers)"
