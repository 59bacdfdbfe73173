#!/bin/bash
# The HTTP interface in the lab: its description and what it serves are the same, and the path that it tells is the
# world's truth.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need jq curl
/usr/bin/python3 -c 'import jsonschema, yaml' 2>/dev/null || skip "no python3-jsonschema or python3-yaml"
need_lab
root=$here/../..
description=$root/docs/api/openapi.yaml
demo=$root/lab/demo.yaml
world=$scratch/world.yaml
sed 's/run: retour serve.*}/run: retour serve --listen :8080 --trace-rate 10000}/' "$demo" >"$world"
cmp -s "$demo" "$world" && fail "the world has no service to change"

"$retour" lab run -w "$world" -- /usr/bin/python3 "$here/serve_api.py" "$description" http://server.lab:8080

# What is served stands there: the paths of the source's table, those with a part to fill in by their beginning.
served=$(sed -n '/^static const struct {$/,/^};/p' "$root/src/serve/route.c" | sed -nE \
	-e 's|^[[:space:]]*\{LOOKING_GLASS "([^"]*)", ROUTE.*|/.well-known/looking-glass/v1/\1|p' \
	-e 's|^[[:space:]]*\{"([^"]*)", ROUTE.*|\1|p')
[ "$(wc -l <<<"$served")" -ge 11 ] || fail "the table of routes was not understood: $served"
while read -r path; do
	grep -qE "^  $path(\{[a-z]+\})?:$" "$description" || fail "$path is served but not described"
done <<<"$served"
echo "ok what is served is described"

for family in 4 6; do
	"$retour" lab run -w "$world" -- curl -sS "-$family" -m 20 "http://server.lab:8080/api/v1/trace" >"$scratch/trace"
	equal "the true path, IPv$family" "$(jq -r '.forward.hops[].address' "$scratch/trace")" \
		"$("$retour" lab truth -w "$world" "-$family" server client | awk '$1 ~ /^[0-9]+$/ { print $3 }')"
done
