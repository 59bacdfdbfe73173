#!/bin/sh
# Every finding that the rules can make has its page, and every page its finding.
#   findings.sh SOURCE_ROOT
set -eu
cd "$1"
made=$(grep -hoE '"(anycast|paths|path-changed|reply|replies|silent|slow|loss|latency|congestion|black|refused|filtered|loop|load|mpls|bad-branch|nat|ecn|dscp|zero-ttl|mtu)[a-z-]*"' src/insight/rules_*.c |
	tr -d '"' | sort -u)
pages=$(find docs/findings -name '*.md' -printf '%f\n' | sed 's/\.md$//' | sort)
if [ "$made" != "$pages" ]; then
	printf 'made:\n%s\npages:\n%s\n' "$made" "$pages"
	exit 1
fi
