#!/bin/bash
# `retour lab truth` on worlds whose answers are worked out by hand: flows, times, pairs, delays, Record Route; what
# it says that routers reveal is what ping and traceroute get from them; recordings have what passed where.
# shellcheck source=tests/interop/common.sh
. "$(dirname "$0")/../interop/common.sh"
need ping traceroute tcpdump jq

# Two ways from r1, up and down; back it is up. The last link gets slow after 10 s and breaks after 40 s; up is left
# out from 30 s on.
cat >"$scratch/square.yaml" <<'END'
ases:
  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: "2001:db8:1::/48"}
hosts: [{name: client, as: 64496}, {name: server, as: 64496}]
routers:
  - {name: r1, as: 64496, loopback: 192.0.2.201, behaviour: {balance: flow}}
  - {name: up, as: 64496, behaviour: {record_route: inbound}}
  - {name: down, as: 64496, behaviour: {record_route: none}}
  - {name: r2, as: 64496, loopback: 192.0.2.202, behaviour: {record_route: loopback}}
links:
  - {from: client, to: r1, from_address: 192.0.2.1, to_address: 192.0.2.2, delay_ms: 1}
  - {from: r1, to: up, from_address: 192.0.2.11, to_address: 192.0.2.12, delay_ms: 2, delay_back_ms: 7}
  - {from: r1, to: down, from_address: 192.0.2.21, to_address: 192.0.2.22, delay_ms: 3}
  - {from: up, to: r2, from_address: 192.0.2.31, to_address: 192.0.2.32, delay_ms: 4}
  - {from: down, to: r2, from_address: 192.0.2.41, to_address: 192.0.2.42, delay_ms: 5}
  - {from: r2, to: server, from_address: 192.0.2.51, to_address: 192.0.2.52, delay_ms: 1}
faults:
  - {link: [r2, server], after_s: 10, until_s: 20, delay_ms: 6}
  - {link: [r1, up], after_s: 30, down: true, reroute: true}
  - {link: [r2, server], after_s: 40, down: true}
END

# A router for each habit around r0; hosts behind those that strip, drop and translate.
cat >"$scratch/star.yaml" <<'END'
ases:
  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: "2001:db8:1::/48"}
hosts: [{name: client, as: 64496}, {name: stripped, as: 64496}, {name: dropped, as: 64496}, {name: inner, as: 64496}]
routers:
  - {name: r0, as: 64496, loopback: 192.0.2.3}
  - {name: once, as: 64496, loopback: 192.0.2.12, behaviour: {own_stamps: once, timestamp: careless, initial_ttl: {error: 200, echo: 64, reset: 100}}}
  - {name: alias, as: 64496, loopback: 192.0.2.22, behaviour: {own_stamps: alias, timestamp: none}}
  - {name: nothing, as: 64496, loopback: 192.0.2.32, behaviour: {own_stamps: none}}
  - {name: plain, as: 64496, loopback: 192.0.2.42, behaviour: {ping: plain}}
  - {name: mute, as: 64496, loopback: 192.0.2.52, behaviour: {ping: none, silent: true}}
  - {name: strips, as: 64496, loopback: 192.0.2.62, behaviour: {record_route: strip}}
  - {name: drops, as: 64496, loopback: 192.0.2.72, behaviour: {record_route: drop}}
  - {name: nat, as: 64496, loopback: 192.0.2.82, behaviour: {nat: {inside: 192.0.2.128/26}}}
links:
  - {from: client, to: r0, from_address: 192.0.2.1, to_address: 192.0.2.2}
  - {from: r0, to: once, from_address: 192.0.2.10, to_address: 192.0.2.11}
  - {from: r0, to: alias, from_address: 192.0.2.20, to_address: 192.0.2.21}
  - {from: r0, to: nothing, from_address: 192.0.2.30, to_address: 192.0.2.31}
  - {from: r0, to: plain, from_address: 192.0.2.40, to_address: 192.0.2.41}
  - {from: r0, to: mute, from_address: 192.0.2.50, to_address: 192.0.2.51}
  - {from: r0, to: strips, from_address: 192.0.2.60, to_address: 192.0.2.61}
  - {from: r0, to: drops, from_address: 192.0.2.70, to_address: 192.0.2.71}
  - {from: r0, to: nat, from_address: 192.0.2.80, to_address: 192.0.2.81}
  - {from: strips, to: stripped, from_address: 192.0.2.90, to_address: 192.0.2.91}
  - {from: drops, to: dropped, from_address: 192.0.2.94, to_address: 192.0.2.95}
  - {from: nat, to: inner, from_address: 192.0.2.130, to_address: 192.0.2.131}
END

square() { # ARGUMENT...
	"$retour" lab truth -w "$scratch/square.yaml" "$@"
}

star() { # ARGUMENT...
	"$retour" lab truth -w "$scratch/star.yaml" --json --reveals "$@"
}

# Without a flow, both ways; delays there and back, and stamps, as the file has them.
hops='[.hops[] | "\(.node) \(.address) \(.delay_ms) \(.delay_back_ms) \(.record_route)"] | join(", ")'
got=$(square --json client server | jq -r "(.paths[] | $hops)")
equal 'two ways' "$got" 'r1 192.0.2.2 1 1 192.0.2.11, up 192.0.2.12 3 8 192.0.2.12, r2 192.0.2.32 7 12 192.0.2.202, server 192.0.2.52 8 13 null
r1 192.0.2.2 1 1 192.0.2.21, down 192.0.2.22 4 4 null, r2 192.0.2.42 9 12 192.0.2.202, server 192.0.2.52 10 13 null'

# What happens when.
last='.hops[-1] | "\(.node) \(.delay_ms)"'
equal 'before the fault' "$(square --json --at 9.9 client server | jq -r "$last")" 'server 8'
equal 'a slow link' "$(square --json --at 15 client server | jq -r "$last")" 'server 14'
equal 'after the fault' "$(square --json --at 20 client server | jq -r "$last")" 'server 8'
equal 'one way left' "$(square --json --at 35 client server | jq -r '(.paths | length), (.hops[1].node)')" $'0\ndown'
equal 'a broken link' "$(square --json --at 45 client server | jq -r '.end, .hops[-1].node')" $'dropped\nr2'

# Pairs.
got=$(printf 'client server\n\n  server client\nclient r2.lab\nserver server\n' | square --bulk)
equal 'pairs' "$got" 'client server reached r1=192.0.2.2 up=192.0.2.12 r2=192.0.2.32 server=192.0.2.52
server client reached r2=192.0.2.51 up=192.0.2.31 r1=192.0.2.11 client=192.0.2.1
client r2.lab reached r1=192.0.2.2 up=192.0.2.12 r2=192.0.2.202
server server reached'
status=0
got=$(printf 'client\nnobody server\nclient r1\n' | square --bulk 2>"$scratch/error") || status=$?
equal 'wrong pairs: status' $status 3
equal 'wrong pairs: the others' "$got" 'client r1 reached r1=192.0.2.201'
equal 'wrong pairs: said' "$(wc -l <"$scratch/error")" 2
got=$(printf 'client server\nserver client\n' | square --bulk --json | jq -c '[.from, .to, .end, (.hops | length)]')
equal 'pairs in JSON' "$got" '["client","server","reached",4]
["server","client","reached",4]'

equal 'a wrong flow' "$(square --flow udp:1 client server 2>&1 >/dev/null || echo $?)" \
	"retour lab: --flow 'udp:1': expected udp:PORT:PORT, tcp:PORT:PORT or icmp:ID:SEQUENCE"$'\n3'
need_lab

# A flow has one way, which traceroute goes with the same ports. Of 12 not all have the same.
cat >"$scratch/flows" <<'END'
for port in $(seq 1000 1011); do
	traceroute -n -U -p 2000 --sport=$port -q 1 -w 1 -f 2 -m 2 server.lab | awk 'NR == 2 { print $2 }'
done
END
"$retour" lab run -w "$scratch/square.yaml" --seed 7 -- bash "$scratch/flows" >"$scratch/traced"
for port in $(seq 1000 1011); do
	square --json --seed 7 --flow "udp:$port:2000" client server | jq -r 'select(.paths == null) | .hops[1].address'
done >"$scratch/true"
equal 'flows' "$(cat "$scratch/traced")" "$(cat "$scratch/true")"
equal 'flows go both ways' "$(sort -u "$scratch/true")" $'192.0.2.12\n192.0.2.22'

# Recordings: what a host, a router and a link see of two pings, with TTLs and how long it took from place to place.
"$retour" lab run -w "$scratch/square.yaml" --pcap "$scratch/client.pcap" --pcap "r1:$scratch/r1.pcap" \
	--pcap "r2-server:$scratch/link.pcap" -- ping -4 -q -c 2 -i 0.2 server.lab >/dev/null
seen() { # FILE
	tcpdump -n -v -r "$scratch/$1" icmp 2>/dev/null | tr -d '\n' |
		grep -oE 'ttl [0-9]+|echo (request|reply)' | paste -sd ' ' | sed 's/ ttl/\nttl/g'
}
equal 'recorded at the host' "$(seen client.pcap)" 'ttl 64 echo request
ttl 61 echo reply
ttl 64 echo request
ttl 61 echo reply'
equal 'recorded at a router' "$(seen r1.pcap | sort | uniq -c | sed 's/^ *//')" '2 ttl 61 echo reply
2 ttl 62 echo reply
2 ttl 63 echo request
2 ttl 64 echo request'
equal 'recorded on a link' "$(seen link.pcap)" 'ttl 61 echo request
ttl 64 echo reply
ttl 61 echo request
ttl 64 echo reply'

# What routers reveal, asked for real. Ping names what is in the options of the answer.
cat >"$scratch/ask" <<'END'
route() { # ARGUMENT...
	ping -n -c 1 -W 0.5 -R "$@" | awk '/^RR:/ { on = 1 } /^$/ { on = 0 } on { printf "%s ", $NF }'
}
prespecified() { # TARGET LISTED: how many of four get a time
	ping -n -c 1 -W 0.5 -T tsprespec $2 $2 $2 $2 $1 >$scratch/out
	awk '/TS:/ { on = 1 } on && /absolute|\t-?[0-9]+$/' $scratch/out | wc -l
}
for pair in "$@"; do
	name=${pair%=*} to=${pair#*=}
	echo "$name echo $(ping -n -c 1 -W 0.5 $to | sed -n 's/.*ttl=\([0-9]*\).*/\1/p')"
	echo "$name route $(route $to)"
	echo "$name own $(prespecified $to $to)"
	echo "$name others $(prespecified $to 240.0.0.1)"
done
END
export scratch
targets='r0=192.0.2.3 once=192.0.2.12 alias=192.0.2.22 nothing=192.0.2.32 plain=192.0.2.42 mute=192.0.2.52
	strips=192.0.2.62 drops=192.0.2.72 nat=192.0.2.82'
# shellcheck disable=SC2086 # a list
"$retour" lab run -w "$scratch/star.yaml" -- bash "$scratch/ask" $targets >"$scratch/asked"

# The same from the truth. On the way are r0's stamps, out and back, and the client's own; its TTLs are one less than
# they began with behind r0.
for pair in $targets; do
	star client "${pair%=*}" | jq -r --arg to "${pair#*=}" --arg name "${pair%=*}" '
		(if $name == "r0" then 0 else 1 end) as $behind |
		.hops[-1].reveals.options as $o | .hops[-1].reveals.echo as $echo |
		(if $behind == 1 then [$to | sub("[0-9]$"; "0")] else [] end) as $out |
		(if $behind == 1 then ["192.0.2.2"] else [] end) as $back |
		"\($name) echo \(if $echo then $echo.initial_ttl - $behind else "" end)",
		"\($name) route \(if $o.ping_record_route then
			["192.0.2.1"] + $out + $o.ping_record_route + $back + ["192.0.2.1"] | map(. + " ") | add else "" end)",
		"\($name) own \($o.ping_prespecified_own // 0)", "\($name) others \($o.ping_prespecified_others // 0)"'
done >"$scratch/true"
equal 'pings of every router' "$(cat "$scratch/asked")" "$(cat "$scratch/true")"

# By hand: what the habits of the file mean.
equal 'stamps by habit' "$(grep 'once\|alias\|nothing' "$scratch/true")" 'once echo 63
once route 192.0.2.1 192.0.2.10 192.0.2.12 192.0.2.2 192.0.2.1 
once own 1
once others 1
alias echo 254
alias route 192.0.2.1 192.0.2.20 192.0.2.21 192.0.2.2 192.0.2.1 
alias own 0
alias others 0
nothing echo 254
nothing route 192.0.2.1 192.0.2.30 192.0.2.2 192.0.2.1 
nothing own 0
nothing others 0'
equal 'initial TTLs' "$(star client once | jq -c '.hops[-1].reveals | [.error.initial_ttl, .echo.initial_ttl, .reset.initial_ttl]')" \
	'[200,64,100]'
equal 'silence' "$(star client mute | jq -c '.hops[-1].reveals | [.error, .echo, .reset.initial_ttl]')" '[null,null,255]'

# Errors and resets, as recorded: the TTLs that the truth says, less the hop to r0.
cat >"$scratch/errors" <<'END'
traceroute -n -q 1 -w 0.5 -f 2 -m 2 192.0.2.12
traceroute -n -T -p 9 -q 1 -w 0.5 -f 2 -m 2 192.0.2.12
END
"$retour" lab run -w "$scratch/star.yaml" --pcap "$scratch/errors.pcap" -- bash "$scratch/errors" >/dev/null
got=$(tcpdump -n -v -r "$scratch/errors.pcap" 'src 192.0.2.11 or src 192.0.2.12' 2>/dev/null | grep '^[0-9]' | grep -oE 'ttl [0-9]+')
equal 'TTLs of error and reset' "$got" $'ttl 199\nttl 99'

# Options on their way to the hosts behind.
passing='.hops[1].reveals.options.passing'
equal 'passing options' "$(star client stripped | jq -r "$passing"; star client dropped | jq -r "$passing"
	star inner client | jq -r "$passing")" $'strip\ndrop\npass'
cat >"$scratch/pass" <<'END'
ping -n -c 1 -W 0.5 -R 192.0.2.91 | grep -c 'RR:\|1 received'
ping -n -c 1 -W 0.5 -R 192.0.2.95 | grep -c 'RR:\|1 received'
END
equal 'asked for' "$("$retour" lab run -w "$scratch/star.yaml" -- bash "$scratch/pass")" $'1\n0'

# Translation: what leaves has the address of the box, and this is what arrives.
got=$(star --flow udp:4000:5000 inner client | jq -c '.hops[0].reveals.translates | [.from, .to | .source, .source_port, .destination, .destination_port]')
equal 'translation' "$got" '["192.0.2.131",4000,"192.0.2.1",5000,"192.0.2.81",4000,"192.0.2.1",5000]'
equal 'translation only there' "$(star inner client | jq -c '[.hops[].reveals.translates != null]')" '[true,false,false]'
"$retour" lab run -w "$scratch/star.yaml" --on inner --pcap "client:$scratch/nat.pcap" -- \
	traceroute -n -U -p 5000 --sport=4000 -q 1 -w 0.5 -f 3 -m 3 192.0.2.1 >/dev/null
got=$(tcpdump -n -r "$scratch/nat.pcap" 'udp and dst 192.0.2.1' 2>/dev/null | grep -oE '[0-9.]+ > [0-9.]+')
equal 'translated for real' "$got" '192.0.2.81.4000 > 192.0.2.1.5000'

[ "$("$retour" lab truth -w "$scratch/star.yaml" --reveals client once | awk '{ print length }' | sort -n | tail -1)" -le 80 ] ||
	fail 'lines longer than 80 columns'
