#!/bin/bash
# Slower checks than those in `make check`. The lint suite decides the exit status; what the analysers say, which is
# not always true, and layout and length of functions are for a reader to judge.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

status=0
mapfile -t sources < <(git ls-files --cached --others --exclude-standard 'src/*.c' 'src/*.h' | sort -u)
mapfile -t units < <(printf '%s\n' "${sources[@]}" | grep '\.c$')

echo "== meson test --suite lint"
CC=gcc scripts/build.sh build-lint && meson test -C build-lint --no-rebuild --print-errorlogs --suite lint || status=1

checks=(
	'-*' 'bugprone-*' 'clang-analyzer-*'
	# What these find here is meant: swapped neighbours, sizes of pointers, layout of structs, bounded copies.
	-bugprone-easily-swappable-parameters -bugprone-reserved-identifier -bugprone-narrowing-conversions
	-bugprone-implicit-widening-of-multiplication-result -bugprone-assignment-in-if-condition
	-bugprone-sizeof-expression -bugprone-signed-char-misuse -clang-analyzer-optin.performance.Padding
	-clang-analyzer-security.insecureAPI.strcpy
	-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling -clang-analyzer-valist.Uninitialized
)
echo "== clang-tidy"
(
	IFS=,
	clang-tidy --quiet -p build-lint --extra-arg=-Wno-unknown-warning-option --checks="${checks[*]}" "${units[@]}" 2>/dev/null
)
echo "== cppcheck"
cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr --suppress=missingInclude \
	-D_GNU_SOURCE -DRETOUR_VERSION='""' -Isrc "${units[@]}" 2>&1

echo "== functions over 80 lines"
ctags --languages=C --kinds-C=f --fields=+ne --output-format=json -f - "${units[@]}" |
	jq -r 'select(.end - .line >= 80) | "\(.path):\(.line): \(.name) has \(.end - .line + 1) lines"'
echo "== files over 500 lines"
wc -l "${sources[@]}" | awk '$2 != "total" && $1 > 500 { print $2 ": " $1 " lines" }'
echo "== files clang-format would lay out otherwise"
for source in "${sources[@]}"; do
	clang-format --dry-run --Werror "$source" 2>/dev/null || echo "$source"
done
exit $status
