# shellcheck shell=bash
# How a test that sources this ends before its end. Status 77 is SKIP: this machine cannot run it, and the last line
# printed says why. With CI=true a missing program is a failure, since the set-up installs them all.

skip() {
	echo "SKIP $*"
	exit 77
}

fail() {
	echo "FAIL $*" >&2
	exit 1
}

need() { # PROGRAM...
	local program
	for program in "$@"; do
		command -v "$program" >/dev/null && continue
		[ "${CI-}" = true ] && fail "$program is not installed"
		skip "$program is not installed (scripts/setup.sh test)"
	done
}
