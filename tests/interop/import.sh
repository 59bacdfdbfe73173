#!/bin/bash
# The tools that can run here trace through worlds whose paths are known; what is read from their output is compared
# with the truth. Usage: import.sh RETOUR READER (READER prints what it read: tests/golden/test_import.c)
set -uo pipefail
retour=$1 reader=$2
. "$(dirname "$0")/../verdict.sh"
[ "$(id -u)" = 0 ] || skip "needs root"
"$retour" lab run -- true >/dev/null 2>&1 || skip "the lab does not start here"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0 ran=0

# TTL and address, a line each; all branches of a balanced path. A silent hop has no address in what was read.
truth() { "$retour" lab truth -w "$1" client server | awk '$1 ~ /^[0-9]+$/ {print $1, $3}' | sort -u; }

read_hops() {
	"$reader" "$scratch" output.in | awk '$1 ~ /^[0-9]+$/ {
		for (i = 2; i <= NF; i++)
			if (match($i, /^[0-9]+(\.[0-9]+)+/) || $i ~ /,/) {
				gsub(/[=<!].*/, "", $i)
				n = split($i, all, ",")
				for (k = 1; k <= n; k++) if (all[k] ~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/) print $1, all[k]
			}
	}' | sort -u
}

# WORLD COMMAND...: every hop that was read is on the true path, and none but the silent are missing
check() {
	local world=$1 found missing
	shift
	command -v "$1" >/dev/null || { echo "# $1 is not here: left out"; return; }
	timeout 60 "$retour" lab run -w "$world" -- "$@" >"$scratch/output.in" 2>/dev/null
	truth "$world" >"$scratch/truth"
	read_hops >"$scratch/found"
	ran=$((ran + 1))
	found=$(sort "$scratch/found" | comm -23 - <(sort "$scratch/truth"))
	missing=$(comm -23 <(cut -d' ' -f1 "$scratch/truth" | sort -u) <(cut -d' ' -f1 "$scratch/found" | sort -u))
	if [ -n "$found" ] || { [ "$missing" != "" ] && [ "$world/$missing" != silent-hop/4 ]; }; then
		echo "$world: $*: not on the path: '${found//$'\n'/, }', missing hops: '${missing//$'\n'/, }'"
		failed=1
	fi
}

target=$("$retour" lab run -- getent ahostsv4 server.lab | awk 'NR == 1 {print $1}')
for world in ${WORLDS-demo loadbalanced mpls silent-hop}; do
	check "$world" traceroute -4 -n server.lab
	check "$world" traceroute -4 -e server.lab
	check "$world" inetutils-traceroute server.lab
	check "$world" mtr -4 -rwnb -c 3 -i 0.2 server.lab
	check "$world" mtr -4 -C -n -c 3 -i 0.2 server.lab
	check "$world" mtr -4 -j -n -c 3 -i 0.2 server.lab
	check "$world" mtr -4 -x -n -c 3 -i 0.2 server.lab
	check "$world" mtr -4 -l -n -c 3 -i 0.2 server.lab
	check "$world" scamper -O json -I "trace -P udp-paris -w 2 $target"
	check "$world" scamper -O warts -I "trace -P udp-paris -w 2 $target"
done
check demo tracepath -4 -b server.lab
check demo busybox traceroute -4 server.lab
echo "$ran outputs read and compared"
[ "$ran" -gt 0 ] || skip "none of the tools is here"
exit $failed
