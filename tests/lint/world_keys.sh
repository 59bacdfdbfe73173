#!/bin/bash
# Every key that a world file may have is in world(5).
set -euo pipefail
cd "$(dirname "$0")/../.."

missing=0
keys=$(
	grep -ohE '(TEXT|LIST|FLAG|CYAML_FIELD_[A-Z_]+)\("[a-z_0-9]+"' src/sim/world_file.c src/sim/behaviour_file.c
	grep -ohE '(CHOICE|PART|COUNT|NUMBER)\([a-z_0-9]+' src/sim/behaviour_file.c | sed 's/(\(.*\)/("\1"/')
for key in $(grep -oE '"[a-z_0-9]+"' <<<"$keys" | tr -d '"' | sort -u); do
	[ "$key" = member ] && continue # of a macro
	grep -qE "\*${key}\*" docs/man/world.5.scd && continue
	echo "docs/man/world.5.scd: nothing about '$key'"
	missing=1
done
exit $missing
