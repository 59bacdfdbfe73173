#!/bin/bash
# What a person gets wrong is told in one line: what, and where to read on. Every command has its own reader of arguments.
. "$(dirname "$0")/common.sh"

told() { # NEEDLE ARGUMENT...
	local needle=$1
	shift
	status 3 "$retour" "$@"
	equal "one line: retour $*" "$(wc -l <"$scratch/err")" 1
	has "retour $*" "$(<"$scratch/err")" "$needle"
	has "and where to read on" "$(<"$scratch/err")" '--help`'
}

told '--queries is a number from 1 to 10' trace -q 0 localhost
told '--tos is a number from 0 to 255' trace -t 256 localhost
told '--port is a number from 1 to 65535' trace -p 0 localhost
told '--proto is a number from 0 to 254' trace --proto 255 localhost
told '0.02 to 3600' watch -i 0 localhost
told '16 to 8900' ping -s 65507 localhost
told "'tracee' is no command" tracee localhost
told "with 'extra'" trace localhost extra
told "not a host: ''" trace ''
told "host is missing" watch
for command in trace back watch ping doctor data 'lab run' 'lab generate' 'lg list'; do
	# shellcheck disable=SC2086 # two words
	told "unknown option '--bogus'" $command --bogus
done
told 'missing after' data --data
told 'missing after' lab run
told 'missing after' data import
told "with 'extra'" doctor extra

# ---- help fits into a terminal

for command in '' trace back watch ping doctor data lab lg serve; do
	# shellcheck disable=SC2086 # none or one word
	status 0 "$retour" $command --help
	equal "help of retour $command fits into 80 columns" "$(awk 'length > 80' "$scratch/out")" ''
done

# Scopes, of addresses that need none, too.
! grep -q " lo$" /proc/net/if_inet6 2>/dev/null || status 0 "$retour" trace -n ::1%lo
status 4 "$retour" trace fe80::1%nope
has 'no such interface' "$(<"$scratch/err")" 'no interface is called nope'

# A file that cannot be written is the end of the run, and of its success.
status 4 "$retour" watch -n -r -c 1 --prometheus "$scratch/nowhere/metrics" 127.0.0.1
has 'metrics' "$(<"$scratch/err")" "cannot write $scratch/nowhere/metrics:"
