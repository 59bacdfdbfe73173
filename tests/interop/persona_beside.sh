#!/bin/bash
# Runs each command line of standard input twice: the program of that name, and `retour NAME`. Both must write
# the same on standard output and on standard error, but for times and dates, and end with the same status. A
# line may begin with "status:" when only that is compared: there the words are our own.
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

# The first thing that differs, "" = nothing.
difference() { # KIND...
	local kind
	for kind in "$@"; do
		cmp -s "$work/theirs.$kind" "$work/ours.$kind" || echo "$kind"
	done | head -n 1
}

run_both() { # PAUSE WORDS...
	local theirs=$2
	[ "$theirs" = traceroute ] && theirs=traceroute.db
	sleep "$1"
	run theirs "$theirs" "${@:3}"
	sleep "$1"
	run ours "$RETOUR" "${@:2}"
}

# A busy machine makes either program miss an answer, and kernels give few errors a second: what differs is tried
# again, with time for both to recover. What is not the same then, is not the same.
compare() { # HOW WORDS...
	local kinds='status error out' pause differs started=$SECONDS
	[ "$1" = status ] && kinds=status
	for pause in 0 7 7; do
		run_both $pause "${@:2}"
		# shellcheck disable=SC2086 # words they are
		differs=$(difference $kinds)
		[ -n "$differs" ] || break
	done
	if [ -z "$differs" ]; then
		echo "ok ${*:2} ($((SECONDS - started)) s)"
		return
	fi
	echo "FAIL ${*:2}: $differs differs (- theirs, + ours)"
	diff -u "$work/theirs.$differs" "$work/ours.$differs" | sed 1,2d
	failed=1
}

while read -r line; do
	[ -n "$line" ] || continue
	how=all
	case $line in
	status:*) how=${line%%:*} line=${line#*:} ;;
	esac
	read -ra words <<<"$line"
	# shellcheck disable=SC2086 # several words, or none
	compare $how "${words[@]}"
done
exit $failed
