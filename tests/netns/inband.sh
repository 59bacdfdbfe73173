#!/bin/bash
# The way back inside a TCP connection, through Linux's translator and stateful firewall, asked for by a user without
# privilege. Packets to the client go by x, those from it do not:
#
#   client -- home -- wall -- r1 -- r2 -- r3 -- server
#                               \-- x --/
. "$(dirname "$0")/lib.sh"

need nft curl setpriv openssl tcpdump
/usr/bin/python3 -c 'import http.client' 2>/dev/null || skip "no python3"

node client home wall r1 r2 x r3 server
link client home 1
link home wall 2
link wall r1 3
link r1 r2 4
link r2 r3 5
link r1 x 6
link x r3 7
link r3 server 8
way default default client home wall r1 r2 r3
way default default server r3 x r1
way default default x r3
way "$(prefix 4 r3 server)" "$(prefix 6 r3 server)" r2 r3
for cable in "home client" "wall home" "r1 wall"; do
	read -r left right <<<"$cable"
	way "$(prefix 4 "$left" "$right")" "$(prefix 6 "$left" "$right")" r3 x r1
	way "$(prefix 4 "$left" "$right")" "$(prefix 6 "$left" "$right")" r2 r1
done
way "$(prefix 4 wall home)" "$(prefix 6 wall home)" r1 wall
way "$(prefix 4 home client)" "$(prefix 6 home client)" r1 wall home
in_node home nft -f - <<'END'
table ip nat {
	chain post { type nat hook postrouting priority 100; oifname "to-wall" masquerade; }
}
END
in_node wall nft -f - <<'END'
table inet wall {
	chain forward {
		type filter hook forward priority 0; policy drop;
		ct state invalid counter drop
		ct state established,related accept
		iifname "to-home" accept
	}
}
END
server4=$(address 4 server r3) server6=$(address 6 server r3)
public4=$(address 4 home wall) client6=$(address 6 client home)
in_node client ping -q -c 1 -w 5 "$server4" >/dev/null || fail "no way there"
in_node client ping -q -c 1 -w 5 "$server6" >/dev/null || fail "no way there by IPv6"
in_node server traceroute -n -q 1 -N 1 -w 0.3 -m 6 "$public4" >/dev/null || true # neighbours get known

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=server.test \
	-addext "subjectAltName=DNS:server.test,IP:$server4,IP:$server6" -keyout $scratch/key.pem -out $scratch/cert.pem \
	2>/dev/null
chmod 644 $scratch/cert.pem
chmod 755 $scratch
export SSL_CERT_FILE=$scratch/cert.pem

serve() { # LINE...: of the configuration
	# One network asks here more often than anybody should.
	printf '%s\n' 'trace_rate: 600' "$@" >$scratch/serve.yaml
	start_in server serve "$RETOUR" serve --config $scratch/serve.yaml
	server=$!
	await 5 grep -qs . $scratch/serve
	grep -qE "HTTPS? on" $scratch/serve || fail "$(cat $scratch/serve)"
}

as_nobody() {
	in_node client env HOME=/nonexistent setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all -- "$@"
}

back() { # FAMILY URL [OPTION...]
	as_nobody "$RETOUR" back "-$1" -n --json --via inband "${@:3}" "$2" >$scratch/back.json 2>$scratch/err || true
	[ -s $scratch/back.json ] || fail "no document: $(cat $scratch/err)"
}

nodes() {
	hops $scratch/back.json reverse | owners
}

way4=$(truth server "$public4")$'\nhome' # the translator, and the client behind its address
way6=$(truth server "$client6")
expect_equal "the tables, IPv4" $'r3\nx\nr1\nwall\nhome\nhome' "$way4"
expect_equal "the tables, IPv6" $'r3\nx\nr1\nwall\nhome\nclient' "$way6"

serve 'roles: [inband]' 'listen: [":8080"]'
url4=http://$server4:8080/ url6="http://[$server6]:8080/"

whole_way() { # FAMILY WHAT URL
	local expected=way$1
	back "$1" "$3"
	validate $scratch/back.json
	expect_equal "IPv$1, $2" "${!expected}" "$(nodes)"
	expect_equal "IPv$1, $2: measured" 'true ["inband","measured"] ok' "$(jq -r '"\(.reverse.reached) " +
		"\([.reverse.hops[] | [.technique, .certainty]] | unique[0] | tojson) \(.reverse_attempts[0].status)"' \
		$scratch/back.json)"
}

whole_way 4 "behind NAT and firewall" "$url4"
expect_equal "IPv4: said" "6 hops, inside the connection: to this host, through your NAT, $public4" \
	"$(jq -r '.reverse_attempts[0].detail' $scratch/back.json)"
expect_equal "IPv4: the public address" "$public4" "$(jq -r .source.public_address $scratch/back.json)"
whole_way 6 "behind a firewall" "$url6"
expect_equal "IPv6: said" "6 hops, inside the connection: to this host" \
	"$(jq -r '.reverse_attempts[0].detail' $scratch/back.json)"

# Nothing that balancers look at differs between the probes and the connection, and no probe is sent twice.
start_in r3 capture.log tcpdump -v -n -i to-server -w "$scratch/capture" "src host $server6 and tcp src port 8080"
capture=$!
await 5 grep -q listening $scratch/capture.log
back 6 "$url6"
sleep 1.2 # libpcap hands packets on once a second
kill $capture
wait $capture || true
tcpdump -n -v -S -r $scratch/capture 2>/dev/null >$scratch/packets
expect_equal "one flow label" 1 "$(grep -o 'flowlabel 0x[0-9a-f]*' $scratch/packets | sort -u | wc -l)"
expect_equal "no number twice" "" "$(grep -o 'seq [0-9]*:[0-9]*,.*length 1$' $scratch/packets | cut -d, -f1 | sort | uniq -d)"
[ "$(grep -c 'hlim [1-9],' $scratch/packets)" -ge 18 ] || fail "$(cat $scratch/packets)"

# All that the text says, as anybody sees it.
as_nobody "$RETOUR" back -4 -n --via inband "$url4" >$scratch/text 2>$scratch/err || fail "status $?: $(cat $scratch/text)"
grep -q "$(address 4 x r3)" $scratch/text || fail "$(cat $scratch/text)"

# Through a proxy the connection ends there, and so does the path: that is said.
cat >$scratch/proxy.py <<-'END'
	import http.server, urllib.request
	class Proxy(http.server.BaseHTTPRequestHandler):
	    def do_GET(self):
	        body = urllib.request.urlopen(self.path).read()
	        self.send_response(200)
	        self.end_headers()
	        self.wfile.write(body)
	http.server.ThreadingHTTPServer(("", 3128), Proxy).serve_forever()
END
start_in home proxy.log /usr/bin/python3 $scratch/proxy.py
proxy=$!
# shellcheck disable=SC2016 # the inner shell expands
await 5 sh -c '[ -n "$(nsenter --net=/run/netns/home ss -Htln sport = :3128)" ]'
http_proxy=http://$(address 4 home client):3128 back 4 "$url4"
expect_equal "through a proxy" $'r3\nx\nr1\nwall\nhome' "$(nodes)"
expect_equal "through a proxy: known by" 'partial false ["inband","inferred"]' "$(jq -r '"\(.reverse_attempts[0].status) " +
	"\(.reverse.reached) \([.reverse.hops[] | [.technique, .certainty]] | unique[0] | tojson)"' $scratch/back.json)"
[[ $(jq -r '.reverse_attempts[0].detail' $scratch/back.json) == *"through a proxy"* ]] ||
	fail "$(jq .reverse_attempts $scratch/back.json)"
kill $proxy

# Ends that speak another TCP: no SACK, so that duplicates have no names; no timestamps.
sysctl_client() { # NAME VALUE
	# shellcheck disable=SC2016 # the inner shell expands
	in_node client sh -c 'echo "$2" >"/proc/sys/net/ipv4/$1"' sh "$1" "$2"
}
sysctl_client tcp_dsack 0
whole_way 4 "duplicates without names" "$url4"
sysctl_client tcp_sack 0
sysctl_client tcp_timestamps 0
whole_way 6 "neither SACK nor timestamps" "$url6"
sysctl_client tcp_sack 1
sysctl_client tcp_dsack 1
whole_way 4 "no timestamps" "$url4"
sysctl_client tcp_timestamps 1

# The connection lives on and carries data, nobody has reset anything, and the firewall found nothing amiss.
resets() {
	# shellcheck disable=SC2016 # awk's fields
	in_node "$1" awk '/^Tcp: [0-9]/ { print $9, $15 }' /proc/net/snmp # EstabResets OutRsts
}
before="$(resets client) $(resets server)"
in_node client /usr/bin/python3 - "$server4" "$server6" <<-'END' || fail "the connection did not survive"
	import http.client, json, sys
	for host in sys.argv[1:]:
	    connection = http.client.HTTPConnection(host, 8080, timeout=5)
	    ports = set()
	    for path in ("/api/v1/health", "/api/v1/inband", "/api/v1/health", "/api/v1/inband", "/api/v1/address"):
	        connection.request("GET", path)
	        ports.add(connection.sock.getsockname()[1])
	        document = json.loads(connection.getresponse().read())
	        if path.endswith("inband"):
	            assert document["reverse"]["reached"] and len(document["reverse"]["hops"]) == 6, document
	    assert len(ports) == 1
END
expect_equal "no resets" "$before" "$(resets client) $(resets server)"
expect_equal "the firewall dropped no segment" 0 \
	"$(in_node wall nft -j list ruleset | jq '[.. | .counter? | objects | .packets] | add')"
echo "ok: the connection carries data afterwards"

# A router that does not answer.
in_node x nft -f - <<-'END'
	table inet quiet {
		chain out {
			type filter hook output priority 0;
			icmp type time-exceeded drop
			icmpv6 type time-exceeded drop
		}
	}
END
for family in 4 6; do
	url=url$family expected=way$family
	back $family "${!url}"
	expect_equal "IPv$family, a silent hop" "${!expected/x/*}" "$(nodes)"
	expect_equal "IPv$family, a silent hop: reached" true "$(jq .reverse.reached $scratch/back.json)"
done

# Where the server's routing depends on the source, probes take the way of the connection, too.
link server r2 9
ip -n server rule add from "$server4" lookup 100
ip -n server route add default via "$(address 4 r2 server)" table 100
ip -n server -6 rule add from "$server6" lookup 100
ip -n server -6 route add default via "$(address 6 r2 server)" table 100
for family in 4 6; do
	url=url$family end=home
	[ $family = 4 ] || end=client
	back $family "${!url}"
	expect_equal "IPv$family, routing by source" $'r2\nr1\nwall\nhome\n'$end "$(nodes)"
done
ip -n server link del to-r2
ip -n server rule del from "$server4" lookup 100
ip -n server -6 rule del from "$server6" lookup 100

# Somebody beside the way who knows the ports forges answers, as many as he can.
in_node r2 /usr/bin/python3 - "$server4" "$public4" "$(address 4 r2 r3)" <<-'END' >/dev/null 2>&1 &
	import random, socket, struct, sys
	server, client, forger = sys.argv[1:]
	raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
	def checksum(data):
	    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
	    while total >> 16:
	        total = (total & 0xffff) + (total >> 16)
	    return ~total & 0xffff
	while True:
	    quote = struct.pack("!BBHHHBBH4s4sHHI", 0x45, 0, 53, random.randrange(65536), 0x4000, 1, 6, 0,
	        socket.inet_aton(server), socket.inet_aton(client), 8080, random.randrange(40001, 40004), random.randrange(1 << 32))
	    body = struct.pack("!BBHI", 11, 0, 0, 0) + quote
	    raw.sendto(body[:2] + struct.pack("!H", checksum(body)) + body[4:], (server, 0))
END
forger=$!
await 5 sh -c "nsenter --net=/run/netns/server awk '/^IcmpMsg: [0-9]/ { exit !(NF > 2) }' /proc/net/snmp"
for round in 1 2 3; do
	in_node client curl -sS -m 10 --local-port 4000$round "${url4}api/v1/inband" >$scratch/back.json
	expect_equal "forged answers, round $round" "${way4/x/*}" "$(nodes)"
done
kill $forger
in_node x nft flush ruleset

# Someone whose probes are swallowed in front of his door; and one who vanishes.
in_node home nft 'add table inet door; add chain inet door forward { type filter hook forward priority 0; };
	add rule inet door forward oifname "to-client" tcp sport 8080 meta length 53 drop'
back 4 "$url4"
expect_equal "no answer from the end" "${way4%$'\n'*}" "$(nodes | head -n 5)"
expect_equal "no answer from the end: not reached" "false partial" \
	"$(jq -r '"\(.reverse.reached) \(.reverse_attempts[0].status)"' $scratch/back.json)"
in_node home nft delete table inet door
in_node client /usr/bin/python3 - "$server6" <<-'END'
	import socket, subprocess, sys
	connection = socket.create_connection((sys.argv[1], 8080))
	connection.sendall(b"GET /api/v1/inband HTTP/1.1\r\nHost: x\r\n\r\n")
	subprocess.run(["ip", "link", "set", "to-home", "down"])
END
sleep 0.2
in_node client ip link set to-home up
in_node client ip -6 address replace "$client6/126" dev to-home nodad
way default default client home
# His turn ends when nothing was acknowledged for a while, or the answer has left.
vanished_is_forgotten() {
	back 6 "$url6" && [ "$(jq -r '.reverse_attempts[0].status' $scratch/back.json)" = ok ]
}
await 8 vanished_is_forgotten
whole_way 6 "after one has vanished" "$url6"

# Without the role: the ordinary trace from there, which the firewall does not let in; then it does.
kill $server
wait $server || fail "status $? after SIGTERM: $(cat $scratch/serve)"
serve 'roles: [http]' 'listen: [":8080"]'
back 4 "$url4"
expect_equal "an ordinary trace" $'r3\nx\nr1\nwall' "$(nodes | head -n 4)"
expect_equal "an ordinary trace: known by" "remote-trace partial" \
	"$(jq -r '"\(.reverse.hops[0].technique) \(.reverse_attempts[0].status)"' $scratch/back.json)"
in_node wall nft flush ruleset
back 4 "$url4"
expect_equal "an ordinary trace, let in" "${way4%$'\n'*}" "$(nodes)"
expect_equal "an ordinary trace, let in: said" \
	"the far host does not trace inside connections; an ordinary trace from there: 5 hops to $public4, your public \
address: reached your NAT" "$(jq -r '.reverse_attempts[0].detail' $scratch/back.json)"

# By TLS the segments hold other bytes and the rest is the same.
kill $server
wait $server || true
serve 'roles: [inband]' 'listen: [":8443"]' "tls: {certificate: $scratch/cert.pem, key: $scratch/key.pem}"
whole_way 4 "HTTPS" "https://$server4:8443/"
whole_way 6 "HTTPS" "https://[$server6]:8443/"

# Services that say something else.
cat >$scratch/fakes.py <<-'END'
	import http.server, threading
	def serve(port, body, repeat=1):
	    class Handler(http.server.BaseHTTPRequestHandler):
	        def do_GET(self):
	            self.send_response(200)
	            self.end_headers()
	            try:
	                for _ in range(repeat):
	                    self.wfile.write(body)
	            except OSError:
	                pass
	    server = http.server.ThreadingHTTPServer(("0.0.0.0", port), Handler)
	    threading.Thread(target=server.serve_forever).start()
	serve(9091, b"<html>\x1b[31mhello</html>")
	serve(9092, b" " * 65536, 100000)
	serve(9093, b'{"schema": "retour/1", "command": "back", "reverse": {"hops": 7}}')
END
start_in server fakes.log /usr/bin/python3 $scratch/fakes.py
fakes=$!
# shellcheck disable=SC2016 # the inner shell expands
await 5 sh -c '[ -n "$(nsenter --net=/run/netns/server ss -Htln sport = :9093)" ]'
for port in 9091 9092 9093; do
	back 4 "http://$server4:$port/"
	expect_equal "a service that is none, $port" "failed null" \
		"$(jq -r '"\(.reverse_attempts[0].status) \(.reverse)"' $scratch/back.json)"
	jq -r '.reverse_attempts[0].detail' $scratch/back.json
done
kill $fakes

# Nobody is there; no URL.
kill $server
wait $server || true
back 4 "$url4"
expect_equal "nobody serves" unavailable "$(jq -r '.reverse_attempts[0].status' $scratch/back.json)"
back 4 "$server4"
[[ $(jq -r '.reverse_attempts[0].detail' $scratch/back.json) == *"needs the URL"* ]] || fail "$(cat $scratch/back.json)"
echo "ok: nobody there, no URL"
