#!/bin/bash
# The live screen of `retour watch` in a real terminal (tmux): every key, changes of size, a terminal that goes away,
# suspending, recordings that are cut off, and what is left when it ends.
. "$(dirname "$0")/common.sh"
need tmux jq
need_lab

# A link fails after 12 seconds, and routers go around it over one router more; core limits its replies.
cat >"$scratch/world.yaml" <<'END'
summary: a link that fails, a router that limits its replies
ases:
  - {asn: 64496, name: Campus Example, country: DE, prefix: 198.51.100.0/24, prefix6: "2001:db8:100::/40"}
  - {asn: 64500, name: Northwind Transit, country: NL, prefix: 203.0.113.0/24, prefix6: "2001:db8:500::/40"}
hosts:
  - {name: client, as: 64496}
  - {name: server, as: 64500}
routers:
  - {name: gw, as: 64496}
  - {name: core, as: 64500, behaviour: {error_limit: {burst: 1, per_second: 1}}}
  - {name: east, as: 64500}
  - {name: west1, as: 64500}
  - {name: west2, as: 64500}
  - {name: edge, as: 64500}
links:
  - {from: gw, to: client}
  - {from: gw, to: core}
  - {from: core, to: east, delay_ms: 3}
  - {from: east, to: edge, delay_ms: 3}
  - {from: core, to: west1, delay_ms: 9, cost: 50}
  - {from: west1, to: west2, delay_ms: 9, cost: 50}
  - {from: west2, to: edge, delay_ms: 9, cost: 50}
  - {from: edge, to: server}
faults:
  - {link: [core, east], down: true, reroute: true, after_s: 12}
services:
  - {host: server, run: retour serve}
END

export LANG=C.UTF-8
unset NO_COLOR TMUX
socket=retour-tui-$$
runs=0
tm() {
	tmux -L "$socket" -f /dev/null "$@"
}
trap 'tm kill-server 2>/dev/null || true; rm -rf "$scratch"' EXIT

start() { # WIDTH HEIGHT COMMAND...
	local width=$1 height=$2
	shift 2
	tm kill-server 2>/dev/null || true
	# A server of that name may still be on its way out.
	runs=$((runs + 1))
	socket=retour-tui-$$-$runs
	tm new-session -d -x "$width" -y "$height" "$*; echo status \$?; sleep 600"
}

screen() {
	tm capture-pane -p
}

key() {
	tm send-keys "$@"
}

# Wait until the screen shows it.
sees() { # SECONDS PATTERN WHAT
	local deadline=$((SECONDS + $1))
	until screen | grep -qE -- "$2"; do
		if [ $SECONDS -ge $deadline ]; then
			screen >&2
			fail "$3: no '$2' on the screen"
		fi
		sleep 0.2
	done
	echo "ok $3"
}

sees_not() { # SECONDS PATTERN WHAT
	local deadline=$((SECONDS + $1))
	while screen | grep -qE -- "$2"; do
		[ $SECONDS -lt $deadline ] || fail "$3: '$2' is still on the screen"
		sleep 0.2
	done
	echo "ok $3"
}

watching() { # OPTION...
	echo "$retour lab run -w $scratch/world.yaml -- $retour watch -i 0.25 $* server.lab"
}

# ---- the table, and every key

start 120 36 "$(watching -4 --record "$scratch/record")"
sees 10 'retour watch server.lab \(203\.' "title"
sees 5 '^ +1  [^ ]*gw' "the first hop with its name"
sees 5 'AS64500' "networks"
sees 5 ' 5  server.lab +AS64500 +0\.0% +0\.0-[0-9.]+ +[0-9]+ ' "the destination, loss with interval and count"
sees 5 'back: [0-9]+ hops by responder at [0-9:]+, complete' "the way back and when it was measured"
sees 5 'round trips, 2 min: .*hop 5 server.lab \(destination\)' "chart with roles"
sees 5 '⠒⠒|⠤⠤|⣀⣀|⠉⠉|⣤⣤' "dots of the chart"
sees 3 'help Enter:hop c:chart .* q:quit' "keys on the screen"
sees 20 '^ +2[tL] ' "a hop that skips answers is being asked more slowly"
if screen | grep -E '^ +[1-5]. .* [1-9][0-9.]*% '; then
	fail "a limiter or a healthy hop is shown with loss"
fi
echo "ok no loss is shown"

key '?'
sees 3 'keys and signs' "? helps"
sees 3 'back to the table' "help tells keys"
key Escape
sees 3 'median' "Escape goes back"
key h
sees 3 'keys and signs' "h helps"
key h
sees 3 'median' "h goes back"
key Up
key Enter
sees 3 '^ hop 4$' "Enter shows the hop above the last"
sees 3 '95 % sure between' "loss with its interval"
sees 3 'answers arrive with TTL' "TTL of replies"
sees 3 '95th' "quantiles"
key Up
sees 3 '^ hop 3$' "up in the hop's page"
key Escape
key c
sees 3 'Esc:table up,down:hop z,Z:zoom' "chart"
key z
sees 3 'round trips, 30 s' "zoom in"
key Z
key Z
sees 3 'round trips, 10 min' "zoom out"
key Escape
key b
sees 3 'in the order in which a packet travels' "the way back"
key b
key n
sees 3 '^ +5  203\.' "numbers instead of names"
key n
sees 3 '^ +5  server.lab' "names again"

# ---- a change of the way

sees 30 '1 change;' "the change is counted"
sees 5 'west1|changed' "the new router, or the note"
sees 5 'old way until|until [0-9:]+' "the old router stays, marked"
key l
sees 3 '1 change of the way there' "list of changes"
sees 3 '[0-9:]{8} from hop 3: .*east.* -> .*west1.*, 6 hops instead of 5' "what changed, and when"
key l
sees 15 'back: [0-9]+ hops by responder' "the way back again"

# ---- time

key p
sees 3 'PAUSED' "p holds still"
before=$(screen | head -n 1)
sleep 1.5
equal "still" "$(screen | head -n 1)" "$before"
key Home
sees 3 ' 0 changes;' "the beginning, before the change"
sees_not 3 'west1' "no new routers yet"
key Right
key Right
sees 3 'PAUSED' "forward in time"
key End
sees 3 'LIVE' "the present"
sees 3 '1 change;' "and the change with it"

# ---- suspended and resumed: nothing is lost by it

pid=$(pgrep -f "watch -i 0.25 -4 --record $scratch/record" | tail -n 1)
kill -STOP "$pid"
sleep 4
kill -CONT "$pid"
sleep 3
if screen | grep -E '^ +[13456]. .* [1-9][0-9.]*% '; then
	screen >&2
	fail "loss after a suspension"
fi
echo "ok no loss after being stopped for four seconds"

# ---- sizes

tm resize-window -x 20 -y 5
sees 3 'too small' "a terminal that is too small says so"
tm resize-window -x 200 -y 60
sees 3 'median +best +worst +stdev +last probes' "a large one has every column"
tm resize-window -x 60 -y 10
sees 3 '[v^]|server' "a small one scrolls"
sees 3 'host +loss +sent +last median +best +worst$' "with the columns that fit"
sees 3 ' old [0-9:]{8} +[0-9]+\.[0-9] ' "a time is not cut"
tm resize-window -x 40 -y 12
sees 3 'host +loss +sent +last$' "forty columns: the last round trip"
sees 3 '^. +[0-9]. [^ ]+ +[0-9.]+% +[0-9]+ +[0-9]+\.[0-9]$' "no number is cut"
sees 3 '\?:help .* q:quit' "the keys that matter"
sees 3 'LIVE [0-9:]+ UTC' "the time"
sees 3 '~$' "what is cut says so"
tm resize-window -x 80 -y 24
sees 3 'n:names .* q:quit' "keys at 80 columns"

# ---- the end

tm resize-window -x 130 -y 50
key q
sees 5 'hop .* loss 95 % +sent' "the result stays on the terminal"
sees 5 'changed .*6 hops instead of 5' "with the change"
sees 5 'status 0' "status"

# ---- the recording

jq -es '.[0].event == "start" and .[-1].event == "done" and ([.[] | select(.event == "answer")] | length) > 100 and
	([.[] | select(.event == "changed")] | length) == 1 and ([.[] | select(.event == "name")] | length) >= 5 and
	([.[] | select(.event == "back")] | length) >= 2' "$scratch/record" >/dev/null || fail "events in the recording"
echo "ok the recording has every kind of event"
"$retour" watch --replay "$scratch/record" -r --json >"$scratch/replayed.json"
equal "the replay's report knows the change" "$(jq '.changes | length' "$scratch/replayed.json")" 1
equal "and the hops" "$(jq '.forward.hops | length' "$scratch/replayed.json")" 6

start 120 36 "$retour watch --replay $scratch/record --speed 4"
sees 5 'REPLAY 4x' "a replay runs"
key +
sees 3 '(REPLAY|STOPPED) 8x' "faster"
key -
sees 3 '(REPLAY|STOPPED) 4x' "slower"
sees 30 '1 change;' "until the change"
key Home
sees 3 ' 0 changes;' "back to the beginning"
key p
sees 3 'STOPPED|REPLAY' "stop or go on"
key End
sees 5 '1 change;' "to the end"
key q
sees 5 'status 0' "and leaves"

# ---- the terminal's own ^Z, and the shell's fg

start 120 36 "PS1='at-the-shell> ' bash --norc --noprofile -i"
sees 5 'at-the-shell>' "a shell with jobs"
key "$retour watch --replay $scratch/record --speed 0.5" Enter
sees 5 'REPLAY' "a replay under it"
key C-z
sees 5 'Stopped' "^Z stops it"
key "echo typed-\$((6 * 7))" Enter
sees 5 'typed-42' "the shell has its terminal back, with echo and line ends"
key fg Enter
sees 5 'REPLAY|STOPPED' "fg brings the table back"
key '?'
sees 5 'keys and signs' "and the keys"
key Escape
key q
sees 5 'at-the-shell>' "q leaves"

# ---- every way of a balanced path: three routers after hop 2, two after hop 4

start 120 36 "$retour lab run -w loadbalanced -- $retour watch -4 --multipath -i 0.25 server.lab"
sees 20 '^ +3  3 routers ' "a hop with three routers"
for router in green red blue; do
	sees 10 "^ +- ae0\\.$router\\.northwind\\.lab +AS64500 +[0-9.]+% .* port [0-9]+" "a row for $router, with its port"
done
sees 10 '^ +5  2 routers ' "a hop with two routers"
key q
sees_not 5 'LIVE' "q leaves the ways"

# ---- a recording that is cut off, and one that is none

head -c 30000 "$scratch/record" >"$scratch/cut"
printf '{"event":"answer","at_ns":-5}\n\xff\xfe\n{"event":"sent"' >>"$scratch/cut"
"$retour" watch --replay "$scratch/cut" -r >"$scratch/out" 2>"$scratch/err" || fail "a cut recording is of use"
grep -q 'lines cannot be read' "$scratch/err" || fail "bad lines are told"
grep -q 'has no end' "$scratch/err" || fail "a missing end is told"
grep -q 'server.lab' "$scratch/out" || fail "what is readable is shown"
echo "ok a recording that was cut off"
echo 'hello' >"$scratch/none"
expect_code=0
"$retour" watch --replay "$scratch/none" -r 2>"$scratch/err" || expect_code=$?
equal "no recording" "$expect_code" 4

# ---- the terminal goes away: the recording is complete all the same

start 100 30 "$(watching --record "$scratch/hup")"
sees 10 'server.lab' "another run"
sleep 1
tm kill-server
deadline=$((SECONDS + 10))
until tail -n 1 "$scratch/hup" | grep -q '"event":"done"'; do
	[ $SECONDS -lt $deadline ] || fail "the recording has no end after the terminal has gone"
	sleep 0.2
done
echo "ok finished when the terminal went away"
# That comes as one signal, or as many: from the kernel, the shell, the terminal's program.
for round in 1 2 3 4 5 6 7 8 9 10; do
	"$retour" watch -r -c 100 -i 0.1 -4 --record "$scratch/hups" 127.0.0.1 >/dev/null 2>&1 &
	watcher=$!
	until grep -q '"event":"sent"' "$scratch/hups" 2>/dev/null; do sleep 0.1; done
	for ((i = 0; i < 300; i++)); do kill -HUP $watcher 2>/dev/null || break; done
	wait $watcher || true
	tail -n 1 "$scratch/hups" | grep -q '"event":"done"' || fail "round $round: the recording has no end after many signals"
	rm "$scratch/hups"
done
echo "ok finished after many signals"

# ---- killed: every line that was written is there

start 100 30 "$(watching --record "$scratch/killed")"
sees 10 'server.lab' "a third run"
sleep 2
kill -KILL "$(pgrep -f "watch -i 0.25 --record $scratch/killed" | tail -n 1)"
sleep 0.5
jq -es '([.[] | select(.event == "answer")] | length) > 10' "$scratch/killed" >/dev/null || fail "a recording that was killed"
echo "ok killed, and the recording is whole up to its last line"

# ---- terminals that cannot

start 100 30 "env TERM=dumb $(watching)"
sees 10 'watch -r' "a dumb terminal is told of the report"
sees 5 'status 4' "status"
start 100 30 "env NO_COLOR=1 $(watching -4)"
sees 10 'server.lab' "NO_COLOR"
if tm capture-pane -p -e | grep -qE $'\033\[(3[0-7]|[0-9;]*;3[0-7])m'; then
	fail "colour in spite of NO_COLOR"
fi
echo "ok no colour with NO_COLOR"
tm kill-server 2>/dev/null || true
expect_code=0
"$retour" lab run -w "$scratch/world.yaml" -- "$retour" watch server.lab </dev/null >"$scratch/out" 2>"$scratch/err" ||
	expect_code=$?
equal "no terminal at all" "$expect_code" 4
grep -q 'watch -r' "$scratch/err" || fail "hint at -r"
