#!/bin/bash
# What agents find out about themselves with each other's help, on kernel routers: one that is whole, one whose router two
# hops away drops packets in others' names, one whose router drops options, one behind a NAT, one whose router lets in
# only answers to what was asked from inside, and another whole one. What is named is what was built.
#
#   AGENT -- AGENT1 -- AGENT2 -- core -- hub: the broker and the coordinator
export NET4=198.18
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../broker.sh"
PATH=$PATH:/usr/sbin
need mosquitto openssl nft

trap last_words EXIT

agents=(whole second unnamed unlisted deaf)
node core hub
link hub core 1
way default default hub core
number=2
declare -A at
for agent in "${agents[@]}" inside; do
	node "$agent" "${agent}1" "${agent}2"
	link "${agent}2" core $((number++))
	link "${agent}1" "${agent}2" $((number++))
	[ "$agent" = inside ] || link "$agent" "${agent}1" $((number++))
	way default default "${agent}1" "${agent}2" core
	way "$(prefix 4 "${agent}1" "${agent}2")" "$(prefix 6 "${agent}1" "${agent}2")" core "${agent}2"
	[ "$agent" != inside ] || continue
	way default default "$agent" "${agent}1"
	way "$(prefix 4 "$agent" "${agent}1")" "$(prefix 6 "$agent" "${agent}1")" core "${agent}2" "${agent}1"
	at[$agent]=$(address 4 "$agent" "${agent}1")
done
hub=$(address 4 hub core)

filter() { # NODE RULE...: in its forward chain
	local node=$1
	shift
	printf 'table ip filter {\n chain forward {\n type filter hook forward priority 0;\n %s\n }\n}\n' "$*" | in_node "$node" nft -f -
}
# ---- what is wrong with each
in_node unnamed2 sh -c 'echo 1 >/proc/sys/net/ipv4/conf/to-unnamed1/rp_filter'
filter unlisted2 'ip option rr exists drop;'
filter deaf1 'ct state invalid drop;'
ip link add to-inside1 netns inside type veth peer name to-inside netns inside1
ip -n inside address add 10.9.9.2/30 dev to-inside1
ip -n inside1 address add 10.9.9.1/30 dev to-inside
ip -n inside link set to-inside1 up
ip -n inside1 link set to-inside up
ip -n inside route add default via 10.9.9.1
in_node inside1 nft -f - <<-END
	table ip nat {
		chain out { type nat hook postrouting priority 100; oifname "to-inside2" masquerade; }
	}
END
outside=$(address 4 inside1 inside2)
# Nobody is tested who has not said yes: what begins with "rtvt" goes to these addresses alone.
in_node core nft -f - <<-END
	table ip filter {
		counter others { }
		counter partners { }
		chain forward {
			type filter hook forward priority 0;
			icmp type echo-request @th,64,32 0x72747674 ip daddr != { $(IFS=,; echo "${at[*]}") } counter name others;
			icmp type echo-request @th,64,32 0x72747674 ip daddr { $(IFS=,; echo "${at[*]}") } counter name partners;
		}
	}
	END
for agent in "${agents[@]}" inside; do
	in_node "$agent" ping -q -c 1 -w 10 "$hub" >/dev/null || fail "$agent does not reach the hub"
done

# ---- broker, agents, coordinator
broker_files $scratch "$hub" 8883 "${agents[@]}" inside
chmod 755 $scratch
start_in hub broker.log mosquitto -c $scratch/broker.conf
await 20 in_node hub bash -c "exec 3<>/dev/tcp/$hub/8883"
declare -A pid
start_agent() { # NAME LINE...
	{
		printf 'roles: [agent]\nagent:\n  name: %s\n  broker: "%s"\n  packets_per_second: 100\n' "$1" "$hub"
		printf '  ca: %s/ca.crt\n  certificate: %s/%s.crt\n  key: %s/%s.key\n' $scratch $scratch "$1" $scratch "$1"
		printf '  %s\n' "${@:2}"
	} >$scratch/"$1".yaml
	start_in "$1" "$1.log" "$RETOUR" serve --config $scratch/"$1".yaml
	pid[$1]=$!
}
for agent in whole second unnamed unlisted; do
	start_agent $agent 'spoof: true' "sources: [${at[$agent]}]"
done
start_agent deaf "sources: [${at[deaf]}]"
start_agent inside 'spoof: true'
export XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config
mkdir -p $XDG_STATE_HOME $XDG_CONFIG_HOME
start_coordinator() {
	start_in hub coordinator.log "$RETOUR" revtr coordinator --store $scratch/store --broker "$hub" \
		--ca $scratch/ca.crt --certificate $scratch/coordinator.crt --certificate-key $scratch/coordinator.key
	coordinator=$!
	await 30 in_node hub bash -c "exec 3<>/dev/tcp/127.0.0.1/7388"
	RETOUR_REVTR_KEY=$(cat $scratch/store-key)
	export RETOUR_REVTR_KEY
}
start_coordinator
revtr() {
	in_node hub "$RETOUR" revtr "$@"
}
all_registered() {
	[ "$(revtr sources --json | jq '[.sources[] | select(.consents)] | length')" = ${#agents[@]} ] &&
		[ "$(revtr agents --json | jq '[.agents[] | select(.online)] | length')" = 6 ]
}
await 60 all_registered
echo "ok: five addresses have registered themselves, and six agents are there"

test_agent() { # NAME: what is found goes to $scratch/NAME
	revtr agents test "$1" --json >$scratch/"$1"
}
found() { # NAME ASPECT: yes, no or unknown, and the cause
	jq -r --arg aspect "$2" '.capability[$aspect] | "\(if .can == null then "unknown" elif .can then "yes" else "no" end) \(.cause)"' \
		$scratch/"$1"
}
where() { # NAME ASPECT: the routers between which it is dropped, by their hop and name
	local hop address
	jq -r --arg aspect "$2" '.capability[$aspect] | .last, .next | if . then "\(.hop) \(.address)" else "none none" end' $scratch/"$1" |
		while read -r hop address; do
			echo "$hop ${owner_of[$address]-$address}"
		done
}

# ---- what is built is what is found; those who cannot send in others' names first, as then nobody asks them to
test_agent inside
expect_equal "behind a NAT" "true $outside" "$(jq -r '.capability | "\(.behind_nat) \(.seen_as)"' $scratch/inside)"
expect_equal "a NAT puts its own name on packets" "no rewritten $outside" "$(found inside spoof) $(jq -r .capability.spoof.seen_as $scratch/inside)"
expect_equal "options pass a NAT" "yes none" "$(found inside options)"
expect_equal "nobody is measured behind it" "unknown no-source" "$(found inside receive)"

test_agent unlisted
expect_equal "options are dropped" "no filtered" "$(found unlisted options)"
expect_equal "and where: by unlisted2, behind which nobody hears of them" $'2 unlisted2\n3 core' "$(where unlisted options)"
expect_equal "packets in others' names are not" "yes none" "$(found unlisted spoof)"

test_agent second
expect_equal "nothing is wrong with the second" "yes none yes none" "$(found second options) $(found second spoof)"

test_agent whole
expect_equal "nothing is wrong with the whole one" "yes none yes none yes none false" \
	"$(found whole options) $(found whole spoof) $(found whole receive) $(jq -r .capability.behind_nat $scratch/whole)"

test_agent unnamed
expect_equal "packets in others' names are dropped" "no filtered" "$(found unnamed spoof)"
expect_equal "and where: unnamed2 does not let them in" $'1 unnamed1\n2 unnamed2' "$(where unnamed spoof)"
expect_equal "and nothing else is wrong with it" "yes none yes none" "$(found unnamed options) $(found unnamed receive)"

test_agent deaf
expect_equal "answers are let in only to those who asked" "no unasked" "$(found deaf receive)"
expect_equal "its owner does not allow others' names" "unknown forbidden" "$(found deaf spoof)"
kill -USR1 "${pid[deaf]}"
await 10 grep -q '(0 in a source.s name)' $scratch/deaf.log
echo "ok: and it has not sent any"
kill -USR1 "${pid[second]}"
await 10 grep -qE "agent second: [0-9]+ packets, trial for ${at[second]}\$" $scratch/second.log
await 10 grep -qE "agent second: [0-9]+ packets, trial for [0-9.]+, in its name" $scratch/second.log
await 10 grep -qE "agent second: to .*198\.18\.[0-9]+\.0/24 [0-9]+" $scratch/second.log
echo "ok: the owner can see for whom it sent what, and where to"

grep -q 'agent unnamed: packets in others. names get as far as hop 1' $scratch/coordinator.log || fail "the coordinator does not tell it"

unable() { # of an agent, for Prometheus
	# shellcheck disable=SC2016 # the inner shell expands
	in_node hub bash -c 'exec 3<>/dev/tcp/127.0.0.1/7388; printf "GET /metrics HTTP/1.0\r\n\r\n" >&3; cat <&3' |
		tr -d '\r' | sed -n "s/^retour_revtr_agent_unable{agent=\"$1\"} //p"
}
expect_equal "for alarms" "0 1 1" "$(unable whole) $(unable unnamed) $(unable deaf)"

# ---- the filter is elsewhere now: the same router takes them in and does not let them out
in_node unnamed2 sh -c 'echo 0 >/proc/sys/net/ipv4/conf/to-unnamed1/rp_filter'
filter unnamed2 "iifname \"to-unnamed1\" ip saddr != ${at[unnamed]} drop;"
test_agent unnamed
expect_equal "dropped on the way out" "no filtered" "$(found unnamed spoof)"
expect_equal "where: behind unnamed2, which is heard of" $'2 unnamed2\n3 core' "$(where unnamed spoof)"
in_node unnamed2 nft delete table ip filter

# ---- its own host refuses
in_node unnamed nft -f - <<-END
	table ip filter {
		chain output { type filter hook output priority 0; ip protocol icmp ip saddr != ${at[unnamed]} drop; }
	}
END
test_agent unnamed
expect_equal "its own host does not send them" "no local" "$(found unnamed spoof)"
in_node unnamed nft delete table ip filter

# ---- it is kept, and forgotten when it is no longer true
kill -USR1 $coordinator # it tells what its own agent did, and has none here
revtr agents >$scratch/table
grep -q 'a NAT puts its own address on packets in others. names' $scratch/table || fail "the table: $(cat $scratch/table)"
kill -9 $coordinator
wait $coordinator 2>/dev/null || true
start_coordinator
expect_equal "after a restart of the coordinator" "false" \
	"$(revtr agents --json | jq '.agents[] | select(.name == "unnamed") | .capability.spoof.can')"
# It is tested again by itself, as are all that come.
able_again() {
	revtr agents --json | jq -e '.agents[] | select(.name == "unnamed" and .capability.spoof.can)'
}
await 90 able_again
test_agent unnamed
expect_equal "the filter is gone, and that was found without being asked" "yes none" "$(found unnamed spoof)"

# ---- what cannot be tested
expect_status 4 revtr agents test nobody
expect_equal "an agent that nobody knows" 1 "$(grep -c 'no agent nobody has been seen' $scratch/err)"
counted() {
	in_node core nft -j list counter ip filter "$1" | jq '.nftables[] | select(.counter) | .counter.packets'
}
[ "$(counted partners)" -gt 50 ] || fail "the trials were not counted: $(counted partners)"
expect_equal "nobody was sent a trial who has not registered" 0 "$(counted others)"
