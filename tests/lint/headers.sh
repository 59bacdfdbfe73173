#!/bin/bash
# Every header compiles alone, with every compiler that is here.
set -euo pipefail
cd "$(dirname "$0")/../.."

status=0
for compiler in gcc clang; do
	if ! command -v $compiler >/dev/null; then
		[ "${CI-}" = true ] && { echo "no $compiler" >&2; exit 1; }
		echo "without $compiler: not installed" >&2
		continue
	fi
	while IFS= read -r header; do
		# Included twice: a missing guard shows. The last line keeps the unit from being empty.
		printf '#include "%s"\n#include "%s"\nint nothing;\n' "${header#*/}" "${header#*/}" |
			$compiler -std=c17 -D_GNU_SOURCE -DRETOUR_VERSION='""' -Wall -Wextra -Wpedantic -Werror \
				-Isrc -fsyntax-only -x c - || {
			echo "$header does not stand alone ($compiler)" >&2
			status=1
		}
	done < <(find src -name '*.h' | sort)
done
exit $status
