#!/bin/bash
# `retour doctor` says what holds: each case makes a machine that has, or lacks, one thing. Inside namespaces of its own;
# rules, sysctls and routes below are theirs.
. "$(dirname "$0")/common.sh"
need jq unshare ip nft setpriv
if [ -z "${RETOUR_DOCTOR_INSIDE-}" ]; then
	[ "$(id -u)" -eq 0 ] || skip 'needs root, to take things away'
	unshare --net --mount true 2>/dev/null || skip 'no right to make namespaces'
	rm -rf "$scratch"
	RETOUR_DOCTOR_INSIDE=1 exec unshare --net --mount "$BASH" "$0"
fi
ip link set lo up

doctor() { # STATUS: the document goes to $scratch/doctor
	status "$1" "$retour" doctor --json
	mv "$scratch/out" "$scratch/doctor"
}

state() { # ID: state and remedy
	jq -r --arg id "$1" '.checks[] | select(.id == $id) | .state' "$scratch/doctor" | sort -u | tr '\n' ' ' | sed 's/ $//'
}

remedy() { # ID
	jq -r --arg id "$1" '.checks[] | select(.id == $id) | .remedy // empty' "$scratch/doctor"
}

# Do as it says.
follow() { # ID
	bash -c "$(remedy "$1" | sed 's/^sudo //')"
}

# ---- no network at all

doctor 4
equal 'no route' "$(state route-ipv4) $(state route-ipv6)" 'missing missing'
equal 'raw sockets all the same' "$(state raw-ipv4)" ok
equal 'loopback is tried' "$(state error-queue-ipv4) $(state timestamps)" 'ok ok'
equal 'nothing' "$(jq -r .can_measure "$scratch/doctor")" nothing
ip link set lo down
doctor 4
equal 'no loopback' "$(state error-queue-ipv4)" missing
has 'and what to do' "$(remedy error-queue-ipv4)" 'ip link set lo up'
follow error-queue-ipv4
doctor 4
equal 'the remedy helps' "$(state error-queue-ipv4)" ok

# ---- a route

ip link add up0 type veth peer name up1
ip address add 192.0.2.1/24 dev up0
ip link set up0 up
ip link set up1 up
ip route add default via 192.0.2.254
doctor 0
equal 'a route' "$(state route-ipv4) $(state route-ipv6)" 'ok missing'
equal 'all' "$(jq -r .can_measure "$scratch/doctor")" all
has 'from where' "$(jq -r '.checks[] | select(.id == "route-ipv4") | .meaning' "$scratch/doctor")" 192.0.2.1

# ---- without privilege, from a copy that nobody can read

install -m 755 "$retour" "$scratch/retour"
chmod 755 "$scratch"
as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all
	"$scratch/retour")
if "${as_nobody[@]}" --version >/dev/null 2>&1; then
	status 1 "${as_nobody[@]}" doctor --json
	mv "$scratch/out" "$scratch/doctor"
	equal 'nobody: part' "$(jq -r .can_measure "$scratch/doctor")" part
	equal 'nobody: privilege' "$(state privilege)" limited
	has 'nobody: setcap' "$(remedy privilege)" "setcap cap_net_raw+ep $scratch/retour"
	equal 'nobody: raw' "$(state raw-ipv4)" missing
	equal 'nobody: error queue' "$(state error-queue-ipv4)" ok
	equal 'nobody: firewall cannot be read' "$(state firewall)" unknown
	equal 'nobody: nothing on standard error' "$(cat "$scratch/err")" ''
	sysctl -qw net.ipv4.ping_group_range='1 0'
	status 1 "${as_nobody[@]}" doctor --json
	mv "$scratch/out" "$scratch/doctor"
	equal 'nobody: ping' "$(state ping-ipv4)" limited
	sysctl -qw net.ipv4.ping_group_range='0 2147483647'
	status 1 "${as_nobody[@]}" doctor --json
	mv "$scratch/out" "$scratch/doctor"
	equal 'nobody: ping, after the remedy' "$(state ping-ipv4)" ok
else
	echo 'not tested: without privilege (cannot become nobody here)'
fi

# ---- the firewall

doctor 0
equal 'no rules' "$(state firewall)" ok
nft -f - <<'END'
table inet t {
	chain in {
		type filter hook input priority 0; policy drop;
		ct state established accept
		iif lo accept
	}
	chain other {
		type filter hook forward priority 0; policy drop;
	}
}
END
doctor 0
equal 'policy drop' "$(state firewall)" limited
equal 'one finding: what is forwarded is not ours' "$(jq '[.checks[] | select(.id == "firewall")] | length' "$scratch/doctor")" 1
has 'policy drop: what to do' "$(remedy firewall)" 'ct state related accept'
follow firewall
doctor 0
equal 'the remedy helps' "$(state firewall)" ok
nft add rule inet t in icmp type time-exceeded drop
doctor 0
equal 'a rule drops time-exceeded' "$(state firewall)" limited
follow firewall
doctor 0
equal 'the remedy takes it away' "$(state firewall)" ok
nft flush ruleset
nft add table ip6 t6
nft 'add chain ip6 t6 out { type filter hook output priority 0; policy accept; }'
nft add rule ip6 t6 out icmpv6 type echo-request reject
doctor 0
has 'outgoing' "$(jq -r '.checks[] | select(.id == "firewall") | .meaning' "$scratch/doctor")" 'goes out'
nft flush ruleset
nft add table inet t
nft 'add chain inet t out { type filter hook output priority 0; policy accept; }'
nft add rule inet t out icmp type destination-unreachable drop
doctor 0
equal 'an error that never comes' "$(state error-queue-ipv4)" missing
nft flush ruleset

# ---- the kernel's own limits

for value in 0 1000; do
	sysctl -qw net.ipv4.icmp_ratelimit=$value 2>/dev/null || break
	doctor 0
	[ $value -eq 0 ] && expected=ok || expected=limited
	equal "icmp_ratelimit $value" "$(state icmp-limit)" "$expected"
done
for value in 0 1 2; do
	sysctl -qw net.ipv4.conf.all.rp_filter=$value net.ipv4.conf.default.rp_filter=0
	doctor 0
	[ $value -eq 1 ] && expected=limited || expected=ok
	equal "rp_filter $value" "$(state rp-filter)" "$expected"
done

# ---- who else may be asked

doctor 0
equal 'no settings' "$(state settings)" ok
export XDG_CONFIG_HOME=$scratch/config
mkdir -p "$XDG_CONFIG_HOME/retour"
printf 'public_address: 198.51.100.9\nlooking_glasses:\n  - {name: a, type: rfc8522, url: "http://192.0.2.9/"}\n' \
	>"$XDG_CONFIG_HOME/retour/config.yaml"
doctor 0
has 'settings' "$(jq -r '.checks[] | select(.id == "settings") | .meaning' "$scratch/doctor")" '1 looking glasses'
has 'the address of the settings' "$(jq -r '.checks[] | select(.id == "public-address") | .meaning' "$scratch/doctor")" \
	198.51.100.9
printf 'nonsense: 1\n' >"$XDG_CONFIG_HOME/retour/config.yaml"
doctor 0
equal 'settings with a mistake' "$(state settings)" limited
unset XDG_CONFIG_HOME
export HOME=$scratch/home
ip address add 10.1.2.3/24 dev up0
ip address del 192.0.2.1/24 dev up0
ip route replace default via 10.1.2.254
doctor 0
equal 'a private address, and nobody to tell another' "$(state public-address)" limited
mkdir -p "$HOME/.config/retour"
printf 'stun: ["192.0.2.7:3478"]\n' >"$HOME/.config/retour/config.yaml"
doctor 0
equal 'a STUN server' "$(state public-address)" ok
status 0 /usr/bin/env PATH=/nonexistent "$retour" doctor --json
mv "$scratch/out" "$scratch/doctor"
equal 'no ssh' "$(state ssh)" limited
has 'what to install' "$(remedy ssh)" openssh-client
equal 'libraries' "$(state live-screen) $(state resolver) $(state http-client) $(state http-server)" 'ok ok ok ok'

# ---- data, terminal, locale

export RETOUR_DATA=$scratch/data
doctor 0
equal 'no data' "$(state data-origins) $(state data-exchanges) $(state data-relations)" 'limited limited limited'
printf '192.0.2.0\t24\t64500\n' >"$scratch/pfx2as"
printf '1|2|-1\n' >"$scratch/as-rel"
printf '192.0.2.0/24 EX\n' >"$scratch/ix"
"$retour" data import "$scratch/pfx2as" "$scratch/as-rel" "$scratch/ix" >/dev/null
doctor 0
equal 'data' "$(state data-origins) $(state data-exchanges) $(state data-relations)" 'ok ok ok'
touch -d '200 days ago' "$scratch/pfx2as"
"$retour" data import "$scratch/pfx2as" >/dev/null
doctor 0
equal 'old data' "$(state data-origins)" limited
has 'how old' "$(jq -r '.checks[] | select(.id == "data-origins") | .meaning' "$scratch/doctor")" '200 days'
LC_ALL=C doctor 0
equal 'plain locale' "$(state locale)" limited
LC_ALL=C.UTF-8 doctor 0
equal 'UTF-8' "$(state locale)" ok
equal 'not a terminal' "$(state terminal)" limited
for id in $(jq -r '.checks[].state' "$scratch/doctor" | sort -u); do
	case $id in ok | limited | missing | unknown) ;; *) fail "no such state: $id" ;; esac
done
status 3 "$retour" doctor server.lab
status 3 "$retour" doctor --nothing
status 0 "$retour" doctor
equal 'text: one line for each check' "$(grep -cE '^[a-z0-9-]+ +(ok|limited|missing|unknown) ' "$scratch/out")" \
	"$(jq '.checks | length' "$scratch/doctor")"
