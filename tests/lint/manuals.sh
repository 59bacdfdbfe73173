#!/bin/bash
# What `retour COMMAND --help` tells fits on 80 columns, and each option in it is in the command's manual page.
set -euo pipefail
retour=${RETOUR:?}
cd "$(dirname "$0")/../../docs/man"

bad=0
complain() {
	echo "$*"
	bad=1
}

check() { # PAGE COMMAND...
	local page=$1 help plain option line
	shift
	help=$("$retour" "$@" 2>&1) || true
	plain=$(sed 's/[*\\]//g' "$page.scd")
	while IFS= read -r line; do
		[ "${#line}" -le 80 ] || complain "retour $*: ${#line} columns: $line"
	done <<<"$help"
	while read -r option; do
		grep -qE -- "(^|[^-[:alnum:]])$option([^-[:alnum:]]|\$)" <<<"$plain" ||
			complain "retour $*: $option is not in $page"
	done < <(grep -oE -- '(^|[ ,|[])--?[a-zA-Z0-9][-a-zA-Z0-9]*' <<<"$help" | sed 's/^[^-]*//' | sort -u)
}

check retour.1 --help
check retour.1 trace --help
check retour.1 back --help
for command in data doctor lab lg mtr ping revtr serve traceroute watch; do
	check "retour-$command.1" "$command" --help
done
check retour-lab.1 lab generate --help
for command in tracert pathping; do
	check "retour-$command.1" "$command" '-?'
done
[ $bad -eq 0 ] && echo ok
exit $bad
