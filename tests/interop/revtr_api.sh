#!/bin/bash
# The coordinator of reverse traceroutes as a process: its interface and its description are the same, it can be killed
# at any moment, and a store that it cannot use is left as it is.
#
# In a network of its own, in which 198.51.100.77 is this host and everything else is silent.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
if [ -z "${RETOUR_TEST_INSIDE-}" ]; then
	enter=(unshare --net)
	[ "$(id -u)" -eq 0 ] || enter=(unshare --user --map-root-user --net)
	"${enter[@]}" true 2>/dev/null || skip "no right to make namespaces (neither root nor user namespaces)"
	RETOUR_TEST_INSIDE=1 exec "${enter[@]}" "$BASH" "$0" "$@"
fi
. "$(dirname "${BASH_SOURCE[0]}")/../broker.sh"
need jq curl openssl ip
/usr/bin/python3 -c 'import jsonschema, yaml' 2>/dev/null || skip "no python3-jsonschema or python3-yaml"
root=$here/../..
description=$root/docs/api/revtr.yaml
export XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config HOME=$scratch RETOUR_DATA=$scratch/data
store=$XDG_STATE_HOME/retour/revtr.db
port=$((20000 + $$ % 20000))
url=http://127.0.0.1:$port
source=198.51.100.77 destination=198.18.18.80
ip link set lo up
ip link add nowhere type veth peer name behind
ip address add $source/24 dev nowhere
ip link set nowhere up
ip link set behind up
ip neighbour add 198.51.100.1 lladdr 02:00:00:00:00:01 dev nowhere
ip route add default via 198.51.100.1
coordinator=
trap '[ -z "$coordinator" ] || kill -9 $coordinator 2>/dev/null; rm -rf "$scratch"' EXIT

# Without raw sockets there is no agent.
without=(setpriv --bounding-set -net_raw --inh-caps -net_raw --no-new-privs)
start() { # OPTIONS...
	"${without[@]}" "$retour" revtr coordinator --listen "127.0.0.1:$port" "$@" \
		2>"$scratch/log" &
	coordinator=$!
	for _ in {1..300}; do
		curl -sk -o "$scratch/health" "$url/api/v2/health" && return
		kill -0 $coordinator 2>/dev/null || fail "the coordinator ended: $(cat "$scratch/log")"
		sleep 0.1
	done
	fail "no coordinator: $(cat "$scratch/log")"
}

revtr() {
	"$retour" revtr "$@" --server "$url"
}

status 3 "$retour" revtr coordinator --keep-days 30d
has "what is wrong with an option" "$(cat "$scratch/err")" "--keep-days 30d: expected a whole number"
status 4 "$retour" revtr sources --server "$url"
has "no key yet" "$(cat "$scratch/err")" "retour revtr coordinator"
start
equal "only the owner reads the store" "600 600" "$(stat -c %a "$store" "$store-key" | xargs)"
equal "without privilege, its system calls limited" "0000000000000000 1 2" "$(awk \
	'$1 == "CapPrm:" || $1 == "NoNewPrivs:" || $1 == "Seccomp:" { print $2 }' "/proc/$coordinator/status" | xargs)"
revtr source add $source --agent here >"$scratch/added"
has "a source" "$(revtr sources)" "$source"
"$here/revtr_api.py" "$description" "$url" "$(cat "$store-key")" $source $destination
served=$(sed -nE 's|^[[:space:]]*\{"([A-Z]+)", "([^"]*)", [A-Z]+, revtr_.*|\2|p' "$root/src/serve/revtr_api.c" | sort -u)
[ "$(wc -l <<<"$served")" -ge 12 ] || fail "the table of paths was not understood: $served"
while read -r path; do
	grep -qE "^  ${path//\{\}/\{[a-z]+\}}:$" "$description" || fail "$path is served but not described"
done <<<"$served"
echo "ok what is served is described"

# ---- silence is told
metrics=$(curl -s "$url/metrics")
has "an age while nothing is heard" "$metrics" retour_revtr_last_answer_age_seconds
has "an age of a source" "$metrics" "retour_revtr_source_last_reached_age_seconds{source=\"$source\"}"
has "not well" "$metrics" "retour_revtr_up 0"
equal "lines of a name stand together" "" "$(sed -nE 's/^(retour[a-z_]*).*/\1/p' <<<"$metrics" | uniq | sort | uniq -d)"
named=$(grep -oE 'retour_revtr_[a-z_]+' "$root/docs/revtr.md" | sort -u)
[ "$(wc -l <<<"$named")" -ge 8 ] || fail "no rules for alarms: $named"
equal "what alarms are made of is there" "" "$(comm -23 <(echo "$named") <(sed -nE 's/^(retour[a-z_]*).*/\1/p' <<<"$metrics" | sort -u))"
equal "health" no-agents "$(curl -s "$url/api/v2/health" | jq -r .state)"
equal "alive and ready all the same" "live ready" \
	"$(for path in live ready; do curl -sf "$url/api/v2/health/$path" | jq -r .state; done | xargs)"

# ---- the agent at the source is away: who waits is told for whom and until when, once
"$retour" revtr submit --wait $source $destination --server "$url" >"$scratch/out" 2>"$scratch/err" &
waiting=$!
for _ in {1..200}; do grep -q waiting "$scratch/err" && break; sleep 0.1; done
has "for whom" "$(cat "$scratch/err")" "waiting for agent here, which stands at $source and is not connected, until 20"
until=$(date -d "$(sed -nE 's/.* until ([^;]*);.*/\1/p' "$scratch/err")" +%s)
left=$((until - $(date +%s)))
((left > 3000 && left <= 3600)) || fail "until when: $(cat "$scratch/err")"
batch=$(revtr submit --json $source $destination | jq .batch)
has "of a batch" "$(revtr show "$batch")" "waits for agent here, which stands at $source"
has "as an event" "$(curl -s -m 4 -H 'Accept: text/event-stream' -H "Revtr-Key: $(cat "$store-key")" \
	"$url/api/v2/batches/$batch/stream" || true)" "event: awaits
data: {\"awaits\":{\"agent\":\"here\""
equal "once" 1 "$(wc -l <"$scratch/err")"
revtr cancel "$batch" >/dev/null
kill -INT $waiting
wait $waiting || true

# ---- with an agent
kill $coordinator
wait $coordinator
without=()
start --listen "$source:$port"
other=http://$source:$port/metrics
has "totals for everybody" "$(curl -s "$other")" retour_revtr_finished_total
equal "who agents and sources are is not for strangers" 0 "$(curl -s "$other" | grep -cE 'agent=|source=' || true)"
has "but for who has a key" "$(curl -s -H "Authorization: Bearer $(cat "$store-key")" "$other")" "source=\"$source\""
for _ in {1..300}; do curl -sf -o /dev/null "$url/api/v2/health" && break; sleep 0.1; done
equal "an agent of its own" ok "$(curl -s "$url/api/v2/health" | jq -r .state)"

# ---- killed in the middle of a batch: it goes on by itself, and the client's second try is the same batch
seq -f '198.18.%g.1' 1 12 >"$scratch/list"
batch=$(revtr submit --file "$scratch/list" --request night $source --json | jq .batch)
kill -9 $coordinator
wait $coordinator 2>/dev/null || true
start
equal "the same batch" "$batch" "$(revtr submit --file "$scratch/list" --request night $source --json | jq .batch)"
status 2 revtr watch "$batch" --json
equal "every one of it, once" "$(sort -V "$scratch/list")" "$(jq -r .destination "$scratch/out" | sort -V)"
equal "its state" '12 12 done' "$(revtr show "$batch" --json | jq -rs '[length, ([.[] | select(.state == "done")] | length), "done"] | join(" ")')"

# Between the start and this result there is some time.
sleep 0.5
revtr submit --wait $source 198.18.13.1 >/dev/null || true
curl -s "$url/metrics" | awk -v label="{source=\"$source\"}" '
	$1 == "retour_revtr_source_last_finished_age_seconds" label { finished = $2 }
	$1 == "retour_revtr_source_last_reached_age_seconds" label { reached = $2 }
	END { print finished, reached; exit !(finished + 0.1 < reached) }' >"$scratch/ages" || fail "ages: $(cat "$scratch/ages")"
echo "ok results come, but none is whole: the ages say so"

# ---- a stream that was cut off goes on after what came, in the same order
stream() { # QUERY [CURL OPTIONS...]
	curl -sf -m 20 -H "Revtr-Key: $(cat "$store-key")" "${@:2}" "$url/api/v2/batches/$batch/stream$1"
}
stream "" | jq -c 'select(.end | not) | .id' >"$scratch/ids"
equal "a stream tells all" 12 "$(sort -u "$scratch/ids" | wc -l)"
equal "JSON lines go on" "$(tail -n +6 "$scratch/ids")" "$(stream "?after=5" | jq -c 'select(.end | not) | .id')"
stream "" -H 'Accept: text/event-stream' -H 'Last-Event-ID: 10' >"$scratch/events"
equal "events go on" "11 12" "$(sed -n 's/^id: //p' "$scratch/events" | xargs)"
equal "they are the last" "$(tail -n 2 "$scratch/ids")" "$(sed -n 's/^data: //p' "$scratch/events" | jq -c 'select(.end | not) | .id')"
has "an end after the last" "$(stream "?after=12")" '"end":true'

# ---- cancelled, with targets of its own: what was asked in vain is not asked again so soon
for ((i = 0; i < 1000; i++)); do echo "198.19.$((i / 250)).$((i % 250 + 1))"; done >"$scratch/others"
batch=$(revtr submit --file "$scratch/others" $source --json | jq .batch)
revtr cancel "$batch" --json >"$scratch/cancelled"
equal "cancelled, but for those that had ended" "cancelled 1000 true" \
	"$(jq -r '"\(.state) \(.done + .cancelled) \(.cancelled > 0)"' "$scratch/cancelled")"
has "and it ends" "$(curl -s -H "Revtr-Key: $(cat "$store-key")" "$url/api/v2/batches/$batch/stream")" '"end":true'
has "server-sent events" "$(curl -s -H 'Accept: text/event-stream' -H "Revtr-Key: $(cat "$store-key")" \
	"$url/api/v2/batches/1/stream")" "event: end"

# ---- what is old goes, and it says so; nothing else goes
night=$(revtr submit --file "$scratch/list" --request night $source --json | jq .batch)
is_kept() { # BATCH, its status
	curl -s -o "$scratch/gone" -w '%{http_code}' -H "Revtr-Key: $(cat "$store-key")" "$url/api/v2/batches/$1"
}
again() { # OPTIONS...: a start anew, 31 days after all that has ended
	kill $coordinator
	wait $coordinator || true
	/usr/bin/python3 -c 'import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as db:
	db.execute("UPDATE batch SET changed_ms = changed_ms - 31 * 86400000 WHERE id = ?", [sys.argv[2]])' "$store" "$night"
	start "$@"
}
again --keep-days 0
sleep 1
equal "kept for ever" 200 "$(is_kept "$night")"
kept() { curl -s "$url/metrics" | awk '$1 == "retour_revtr_results_kept" { print $2 }'; }
before=$(kept)
curl -s "$url/metrics" | awk '$1 == "retour_revtr_oldest_ended_batch_age_seconds" && $2 > 31 * 86400 { found = 1 }
	END { exit !found }' || fail "the age of the oldest: $(curl -s "$url/metrics" | grep oldest)"
again --listen "$source:$port"
for _ in {1..200}; do [ "$(is_kept "$night")" = 410 ] && break; sleep 0.1; done
equal "not kept any more, and why" "410 gone the results of batch $night are not kept any more; to have them again, submit it again" \
	"$(is_kept "$night") $(jq -r '.error | "\(.code) \(.message)"' "$scratch/gone")"
for path in results stream; do equal "nor its $path" 410 "$(is_kept "$night/$path")"; done
equal "nor as published" 410 "$(curl -s -o /dev/null -w '%{http_code}' -H "Revtr-Key: $(cat "$store-key")" "$url/api/v1/revtr?batchid=$night")"
for command in show watch cancel; do
	status 4 revtr $command "$night"
	has "$command of what is not kept" "$(cat "$scratch/err")" "not kept any more"
done
equal "its results are not counted" $((before - 12)) "$(kept)"
equal "what is younger stays" 200 "$(is_kept "$batch")"
equal "what never was is unknown" 404 "$(is_kept 4711)"
other=$(revtr submit --file "$scratch/list" --request night $source --json | jq .batch)
[ "$other" -gt "$night" ] || fail "under its old name another batch begins: $other after $night"

# ---- a second one on the same store
status 4 "$retour" revtr coordinator --listen "127.0.0.1:$((port + 1))"
has "a second coordinator" "$(cat "$scratch/err")" "another coordinator has it"
kill $coordinator
got=0
wait $coordinator || got=$?
equal "an end in order" 0 $got
coordinator=

# ---- TLS: who does not trust the authority shows no key; a new certificate is taken while a stream is open
broker_authority "$scratch"
broker_certificate "$scratch" here IP:127.0.0.1
url=https://127.0.0.1:$port
start --tls-certificate "$scratch/here.crt" --tls-key "$scratch/here.key"
status 4 revtr agents
has "an authority that is not trusted" "$(cat "$scratch/err")" "does not prove who it is"
has "a trusted authority" "$(revtr sources --ca "$scratch/ca.crt")" "$source"
status 4 "$retour" revtr sources --server "http://127.0.0.1:$port"
has "HTTP where HTTPS is spoken" "$(cat "$scratch/err")" "which may be https"
mkdir -p "$XDG_CONFIG_HOME/retour"
printf 'revtr: {url: "%s", ca: "%s"}\n' "$url" "$scratch/ca.crt" >"$XDG_CONFIG_HOME/retour/config.yaml"
status 2 "$retour" back $destination --via revtr
has "retour back over TLS" "$(cat "$scratch/out")" "by revtr: failed, nothing of the way back"
status 2 "$retour" revtr submit --wait $source $destination
served() {
	curl -s --cacert "$scratch/ca.crt" -w '%{certs}' -o /dev/null "$url/api/v2/health" | sed -n '/BEGIN/,/END/p'
}
has "where results are" "$(curl -s --cacert "$scratch/ca.crt" -H "Revtr-Key: $(cat "$store-key")" \
	-d "{\"revtrs\": [{\"src\": \"$source\", \"dst\": \"$destination\"}]}" "$url/api/v1/revtr" | jq -r .result_uri)" "$url/api/v1/revtr?batchid="
before=$(served)
broker_certificate "$scratch" here IP:127.0.0.1
kill -HUP $coordinator
for _ in {1..200}; do [ "$(served)" = "$before" ] || break; sleep 0.1; done
[ -n "$before" ] || fail "no certificate is told"
[ "$(served)" != "$before" ] || fail "the old certificate is still in use: $(cat "$scratch/log")"
echo "ok a new certificate"
kill $coordinator
wait $coordinator
coordinator=
url=http://127.0.0.1:$port
rm "$XDG_CONFIG_HOME/retour/config.yaml"

# ---- a store that is none, or damaged: refused, and not touched
head -c 20000 /dev/urandom >"$scratch/none.db"
cp "$scratch/none.db" "$scratch/none.before"
status 4 "$retour" revtr coordinator --store "$scratch/none.db" --listen "127.0.0.1:$port"
has "no store" "$(cat "$scratch/err")" "$scratch/none.db"
cmp "$scratch/none.db" "$scratch/none.before" || fail "a file that is no store was changed"
cp "$store" "$scratch/hurt.db"
dd if=/dev/urandom of="$scratch/hurt.db" bs=4096 seek=1 count=6 conv=notrunc status=none
cp "$scratch/hurt.db" "$scratch/hurt.before"
status 4 "$retour" revtr coordinator --store "$scratch/hurt.db" --listen "127.0.0.1:$port"
has "a damaged store" "$(cat "$scratch/err")" "stays as it is"
cmp "$scratch/hurt.db" "$scratch/hurt.before" || fail "a damaged store was changed"

# ---- a full disk: what was taken is kept, what comes is refused, and it goes on when there is room
if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
	export retour port url source scratch
	unshare -m bash -s <<'FULL' || fail "a full disk: $(cat "$scratch/full.log" "$scratch/full.out")"
set -e
mkdir -p "$scratch/small"
mount -t tmpfs -o size=1m none "$scratch/small"
export XDG_STATE_HOME=$scratch/small
"$retour" revtr coordinator --listen "127.0.0.1:$port" 2>"$scratch/full.log" &
pid=$!
trap 'kill -9 $pid' EXIT
for _ in {1..100}; do curl -s -o /dev/null "$url/api/v2/health" && break; sleep 0.1; done
"$retour" revtr --help >/dev/null
"$retour" revtr source add $source --agent here --server "$url" >/dev/null
first=$("$retour" revtr submit $source 198.18.18.80 --json --server "$url" | jq .batch)
"$retour" revtr watch "$first" --server "$url" >/dev/null || true
head -c 2000000 /dev/zero >"$scratch/small/filler" 2>/dev/null || true
seq -f '198.18.20.%g' 1 250 >"$scratch/more"
got=0
"$retour" revtr submit --file "$scratch/more" $source --server "$url" >"$scratch/full.out" 2>&1 || got=$?
[ $got -eq 4 ] && grep -q 'disk is full' "$scratch/full.out"
rm "$scratch/small/filler"
"$retour" revtr submit --file "$scratch/more" $source --server "$url" >"$scratch/full.out" 2>&1
"$retour" revtr show "$first" --server "$url" | grep '1 of 1 done' >/dev/null
FULL
	echo "ok a full disk"
fi
