#!/usr/bin/env bash
# `retour lab` with real programs: Debian's ping, traceroute and mtr see what `retour lab truth` says; the exit status
# is the command's; a kill leaves nothing behind. RETOUR names the binary.
set -euo pipefail

retour=${RETOUR:?}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

skip() {
	echo "SKIP $*"
	exit 77
}

fail() {
	echo "FAIL $*" >&2
	exit 1
}

equal() { # WHAT GOT EXPECTED
	[ "$2" = "$3" ] || fail "$1"$'\n'"got:      $2"$'\n'"expected: $3"
	echo "ok $1"
}

for program in ping traceroute mtr jq; do
	command -v $program >/dev/null && continue
	[ "${CI-}" = true ] && fail "$program is not installed"
	skip "$program is not installed"
done
if ! "$retour" lab run -- true 2>"$scratch/error"; then
	grep -q 'namespaces\|/dev/net/tun\|TUN' "$scratch/error" && skip "$(cat "$scratch/error")"
	fail "$(cat "$scratch/error")"
fi

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
