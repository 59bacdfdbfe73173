#!/bin/bash
# sim_scale.sh [RETOUR]: what worlds of 100, 1,000 and 10,000 networks cost, as a table on standard output. The last
# column is the time for the truth of 2,000 pairs and a Record Route survey of at most 1,000 destinations, less loading.
set -euo pipefail

retour=${1:-${RETOUR:-build/retour}}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

measure() { # COMMAND...: "seconds MiB", of the process itself
	/usr/bin/python3 - "$@" <<-'PYTHON'
		import os, sys, time
		started = time.monotonic()
		pid = os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
		_, status, usage = os.wait4(pid, 0)
		if status:
		    sys.exit(f"{' '.join(sys.argv[1:])} failed")
		print(f"{time.monotonic() - started:.2f} {usage.ru_maxrss / 1024:.0f}", file=sys.stderr)
	PYTHON
}

echo "| ASes | routers | hosts | links | file | generate | memory | load | memory | statistics | memory |"
echo "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
for ases in 100 1000 10000; do
	world=$scratch/$ases.yaml
	read -r generate generate_mib < <(measure "$retour" lab generate --ases $ases --seed 1 -o "$world" 2>&1)
	read -r load load_mib < <(measure "$retour" lab hosts -w "$world" 2>&1 >/dev/null)
	read -r stats stats_mib < <(measure "$retour" lab stats -w "$world" 2>&1 >/dev/null)
	count() { sed -n "/^$1:/,/^\$/p" "$world" | grep -c '^  - '; }
	printf '| %d | %d | %d | %d | %.1f MB | %.2f s | %d MiB | %.2f s | %d MiB | %.1f s | %d MiB |\n' $ases \
		"$(count routers)" "$(count hosts)" "$(count links)" "$(stat -c %s "$world" | awk '{ print $1 / 1e6 }')" \
		"$generate" "$generate_mib" "$load" "$load_mib" \
		"$(awk -v a="$stats" -v b="$load" 'BEGIN { print (a > b ? a - b : 0) }')" "$stats_mib"
done
