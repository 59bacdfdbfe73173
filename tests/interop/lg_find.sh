#!/usr/bin/env bash
# `retour lg`: what it knows of networks near a host, how it says to ask, and that finding asks nobody.
# shellcheck source=tests/interop/common.sh
. "$(dirname "$0")/common.sh"
need jq python3 tcpdump traceroute
need_lab

world=$scratch/world.yaml data=$scratch/data
sed "s|@FAKE@|$here/platforms.py|" "$here/platforms.yaml" >"$world"
mkdir "$data"
cat >"$scratch/config.yaml" <<-'END'
	looking_glasses:
	  - {name: harbour, type: bird-lg-proxy, url: "http://probe.lab:8080", asn: 64510, address: 198.18.18.90}
	stun: ["probe.lab"]
END
cat >"$data/looking-glasses.yaml" <<-'END'
	looking_glasses:
	  - {asn: 64500, network: Northwind, url: "https://lg.northwind.example/", traces: true}
	  - {asn: 64501, url: "https://lg.southline.example/"}
	  - {asn: 64510, url: "https://lg.harbour.example"}
END

in_lab() {
	"$retour" lab run -w "$world" --on "$1" -- "${@:2}"
}

# The world's own data, with what networks say of themselves.
# shellcheck disable=SC2016 # the inner shell expands
in_lab client sh -c 'cp "$RETOUR_DATA"/pfx2as.txt "$RETOUR_DATA"/ip2asn-combined.tsv "$1" && jq "$2" "$RETOUR_DATA"/peeringdb.json' \
	sh "$data" '.net = [{asn: 64510, name: "H", looking_glass: "https://lg.harbour.example/",
		route_server: "telnet://rs.harbour.example"},
		{asn: 64500, name: "N", looking_glass: "by mail\u001b[31m", route_server: ""}]' >"$scratch/peeringdb.json"
"$retour" data import --data "$data" "$scratch/peeringdb.json" >/dev/null

find=(retour lg find --config "$scratch/config.yaml" --data "$data")
status 0 in_lab client "${find[@]}" -4 server.lab --json
networks='[.networks[] | [.asn, .distance, [.looking_glasses[] | [.source, .name // .url]]]]'
expected='[[64510,"same-as",[["settings","harbour"],["own-list","https://lg.harbour.example"],'
expected+='["peeringdb","telnet://rs.harbour.example"]]],'
expected+='[64500,"upstream",[["own-list","https://lg.northwind.example/"],["peeringdb","by mail\\x1b[31m"]]]]'
equal 'networks near the far host, each looking glass once' "$(jq -c "$networks" "$scratch/out")" "$expected"
equal 'what is to be traced' "$(jq -r .trace_to.address "$scratch/out")" 198.51.100.77
equal 'steps for a route server' \
	"$(jq -c '[.networks[].looking_glasses[] | select(.url == "telnet://rs.harbour.example") | .steps[]]' "$scratch/out")" \
	'["telnet rs.harbour.example","there: traceroute 198.51.100.77"]'

status 0 in_lab client "${find[@]}" -4 server.lab
has 'the text says how' "$(cat "$scratch/out")" 'retour back server.lab --via lg:harbour'
has 'and that nobody was asked' "$(cat "$scratch/out")" 'None of these was asked.'
grep -q $'\x1b' "$scratch/out" && fail 'a free text reaches the terminal'

# An earlier document instead of a trace; from standard input, too.
status 0 in_lab client retour trace -4 --json server.lab
cp "$scratch/out" "$scratch/document.json"
status 0 "$retour" lg find --config "$scratch/config.yaml" --data "$data" --from-json "$scratch/document.json" --json
equal 'from a document, outside of the world' "$(jq -c "$networks" "$scratch/out")" "$expected"
status 0 "$retour" lg find --data "$data" --from-json - <"$scratch/document.json"
status 4 "$retour" lg find --data "$data" --from-json "$scratch/config.yaml"
has 'a file that is none' "$(cat "$scratch/err")" 'no retour/1 document'

# Nothing but the trace leaves: no packet to the looking glass or the STUN server.
status 0 "$retour" lab run -w "$world" --pcap probe:"$scratch/probe.pcap" --on inner -- "${find[@]}" -4 server.lab
has 'behind a NAT it says what to find out' "$(cat "$scratch/out")" 'our address, 192.168.1.2, is private'
equal 'nobody is asked' "$(tcpdump -nr "$scratch/probe.pcap" 2>/dev/null | grep -c '198.51.100.66' || true)" 0

mkdir "$scratch/empty"
status 2 in_lab client retour lg find -4 server.lab --data "$scratch/empty"
has 'without data' "$(cat "$scratch/out")" 'which networks are near it is not known'
status 4 "$retour" lg find nobody.invalid
printf 'looking_glasses:\n  - {asn: 1, url: "javascript:alert(1)"}\n' >"$scratch/empty/looking-glasses.yaml"
status 4 "$retour" lg list --data "$scratch/empty"
has 'a list with a mistake' "$(cat "$scratch/err")" 'looking-glasses.yaml:2: looking_glasses: url: expected https://'

# ---- one question

ask=(retour lg ask --config "$scratch/config.yaml")
status 0 in_lab client sh -c 'sleep 1; exec "$@"' sh "${ask[@]}" harbour 198.51.100.77 --json
"$golden/validate.sh" "$scratch/out" || [ $? -eq 77 ] || fail 'not a retour/1 document'
equal 'the path that it sees' "$(jq -r '.reverse.hops[].address' "$scratch/out")" \
	"$("$retour" lab truth -w "$world" --json -4 probe client | jq -r '.hops[].address')"
status 3 in_lab client "${ask[@]}" southline 198.51.100.77
has 'one that is not configured is not asked' "$(cat "$scratch/err")" "no looking glass of the settings is called 'southline'"
status 3 in_lab client "${ask[@]}" harbour client.lab
status 3 "$retour" lg ask harbour
status 3 "$retour" lg
status 0 "$retour" lg --help
status 0 in_lab client retour lg list --config "$scratch/config.yaml" --data "$data" --json
equal 'list' "$(jq -c '[.looking_glasses[] | select(.source != "shipped-list") | .name // .url]' "$scratch/out")" \
	'["harbour","https://lg.northwind.example/","https://lg.southline.example/","https://lg.harbour.example"]'
