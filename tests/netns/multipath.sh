#!/bin/bash
# Every way that flows take through Linux routers, beside scamper's tracelb: the same links as the routing tables have,
# no others, in a tenth of the time.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/diamond.sh"
need scamper

build_diamond

expect_diamond near forward "$far4" "$far6" "$RETOUR" trace -n --json
expect_branches near forward source_port --sport "$far4" "$RETOUR" trace -n --json

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
