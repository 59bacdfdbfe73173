#!/bin/bash
# From nothing to a measured path with agents on other machines, as docs/revtr.md says it: the script that `retour revtr broker`
# prints sets up Debian's mosquitto, what it makes is all that coordinator and agents need, and the broker keeps out whoever
# has no certificate, and each agent to itself.
#
#   home --\            /-- a1 -- a2 -- server
#   hub  ---- gw -- r --
#   vp1 ----/           \-- vp2
export NET4=198.18
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/sbin
need mosquitto mosquitto_pub openssl

trap last_words EXIT

# A machine of its own: /etc is ours from here on.
mkdir -p $scratch/upper $scratch/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=$scratch/upper,workdir=$scratch/work /etc 2>/dev/null || skip "no overlay file systems here"
mkdir -p /etc/retour /etc/mosquitto/conf.d
rm -f /etc/mosquitto/conf.d/*
cat >/etc/mosquitto/mosquitto.conf <<-END
	# as Debian has it, but for the folders
	persistence true
	persistence_location $scratch/broker/
	log_dest file $scratch/broker/log
	include_dir /etc/mosquitto/conf.d
END
mkdir $scratch/broker
chown mosquitto $scratch/broker 2>/dev/null || skip "files cannot be given to mosquitto's user here"
chmod 755 $scratch

node home hub gw r a1 a2 server vp1 vp2
link home gw 1
link hub gw 2
link vp1 gw 3
link gw r 4
link r a1 5
link a1 a2 6
link a2 server 7
link vp2 r 8
for name in home hub vp1; do way default default $name gw; done
way default default gw r
way default default vp2 r
way default default server a2 a1 r gw
way "$(prefix 4 vp2 r)" "$(prefix 6 vp2 r)" gw r
for name in home hub vp1; do way "$(prefix 4 $name gw)" "$(prefix 6 $name gw)" r gw; done
way "$(prefix 4 a1 a2)" "$(prefix 6 a1 a2)" r a1
way "$(prefix 4 a2 server)" "$(prefix 6 a2 server)" r a1 a2
home=$(address 4 home gw) hub=$(address 4 hub gw) server=$(address 4 server a2)
for name in home hub vp1 vp2; do
	in_node $name ping -q -c 1 -w 10 "$server" >/dev/null || fail "$name does not reach the server"
	in_node $name ping -q -c 1 -w 10 "$hub" >/dev/null || fail "$name does not reach the hub"
done

# ---- the broker, by the printed script alone; this machine has no systemd
mkdir $scratch/bin
for name in systemctl service; do
	printf '#!/bin/sh\necho %s "$@" >>%s/restarted\n' $name $scratch >$scratch/bin/$name
	chmod +x $scratch/bin/$name
done
expect_status 0 "$RETOUR" revtr broker "$hub" home="$home" vp1 vp2
cp $scratch/out $scratch/script
PATH=$scratch/bin:$PATH expect_status 0 sh $scratch/script
expect_equal "the broker is restarted" "systemctl restart mosquitto" "$(cat $scratch/restarted)"
fingerprint=$(sha256sum /etc/mosquitto/retour/vp1.key)
PATH=$scratch/bin:$PATH expect_status 0 sh $scratch/script
expect_equal "again: what is there stays" "$fingerprint" "$(sha256sum /etc/mosquitto/retour/vp1.key)"
expect_equal "nobody else reads keys" 600 "$(stat -c %a /etc/mosquitto/retour/ca.key)"
start_in hub mosquitto.log mosquitto -c /etc/mosquitto/mosquitto.conf
broker=$!
await 10 in_node hub bash -c "exec 3<>/dev/tcp/$hub/8883"

# ---- each machine gets its file
for name in coordinator home vp1 vp2; do
	tar xf /etc/mosquitto/retour/$name.tar -C /etc/retour
done
sed -i 's/spoof: false/spoof: true/' /etc/retour/vp1.yaml /etc/retour/vp2.yaml
export XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config
mkdir -p $XDG_STATE_HOME $XDG_CONFIG_HOME
start_in hub coordinator.log "$RETOUR" revtr coordinator --broker "$hub" --ca /etc/retour/ca.crt \
	--certificate /etc/retour/coordinator.crt --certificate-key /etc/retour/coordinator.key
await 15 in_node hub bash -c "exec 3<>/dev/tcp/127.0.0.1/7388"
for name in home vp1 vp2; do
	start_in $name $name.log "$RETOUR" serve --config /etc/retour/$name.yaml
done
last=$!
revtr() {
	in_node hub "$RETOUR" revtr "$@"
}
filled() {
	[ "$(revtr atlas "$home" --json | jq .traceroutes)" = 2 ]
}
await 30 filled
expect_equal "agents" "home vp1 vp2" "$(revtr agents --json | jq -r '[.agents[] | select(.online) | .name] | sort | join(" ")')"
expect_status 0 revtr submit --wait --json "$home" "$server"
expect_equal "the true way back" "$(truth server "$home")" "$(jq -r '.hops[].address' $scratch/out | owners)"

# ---- a broker that keeps agents apart is not warned of; one that does not is, by each of them and by the coordinator
warned() { # PATTERN: agents whose note has it
	revtr agents --json | jq -r "[.agents[] | select((.note // \"\") | test(\"$1\")) | .name] | sort | join(\" \")"
}
all_warn() {
	[ "$(warned "$1")" = "home vp1 vp2" ]
}
broker_with() { # SED-SCRIPT of the file at /etc/mosquitto/conf.d/retour.conf as the script wrote it
	sed "$1" $scratch/retour.conf >/etc/mosquitto/conf.d/retour.conf
	kill $broker
	wait $broker || true
	start_in hub mosquitto.log mosquitto -c /etc/mosquitto/mosquitto.conf
	broker=$!
}
open='lets agents speak in each other.s names and read what is for others'
expect_equal "no warning" "" "$(warned WARNING)"
grep -h WARNING $scratch/coordinator.log $scratch/vp1.log && fail "a warning of a broker that is right"
cp /etc/mosquitto/conf.d/retour.conf $scratch/retour.conf
broker_with /^acl_file/d
await 60 all_warn "WARNING: the broker $open: it needs .acl_file."
echo "ok: a broker that keeps nobody apart is told of by all agents"
expect_equal "the coordinator tells it once" 1 "$(grep -c "WARNING: the broker $open" $scratch/coordinator.log)"
for name in home vp1 vp2; do
	grep -q "WARNING: the broker $open" $scratch/$name.log || fail "$name does not tell its owner: $(cat $scratch/$name.log)"
done
echo "ok: and to their owners"
revtr agents | grep -A3 '^vp1' | tr -s ' \n' ' ' | grep 'note: WARNING: the broker lets agents' || fail "$(revtr agents)"
sed 's|^pattern read retour/1/agent/%u/key|pattern read retour/1/#|' /etc/mosquitto/retour/acl >/etc/mosquitto/retour/acl.open
chown root:mosquitto /etc/mosquitto/retour/acl.open
chmod 640 /etc/mosquitto/retour/acl.open
broker_with 's|^acl_file.*|acl_file /etc/mosquitto/retour/acl.open|'
await 60 all_warn 'lets agents read what is for others: it'
echo "ok: one that only lets them read each other's messages, too"
broker_with ''
none_warns() {
	[ -z "$(warned WARNING)" ] && [ "$(revtr agents --json | jq '[.agents[] | select(.online)] | length')" = 3 ]
}
await 60 none_warns
echo "ok: and it is over when the broker is right"

# ---- the rights of the printed access list
as() { # NAME TOPIC: how often it is refused
	in_node vp1 mosquitto_pub -V 5 -q 1 -h "$hub" -p 8883 --cafile /etc/retour/ca.crt --cert /etc/retour/"$1".crt \
		--key /etc/retour/"$1".key -i "$1" -t "$2" -m '{}' -d 2>&1 | grep -ci 'not authorized' || true
}
kill $last
wait $last 2>/dev/null || true
for topic in retour/1/agent/vp1/status retour/1/agent/home/answer retour/1/agent/vp2/task; do
	expect_equal "vp2 may not say $topic" 1 "$(as vp2 $topic)"
done
expect_equal "vp2 may answer" 0 "$(as vp2 retour/1/agent/vp2/answer)"
if in_node vp1 mosquitto_pub -h "$hub" -p 8883 --cafile /etc/retour/ca.crt -t retour/1/agent/vp1/answer -m x 2>/dev/null; then
	fail "the broker lets in who has no certificate"
fi
echo "ok: nobody comes in without a certificate"
grep -q 'lets in' $scratch/coordinator.log && fail "the coordinator doubts a broker that is right"

# ---- a broker that is not set up so is told of
sed -i -e 's/require_certificate true/require_certificate false/' -e '/^use_/d' -e '/^acl_file/d' /etc/mosquitto/conf.d/retour.conf
echo 'allow_anonymous true' >>/etc/mosquitto/conf.d/retour.conf
kill $broker
wait $broker || true
start_in hub mosquitto.log mosquitto -c /etc/mosquitto/mosquitto.conf
start_in hub second.log "$RETOUR" revtr coordinator --store $scratch/second --listen 127.0.0.1:7389 --broker "$hub" --ca /etc/retour/ca.crt \
	--certificate /etc/retour/coordinator.crt --certificate-key /etc/retour/coordinator.key
await 30 grep -q 'lets in clients without a certificate' $scratch/second.log
echo "ok: a broker that lets everybody in is told of"

# ---- what it takes
for wrong in '-x' 'a b' broker coordinator 'vp1=nowhere' 'vp1=2001:db8::1' 'x/y' "x'y"; do
	expect_status 3 "$RETOUR" revtr broker "$hub" -- "$wrong"
done
# shellcheck disable=SC2016
expect_status 3 "$RETOUR" revtr broker 'host;$(reboot)' vp1
