#!/bin/bash
# CSV, JSON lines and scamper's JSON, read back by other programs: Python's csv, jq, and Debian's scamper beside ours.
. "$(dirname "$0")/common.sh"
need jq scamper
need_lab

# One measurement in each form is not possible; the same path each time is.
in_world() { # WORLD COMMAND...
	local world=$1
	shift
	"$retour" lab run -w "$world" -- "$@"
}

# ---- CSV

in_world mpls retour server.lab --csv >"$scratch/o.csv"
in_world mpls retour server.lab --json >"$scratch/o.json"
/usr/bin/python3 - "$scratch" <<'END'
import csv, json, sys
scratch = sys.argv[1]
text = open(scratch + "/o.csv", newline="").read()
assert text.endswith("\r\n") and text.count("\n") == text.count("\r\n"), "RFC 4180: lines end with CR LF"
rows = list(csv.DictReader(open(scratch + "/o.csv", newline=""), strict=True))
document = json.load(open(scratch + "/o.json"))
assert rows and all(None not in row and None not in row.values() for row in rows), "rows of different widths"
expected, got = [], []
for way in ("forward", "reverse"):
    for hop in document[way]["hops"] if document[way] else []:
        for number, probe in enumerate(hop["probes"] or [None], 1):
            labels = " ".join(f'{l["label"]}:{l["tc"]}:{l["s"]}:{l["ttl"]}' for l in probe["mpls"]) if probe else ""
            same = not probe or probe["address"] == hop["address"]
            expected.append((way, str(hop["ttl"] or ""), str(number) if probe else "",
                (probe or hop)["address"] or "", (hop["name"] or "") if same else "",
                str(hop["asn"] or "") if same else "", hop["technique"], hop["certainty"], labels))
got = [(r["direction"], r["ttl"], r["probe"], r["address"], r["name"], r["asn"], r["technique"], r["certainty"],
    r["mpls"]) for r in rows]
assert [g[:4] for g in got] == [e[:4] for e in expected], (got, expected)
assert got == expected, [pair for pair in zip(got, expected) if pair[0] != pair[1]]
assert any(r["mpls"] for r in rows) and all(float(r["rtt_ms"]) > 0 for r in rows if r["rtt_ms"])
print("ok CSV has what the document has:", len(rows), "rows")
END

# ---- JSON lines

in_world demo retour server.lab --jsonl >"$scratch/o.jsonl"
jq -e . "$scratch/o.jsonl" >/dev/null || fail 'a line is not JSON'
equal 'one event a line' "$(wc -l <"$scratch/o.jsonl")" "$(jq -s length "$scratch/o.jsonl")"
equal 'first and last' "$(jq -s -c '[.[0].event, .[-1].event]' "$scratch/o.jsonl")" '["start","done"]'
# the events put together are a document that keeps its contract
jq -s 'def some($event): map(select(.event == $event) | del(.event));
	def way($direction): (some("path")[] | select(.direction == $direction) | del(.target)) as $path |
		$path + {hops: [some("hop")[] | select(.direction == $direction) | del(.target, .direction)]};
	(some("start")[0]) as $start | {schema: $start.schema, tool: $start.tool, command: $start.command,
	started_at: $start.started_at, finished_at: some("done")[0].finished_at, source: $start.source,
	target: {address: $start.target, name: $start.target_name}, forward: way("forward"), reverse: way("reverse"),
	reverse_attempts: [some("attempt")[] | del(.target)], alignment: (some("alignment")[0] | del(.target)),
	findings: [some("finding")[] | del(.target)]}' "$scratch/o.jsonl" >"$scratch/together.json"
code=0
"$golden/validate.sh" "$scratch/together.json" || code=$?
[ $code -eq 77 ] || equal 'the events together are a retour/1 document' $code 0
in_world demo retour server.lab --json >"$scratch/o.json"
shape() {
	jq -S -c '[paths(type != "object" and type != "array") | map(if type == "number" then 0 else . end)] | unique' "$1"
}
equal 'with the members of the document' "$(shape "$scratch/together.json")" "$(shape "$scratch/o.json")"

# events come while it runs: of a trace that is killed in the middle the first answers are there
in_world demo timeout -s KILL 1.5 "$retour" trace -n -z 200 --jsonl server.lab >"$scratch/live.jsonl" || true
equal 'first line of a trace under way' "$(jq -s -r '.[0].event' "$scratch/live.jsonl")" start
equal 'its other lines' "$(jq -s -r '[.[1:][].event] | unique | join(" ")' "$scratch/live.jsonl")" probe

# what only infers from the way there gives a way back in a watch, too, where that is known after the first round
in_world demo-quiet retour watch -n -r -c 4 -i 0.3 --json --via inferred server.lab >"$scratch/watch.json"
equal 'a way back inferred while watching' "$(jq -r '.reverse.method' "$scratch/watch.json")" inferred

# ---- scamper's JSON, beside scamper

cat >"$scratch/both.sh" <<'END'
target=$(getent "ahostsv$1" server.lab | awk 'NR == 1 { print $1 }')
scamper -O json -I "trace -P $2 -q 3 -Q -w 1 $target" >"$4/theirs" || exit
retour trace $3 -n --format scamper-json "$target" >"$4/ours"
END
compare() { # WORLD FAMILY METHOD OPTIONS
	# ours may find the target silent or refusing: the same as theirs
	in_world "$1" bash "$scratch/both.sh" "$2" "$3" "$4" "$scratch" || [ $? -eq 2 ]
	jq -c 'select(.type == "trace")' "$scratch/theirs" >"$scratch/their.json"
	equal "one line ($1, $3, IPv$2)" "$(wc -l <"$scratch/ours")" 1
	/usr/bin/python3 - "$scratch" "$1, $3, IPv$2" <<'END'
import json, sys
scratch, what = sys.argv[1:]
theirs, ours = (json.load(open(f"{scratch}/{name}")) for name in ("their.json", "ours"))

def kind(value):
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__

def shape(value, path=""):
    if isinstance(value, dict):
        return {leaf for key, item in value.items() for leaf in shape(item, f"{path}.{key}")}
    if isinstance(value, list):
        return {leaf for item in value for leaf in shape(item, path + "[]")}
    return {(path, kind(value))}

# Linux hands no IPv6 header to raw sockets: what it said is left out where it is not known.
unknown = {(f".hops[].{key}", "number") for key in ("reply_size", "reply_tos")} if ":" in ours["dst"] else set()
assert shape(ours) - unknown == shape(theirs) - unknown, \
    f"{what}: only ours {shape(ours) - shape(theirs)}, only theirs {shape(theirs) - shape(ours)}"
for key in ("type", "version", "method", "src", "dst", "stop_reason", "stop_data", "firsthop", "tos"):
    assert ours[key] == theirs[key], (what, key, ours[key], theirs[key])
def hops(trace):
    return sorted({(h["probe_ttl"], h["addr"], h["icmp_type"], h["icmp_code"], h["reply_ttl"], h.get("icmp_q_ttl", -1),
        json.dumps(h.get("icmpext"))) for h in trace["hops"] if h["probe_ttl"] <= min(ours["hop_count"], theirs["hop_count"])})
assert hops(ours) == hops(theirs), (what, hops(ours), hops(theirs))
print(f"ok as scamper's: {what}")
END
}
for family in 4 6; do
	for world in plain10 mpls; do
		compare $world $family udp-paris -u
		compare $world $family icmp-paris -I
	done
done
compare refused 4 udp-paris -u
compare loop 4 udp-paris -u
compare blackhole 4 udp-paris -u

# ---- a reader that goes away

status=0
# shellcheck disable=SC2016
in_world demo bash -c 'retour trace server.lab --jsonl 2>"$1" | head -n 1 >/dev/null; exit "${PIPESTATUS[0]}"' bash \
	"$scratch/err" || status=$?
case $status in
4 | 141) echo "ok stdout closed: status $status" ;;
0) echo 'ok stdout closed: all was written before' ;;
*) fail "stdout closed: status $status, $(cat "$scratch/err")" ;;
esac
status=0
for form in --csv --json --jsonl; do
	status=0
	in_world demo bash -c "retour trace server.lab $form >/dev/full" 2>"$scratch/err" || status=$?
	equal "a full disk, $form" "$status" 4
	has "and why" "$(<"$scratch/err")" 'No space left on device'
done
for persona in 'mtr -r -c 1' traceroute 'tracert -h 2'; do
	status=0
	in_world demo bash -c "retour $persona server.lab >/dev/full" 2>"$scratch/err" || status=$?
	equal "a full disk: $persona" "$status" 1
	has "a full disk is told: $persona" "$(cat "$scratch/err")" 'cannot write'
done
