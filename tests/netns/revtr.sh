#!/bin/bash
# Reverse traceroute without cooperation on kernel routers: a host ten hops away that helps nobody, four vantage points
# (two may send in others' names), a broker with certificates and the coordinator. The source registers itself, the true
# way back comes out, and what is killed in the middle of a batch is not lost.
#
#   home - gw - border - n1 - n2 - n3 - n4 - n5 - hn - core - server
#   hub --/       \ s1 - s2 - s3 - s4 - s5 - hs ------/
#
# The ring is walked one way: out by the n's, home by the s's. vp1 is at n5, vp2 at s5, vp3 at s3, vp4 at n2; the broker and
# the coordinator run on hub.
export NET4=198.18
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../broker.sh"
PATH=$PATH:/usr/sbin
need mosquitto openssl

trap 'last_words $scratch/last* $scratch/one' EXIT

agents=(vp1 vp2 vp3 vp4)
node home hub gw border n1 n2 n3 n4 n5 hn core server hs s5 s4 s3 s2 s1 "${agents[@]}"
link home gw 1
link hub gw 2
link gw border 3
link core server 4
number=10
ring=(border n1 n2 n3 n4 n5 hn core hs s5 s4 s3 s2 s1 border)
for ((i = 0; i < 14; i++)); do
	link "${ring[i]}" "${ring[i + 1]}" $((number++))
done
way default default "${ring[@]}"
way default default home gw border
way default default hub gw
way default default server core
for leaf in home hub; do
	way "$(prefix 4 $leaf gw)" "$(prefix 6 $leaf gw)" border gw
done
for place in "vp1 n5" "vp2 s5" "vp3 s3" "vp4 n2"; do
	read -r vp router <<<"$place"
	link "$vp" "$router" $((number++))
	way default default "$vp" "$router"
	# the ring leads by here, but not from behind: who knows the way there tells it
	for ((i = 0; i < 14; i++)); do
		[ "${ring[i]}" = "$router" ] || way "$(prefix 4 "$vp" "$router")" "$(prefix 6 "$vp" "$router")" "${ring[i]}" "${ring[i + 1]}"
	done
done
home=$(address 4 home gw) hub=$(address 4 hub gw) server=$(address 4 server core)
for name in home hub "${agents[@]}"; do
	in_node "$name" ping -q -c 1 -w 10 "$server" >/dev/null || fail "$name does not reach the server"
	in_node "$name" ping -q -c 1 -w 10 "$hub" >/dev/null || fail "$name does not reach the hub"
done
expect_equal "the way home is long" 10 "$(truth server "$home" | wc -l)"

broker_files $scratch "$hub" 8883 home "${agents[@]}"
chmod 755 $scratch
start_broker() {
	start_in hub broker.log mosquitto -c $scratch/broker.conf
	broker=$!
	await 10 in_node hub bash -c "exec 3<>/dev/tcp/$hub/8883"
}
declare -A pid
start_agent() { # NAME LINE...
	{
		printf 'roles: [agent]\nagent:\n  name: %s\n  broker: "%s"\n  packets_per_second: 100\n' "$1" "$hub"
		printf '  ca: %s/ca.crt\n  certificate: %s/%s.crt\n  key: %s/%s.key\n' $scratch $scratch "$1" $scratch "$1"
		[ $# -eq 1 ] || printf '  %s\n' "${@:2}"
	} >$scratch/"$1".yaml
	start_in "$1" "$1.log" "$RETOUR" serve --config $scratch/"$1".yaml
	pid[$1]=$!
}
export XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config
mkdir -p $XDG_STATE_HOME $XDG_CONFIG_HOME
start_coordinator() {
	start_in hub coordinator.log "$RETOUR" revtr coordinator --store $scratch/store --broker "$hub" --listen 127.0.0.1:7388 \
		--listen "$hub:7388" --ca $scratch/ca.crt --certificate $scratch/coordinator.crt --certificate-key $scratch/coordinator.key
	coordinator=$!
	await 15 in_node hub bash -c "exec 3<>/dev/tcp/127.0.0.1/7388"
	RETOUR_REVTR_KEY=$(cat $scratch/store-key)
	export RETOUR_REVTR_KEY
}
end() { # PID: at once
	kill -9 "$1"
	wait "$1" 2>/dev/null || true
}
revtr() {
	in_node hub "$RETOUR" revtr "$@"
}

start_broker
start_agent home "sources: [$home]"
start_agent vp1 'spoof: true'
start_agent vp2 'spoof: true'
start_agent vp3
start_agent vp4
start_coordinator

# ---- the source registers itself: nobody typed its address but its owner
registered() {
	revtr sources --json | jq -e --arg home "$home" '.sources[] | select(.address == $home and .consents)'
}
await 20 registered
echo "ok: the source has registered itself"
expect_equal "four vantage points and the source's agent" 5 "$(revtr agents --json | jq '[.agents[] | select(.online)] | length')"

# ---- the true way back
revtr atlas refresh "$home" >/dev/null
sleep 3
true_hops() { # WHAT FILE: the JSON of a measurement
	expect_equal "$1" "$(truth server "$home")" "$(jq -r '.hops[].address' "$2" | owners)"
}
true_way() { # WHAT FILE
	true_hops "$@"
	expect_equal "$1: how it is known" "reached measured" \
		"$(jq -r '"\(.status) \([.hops[].certainty] | unique | join(","))"' "$2")"
}
revtr submit "$home" "$server" --wait --json >$scratch/first
true_way "asked of the coordinator" $scratch/first

# ---- and from the source itself, which alone cannot
expect_status 2 in_node home "$RETOUR" back "$server" --via record-route --json
expect_status 0 in_node home "$RETOUR" back "$server" --via "revtr:http://$hub:7388" --json
validate $scratch/out
expect_equal "retour back --via revtr" "$(truth server "$home")" "$(hops $scratch/out reverse | owners)"

# ---- who is killed in the middle of a batch: all results come, each once
for ((i = 0; i < 14; i++)); do
	address 4 "${ring[i]}" "${ring[i + 1]}"
	[ "$i" = 13 ] || address 4 "${ring[i + 1]}" "${ring[i]}"
done >$scratch/targets
echo "$server" >>$scratch/targets
dead=200
batch_is_whole() { # WHAT COMMAND...: which is run while the batch is
	local batch
	# Some that nobody has measured, and that nobody answers for: they take their time.
	{ cat $scratch/targets; seq -f "$NET4.$((dead++)).%.0f" 10 20; } >$scratch/batch-targets
	batch=$(revtr submit "$home" --file $scratch/batch-targets --json | jq -r '.batch')
	revtr show "$batch" --json >$scratch/show
	grep -q '"state":"waiting"' $scratch/show || fail "$1: the batch was done too soon"
	"${@:2}"
	# 2: some have no way back, as they are nowhere
	expect_status 2 in_node hub timeout 60 "$RETOUR" revtr watch "$batch" --json
	mv $scratch/out $scratch/batch
	expect_equal "$1: all of the batch, once each" "$(sort $scratch/batch-targets)" "$(jq -r .destination $scratch/batch | sort)"
	jq -c "select(.destination == \"$server\")" $scratch/batch >$scratch/one
}
kill_coordinator() {
	end $coordinator
	start_coordinator
}
kill_broker() {
	end $broker
	sleep 1
	start_broker
}
kill_agents() {
	end "${pid[vp1]}"
	end "${pid[home]}"
	start_agent vp1 'spoof: true'
	start_agent home "sources: [$home]"
}
all_here() {
	[ "$(revtr agents --json | jq '[.agents[] | select(.online)] | length')" = 5 ]
}
batch_is_whole "nobody is killed" true
true_way "nobody is killed" $scratch/one
batch_is_whole "the coordinator is killed" kill_coordinator
true_hops "the coordinator is killed" $scratch/one
await 20 all_here
batch_is_whole "the broker is killed" kill_broker
# Who may spoof comes back as late as anybody: what he would measure may have been inferred.
true_hops "the broker is killed" $scratch/one
await 40 all_here
batch_is_whole "agents are killed" kill_agents
true_hops "agents are killed" $scratch/one
await 20 all_here
revtr submit "$home" "$server" --wait --json >$scratch/last
true_way "after all that" $scratch/last

# ---- the owner takes the consent back
end "${pid[home]}"
start_agent home
gone() {
	! revtr submit "$home" "$server" >/dev/null 2>$scratch/refusal
}
await 20 gone
expect_equal "consent" 1 "$(grep -c 'does not consent any more' $scratch/refusal)"
