#!/bin/bash
# sim_routes.sh BUILD_DIRECTORY: what routes between ASes cost in worlds of 100, 1,000 and 10,000 of them.
#
# A line each: sim_routes|ASES|EDGES|LOAD_S|WORLD_MIB|NS_PER_DESTINATION
set -euo pipefail

build=${1:-build}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for ases in 100 1000 10000; do
	"$build/retour" lab generate --ases $ases --seed 1 -o "$scratch/world.yaml" >/dev/null
	"$build/bench/sim_routes" "$scratch/world.yaml" | sed 's/^/sim_routes|/'
done
