#!/usr/bin/python3
"""revtr_plot.py RESULTS FOLDER: what a reverse traceroute costs, against the number of agents and of measurements at once,
as two SVG files. Of several seeds the mean."""
import math
import sys

WIDTH, HEIGHT, LEFT, TOP, GAP = 250, 210, 50, 50, 70


def rows(results, accepts):
    """x -> lists of columns, of lines whose second field gives an x."""
    found = {}
    for line in open(results, encoding="utf-8"):
        fields = line.rstrip("\n").split("|")
        x = accepts(fields) if fields[0] == "revtr" and len(fields) > 25 else None
        if x is not None:
            found.setdefault(x, []).append([float(value) for value in fields[2:]])
    return {x: [sum(column) / len(column) for column in zip(*lines)] for x, lines in sorted(found.items())}


def nice(value):
    """The next 1, 2 or 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(value)) if value > 0 else 1
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * 0.999)


def panel(out, at, title, label, points):
    xs = [math.log10(x) for x, _ in points]
    top = nice(max(y for _, y in points))

    def place(x, y):
        return (at + (math.log10(x) - xs[0]) / (xs[-1] - xs[0]) * WIDTH, TOP + HEIGHT * (1 - y / top))

    out.append(f'<text x="{at}" y="{TOP - 14}">{title}</text>')
    for part in range(5):
        y = TOP + HEIGHT * (1 - part / 4)
        out.append(f'<line x1="{at}" y1="{y:.1f}" x2="{at + WIDTH}" y2="{y:.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{at - 6}" y="{y + 4:.1f}" text-anchor="end">{top * part / 4:g}</text>')
    for x, _ in points:
        out.append(f'<text x="{place(x, 0)[0]:.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{x}</text>')
    out.append(f'<text x="{at + WIDTH / 2}" y="{TOP + HEIGHT + 38}" text-anchor="middle">{label}</text>')
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
    out.append(f'<polyline points="{line}" fill="none" stroke="#06c" stroke-width="2"/>')
    for point in points:
        x, y = place(*point)
        out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="#06c"/>')


def figure(path, title, label, panels):
    width = LEFT + len(panels) * (WIDTH + GAP)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {TOP + HEIGHT + 55}" '
           'font-family="sans-serif" font-size="13">', f"<title>{title}</title>",
           f'<rect width="{width}" height="{TOP + HEIGHT + 55}" fill="white"/>']
    for number, (name, points) in enumerate(panels):
        panel(out, LEFT + number * (WIDTH + GAP), name, label, points)
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n</svg>\n")


def main():
    results, folder = sys.argv[1:3]
    # Columns from the number of ASes on, as bench/revtr/revtr.c tells them.
    sites = rows(results, lambda f: int(f[3]) if f[1] == "agents" else None)
    at_once = rows(results, lambda f: int(f[1][8:]) if f[1].startswith("at-once-") else None)
    if len(sites) > 1:
        figure(f"{folder}/revtr_agents.svg", "Cost against the number of agents", "sites, a third of which may spoof", [
            ("packets with options for a way", [(x, c[16] / c[3]) for x, c in sites.items()]),
            ("complete ways, %", [(x, 100 * c[5] / c[3]) for x, c in sites.items()]),
            ("median seconds for a way", [(x, c[18]) for x, c in sites.items()])])
    if len(at_once) > 1:
        figure(f"{folder}/revtr_at_once.svg", "Cost against the number of measurements at once",
               "measurements that begin at once", [
                   ("packets with options for a way", [(x, c[16] / c[3]) for x, c in at_once.items()]),
                   ("median seconds for a way", [(x, c[18]) for x, c in at_once.items()]),
                   ("busiest router, packets in one second", [(x, c[20]) for x, c in at_once.items()])])


main()
