#!/bin/bash
# Installs the Debian packages that the named groups need and that are missing. With nothing missing it asks
# only dpkg: no apt, no network, no privilege.
#
#   scripts/setup.sh GROUP...     groups: build test bench lint fuzz
set -euo pipefail

declare -A why=(
	[build]="compile retour and run its virtual Internet"
	[test]="the test suites: second compiler with sanitizers, kernel routers, peers to compare with"
	[bench]="the programs retour is measured beside"
	[lint]="the slower static checks"
	[fuzz]="the fuzzing engine"
)
declare -A packages=(
	[build]="gcc libc6-dev make meson ninja-build pkg-config scdoc iproute2
		libc-ares-dev libcmocka-dev libcurl4-openssl-dev libcyaml-dev libjansson-dev libmaxminddb-dev
		libmicrohttpd-dev libmosquitto-dev libncurses-dev libnftables-dev libseccomp-dev libsqlite3-dev
		libuv1-dev libyaml-dev"
	[test]="bird2 busybox-static clang curl libclang-rt-14-dev inetutils-traceroute iproute2 iputils-ping iputils-tracepath jq
		libmaxmind-db-writer-perl mosquitto mosquitto-clients mtr-tiny nftables openssh-client openssh-server openssl procps python3-jsonschema python3-yaml
		python3-scapy scamper shellcheck tcpdump tcptraceroute tmux traceroute util-linux"
	[bench]="inetutils-traceroute iproute2 iputils-ping jq mtr-tiny nftables python3 scamper tcpdump traceroute util-linux"
	[lint]="clang clang-format clang-tidy cppcheck jq shellcheck universal-ctags"
	[fuzz]="clang libclang-rt-14-dev"
)

missing_in() {
	local package
	for package in ${packages[$1]}; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
	done
}

install=()
for group in "$@"; do
	missing=$(missing_in "$group" | tr '\n' ' ')
	[ -n "$missing" ] || continue
	echo "setup: to ${why[$group]}, installing: $missing" >&2
	# shellcheck disable=SC2206 # package names have no blanks
	install+=($missing)
done
[ ${#install[@]} -gt 0 ] || exit 0

become=()
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "setup: not root and no sudo; as root run: apt-get install --no-install-recommends ${install[*]}" >&2
		exit 1
	fi
	become=(sudo)
fi
"${become[@]}" apt-get -q update >&2
"${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "${install[@]}" >&2
