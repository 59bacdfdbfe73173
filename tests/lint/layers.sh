#!/bin/bash
# Which room may include what; compiler extensions and printing are confined here too.
#
#   layers.sh check [SOURCE ROOT]   prints every include that goes the wrong way; status 1 if there is one
#   layers.sh self-test             plants violations in a scratch tree and expects each to be found
set -euo pipefail

# Upper rooms first: a room may include itself and any room to its right.
rooms='cli serve report revtr reverse import insight annotate store bus net sim trace probe path packet base'

# PATTERN of a header, then the rooms that may include it; "-" = nowhere.
confined='
ares*.h                       net
curl/*                        reverse
maxminddb.h                   annotate
ncurses*.h|curses.h|ncursesw/* report
sqlite3.h|libpq-fe.h          store
mosquitto*.h                  bus
microhttpd.h                  serve
cyaml/*                       base sim
jansson.h                     path report revtr reverse annotate import sim serve cli
uv.h|uv/*                      net serve cli annotate reverse bus revtr
nftables/*                    net
seccomp.h|linux/seccomp.h|linux/landlock.h|linux/filter.h serve net
sys/socket.h|netinet/*|net/*|netdb.h|linux/if_*.h|linux/errqueue.h|linux/net_tstamp.h serve report revtr reverse import annotate store bus net sim cli
linux/*|sys/epoll.h|poll.h|sys/ioctl.h|sys/mount.h|sched.h serve report revtr reverse import annotate store bus net sim cli base
'

allowed_rooms() { # HEADER: the rooms that may include it, or "any"
	local header=$1 line allowed pattern patterns
	while read -r line allowed; do
		IFS='|' read -ra patterns <<<"$line"
		for pattern in "${patterns[@]}"; do
			# shellcheck disable=SC2053 # a pattern it is
			if [[ $header == $pattern ]]; then
				echo "$allowed"
				return
			fi
		done
	done <<<"$confined"
	echo any
}

rank_of() {
	local room rank=0
	for room in $rooms; do
		[ "$room" = "$1" ] && echo $rank && return
		rank=$((rank + 1))
	done
	echo none
}

bad=0
complain() { # FILE:LINE TEXT
	echo "$1: $2" >&2
	bad=1
}

check_room_include() { # PLACE ROOM INCLUDED
	local place=$1 room=$2 included=$3 from to
	if [[ $included != */* ]]; then
		complain "$place" "\"$included\" should name its room: \"room/$included\""
		return
	fi
	from=$(rank_of "$room")
	to=$(rank_of "${included%%/*}")
	if [ "$to" = none ]; then
		complain "$place" "\"$included\": no such room"
	elif [ "$to" -lt "$from" ]; then
		complain "$place" "$room/ must not know \"$included\" (the arrow goes the other way)"
	fi
}

check_system_include() { # PLACE ROOM HEADER
	local allowed
	allowed=$(allowed_rooms "$3")
	[ "$allowed" = any ] && return
	[[ " $allowed " == *" $2 "* ]] || complain "$1" "<$3> belongs to: $allowed; not to $2/"
}

check() { # SOURCE ROOT
	local root=$1 file line text place room
	bad=0
	while IFS=: read -r file line text; do
		place=$file:$line
		room=${file#"$root"/src/}
		room=${room%%/*}
		if [ "$(rank_of "$room")" = none ]; then
			complain "$place" "$room/ is not in the list of rooms"
		elif [[ $text =~ ^[[:space:]]*#[[:space:]]*include[[:space:]]*\"([^\"]+)\" ]]; then
			check_room_include "$place" "$room" "${BASH_REMATCH[1]}"
		elif [[ $text =~ ^[[:space:]]*#[[:space:]]*include[[:space:]]*\<([^\>]+)\> ]]; then
			check_system_include "$place" "$room" "${BASH_REMATCH[1]}"
		fi
	done < <(grep -rnE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include' "$root/src")
	while IFS=: read -r file line text; do
		complain "$file:$line" "compiler extensions live in base/compiler.h"
	done < <(grep -rnE --include='*.[ch]' '__attribute__|__builtin_' "$root/src" | grep -v '/src/base/compiler\.h:')
	while IFS=: read -r file line text; do
		complain "$file:$line" "only cli/ prints and exits"
	done < <(grep -rnE --include='*.[ch]' '\<(v?printf|puts|putchar|perror|exit)\(|\<(stdout|stderr)\>' "$root/src" |
		grep -vE '/src/cli/|:[[:space:]]*(/\*|\*|//)')
	return $bad
}

# Planting: the file, its one line, and what the complaint must say.
plant() { # FILE LINE EXPECTED ("" = must pass)
	local scratch output
	scratch=$(mktemp -d)
	mkdir -p "$scratch/src/$(dirname "$1")"
	printf '%s\n' "$2" >"$scratch/src/$1"
	output=$(check "$scratch" 2>&1) && output="passed${output}"
	rm -rf "$scratch"
	if [ -z "$3" ] && [ "$output" != passed ]; then
		echo "self-test: $1 with '$2' should pass, but: $output" >&2
		exit 1
	elif [ -n "$3" ] && [[ $output != *"$3"* ]]; then
		echo "self-test: $1 with '$2' should complain of '$3', but: $output" >&2
		exit 1
	fi
}

self_test() {
	plant base/a.c '#include "packet/packet.h"' 'must not know'
	plant probe/a.c '#include "net/driver.h"' 'must not know'
	plant packet/a.h '  #  include "path/model.h"' 'must not know'
	plant net/a.c '#include "probe/machine.h"' ''
	plant path/a.c '#include "path/model.h"' ''
	plant base/a.c '#include "addr.h"' 'should name its room'
	plant base/a.c '#include "cellar/addr.h"' 'no such room'
	plant cellar/a.c '#include "base/addr.h"' 'not in the list of rooms'
	plant annotate/a.c '#include <ares.h>' 'belongs to: net'
	plant net/a.c '#include <ares.h>' ''
	plant report/a.c '#include <uv.h>' 'belongs to'
	plant probe/a.c '#include <sys/socket.h>' 'belongs to'
	plant trace/a.c '#include <netinet/in.h>' 'belongs to'
	plant insight/a.c '#include <jansson.h>' 'belongs to'
	plant base/a.c '#include <arpa/inet.h>' ''
	plant net/a.c 'int f(void) __attribute__((noreturn));' 'compiler extensions'
	plant net/a.c 'void f(void) { fputs("x", stderr); }' 'only cli/'
	plant sim/a.c 'void f(void) { exit(1); }' 'only cli/'
	plant sim/a.c 'void f(void) { _exit(1); }' ''
	plant cli/a.c 'void f(void) { exit(1); }' ''
	plant base/compiler.h '#define MUST_USE __attribute__((warn_unused_result))' ''
}

case ${1-check} in
check) check "${2-$(dirname "$0")/../..}" ;;
self-test) self_test ;;
*) echo "usage: layers.sh check [SOURCE ROOT] | self-test" >&2; exit 2 ;;
esac
