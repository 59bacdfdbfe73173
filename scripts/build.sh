#!/bin/bash
# scripts/build.sh DIRECTORY [MESON OPTION...]: configure once, then build. Options count when the directory is
# new; an existing one keeps its own.
set -euo pipefail
cd "$(dirname "$0")/.."

directory=$1
shift
if [ ! -e "$directory/build.ninja" ]; then
	meson setup "$directory" "$@" >"$directory.setup" 2>&1 || {
		cat "$directory.setup" >&2
		rm -rf "$directory" "$directory.setup"
		exit 1
	}
	rm -f "$directory.setup"
fi
ninja -C "$directory" --quiet
