#!/bin/bash
# The rows of docs/benchmarks.md: retour beside traceroute, mtr and scamper on the same kernel path, one after the
# other, each several times. Ratios are what counts; the numbers belong to the machine.
#
#   RUNS=3 IDLE_S=7 bench/run.sh [ROW...]     rows: all_rows below
#
# Between runs the path rests for IDLE_S, so that the routers' reply limits are full again. What was measured goes to
# bench/results.txt, where it replaces the same rows of earlier days; the page is made from that file.
build=$(cd "$(dirname "$0")/.." && pwd)/${BUILD:-build}
export RETOUR=$build/retour
. "$(dirname "$0")/../tests/netns/lib.sh"
. "$(dirname "$0")/chain.sh"
need traceroute mtr scamper nft tcpdump
: "${RUNS=3}" "${IDLE_S=7}"
all_rows=(healthy silent black_hole refusal rtt rtt_busy first_table ten_rounds diamond targets responder responder_near flood lab_tun sim_hops
	sim_routes sim_scale verdicts ways_back revtr_wall revtr_batch inband)
rows=("$@")
[ ${#rows[@]} -gt 0 ] || rows=("${all_rows[@]}")
bench=$(cd "$here/../../bench" && pwd)
page=$bench/../docs/benchmarks.md
results=$scratch/results

counter() { # rx|tx
	ip -n source -s -j link show to-r1 | jq ".[0].stats64.$1.packets"
}

# One run; its line in $results: ROW|LABEL|SECONDS|SENT|RECEIVED|NOTE. Its output stays in $scratch/out.
measure() { # ROW LABEL COMMAND...
	local row=$1 label=$2 before_tx before_rx start end
	shift 2
	sleep "$IDLE_S"
	before_tx=$(counter tx) before_rx=$(counter rx)
	start=$EPOCHREALTIME
	in_node source timeout 200 "$@" >"$scratch/out" 2>"$scratch/err" || true
	end=$EPOCHREALTIME
	printf '%s|%s|%s|%s|%s|%s\n' "$row" "$label" \
		"$(awk "BEGIN { printf \"%.3f\", $end - $start }")" \
		$(($(counter tx) - before_tx)) $(($(counter rx) - before_rx)) "$(note "$row" "$label")" |
		tee -a "$results" >&2
}

# What the output says about the fault.
note() { # ROW LABEL
	case $1/$2 in
	refusal/retour*) echo "$(jq '[.forward.hops[].probes[] | select(.mark == "!H")] | length' "$scratch/out") × !H" ;;
	refusal/traceroute*) echo "$(grep -o '!H' "$scratch/out" | wc -l) × !H" ;;
	refusal/*) echo "$(grep -c '!H\|UNREACH' "$scratch/out") × !H" ;;
	inband/*) # the first round trip is the server's, to get to know the connection
		jq -r --argjson rtt_us $((2 * delay_us)) '.reverse | "\([.hops[] | select(.address)] | length) hops in 1 + " +
			"\(.duration_ms * 10000 / $rtt_us | round / 10) round trips"' "$scratch/out"
		;;
	silent/retour* | black_hole/retour*) jq -r '[.findings[].id] | unique | join(", ")' "$scratch/out" ;;
	esac
}

peers() { # ROW RUNS
	local row=$1 run
	for ((run = 0; run < $2; run++)); do
		measure "$row" "retour trace" "$RETOUR" trace -n --json "$target4"
		measure "$row" "traceroute -n" traceroute -n "$target4"
		measure "$row" "traceroute -n -I" traceroute -n -I "$target4"
		measure "$row" "mtr -n -r -c 3" mtr -n -r -c 3 "$target4"
		measure "$row" "scamper trace -q 3 -Q" scamper -I "trace -P udp-paris -q 3 -Q $target4"
	done
}

# Each probe's round trip in a program's own words.
probe_times() { # PROGRAM
	case $1 in
	retour) in_node source "$RETOUR" trace -n --json "$target4" ;;
	traceroute) in_node source traceroute -n "$target4" ;;
	mtr) in_node source mtr -n -c 3 --raw "$target4" ;;
	scamper) in_node source scamper -O json -I "trace -P udp-paris -q 3 -Q $target4" ;;
	esac
}

# One run between two captures of what comes in, at the far end of the source's cable and at the source: "reported
# true" for each probe in $scratch/pairs.
capture_run() { # PROGRAM
	local captures=()
	start_in r1 sent.log tcpdump -Q in -Z root -i to-source --time-stamp-precision=nano -w "$scratch/sent.pcap"
	captures+=($!)
	start_in source received.log tcpdump -Q in -Z root -i to-r1 --time-stamp-precision=nano -w "$scratch/received.pcap"
	captures+=($!)
	await 5 grep -q listening "$scratch/sent.log"
	await 5 grep -q listening "$scratch/received.log"
	probe_times "$1" >"$scratch/out" 2>/dev/null || true
	sleep 1.5 # libpcap hands packets on once a second
	kill "${captures[@]}"
	wait "${captures[@]}" 2>/dev/null || true
	"$bench/wire.py" "$1" "$scratch/out" "$scratch/sent.pcap" "$scratch/received.pcap" >>"$scratch/pairs"
}

# Median and 99th percentile of numbers.
median_and_last() {
	sort -n | awk '{ n[NR] = $1 } END { printf "|%.1f|%.1f", n[int((NR + 1) / 2)], n[int(NR * 0.99 + 0.99)] }'
}

rtt_errors() { # ROW
	local program run
	healthy
	for program in retour traceroute mtr scamper; do
		: >"$scratch/pairs"
		for ((run = 0; run < 4 * RUNS; run++)); do
			sleep "$IDLE_S"
			capture_run $program
		done
		{
			printf '%s|%s|%d' "$1" $program "$(wc -l <"$scratch/pairs")"
			awk '{ error = $1 - $2; print error < 0 ? -error : error }' "$scratch/pairs" | median_and_last
			awk -v truth=$((2 * delay_us)) '{ print $1 - truth }' "$scratch/pairs" | median_and_last
			echo
		} | tee -a "$results" >&2
	done
}

rtt() {
	rtt_errors rtt
}

# The same with one core busy.
rtt_busy() {
	local burner
	sh -c 'while :; do :; done' &
	burner=$!
	rtt_errors rtt_busy
	kill $burner
	wait $burner 2>/dev/null || true
}

# Until the live table shows the last router before the target.
first_table() {
	local program run
	healthy
	for program in "$RETOUR watch" mtr; do
		for ((run = 0; run < RUNS; run++)); do
			sleep "$IDLE_S"
			# shellcheck disable=SC2086 # two words
			printf 'first_table|%s -n|%s\n' "${program##*/}" "$(in_node source "$bench/first_table.py" \
				"$(address 4 r9 r8)" $program -n "$target4")" | tee -a "$results" >&2
		done
	done
}

ten_rounds() {
	local run
	healthy
	for ((run = 0; run < RUNS; run++)); do
		measure ten_rounds "retour watch -r -c 10" "$RETOUR" watch -n -r -c 10 "$target4"
		measure ten_rounds "mtr -n -r -c 10" mtr -n -r -c 10 "$target4"
	done
}

diamond() {
	env -u RETOUR_TEST_INSIDE BUILD="$(basename "$build")" RUNS="$RUNS" "$bench/diamond.sh" | tee -a "$results" >&2
}

targets() {
	"$bench/targets.sh" "$RETOUR" | tee -a "$results" >&2
}

responder() {
	local server run
	healthy
	start_in r6 serve.log "$RETOUR" serve
	server=$!
	await 10 in_node source "$RETOUR" back --via responder "$(address 4 r6 r5)"
	for ((run = 0; run < RUNS; run++)); do
		measure responder "retour back --via responder" \
			"$RETOUR" back -n --json --via responder "$(address 4 r6 r5)"
		measure responder "retour back --via responder -q 1" \
			"$RETOUR" back -n --json -q 1 --via responder "$(address 4 r6 r5)"
	done
	kill $server
	wait $server || true
}

# The same without any delay, where the reference client was measured: six routers as close as namespaces are.
responder_near() {
	env -u RETOUR_TEST_INSIDE BUILD="$(basename "$build")" RUNS="$RUNS" IDLE_S="$IDLE_S" "$bench/responder_near.sh" |
		tee -a "$results" >&2
}

# Behind a translator and a firewall that lets in only what belongs to connections from inside.
inband() {
	local server run n
	healthy
	for n in 9 8 7 6 5 4 3; do
		way "$(prefix 4 r1 r2)" "$(prefix 6 r1 r2)" "${chain[$n]}" "${chain[$((n - 1))]}"
	done
	in_node r1 nft 'add table ip home; add chain ip home post { type nat hook postrouting priority 100; };
		add rule ip home post oifname "to-r2" masquerade'
	in_node r2 nft 'add table ip wall; add chain ip wall forward { type filter hook forward priority 0; policy drop; };
		add rule ip wall forward ct state established,related accept; add rule ip wall forward iifname "to-r1" accept'
	ip -n target link set to-r9 gso_max_segs 1 # the cable carries what a real one does
	printf 'roles: [inband]\nlisten: [":8080"]\n' >"$scratch/inband.yaml"
	start_in target serve.log "$RETOUR" serve --config "$scratch/inband.yaml"
	server=$!
	await 10 in_node source "$RETOUR" back -n --via inband "http://$target4:8080/"
	for ((run = 0; run < RUNS; run++)); do
		measure inband "retour back --via inband" \
			"$RETOUR" back -n --json --via inband "http://$target4:8080/"
	done
	kill $server
	wait $server || true
	in_node r1 nft delete table ip home
	in_node r2 nft delete table ip wall
}

flood() {
	env -u RETOUR_TEST_INSIDE BUILD="$(basename "$build")" "$bench/flood.sh" | tee -a "$results" >&2
}

sim_hops() {
	local run
	for ((run = 0; run < RUNS; run++)); do
		"$build/bench/sim_hops" | sed 's/^\(.*\) \([0-9]*\)$/sim_hops|\1|\2/' | tee -a "$results" >&2
	done
}

sim_routes() {
	"$bench/sim_routes.sh" "$build" | tee -a "$results" >&2
}

# Lines: verdicts|FAULT|WAY|COMMAND|WORLDS|RIGHT|WRONG|SILENT|CERTAIN|LIKELY|POSSIBLE, seeds that no test has.
verdicts() {
	{ RETOUR_VERDICTS=200,4000001 "$build/tests/scenario/test_scenario_verdicts" || true; } |
		sed -nE 's/^# (.{22}) (there|back) +(retour HOST|with a responder|watch) +([0-9 ]+)$/\1|\2|\3|\4/p' |
		sed -E 's/ *\|/|/g; s/ +([0-9])/|\1/g; s/^/verdicts|/; s/\|\|/|/g' | tee -a "$results" >&2
}

revtr() {
	"$bench/revtr.sh" "$build" | tee -a "$results" >&2
}

ways_back() {
	local ases
	for ases in 200 1000; do
		"$build/bench/ways_back" 200 20 $ases | sed 's/^/ways_back|/' | tee -a "$results" >&2
	done
}

revtr_wall() {
	env -u RETOUR_TEST_INSIDE RUNS="$RUNS" "$bench/revtr_wall.sh" "$RETOUR" | tee -a "$results" >&2
}

revtr_batch() {
	local count folder
	for count in 200000 1000000; do
		folder=$(mktemp -d -p "${TMPDIR:-/var/tmp}") # a disk, not memory: it is about having things there
		"$build/bench/revtr_batch" $count "$folder" | tee -a "$results" >&2
		rm -r "$folder"
	done
}

sim_scale() {
	env -u RETOUR_TEST_INSIDE "$bench/sim_scale.sh" "$RETOUR" | sed 's/^/sim_scale/' | tee -a "$results" >&2
}

lab_tun() {
	env -u RETOUR_TEST_INSIDE BUILD="$(basename "$build")" "$bench/lab_tun.sh" | tee -a "$results" >&2
}

build_chain "$build/bench/delay_link"
: >"$results"
for row in "${rows[@]}"; do
	case $row in
	healthy | silent | refusal) $row && peers "$row" "$RUNS" ;;
	first_table) first_table ;;
	black_hole) black_hole && peers black_hole 1 ;;
	rtt | rtt_busy | ten_rounds | diamond | targets | responder | responder_near | flood | lab_tun | sim_hops | sim_routes | sim_scale | verdicts | ways_back | revtr | revtr_wall | revtr_batch | inband) $row ;;
	*) fail "no such row: $row" ;;
	esac
	echo "measured|$row|$(date -u +%F)|$RUNS" >>"$results"
done

awk -F'|' -v rows="${rows[*]}" '
	BEGIN { split(rows, list, " "); for (i in list) again[list[i]] = 1 }
	!($1 in again) && !($1 == "measured" && $2 in again)' "$bench/results.txt" >"$scratch/kept"
cat "$scratch/kept" "$results" >"$bench/results.txt"
"$bench/table.sh" "$bench/results.txt" >"$page.new" && mv "$page.new" "$page"
! grep -q '^sim_routes|' "$results" || "$bench/plot.sh" "$results" >"${page%/*}/figures/sim_routes.svg"
! grep -q '^revtr|' "$results" || "$bench/revtr_plot.py" "$results" "${page%/*}/figures"
