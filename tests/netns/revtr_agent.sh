#!/bin/bash
# Vantage points on kernel routers, a real broker, and a coordinator that is mosquitto's own clients: a Record Route ping
# in the name of the source brings the true list to the source's agent, and so does a refused UDP packet, also of a host
# that does not write itself down; what the owners forbid is refused; forged replies are not believed; challenges; wills; a broker that restarts while the agents have given up all privilege.
#
#   home -- g1 -- b1 -- g2 -- far, mute   vp2's router lets out only vp2's own addresses
#           |           |
#   hub ----+           r1 -- vp1, vp2, vp3
export NET4=198.18
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../broker.sh"
PATH=$PATH:/usr/sbin
need mosquitto mosquitto_pub mosquitto_sub openssl

node home hub g1 b1 g2 far mute r1 vp1 vp2 vp3
link home g1 1
link g1 b1 2
link b1 g2 3
link g2 far 4
link g2 r1 5
link r1 vp1 6
link r1 vp2 7
link hub g1 8
link r1 vp3 9
link g2 mute 10
way default default home g1 b1 g2
way default default hub g1
way default default far g2
way default default mute g2
way default default vp1 r1 g2
way default default vp2 r1
way default default vp3 r1
for leaf in home hub; do
	way "$(prefix 4 $leaf g1)" "$(prefix 6 $leaf g1)" g2 b1 g1
done
for leaf in vp1 vp2 vp3; do
	way "$(prefix 4 $leaf r1)" "$(prefix 6 $leaf r1)" g2 r1
done
in_node r1 sh -c 'echo 1 >/proc/sys/net/ipv4/conf/to-vp2/rp_filter'
home=$(address 4 home g1) hub=$(address 4 hub g1) far=$(address 4 far g2) mute=$(address 4 mute g2) vp1=$(address 4 vp1 r1)
for pair in "home $far" "vp1 $far" "vp2 $far" "vp3 $far" "hub $vp1" "home $vp1" "home $mute"; do
	read -r from to <<<"$pair"
	in_node "$from" ping -q -c 1 -w 5 "$to" >/dev/null
done

# Packets with options from vp3 are dropped by b1.
limited() {
	in_node b1 nft -f - <<-END
		table ip filter {
			chain forward { type filter hook forward priority 0; ip saddr $(prefix 4 vp3 r1) ip option rr exists drop; }
		}
	END
}

# ---- broker and agents
key=00112233445566778899aabbccddeeff
echo "$hub hub.test" >>"$names"
broker_files $scratch "$hub" 8883 home vp1 vp2 vp3
broker_certificate $scratch broker "IP:$hub,DNS:hub.test"
chmod 755 $scratch
start_broker() {
	start_in hub broker.log mosquitto -c $scratch/broker.conf
	broker=$!
	await 10 in_node hub bash -c "exec 3<>/dev/tcp/$hub/8883"
}
start_broker

agent() { # NAME LINE...: more of its section
	{
		printf 'agent:\n  name: %s\n  broker: "%s"\n' "$1" "${broker_name-$hub}"
		printf '  ca: %s/ca.crt\n  certificate: %s/%s.crt\n  key: %s/%s.key\n' $scratch $scratch "$1" $scratch "$1"
		[ $# -eq 1 ] || printf '  %s\n' "${@:2}"
	} >$scratch/"$1".yaml
	start_in "$1" "$1.log" "$RETOUR" serve --config $scratch/"$1".yaml
}

speak() { # TOPIC TEXT OPTION...
	in_node hub mosquitto_pub -V 5 -h "$hub" -p 8883 --cafile $scratch/ca.crt --cert $scratch/coordinator.crt \
		--key $scratch/coordinator.key -q 1 -t "retour/1/agent/$1" -m "$2" "${@:3}"
}

order() { # AGENT ARGUMENT...: of revtr_order.py
	speak "$1/task" "$(/usr/bin/python3 "$here/revtr_order.py" task "${@:2}")"
}

# All that agents say; its own name, as the broker knows one connection a name.
broker_certificate $scratch listener
printf '\nuser listener\ntopic read retour/1/#\n' >>$scratch/acl
kill -HUP $broker
listen() {
	rm -f $scratch/heard # what was heard before is not heard again
	start_in hub heard mosquitto_sub -V 5 -h "$hub" -p 8883 --cafile $scratch/ca.crt --cert $scratch/listener.crt \
		--key $scratch/listener.key -v -q 1 -t 'retour/1/agent/+/answer' -t 'retour/1/agent/+/status'
}
listen

heard() { # PATTERN: the first line with it, its JSON
	await 30 grep -q -e "$1" $scratch/heard
	grep -e "$1" $scratch/heard | head -1 | cut -d ' ' -f 2-
}

not_heard() { # PATTERN
	! grep -e "$1" $scratch/heard || fail "heard: $1"
	echo "ok: not heard: $1"
}

agent home "sources: [$home]" 'packets_per_day: 1000'
home_pid=$!
agent vp1 'spoof: true' "veto: [$(prefix 4 hub g1)]"
vp1_pid=$!
need nft
limited
agent vp3
broker_name=hub.test agent vp2 'spoof: true' 'packets_per_day: 1' # by name, which is looked up again after the restart
expect_equal "home is online" "true false [\"$home\"]" \
	"$(heard 'home/status.*"online":true' | jq -c -r '"\(.online) \(.spoof) \(.sources)"')"
heard 'vp1/status.*"online":true' >/dev/null
heard 'vp2/status.*"online":true' >/dev/null
speak home/key "$(/usr/bin/python3 "$here/revtr_order.py" key "$home" $key)" -r

# ---- what they find out about themselves
heard 'vp1/status.*"sends_options":true' >/dev/null
expect_equal "self-test: options are dropped, and where" "packets with options are dropped at or behind hop 3 ($(address 4 b1 g2)), or the answers to them are" \
	"$(heard 'vp3/status.*"sends_options":false' | jq -r .trouble)"

# ---- in the source's name from vp1: the list arrives at the source's agent, true
order vp1 101 rr-ping "$far" "$home" $key spoofed
answer=$(heard '"task":101')
expect_equal "it is the source's agent that tells" 1 "$(grep -c 'home/answer.*"task":101' $scratch/heard)"
expect_equal "the true way there and back" "$(truth vp1 "$far"; truth far "$home" | sed 1i\\far)" \
	"$(jq -r '.list.stamps[]' <<<"$answer" | owners)"

# ---- without spoofing: traceroute, and Record Route by the source itself
order vp1 102 traceroute "$home" "$home" $key
expect_equal "traceroute" "$(truth vp1 "$home")" "$(heard '"task":102' | jq -r '.trace[]' | owners)"
order home 103 rr-ping "$far" "$home" $key
expect_equal "from the source itself" "$(truth home "$far"; truth far "$home" | sed 1i\\far)" \
	"$(heard '"task":103' | jq -r '.list.stamps[]' | owners)"

# ---- by UDP: the list as it arrived there. This kernel has written itself down by then.
order vp1 112 rr-udp "$far" "$home" $key spoofed
expect_equal "by UDP: the true way there" "$(truth vp1 "$far")" \
	"$(heard 'home/answer.*"task":112' | jq -r '.list.stamps[]' | owners)"
order home 113 rr-udp "$far" "$home" $key
expect_equal "by UDP from the source itself" "$(truth home "$far")" \
	"$(heard '"task":113' | jq -r '.list.stamps[]' | owners)"
# A host that does not, quotes no more than it must, and is no kernel's: what leaves it is what came in.
in_node mute nft -f - <<-END
	table ip raw {
		chain prerouting { type filter hook prerouting priority -300; ip option rr exists drop; }
	}
END
start_in mute mute.log /usr/bin/python3 "$here/mute_host.py" to-g2
await 10 grep -q listening $scratch/mute.log
order vp1 114 rr-ping "$mute" "$home" $key spoofed
order vp1 115 rr-udp "$mute" "$home" $key spoofed
expect_equal "a ping's list does not show where it turned round" "$(truth vp1 "$mute" | grep -v mute; truth mute "$home")" \
	"$(heard 'home/answer.*"task":114' | jq -r '.list.stamps[]' | owners)"
expect_equal "the UDP packet's does: the way there" "$(truth vp1 "$mute" | grep -v mute)" \
	"$(heard 'home/answer.*"task":115' | jq -r '.list.stamps[]' | owners)"

# ---- by the clock: who is listed behind far stamps if the ping comes by on its way back, in this order
g2=$(address 4 g2 far) b1=$(address 4 b1 g2) g1=$(address 4 g1 b1) r1=$(address 4 r1 vp1)
stamps() { # TASK: how many of those that were listed
	heard "home/answer.*\"task\":$1," | jq -r '"\(.times.stamps | length) of \(.times.listed | length)"'
}
order vp1 118 ts-ping "$far" "$home" $key spoofed "$far" "$g2" "$b1" "$g1"
expect_equal "timestamps: the routers of the way back" "4 of 4" "$(stamps 118)"
order home 119 ts-ping "$far" "$home" $key "$far" "$g2" "$b1"
expect_equal "timestamps from the source itself" "3 of 3" "$(stamps 119)"
order vp1 120 ts-ping "$far" "$home" $key spoofed "$far" "$r1"
expect_equal "timestamps: who is on the way there only does not stamp behind far" "1 of 2" "$(stamps 120)"
order vp1 121 ts-ping "$far" "$home" $key spoofed "$far" "$g1" "$b1"
expect_equal "timestamps: nor in another order" "2 of 3" "$(stamps 121)"
order home 122 ts-ping "$far" "$home" $key "$far" 240.0.0.1
expect_equal "timestamps: this kernel does not stamp for nobody" "1 of 2" "$(stamps 122)"

# ---- what the owners forbid
order home 123 ts-ping "$far" "$vp1" $key spoofed "$far" "$b1"
expect_equal "nor for stamps" "the owner has not switched on sending in others' names" "$(heard '"task":123' | jq -r .refused)"
order home 104 rr-ping "$far" "$vp1" $key spoofed
expect_equal "no spoofing unless switched on" "the owner has not switched on sending in others' names" \
	"$(heard '"task":104' | jq -r .refused)"
order home 116 rr-udp "$far" "$vp1" $key spoofed
expect_equal "nor by UDP" "the owner has not switched on sending in others' names" \
	"$(heard '"task":116' | jq -r .refused)"
order vp1 105 rr-ping "$hub" "$home" $key spoofed
expect_equal "veto" "the owner's veto list has the target" "$(heard '"task":105' | jq -r .refused)"
speak vp1/task '{"task":106,"probe":"sh -c reboot","target":"198.18.4.2"}'
speak vp1/task 'no JSON'

# ---- the proof that home is where it says: it tells what vp1 was asked to send there
order vp1 107 challenge "$home" "$home" $key
expect_equal "challenge" "$(/usr/bin/python3 "$here/revtr_order.py" task 107 challenge "$home" "$home" $key | jq -r .tag)" \
	"$(heard 'home/answer.*"task":107' | jq -r .nonce)"

# ---- forged: a tag made with another key; and the same by a stranger's own packet
order vp1 108 rr-ping "$far" "$home" ffffffffffffffffffffffffffffffff spoofed
order vp1 117 rr-udp "$far" "$home" ffffffffffffffffffffffffffffffff spoofed
# ---- vp2's network does not let it out
order vp2 109 rr-ping "$far" "$home" $key spoofed
order vp1 110 rr-ping "$far" "$home" $key spoofed
heard '"task":110.*list' >/dev/null
# ---- the budget of the day
order vp2 111 rr-ping "$far" "$home" $key spoofed
expect_equal "budget" "the budget of the day is spent" "$(heard '"task":111' | jq -r .refused)"
not_heard '"task":108'
not_heard '"task":117'
not_heard '"task":109'
kill -USR1 $home_pid
await 5 grep -q '2 forged or foreign' $scratch/home.log
kill -USR1 $vp1_pid
await 5 grep -q 'agent vp1.*2 messages were none' $scratch/vp1.log
echo "ok: the owners can see what was done: $(grep 'agent vp1,' $scratch/vp1.log | tail -1)"

# ---- the same daemon is a responder all the while
expect_status 0 in_node far "$RETOUR" back "$home" --via responder --json
expect_equal "responder beside the agent" "$(truth home "$far")" "$(hops $scratch/out reverse | owners)"

# ---- the broker restarts; the agents, which have given up everything, come back by themselves
kill -9 $broker
wait $broker 2>/dev/null || true
await 10 grep -q 'not connected' $scratch/vp2.log
cp $scratch/heard $scratch/heard.before
start_broker
listen
heard 'vp2/status.*"online":true' >/dev/null
heard 'home/status.*"online":true' >/dev/null
speak home/key "$(/usr/bin/python3 "$here/revtr_order.py" key "$home" $key)" -r
order home 201 rr-ping "$far" "$home" $key
heard '"task":201.*list' >/dev/null
echo "ok: the broker restarted"

# ---- an agent is gone
kill -9 $home_pid
wait $home_pid 2>/dev/null || true
heard 'home/status.*"online":false' >/dev/null
echo "ok: its will"

# ---- an agent ends in order, says so, and tells what it did
kill -TERM $vp1_pid
status=0
wait $vp1_pid || status=$?
expect_equal "an end in order" 0 $status
heard 'vp1/status.*"online":false' >/dev/null

# ---- set-ups that cannot work end with a reason
sed "s/spoof: true/sources: [$far]/" $scratch/vp2.yaml >$scratch/wrong.yaml
expect_status 4 in_node vp2 timeout 5 "$RETOUR" serve --config $scratch/wrong.yaml
expect_equal "a source of somebody else" "retour serve: agent: source $far is no address of this host" "$(cat $scratch/err)"
grep -vE 'ca:|certificate:|key:' $scratch/vp2.yaml >$scratch/wrong.yaml
expect_status 4 in_node vp2 timeout 5 "$RETOUR" serve --config $scratch/wrong.yaml
expect_equal "plain text" "retour serve: broker hub.test: without TLS only on this machine; name ca, certificate and key" \
	"$(cat $scratch/err)"
