#!/bin/bash
# Fuzz every decoder with libFuzzer under ASan and UBSan: tests/fuzz/run.sh [RUNS [TARGET...]]
# RUNS is inputs a target, 1000000 unless said. What libFuzzer finds worth keeping stays in
# build-fuzz/corpus/<target>; an input that breaks something is left in build-fuzz/findings.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

runs=${1:-1000000}
shift
build=${BUILD_FUZZ:-build-fuzz}
command -v clang >/dev/null || { echo "fuzz: clang is not installed" >&2; exit 1; }
if [ ! -e "$build/build.ninja" ]; then
	CC=clang meson setup "$build" -Dfuzzers=true -Db_sanitize=address,undefined -Db_lundef=false \
		-Dc_args=-fsanitize=fuzzer-no-link >/dev/null || exit 1
fi
ninja -C "$build" fuzzers >"$build/build.log" 2>&1 || { tail -n 30 "$build/build.log" >&2; exit 1; }

if [ $# -eq 0 ]; then
	for file in tests/fuzz/fuzz_*.c; do
		name=${file##*/fuzz_}
		set -- "$@" "${name%.c}"
	done
fi
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
mkdir -p "$build/findings"
status=0
for name in "$@"; do
	if [ ! -x "$build/tests/fuzz/fuzz_$name" ]; then
		echo "fuzz $name: was not built; is it in tests/fuzz/meson.build?" >&2
		status=1
		continue
	fi
	mkdir -p "$build/corpus/$name"
	log=$build/fuzz-$name.log
	if "$build/tests/fuzz/fuzz_$name" -runs="$runs" -max_len=2048 -timeout=10 -rss_limit_mb=1024 \
		-artifact_prefix="$build/findings/$name-" "$build/corpus/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
		echo "fuzz $name: $(grep -E '^Done' "$log" | tail -n 1)"
	else
		echo "fuzz $name: FINDING, see $log and $build/findings" >&2
		grep -E 'ERROR|SUMMARY|runtime error|fuzz_.*:[0-9]+:' "$log" | head -n 5 >&2
		status=1
	fi
done
exit $status
