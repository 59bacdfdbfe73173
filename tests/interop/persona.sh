#!/bin/bash
# The personalities beside their models: Debian's traceroute 2.1 and mtr 0.95 and ours, one after the other in
# the same worlds of the lab and on the same kernel routers. Everything but times must be equal, byte by byte.
. "$(dirname "$0")/../netns/lib.sh"
need traceroute.db mtr nft /usr/bin/python3

beside=$here/../interop/persona_beside.sh
failed=0

# The kernel of the target answers all errors: otherwise the second program finds the limit used up by the first.
beside_in_world() { # WORLD < COMMAND LINES
	local world=$scratch/$1.yaml limits='net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0'
	local answers="  - {host: server, run: \"sysctl -qw $limits\"}"
	cp "$here/../../lab/$1.yaml" "$world"
	grep -q '^services:' "$world" || echo 'services:' >>"$world"
	sed -i "/^services:/,\$ { /^  - {host: server, run: retour serve}/d }" "$world"
	echo "$answers" >>"$world"
	echo "-- world $1"
	timeout 400 "$RETOUR" lab run -w "$world" -- "$BASH" "$beside" || failed=1
}

beside_in_node() { # NODE < COMMAND LINES
	echo "-- node $1"
	in_node "$1" "$BASH" "$beside" || failed=1
}

beside_in_world plain10 <<'END'
traceroute server.lab
traceroute -n server.lab
traceroute -6 server.lab
traceroute -6 -n -q 1 server.lab
traceroute -4 -n -q1 198.18.18.80
traceroute -I server.lab
traceroute -6 -I -n server.lab
traceroute -T -n server.lab
traceroute -6 -T -n -q 2 server.lab
traceroute -T -O info -n server.lab
traceroute -T -p 33434 -O syn,info -n -q 1 server.lab
traceroute -T -O ack,info -n -q 1 server.lab
traceroute -T -O flags=0x29,info -n -q 1 -m 9 server.lab
traceroute -T -O sack,mss=1000 -n -q 1 server.lab
traceroute -T -O timestamps,window_scaling -n -q 1 server.lab
traceroute -6 -T -O syn,sysctl -n -q 1 server.lab
traceroute -T -O ack,sysctl -n -q 1 server.lab
traceroute -T -O ecn,info -n -q 1 server.lab
traceroute -d -n -q 1 server.lab
traceroute -U -n -p 33434 server.lab
traceroute -6 -U -n -p 33434 -q 1 server.lab
traceroute -UL -n server.lab
traceroute -6 -UL -n -q 1 server.lab
traceroute -P 253 -n -q 1 -w 1 server.lab
traceroute -6 -P 253 -n -q 1 -w 1 server.lab
traceroute -M icmp -n -q 1 server.lab
traceroute -M raw -O protocol=254 -n -q 1 -w 1 server.lab
traceroute -n -f 4 -m 7 server.lab
traceroute -n -f 10 server.lab
traceroute --first=3 --max-hops=4 --queries=1 -n server.lab
traceroute -n -N 1 server.lab
traceroute -n -N 40 server.lab
traceroute -n -q 10 server.lab
traceroute -n -z 20 -q 1 server.lab
traceroute -n -w 2 -q 1 server.lab
traceroute -n -w 2,3,4 -q 2 server.lab
traceroute -n -w 2/3/4 -q 2 server.lab
traceroute -n -p 40000 server.lab
traceroute -n --sport=40123 -q 1 server.lab
traceroute -n -t 16 -q 1 server.lab
traceroute -6 -n -t 16 -l 5 -q 1 server.lab
traceroute -n --back server.lab
traceroute -6 -n --back -q 1 server.lab
traceroute -n -F server.lab 1000
traceroute -w 0.5 -n --mtu -q 2 server.lab
traceroute -6 -n --mtu -q 2 server.lab
traceroute -n -i eth0 -q 1 server.lab
traceroute -n -s 198.51.100.77 -q 1 server.lab
traceroute -n --fwmark=3 -q 1 server.lab
traceroute -nI -q 1 server.lab 48
traceroute -n -e -q 1 server.lab
traceroute server.lab -n -q1 60
traceroute -- server.lab
mtr -4 -r -c 2 -i 0.2 -G 0.3 server.lab
mtr -4 -r -n -c 1 -i 0.2 -G 0.3 -Z 3 server.lab
mtr -r -n -Z 1.5 server.lab
mtr -6 -r -n -c 2 -i 0.2 -G 0.3 server.lab
mtr -4 -r -w -c 2 -i 0.2 -G 0.3 server.lab
mtr -4 -r -w -b -c 2 -i 0.2 -G 0.3 server.lab
mtr -4 -r -b -c 2 -i 0.2 -G 0.3 server.lab
mtr -4 -w -n -c 1 -i 0.2 -G 0.3 server.lab
mtr -4 -r -n -o LDRSNBAWVGJMXI -c 2 -i 0.2 -G 0.3 server.lab
mtr -4 -r -n -o SDL -c 2 -i 0.2 -G 0.3 server.lab
mtr -4 -C -c 2 -i 0.2 -G 0.3 server.lab
mtr -4 -C -n -w -c 2 -i 0.2 -G 0.3 server.lab
mtr -4 -w -C -b -o LDRSNBAWVGJMXI -c 2 -i 0.2 -G 0.3 server.lab
mtr -4 -j -c 2 -i 0.2 -G 0.3 server.lab
mtr -6 -j -n -b -o LDRSNBAWVGJMXI -c 2 -i 0.2 -G 0.3 server.lab
mtr -4 -x -c 2 -i 0.2 -G 0.3 -Q 16 server.lab
mtr -6 -x -n -o LDRSNBAWVGJMXI -c 2 -i 0.2 -G 0.3 server.lab
mtr -4 -l -n -c 2 -i 1 -G 0.3 server.lab
mtr -6 -l -n -c 1 -i 1 -G 0.3 server.lab
mtr -4 -r -n -u -c 2 -i 1 -G 0.3 server.lab
mtr -6 -r -n -u -c 1 -i 1 -G 0.3 server.lab
mtr -4 -r -n -T -c 2 -i 1 -G 0.3 server.lab
mtr -4 -r -n -T -P 33434 -c 1 -i 1 -G 0.3 server.lab
mtr -4 -r -n -f 3 -m 6 -c 2 -i 0.2 -G 0.3 server.lab
mtr -4 -r -n -s 200 -c 1 -i 0.2 -G 0.3 server.lab
mtr -4 -r -n -I eth0 -c 1 -i 0.2 -G 0.3 server.lab
mtr -4 -r -n -a 198.51.100.77 -c 1 -i 0.2 -G 0.3 server.lab
mtr -r -n -4 -c 1 -i 0.2 -G 0.3 server.lab 127.0.0.1
mtr --report --no-dns --report-cycles=1 --interval=0.2 --gracetime=0.3 server.lab
END

# What they refuse, and how.
beside_in_world demo <<'END'
traceroute -n
traceroute -Q 3 server.lab
traceroute --bogus server.lab
traceroute --fir 2 server.lab
traceroute --icmp=3 server.lab
traceroute -nq1 server.lab
traceroute -f abc server.lab
traceroute --max-hops=abc server.lab
traceroute --queries 1 server.lab
traceroute -w 1,2,3,4 server.lab
traceroute -q=1 server.lab
traceroute -f
traceroute --first
traceroute -f 0 server.lab
traceroute -f 40 server.lab
traceroute -m 300 server.lab
traceroute -m 0 server.lab
traceroute -q 0 server.lab
traceroute -q 11 server.lab
traceroute -z -1 server.lab
traceroute -M nope server.lab
traceroute nosuch.lab
traceroute -4 ::1
traceroute -6 127.0.0.1
traceroute -s ::1 -4 server.lab
traceroute -s abc server.lab
traceroute server.lab abc
traceroute server.lab 70000
traceroute server.lab 60 x
traceroute -s 192.0.2.1 server.lab
traceroute -i nodev server.lab
traceroute -n 255.255.255.255
traceroute -6 -n -q 1 ::1
traceroute -n 127.0.0.1
status:traceroute
status:traceroute --help
status:traceroute --version
status:traceroute -T -O help
mtr -r -c 1 nosuch.lab
mtr -j -c 1 nosuch.lab
mtr -c abc server.lab
mtr -i -1 server.lab
mtr -G 0 server.lab
mtr -r -o Z server.lab
mtr -y 9 server.lab
mtr -u -P 0 server.lab
mtr -L 3 server.lab
mtr -u -T server.lab
mtr -r -I nodev server.lab
mtr -r -a 192.0.2.1 server.lab
mtr -r -n -c 1 -i 0.2 -G 0.3 127.0.0.1
status:mtr -q
status:mtr -c
status:mtr --bogus
status:mtr --help
status:mtr --version
END

# A second for an answer: a busy machine is slower than three or ten times these round trips.
for world in silent-hop refused mpls loop; do
	beside_in_world $world <<'END'
traceroute -w 1 -n server.lab
traceroute -w 1 -6 -n server.lab
traceroute -w 1 -n -I -e server.lab
traceroute -w 1 -6 -n -e -q 2 server.lab
traceroute -w 1 -n --back -I server.lab
traceroute -w 1 -q 1 -N 1 server.lab
traceroute -w 1 -n -T -e server.lab
mtr -4 -r -n -c 2 -i 0.5 -G 0.4 server.lab
mtr -6 -w -e -c 1 -i 0.5 -G 0.4 server.lab
mtr -4 -C -n -c 2 -i 0.5 -G 0.4 server.lab
mtr -4 -j -n -c 1 -i 0.5 -G 0.4 server.lab
mtr -4 -x -n -c 1 -i 0.5 -G 0.4 server.lab
END
done
beside_in_world mpls <<<'mtr -4 -l -n -e -c 1 -i 1 -G 0.4 server.lab'
beside_in_world blackhole <<'END'
traceroute -n -m 11 -w 1 server.lab
traceroute -6 -n -q 1 -w 1 server.lab
mtr -4 -r -n -c 1 -i 0.5 -G 0.4 server.lab
mtr -4 -j -n -U 3 -c 1 -i 0.5 -G 0.4 server.lab
END

# Real routers: refusals of every kind, a router that never answers, a narrow link.
build_asymmetric
next_hop() { # NODE DESTINATION
	ip -n "$1" -j route get "$2" | jq -r '.[0].gateway'
}
last=0
for kind in unreachable prohibit blackhole; do
	last=$((last + 1))
	for hop in g1 f1 f2; do
		ip -n $hop route add 10.99.0.$last/32 via "$(next_hop $hop "$far4")"
		ip -n $hop -6 route add fd99::$last/128 via "$(next_hop $hop "$far6")"
	done
	ip -n f3 route add $kind 10.99.0.$last/32
	ip -n f3 -6 route add $kind fd99::$last/128
done
in_node f2 nft -f - <<'END'
table inet silent {
	chain output {
		type filter hook output priority 0;
		ip protocol icmp icmp type time-exceeded drop
		icmpv6 type time-exceeded drop
	}
}
END
beside_in_node near <<END
traceroute -w 1 -n far.test
traceroute -w 1 far.test
traceroute -w 1 -6 far.test
traceroute -w 1 -n --back far.test
traceroute -w 1 -n -I -q 2 $far4
traceroute -w 1 -n -U -p 40000 $far4
traceroute -w 1 -n -T $far4
traceroute -w 1 -6 -n -T -O info $far6
traceroute -w 1 -n -UL $far4
traceroute -n -P 253 -w 1 -q 1 $far4
traceroute -w 1 -n 10.99.0.1
traceroute -w 1 -n -I 10.99.0.1
traceroute -w 1 -n 10.99.0.2
traceroute -n -w 0.3 -m 7 10.99.0.3
traceroute -w 1 -6 -n fd99::1
traceroute -w 1 -6 -n -q 1 fd99::2
traceroute -w 1 -6 -n -q 1 -I fd99::2
traceroute -w 1 -n 10.98.0.1
mtr -r -c 1 -i 0.5 -G 0.4 $far4
mtr -w -b -c 1 -i 0.5 -G 0.4 $far6
mtr -j -n -c 1 -i 0.5 -G 0.4 10.99.0.3
mtr -C -n -c 1 -i 0.5 -G 0.4 fd99::2
mtr -r -n -u -c 1 -i 0.5 -G 0.4 $far4
END
ip -n f2 link set to-f3 mtu 1400
ip -n f3 link set to-f2 mtu 1400
beside_in_node near <<END
traceroute -w 0.5 -n --mtu -q 1 $far4
traceroute -w 0.5 -n --mtu $far4
traceroute -w 0.5 -6 -n --mtu -q 1 $far6
traceroute -n -F -q 1 -I $far4 1450
traceroute -n -F -q 3 $far4 1450
traceroute -6 -n -F -q 1 $far6 1450
END

# By the name that it is called by.
for name in traceroute traceroute6 mtr tracert pathping; do
	ln -s "$RETOUR" "$scratch/$name"
done
expect_equal 'a link called traceroute' "$("$RETOUR" traceroute -f 0 localhost 2>&1)" \
	"$("$scratch/traceroute" -f 0 localhost 2>&1)"
writes() { # WHAT PATTERN COMMAND...
	in_node near "${@:3}" >$scratch/written || fail "$1: status $?"
	grep -q "$2" $scratch/written || fail "$1 writes: $(cat $scratch/written)"
	echo "ok $1"
}
writes 'a link called traceroute6' "^traceroute to far.test ($far6)" "$scratch/traceroute6" -n -q 1 far.test
writes 'a link called mtr' '^MTR\.0\.95,' "$scratch/mtr" -C -n -c 1 -i 0.2 "$far4"
writes 'a link called tracert' '^Trace complete.$' "$scratch/tracert" -d -h 3 "$far4"
writes 'a link called pathping' '^Computing statistics' "$scratch/pathping" -n -h 2 -q 2 -p 10 "$far4"

# What ours do not have is refused by name, in one line.
refuses() { # STATUS NAME OPTION...
	local status=0
	"$RETOUR" "${@:2}" localhost >$scratch/refusal 2>&1 || status=$?
	if [ $status -ne "$1" ] || [ "$(wc -l <$scratch/refusal)" -ne 1 ] ||
		! grep -q 'not supported here' $scratch/refusal; then
		fail "${*:2}: status $status, $(cat $scratch/refusal)"
	fi
}
refuses 2 traceroute -g 10.0.0.1
refuses 2 traceroute -D
refuses 2 traceroute -T -O reuse
refuses 1 mtr -S
refuses 1 mtr -B 3
refuses 1 mtr -p
refuses 1 mtr -y 1
refuses 1 mtr --displaymode 1
refuses 1 tracert -R
refuses 1 tracert -j a
refuses 1 pathping -g a
echo 'ok refusals by name'
exit $failed
