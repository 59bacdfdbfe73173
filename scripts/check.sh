#!/bin/bash
# Every test. A build with gcc runs all suites; a build with clang, ASan and UBSan runs again those that need no
# root. Both treat warnings as errors. The last line is the sum: "N passed, N failed, N skipped".
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

passed=0
failed=0
skipped=0

# One JSON object a test; quotes inside captured output are escaped, so the pattern meets results only.
count() {
	grep -c -E "\"result\": \"($2)\"" "$1" || true
}

# build NAME COMPILER OPTION...
build() {
	local name=$1 compiler=$2
	shift 2
	echo "== building build-$name ($compiler${*:+, $*})"
	CC=$compiler scripts/build.sh "build-$name" --werror "$@" && return
	echo "check: the build with $compiler failed" >&2
	failed=$((failed + 1))
	return 1
}

# run NAME SUITE...
run() {
	local name=$1 log=build-$1/meson-logs/testlog.json arguments=() suite
	shift
	for suite in "$@"; do
		arguments+=(--suite "$suite")
	done
	rm -f "$log"
	# Tests wait for packets and processes most of their time. Their limits are for an idle machine; there are slower ones.
	meson test -C "build-$name" --no-rebuild --print-errorlogs --num-processes $((2 * $(nproc))) --timeout-multiplier 4 \
		"${arguments[@]}"
	local status=$?
	if [ ! -s "$log" ]; then
		echo "check: no tests ran in build-$name" >&2
		[ $status -eq 0 ] || failed=$((failed + 1))
		return
	fi
	passed=$((passed + $(count "$log" 'OK|EXPECTEDFAIL')))
	failed=$((failed + $(count "$log" 'FAIL|TIMEOUT|ERROR|UNEXPECTEDPASS|INTERRUPT')))
	skipped=$((skipped + $(count "$log" SKIP)))
	reasons "$log"
}

# Why a test was skipped is what it printed last.
reasons() {
	grep '"result": "SKIP"' "$1" | sed -E 's/.*"name": "([^"]*)".*/\1/' | while read -r name; do
		printf 'SKIP %s: %s\n' "$name" \
			"$(grep -F "\"name\": \"$name\"" "$1" | grep -oP "SKIP \K[^\\\\\"]*" | grep -v '^SKIP$' | tail -n 1)"
	done
}

build check gcc && run check
export ASAN_OPTIONS=abort_on_error=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
build check-san clang -Db_sanitize=address,undefined -Db_lundef=false && run check-san unit golden scenario fuzz

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
