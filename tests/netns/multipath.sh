#!/bin/bash
# Every way that flows take through Linux routers, beside scamper's tracelb: the same links as the routing tables have,
# no others, in a tenth of the time.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/diamond.sh"
need scamper

build_diamond

# Links of a document, by node; each once.
links() { # DOCUMENT
	local from to
	jq -r '.forward.edges[] | .from + " " + .to' "$1" | while read -r from to; do
		echo "${owner_of[$from]-$from} ${owner_of[$to]-$to}"
	done | sort -u
}

for family in 4 6; do
	target=$far4
	[ $family = 4 ] || target=$far6
	for protocol in u I T; do
		complete=0
		for _ in 1 2 3 4 5; do
			expect_status 0 in_node near "$RETOUR" trace -n --json --multipath=99 -$protocol "$target"
			validate $scratch/out
			links $scratch/out >$scratch/links
			false=$(grep -vxF "$diamond_links" $scratch/links || true)
			[ -z "$false" ] || fail "IPv$family -$protocol: links that are not there: $false"
			# Linux has no ports to look at in ICMP: all of it goes one way.
			expected=$diamond_links
			[ $protocol != I ] || expected=$(cat $scratch/links)
			[ $protocol != I ] || expect_equal "ICMP takes one way" 1 "$(grep -c '^r1 ' $scratch/links)"
			[ "$(cat $scratch/links)" = "$expected" ] && complete=$((complete + 1))
		done
		[ $complete -ge 4 ] || fail "IPv$family -$protocol: complete only $complete times of 5: $(cat $scratch/links)"
		echo "ok: IPv$family -$protocol: all links $complete times of 5, and no others"
	done
done

# The port of a branch reproduces it.
expect_status 0 in_node near "$RETOUR" trace -n --json --multipath "$far4"
jq -r '.forward.edges[] | select(.ttl == 2) | .to + " " + (.source_port | tostring)' $scratch/out >$scratch/branches
[ "$(wc -l <$scratch/branches)" -ge 2 ] || fail "no branches: $(cat $scratch/out)"
while read -r address port; do
	expect_status 0 in_node near "$RETOUR" trace -n --json -u --sport "$port" "$far4"
	expect_equal "port $port takes the way by ${owner_of[$address]}" "$address" \
		"$(jq -r '.forward.hops[1].address' $scratch/out)"
done <$scratch/branches

# Beside scamper, on the same routers.
start=$EPOCHREALTIME
in_node near scamper -O json -c 'tracelb -P udp-sport' -i "$far4" >$scratch/scamper
end=$EPOCHREALTIME
scamper_s=$(awk "BEGIN { print $end - $start }")
scamper_probes=$(jq 'select(.type == "tracelb").probec' $scratch/scamper)
start=$EPOCHREALTIME
expect_status 0 in_node near "$RETOUR" trace -n --json --multipath "$far4"
end=$EPOCHREALTIME
retour_s=$(awk "BEGIN { print $end - $start }")
retour_probes=$(jq .forward.probes_sent $scratch/out)
echo "retour: $retour_s s, $retour_probes packets; scamper: $scamper_s s, $scamper_probes packets"
awk "BEGIN { exit !($retour_s * 9 <= $scamper_s) }" || fail "not 9 times as fast as scamper"

# The graph can be read back, and has the same links.
expect_status 0 in_node near "$RETOUR" trace -n --dot --multipath=99 "$far4"
/usr/bin/python3 - $scratch/out <<'END' || fail "not a graph: $(cat $scratch/out)"
import re, sys
text = open(sys.argv[1]).read()
quoted = r'"(?:[^"\\]|\\.)*"'
attributes = rf'\[\w+=(?:{quoted}|\w+)(?:, \w+=(?:{quoted}|\w+))*\]'
statement = rf'(?:\w+=\w+|node {attributes}|edge {attributes}|{quoted}(?: -> {quoted})?(?: {attributes})?);'
assert re.fullmatch(rf'digraph \w+ \{{\n(?:  {statement}\n)*\}}\n', text), text
assert len(re.findall(' -> ', text)) >= 9
END
echo "ok: the graph is one in the DOT language"
