#!/usr/bin/env bash
# Globalping, RIPE Atlas and STUN, played by platforms.py in a lab world: what comes back is the way that the world says
# is true from the probe; errors are told in one line; the key is in no output.
# shellcheck source=tests/interop/common.sh
. "$(dirname "$0")/common.sh"
need jq python3 traceroute
need_lab

export LG_TEST_KEY=f00dfeed-secret-key
world=$scratch/world.yaml
sed "s|@FAKE@|$here/platforms.py|" "$here/platforms.yaml" >"$world"

config() { # MODE [STUN PORT] [KEY VARIABLE]
	cat >"$scratch/config.yaml" <<-END
		globalping: {url: "http://probe.lab:8080/$1"${3:+, token_env: $3}}
		atlas: {url: "http://probe.lab:8080/$1", token_env: ${3:-LG_TEST_KEY}}
		stun: ["probe.lab:${2:-3478}"]
	END
}

in_lab() { # HOST COMMAND...: with the fakes at work
	local host=$1
	shift
	# shellcheck disable=SC2016 # the inner shell expands
	"$retour" lab run -w "$world" --on "$host" -- bash -c '
		for i in $(seq 100); do
			(exec 3<>/dev/tcp/probe.lab/8080) 2>/dev/null && (exec 3<>/dev/tcp/server.lab/8081) 2>/dev/null &&
				break
			sleep 0.05
		done
		exec "$@"' sh "$@"
}

ask() { # STATUS HOST ARGUMENTS...: the document in $scratch/out
	local expected=$1 host=$2
	shift 2
	status "$expected" in_lab "$host" retour back --config "$scratch/config.yaml" --json "$@"
	"$golden/validate.sh" "$scratch/out" || [ $? -eq 77 ] || fail 'not a retour/1 document'
	grep -qF f00dfeed "$scratch/out" "$scratch/err" && fail "the key is shown: $(cat "$scratch/out" "$scratch/err")"
	return 0
}

attempt() { # STATUS and detail of the only one
	jq -r '.reverse_attempts[0] | .status + ": " + .detail' "$scratch/out"
}

hops() {
	jq -r '.reverse.hops[].address' "$scratch/out"
}

truth() { # FAMILY FROM TO
	"$retour" lab truth -w "$world" --json "-$1" "$2" "$3" | jq -r '.hops[].address'
}

# ---- the way back is that of the probe

for family in 4 6; do
	config ok
	ask 0 client -$family server.lab --via globalping
	equal "Globalping, IPv$family: the hops" "$(hops)" "$(truth $family probe client)"
	has "Globalping, IPv$family" "$(attempt)" "ok: by the best of 3 probes, in the far host's AS (asked for: AS64510)"
	equal "Globalping, IPv$family: the vantage point" \
		"$(jq -c '.reverse.vantage | [.name[0:28], .asn, .distance]' "$scratch/out")" \
		'["Globalping probe, London, GB",64510,"same-as"]'
	equal "Globalping, IPv$family: somebody else's trace is inferred" \
		"$(jq -c '[.reverse.hops[].certainty] | unique' "$scratch/out")" '["inferred"]'
	equal "Globalping, IPv$family: a public address that is ours is not asked for" \
		"$(jq -c '.source.public_address' "$scratch/out")" null
	ask 0 client -$family server.lab --via atlas
	equal "Atlas, IPv$family: the hops" "$(hops)" "$(truth $family probe client)"
	equal "Atlas, IPv$family: the vantage point" \
		"$(jq -c '.reverse.vantage | [.name, .asn, .distance]' "$scratch/out")" \
		'["RIPE Atlas probe 1",64510,"same-prefix"]'
done

config samehost
ask 0 client -4 server.lab --via atlas
has 'Atlas: a probe at the far host itself is preferred' "$(attempt)" 'from the far host itself'
equal 'its hops are measured' "$(jq -c '[.reverse.hops[].certainty] | unique' "$scratch/out")" '["measured"]'
equal 'its hops' "$(hops)" "$(truth 4 server client)"

for protocol in icmp tcp; do
	config ok
	ask 0 client -4 server.lab --$protocol --via globalping
	equal "Globalping with $protocol" "$(jq -r .reverse.protocol "$scratch/out")" $protocol
done

# ---- places

config ok
ask 0 client -4 server.lab --via globalping:London
has 'a place of the user' "$(attempt)" '(asked for: London)'
ask 2 client -4 server.lab --via globalping:AS64499
has 'a place without probes' "$(attempt)" 'refused: Globalping refuses (422): No suitable probes found.'
ask 0 client -4 server.lab --via atlas:prefix=198.18.16.0/22
has 'a prefix of the user' "$(attempt)" 'ok: by the best of 1 results'
ask 2 client -4 server.lab --via atlas:town=London
has 'a place that is none' "$(attempt)" 'expected --via atlas:AS64500'
config upstream
status 0 in_lab client retour -4 server.lab --config "$scratch/config.yaml" --json --via globalping # with the way there
has 'none in the AS, one before it' "$(attempt)" 'in an AS on the way to the far host (asked for: AS64500)'
config noprobes
ask 2 client -4 server.lab --via globalping
has 'Globalping has none' "$(attempt)" 'unavailable: Globalping has no probe in the networks near the far host'
ask 2 client -4 server.lab --via atlas
has 'Atlas has none' "$(attempt)" 'unavailable: RIPE Atlas has no probe in the networks near the far host'
mkdir "$scratch/empty"
config ok
ask 2 client -4 server.lab --data "$scratch/empty" --via globalping
has 'without data nobody knows where' "$(attempt)" "unavailable: the far host's AS is not known"

# ---- only where the user says so

config ok
asked='[.reverse_attempts[] | select(.method == "globalping" or .method == "atlas") | [.method, .status]]'
ask 0 client -4 server.lab
equal 'a platform that is not to be used is not asked' \
	"$(jq -c "$asked" "$scratch/out")" '[]'
sed -i 's/globalping: {/globalping: {use: true, /' "$scratch/config.yaml"
ask 0 client -4 server.lab
equal 'one that is to be used is' "$(jq -c "$asked" "$scratch/out")" '[["globalping","ok"]]'

# ---- keys

config key 3478 LG_TEST_KEY
ask 0 client -4 server.lab --via globalping
equal 'Globalping with a key' "$(hops)" "$(truth 4 probe client)"
has 'what is left' "$(attempt)" '; 247 free tests and 4000 credits left'
config key
ask 2 client -4 server.lab --via globalping
has 'Globalping wants one' "$(attempt)" 'refused: Globalping: it wants a key: name one in the settings (token_env)'
export LG_TEST_OTHER=f00dfeed-another
config key 3478 LG_TEST_OTHER
ask 2 client -4 server.lab --via globalping
has 'Globalping, another key' "$(attempt)" 'refused: Globalping: the key is not accepted'
ask 2 client -4 server.lab --via atlas
has 'Atlas, another key; it repeats it' "$(attempt)" 'refused: RIPE Atlas refuses (403): (not shown: the key is in it)'
config key 3478 LG_TEST_NO_KEY
ask 2 client -4 server.lab --via atlas
has 'Atlas without a key' "$(attempt)" 'unavailable: RIPE Atlas wants a key'
config echo 3478 LG_TEST_KEY
ask 2 client -4 server.lab --via globalping
has 'an error that repeats the key' "$(attempt)" 'refused: Globalping refuses (400): (not shown: the key is in it)'

# ---- bad days

config throttle
ask 2 client -4 server.lab --via globalping
has 'throttled' "$(attempt)" 'refused: Globalping: no more for now, again in 1700 s: Too many requests.'
config reset
ask 2 client -4 server.lab --via globalping
has 'throttled, by the other header' "$(attempt)" 'refused: Globalping: no more for now, again in 1800 s'
config credits
ask 2 client -4 server.lab --via globalping
has 'Globalping credits' "$(attempt)" 'refused: Globalping: not enough credits'
ask 2 client -4 server.lab --via atlas
has 'Atlas credits' "$(attempt)" 'refused: RIPE Atlas refuses (402): You do not have enough credits'
config broken
ask 2 client -4 server.lab --via globalping
has 'out of order' "$(attempt)" 'failed: Globalping is out of order (503)'
config garbage
ask 2 client -4 server.lab --via globalping
has 'a web page instead' "$(attempt)" 'failed: Globalping: an answer that nobody understands'
config truncated
ask 2 client -4 server.lab --via globalping
has 'answers that end early' "$(attempt)" 'failed: Globalping: '
for mode in drip slow429; do
	config $mode
	ask 0 client -4 server.lab --via globalping
	equal "$mode: patience" "$(hops)" "$(truth 4 probe client)"
done
config lies
ask 0 client -4 server.lab --via globalping
equal 'the text is believed, not what was made of it' "$(hops)" "$(truth 4 probe client)"
has 'and it is said' "$(attempt)" "the text and the platform's reading of it differ at hop 3"
config elsewhere
ask 2 client -4 server.lab --via globalping
has 'a trace to somebody else is none' "$(attempt)" 'failed: AS64510: 3 probes, 2 of them failed, and none has a trace to us'

# ---- behind a NAT: `home` has 198.51.100.66

for port in 3478 3480; do # 3480 is forged before it is true
	config ok $port
	ask 0 inner -4 server.lab --via globalping
	equal "STUN $port: our public address" "$(jq -c '.source | [.address, .public_address]' "$scratch/out")" \
		'["192.168.1.2","198.51.100.66"]'
	equal "STUN $port: the way ends there" "$(hops | tail -n 1)" 198.51.100.66
	has "STUN $port: and that is said" "$(attempt)" 'reached your NAT, 198.51.100.66'
done
config ok 3479
ask 2 inner -4 server.lab --via globalping
has 'a STUN server that is silent' "$(attempt)" \
	'unavailable: our address, 192.168.1.2, is private, and the public one is not known (STUN server probe.lab: no answer)'
config ok 3482
ask 2 inner -4 server.lab --via globalping
has 'one that refuses' "$(attempt)" 'STUN server probe.lab: refuses to answer (420)'
config ok 3477
ask 2 inner -4 server.lab --via globalping
has 'none there' "$(attempt)" 'STUN server probe.lab: connection refused'
config ok 3483
ask 2 inner -4 server.lab --via globalping
has "inside the provider's NAT" "$(attempt)" '100.64.7.7 is no public address: nobody outside can trace to it'
config ok 3481
ask 0 inner -4 server.lab --via globalping
has 'an address that changes meanwhile' "$(attempt)" \
	'your public address changed meanwhile, from 198.51.100.66 to 198.51.100.99: this is the way to the old one'
sed -i /stun/d "$scratch/config.yaml"
ask 0 inner -4 http://probe.lab:8082/ --via globalping
equal 'retour serve at the URL tells it' "$(jq -r .source.public_address "$scratch/out")" 198.51.100.66
ask 2 inner -4 http://server.lab:8081/ --via globalping
has 'a server that does not tell it' "$(attempt)" 'the server at the URL does not tell it'
ask 2 inner -4 server.lab --via globalping
has 'nobody to ask' "$(attempt)" 'say it with --public-address, or name a STUN server'
ask 0 inner -4 server.lab --via globalping --public-address 198.51.100.66
equal "the user's word" "$(jq -r .source.public_address "$scratch/out")" 198.51.100.66
echo 'public_address: 198.51.100.66' >>"$scratch/config.yaml"
ask 0 inner -4 server.lab --via globalping
equal "the user's settings" "$(jq -r .source.public_address "$scratch/out")" 198.51.100.66
