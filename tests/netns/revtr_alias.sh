#!/bin/bash
# Routers are asked which addresses they have. What kernel routers show, what those show that answer from the interface
# that faces who asks, and what a firewall that refuses in somebody's stead does not.
#
#   home - r1 - r2 - r3 - far
#
# r2 answers as kernels do, r3 from its address towards r2, r1 refuses packets to far in its stead.
export NET4=198.18
. "$(dirname "$0")/lib.sh"
need nft

trap last_words EXIT

node home r1 r2 r3 far
link home r1 1
link r1 r2 2
link r2 r3 3
link r3 far 4
way default default home r1 r2
way default default far r3 r2
way "$(prefix 4 r3 far)" "$(prefix 6 r3 far)" r2 r3
way "$(prefix 4 home r1)" "$(prefix 6 home r1)" r2 r1
home=$(address 4 home r1) far=$(address 4 far r3)
in_node home ping -q -c 1 -w 10 "$far" >/dev/null || fail "home does not reach far"
in_node r3 nft -f - <<-END
	table ip raw {
		chain output {
			type filter hook output priority -300
			icmp type destination-unreachable ip saddr set $(address 4 r3 r2)
		}
	}
END
in_node r1 nft -f - <<-END
	table ip filter {
		chain forward {
			type filter hook forward priority 0
			ip daddr $far meta l4proto udp reject with icmp type port-unreachable
		}
	}
END

export XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config
mkdir -p $XDG_STATE_HOME $XDG_CONFIG_HOME
start_coordinator() {
	start_in home coordinator.log "$RETOUR" revtr coordinator --store $scratch/store --atlas-per-day 0 "$@"
	coordinator=$!
	await 20 grep -q 'agent here has come' $scratch/coordinator.log
	RETOUR_REVTR_KEY=$(cat $scratch/store-key)
	export RETOUR_REVTR_KEY
}
revtr() {
	in_node home "$RETOUR" revtr "$@"
}
found() { # ADDRESS...: state and others of each
	revtr aliases probe --json "$@" | jq -r '.addresses[] | "\(.address) \(.state) \(.others | join(" "))"' | sed 's/ $//'
}
start_coordinator
revtr source add "$home" --agent here >/dev/null

expect_equal "a kernel answers from whichever address was asked" "$(address 4 r2 r3) itself" "$(found "$(address 4 r2 r3)")"
expect_equal "nobody has told of any router yet" "0 addresses of 0 routers" "$(revtr aliases)"
expect_equal "a router that answers from the nearest interface" "$(address 4 r3 far) alias $(address 4 r3 r2)" \
	"$(found "$(address 4 r3 far)")"
expect_equal "it is kept" "2 addresses of 1 router" "$(revtr aliases)"
# Kernels differ in whether a firewall answers packets with options at all.
expect_equal "who refuses in another's stead is no alias of it" "$far " "$(found "$far" | sed -E 's/(silent|elsewhere)$//')"
printf '%s # nobody\n10.0.0.1\n' "$NET4.99.7" >$scratch/list
expect_equal "silence, and what is not asked" "$NET4.99.7 silent
10.0.0.1 not-asked" "$(found --file $scratch/list)"
revtr aliases probe "$(address 4 r3 far)" "$NET4.99.7" >$scratch/out
expect_equal "in words" "$(address 4 r3 far)       is one router's with $(address 4 r3 r2)
$NET4.99.7      silent: nothing is known" "$(cat $scratch/out)"
expect_equal "still one router" "2 addresses of 1 router" "$(revtr aliases)"

# ---- killed: it is there; and who does not want to be asked is not
kill -9 $coordinator
wait $coordinator 2>/dev/null || true
: >$scratch/coordinator.log
start_coordinator --opt-out "$(address 4 r3 far)/32"
expect_equal "after a kill" "2 addresses of 1 router" "$(revtr aliases)"
expect_equal "opted out" "$(address 4 r3 far) not-asked" "$(found "$(address 4 r3 far)")"
expect_status 4 in_node home "$RETOUR" revtr aliases probe 2001:db8::1
grep -q "not an IPv4 address" $scratch/err || fail "IPv6: $(cat $scratch/err)"
expect_status 4 in_node home "$RETOUR" revtr aliases probe
