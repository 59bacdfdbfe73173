#!/bin/bash
# The lab agrees with Linux. Each world of agreement.py is built twice, from routers of the kernel in namespaces and
# in the lab; the programs of agreement_tools.sh must say the same in both, word for word but for times. What differs
# for a reason is taken out by `excuse`, and told in docs/agreement.md.
#
#   agreement.sh [WORLD...]
. "$(dirname "$0")/lib.sh"
need mtr scamper /usr/bin/python3

describe() { # linux|lab WORLD
	/usr/bin/python3 "$here/agreement.py" "$@"
}

# Which programs run in which world; their targets are addresses of its description.
tools_of() { # WORLD
	case $1 in
	diamond) echo diamond ;;
	limited) echo limits ;;
	narrow) echo mtu ;;
	blackhole) echo hole ;;
	loop) echo circle ;;
	unreachable | prohibit) echo refusing ;;
	*) echo plain ;;
	esac
}

targets() { # WORLD: of the Linux build
	local last=${link_of[far/$(ip -n far -4 -j route | jq -r '.[0].dev' | sed 's/^to-//')]% *}
	echo "10.77.$last.2" "$(printf 'fd77:0:0:%x::2' "$last")" 10.77.2.2 fd77:0:0:2::2 10.77.3.1
}

compare() { # WORLD
	local world=$1 set arguments
	set=$(tools_of "$world")
	mkdir -p "$scratch/$world/linux" "$scratch/$world/lab"
	describe lab "$world" >"$scratch/$world/world.yaml"
	eval "$(describe linux "$world")"
	read -ra arguments <<<"$(targets "$world")"
	for n in $(ip netns list | awk '{ print $1 }'); do
		in_node "$n" sysctl -q net.ipv4.icmp_msgs_per_sec=100000 net.ipv4.icmp_msgs_burst=100000 \
			net.ipv4.fib_multipath_hash_policy=1 net.ipv6.fib_multipath_hash_policy=1
	done
	# Neighbours get to know each other.
	in_node near ping -q -c 2 -i 0.2 -W 1 "${arguments[0]}" >/dev/null || true
	in_node near traceroute -q 1 -N 1 -m 16 -w 1.2 "${arguments[1]}" >/dev/null
	# Both at once: most of the time they wait.
	in_node near "$here/agreement_tools.sh" "$scratch/$world/linux" "$set" "${arguments[@]}" &
	"$RETOUR" lab run -w "$scratch/$world/world.yaml" --on near -- \
		"$here/agreement_tools.sh" "$scratch/$world/lab" "$set" "${arguments[@]}"
	wait $!
	for n in $(ip netns list | awk '{ print $1 }'); do
		ip netns delete "$n"
	done
	diff -r -u "$scratch/$world/linux" "$scratch/$world/lab" >"$scratch/$world/differences" || {
		cat "$scratch/$world/differences"
		wrong=1
		return
	}
	[ -n "$(ls -A "$scratch/$world/lab")" ] || fail "$world: no program said anything"
	echo "ok: $world, $(find "$scratch/$world/lab" -type f | wc -l) outputs"
}

wrong=0
worlds=("$@")
[ ${#worlds[@]} -gt 0 ] || mapfile -t worlds < <(describe list)
for world in "${worlds[@]}"; do
	compare "$world"
done
[ -z "${KEEP-}" ] || cp -r $scratch/. "$KEEP"
[ $wrong = 0 ] || fail "the lab and Linux differ"
