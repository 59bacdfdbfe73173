#!/bin/bash
# DNS that says nothing while the broker has a name: the coordinator serves whoever asks all the same, and says what is
# wrong.
. "$(dirname "$0")/lib.sh"
need /usr/bin/python3 openssl curl
ip link set lo up
tries=0
printf 'hosts: files dns\n' >"$scratch/nsswitch.conf"
export XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config HOME=$scratch RETOUR_DATA=$scratch/data
url=http://127.0.0.1:7388

# Questions are taken and never answered.
/usr/bin/python3 -c '
import socket
asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asked.bind(("127.0.0.1", 53))
print("ready", flush=True)
while True:
    asked.recv(2000)
    print("asked", flush=True)' >"$scratch/dns" &
for _ in {1..100}; do
	! grep -q ready "$scratch/dns" || break
	sleep 0.1
done
openssl req -x509 -newkey ed25519 -nodes -days 1 -subj /CN=test -keyout "$scratch/key" -out "$scratch/crt" 2>/dev/null
"$RETOUR" revtr coordinator --broker broker.example.net --ca "$scratch/crt" --certificate "$scratch/crt" \
	--certificate-key "$scratch/key" 2>"$scratch/log" &
coordinator=$!
for _ in {1..300}; do
	! curl -s -m 2 -o "$scratch/health" "$url/api/v2/health" || break
	kill -0 $coordinator || fail "it ended: $(cat "$scratch/log")"
	sleep 0.1
done

# The C library would wait for ten seconds and more.
until grep -q "DNS does not answer" "$scratch/log"; do
	kill -0 $coordinator || fail "it ended: $(cat "$scratch/log")"
	curl -s -m 4 -o "$scratch/health" "$url/api/v2/health" || fail "nobody is served while DNS is silent"
	[ $((++tries)) -lt 600 ] || fail "it does not say what is wrong: $(cat "$scratch/log")"
	sleep 0.1
done
grep -q asked "$scratch/dns" || fail "DNS was not asked: nothing is tested here"
echo "ok the coordinator serves while DNS is silent ($tries times), and says so: $(grep -m 1 DNS "$scratch/log")"
kill $coordinator
wait $coordinator || fail "it did not end well: $(cat "$scratch/log")"
