#!/bin/bash
# What other people's programs say on the host `near`, one file each in DIRECTORY, with times taken out. The same
# script runs in both worlds of agreement.sh.
#
#   agreement_tools.sh DIRECTORY SET [TARGET4 TARGET6 MIDDLE4 MIDDLE6 INNER4]
#
# MIDDLE is the near side of a router on the way, INNER4 its far side.
set -u
directory=$1 set=$2 target4=$3 target6=$4 middle4=$5 middle6=$6 inner4=$7

keep() { # NAME: standard input, without blanks at the end
	sed 's/ *$//' >"$directory/$1"
}

# A hop a line: number, addresses and marks, once each and in order.
hops() {
	awk 'NR > 1 { line = $1; delete seen
		for (i = 2; i <= NF; i++) {
			if ($i == "ms" || $(i + 1) == "ms") continue
			if (!seen[$i]++) line = line " " $i
		}
		print line }'
}

# One probe at a time.
trace() { # NAME ARGUMENT...
	local name=$1
	shift
	traceroute -n -q 1 -N 1 -w 0.3 -m 14 "$@" 2>&1 | hops | keep "$name"
}

cycle() { # NAME ARGUMENT...
	local name=$1
	shift
	mtr -n -r -c 1 -G 0.3 -i 0.3 -m 14 "$@" 2>&1 | awk '/\|--/ { print $1, $2, $3 }' | keep "$name"
}

# Stamps and what came of it. ping marks a repeated route and writes times of the day.
stamps() { # NAME ARGUMENT...
	local name=$1
	shift
	ping -n -c 1 -W 1 "$@" 2>&1 | sed -E 's/time=.*//; s/, time .*//; /^rtt/d; s/^pipe.*//
		s/[0-9]+ (absolute|not-standard)/TIME \1/
		s/\t-?[0-9]+$/\tLATER/' | keep "$name"
}

# Which IPv4 packets come in while a ping runs: sizes, fragments, options; of errors also what they quote.
arriving() { # NAME ARGUMENT...
	local name=$1 capture
	shift
	timeout 3 tcpdump -n -v -l -i any -Q in ip 2>/dev/null >"$directory/.capture" &
	capture=$!
	sleep 0.7
	ping -n -q -c 1 -W 1 "$@" >/dev/null 2>&1
	wait $capture
	grep -o 'IP (.*' "$directory/.capture" | sed -E 's/tos 0x[0-9a-f]+, ((ECT|CE)[^,]*, )?//; s/id [0-9]+, //; s/, bad cksum [^!]*!//
		s/[0-9]+@/TIME@/g; s/NOP,?//g; s/,EOL//g' | keep "$name"
	rm "$directory/.capture"
}

warts() { # NAME COMMAND
	scamper -O json -I "$2" 2>&1 | jq -c 'if .type == "trace" then
		(.stop_reason, (.hops // [] | sort_by(.probe_ttl) [] | {probe_ttl, addr, icmp_type, icmp_code, icmp_q_ttl,
			icmp_q_ipl, icmp_q_tos, icmp_nhmtu, tcp_flags, reply_size, reply_ttl}))
	elif .type == "ping" then
		(.responses[]? | {from, reply_proto, icmp_type, icmp_code, reply_size, reply_ttl, RR,
			tsandaddr: [.tsandaddr[]?.ip], tsonly: (.tsonly // [] | length)})
	else empty end' | keep "$1"
}

# The branches of a load balancer as a set of edges.
branches() { # NAME METHOD
	scamper -O json -I "tracelb -P $2 -w 1 -W 1 $target4" 2>&1 |
		jq -r 'select(.type == "tracelb") | .nodes[]? | .addr as $from | .links[][]? | "\($from) \(.addr)"' |
		sort -u | keep "$1"
}

# Many flows, each by itself: the union of what they show, and that each is one line through the world.
flows() { # NAME ARGUMENT...
	local name=$1 port
	shift
	for port in $(seq 33001 33048); do
		traceroute -n -q 1 -N 16 -w 0.3 -m 12 --sport="$port" "$@" "$target4" 2>&1 | hops
	done | sort -u -k1n -k2 | keep "$name"
}

traces() {
	trace udp4 "$target4"
	trace udp6 "$target6"
	trace icmp4 -I "$target4"
	trace icmp6 -I "$target6"
	trace tcp4 -T -p 80 "$target4"
	trace tcp6 -T -p 80 "$target6"
	trace middle4 "$inner4"
	cycle mtr4 "$target4"
	cycle mtr6 -6 "$target6"
	cycle mtr-udp4 -u "$target4"
	warts scamper-udp "trace -P udp-paris -w 1 -W 1 -g 3 $target4"
	warts scamper-icmp "trace -P icmp-paris -w 1 -W 1 -g 3 $target4"
	warts scamper-icmp6 "trace -P icmp-paris -w 1 -W 1 -g 3 $target6"
}

options() {
	local to
	for to in "$target4" "$middle4" "$inner4"; do
		stamps "ping-R-$to" -R "$to"
		stamps "ping-Taddr-$to" -T tsandaddr "$to"
		stamps "ping-Tonly-$to" -T tsonly "$to"
		warts "scamper-R-$to" "ping -R -c 1 -W 1 $to"
		warts "scamper-T-$to" "ping -T tsandaddr -c 1 -W 1 $to"
	done
	stamps "ping-Tprespec" -T tsprespec "$inner4" "$target4"
	stamps ping4 "$target4"
	stamps ping6 "$target6"
	stamps ping-middle6 "$middle6"
	stamps ping-ttl4 -t 2 "$target4"
	stamps ping-ttl6 -t 2 "$target6"
	stamps ping-R-ttl -R -t 2 "$target4"
	arriving error-R -R -t 2 "$target4"
	arriving error-T -T tsandaddr -t 2 "$target4"
	stamps ping-nobody4 10.99.0.1
	stamps ping-nobody6 fd99::1
}

plain() {
	traces
	options
}

limits() {
	traceroute -n -q 10 -N 1 -w 0.2 -z 20 -m 3 "$target4" 2>&1 | awk 'NR > 1 { line = $1
		for (i = 2; i <= NF; i++) { if ($i == "ms") line = line " x"; if ($i == "*") line = line " *" }
		print line }' | keep limit4
	sleep 2.6 # not near the moment of another token
	traceroute -n -q 6 -N 1 -w 0.2 -z 20 -m 3 "$target4" 2>&1 | awk 'NR > 1 { line = $1
		for (i = 2; i <= NF; i++) { if ($i == "ms") line = line " x"; if ($i == "*") line = line " *" }
		print line }' | keep limit4-again
	ping -n -q -c 30 -i 0.01 -W 1 "$middle4" | sed -n 's/, time.*//; /transmitted/p' | keep echo-exempt
}

mtu() {
	stamps too-big4 -M 'do' -s 1472 "$target4"
	stamps too-big6 -M 'do' -s 1452 "$target6"
	stamps fits4 -M 'do' -s 1372 "$target4"
	arriving cut4 -M dont -s 1472 "$target4"
	arriving cut4-R -M dont -R -s 1400 "$target4"
	arriving cut4-twice -M dont -s 1700 "$target4"
	traceroute -n -q 1 -N 1 -w 0.3 --mtu "$target4" 2>&1 | hops | keep mtu4
}

# Linux has a second limit for these errors, five and then one a second, which no namespace may change.
refusing() {
	local tool
	for tool in "udp4 $target4" "udp6 $target6" "icmp4 -I $target4" "icmp6 -I $target6" "tcp4 -T -p 80 $target4"; do
		sleep 2.1
		# shellcheck disable=SC2086 # words
		trace $tool
	done
	sleep 5
	warts scamper-udp "trace -P udp-paris -w 1 -W 1 -g 3 $target4"
	warts scamper-icmp6 "trace -P icmp-paris -w 1 -W 1 -g 3 $target6"
	stamps ping4 "$target4"
	stamps ping6 "$target6"
	stamps ping-R -R "$target4"
	sleep 5
	cycle mtr4 "$target4"
}

circle() {
	traces
	stamps ping4 "$target4"
	stamps ping6 "$target6"
	stamps ping-R -R "$target4"
}

hole() {
	trace udp4 "$target4"
	trace icmp6 -I "$target6"
	trace tcp4 -T -p 80 "$target4"
	cycle mtr4 "$target4"
	warts scamper-udp "trace -P udp-paris -w 1 -W 1 -g 3 -q 1 $target4"
	stamps ping4 "$target4"
	stamps ping6 "$target6"
}

diamond() {
	flows flows-udp
	flows flows-tcp -T -p 80
	branches branches-udp udp-sport
	branches branches-tcp tcp-sport
}

case $set in
plain) plain ;;
refusing) refusing ;;
hole) hole ;;
circle) circle ;;
diamond) diamond ;;
limits) limits ;;
mtu) mtu ;;
*) exit 2 ;;
esac
exit 0 # what the programs said is the result
