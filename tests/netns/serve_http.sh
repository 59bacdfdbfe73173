#!/bin/bash
# The daemon's HTTP interface, asked by curl across Linux routers with different ways there and back: the path it tells
# is the one that packets take, it is told to nobody else, and what strangers do to it does not stop the responder.
. "$(dirname "$0")/lib.sh"

need nft curl openssl
build_asymmetric

start() { # OPTIONS...
	rm -f $scratch/serve
	nsenter --net=/run/netns/far -- "$RETOUR" serve "$@" 2>$scratch/serve &
	server=$!
	await 5 grep -qs 'on every interface' $scratch/serve
}

stop() {
	kill $server
	wait $server || fail "exit status $? after SIGTERM: $(cat $scratch/serve)"
}

get() { # PATH [CURL OPTIONS...]
	in_node near curl -gsS --path-as-is -m 20 "${@:2}" "$base$1"
}

status_of() { # PATH [CURL OPTIONS...]
	get "$1" -o /dev/null -w '%{http_code}' "${@:2}"
}

base4="http://$far4:8080" base6="http://[$far6]:8080"
start --listen :8080 --trace-rate 10000

for family in 4 6; do
	base=base$family base=${!base} us=near$family us=${!us}
	expect_equal "IPv$family: the address" "$us" "$(get /api/v1/address | jq -r .address)"
	expected=$(reference far "$us")
	for protocol in udp icmp tcp; do
		get "/api/v1/trace?protocol=$protocol" >$scratch/trace.json
		expect_equal "IPv$family: the path by $protocol" "$expected" "$(hops $scratch/trace.json forward)"
		validate $scratch/trace.json
	done
	expect_equal "IPv$family: from where to where" "$(address $family far g2) $us true" \
		"$(jq -r '"\(.source.address) \(.target.address) \(.forward.reached)"' $scratch/trace.json)"
	get /api/v1/trace?flow=40000 >$scratch/trace.json
	expect_equal "IPv$family: a chosen flow" 40000 "$(jq .forward.flow.destination_port $scratch/trace.json)"
	get /api/v1/trace -H 'Accept: text/plain' >$scratch/trace.txt
	while read -r hop; do
		grep -qF "$hop" $scratch/trace.txt || fail "no $hop in the text: $(cat $scratch/trace.txt)"
	done <<<"$expected"
	echo "ok: IPv$family: as text"
	get "/.well-known/looking-glass/v1/traceroute/$us" >$scratch/lg.json
	expect_equal "IPv$family: RFC 8522 traceroute" "$expected" \
		"$(jq -r '.data.output[1:][] | split(" ") | map(select(. != "")) | .[1]' $scratch/lg.json)"
	expect_equal "IPv$family: RFC 8522 traceroute as JSON" "$expected" \
		"$(get "/.well-known/looking-glass/v1/traceroute/$us?format=application/json" |
			jq -r '.data.output.forward.hops[].address')"
	expect_equal "IPv$family: RFC 8522 ping" "5 packets transmitted, 5 received, 0% packet loss" \
		"$(get "/.well-known/looking-glass/v1/ping/$us" | jq -r '.data.output[-1]')"
done

# ---- to nobody but the asker

base=$base4
other=$(address 4 f1 g1)
expect_equal "another target" 403 "$(status_of "/api/v1/trace?target=$other")"
expect_equal "another target by RFC 8522" 403 "$(status_of "/.well-known/looking-glass/v1/ping/$other")"
for header in X-Forwarded-For X-Real-IP Forwarded; do
	value=$other
	[ $header != Forwarded ] || value="for=$other"
	expect_equal "a forged $header" "$near4" "$(get /api/v1/address -H "$header: $value" | jq -r .address)"
	expect_equal "a trace with a forged $header" "$near4" \
		"$(get /api/v1/trace -H "$header: $value" | jq -r .target.address)"
done

# ---- what is not right is said

while read -r expected path; do
	expect_equal "$path" "$expected" "$(status_of "$path")"
done <<-END
	404 /nothing
	404 /api/v1/trace/
	404 /api/v1/../../etc/passwd
	404 /%2e%2e/%2e%2e/etc/passwd
	404 /api/v1/%ff%fe%80
	400 /api/v1/trace?protocol=sctp
	400 /api/v1/trace?flow=0
	400 /api/v1/trace?flow=70000
	400 /api/v1/trace?flow=-1
	400 /api/v1/trace?target=%ff%fe
	400 /api/v1/trace?target=--help
	400 /.well-known/looking-glass/v1/traceroute/near.test
	400 /.well-known/looking-glass/v1/ping/$near4?protocol=2,1
	404 /.well-known/looking-glass/v1/routers/2
	501 /.well-known/looking-glass/v1/show/route/192.0.2.0/24
END
expect_equal "HEAD" 200 "$(status_of /api/v1/address -I)"
expect_equal "HEAD of a trace" 405 "$(status_of /api/v1/trace -I)"
for method in POST PUT DELETE OPTIONS TRACE NONSENSE; do
	expect_equal "$method" 405 "$(status_of /api/v1/address -X $method)"
done
expect_equal "a body of 1 MB" 405 "$(head -c 1000000 /dev/zero | status_of /api/v1/address --data-binary @-)"
expect_equal "a long URL" 414 "$(status_of "/$(head -c 30000 /dev/zero | tr '\0' a)")"
expect_equal "long headers" 431 "$(status_of /api/v1/address -H "X: $(head -c 30000 /dev/zero | tr '\0' a)")"

# Several requests at once on one connection are answered in order.
printf 'GET /api/v1/%s HTTP/1.1\r\nHost: x\r\n\r\n' address trace health >$scratch/pipelined
expect_equal "pipelined requests" "address schema status" "$(
	# shellcheck disable=SC2016 # the inner shell expands
	in_node near timeout 5 bash -c 'exec 3<>/dev/tcp/$0/8080; cat $1 >&3; timeout 2 cat <&3' "$far4" $scratch/pipelined |
		grep -aoE '^  "(address|schema|status)"' | tr -d ' "' | tr '\n' ' ' | sed 's/ $//')"

# ---- confined, with HTTP on

grep -q '^CapPrm:[[:space:]]*0000000000000000$' "/proc/$server/status" || fail "the server kept capabilities"
grep -q '^CapEff:[[:space:]]*0000000000000000$' "/proc/$server/status" || fail "the server kept capabilities"
grep -q '^Seccomp:[[:space:]]*2$' "/proc/$server/status" || fail "the server's system calls are not limited"
echo "ok: confined"
stop

# ---- to some networks only

start --listen :8080 --allow "$near4" --allow 192.0.2.0/24
base=$base4
expect_equal "who is allowed" 200 "$(status_of /api/v1/address)"
base=$base6
for path in / /api/v1/address /api/v1/trace /api/v1/inband /metrics; do
	expect_equal "who is not: $path" 403 "$(status_of $path)"
done
stop

# ---- HTTPS

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=far.test -addext "subjectAltName=DNS:far.test" \
	-keyout $scratch/key.pem -out $scratch/certificate.pem 2>/dev/null
start --listen "$far4:8443" --listen "[$far6]:8443" --tls-certificate $scratch/certificate.pem \
	--tls-key $scratch/key.pem
for family in 4 6; do
	us=near$family us=${!us}
	for path in address trace; do
		in_node near curl -gsS -m 20 -$family --cacert $scratch/certificate.pem \
			"https://far.test:8443/api/v1/$path" >$scratch/$path.json
	done
	expect_equal "HTTPS, IPv$family: the address" "$us" "$(jq -r .address $scratch/address.json)"
	expect_equal "HTTPS, IPv$family: the path" "$(reference far "$us")" "$(hops $scratch/trace.json forward)"
done
in_node near curl -gsS -m 5 "http://$far4:8443/api/v1/address" >/dev/null 2>&1 && fail "HTTP where HTTPS is spoken"
grep -q '^CapEff:[[:space:]]*0000000000000000$' "/proc/$server/status" || fail "the server kept capabilities"
grep -q '^Seccomp:[[:space:]]*2$' "/proc/$server/status" || fail "the server's system calls are not limited"
echo "ok: confined with TLS"

# ---- a new certificate

make_certificate() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1" \
		-addext "subjectAltName=DNS:far.test" -keyout $scratch/new-key.pem -out $scratch/new.pem 2>/dev/null
}
take_certificate() {
	mv $scratch/new-key.pem $scratch/key.pem
	mv $scratch/new.pem $scratch/certificate.pem
}
is_served() { # NAME
	[ "$(in_node near openssl s_client -connect "$far4:8443" </dev/null 2>/dev/null |
		openssl x509 -noout -subject -nameopt multiline | awk '/commonName/ { print $3 }')" = "$1" ]
}
is_served far.test || fail "another certificate than the one that was given"
in_node near /usr/bin/python3 - "$far4" 8443 $scratch/go >$scratch/stayed <<-'END' &
	import os, socket, ssl, sys, time
	context = ssl.create_default_context()
	context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
	client = context.wrap_socket(socket.create_connection((sys.argv[1], int(sys.argv[2]))))
	print("connected", flush=True)
	while not os.path.exists(sys.argv[3]):
	    time.sleep(0.05)
	client.sendall(b"GET /api/v1/address HTTP/1.0\r\n\r\n")
	print(b"".join(iter(lambda: client.recv(4096), b"")).decode())
END
client=$!
await 20 grep -qs connected $scratch/stayed
make_certificate second
take_certificate
kill -HUP $server
await 20 is_served second
touch $scratch/go
wait $client
grep -q '200 OK' $scratch/stayed || fail "who was connected is not served: $(cat $scratch/stayed)"
echo "ok: who is connected stays so"
make_certificate third
mv $scratch/new.pem $scratch/certificate.pem
kill -HUP $server
await 20 grep -q 'the certificate that was there stays in use: .*certificate and key' $scratch/serve
is_served second || fail "a key that does not fit took the certificate away"
make_certificate fourth
take_certificate
await 60 is_served fourth
echo "ok: a new certificate is taken by itself"
grep -q '^CapEff:[[:space:]]*0000000000000000$' "/proc/$server/status" || fail "the server got capabilities"
stop
printf 'no certificate\n' >$scratch/bad.pem
expect_status 4 in_node far "$RETOUR" serve --listen :8443 --tls-certificate $scratch/bad.pem \
	--tls-key $scratch/key.pem
grep -q 'bad.pem: expected a file in PEM form' $scratch/err || fail "a bad certificate: $(cat $scratch/err)"
openssl genrsa -out $scratch/other.pem 2048 2>/dev/null
expect_status 4 in_node far "$RETOUR" serve --listen :8443 --tls-certificate $scratch/certificate.pem \
	--tls-key $scratch/other.pem
grep -q 'with this certificate and key' $scratch/err || fail "a key that does not fit: $(cat $scratch/err)"
expect_status 3 in_node far "$RETOUR" serve --listen :8443 --tls-certificate $scratch/certificate.pem

# ---- what the operator allows, from a file

cat >$scratch/serve.yaml <<-END
	listen: [":8080"]
	roles: [http]
	allow_target: ["$(prefix 4 f1 f2)", "$(prefix 6 f1 f2)"]
	trust_proxy: ["$near4"]
	trace_rate: 30
END
nsenter --net=/run/netns/far -- "$RETOUR" serve --config $scratch/serve.yaml 2>$scratch/serve &
server=$!
await 5 grep -qs 'HTTP on every address' $scratch/serve
sleep 0.2
base=$base6
expect_equal "no role of responder" "" "$(in_node far nft list ruleset)"
for family in 4 6; do
	target=$(address $family f1 f2)
	get "/api/v1/trace?target=$target" >$scratch/trace.json
	expect_equal "an allowed target, IPv$family" "$(reference far "$target")" "$(hops $scratch/trace.json forward)"
done
base=$base4
client=$(address 4 f2 f1)
expect_equal "the client of a trusted proxy" "$client null" "$(get /api/v1/address \
	-H "X-Forwarded-For: 192.0.2.9, $client" | jq -r '"\(.address) \(.port)"')"
expect_equal "the last of two headers" "$client" \
	"$(get /api/v1/address -H "X-Forwarded-For: 192.0.2.9" -H "x-forwarded-for: $client" | jq -r .address)"
get /api/v1/trace -H "X-Forwarded-For: $client" >$scratch/trace.json
expect_equal "the path to the client of a trusted proxy" "$(reference far "$client")" \
	"$(hops $scratch/trace.json forward)"
expect_equal "no trace inside the connection of a proxy" 501 \
	"$(status_of /api/v1/inband -H "X-Forwarded-For: $client")"

# Thirty a minute, ten at once; three were used above, as the prefix of IPv6 asked twice and was a target once.
base=$base6
for left in 6 5 4 3 2 1 0; do
	expect_equal "$left are left" 200 "$(status_of /api/v1/trace)"
done
get /api/v1/trace -D $scratch/headers >/dev/null
expect_equal "too many a minute" 429 "$(awk 'NR == 1 { print $2 }' $scratch/headers)"
expect_equal "and when to come again" 2 "$(tr -d '\r' <$scratch/headers | awk '/^Retry-After/ { print $2 }')"
expect_equal "Prometheus counts it" 'retour_traces_refused_total{reason="rate"} 1' \
	"$(get /metrics | grep 'refused_total{reason="rate"}')"
stop
printf 'listen: [":8080"]\nallow_target:\n  - 10.0.0.0/8\n  - 10.0.0.1/8\n' >$scratch/serve.yaml
expect_status 3 in_node far "$RETOUR" serve --config $scratch/serve.yaml
grep -q 'serve.yaml:4: allow_target 10.0.0.1/8: expected a network' $scratch/err ||
	fail "a mistake in the file: $(cat $scratch/err)"
printf 'listen: [":8080"]\nroles: [http, chef]\n' >$scratch/serve.yaml
expect_status 3 in_node far "$RETOUR" serve --config $scratch/serve.yaml
grep -q 'serve.yaml:2: roles chef: expected' $scratch/err || fail "a mistake in the file: $(cat $scratch/err)"
echo "ok: mistakes in the file are told with their line"
