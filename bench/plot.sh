#!/bin/bash
# plot.sh RESULTS: the cost of a destination against the number of ASes, both axes logarithmic, as SVG on standard
# output; beside it n log n, through the first point.
set -euo pipefail

awk -F'|' '
	function log10(v) { return log(v) / log(10) }
	function x(ases) { return 80 + 480 * (log10(ases) - left) / (right - left) }
	function y(us) { return 290 - 250 * (log10(us) - bottom) / (top - bottom) }
	function floor(v,  i) { i = int(v); return i > v ? i - 1 : i }
	function ceiling(v) { return -floor(-v) }
	function human(v) { return v >= 1000 ? sprintf("%d,%03d", v / 1000, v % 1000) : v "" }
	function text(at_x, at_y, anchor, what) {
		printf "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">%s</text>\n", at_x, at_y, anchor, what
	}
	function stroke(from_x, from_y, to_x, to_y, style) {
		printf "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", from_x, from_y, to_x, to_y, style
	}
	$1 == "sim_routes" { ases[++n] = $2; us[n] = $6 / 1000 }
	END {
		if (n < 2) exit 1
		for (i = 1; i <= n; i++)
			bound[i] = us[1] * ases[i] * log(ases[i]) / (ases[1] * log(ases[1]))
		left = floor(log10(ases[1]) + 0.001); right = ceiling(log10(ases[n]) - 0.001)
		least = most = us[1]
		for (i = 1; i <= n; i++) {
			if (us[i] < least) least = us[i]
			if (us[i] > most) most = us[i]
			if (bound[i] > most) most = bound[i]
		}
		bottom = floor(log10(least)); top = ceiling(log10(most))
		print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 600 350\" font-family=\"sans-serif\" font-size=\"13\">"
		print "<title>Cost of a destination against the number of ASes</title>"
		print "<rect width=\"600\" height=\"350\" fill=\"white\"/>"
		for (e = left; e <= right; e++) {
			stroke(x(10 ^ e), 40, x(10 ^ e), 290, "stroke=\"#ddd\"")
			text(x(10 ^ e), 310, "middle", human(10 ^ e))
		}
		for (e = bottom; e <= top; e++) {
			stroke(80, y(10 ^ e), 560, y(10 ^ e), "stroke=\"#ddd\"")
			text(74, y(10 ^ e) + 4, "end", human(10 ^ e))
		}
		text(320, 335, "middle", "ASes")
		text(80, 24, "start", "microseconds for the routes of all ASes to one destination")
		for (i = 1; i < n; i++) {
			stroke(x(ases[i]), y(bound[i]), x(ases[i + 1]), y(bound[i + 1]), "stroke=\"#888\" stroke-dasharray=\"5 4\"")
			stroke(x(ases[i]), y(us[i]), x(ases[i + 1]), y(us[i + 1]), "stroke=\"#06c\" stroke-width=\"2\"")
		}
		for (i = 1; i <= n; i++)
			printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"#06c\"/>\n", x(ases[i]), y(us[i])
		text(x(ases[n]) - 14, y(bound[n]) - 6, "end", "n log n")
		text(x(ases[n]) - 8, y(us[n]) + 24, "end", "measured")
		print "</svg>"
	}' "$1"
