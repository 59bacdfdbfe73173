#!/bin/bash
# table.sh RESULTS: the page of bench/run.sh on standard output. Of several runs the median of each column.
set -euo pipefail

results=$1

median_rows() { # ROW: label|seconds|sent|received|note, in the order they were first measured
	awk -F'|' -v row="$1" '
		function median(list, n,    i, j, t, a) {
			split(list, a, " ")
			for (i = 2; i <= n; i++)
				for (j = i; j > 1 && a[j] + 0 < a[j - 1] + 0; j--) { t = a[j]; a[j] = a[j - 1]; a[j - 1] = t }
			return a[int((n + 1) / 2)]
		}
		$1 == row {
			if (!($2 in n)) order[++labels] = $2
			n[$2]++
			seconds[$2] = seconds[$2] " " $3
			sent[$2] = sent[$2] " " $4
			received[$2] = received[$2] " " $5
			note[$2] = $6
		}
		END {
			for (i = 1; i <= labels; i++) {
				label = order[i]
				time = median(seconds[label], n[label])
				if (i == 1) ours = time
				printf "| `%s` | %.3f s | %s | %d | %d | %s |\n", label, time,
					i == 1 ? "1" : sprintf("%.1f", time / (ours > 0 ? ours : 0.001)),
					median(sent[label], n[label]), median(received[label], n[label]), note[label]
			}
		}' "$results"
}

section() { # ROW TITLE
	grep -q "^$1|" "$results" || return 0
	printf '\n## %s\n\n| Command | Wall time | Times ours | Packets sent | Packets received | Says |\n' "$2"
	printf '|---|---:|---:|---:|---:|---|\n'
	median_rows "$1"
}

cat <<END
# Benchmarks

Written by \`make bench\` (\`bench/run.sh\`), the last rows on $(date -u +%F): Linux $(uname -r), $(nproc) processors ($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)),
Debian $(cat /etc/debian_version), $(traceroute --version 2>&1 | sed -n 's/.*traceroute.* version \([^,]*\).*/traceroute \1/p' | head -n 1), $(mtr --version), $(dpkg-query -W -f 'scamper ${Version}' scamper).

The path is a source, nine Linux routers in network namespaces and a target: ten hops. A cable of 10 ms each way lies
between the first two routers, so every hop but the first is 20 ms away. Reply limits are the kernel's own; between runs
the path rests until they are full again. Packets are counted by the source's interface. Times include starting the
program. Compare the ratios; the absolute numbers belong to the machine.
END
section healthy 'Healthy path'
section silent 'One silent hop: router 5 forwards and never answers'
section black_hole 'Black hole: nothing comes back from beyond hop 8'
# shellcheck disable=SC2016 # a Markdown code span
section refusal 'Refused: router 9 answers host unreachable (`!H`)'
section responder 'Return path from a responder, six hops'
section responder_near 'Return path from a responder, six hops, no delay'
! grep -q '^responder_near|' "$results" || cat <<-'END'

	The public reference client of the protocol, asked for the same six hops over the same kind of path, takes 2.34 to 2.37 s
	(IPv4) and 2.28 to 2.32 s (IPv6); that figure was measured once, elsewhere, and is quoted. It asks for one hop after the
	other, 0.1 s apart. Ours takes three round trips for three probes a hop, and two with `-q 1`.
END
section inband 'Return path inside a TCP connection, ten hops, through a translator and a stateful firewall'
errors() { # ROW TITLE
	grep -q "^$1|" "$results" || return 0
	printf '\n## %s\n\n' "$2"
	cat
	printf '\n| Program | Probes | Median | 99th percentile | Beyond 20 ms: median | 99th percentile |\n'
	printf '|---|---:|---:|---:|---:|---:|\n'
	awk -F'|' -v row="$1" '$1 == row { printf "| %s | %d | %s µs | %s µs | %.0f µs | %.0f µs |\n", $2, $3, $4, $5, $6, $7 }' "$results"
}
errors rtt 'Error of the round-trip time' <<-'END'
	Hops 2 to 10 of the healthy path, all probes of all runs. True is what the wire saw: the time from the probe's arrival at
	the other end of the source's cable, which has no length, to the answer's arrival at the source, as the kernel stamps
	packets for tcpdump. The error is the difference, without its sign.

	What lies beyond the 20 ms of the long cable is in the path itself, not in the programs: the routers' work, the wake-up
	of the process that is the cable, and packets of one burst that wait for each other there. A program whose probes leave
	as close together as ours meets more of it; traceroute makes a socket for each, so they leave 15 µs apart.
END
errors rtt_busy 'Error of the round-trip time, one of the cores busy' <<-'END'
	As above, while one endless loop takes a core. The cable and the routers have to share the other with the program.
END
if grep -q '^first_table|' "$results"; then
	cat <<-'END'

		## First table on the screen

		In a terminal of 120 columns: from the start of the program until the live table shows the router before the target,
		20 ms away. Median of the runs.

		| Command | Time |
		|---|---:|
	END
	for command in 'retour watch -n' 'mtr -n'; do
		grep "^first_table|$command|" "$results" | sort -t'|' -k3n |
			awk -F'|' '{ time[NR] = $3 } END { printf "| `%s` | %.0f ms |\n", $2, time[int((NR + 1) / 2)] }'
	done
fi
section ten_rounds 'Ten rounds of statistics'
if grep -q '^diamond|' "$results"; then
	cat <<-'END'

		## Every branch of a diamond with three branches, 95 %

		Linux routers that hash ports, 20 ms of round trip. Packets are counted by the source's interface.

		| Command | Wall time | Times ours | Packets sent | Says |
		|---|---:|---:|---:|---|
	END
	awk -F'|' '$1 == "diamond" { n[$2]++; if (n[$2] == 1) order[++m] = $2
			t[$2] = t[$2] + $3; p[$2] = p[$2] + $4; note[$2] = $6 }
		END { for (i = 1; i <= m; i++) { l = order[i]; mean = t[l] / n[l]; if (i == 1) ours = mean
			printf "| `%s` | %.3f s | %.1f | %d | %s |\n", l, mean, mean / ours, p[l] / n[l], note[l] } }' "$results"
fi
if grep -q '^targets|' "$results"; then
	cat <<-'END'

		## A thousand targets at once

		A generated world of 1,000 ASes in the lab; both programs are held to the same number of packets a second.

		| Command | Wall time | Packets sent | Reached | Memory |
		|---|---:|---:|---:|---:|
	END
	awk -F'|' '$1 == "targets" { printf "| `%s` | %.1f s | %d | %d | %.0f MiB |\n", $2, $3, $4, $5, $6 / 1024 }' "$results"
fi
if grep -q '^flood|' "$results"; then
	cat <<-'END'

		## Responder under flood

		An honest client asks for the way back while requests with forged sources, which nobody will ever answer,
		arrive at the rate on the left.

		| Forged requests per second | Honest client complete | Its time | Bytes in | Bytes out |
		|---:|---|---:|---:|---:|
	END
	awk -F'|' '$1 == "flood" { printf "| %s | %s | %s s | %s | %s |\n", $2, $3, $4, $5, $6 }' "$results"
fi
if grep -q '^lab_tun|' "$results"; then
	cat <<-'END'

		## The lab in real time

		Nine routers between two hosts: in the lab, and as Linux namespaces. Packets are UDP with 60 bytes inside; of a rate
		that counts 99.9 % arrive. Errors are what ping and retour report beyond the delays of the links, on the idle lab.

		| | Lab | Namespaces | Ratio |
		|---|---:|---:|---:|
	END
	awk -F'|' '$1 == "lab_tun" { printf "| %s | %s | %s | %s |\n", $2, $3, $4, $5 }' "$results"
fi
if grep -q '^sim_hops|' "$results"; then
	cat <<-'END'

		## The lab in virtual time

		One core. Echo requests over 15 routers and back, a thousand at a time; then traces over the same 15 routers with three
		probes a hop. Median of the runs.

		| | |
		|---|---:|
	END
	for name in 'router-hops/s' 'ns per router-hop' 'ns per trace'; do
		grep "^sim_hops|$name|" "$results" | sort -t'|' -k3n |
			awk -F'|' '{ value[NR] = $3 } END { printf "| %s | %d |\n", $2, value[int((NR + 1) / 2)] }'
	done
fi
if grep -q '^sim_routes|' "$results"; then
	cat <<-'END'

		## Routes between ASes against size

		The routes of all ASes to a destination that nobody asked for before: the median of seven runs over up to 1,000
		destinations. Worlds of the profile `today`; a relation is two edges. Memory is the loaded world's.

		![The cost of a destination and n log n against the number of ASes](figures/sim_routes.svg)

		| ASes | Edges | Load | Memory | One destination | of n log n |
		|---:|---:|---:|---:|---:|---:|
	END
	awk -F'|' '$1 == "sim_routes" {
		bound = $2 * log($2)
		if (!first) first = $6 / bound
		printf "| %d | %d | %.2f s | %.1f MiB | %.1f µs | %.2f |\n", $2, $3, $4, $5, $6 / 1000, $6 / bound / first
	}' "$results"
fi
if grep -q '^verdicts|' "$results"; then
	cat <<-'END'

		## How often findings are right

		`tests/scenario/test_verdicts.c`: worlds out of seeds with one fault of known kind at a known place, on the way there or
		back; lengths, delays and habits of routers are drawn, and some of the ways back go through another carrier. Each is
		measured in virtual time by `retour HOST`, the same with a responder at the far end, and 120 rounds of `retour watch`.
		*Right*: a finding names the fault, with a way and place that are so. *Wrong*: a finding says what is not so; certain,
		likely or possible is how sure it claims to be. A measurement may have both. *Silent*: neither, as it should be without a
		fault. Much cannot be known: a fault on the way back without a responder, a loss of 2 % in a few probes, a delay that was
		always there.

		| Fault | Way | Command | Worlds | Right | Wrong | Silent | Wrong findings: certain, likely, possible |
		|:---|:---|:---|---:|---:|---:|---:|---:|
	END
	awk -F'|' '$1 == "verdicts" {
		printf "| %s | %s | %s | %d | %d | %d | %d | %d, %d, %d |\n", $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
		worlds += $5; right += $6; certain += $9; likely += $10; possible += $11
	}
	END { printf "| all | | | %d | %d | | | %d, %d, %d |\n", worlds, right, certain, likely, possible }' "$results"
fi
if grep -q '^sim_scale|' "$results"; then
	cat <<-'END'

		## The lab against size

		Worlds of the profile `today`. Generation writes the file, loading reads it, and statistics are the truth of 2,000
		pairs with a Record Route survey: mostly routes for destinations that nobody asked for before. Links grow faster
		than ASes, as bigger worlds peer more.

	END
	sed -n 's/^sim_scale|/|/p' "$results"
fi
if grep -q '^measured|' "$results"; then
	printf '\n## When\n\n| Row | Measured | Runs |\n|---|---|---:|\n'
	awk -F'|' '$1 == "measured" { printf "| %s | %s | %d |\n", $2, $3, $4 }' "$results"
fi
if grep -q '^ways_back|' "$results"; then
	cat <<-'END'

		## The way back without any help

		Generated worlds of the profile `today`, 20 pairs of hosts each, seeds from 5001 on, which nothing was tuned with. Nobody
		runs a responder, nobody sends segments on, there are no vantage points: what is measured comes from Record Route. *In
		part* and *whole* are shares of the targets asked, ± the standard error over worlds; hops are those with an address,
		ourselves left out, and true ones are routers that a packet of some flow passes on its way back.

		| Worlds | ASes each | Targets | In part | Whole | Measured hops, true | Packets with options | Packets |
		|---:|---:|---:|---:|---:|---:|---:|---:|
	END
	awk -F'|' '$1 == "ways_back" {
		printf "| %d | %d | %d | %.1f %% ± %.1f | %.1f %% | %d, %.1f %% | %.2f | %.1f |\n", $2, $3, $4, 100 * $6 / $4, $14,
			100 * $7 / $4, $8, 100 * $9 / $8, $12 / $4, $13 / $4
	}' "$results"
fi
if grep -q '^revtr_batch|' "$results"; then
	cat <<-'END'

		## A batch of a million

		One batch in parts of 2,000 through the coordinator, whose agent answers at once and without limits: until every result is
		on disk and told. Processor seconds are of coordinator and agent together. What waits takes no memory; what it has
		learned, three addresses a measurement here that nobody else shares, does.

		| Measurements | Handed in, s | Done, s | Processor, s | Results a second | MiB |
		|---:|---:|---:|---:|---:|---:|
	END
	awk -F'|' '$1 == "revtr_batch" { printf "| %d | %.1f | %.1f | %.1f | %d | %d |\n", $2, $3, $4, $5, $6, $7 }' "$results"
fi
if grep -q '^revtr_wall|' "$results"; then
	cat <<-'END'

		## Waiting for one way back

		`retour back server.lab --via revtr` in the world `revtr-demo`: coordinator and five agents are processes on hosts of the lab,
		ten hops and up to 26 ms of round trip away from each other, and the atlas is warm. Wall time from start to end of the
		command, median of the runs.

		| | Seconds | Hops | Packets with options |
		|---|---:|---:|---:|
	END
	awk -F'|' '$1 == "revtr_wall" { if (!($2 in last)) order[++kinds] = $2; last[$2] = $4 " | " $5; n[$2]++; s[$2, n[$2]] = $3 }
		END {
			for (k = 1; k <= kinds; k++) {
				w = order[k]
				for (i = 1; i <= n[w]; i++) # by insertion: there are few
					for (j = i; j > 1 && s[w, j] < s[w, j - 1]; j--) { t = s[w, j]; s[w, j] = s[w, j - 1]; s[w, j - 1] = t }
				printf "| %s | %s | %s |\n", w, s[w, int((n[w] + 1) / 2)], last[w]
			}
		}' "$results"
fi
! grep -q '^revtr|' "$results" || "${0%/*}/revtr_table.sh" "$results"
