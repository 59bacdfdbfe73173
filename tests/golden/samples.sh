#!/bin/sh
# Every sample's document is valid; broken ones are not. Every picture is the one that was looked at and found true.
#   samples.sh RENDER schema | text | update (writes the pictures: look at them)
set -eu
render=$1 here=$(dirname "$0") failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

refuses()
{
	sed "$1" "$tmp/demo.json" >"$tmp/broken.json"
	if cmp -s "$tmp/demo.json" "$tmp/broken.json"; then
		echo "FAIL: nothing to break with $1" && failed=1
	elif "$here/validate.sh" "$tmp/broken.json" 2>/dev/null; then
		echo "FAIL: the schema accepts a document broken by $1" && failed=1
	fi
}

schema()
{
	"$here/validate.sh" /dev/null 2>/dev/null || [ $? -ne 77 ] || exit 77
	for name in $("$render" list); do
		"$render" "$name" json >"$tmp/$name.json"
	done
	"$here/validate.sh" "$tmp"/*.json || failed=1
	refuses 's/"retour\/1"/"retour\/2"/'
	refuses 's/"stop_reason": "reached"/"stop_reason": "arrived"/'
	refuses 's/"reached": true/"reached": 1/'
	refuses 's/"technique": "ttl"/"technique": "guess"/'
	refuses 's/"192.0.2.1"/"192.0.2.256"/'
	refuses 's/"probes_sent"/"probes"/'
	refuses 's/"rtt_ms": null/"rtt_ms": "*"/'
	refuses '/"certainty"/d'
	refuses 's/"started_at": "2026-11-22T/"started_at": "22.11.2026 /'
}

picture()
{
	file=$1 && shift
	if [ "$mode" = update ]; then
		"$render" "$@" >"$here/text/$file.txt"
	elif ! "$render" "$@" | diff -u "$here/text/$file.txt" - ; then
		failed=1
	fi
}

text()
{
	for width in 140 110 80 40; do
		picture "demo-$width" demo "$width" utf8
	done
	picture demo-ascii demo 120
	picture demo-numeric demo 120 numeric
	picture demo-colour demo 120 utf8 colour
	for name in symmetric6 refused partial loop nothing; do
		picture "$name-80" "$name" 80 utf8
		picture "$name-130" "$name" 130 utf8
	done
}

mode=$2
case $mode in
schema) schema ;;
*) text ;;
esac
exit $failed
