#!/bin/bash
# statistics.sh [RETOUR [ASES [PROFILE [SEED...]]]]: the table of docs/statistics.md, worlds (seeds 1, 2 and 3 unless
# said) beside what was published.
set -euo pipefail

retour=${1:-${RETOUR:-build/retour}} ases=${2:-1000} profile=${3:-today} seeds=("${@:4}")
((${#seeds[@]})) || seeds=(1 2 3)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for seed in "${seeds[@]}"; do
	"$retour" lab generate --ases "$ases" --seed "$seed" --profile "$profile" --summary >"$scratch/$seed"
done
echo "| |$(printf ' seed %s |' "${seeds[@]}") published |"
echo "|---|$(printf -- '---:|%.0s' "${seeds[@]}")---|"
paste -d '\t' "${seeds[@]/#/$scratch/}" | awk -F'\t' '{
	row = "| " what($1)
	for (i = 1; i <= NF; i++) row = row " | " value($i) ($i ~ / outside /  ? " (outside)" : "")
	print row " | " source($1) " |"
}
function what(text) { return trim(substr(text, 1, 53)) }
function value(text) { return trim(substr(text, 54, 8)) }
function source(text) { text = substr(text, 62); sub(/^ *(within|outside) */, "", text); return trim(text) }
function trim(text) { gsub(/^ +| +$/, "", text); gsub(/\|/, "\\|", text); return text }'
