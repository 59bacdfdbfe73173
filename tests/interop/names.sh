#!/bin/bash
# Names and origins by DNS: on request, within a budget, never in the way of a trace, and harmless on a terminal.
. "$(dirname "$0")/common.sh"
need jq unshare
need_lab
mkdir "$scratch/none"

in_lab() {
	"$retour" lab run -- "$@"
}

# ---- origins on request

for family in 4 6; do
	got=$(in_lab retour trace -$family --data "$scratch/none" -A online=asn.lab --json server.lab |
		jq -c '.forward.hops[] | [.address, .asn, .as_name, .country]')
	expected=$(in_lab retour trace -$family --json server.lab | jq -c '.forward.hops[] | [.address, .asn, .as_name, .country]')
	equal "IPv$family: DNS says what the data files say" "$got" "$expected"
done
in_lab retour trace -4 --data "$scratch/none" --json server.lab >"$scratch/o.json"
equal 'nobody is asked without -A' "$(jq -c '[.forward.hops[].asn] | unique' "$scratch/o.json")" '[null]'
"$retour" lab run --pcap "$scratch/pcap" -- retour trace -4 -n server.lab >/dev/null
if command -v tcpdump >/dev/null; then
	equal 'not a question with -n but for the target' \
		"$(tcpdump -n -r "$scratch/pcap" 'dst port 53' 2>/dev/null | grep -cvE ' (A|AAAA)\? server\.lab\.')" 0
fi
"$retour" lab run --pcap "$scratch/pcap" -- retour -4 --json server.lab >"$scratch/o.json"
if command -v tcpdump >/dev/null; then
	# each address of both ways and our own, once; most of them before the last probe was answered
	tcpdump -n -r "$scratch/pcap" 'dst port 53' 2>/dev/null | grep -oE 'PTR\? [0-9a-z.-]+' | sort >"$scratch/asked"
	equal 'no address is asked for twice' "$(uniq -d "$scratch/asked")" ''
	equal 'each is asked for' "$(wc -l <"$scratch/asked")" \
		"$(jq '[.source.address, (.forward, .reverse).hops[].address | select(.)] | unique | length' "$scratch/o.json")"
	early=$(tcpdump -n -tt -r "$scratch/pcap" 2>/dev/null |
		awk '/PTR\?/ && / 198\.19\.255\.53\.53: / { asked[++n] = $1 } / > 198\.18\.18\.80/ { last = $1 }
			END { for (i in asked) early += asked[i] < last; print early + 0 }')
	[ "$early" -ge 3 ] || fail "only $early names were asked for while probes were still under way"
	echo "ok $early names were asked for while probes were under way"
fi
equal 'all have names' "$(jq '[(.forward, .reverse).hops[] | select(.address and .name == null)] | length' "$scratch/o.json")" 0
status 3 "$retour" trace -A elsewhere 192.0.2.1

# ---- a name server that is not there, and one that is slow

cat >"$scratch/timed.sh" <<'END'
# timed.sh RESOLV_CONF COMMAND...: milliseconds on standard error
mount --bind "$1" /etc/resolv.conf
shift
start=$(date +%s%N)
"$@" || exit
echo $((($(date +%s%N) - start) / 1000000)) >&2
END
timed() { # RESOLV_CONF COMMAND...
	in_lab unshare -m bash "$scratch/timed.sh" "$@"
}
echo 'nameserver 192.0.2.99' >"$scratch/silent"
timed "$scratch/silent" retour trace -n -4 -I --json 198.18.18.80 >/dev/null 2>"$scratch/bare"
timed "$scratch/silent" retour trace -4 -I -A online=asn.lab --json 198.18.18.80 >"$scratch/o.json" 2>"$scratch/took"
equal 'silent: the trace is whole' "$(jq -c '[.forward.reached, (.forward.hops | length)]' "$scratch/o.json")" '[true,8]'
extra=$(($(tail -n 1 "$scratch/took") - $(tail -n 1 "$scratch/bare")))
echo "a silent name server costs $extra ms"
[ "$extra" -lt 1000 ] || fail 'a silent name server holds the result up'
finished=$(jq -r '[.started_at, .finished_at] | map(.[11:19] + "." + .[20:26]) | join(" ")' "$scratch/o.json")
echo "measured from $finished"

# the slow one is on the host itself; it has names that harm
cat >"$scratch/slow.sh" <<'END'
# slow.sh DELAY HERE COMMAND...
echo 'nameserver 127.0.0.1' >/tmp/retour-test-resolv.$$
mount --bind /tmp/retour-test-resolv.$$ /etc/resolv.conf
rm -f /tmp/retour-test-resolv.$$
/usr/bin/python3 "$2/dns.py" "$1" >/dev/null &
server=$!
sleep 0.4
shift 2
start=$(date +%s%N)
"$@"
status=$?
echo $((($(date +%s%N) - start) / 1000000)) >&2
kill $server
exit $status
END
slow() { # DELAY COMMAND...
	local delay=$1
	shift
	in_lab unshare -m bash "$scratch/slow.sh" "$delay" "$here" "$@"
}
for delay in 0.3 5; do
	slow $delay retour trace -4 -I -A online=asn.test --data "$scratch/none" --json 198.18.18.80 \
		>"$scratch/o.json" 2>"$scratch/took"
	took=$(tail -n 1 "$scratch/took")
	echo "answers after $delay s: $took ms in all"
	[ "$took" -lt 2500 ] || fail 'a slow name server holds the result up'
	equal "slow: the trace is whole" "$(jq -c '[.forward.reached, (.forward.hops | length)]' "$scratch/o.json")" '[true,8]'
done

# ---- what harms

slow 0 retour trace -4 -I -A online=asn.test --data "$scratch/none" --json 198.18.18.80 >"$scratch/o.json" 2>/dev/null
equal 'several origins' "$(jq -c '.forward.hops[2].origins' "$scratch/o.json")" '[64666,64667]'
has 'the hostile name did come' "$(jq -r '.forward.hops[2].as_name' "$scratch/o.json")" 'Evil "Name", Inc'
harmless() { # WHAT: is what was printed
	[ -s "$scratch/o" ] || fail "$1 printed nothing"
	if LC_ALL=C grep -qP '[^\x20-\x7e\r\n\t]' "$scratch/o"; then
		fail "$1 lets control characters through: $(cat -v "$scratch/o")"
	fi
	echo "ok $1 is harmless"
}
for form in --width=140 --width=60 --csv --json --jsonl --format=scamper-json; do
	slow 0 retour trace -4 -I -A online=asn.test --data "$scratch/none" $form 198.18.18.80 >"$scratch/o" 2>/dev/null
	harmless "$form"
done
for persona in traceroute 'mtr -r -c 1 -w'; do
	# shellcheck disable=SC2086 # words
	slow 0 retour $persona 198.18.18.80 >"$scratch/o" 2>/dev/null
	harmless "$persona"
done
