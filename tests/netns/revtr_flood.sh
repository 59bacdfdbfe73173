#!/bin/bash
# What strangers do to the coordinator's HTTP interface does not stop honest clients elsewhere, with TLS and without.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../broker.sh"

need curl openssl
build_asymmetric
broker_authority $scratch
broker_certificate $scratch far "IP:$far4"
export XDG_CONFIG_HOME=$scratch/config SSL_CERT_FILE=$scratch/ca.crt

start() { # SCHEME OPTIONS...
	url=$1://$far4:7388
	rm -rf $scratch/store*
	start_in far coordinator.log "$RETOUR" revtr coordinator --store $scratch/store --listen :7388 "${@:2}"
	coordinator=$!
	await 15 in_node f1 curl -sk -o /dev/null "$url/api/v2/health"
	RETOUR_REVTR_KEY=$(cat $scratch/store-key)
	export RETOUR_REVTR_KEY
}

stop() {
	kill $coordinator
	wait $coordinator || fail "exit status $? after SIGTERM: $(cat $scratch/coordinator.log)"
}

# A new connection may have to come again: a full table takes it in once somebody else is out.
asks() {
	in_node f1 timeout 10 "$RETOUR" revtr budget --server "$url" --json
}

works() { # WHILE
	local begun=$SECONDS
	await 20 asks
	kill -0 $flooder || fail "the flood ended before it was seen what it does"
	echo "ok: $1: an honest client is answered, $((SECONDS - begun)) s"
}

# 62,500 addresses of 250 networks, all at the host that floods.
ip -n near route add local 10.88.0.0/16 dev lo
way 10.88.0.0/16 fd88::/64 far g2 b1 b2 b3 b4 g1 near

flood() { # MODE SECONDS [SOURCE PREFIX]
	in_node near /usr/bin/python3 "$here/http_flood.py" "$far4" 7388 "$2" "$1" ${3+"$3"} >$scratch/flood &
	flooder=$!
	sleep 1.5
}

memory_kb() {
	awk '$1 == "VmHWM:" { print $2 }' /proc/$coordinator/status
}

for scheme in http https; do
	options=()
	[ $scheme = http ] || options=(--tls-certificate "$scratch/far.crt" --tls-key "$scratch/far.key")
	start $scheme "${options[@]}"
	before=$(memory_kb)
	flood hold 25
	works "$scheme, one network opens 10,000 connections"
	kill $flooder
	wait $flooder || true
	flood hold 25 10.88
	works "$scheme, 250 networks open 10,000 connections"
	kill $flooder
	wait $flooder || true
	flood drip 60 10.88
	works "$scheme, 600 clients send a byte a second"
	kill $flooder
	wait $flooder || true
	flood bodies 25 10.88
	sleep 5
	works "$scheme, 600 clients without a key send 4 MB each"
	kill $flooder
	wait $flooder || true
	flood hammer 25 10.88
	works "$scheme, 16 networks ask without pause"
	kill $flooder
	wait $flooder || true
	[ $(($(memory_kb) - before)) -lt 65536 ] || fail "$scheme: from $before KB to $(memory_kb) KB"
	echo "ok: $scheme: $before KB before, $(memory_kb) KB at most"
	stop
done
