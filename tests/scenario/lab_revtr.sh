#!/usr/bin/env bash
# The world revtr-demo: coordinator and agents are processes of their own on hosts of the lab, the source registers itself,
# packets in its name cross the virtual Internet where it lets them, and what comes out is the truth. RETOUR names the binary.
# shellcheck source=tests/interop/common.sh
. "$(dirname "$0")/../interop/common.sh"
need jq tcpdump
need_lab
# What the lab remembers is not the user's: nothing comes to be here.
export XDG_STATE_HOME=$scratch/state
source=198.51.100.77

lab() { # COMMAND...
	"$retour" lab run -w "$world" "${options[@]}" -- "$@"
}
world=revtr-demo
options=()

# The nodes that have these addresses; addresses on standard input, one a line.
nodes() {
	local known stamp
	known=$("$retour" lab truth -w "$world" --json server client)
	while read -r stamp; do
		jq -r --arg stamp "$stamp" '[.hops[] | select(.addresses | index($stamp)) | .node] | first // $stamp' <<<"$known"
	done
}
true_way=$("$retour" lab truth -w $world --json server client | jq -r '.hops[].node')
equal 'the way back is long' "$(wc -l <<<"$true_way")" 10

# ---- one command: everything runs when it begins
options=(--pcap "vp1:$scratch/vp1" --pcap "vp2:$scratch/vp2" --pcap "vp3:$scratch/vp3" --pcap "client:$scratch/client")
lab retour back server.lab --via revtr --json >"$scratch/back"
options=()
equal 'the true way back' "$(jq -r '.reverse.hops[].address' "$scratch/back" | nodes)" "$true_way"
equal 'whole and measured' "$(jq -r '"\(.reverse.reached) \([.reverse.hops[].certainty] | unique | join(","))"' "$scratch/back")" \
	'true measured'
has 'by what vantage points sent in its name' "$(jq -r '[.reverse.hops[].technique] | unique | join(" ")' "$scratch/back")" \
	record-route-spoofed
equal 'a name with both families is asked for by IPv4' "$(jq -r .target.address "$scratch/back")" 198.18.18.80
has 'which has both' "$(lab getent ahostsv6 server.lab)" 2001:db8:

# Pings in the source's name left two hosts that are not it, and their answers came to it, which had not asked.
count() { # FILE FILTER
	tcpdump -n -r "$1" "$2" 2>/dev/null | wc -l
}
for vantage in vp1 vp2; do
	[ "$(count "$scratch/$vantage" "src host $source and icmp[0] == 8")" -gt 0 ] || fail "$vantage sent nothing in the source's name"
done
equal 'who does not may not' "$(count "$scratch/vp3" "src host $source and icmp[0] == 8")" 0
own=$(count "$scratch/client" "src host $source and dst host 198.18.18.80 and icmp[0] == 8")
heard=$(count "$scratch/client" "src host 198.18.18.80 and icmp[0] == 0")
[ "$heard" -gt "$own" ] || fail "the server answered $heard pings, and the source sent $own: none came from elsewhere"
echo "ok $heard answers, $own pings of its own"

# From the source alone it is too far.
status=0
lab retour back server.lab -4 --via record-route --json >"$scratch/alone" || status=$?
equal 'Record Route from the source alone' "$status $(jq -r '.reverse.hops | length' "$scratch/alone")" '2 0'

# ---- the registration was a real one
# shellcheck disable=SC2016
lab sh -c 'retour revtr agents --json; retour revtr sources --json; retour revtr atlas 198.51.100.77 --json' |
	jq -s . >"$scratch/state.json"
equal 'agents' "$(jq -r '[.[0].agents[] | select(.online) | .name] | sort | join(" ")' "$scratch/state.json")" \
	'here vp1 vp2 vp3 vp4'
equal 'who may spoof' "$(jq -r '[.[0].agents[] | select(.may_spoof) | .name] | sort | join(" ")' "$scratch/state.json")" 'vp1 vp2'
equal 'the source' "$(jq -r '.[1].sources[] | "\(.address) \(.agent) \(.consents)"' "$scratch/state.json")" "$source here true"
equal 'a traceroute of each' "$(jq -r '.[2].traceroutes' "$scratch/state.json")" 4
[ ! -e "$XDG_STATE_HOME" ] || fail "the lab wrote into $XDG_STATE_HOME"
echo 'ok nothing of it is left in the folder of the user'

# ---- a network that lets out its own addresses only: vp3 may in its owner's eyes, and its packets do not get far
world=$scratch/filtered.yaml
sed -e 's/ --spoof}/}/' -e 's/--agent vp3}/--agent vp3 --spoof}/' "$here/../../lab/revtr-demo.yaml" >"$world"
options=(--pcap "vp3:$scratch/sent" --pcap "p3-sl3:$scratch/passed")
lab retour back server.lab --via revtr --json >"$scratch/back" || true
options=()
[ "$(count "$scratch/sent" "src host $source and icmp[0] == 8")" -gt 0 ] || fail 'vp3 sent nothing in the source'\''s name'
# what the source itself asks of routers in there comes the other way
equal 'its network drops them' "$(count "$scratch/passed" "src host $source and icmp[0] == 8 and not dst net 198.18.23.0/24")" 0
equal 'and no hop is known by it' \
	"$(jq -r '[.reverse.hops[]? | select(.technique == "record-route-spoofed")] | length' "$scratch/back")" 0
world=revtr-demo

# ---- all of it ends with the lab, whoever is killed
descendants() { # PID
	local child
	cat /proc/"$1"/task/*/children 2>/dev/null | tr ' ' '\n' | while read -r child; do
		[ -z "$child" ] || echo "$child"
		[ -z "$child" ] || descendants "$child"
	done
}
for signal in KILL TERM; do
	setsid "$retour" lab run -w $world -- sleep 300 &
	pid=$!
	# the lab, five services and the command
	for _ in $(seq 300); do
		mapfile -t children < <(descendants $pid)
		[ ${#children[@]} -ge 7 ] && break
		sleep 0.1
	done
	[ ${#children[@]} -ge 7 ] || fail "only ${#children[@]} processes came"
	kill -$signal $pid
	wait $pid 2>/dev/null || true
	for _ in $(seq 300); do
		left=0
		for child in "${children[@]}"; do
			# a zombie's parent has not looked yet
			grep -qs '^State:[[:space:]]*[^Z]' /proc/"$child"/status && left=$((left + 1))
		done
		[ $left -eq 0 ] && break
		sleep 0.1
	done
	equal "nothing is left after SIG$signal" "$left" 0
done

# ---- coordinator and agent by hand: one is killed, then the other, and they find each other again
options=(--no-services)
# shellcheck disable=SC2016
got=$(lab bash -c '
	await() { # STATE
		for _ in $(seq 300); do
			[ "$(retour revtr agents --json | jq -r ".agents[] | select(.name == \"vp\") | .online")" = "$1" ] && return
			sleep 0.1
		done
		echo "not $1"
	}
	coordinator() {
		retour revtr coordinator &
		coordinator=$!
	}
	agent() {
		retour serve --agent vp &
		agent=$!
	}
	exec 3>&1 >/dev/null 2>&1
	agent # before there is anybody to talk to
	coordinator
	await true >&3
	kill -9 $coordinator
	wait $coordinator # it is gone only then, and its lock with it
	coordinator
	await true >&3
	kill -9 $agent
	wait $agent
	await false >&3
	agent
	await true >&3
	kill $agent $coordinator
	wait $agent
	echo "agent $?" >&3
	wait $coordinator
	echo "coordinator $?" >&3
	[ ! -e "$XDG_STATE_HOME/retour/revtr.db-socket" ] || echo "the socket is still there" >&3
')
equal 'killed, and back' "$got" 'agent 0
coordinator 0'
options=()

# ---- without its services: one line says what is missing
options=(--no-services)
status=0
got=$(lab retour revtr agents 2>&1) || status=$?
equal 'no coordinator' "$status $(wc -l <<<"$got")" '4 1'
has 'and what to do' "$got" 'retour revtr coordinator'
