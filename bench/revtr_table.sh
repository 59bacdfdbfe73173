#!/bin/bash
# revtr_table.sh RESULTS: the part of the page that bench/revtr.sh measures, on standard output. Of several seeds the sums.
set -euo pipefail

results=$1

cat <<-'END'

	## Reverse traceroute without cooperation

	`bench/revtr.sh`: worlds of the profile `today`, 10 sources and 2,000 pairs of hosts in each, three seeds that nothing was
	tuned with. Sites that may send in the source's name are a third of all, or as many as the world has. Each source has
	an atlas of traceroutes from the sites and from hosts in a twentieth of the ASes, none of which has a destination. About
	a quarter of the destinations answer nothing at all. Every site has asked two addresses of each prefix beforehand, none of
	which is a destination.

	*Symmetric guess* takes the way there for the way back; *atlas only* goes on from where the atlas is met; *set-cover order*
	asks the nearest sites first and assumes symmetry across borders, as the system of 2010 did; *published* is the algorithm
	of 2022 with the constants of its released code, read by us, not run: that code needs services that nobody else has.
	*Without ...* is retour with one idea switched off; *without survey* learns distances from its own answers only, and no
	address stands in for a neighbour; *without distances* has those neighbours; *scheduled survey* is what a coordinator
	makes of a hitlist. *Without ping* does not compare how far answers to agents come from with those to the source: some
	destinations share their address with hosts elsewhere (anycast). Agents do not.

	Complete ways end at the source and use no hop assumed across a border. Hops that timestamps
	confirm are measured; *without hop counts* assumes symmetry where hop limits contradict it, too. *Measured, right*: hops called measured, and of
	them those on a true way of some flow; *inferred* likewise. *Wrong network*: ways with a hop in a network that is not on
	the true way, and how many they are. *Packets*: with IP options, for one way, without atlas and survey. *Busiest*: such packets that one router
	saw in one second.

	| ASes | Sites | Method | Complete | Wrong network | Measured, right | Inferred, right | Assumed, right | Packets | Median, 90 % | Busiest |
	|---:|---:|:---|---:|---:|---:|---:|---:|---:|---:|---:|
END
awk -F'|' '$1 == "revtr" && NF > 22 && $2 !~ /^(agents|at-once-.*|two)$/ {
	key = $3 "|" $4 "|" $2
	if (!(key in asked)) order[++count] = key
	asked[key] += $6; complete[key] += $8; wrong[key] += $17; runs[key]++
	m[key] += $11; mt[key] += $12; i[key] += $13; it[key] += $14; a[key] += $15; at[key] += $16
	packets[key] += $19; median[key] += $21; p90[key] += $22; busiest[key] = $23 > busiest[key] ? $23 : busiest[key]
}
function right(of, total) { return total ? sprintf("%d, %.2f %%", total, 100 * of / total) : "" }
END {
	for (n = 1; n <= count; n++) {
		key = order[n]; split(key, part, "|"); gsub("-", " ", part[3])
		printf "| %d | %d | %s | %.1f %% | %.2f %%, %d | %s | %s | %s | %.1f | %.1f, %.1f s | %d |\n", part[1], part[2], part[3],
			100 * complete[key] / asked[key], 100 * wrong[key] / asked[key], wrong[key], right(mt[key], m[key]),
			right(it[key], i[key]), right(at[key], a[key]), packets[key] / asked[key], median[key] / runs[key],
			p90[key] / runs[key], busiest[key]
	}
}' "$results"

awk -F'|' '$1 == "revtr" && $2 == "retour" && NF > 25 {
	n++; rate += $24; memory += $25; under_way += $30; counted += $26; right += $27; gaps += $28; gaps_right += $29
	least = !least || $24 < least ? $24 : least; most = $24 > most ? $24 : most
}
$1 == "revtr" && $2 == "two" { two += $24; twos++ }
$1 == "revtr" && $2 ~ /-survey$/ && $3 == 1000 && $6 { s = $2 " " $4; sub("-survey ", " ", s); survey[s] += $6; surveys[s]++ }
END {
	if (!n) exit
	printf "\nOf *retour*, %d runs: %d to %d finished measurements for a second of one core, the simulator included", n, least, most
	if (twos) printf ", and %d on two cores with a process on each (50 sites)", 2 * two / twos
	printf "; %.1f KB of memory for each of 200 at once, %.1f with all that is remembered of the last ten minutes. ",
		under_way / n / 1000, memory / n / 1000
	printf "Where the reply told how many routers the way has, %.1f %% of %d complete ways show or miss just as many", 100 * right / counted, counted
	if (gaps) printf " (of those that miss some: %.1f %%)", 100 * gaps_right / gaps
	printf ".\n"
	if (surveys["scheduled-survey 50"])
		printf "\nThe survey, 1,000 ASes and 50 sites: %d packets when every site asks two addresses of each prefix, %d as scheduled.\n",
			survey["retour 50"] / surveys["retour 50"], survey["scheduled-survey 50"] / surveys["scheduled-survey 50"]
}' "$results"

cat <<-'END'

	How sure it is, and how often that was right: all hops of *retour*, by the probability that was stated. Tenths of which
	there are fewer than 200 hops are left out; the last one is shown in parts.

	| Stated | Mean | Right | Hops |
	|---:|---:|---:|---:|
END
awk -F'|' '
	function bin(percent) { return percent < 90 ? int(percent / 10) : percent < 95 ? 9 : percent < 97 ? 10 : percent < 99 ? 11 : 12 }
	$1 == "revtr" && $2 == "retour-calibration" {
		b = bin($6); hops[b] += $7; stated[b] += $7 * $8; right[b] += $7 * $9
	}
	END {
		split("90 to 95|95 to 97|97 to 99|99 to 100", parts, "|")
		for (b = 0; b <= 12; b++)
			if (hops[b] >= 200)
				printf "| %s %% | %.1f %% | %.1f %% | %d |\n", b < 9 ? 10 * b " to " 10 * b + 10 : parts[b - 8],
					100 * stated[b] / hops[b], 100 * right[b] / hops[b], hops[b]
	}' "$results"

if grep -q '^revtr|retour-wrong|' "$results"; then
	cat <<-'END'

		What came right before the first hop in a wrong network, in all ways of *retour* that show one.

		| Technique of the hop before | Ways |
		|:---|---:|
	END
	awk -F'|' '$1 == "revtr" && $2 == "retour-wrong" { if (!($6 in ways)) order[++n] = $6; ways[$6] += $7 }
		END { for (i = 1; i <= n; i++) printf "| %s | %d |\n", order[i], ways[order[i]] }' "$results" | sort -t'|' -k3rn
fi

if grep -q '^revtr|selection|' "$results"; then
	cat <<-'END'

		Who is asked: destinations that some site is near enough to, none of which the survey asked. *Closest*: the site with
		the fewest routers before the target is among the first 1, 3, 5, 10; *near*: one that sees a hop of the way back is.
		*Batches*: of five, until one is near. *Near to most* ranks sites by all prefixes together; the oracle knows the answer.

		| ASes | Sites | Order | Targets | Closest in 1, 3, 5, 10 | Near in 1, 3, 5, 10 | Batches |
		|---:|---:|:---|---:|---:|---:|---:|
	END
	awk -F'|' '$1 == "revtr" && $2 == "selection" {
			key = $4 "|" $5 "|" $3
			if (!(key in targets)) order[++count] = key
			targets[key] += $7
			for (i = 8; i <= 16; i++) sum[key, i] += $i
		}
		function share(key, i) { return sprintf("%.1f", 100 * sum[key, i] / targets[key]) }
		END {
			for (n = 1; n <= count; n++) {
				key = order[n]; split(key, part, "|"); gsub("-", " ", part[3])
				printf "| %d | %d | %s | %d | %s, %s, %s, %s %% | %s, %s, %s, %s %% | %.2f |\n", part[1], part[2], part[3],
					targets[key], share(key, 8), share(key, 9), share(key, 10), share(key, 11), share(key, 12),
					share(key, 13), share(key, 14), share(key, 15), sum[key, 16] / targets[key]
			}
		}' "$results"
fi

if grep -q '^revtr|agents|' "$results"; then
	cat <<-'END'

		What a way costs against the number of agents, and against the number of measurements that begin at once (1,000 ASes,
		50 sites). What is more at once waits longer for the same budgets.

		![Cost against the number of agents](figures/revtr_agents.svg)

		![Cost against the number of measurements at once](figures/revtr_at_once.svg)
	END
fi
