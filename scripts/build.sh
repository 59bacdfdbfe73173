#!/bin/bash
# scripts/build.sh DIRECTORY [MESON OPTION...]: configure once, then build. Options count when the directory is
# new; an existing one keeps its own.
set -euo pipefail
cd "$(dirname "$0")/.."

directory=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# What configuring has to say matters only when it fails.
if [ ! -e "$directory/build.ninja" ]; then
	meson setup "$directory" "$@" >"$log" 2>&1 || {
		cat "$log" >&2
		rm -rf "$directory"
		exit 1
	}
fi
ninja -C "$directory" --quiet build.ninja >"$log" 2>&1 || {
	cat "$log" >&2
	exit 1
}
ninja -C "$directory" --quiet
