#!/usr/bin/env bash
# `retour lab` with real programs: Debian's ping, traceroute and mtr see what `retour lab truth` says; the exit status
# is the command's; a kill leaves nothing behind. RETOUR names the binary.
# shellcheck source=tests/interop/common.sh
. "$(dirname "$0")/../interop/common.sh"
need ping traceroute mtr jq
need_lab

lab() { # WORLD COMMAND...
	local world=$1
	shift
	"$retour" lab run -w "$world" -- "$@"
}

# One address a line, * for a hop that does not show, hidden ones left out.
truth() { # WORLD FAMILY FROM TO
	"$retour" lab truth -w "$1" --json "-$2" "$3" "$4" |
		jq -r '.hops[] | select(.ttl) | if .hidden == "silent" then "*" else .address end'
}

# traceroute's hops likewise.
traced() {
	awk 'NR > 1 { print $2 }'
}

for world in demo plain10 silent-hop mpls; do
	for family in 4 6; do
		# gaps of 20 ms: nobody's reply limit is in the way
		got=$(lab $world traceroute -$family -n -q 1 -z 20 -w 0.5 server.lab | traced)
		equal "traceroute -$family in $world" "$got" "$(truth $world $family client server)"
	done
done

got=$("$retour" lab run --on server -- traceroute -n -q 1 -w 0.5 client.lab | traced)
equal 'traceroute from server' "$got" "$(truth demo 4 server client)"

got=$(lab demo mtr -4 -n -c 1 -i 0.1 -r server.lab | awk '/\|--/ { print $2 }')
equal 'mtr in demo' "$got" "$(truth demo 4 client server)"

got=$(lab refused traceroute -n -q 1 -w 0.5 server.lab | tail -n 1)
case $got in
*'!H'*) echo 'ok refused shows !H' ;;
*) fail "refused: $got" ;;
esac

# ping -R in plain10: the nine slots hold the client and the first eight routers, each by the address it sends from.
stamps=$(lab plain10 ping -4 -n -c 1 -R server.lab |
	awk '/^RR:/ { print $2; stamping = 1; next } /^$/ { stamping = 0 } stamping { print $1 }')
known=$("$retour" lab truth -w plain10 --json client server)
nodes=$(for stamp in $stamps; do
	jq -r --arg stamp "$stamp" '.hops[] | select(.addresses[:-1] | index($stamp)) | .node' <<<"$known"
done)
equal 'ping -R in plain10, routers' "$nodes" "$(jq -r '.hops[:8][].node' <<<"$known")"
equal 'ping -R in plain10, stamps' "$stamps" \
	"198.51.100.77"$'\n'"$(jq -r '.hops[:8][].addresses[1]' <<<"$known")"

# Without its services the demo's server helps nobody; Record Route still measures the first routers on the way back.
got=$("$retour" lab run --no-services -- retour -4 -n --json server.lab)
known=$("$retour" lab truth --json server client)
equal 'without services: no responder' "$(jq -r '.reverse_attempts[] | select(.method == "responder").status' <<<"$got")" \
	unsupported
equal 'without services: the way back is measured' \
	"$(jq -r '.reverse.hops[] | "\(.technique) \(.certainty)"' <<<"$got" | sort | uniq -c | xargs)" \
	'3 record-route measured'
nodes=$(for stamp in $(jq -r '.reverse.hops[].address' <<<"$got"); do
	jq -r --arg stamp "$stamp" '.hops[] | select(.addresses | index($stamp)) | .node' <<<"$known"
done)
equal 'without services: its routers' "$nodes" "$(jq -r '.hops[:3][].node' <<<"$known")"

# Names and AS data.
got=$(lab demo getent ahostsv4 server.lab | awk 'NR == 1 { print $1 }')
equal 'A' "$got" 198.18.18.80
got=$(lab demo getent hosts 203.0.113.2 | awk '{ print $2 }')
equal 'PTR' "$got" ae0.cr1.fra.northwind.lab
# shellcheck disable=SC2016
got=$(lab demo sh -c 'wc -l <"$RETOUR_DATA/ip2asn-combined.tsv"')
equal 'AS data' "$got" 8

# Exit statuses.
status=0
lab demo sh -c 'exit 7' || status=$?
equal 'exit status' $status 7
status=0
# shellcheck disable=SC2016
lab demo sh -c 'kill -TERM $$' || status=$?
equal 'status of a signal' $status 143
status=0
lab demo /no/such/program 2>/dev/null || status=$?
equal 'no such program' $status 4
status=0
"$retour" lab run -w no-such-world -- true 2>/dev/null || status=$?
equal 'no such world' $status 4
status=0
"$retour" lab run --on nobody -- true 2>/dev/null || status=$?
equal 'no such host' $status 3

# A link is broken and mended from inside; the way there changes, the way back does not.
ways() {
	# shellcheck disable=SC2016
	lab demo sh -c 'traceroute -n -I -q 1 -w 0.5 server.lab; retour lab link nw-fra2 nw-ams1 "$1" || exit
		traceroute -n -I -q 1 -w 0.3 -m 12 server.lab; retour lab link nw-fra2 nw-ams1 up
		traceroute -n -I -q 1 -w 0.5 server.lab' sh "$1" | awk '/^traceroute/ { print "--"; next } { print $2 }'
}
plain=$(truth demo 4 client server)
around='198.51.100.2
198.51.100.5
192.0.2.2'
got=$(ways reroute)
equal 'reroute: before and after' "$(head -n 9 <<<"$got")"$'\n'"$(tail -n 9 <<<"$got")" \
	"--"$'\n'"$plain"$'\n'"--"$'\n'"$plain"
equal 'reroute: another way' "$(sed -n '11,13p' <<<"$got")" "$around"
got=$(ways down)
equal 'down: nothing behind the link' "$(sed -n '10,16p' <<<"$got")" \
	"--"$'\n'"$(head -n 4 <<<"$plain")"$'\n*\n*'
status=0
lab demo retour lab link nobody nw-ams1 down 2>/dev/null || status=$?
equal 'no such link' $status 3
status=0
"$retour" lab link nw-fra2 nw-ams1 down 2>/dev/null || status=$?
equal 'outside a lab' $status 4

# Recordings: of the host, of a link (as packets are put onto it), and whole though the lab was killed.
"$retour" lab run --pcap "$scratch/host" --pcap "nw-ams1-hb-ams:$scratch/link" -- \
	ping -4 -n -q -c 3 -i 0.1 198.18.18.80 >/dev/null
count() { # FILE FILTER...
	tcpdump -n -r "$@" 2>/dev/null | wc -l
}
if command -v tcpdump >/dev/null; then
	equal 'recorded: requests' "$(count "$scratch/host" 'icmp[0] == 8')" 3
	equal 'recorded: replies' "$(count "$scratch/host" 'icmp[0] == 0')" 3
	equal 'recorded on a link: one direction' "$(count "$scratch/link" icmp)" 3
	setsid "$retour" lab run --pcap "$scratch/killed" -- ping -4 -n -q -i 0.1 198.18.18.80 >/dev/null &
	pid=$!
	for _ in $(seq 100); do
		[ "$(count "$scratch/killed" icmp)" -gt 4 ] && break
		sleep 0.05
	done
	kill -KILL $pid
	wait $pid 2>/dev/null || true
	tcpdump -n -r "$scratch/killed" >/dev/null 2>"$scratch/error" || fail 'the recording of a killed lab is broken'
	[ "$(count "$scratch/killed" icmp)" -gt 4 ] || fail 'the recording of a killed lab misses packets'
	echo 'ok recorded: killed'
else
	[ "${CI-}" = true ] && fail 'tcpdump is not installed'
	echo 'not tested: recordings (tcpdump is not installed)'
fi
status=0
"$retour" lab run --pcap "nowhere:$scratch/x" -- true 2>/dev/null || status=$?
equal 'recording nowhere' $status 3

# What is no packet, or a broken one, disappears; the world goes on.
cat >"$scratch/broken.py" <<'END'
import os, random, socket
random.seed(1)
# Straight into the device: the kernel of the host leaves these bytes alone.
raw = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
for number in range(20000):
    size = random.choice([1, 19, 20, 21, 28, 40, 60, 576, 1500])
    data = bytearray(random.randbytes(size))
    if number % 2:
        data[0] = random.choice([0x45, 0x46, 0x4f, 0x60, 0x40])
        data[2:4] = size.to_bytes(2, "big")
    if size >= 20 and number % 4 == 1:
        data[12:20] = socket.inet_aton("198.51.100.77") + socket.inet_aton("198.18.18.80")
    try:
        raw.sendto(bytes(data[:size]), ("eth0", 0x86DD if data[0] >> 4 == 6 else 0x0800, 0, 0, b""))
    except OSError:
        pass
END
# shellcheck disable=SC2016
got=$(lab demo sh -c '/usr/bin/python3 "$1" && ping -4 -n -q -c 3 -i 0.1 -W 1 198.18.18.80' sh "$scratch/broken.py")
case $got in
*' 3 received'*) echo 'ok broken packets' ;;
*) fail "after broken packets: $got" ;;
esac

# Killed: every process is in one process group of its own, and all of their namespaces are new.
count_tuns() {
	find /sys/class/net -maxdepth 1 -name 'eth*' | wc -l
}
before=$(count_tuns)
for signal in KILL TERM; do
	marker=9${RANDOM}${RANDOM}
	setsid "$retour" lab run -- sleep "$marker" &
	pid=$!
	for _ in $(seq 100); do
		pgrep -fx "sleep $marker" >/dev/null && break
		sleep 0.05
	done
	inside=$(pgrep -fx "sleep $marker") || fail 'the command did not start'
	namespace=$(readlink "/proc/$inside/ns/net")
	kill -$signal $pid
	wait $pid 2>/dev/null || true
	for _ in $(seq 40); do
		pgrep -fx "sleep $marker" >/dev/null || break
		sleep 0.05
	done
	pgrep -fx "sleep $marker" >/dev/null && fail "SIG$signal leaves the command"
	find /proc -maxdepth 3 -path '/proc/*/ns/net' -lname "$namespace" 2>/dev/null | grep -q . &&
		fail "SIG$signal leaves a namespace"
	[ "$(count_tuns)" = "$before" ] || fail "SIG$signal leaves a device"
	echo "ok SIG$signal leaves nothing"
done
[ ! -e /dev/shm/retour-lab ] || fail 'files are left in /dev/shm'
grep -q retour-lab /proc/mounts && fail 'a mount is left'
echo 'ok nothing is left'
