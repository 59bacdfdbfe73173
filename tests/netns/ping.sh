#!/bin/bash
# retour ping over Linux routers that lose packets on one way only, or let them wait there: what it says of each way is
# what the routers counted.
. "$(dirname "$0")/lib.sh"
need nft setpriv

build_asymmetric
as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all)
install -m 755 "$RETOUR" $scratch/retour
RETOUR=$scratch/retour

serve() { # OPTIONS...
	start_in far serve "$RETOUR" serve "$@"
	server=$!
	await 5 grep -qs ready $scratch/serve
}

stop() {
	kill "$server"
	wait "$server" || true
}

# A router that drops every so-manieth test packet, by chance, and counts what it drops.
lossy() { # NODE PERCENT sport|dport
	in_node "$1" nft "add table inet loss
		add chain inet loss pass { type filter hook forward priority 0; }
		add rule inet loss pass udp $3 862 numgen random mod 100 < $2 counter drop"
}

dropped() { # NODE
	in_node "$1" nft -j list table inet loss | jq '[.. | .counter? // empty | .packets] | add'
}

sound() { # NODE...
	local node
	for node in "$@"; do in_node "$node" nft delete table inet loss; done
}

ping_json() { # ARGUMENTS...
	in_node near "$RETOUR" ping -q --json "$@" >$scratch/ping.json
}

document() {
	jq -r "$1" $scratch/ping.json
}

# Packets that only settle the fate of those before may be among the dropped: a few, and more where much is lost.
expect_loss() { # WHAT forward|reverse DROPPED
	local lost
	lost=$(document ".directions.$2.loss.lost")
	((lost <= $3 && lost >= $3 - 4 - $3 / 12)) || fail "$1: $3 dropped, $lost said to be lost"
	echo "ok: $1: $3 dropped, $lost lost"
}

# ---- what ping's users expect

serve --stamp
in_node near "$RETOUR" ping -4 -c 3 -i 0.1 far.test >$scratch/out
grep -q "^PING far.test ($far4) 56(84) bytes of data.$" $scratch/out || fail "head: $(cat $scratch/out)"
expect_equal "answers as ping shows them" 3 \
	"$(grep -cE "^64 bytes from far.test \($far4\): icmp_seq=[123] ttl=5[0-9] time=[0-9.]+ ms$" $scratch/out)"
grep -q '^3 packets transmitted, 3 received, 0% packet loss, time [0-9]*ms' $scratch/out ||
	fail "statistics: $(cat $scratch/out)"
grep -qE '^rtt min/avg/max/mdev = [0-9.]+/[0-9.]+/[0-9.]+/[0-9.]+ ms$' $scratch/out || fail "no rtt line"
ping_json -c 5 -i 0.05 -6 far.test
validate $scratch/ping.json
expect_equal "IPv6: both ways" "separate 5 0 5 0" \
	"$(document '.directions | [.status, .forward.loss.sent, .forward.loss.lost, .reverse.loss.sent, .reverse.loss.lost]
		| join(" ")')"
ping_json -c 3 -i 0.05 -s 1000 "$far4"
expect_equal "large ones" 3 "$(document .directions.received)"

# ---- loss on one way

for family in 4 6; do
	far=far$family
	lossy f2 10 dport
	ping_json -c 400 -i 0.01 -$family "${!far}"
	expect_loss "IPv$family, loss there" forward "$(dropped f2)"
	expect_equal "IPv$family, no loss back" 0 "$(document .directions.reverse.loss.lost)"
	expect_equal "IPv$family, nothing open" 0 "$(document .directions.undecided)"
	expect_equal "IPv$family, a fact" "loss-forward certain forward" \
		"$(document '.findings[] | [.id, .confidence, .direction] | join(" ")')"
	sound f2
	lossy b2 10 sport
	ping_json -c 400 -i 0.01 -$family "${!far}"
	expect_loss "IPv$family, loss back" reverse "$(dropped b2)"
	expect_equal "IPv$family, no loss there" 0 "$(document .directions.forward.loss.lost)"
	sound b2
done
validate $scratch/ping.json
lossy f2 20 dport
lossy b2 5 sport
ping_json -c 400 -i 0.01 "$far4"
expect_loss "both ways: there" forward "$(dropped f2)"
expect_loss "both ways: back" reverse "$(dropped b2)"
sound f2 b2

# ---- the same beside the rounds of watch

lossy b2 10 sport
in_node near "$RETOUR" watch -r -c 160 -i 0.05 -n --json --prometheus $scratch/metrics "$far4" >$scratch/ping.json
validate $scratch/ping.json
expect_loss "watch, loss back" reverse "$(dropped b2)"
expect_equal "watch: a fact" "loss-reverse certain reverse" \
	"$(document '.findings[] | select(.id | startswith("loss")) | [.id, .confidence, .direction] | join(" ")')"
grep -q '^retour_direction_lost_total{target="[0-9.]*",direction="forward"} 0$' $scratch/metrics || fail "no such metric"
sound b2

# ---- packets that wait on one way

# The router that they come from now has a detour through a device, and back.
waits() { # NODE PREVIOUS NEXT DESTINATION
	start_in "$1" waiting /usr/bin/python3 "$here/waiting.py" wait $scratch/waits 0 10
	waiter=$!
	await 5 grep -qs ready $scratch/waiting
	ip -n "$1" link set wait up
	ip -n "$1" rule add iif "to-$2" to "$4" lookup 100
	ip -n "$1" route add default dev wait table 100
}

variation() { # forward|reverse
	document ".directions.$1.variation_ms | [.median, .p95] | map(tostring) | join(\" \")"
}

# The same of the times that they waited, above the least. How long a packet waits for the device's turn on a busy
# machine it does not know itself: now and then that is milliseconds.
expect_variation() { # WHAT forward|reverse
	local truth
	truth=$(sort -n $scratch/waits | awk '{ t[NR] = $1 } END {
		print t[int((NR + 1) / 2)] - t[1], t[int(NR * 0.95 + 0.999)] - t[1] }')
	echo "$truth $(variation "$2")" | awk '{ exit !($3 - $1 < 1.5 && $1 - $3 < 1.5 && $4 - $2 < 4 && $2 - $4 < 1.5) }' ||
		fail "$1: the packets waited $truth, said are $(variation "$2")"
	echo "ok: $1: waited $truth ms more than the least (median, 95 %), said are $(variation "$2")"
}

expect_calm() { # WHAT forward|reverse
	document ".directions.$2.variation_ms.median" | awk '$1 > 1.5 { exit 1 }' || fail "$1: $(variation "$2")"
	echo "ok: $1: $(variation "$2")"
}

if [ -w /dev/net/tun ]; then
	waits f2 f1 f3 "$far4"
	ping_json -c 150 -i 0.03 "$far4"
	expect_variation "waiting there" forward
	expect_calm "nothing waits back" reverse
	kill $waiter
	ip -n f2 rule del iif to-f1 to "$far4" lookup 100
	waits b2 b1 b3 "$near4"
	: >$scratch/waits
	ping_json -c 150 -i 0.03 "$far4"
	expect_variation "waiting back" reverse
	expect_calm "nothing waits there" forward
	kill $waiter
	ip -n b2 rule del iif to-b1 to "$near4" lookup 100
fi

# ---- lies and floods

in_node near "$RETOUR" ping -q --json -c 60 -i 0.05 "$far4" >$scratch/ping.json &
pinger=$!
in_node f1 /usr/bin/python3 "$here/stamp_noise.py" forge "$far4" "$near4"
wait $pinger
expect_equal "lies in the far end's name" "60 60 0 0 0" "$(document '.directions |
	[.sent, .received, .duplicates, .forward.loss.lost, .reverse.loss.lost] | map(tostring) | join(" ")')"

in_node near "$RETOUR" ping -q --json -c 60 -i 0.05 "$far4" >$scratch/ping.json &
pinger=$!
sleep 0.5
flood=$(in_node f1 /usr/bin/python3 "$here/stamp_noise.py" flood "$far4" 1.5 20000)
wait $pinger
expect_equal "under a flood of $flood strangers" "60 0 0" "$(document '.directions |
	[.received, .forward.loss.lost, .reverse.loss.lost] | map(tostring) | join(" ")')"
kill -USR1 "$server"
await 5 grep -qs reflector: $scratch/serve
read -r questions answers < <(sed -n 's/.*reflector: \([0-9]*\) packets, \([0-9]*\) reflected.*/\1 \2/p' $scratch/serve)
[ "$answers" -lt "$questions" ] || fail "the flood was answered in full: $answers of $questions"
echo "ok: $answers of $questions answered"
stop

# ---- who may ask

serve --stamp=5862 --allow 192.0.2.0/24
ping_json -c 1 --stamp 5862 "$far4"
expect_equal "not allowed" silent "$(document .directions.status)"
stop

# ---- a far end that does not help

in_node near "$RETOUR" ping -c 2 -i 0.1 "$far4" >$scratch/out
grep -q 'nobody listens at its UDP port 862' $scratch/out || fail "no word about it: $(cat $scratch/out)"
echo "ok: nobody listens there"
in_node far nft 'add table inet quiet
	add chain inet quiet input { type filter hook input priority 0; }
	add rule inet quiet input udp dport 862 drop
	add rule inet quiet input icmp type echo-request drop'
expect_status 0 in_node near "$RETOUR" ping -c 5 -i 0.2 -W 0.5 --json "$far4"
expect_equal "no echo: TCP" "tcp true silent" "$(jq -r '[.forward.protocol, .forward.reached, .directions.status] |
	map(tostring) | join(" ")' $scratch/out)"
expect_status 2 in_node near "$RETOUR" ping -I -c 2 -i 0.1 -W 0.3 "$far4"
expect_equal "no echo, and nothing else wanted" 1 "$(grep -c '^2 packets transmitted, 0 received, 100% packet loss' $scratch/out)"
in_node far nft delete table inet quiet

# Nobody at all, an interrupt, names and options that are none.
ip -n g1 route add unreachable 10.99.0.0/16
expect_status 2 in_node near "$RETOUR" ping -c 2 -i 0.1 -W 0.3 10.99.0.1
grep -q '^From .* icmp_seq=1 ' $scratch/out || fail "no word of the refusal: $(cat $scratch/out)"
expect_status 4 in_node near "$RETOUR" ping -c 1 nobody.test
expect_status 3 in_node near "$RETOUR" ping -c 0 "$far4"
expect_status 3 in_node near "$RETOUR" ping
for count in "" "-c 1000"; do
	# shellcheck disable=SC2086 # two words or none
	start_in near interrupted "$RETOUR" ping $count -i 0.1 "$far4"
	pinger=$! status=0
	await 5 grep -qs icmp_seq=3 $scratch/interrupted
	kill -INT $pinger
	wait $pinger || status=$?
	expect_equal "interrupted, ${count:-no count}" "${count:+130}" "$([ $status = 0 ] || echo $status)"
	expect_equal "and the statistics" 1 "$(grep -c ' packets transmitted, ' $scratch/interrupted)"
done

# ---- without privilege

"${as_nobody[@]}" true 2>/dev/null || exit 0
serve --stamp
for range in "1 0" "0 100000"; do
	in_node near sh -c "echo $range >/proc/sys/net/ipv4/ping_group_range"
	lossy b2 10 sport
	in_node near "${as_nobody[@]}" "$RETOUR" ping -q --json -c 100 -i 0.02 "$far4" >$scratch/ping.json
	expect_equal "nobody, echo for groups $range" true "$(document .forward.reached)"
	expect_loss "nobody, echo for groups $range: loss back" reverse "$(dropped b2)"
	sound b2
done
