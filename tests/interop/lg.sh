#!/bin/bash
# Looking glasses of every kind, played by lg_server.py and lg_router.py (behind BusyBox's telnetd) on the far host of a
# lab world: the way back that they show is the one that the world says, and what goes wrong is said.
# shellcheck source=tests/interop/common.sh
source "$(dirname "$0")/common.sh"
need traceroute python3 jq
busybox=$(command -v busybox) || skip "busybox is not installed (scripts/setup.sh test)"
"$busybox" --list | grep -qx telnetd || skip "busybox has no telnetd (scripts/setup.sh test)"
need_lab

export XDG_STATE_HOME=$scratch/state
world=$scratch/world.yaml config=$scratch/config.yaml
url=http://server.lab:8080

# ---- the world: whoever helps on the far host

cat >"$scratch/routers" <<END
#!/bin/sh
for pair in "2301 ios" "2302 junos" "2303 huawei" "2304 shut" "2305 ios --paging"; do
	login=$scratch/login.\${pair%% *}
	printf '#!/bin/sh\nexec /usr/bin/python3 %s %s\n' "$here/lg_router.py" "\${pair#* }" >"\$login"
	chmod +x "\$login"
	"$busybox" telnetd -F -p "\${pair%% *}" -l "\$login" &
done
wait
END
chmod +x "$scratch/routers"
{
	cat "$here/../../lab/demo-quiet.yaml"
	echo "services:"
	echo "  - {host: server, run: /usr/bin/python3 $here/lg_server.py 8080 $scratch/log}"
	echo "  - {host: server, run: $scratch/routers}"
} >"$world"

adapter() { # NAME LINE...: with lines that are put in or, by their key, replaced
	local name=$1 file=$scratch/$1.yaml line
	shift
	cat >"$file" <<-END
		name: $name
		base_url: $url/ok/form
		cmd_key: cmd
		cmd_value: tr
		cmd_value6: tr6
		target_key: host
		router_key: pop
		router_map:
		  - {id: lon, city: London, asn: 64510}
		  - {id: par, city: Paris}
		token_page: /
		token_field: token
		result_extract: pre
		parser: linux
		min_interval_s: 600
		tos_allows_automation: true
	END
	for line; do
		sed -i "/^${line%%:*}:/d" "$file"
		echo "$line" >>"$file"
	done
}
adapter form
adapter get "method: GET" "min_interval_s: 0"
adapter manual "tos_allows_automation: false"
adapter wrong "parser: swedish"

cat >"$config" <<END
looking_glasses:
  - {name: rfc, type: rfc8522, url: "$url/ok", location: edge2.lab}
  - {name: rfc-there, type: rfc8522, url: "$url/ok", address: 198.18.18.80}
  - {name: rfc-lost, type: rfc8522, url: "$url/ok", location: edge9}
  - {name: hyper, type: hyperglass, url: "$url/ok/hyperglass/"}
  - {name: hyper-lost, type: hyperglass, url: "$url/ok/hyperglass", location: mars}
  - {name: bird, type: bird-lg, url: "$url/ok/bird"}
  - {name: bird-lost, type: bird-lg, url: "$url/ok/bird", location: lon1}
  - {name: proxy, type: bird-lg-proxy, url: "$url/ok"}
  - {name: mazoyer, type: gmazoyer, url: "$url/ok/gmazoyer"}
  - {name: mazoyer-lost, type: gmazoyer, url: "$url/ok/gmazoyer", location: Edge Paris}
  - {name: hybula, type: hybula, url: "$url/ok/hybula/"}
  - {name: form, type: adapter, adapter: $scratch/form.yaml}
  - {name: get, type: adapter, adapter: $scratch/get.yaml}
  - {name: manual, type: adapter, adapter: $scratch/manual.yaml, location: paris}
  - {name: wrong, type: adapter, adapter: $scratch/wrong.yaml}
  - {name: ios, type: telnet, url: "telnet://rviews:s3cret%20word@server.lab:2301"}
  - {name: ios-wrong, type: telnet, url: "telnet://rviews:s3cret@server.lab:2301"}
  - {name: ios-anonymous, type: telnet, url: "telnet://server.lab:2301"}
  - {name: junos, type: telnet, url: "telnet://server.lab:2302"}
  - {name: huawei, type: telnet, url: "telnet://server.lab:2303"}
  - {name: shut, type: telnet, url: "telnet://server.lab:2304"}
  - {name: paging, type: telnet, url: "telnet://rviews:s3cret%20word@server.lab:2305"}
  - {name: nobody, type: telnet, url: "telnet://server.lab:2399"}
$(for mood in busy full closed garbage html huge truncated redirect; do
	for type in rfc8522 hyperglass bird-lg bird-lg-proxy gmazoyer hybula; do
		echo "  - {name: $mood-$type, type: $type, url: \"http://me:s3cret@server.lab:8080/$mood\"}"
	done
done)
END

# ---- asking: all of them in one lab, a file of results each

cat >"$scratch/ask" <<'END'
#!/bin/bash
# FAMILY CONFIG SCRATCH NAME...
family=$1 config=$2 scratch=$3
shift 3
# Many traces end here in a short time: all of them are to be answered.
echo 0 >/proc/sys/net/ipv4/icmp_ratelimit
echo 0 >/proc/sys/net/ipv6/icmp/ratelimit
for _ in {1..50}; do
	(exec 3<>/dev/tcp/server.lab/8080 4<>/dev/tcp/server.lab/2305) 2>/dev/null && break
	sleep 0.1
done
for name; do
	retour back "-$family" server.lab --config "$config" --via "lg:$name" --json >"$scratch/$name.$family" 2>&1
	retour back "-$family" -n server.lab --config "$config" --via "lg:$name" >>"$scratch/text" 2>&1
done
exit 0
END
chmod +x "$scratch/ask"

ask() { # FAMILY NAME...
	"$retour" lab run -w "$world" -- "$scratch/ask" "$1" "$config" "$scratch" "${@:2}"
}

truth() { # FAMILY
	"$retour" lab truth -w "$world" --json "-$1" server client | jq -c '[.hops[].address]'
}

hops() { # FAMILY NAME
	jq -c '[.reverse.hops[]?.address]' "$scratch/$2.$1"
}

says() { # NAME STATUS DETAIL
	equal "$1" "$(jq -r '.reverse_attempts[0] | .status + ", " + .detail' "$scratch/$1.4")" "$2, $1: $3"
}

good="rfc rfc-there hyper bird proxy mazoyer hybula get ios junos huawei paging"
for family in 4 6; do
	# shellcheck disable=SC2086 # names they are
	ask $family $good
	for name in $good; do
		equal "$name, IPv$family" "$(hops $family "$name")" "$(truth $family)"
		equal "$name, IPv$family: whole" "$(jq -r '.reverse_attempts[0].status, .reverse.reached' \
			"$scratch/$name.$family" | xargs)" "ok true"
	done
done

vantage() { # FILE
	jq -c '[.reverse.vantage.name, .reverse.vantage.address, (.reverse.hops | map(.certainty) | unique)]' "$scratch/$1"
}
equal 'its router is told' "$(vantage rfc.4)" '["rfc (edge2.lab)",null,["inferred"]]'
equal 'who stands on the far host is it' "$(vantage rfc-there.4)" '[null,null,["measured"]]'
equal 'who answers on the far host, too' "$(vantage proxy.4)" '[null,null,["measured"]]'
equal 'and the router behind telnet' "$(vantage ios.4)" '[null,null,["measured"]]'
equal 'a page that names a device' "$(vantage hyper.6)" '["hyper (Harbour)",null,["inferred"]]'

# ---- what they refuse

ask 4 rfc-lost hyper-lost bird-lost mazoyer-lost manual wrong ios-wrong ios-anonymous shut nobody unheard-of
says rfc-lost failed "router 'edge9' does not trace; it has: edge1.lab, edge2.lab"
says hyper-lost failed "it has no 'mars'; it has: Harbour"
says bird-lost failed 'its answer is no traceroute: "request failed: invalid server"'
says mazoyer-lost refused 'it says: "Router not found."'
says manual unavailable "it is not for programs; by hand: open $url/ok/form, choose Paris, traceroute to 198.51.100.77: what it prints is the way back"
says wrong unavailable "$scratch/wrong.yaml: parser: expected one of the dialects in retour-adapter(5)"
says ios-wrong refused "user name or password was refused"
says ios-anonymous refused "it asks for a user name: write telnet://USER@HOST"
says shut refused "it does not let us run a traceroute"
says nobody unavailable "nobody answers there"
has 'an unknown name' "$(jq -r '.reverse_attempts[0].detail' "$scratch/unheard-of.4")" "no looking glass of the settings is called 'unheard-of'"

# A form is left alone for as long as its adapter says.
ask 4 form
has 'a form that was just filled in' "$(grep -c 'form.*POST\|POST.*form' "$scratch/log")" 1
has 'is left alone' "$(cat "$scratch/text")" "it was asked a moment ago; it may be again in"

# ---- what goes wrong

moods=$(for mood in busy full closed garbage html huge truncated redirect; do
	for type in rfc8522 hyperglass bird-lg bird-lg-proxy gmazoyer hybula; do echo "$mood-$type"; done
done)
SECONDS=0
# shellcheck disable=SC2086
ask 4 $moods
[ "$SECONDS" -lt 90 ] || fail "bad answers took $SECONDS s"
for name in $moods; do
	equal "$name: no way back" "$(jq -r '.reverse' "$scratch/$name.4")" null
	jq -e '.reverse_attempts[0].status != "ok" and (.reverse_attempts[0].detail | length > 10)' "$scratch/$name.4" >"$scratch/out" ||
		fail "$name: $(cat "$scratch/$name.4")"
done
for type in rfc8522 bird-lg hybula; do
	says "busy-$type" refused "too busy (HTTP 429): ask again in 17 s"
	says "full-$type" refused "too busy (HTTP 503): ask again later"
	says "closed-$type" refused "refused (HTTP 403): it is not open to us"
done
says html-rfc8522 unsupported "its answer is not JSON: no looking glass of type rfc8522"
says truncated-rfc8522 failed "its answer did not come to an end"
has 'a file is not fetched' "$(cat "$scratch"/redirect-*.4)" "not supported or disabled"

# ---- secrets are in no output, and were sent where they belong

grep -q s3cret "$scratch"/*.4 "$scratch"/*.6 "$scratch/text" && fail "a password was shown: $(grep -h s3cret "$scratch"/*.4 | head -1)"
echo "ok no password is shown"

# ---- several of them: the next is asked where one is slow or fails, and the ladder asks by itself

cat >"$config" <<END
looking_glasses:
  - {name: never, type: rfc8522, url: "$url/never"}
  - {name: full, type: rfc8522, url: "$url/full"}
  - {name: far, type: rfc8522, url: "$url/ok", address: 203.0.113.1}
  - {name: there, type: rfc8522, url: "$url/busy", address: 198.18.18.80}
END
: >"$scratch/log"
SECONDS=0
"$retour" lab run -w "$world" -- retour back -4 server.lab --config "$config" --via lg --json >"$scratch/all"
[ "$SECONDS" -lt 20 ] || fail "it took $SECONDS s"
equal 'the nearest first, then as in the file' "$(grep -o '^GET /[a-z]*' "$scratch/log" | uniq | xargs)" \
	"GET /busy GET /never GET /full GET /ok"
has 'who did answer is told' "$(jq -r '.reverse_attempts[0].detail' "$scratch/all")" "from far, "
equal 'and stands somewhere else' "$(jq -c '[.reverse.vantage.name, .reverse.vantage.address]' "$scratch/all")" \
	'["far (edge1.lab)","203.0.113.1"]'
equal 'the way back' "$(jq -c '[.reverse.hops[]?.address]' "$scratch/all")" "$(truth 4)"
"$retour" lab run -w "$world" -- retour -6 server.lab --config "$config" --json >"$scratch/all"
equal 'the ladder asks them by itself' \
	"$(jq -r '.reverse_attempts[] | select(.method == "lg").status' "$scratch/all")" ok
equal 'and shows that' "$(jq -c '[.reverse.method, [.reverse.hops[]?.address]]' "$scratch/all")" "[\"lg\",$(truth 6)]"

# ---- behind a NAT: what a STUN server of the settings saw is traced, and looked at again in the end

sed "s#@FAKE@#$here/platforms.py#" "$here/platforms.yaml" >"$world"
echo "  - {host: server, run: /usr/bin/python3 $here/lg_server.py 8083 $scratch/log}" >>"$world"
behind_nat() { # STUN PORT
	cat >"$config" <<-END
		looking_glasses: [{name: bird, type: bird-lg, url: "http://server.lab:8083/ok/bird"}]
		stun: ["probe.lab:$1"]
	END
	# shellcheck disable=SC2016 # the inner shell's
	"$retour" lab run -w "$world" --on inner -- bash -c '
		for _ in {1..50}; do (exec 3<>/dev/tcp/server.lab/8083 4<>/dev/tcp/probe.lab/8080) 2>/dev/null && break; sleep 0.1; done
		exec retour back -4 server.lab --config "$0" --via lg --json' "$config" >"$scratch/nat"
	jq -r '.reverse_attempts[0] | .status + ", " + .detail' "$scratch/nat"
}
has 'the way ends at the NAT' "$(behind_nat 3478)" 'reached your NAT: what is behind it is not seen'
equal 'hop by hop' "$(jq -c '[.reverse.hops[].address]' "$scratch/nat")" \
	"$("$retour" lab truth -w "$world" --json -4 server inner | jq -c '[.hops[:-1][].address]')"
has 'an address that changes meanwhile' "$(behind_nat 3481)" \
	'your public address changed meanwhile, from 198.51.100.66 to 198.51.100.99: this is the way to the old one'
