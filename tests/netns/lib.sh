# shellcheck shell=bash
# Real Linux routers in network namespaces. A test sources this file first; it then runs again inside its own
# network, mount and process namespaces, so that whatever it builds vanishes with it, even when it is killed:
# the kernel kills every process in there and frees every namespace, interface and rule.
#
# What the kernel refuses is a SKIP, with CI=true as well.
set -eEuo pipefail
trap 'echo "died at ${BASH_SOURCE[0]##*/}:$LINENO: status $?: $BASH_COMMAND" >&2' ERR

# Exported for helpers in other languages; RETOUR may name another binary.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../verdict.sh"
export RETOUR=${RETOUR:-$(cd "$here/../.." && pwd)/build/retour}

if [ -z "${RETOUR_TEST_INSIDE-}" ]; then
	need unshare nsenter ip jq ping traceroute
	[ -x "$RETOUR" ] || skip "$RETOUR is not built"
	enter=(unshare --net --mount --pid --fork --kill-child --mount-proc)
	[ "$(id -u)" -eq 0 ] || enter=(unshare --user --map-root-user "${enter[@]:1}")
	"${enter[@]}" true 2>/dev/null || skip "no right to make namespaces (neither root nor user namespaces)"
	export RETOUR_TEST_INSIDE=$$
	exec "${enter[@]}" "$BASH" "$0" "$@"
fi

mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/test
scratch=/run/test

# Names are known from a file only; no packet leaves for a resolver.
names=$scratch/hosts
printf '127.0.0.1 localhost\n::1 localhost\n' >$names
printf 'hosts: files\n' >$scratch/nsswitch.conf
mount --bind $names /etc/hosts
mount --bind $scratch/nsswitch.conf /etc/nsswitch.conf
if [ -e /etc/resolv.conf ]; then
	echo 'nameserver 127.0.0.1' >$scratch/resolv.conf
	mount --bind $scratch/resolv.conf "$(readlink -f /etc/resolv.conf)"
fi

# ---- building

in_node() { # NODE COMMAND...
	nsenter --net="/run/netns/$1" -- "${@:2}"
}

# In the background; the process itself, not a shell around it, is $!. Output goes to $scratch/LOG.
start_in() { # NODE LOG COMMAND...
	: >"$scratch/$2" # what an earlier one said is not waited for
	nsenter --net="/run/netns/$1" -- "${@:3}" >"$scratch/$2" 2>&1 &
}

# icmp_ratelimit of the routers in milliseconds; empty: whatever the kernel has.
: "${REPLY_LIMIT_MS=0}"

node() { # NAME...
	local name
	for name in "$@"; do
		ip netns add "$name"
		# shellcheck disable=SC2016 # the inner shell expands
		in_node "$name" sh -c '
			cd /proc/sys/net
			echo 1 >ipv4/ip_forward
			echo 1 >ipv6/conf/all/forwarding
			echo 0 >ipv4/conf/all/rp_filter
			echo 0 >ipv4/conf/default/rp_filter
			echo 0 >ipv4/conf/all/send_redirects
			echo 0 >ipv4/conf/default/send_redirects
			echo 0 >ipv6/conf/default/accept_dad
			echo 0 >ipv6/conf/default/accept_ra
			[ -z "$1" ] || echo "$1" >ipv4/icmp_ratelimit
			[ -z "$1" ] || echo "$1" >ipv6/icmp/ratelimit
			ip link set lo up' sh "$REPLY_LIMIT_MS"
	done
}

declare -A link_of owner_of

# The first half of all addresses. Private ones are nobody's to some parts of the program.
: "${NET4=10.77}"

# A cable. Interfaces are named after the far end; the left end is .1, the right end .2 of a /30 and a /126.
link() { # LEFT RIGHT NUMBER
	ip link add "to-$2" netns "$1" type veth peer name "to-$1" netns "$2"
	number_ends "$@"
}

number_ends() { # LEFT RIGHT NUMBER
	local end number=$3 hex
	hex=$(printf %x "$number")
	for end in 1 2; do
		local self=$1 other=$2
		[ $end = 1 ] || { self=$2 other=$1; }
		ip -n "$self" address add "$NET4.$number.$end/30" dev "to-$other"
		ip -n "$self" address add "fd77:0:0:$hex::$end/126" dev "to-$other" nodad
		ip -n "$self" link set "to-$other" up
		owner_of[$NET4.$number.$end]=$self
		owner_of[fd77:0:0:$hex::$end]=$self
	done
	link_of[$1/$2]="$number 1"
	link_of[$2/$1]="$number 2"
}

# The address of NODE on its cable to OTHER.
address() { # 4|6 NODE OTHER
	local number end
	read -r number end <<<"${link_of[$2/$3]}"
	if [ "$1" = 4 ]; then
		echo "$NET4.$number.$end"
	else
		printf 'fd77:0:0:%x::%d\n' "$number" "$end"
	fi
}

# The prefix of the cable between two nodes.
prefix() { # 4|6 NODE OTHER
	local number end
	read -r number end <<<"${link_of[$2/$3]}"
	if [ "$1" = 4 ]; then
		echo "$NET4.$number.0/30"
	else
		printf 'fd77:0:0:%x::/126\n' "$number"
	fi
}

# Packets for PREFIX4 and PREFIX6 go from each node to the next one.
way() { # PREFIX4 PREFIX6 NODE NODE...
	local prefix4=$1 prefix6=$2
	shift 2
	while [ $# -gt 1 ]; do
		ip -n "$1" route replace "$prefix4" via "$(address 4 "$2" "$1")"
		ip -n "$1" -6 route replace "$prefix6" via "$(address 6 "$2" "$1")"
		shift
	done
}

# Nine routers between `near` and `far`; there by the f's, back by the b's:
#
#             f1 -- f2 -- f3
#            /              \
#   near -- g1              g2 -- far
#            \              /
#             b4 - b3 - b2 - b1
build_asymmetric() {
	node near g1 f1 f2 f3 g2 b1 b2 b3 b4 far
	link near g1 1
	link g2 far 2
	link g1 f1 32
	link f1 f2 33
	link f2 f3 34
	link f3 g2 35
	link g2 b1 48
	link b1 b2 49
	link b2 b3 50
	link b3 b4 51
	link b4 g1 52
	way "$(prefix 4 g2 far)" "$(prefix 6 g2 far)" g1 f1 f2 f3 g2
	way "$(prefix 4 near g1)" "$(prefix 6 near g1)" g2 b1 b2 b3 b4 g1
	way default default near g1
	way default default far g2
	way default default f3 f2 f1 g1
	way default default b4 b3 b2 b1 g2
	# The routers' own addresses: 32..39 are the cables of the f's, 48..55 those of the b's.
	way "$NET4.32.0/21" fd77:0:0:20::/61 g1 f1
	way "$NET4.32.0/21" fd77:0:0:20::/61 g2 f3
	way "$NET4.48.0/21" fd77:0:0:30::/61 g1 b4
	way "$NET4.48.0/21" fd77:0:0:30::/61 g2 b1
	way "$(prefix 4 f2 f3)" "$(prefix 6 f2 f3)" f1 f2
	way "$(prefix 4 f3 g2)" "$(prefix 6 f3 g2)" f1 f2 f3
	way "$(prefix 4 b2 b3)" "$(prefix 6 b2 b3)" b1 b2
	way "$(prefix 4 b3 b4)" "$(prefix 6 b3 b4)" b1 b2 b3
	way "$(prefix 4 b4 g1)" "$(prefix 6 b4 g1)" b1 b2 b3 b4
	near4=$(address 4 near g1) near6=$(address 6 near g1)
	far4=$(address 4 far g2) far6=$(address 6 far g2)
	# Neighbours get to know each other: a first packet waits for that, and a burst of them is lost.
	in_node near ping -q -c 1 -w 5 "$far4" >/dev/null
	in_node near ping -q -c 1 -w 5 "$far6" >/dev/null
	in_node near traceroute -n -q 1 -N 1 -w 0.5 "$far6" >/dev/null
	in_node far traceroute -n -q 1 -N 1 -w 0.5 "$near6" >/dev/null
	printf '%s near.test\n%s near.test\n%s far.test\n%s far.test\n' "$near4" "$near6" "$far4" "$far6" >>$names
}

# ---- the truth, asked of the routing tables that the packets themselves meet

# The way from NODE to DESTINATION, a router a line and last the node that has the address.
truth() { # NODE DESTINATION
	local at=$1 gateway
	while gateway=$(ip -n "$at" -j route get "$2" | jq -r '.[0].gateway // empty') && [ -n "$gateway" ]; do
		at=${owner_of[$gateway]}
		echo "$at"
	done
	[ "$at" = "${owner_of[$2]}" ] || echo "${owner_of[$2]}"
}

# Standard input's addresses as the nodes that have them.
owners() {
	local address
	while read -r address; do
		echo "${owner_of[$address]-$address}"
	done
}

# The same way as Debian's traceroute sees it, by address: which of its addresses a router answers with is
# the kernel's choice.
reference() { # NODE DESTINATION
	in_node "$1" traceroute -n -q 1 -w 1 "$2" | awk 'NR > 1 { print $2 }'
}

# ---- reading a measurement

hops() { # DOCUMENT forward|reverse: an address a line, "*" where nobody answered
	jq -r --arg direction "$2" '.[$direction].hops[] | .address // "*"' "$1"
}

# The document keeps its contract.
validate() { # DOCUMENT
	local schema=$here/../../docs/schema/retour-1.schema.json
	[ -e "$schema" ] || return 0
	/usr/bin/python3 - "$schema" "$1" <<-'END' || fail "the document does not fit its schema: $(cat "$1")"
		import json, sys
		import jsonschema
		schema, document = (json.load(open(path)) for path in sys.argv[1:])
		jsonschema.Draft202012Validator(schema).validate(document)
	END
}

expect_equal() { # WHAT EXPECTED FOUND
	[ "$2" = "$3" ] || fail "$(printf '%s\n--- expected\n%s\n--- found\n%s' "$1" "$2" "$3")"
	echo "ok: $1"
}

expect_status() { # STATUS COMMAND...: standard output and error go to $scratch/out and $scratch/err
	local expected=$1 status=0
	shift
	"$@" >$scratch/out 2>$scratch/err || status=$?
	[ "$status" -eq "$expected" ] || fail "$(printf '%s: status %s, expected %s\n' "$*" "$status" "$expected"
		cat $scratch/out $scratch/err)"
}

# A test with servers says `trap last_words EXIT`: what they said, and what else it names, is shown when it fails.
last_words() { # FILE...
	local status=$?
	[ $status -eq 0 ] || [ $status -eq 77 ] ||
		tail -n 30 $scratch/*.log $scratch/out $scratch/err "$@" >&2 2>/dev/null || true
}

# Wait until a server in NODE has its socket; $1 seconds at most.
await() { # SECONDS COMMAND...: seconds of an idle machine; others have more to do
	local deadline=$((SECONDS + 3 * $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $deadline ] || fail "waited in vain for: $*"
		sleep 0.05
	done
}
