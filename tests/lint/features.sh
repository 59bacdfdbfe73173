#!/bin/bash
# Whatever docs/features.md names as shown by a test is there, and nothing is claimed without one.
set -euo pipefail
cd "$(dirname "$0")/../.."

bad=0
while IFS='|' read -r _ feature retour _ shown _; do
	# shellcheck disable=SC2016 # backticks of Markdown
	claimed=${retour// /} path=$(sed -n 's/.*`\(.*\)`.*/\1/p' <<<"$shown")
	[[ $claimed = [YP] ]] || continue
	[ -n "$path" ] && [ -e "$path" ] && continue
	echo "docs/features.md: ${feature# }: ${path:-no test} is not there"
	bad=1
done < <(grep '^| ' docs/features.md)
exit $bad
