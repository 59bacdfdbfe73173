#!/bin/bash
# Reverse traceroute of a host that does not write itself down, by one machine: the list comes home full, and only the
# quote in a port unreachable tells where the way there ends.
#
#   home - g1 - f1 - g2 - mute      out by f1, home by b1 to b3
#           \ b3 - b2 - b1 /
export NET4=198.18
. "$(dirname "$0")/lib.sh"
need nft

node home g1 f1 g2 mute b1 b2 b3
link home g1 1
link g2 mute 2
link g1 f1 10
link f1 g2 11
link g2 b1 12
link b1 b2 13
link b2 b3 14
link b3 g1 15
way default default home g1 f1 g2
way default default mute g2
way default default b1 b2 b3 g1
way "$(prefix 4 home g1)" "$(prefix 6 home g1)" g2 b1 b2 b3 g1
way "$(prefix 4 home g1)" "$(prefix 6 home g1)" f1 g1
way "$(prefix 4 g2 mute)" "$(prefix 6 g2 mute)" g1 f1 g2
home=$(address 4 home g1) mute=$(address 4 mute g2)
in_node home ping -q -c 1 -w 10 "$mute" >/dev/null || fail "home does not reach mute"
in_node mute nft -f - <<-END
	table ip raw {
		chain prerouting { type filter hook prerouting priority -300; ip option rr exists drop; }
	}
END
start_in mute mute.log /usr/bin/python3 "$here/mute_host.py" to-g2
await 10 grep -q listening $scratch/mute.log

export XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config
mkdir -p $XDG_STATE_HOME $XDG_CONFIG_HOME
coordinator=
start_coordinator() { # OPTION...
	[ -z "$coordinator" ] || { kill -9 $coordinator && wait $coordinator; } 2>/dev/null || true
	rm -f $scratch/store*
	start_in home coordinator.log "$RETOUR" revtr coordinator --store $scratch/store "$@"
	coordinator=$!
	await 20 grep -q 'agent here has come' $scratch/coordinator.log
	RETOUR_REVTR_KEY=$(cat $scratch/store-key)
	export RETOUR_REVTR_KEY
	in_node home "$RETOUR" revtr source add "$home" --agent here >/dev/null
}

# Whether every router that the document shows on the way back wrote itself into a list.
all_wrote() {
	jq -c '[.reverse.hops[]?.technique] | length > 0 and all(. == "record-route")' $scratch/out
}

start_coordinator --no-timestamps
in_node home "$RETOUR" back "$mute" --via revtr --json >$scratch/out || true
expect_equal "without quotes: not by lists alone" false "$(all_wrote)"

start_coordinator --no-timestamps --quotes
expect_status 0 in_node home "$RETOUR" back "$mute" --via revtr --json
validate $scratch/out
expect_equal "with quotes: the true way back" "$(truth mute "$home")" "$(hops $scratch/out reverse | owners)"
expect_equal "with quotes: by lists alone" true "$(all_wrote)"
