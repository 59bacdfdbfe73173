# shellcheck shell=bash
# For tests that run programs in the lab. RETOUR names the binary.
set -euo pipefail
retour=${RETOUR:?}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # used by those who source this
golden=$(cd "$here/../golden" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

. "$here/../verdict.sh"

equal() { # WHAT GOT EXPECTED
	[ "$2" = "$3" ] || fail "$1"$'\n'"got:      $2"$'\n'"expected: $3"
	echo "ok $1"
}

has() { # WHAT TEXT NEEDLE
	case $2 in
	*"$3"*) echo "ok $1" ;;
	*) fail "$1"$'\n'"'$3' is not in: $2" ;;
	esac
}

status() { # EXPECTED COMMAND...: output in $scratch/out and $scratch/err
	local expected=$1 got=0
	shift
	"$@" >"$scratch/out" 2>"$scratch/err" || got=$?
	[ "$got" -eq "$expected" ] || fail "$* ended with $got, not $expected: $(cat "$scratch/out" "$scratch/err")"
}

need_lab() {
	"$retour" lab run -- true 2>"$scratch/error" && return
	grep -q 'namespaces\|/dev/net/tun\|TUN' "$scratch/error" && skip "$(cat "$scratch/error")"
	fail "$(cat "$scratch/error")"
}
