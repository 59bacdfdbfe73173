#!/bin/bash
# Every script passes shellcheck.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v shellcheck >/dev/null; then
	[ "${CI-}" = true ] && { echo "no shellcheck" >&2; exit 1; }
	echo "SKIP shellcheck is not installed"
	exit 77
fi
mapfile -t scripts < <(find .ci scripts tests bench packaging -type f \( -name '*.sh' -o -path .ci/run \) | sort)
shellcheck --external-sources --source-path=SCRIPTDIR "${scripts[@]}"
