#!/bin/bash
# statistics.sh [RETOUR [ASES [PROFILE]]]: the table of docs/statistics.md, three worlds beside what was published.
set -euo pipefail

retour=${1:-${RETOUR:-build/retour}} ases=${2:-1000} profile=${3:-today}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for seed in 1 2 3; do
	"$retour" lab generate --ases "$ases" --seed $seed --profile "$profile" --summary >"$scratch/$seed"
done
echo "| | seed 1 | seed 2 | seed 3 | published |"
echo "|---|---:|---:|---:|---|"
paste -d '\t' "$scratch"/[123] | awk -F'\t' '{
	row = "| " what($1)
	for (i = 1; i <= NF; i++) row = row " | " value($i) ($i ~ / outside /  ? " (outside)" : "")
	print row " | " source($1) " |"
}
function what(text) { return trim(substr(text, 1, 53)) }
function value(text) { return trim(substr(text, 54, 8)) }
function source(text) { text = substr(text, 62); sub(/^ *(within|outside) */, "", text); return trim(text) }
function trim(text) { gsub(/^ +| +$/, "", text); gsub(/\|/, "\\|", text); return text }'
