#!/bin/bash
# Traceroutes that others made, in the atlas of a source: scamper's, real ones on kernel routers, and RIPE Atlas's. What does
# not lead to the source is left out, what was taken is there after the coordinator is killed, and ways back lean on it.
#
#   probe - r1 - r2 - r3 - home, with far beside r3
export NET4=198.18
. "$(dirname "$0")/lib.sh"
need scamper

trap last_words EXIT

node home probe far r1 r2 r3
link probe r1 1
link r1 r2 2
link r2 r3 3
link r3 home 4
link r3 far 5
way default default probe r1 r2 r3
way default default home r3
way default default far r3
way default default r3 r2
way "$(prefix 4 home r3)" "$(prefix 6 home r3)" r1 r2 r3
way "$(prefix 4 far r3)" "$(prefix 6 far r3)" r1 r2 r3
way "$(prefix 4 probe r1)" "$(prefix 6 probe r1)" r3 r2 r1
home=$(address 4 home r3) probe=$(address 4 probe r1) far=$(address 4 far r3)
in_node probe ping -q -c 1 -w 10 "$home" >/dev/null || fail "the probe does not reach home"

export XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config
mkdir -p $XDG_STATE_HOME $XDG_CONFIG_HOME
start_coordinator() {
	start_in home coordinator.log "$RETOUR" revtr coordinator --store $scratch/store --atlas-per-day 0
	coordinator=$!
	await 20 in_node home bash -c 'exec 3<>/dev/tcp/127.0.0.1/7388'
	RETOUR_REVTR_KEY=$(cat $scratch/store-key)
	export RETOUR_REVTR_KEY
}
revtr() {
	in_node home "$RETOUR" revtr "$@"
}
start_coordinator
revtr source add "$home" --agent here >/dev/null

# ---- scamper: one to the source, one to somebody else, one that does not get there
in_node probe scamper -O warts -o $scratch/to-home.warts -c 'trace -P icmp-paris -q 1 -w 1' -i "$home"
in_node probe scamper -O warts -o $scratch/to-far.warts -c 'trace -P icmp-paris -q 1 -w 1' -i "$far"
in_node probe scamper -O warts -o $scratch/too-short.warts -c 'trace -P icmp-paris -q 1 -w 1 -m 2' -i "$home"
revtr atlas import "$home" --json $scratch/to-home.warts $scratch/to-far.warts $scratch/too-short.warts >$scratch/imported
expect_equal "warts of scamper" '{"taken":1,"refused":{"other-target":1,"not-reached":1}}' "$(jq -c . $scratch/imported)"
expect_equal "who traced, and how many hops" "import:$probe 4 true" \
	"$(revtr atlas show "$home" --json | jq -r '.list[] | "\(.origin) \(.hops) \(.imported)"')"

# ---- RIPE Atlas, one result a line: the probe stands at far, behind a NAT
now=$(date +%s)
cat >$scratch/ripe.json <<-JSON
	{"fw":5080,"type":"traceroute","msm_id":1,"prb_id":1,"timestamp":$now,"dst_addr":"$home","src_addr":"10.0.0.7","from":"$far","proto":"ICMP","af":4,"result":[{"hop":1,"result":[{"from":"10.0.0.1","ttl":64,"rtt":0.2}]},{"hop":2,"result":[{"from":"$(address 4 r3 far)","ttl":63,"rtt":0.3}]},{"hop":3,"result":[{"from":"$home","ttl":62,"rtt":0.4}]}]}
	{"fw":5080,"type":"traceroute","msm_id":1,"prb_id":2,"timestamp":1500000000,"dst_addr":"$home","from":"192.0.2.8","proto":"ICMP","af":4,"result":[{"hop":1,"result":[{"from":"192.0.2.9","ttl":64,"rtt":0.2}]},{"hop":2,"result":[{"from":"$home","ttl":62,"rtt":0.4}]}]}
JSON
expect_equal "results of RIPE Atlas" "1 of 2 traceroutes taken; not taken: 1 too old to be believed" \
	"$(revtr atlas import "$home" $scratch/ripe.json)"
expect_equal "two of them" "2 2 0" "$(revtr atlas show "$home" --json | jq -r '"\(.traceroutes) \(.imported) \(.used)"')"

# ---- what is no traceroute, and a source that is none
echo nothing >$scratch/nothing
expect_status 4 in_node home "$RETOUR" revtr atlas import "$home" $scratch/nothing
grep -q "no traceroute was recognised" $scratch/err || fail "nothing in it: $(cat $scratch/err)"
expect_status 4 in_node home "$RETOUR" revtr atlas import "$far" $scratch/to-far.warts
grep -q "not a registered source" $scratch/err || fail "no source: $(cat $scratch/err)"
expect_status 4 in_node home "$RETOUR" revtr atlas import "$home" $scratch/missing
grep -q "cannot read" $scratch/err || fail "no file: $(cat $scratch/err)"

# ---- alias sets as CAIDA writes them
printf '# nodes\nnode N1:  %s %s\nnode N2:  192.0.2.1\n' "$(address 4 r2 r1)" "$(address 4 r2 r3)" >$scratch/nodes
expect_equal "alias sets" "2 addresses of 1 router" "$(revtr aliases import $scratch/nodes)"

# ---- killed: all of it is there, and the way back of the probe leans on what it has traced
kill -9 $coordinator
wait $coordinator 2>/dev/null || true
start_coordinator
expect_equal "after a kill" "2 2 0" "$(revtr atlas show "$home" --json | jq -r '"\(.traceroutes) \(.imported) \(.used)"')"
expect_equal "aliases after a kill" "2 addresses of 1 router" "$(revtr aliases)"
here() {
	[ "$(revtr agents --json | jq '[.agents[] | select(.online)] | length')" = 1 ]
}
await 20 here
revtr submit "$home" "$probe" --wait --json >$scratch/result
expect_equal "the way back of the probe" "$(truth probe "$home")" "$(jq -r '.hops[].address' $scratch/result | owners)"
expect_equal "how it is known" atlas "$(jq -r '.hops[].technique' $scratch/result | sort -u)"
expect_equal "it was of use" "import:$probe 1" \
	"$(revtr atlas show "$home" --json | jq -r '.list[] | select(.uses > 0) | "\(.origin) \(.uses)"')"
revtr atlas clean "$home" >/dev/null
expect_equal "forgotten" "$home: no traceroutes to it are known" "$(revtr atlas "$home")"
