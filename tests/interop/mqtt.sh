#!/bin/bash
# The bus over a real broker, Debian's mosquitto, with certificates and an ACL for each agent: who may say and hear
# what, wills, what is kept, and what becomes of messages while the broker is away. Beside us mosquitto's own clients.
set -euo pipefail
talk=${1:?}
. "$(dirname "$0")/../verdict.sh"
. "$(dirname "$0")/../broker.sh"
PATH=$PATH:/usr/sbin
scratch=$(mktemp -d)
broker='' members=()

finish() {
	exec 7>&- 8>&- 9>&-
	[ -z "$broker" ] || kill "$broker" 2>/dev/null || true
	[ ${#members[@]} -eq 0 ] || kill "${members[@]}" 2>/dev/null || true
	rm -rf "$scratch"
}
trap finish EXIT

fail() {
	echo "FAIL $*" >&2
	tail -n 30 "$scratch"/*.out "$scratch"/*.log >&2
	exit 1
}

need mosquitto mosquitto_sub mosquitto_pub openssl

await() { # FILE LINE: a line that begins so; those that were there before FROM are not looked at
	local deadline=$((SECONDS + 20))
	until tail -n +"${from-1}" "$scratch/$1" 2>/dev/null | grep -q "^$2"; do
		[ $SECONDS -lt $deadline ] || fail "in vain for '$2' in $1"
		sleep 0.05
	done
	echo "ok $1: $2"
}

never() { # FILE LINE
	! grep -q "$2" "$scratch/$1" || fail "'$2' is in $1"
	echo "ok never in $1: $2"
}

port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
broker_files "$scratch" 127.0.0.1 "$port" vp1 vp2

start_broker() {
	mosquitto -c "$scratch/broker.conf" >>"$scratch/broker.log" 2>&1 &
	broker=$!
}

stop_broker() {
	kill -9 "$broker"
	wait "$broker" 2>/dev/null || true
	broker=''
}

start() { # NAME FD ARGUMENT...: lines to FD are what it says
	local name=$1 fd=$2
	mkfifo "$scratch/$name.in"
	"$talk" "$name" 127.0.0.1 "$port" "$scratch/ca.crt" "$scratch/$name.crt" "$scratch/$name.key" -- "${@:3}" \
		<"$scratch/$name.in" >"$scratch/$name.out" 2>&1 &
	members+=($!)
	eval "exec $fd>'$scratch/$name.in'"
}

stock() { # PROGRAM NAME ARGUMENT...
	"$1" -V 5 -h 127.0.0.1 -p "$port" --cafile "$scratch/ca.crt" --cert "$scratch/$2.crt" --key "$scratch/$2.key" "${@:3}"
}

# ---- before there is a broker: it is said, and what is published waits
start coordinator 9 'retour/1/agent/+/answer' 'retour/1/agent/+/status'
await coordinator.out 'away: Connection refused'
echo '!retour/1/coordinator/status online' >&9
start_broker
await coordinator.out connected
[ "$(stock mosquitto_sub vp1 -W 10 -C 1 -t retour/1/coordinator/status)" = online ] || fail 'what waited did not come'
echo 'ok what waited came, and is kept'

# ---- both ways; an agent hears its own tasks only
start vp1 8 retour/1/agent/vp1/task
start vp2 7 retour/1/agent/vp1/task retour/1/agent/vp2/task
await vp1.out connected
await vp2.out connected
echo '!retour/1/agent/vp1/status {"online":true}' >&8
await coordinator.out 'heard retour/1/agent/vp1/status {"online":true}'
echo 'retour/1/agent/vp1/task {"task":1}' >&9
await vp1.out 'heard retour/1/agent/vp1/task {"task":1}'
echo 'retour/1/agent/vp1/answer {"task":1}' >&8
await coordinator.out 'heard retour/1/agent/vp1/answer {"task":1}'
# mosquitto refuses the subscription itself, or keeps the messages back
never vp2.out 'agent/vp1/task'

# ---- an agent speaks for itself only
echo 'retour/1/agent/vp1/answer {"task":666}' >&7
echo 'retour/1/agent/vp2/answer {"task":2}' >&7
await coordinator.out 'heard retour/1/agent/vp2/answer {"task":2}'
await vp2.out 'connected: the broker does not take what we publish'
never coordinator.out 666

# ---- another's client is understood, and understands us
stock mosquitto_pub coordinator -t retour/1/agent/vp1/task -q 1 -m '{"task":3}'
await vp1.out 'heard retour/1/agent/vp1/task {"task":3}'

# ---- an agent dies: its will
kill -9 "${members[1]}"
wait "${members[1]}" 2>/dev/null || true
await coordinator.out 'heard retour/1/agent/vp1/status offline'

# ---- an agent ends in order: the same, at once
exec 7>&-
await coordinator.out 'heard retour/1/agent/vp2/status offline'
wait "${members[2]}" || fail "mqtt_talk left something open: status $?"

# ---- the broker is gone in mid-run, and comes back; 500 messages are said meanwhile
rm "$scratch/vp2.in"
start vp2 7 retour/1/agent/vp2/task
await vp2.out connected
stop_broker
await coordinator.out 'away: '
for ((i = 1; i <= 500; i++)); do
	echo "retour/1/agent/vp2/task number $i"
done >&9
# Who hears is there first, so that nothing is said to nobody.
sleep 0.5
kill -STOP "${members[0]}"
from=$(($(wc -l <"$scratch/vp2.out") + 1))
start_broker
from=$from await vp2.out connected
kill -CONT "${members[0]}"
await vp2.out 'heard retour/1/agent/vp2/task number 500'
[ "$(grep -o 'number [0-9]*' "$scratch/vp2.out" | uniq)" = "$(seq -f 'number %.0f' 500)" ] || fail 'not in order, or not all'

# ---- a large message, and many
{ printf 'retour/1/agent/vp2/task '; head -c 60000 /dev/zero | tr '\0' x; echo; } >&9
await vp2.out 'heard retour/1/agent/vp2/task xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'
for ((i = 1; i <= 3000; i++)); do
	echo "retour/1/agent/vp2/task many $i"
done >&9
await vp2.out 'heard retour/1/agent/vp2/task many 3000'
[ "$(grep -o 'many [0-9]*' "$scratch/vp2.out" | uniq)" = "$(seq -f 'many %.0f' 3000)" ] || fail 'not in order, or not all'
echo 'ok all in order'

# ---- certificates of somebody else: ours to the broker, the broker's to us; and none
mkdir "$scratch/other"
broker_authority "$scratch/other" stranger
broker_certificate "$scratch/other" vp1
refused() { # WHAT CA CERTIFICATE KEY TEXT
	sleep 3 | "$talk" vp1 127.0.0.1 "$port" "${@:2:3}" -- '#' >"$scratch/refused.out" 2>&1 || true
	grep -q "$5" "$scratch/refused.out" || fail "$1: $(cat "$scratch/refused.out")"
	! grep -q '^connected' "$scratch/refused.out" || fail "$1: connected"
	echo "ok refused: $1: $(tr "\n" "|" <"$scratch/refused.out")"
}
refused 'a certificate of another authority' "$scratch/ca.crt" "$scratch/other/vp1.crt" "$scratch/other/vp1.key" 'unknown ca\|Protocol error\|does it accept our certificate'
refused 'a broker of another authority' "$scratch/other/ca.crt" "$scratch/vp1.crt" "$scratch/vp1.key" 'certificate verify failed'
refused 'a file that is not there' "$scratch/none" "$scratch/vp1.crt" "$scratch/vp1.key" 'missing or unreadable'
"$talk" vp1 192.0.2.1 1883 -- '#' </dev/null >"$scratch/plain.out" 2>&1 && fail 'plain text to another host'
grep -q 'without TLS only on this machine' "$scratch/plain.out" || fail "$(cat "$scratch/plain.out")"
echo "ok plain text to another host is refused"
