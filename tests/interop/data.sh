#!/bin/bash
# Local data: what `retour data import` takes, refuses and leaves in place, and what hops show by it. The truth about who
# has a router is the world's.
. "$(dirname "$0")/common.sh"
need jq
need_lab
data=$scratch/data

# ---- what is refused, and that nothing is changed then

status 0 "$retour" data --data "$data"
has 'no data yet' "$(cat "$scratch/err")" 'no data in'
printf '192.0.2.0\t24\t64500\n' >"$scratch/good.txt"
touch -d '10 days ago' "$scratch/good.txt"
status 0 "$retour" data import --data "$data" "$scratch/good.txt"
has 'imported' "$(cat "$scratch/out")" 'pfx2as, 1 entry, 10 days old'
equal 'mode' "$(stat -c %a "$data"/pfx2as-ipv4.table)" 644
before=$(md5sum "$data"/*)

printf '192.0.2.0\t24\t64500\n192.0.3.0\t24\t645' >"$scratch/cut.txt"
gzip -k "$scratch/good.txt"
echo '{"hello": "world"}' >"$scratch/other.json"
: >"$scratch/empty"
truncate -s 1100M "$scratch/huge"
/usr/bin/python3 "$here/mmdb.py" asn "$scratch/whole.mmdb"
head -c 300 "$scratch/whole.mmdb" >"$scratch/cut.mmdb"
# its tree points where no data is
/usr/bin/python3 - "$scratch" <<'END'
import sys
data = bytearray(open(sys.argv[1] + "/whole.mmdb", "rb").read())
data[3:6] = b"\xff\xff\xff"
open(sys.argv[1] + "/bent.mmdb", "wb").write(data)
END
/usr/bin/python3 "$here/mmdb.py" useless "$scratch/useless.mmdb"
refused() { # FILE NEEDLE
	status 4 "$retour" data import --data "$data" "$scratch/$1"
	has "refused: $1" "$(cat "$scratch/err")" "$2"
	equal "one line about $1" "$(wc -l <"$scratch/err")" 1
	equal "nothing changed by $1" "$(md5sum "$data"/*)" "$before"
}
refused cut.txt 'cut off'
refused good.txt.gz 'compressed'
refused other.json "not PeeringDB"
refused empty 'nothing in it'
refused huge 'more than 1024 MB'
refused missing 'No such file'
refused . 'Is a directory'
refused cut.mmdb 'MMDB'
refused bent.mmdb 'damaged'
refused useless.mmdb 'neither AS numbers nor countries'
head -c 20000 /dev/urandom >"$scratch/noise"
status 4 "$retour" data import --data "$data" "$scratch/noise"
equal 'no temporary file is left' "$(ls -A "$data")" pfx2as-ipv4.table
status 3 "$retour" data import --data "$data"
status 3 "$retour" data remove
status 4 "$retour" data import --data /proc/nowhere/data "$scratch/good.txt"
has 'a folder that cannot be made' "$(cat "$scratch/err")" '/proc/nowhere/data'

if [ "$(id -u)" -eq 0 ]; then
	seq -f '10.%g.0.0' 1 250 | sed 's/$/\t16\t64500/' >"$scratch/many.txt"
	mkdir "$scratch/small"
	# shellcheck disable=SC2016
	status 4 unshare -m bash -c 'mount -t tmpfs -o size=4k none "$1" && cd "$1" &&
		{ "$2" data import --data "$1" "$3"; status=$?; ls -A; exit $status; }' bash "$scratch/small" "$retour" \
		"$scratch/many.txt"
	equal 'a full disk leaves nothing behind' "$(cat "$scratch/out")" ''
	has 'a full disk is told' "$(cat "$scratch/err")" 'No space left'
fi

# ---- the world's own files, and what hops show

in_lab() { # COMMAND...: in the world with the exchange
	"$retour" lab run -w "$here/exchange.yaml" -- "$@"
}
# shellcheck disable=SC2016 # the shell in the lab expands
in_lab sh -c 'retour data import --data "$1" "$RETOUR_DATA"/ip2asn-combined.tsv "$RETOUR_DATA"/pfx2as.txt \
	"$RETOUR_DATA"/as-rel.txt "$RETOUR_DATA"/peeringdb.json' sh "$data" >"$scratch/imported"
equal 'all four are read' "$(wc -l <"$scratch/imported")" 4
for where in 'as published:' "imported:--data $data"; do
	for family in 4 6; do
		# shellcheck disable=SC2086 # two words
		in_lab retour trace -$family -n --json ${where#*:} server.lab >"$scratch/o.json"
		"$golden/validate.sh" "$scratch/o.json" || [ $? -eq 77 ] || fail 'not a retour/1 document'
		got=$(jq -r '.forward.hops[] | [.address, .operator_asn // .asn] | @tsv' "$scratch/o.json")
		expected=$("$retour" lab truth -w "$here/exchange.yaml" --json -$family client server |
			jq -r '.hops[] | [.address, .asn] | @tsv')
		equal "${where%%:*}, IPv$family: whose router each hop is" "$got" "$expected"
		equal "${where%%:*}, IPv$family: the prefix is the provider's all the same" \
			"$(jq -c '[.forward.hops[] | select(.operator_asn and .asn) | [.asn, .operator_asn]]' \
				"$scratch/o.json")" '[[64500,64510]]'
		equal "${where%%:*}, IPv$family: the exchange" \
			"$(jq -c '[.forward.hops[] | select(.ixp) | [.ttl, .ixp, .asn, .operator_asn, .country]]' \
				"$scratch/o.json")" '[[3,"EX-1",null,64500,"CH"]]'
		equal "${where%%:*}, IPv$family: each operator with a reason" \
			"$(jq '[.forward.hops[] | select((.operator_asn == null) != (.operator_reason == null))] | length' \
				"$scratch/o.json")" 0
	done
done

# ---- a larger world: never a wrong operator, and fewer wrong networks than by prefixes alone

"$retour" lab generate --ases 60 --seed 3 --profile clean -o "$scratch/w.yaml"
# shellcheck disable=SC2016
"$retour" lab run -w "$scratch/w.yaml" -- sh -c 'for host in server d1 d2 d3 d4 d5 vp1 vp2; do
	retour trace -4 -n --json $host.lab | jq -r --arg host $host ".forward.hops[] | select(.address) |
		[\$host, .address, .asn // 0, .operator_asn // 0] | @tsv"; done' >"$scratch/seen"
for host in server d1 d2 d3 d4 d5 vp1 vp2; do
	"$retour" lab truth -w "$scratch/w.yaml" -4 --json client $host |
		jq -r --arg host $host '.hops[] | select(.address) | [$host, .address, .asn] | @tsv'
done >"$scratch/true"
awk -F'\t' 'NR == FNR { owner[$1, $2] = $3; next }
	($1, $2) in owner { hops++; wrong_origin += $3 && $3 != owner[$1, $2]
		operators += $4 > 0; wrong += $4 && $4 != owner[$1, $2] }
	END { printf "%d %d %d %d\n", hops, wrong_origin, operators, wrong }' "$scratch/true" "$scratch/seen" >"$scratch/sum"
read -r hops wrong_origin operators wrong <"$scratch/sum"
echo "$hops hops, $wrong_origin with addresses of another network, $operators operators inferred, $wrong of them wrong"
[ "$hops" -gt 50 ] || fail 'too few hops were seen for a verdict'
[ "$operators" -gt 4 ] || fail 'too few operators were inferred for a verdict'
equal 'no operator is wrong' "$wrong" 0

# ---- MMDB files; the more specific prefix wins over what pfx2as says

/usr/bin/python3 "$here/mmdb.py" country "$scratch/country.mmdb"
/usr/bin/python3 "$here/mmdb.py" ipinfo "$scratch/ipinfo.mmdb"
mmdb=$scratch/mmdb
status 0 "$retour" data import --data "$mmdb" "$scratch/whole.mmdb" "$scratch/country.mmdb" "$scratch/ipinfo.mmdb"
equal 'files by the names of their types' "$(cd "$mmdb" && echo *)" \
	'Test-ASN.mmdb Test-Country.mmdb ipinfo_test_lite.mmdb'
if command -v mmdblookup >/dev/null; then
	equal 'another reader reads the same' "$(mmdblookup --file "$mmdb/Test-ASN.mmdb" --ip 198.51.100.4 \
		autonomous_system_number | tr -dc 0-9 | head -c 5)" 64700
fi
hop() { # ADDRESS: [asn, as_name, country, origins] in the world with the MMDB files
	in_lab retour trace -4 -n --data "$mmdb" --json server.lab |
		jq -c --arg address "$1" '.forward.hops[] | select(.address == $address) |
			[.asn, .as_name, .country, .origins]'
}
equal 'GeoLite2 keys' "$(hop 198.51.100.4)" '[64700,"MMDB Campus",null,[64700]]'
equal 'IPinfo keys' "$(hop 203.0.113.5)" '[64701,"Info Transit","LU",[64701]]'
equal 'IPinfo with name and country' "$(hop 198.18.18.80)" '[64702,"Info Hosting","BE",[64702]]'
equal 'country alone' "$(hop 198.18.16.3)" '[null,null,"AT",[]]'
printf '198.51.100.4\t32\t64800_64801\n203.0.113.0\t25\t64701\n203.0.113.0\t24\t1\n' >"$scratch/some.txt"
"$retour" data import --data "$mmdb" "$scratch/some.txt" >/dev/null
equal 'longer prefix of another file, both origins' "$(hop 198.51.100.4)" '[64800,null,null,[64800,64801]]'
equal 'equal prefixes with equal origins are one' "$(hop 203.0.113.5)" '[64701,"Info Transit","LU",[64701]]'

# A file that is cut off after it was installed: answers are lost, the trace is not.
for file in "$mmdb"/* "$data"/*; do
	truncate -s $(($(stat -c %s "$file") * 2 / 3)) "$file"
done
for folder in "$mmdb" "$data"; do
	in_lab retour trace -4 -n --data "$folder" --json server.lab >"$scratch/o.json"
	equal 'reached with damaged data' "$(jq -c '[.forward.reached, (.forward.hops | length)]' "$scratch/o.json")" \
		'[true,7]'
	got=$(jq -r '.forward.hops[] | select(.asn and (.address | startswith("198.18."))) | .asn' "$scratch/o.json" | sort -u)
	case $got in
	'' | 64510 | 64702) echo 'ok no wrong AS from damaged data' ;;
	*) fail "damaged data lied: $got" ;;
	esac
done
