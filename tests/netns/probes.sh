#!/bin/bash
# Every kind of probe on Linux routers: with privilege and as `nobody`, beside Debian's traceroute, and on the wire.
. "$(dirname "$0")/lib.sh"
need setpriv tcpdump nft python3

build_asymmetric
as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all)
"${as_nobody[@]}" true 2>/dev/null || skip "cannot become nobody in this user namespace"
# Wherever it was built, nobody can read this copy.
install -m 755 "$RETOUR" $scratch/retour
RETOUR=$scratch/retour

# Documents are held against the schema all at once, in the end.
kept=0
keep() { # DOCUMENT
	cp "$1" "$scratch/document.$((kept += 1)).json"
}

measure() { # OPTIONS...: a document in $scratch/out
	expect_status 0 in_node near "$RETOUR" trace --json "$@"
	keep $scratch/out
}

# ---- each kind, there and beside traceroute

# The same question to both; traceroute asks each hop once.
for family in 4 6; do
	far=far$family
	while IFS='|' read -r ours theirs; do
		read -ra options <<<"$ours"
		measure "${options[@]}" "${!far}"
		expect_equal "IPv$family $ours: routers there" "$(truth near "${!far}")" \
			"$(hops $scratch/out forward | owners)"
		read -ra options <<<"$theirs"
		expect_equal "IPv$family $ours: the same as traceroute $theirs" \
			"$(in_node near traceroute -n -q 1 -w 1 "${options[@]}" "${!far}" | awk 'NR > 1 { print $2 }')" \
			"$(hops $scratch/out forward)"
	done <<-'END'
		-u | -U -p 33434
		-I | -I
		-T | -T
		-T -p 443 | -T -p 443
		-U | -U
		--udplite | -UL
		--proto 253 | -P 253
		-u --classic-port | -q 1
	END
done

# ---- on the wire

# What left near in a trace with these options, a packet a line.
on_the_wire() { # FILTER OPTIONS...
	local filter=$1 pid
	shift
	rm -f $scratch/wire $scratch/tcpdump.log
	start_in near tcpdump.log tcpdump -n -U --immediate-mode -i to-g1 -Q out -w $scratch/wire "$filter"
	pid=$!
	await 5 grep -q listening $scratch/tcpdump.log
	in_node near "$RETOUR" trace -n "$@" >/dev/null
	sleep 0.3
	kill "$pid"
	wait "$pid" 2>/dev/null || true
	python3 - $scratch/wire <<-'PYTHON'
		import struct, sys
		data = open(sys.argv[1], "rb").read()[24:]
		while data:
		    length = struct.unpack_from("<I", data, 8)[0]
		    ip, data = data[30:16 + length], data[16 + length:]
		    if ip[0] >> 4 == 4:
		        fields = ip[8], ip[1], struct.unpack_from(">H", ip, 2)[0], "DF" if ip[6] & 0x40 else "-", ip[9]
		        body = ip[20:]
		    else:
		        word = struct.unpack_from(">I", ip)[0]
		        fields = ip[7], word >> 20 & 0xff, 40 + struct.unpack_from(">H", ip, 4)[0], word & 0xfffff, ip[6]
		        body = ip[40:]
		    print(*fields, "%d>%d" % struct.unpack_from(">HH", body), body[:8].hex())
	PYTHON
}

distinct() { # COLUMN: how many different values
	awk -v c="$1" '{ print $c }' $scratch/packets | sort -u | wc -l
}

for family in 4 6; do
	far=far$family icmp=icmp lite="ip proto 136"
	[ $family = 4 ] || { icmp="icmp6 and ip6[40] == 128" lite="ip6 proto 136"; }
	while read -r filter options; do
		read -ra options <<<"$options"
		on_the_wire "dst host ${!far} and ${filter/#lite/$lite}" "${options[@]}" "${!far}" >$scratch/packets
		[ "$(wc -l <$scratch/packets)" -ge 18 ] || fail "IPv$family ${options[*]}: too few packets on the wire"
		expect_equal "IPv$family ${options[*]}: one pair of ports in $(wc -l <$scratch/packets) packets" 1 "$(distinct 6)"
		[ $family = 4 ] || expect_equal "IPv6 ${options[*]}: one flow label" 1 "$(distinct 4)"
	done <<-'END'
		udp -u
		tcp -T
		udp -U
		lite --udplite
	END
	# ICMP: type, code and checksum, then the identifier: all that balancers may hash.
	on_the_wire "dst host ${!far} and $icmp" -I "${!far}" >$scratch/packets
	expect_equal "IPv$family -I: one checksum and identifier" 1 "$(cut -d' ' -f7 $scratch/packets | cut -c1-12 | sort -u | wc -l)"
	expect_equal "IPv$family -I: as many sequence numbers as packets" "$(wc -l <$scratch/packets)" \
		"$(cut -d' ' -f7 $scratch/packets | cut -c13-16 | sort -u | wc -l)"
	on_the_wire "dst host ${!far} and udp" -u --classic-port "${!far}" >$scratch/packets
	expect_equal "IPv$family --classic-port: as many ports as packets" "$(wc -l <$scratch/packets)" "$(distinct 6)"
	on_the_wire "dst host ${!far} and udp" -u -Q 0xb8 --size 1200 -p 5000 --sport 4000 "${!far}" >$scratch/packets
	expect_equal "IPv$family: traffic class, size and ports as asked for" "184 1200 4000>5000" \
		"$(awk '{ print $2, $3, $6 }' $scratch/packets | sort -u)"
done
on_the_wire "dst host $far6 and udp" -u --flow-label 0x54321 "$far6" >$scratch/packets
expect_equal "the flow label that was asked for" $((0x54321)) "$(awk '{ print $4 }' $scratch/packets | sort -u)"
on_the_wire "dst host $far4 and udp" -u -F "$far4" >$scratch/packets
expect_equal "-F forbids fragments" DF "$(awk '{ print $4 }' $scratch/packets | sort -u)"
on_the_wire "dst host $far4 and udp" -u "$far4" >$scratch/packets
expect_equal "without -F they are allowed" - "$(awk '{ print $4 }' $scratch/packets | sort -u)"

# The kernel remembers a path MTU; a probe that is larger still leaves whole.
ip -n near route replace "$far4" via "$(address 4 g1 near)" mtu lock 600
on_the_wire "dst host $far4" -u -F --size 1400 "$far4" >$scratch/packets
expect_equal "a remembered path MTU is nothing to probes" "1400 DF" "$(awk '{ print $3, $4 }' $scratch/packets | sort -u)"
ip -n near route del "$far4"

# ---- interface, mark, source, link-local

measure -i to-g1 -s "$near4" "$far4"
expect_equal "through an interface" "$(truth near "$far4")" "$(hops $scratch/out forward | owners)"
expect_status 4 in_node near "$RETOUR" trace -i nowhere "$far4"
expect_equal "no such interface" 1 "$(grep -c 'nowhere.*none of that name' $scratch/err)"

in_node near nft -f - <<-'END'
	table inet marks {
		chain out { type filter hook output priority 0; meta mark 42 counter comment "marked"; }
	}
END
measure --mark 42 "$far4"
expect_equal "every probe has the mark" "$(jq .forward.probes_sent $scratch/out)" \
	"$(in_node near nft -j list table inet marks | jq '[.. | .counter? // empty | .packets] | add')"
in_node near nft flush ruleset

link_local=$(ip -n g1 -j address show to-near | jq -r '.[0].addr_info[] | select(.scope == "link" and .family == "inet6").local')
measure "$link_local%to-g1"
expect_equal "a link-local neighbour" "$link_local" "$(hops $scratch/out forward)"
expect_status 4 in_node near "$RETOUR" trace "$link_local"
expect_equal "a link-local target needs its link" 1 "$(grep -c 'same address on every link' $scratch/err)"

# ---- services that answer are arrivals

cat >$scratch/service.py <<-'END'
	import select, socket, sys
	sockets = []
	for family, any_address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
	    for port in (53, 7):
	        s = socket.socket(family, socket.SOCK_DGRAM)
	        if family == socket.AF_INET6:
	            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
	        s.bind((any_address, port))
	        sockets.append((s, port))
	    t = socket.socket(family, socket.SOCK_STREAM)
	    if family == socket.AF_INET6:
	        t.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
	    t.bind((any_address, 80))
	    t.listen(64)
	    sockets.append((t, 80))
	print("ready", flush=True)
	while True:
	    for ready in select.select([s for s, _ in sockets], [], [])[0]:
	        port = dict(sockets)[ready]
	        if port == 80:
	            ready.accept()[0].close()
	            continue
	        data, peer = ready.recvfrom(2000)
	        # A name server that knows nothing: the question's number, REFUSED, no records.
	        answer = data if port == 7 else data[:2] + b"\x81\x05" + bytes(8)
	        assert port == 7 or (data[2:12] == bytes.fromhex("01000001000000000001") and data[12:17] == bytes.fromhex("0000020001"))
	        ready.sendto(answer, peer)
END
start_in far service.log python3 -u $scratch/service.py
await 5 grep -q ready $scratch/service.log
for family in 4 6; do
	far=far$family
	for options in "-U" "-u -p 7" "-T"; do
		read -ra words <<<"$options"
		for who in "" nobody; do
			prefix=()
			[ -z "$who" ] || prefix=("${as_nobody[@]}")
			expect_status 0 in_node near "${prefix[@]}" "$RETOUR" trace --json "${words[@]}" "${!far}"
			keep $scratch/out
			expect_equal "IPv$family $options ${who:-root}: routers there, and the service" "$(truth near "${!far}")" \
				"$(hops $scratch/out forward | owners)"
			expect_equal "IPv$family $options ${who:-root}: the service answered, no ICMP" '[null,0]' \
				"$(jq -c '.forward.hops[-1] | [.probes[0].icmp, .sent - .received]' $scratch/out)"
		done
	done
done

# ---- as nobody

for family in 4 6; do
	far=far$family
	for options in "" "-u" "-T -p 443" "--udplite"; do
		read -ra words <<<"$options"
		expect_status 0 in_node near "${as_nobody[@]}" "$RETOUR" trace --json "${words[@]}" "${!far}"
		keep $scratch/out
		expect_equal "IPv$family nobody $options: routers there" "$(truth near "${!far}")" \
			"$(hops $scratch/out forward | owners)"
		expect_equal "IPv$family nobody $options: one line about what is given up" 1 "$(grep -c cap_net_raw $scratch/err)"
	done
	expect_status 4 in_node near "${as_nobody[@]}" "$RETOUR" trace -I "${!far}"
	expect_equal "IPv$family nobody -I: why not, and what would help" 1 "$(grep -c ping_group_range $scratch/err)"
done
expect_equal "TCP ports that the kernel chose are not said to be ours" null "$(in_node near "${as_nobody[@]}" \
	"$RETOUR" trace --json -T "$far4" 2>/dev/null | jq .forward.flow.source_port)"
expect_status 4 in_node near "${as_nobody[@]}" "$RETOUR" trace --proto 253 "$far4"
in_node near sh -c 'echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range'
for family in 4 6; do
	far=far$family
	expect_status 0 in_node near "${as_nobody[@]}" "$RETOUR" trace --json -I "${!far}"
	keep $scratch/out
	expect_equal "IPv$family nobody -I, allowed: routers there" "$(truth near "${!far}")" \
		"$(hops $scratch/out forward | owners)"
done

# ---- automatic: others where the first meets silence, and only there

in_node far nft -f - <<-'END'
	table inet wall {
		chain in { type filter hook input priority 0; udp dport 33434 drop; }
	}
END
for family in 4 6; do
	far=far$family
	measure "${!far}"
	expect_equal "IPv$family: whole although UDP is dropped" "$(truth near "${!far}")" "$(hops $scratch/out forward | owners)"
	expect_equal "IPv$family: by ICMP, and that is said" '["icmp","filtered"]' \
		"$(jq -c '[.forward.hops[-1].protocol, (.findings[] | select(.id == "filtered").id)]' $scratch/out)"
	expect_equal "IPv$family: the others knocked once" '[["udp",true],["icmp",true],["tcp",false],["tcp",false]]' \
		"$(jq -c '[.forward.tries[] | [.protocol, .first_ttl != null]]' $scratch/out)"
	expect_status 2 in_node near "$RETOUR" trace --json -u "${!far}"
	expect_equal "IPv$family: UDP alone when asked for" null "$(jq -c .forward.tries $scratch/out)"
	expect_status 0 in_node near "${as_nobody[@]}" "$RETOUR" trace --json "${!far}"
	expect_equal "IPv$family: nobody, too" "$(truth near "${!far}")" "$(hops $scratch/out forward | owners)"
done
in_node far nft add rule inet wall in meta l4proto '{ icmp, icmpv6 }' drop
measure "$far4"
expect_equal "by TCP where ICMP is dropped as well" '["tcp",443]' \
	"$(jq -c '[.forward.hops[-1].protocol, (.forward.tries[] | select(.first_ttl != null and .protocol == "tcp").destination_port)]' $scratch/out)"
in_node far nft flush ruleset

# ---- replies: what a translator and a cleaner of traffic classes leave in the quotes

in_node f1 nft -f - <<-'END'
	table ip change {
		chain post { type nat hook postrouting priority 100; oifname "to-f2" udp dport 33434 masquerade; }
		chain forward { type filter hook forward priority 0; oifname "to-f2" ip dscp set cs0; }
	}
END
measure -u -Q 0xb8 "$far4"
expect_equal "quoted traffic class before and behind the cleaner" '[184,184,0,0]' \
	"$(jq -c '[.forward.hops[0:4][].probes[0].quoted.tos]' $scratch/out)"
in_node f1 nft flush ruleset

# ---- many targets

{
	echo "# both families, a comment, a name, and one that nobody has"
	for family in 4 6; do
		far=far$family
		echo "${!far}   # far"
		address $family f3 f2
		address $family b2 b1
	done
	echo far.test
	echo nobody.test
} >$scratch/targets
for who in "" nobody; do
	prefix=()
	[ -z "$who" ] || prefix=("${as_nobody[@]}")
	expect_status 2 in_node near "${prefix[@]}" "$RETOUR" trace --targets - --jsonl <$scratch/targets
	expect_equal "targets, ${who:-root}: a document for each that exists" 7 "$(wc -l <$scratch/out)"
	expect_equal "targets, ${who:-root}: the one that does not is named" 1 "$(grep -c 'cannot resolve nobody.test' $scratch/err)"
	while read -r line; do
		jq .measurement <<<"$line" >$scratch/one
		keep $scratch/one
		to=$(jq -r .target.address $scratch/one)
		expect_equal "targets, ${who:-root}: the way to $to" "$(truth near "$to")" "$(hops $scratch/one forward | owners)"
	done <$scratch/out
done
sed -i '$d' $scratch/targets
expect_status 0 in_node near "$RETOUR" trace --targets $scratch/targets
expect_equal "targets: a block of text each" 7 "$(grep -c '^retour ' $scratch/out)"
seconds=$SECONDS
expect_status 0 in_node near "$RETOUR" trace --rate 50 --targets $scratch/targets
[ $((SECONDS - seconds)) -ge 2 ] || fail "--rate 50 did not hold 150 packets back"
echo "ok: --rate holds packets back"

# ---- a suspended process measures no wrong times

start_in near slept "$RETOUR" trace -n --json -z 200 "$far4"
pid=$!
sleep 0.7
kill -STOP $pid
sleep 3
kill -CONT $pid
wait $pid
expect_equal "suspended for three seconds: whole" "$(truth near "$far4")" "$(hops $scratch/slept forward | owners)"
expect_equal "suspended for three seconds: no round trip is that long" true \
	"$(jq '[.forward.hops[].rtt_ms.max] | max < 500' $scratch/slept)"

# ---- bad input

while read -r status words; do
	read -ra options <<<"$words"
	expect_status "$status" in_node near "$RETOUR" trace "${options[@]}"
	expect_equal "refused in one line: $words" 1 "$(wc -l <$scratch/err)"
done <<-END
	4 224.0.0.1
	4 ff02::1
	4 10.77.1.3
	4 255.255.255.255
	4 nobody.test
	4 fe80::1%nowhere
	4 -s 192.0.2.1 $far4
	4 -4 $far6
	4 --targets /nowhere
	3 -I -T $far4
	3 -I -p 80 $far4
	3 -p 65536 $far4
	3 --size 43 -U $far4
	3 --size 9300 $far4
	3 --size 2000 $far4
	3 -f 9 -m 3 $far4
	3 -w 0 $far4
	3 -N 0 $far4
	3 --targets - $far4
	3 --proto 6 $far4
	3 --proto 44 $far6
	3 --proto 256 $far4
END
expect_status 2 in_node near "$RETOUR" trace --broadcast -m 2 --gap 2 -u 224.0.0.1
printf '%s xn--bcher-kva.test\n' "$far4" >>$names
expect_status 0 in_node near env LC_ALL=C.UTF-8 "$RETOUR" trace -n --json bücher.test
expect_equal "a name beyond ASCII" "$far4" "$(jq -r .target.address $scratch/out)"
printf '%s many.test\n%s many.test\n' "$far4" "$(address 4 f3 f2)" >>$names
expect_status 0 in_node near "$RETOUR" trace -n many.test
expect_equal "which of several addresses it is about" 1 "$(grep -c 'many.test has 2 addresses of this family' $scratch/err)"
status=0
in_node near "$RETOUR" trace -n "$far4" >&- 2>$scratch/err || status=$?
expect_equal "a closed standard output is an error" "4 1" "$status $(grep -c 'cannot write' $scratch/err)"

jq -s . $scratch/document.*.json >$scratch/all
schema=$here/../../docs/schema/retour-1.schema.json
/usr/bin/python3 - "$schema" $scratch/all <<-'END' || fail "a document does not fit its schema"
	import json, sys
	import jsonschema
	schema, documents = (json.load(open(path)) for path in sys.argv[1:])
	validator = jsonschema.Draft202012Validator(schema)
	for document in documents:
	    validator.validate(document)
	print("ok:", len(documents), "documents fit their schema")
END
