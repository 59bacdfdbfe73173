#!/bin/bash
# Runs each command line of standard input twice: the program of that name, and `retour NAME`. Both must write the same
# on standard output and on standard error, but for times and dates, and end with the same status. A line may begin
# with "header:" when the size in traceroute's first line is not to be compared (docs/personalities.md), and with
# "status:" when only the status is: there the words are our own.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

run() { # NAME COMMAND...: the outcome in $work/NAME.*
	local name=$1
	shift
	"$@" >"$work/$name.raw" 2>"$work/$name.error" </dev/null
	echo $? >"$work/$name.status"
	/usr/bin/python3 "$here/persona_mask.py" <"$work/$name.raw" >"$work/$name.out"
}

compare() { # WHAT FILE...
	local what=$1 kind
	shift
	for kind in "$@"; do
		cmp -s "$work/theirs.$kind" "$work/ours.$kind" && continue
		echo "FAIL $what: $kind differs (- theirs, + ours)"
		diff -u "$work/theirs.$kind" "$work/ours.$kind" | sed 1,2d
		failed=1
		return
	done
	echo "ok $what ($((SECONDS - started)) s)"
}

while read -r line; do
	[ -n "$line" ] || continue
	how=all
	case $line in
	header:* | status:*) how=${line%%:*} line=${line#*:} ;;
	esac
	read -ra words <<<"$line"
	theirs=${words[0]} started=$SECONDS
	[ "$theirs" = traceroute ] && theirs=traceroute.db
	run theirs "$theirs" "${words[@]:1}"
	run ours "$RETOUR" "${words[@]}"
	if [ $how = header ]; then
		sed -i 's/, [0-9]* byte packets$/, # byte packets/' "$work/theirs.out" "$work/ours.out"
	fi
	if [ $how = status ]; then
		compare "$line" status
	else
		compare "$line" status error out
	fi
done
exit $failed
