#!/bin/bash
# The lab in real time beside the same path of Linux namespaces: how many packets a second pass nine routers, how
# exact the delays are, and what the path costs to set up and to keep.
#
#   BUILD=build RUNS=3 bench/lab_tun.sh
#
# A line each: lab_tun|WHAT|LAB|NAMESPACES|RATIO
build=$(cd "$(dirname "$0")/.." && pwd)/${BUILD:-build}
export RETOUR=$build/retour
. "$(dirname "$0")/../tests/netns/lib.sh"
need awk
: "${RUNS=3}"
flow=$build/bench/udp_flow
for program in "$RETOUR" "$flow"; do
	[ -x "$program" ] || fail "no $program; expected BUILD=DIRECTORY, where ninja has run"
done
rates=(50000 80000 120000 160000 240000)
seconds=2

say() { # WHAT LAB NAMESPACES
	awk -v what="$1" -v lab="$2" -v linux="$3" 'BEGIN { printf "lab_tun|%s|%s|%s|%s\n", what, lab, linux,
		(linux + 0 > 0) ? sprintf("%.2f", lab / linux) : "" }'
}

percentiles() { # standard input's numbers: median and 95th percentile
	sort -n | awk '{ a[NR] = $1 }
		END { if (NR) printf "%.0f %.0f\n", a[int((NR + 1) / 2)], a[int(NR * 0.95)]; else print "none none" }'
}

# ---- the path: near, nine routers, far

path=(near r1 r2 r3 r4 r5 r6 r7 r8 r9 far)

build_path() {
	local n
	node "${path[@]}"
	for ((n = 1; n < ${#path[@]}; n++)); do
		link "${path[$((n - 1))]}" "${path[$n]}" $n
	done
	way default default "${path[@]:0:10}"
	for n in 10 9 8 7 6 5 4 3 2; do
		way "$(prefix 4 near r1)" "$(prefix 6 near r1)" "${path[$n]}" "${path[$((n - 1))]}"
		way "$(prefix 4 r9 far)" "$(prefix 6 r9 far)" "${path[@]:0:10}"
	done
}

world=$scratch/world.yaml
write_world() { # DELAY_MS SERVICE
	local n
	echo 'ases:'
	echo '  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: "2001:db8:1::/48"}'
	echo 'hosts:'
	echo '  - {name: near, as: 64496, address: 192.0.2.201}'
	echo '  - {name: far, as: 64496, address: 192.0.2.202}'
	echo 'routers:'
	for n in 1 2 3 4 5 6 7 8 9; do echo "  - {name: r$n, as: 64496}"; done
	echo 'links:'
	for ((n = 1; n < ${#path[@]}; n++)); do
		echo "  - {from: ${path[$((n - 1))]}, to: ${path[$n]}, delay_ms: $1}"
	done
	[ -z "${2-}" ] || printf 'services:\n  - {host: far, run: %s}\n' "$2"
}

lab() { # COMMAND...
	"$RETOUR" lab run -w "$world" --on near -- "$@"
}

# ---- packets a second: the highest rate of which 99.9 % arrive, in one run of RUNS

arrived_of_1000() { # SENT RECEIVED
	echo $(($1 > 0 ? 1000 * $2 / $1 : 0))
}

highest() { # ONE_RATE
	local rate run best=0 counts
	for rate in "${rates[@]}"; do
		for ((run = 0; run < RUNS; run++)); do
			counts=$("$1" "$rate")
			# shellcheck disable=SC2086 # two numbers
			[ "$(arrived_of_1000 $counts)" -lt 999 ] || break
		done
		[ $run -lt "$RUNS" ] || break
		best=$((${counts%%[[:space:]]*} / seconds))
	done
	echo "$best"
}

lab_rate() { # RATE: sent and received
	printf '#!/bin/sh\nexec %s receive 9000 %d >%s\n' "$flow" $((seconds + 2)) $scratch/received >$scratch/receive
	chmod +x $scratch/receive
	write_world 1 $scratch/receive >"$world"
	lab sh -c "sleep 0.3; $flow send 192.0.2.202 9000 $1 $seconds; sleep 2"
	cat $scratch/received
}

linux_rate() { # RATE
	start_in far received "$flow" receive 9000 $((seconds + 2))
	sleep 0.3
	in_node near "$flow" send "$(address 4 far r9)" 9000 "$1" $seconds
	wait $!
	cat $scratch/received
}

# ---- delays: microseconds beyond the truth

lab_ping() {
	lab ping -4 -n -q -c 3 -i 0.1 192.0.2.202 >/dev/null
	lab ping -4 -n -c 300 -i 0.01 192.0.2.202 | awk -F'time=' '/time=/ { print $2 * 1000 - 9000 }' | percentiles
}

lab_trace() {
	local run
	for ((run = 0; run < RUNS; run++)); do
		lab "$RETOUR" trace -4 -n --json 192.0.2.202 |
			jq '.forward.hops[] | (.ttl * 2) as $truth | .probes[].rtt_ms | select(.) | (. - $truth) * 1000'
	done | percentiles
}

# ---- what it costs

seconds_of() { # COMMAND...
	local start=$EPOCHREALTIME
	"$@" >/dev/null
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f", b - a }'
}

# Of the kernel, in kilobytes: what it cannot give back.
kernel_memory() {
	awk '/^(SUnreclaim|Percpu|KernelStack|PageTables):/ { sum += $2 } END { print sum }' /proc/meminfo
}

# The same while a lab runs, and what its processes have to themselves.
lab_memory() {
	local before after private
	before=$(kernel_memory)
	lab sleep 3 &
	sleep 1.5
	after=$(kernel_memory)
	private=$(for pid in $(pgrep -f "^$RETOUR lab run -w $world"); do
		awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup"
	done | awk '{ sum += $1 } END { print sum + 0 }')
	wait $!
	echo $((after - before + private))
}

write_world 0.9 >"$world"
lab_setup=$(seconds_of lab true)
lab_kilobytes=$(lab_memory)
before=$(kernel_memory)
start=$EPOCHREALTIME
build_path
linux_setup=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f", b - a }')
linux_kilobytes=$(($(kernel_memory) - before))
in_node near ping -q -c 2 -i 0.2 "$(address 4 far r9)" >/dev/null || fail "the path of namespaces does not work"

say "set-up and start of a command, s" "$lab_setup" "$linux_setup"
say "memory, kB" "$lab_kilobytes" "$linux_kilobytes"
say "packets a second, 99.9 % arrive (highest tried: ${rates[-1]})" "$(highest lab_rate)" "$(highest linux_rate)"

write_world 0.45 >"$world"
read -r median most <<<"$(lab_ping)"
say "ping: error of the round trip, us, median" "$median" ""
say "ping: error of the round trip, us, 95th percentile" "$most" ""
write_world 1 >"$world"
read -r median most <<<"$(lab_trace)"
say "retour trace: error of the round trips, us, median" "$median" ""
say "retour trace: error of the round trips, us, 95th percentile" "$most" ""
