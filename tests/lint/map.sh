#!/bin/bash
# tests/README.md: whatever it names is there, and every room of unit tests and every other test is named.
# shellcheck disable=SC2016 # backticks of Markdown, and a line of a script
set -euo pipefail
cd "$(dirname "$0")/.."

bad=0
declare -A named
while read -r pattern; do
	found=0
	for file in $pattern; do
		[ -e "$file" ] || continue
		found=1
		named[$file]=1
	done
	[ $found = 1 ] || { echo "tests/README.md: $pattern is not there"; bad=1; }
done < <(grep -o '`[^` ]*`' README.md | tr -d '`' | grep '/\|\.sh$')

mapfile -t routers < <(grep -lx '\. "$(dirname "$0")/lib.sh"' netns/*.sh)
for file in unit/*/ scenario/test_*.c scenario/*.sh "${routers[@]}" interop/*.sh; do
	case $file in
	interop/common.sh | interop/persona_beside.sh) continue ;; # of tests, and none
	esac
	[ -n "${named[${file%/}]:-}" ] || { echo "tests/README.md does not name $file"; bad=1; }
done
exit $bad
