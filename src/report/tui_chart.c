/* Round trips over time, drawn in dots (Braille, Unicode 2800-28FF: two columns and four rows a cell) or
 * asterisks. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "report/tui_inside.h"

#define CHART_WIDTH_MAX	 500
#define CHART_HEIGHT_MAX 100
#define LABEL_WIDTH	 9
#define SERIES_MAX	 3

static const struct {
	int64_t length_ns; /* 0 = all */
	const char *name;
} spans[] = {
	{30 * NS_PER_S, "30 s"},
	{120 * NS_PER_S, "2 min"},
	{600 * NS_PER_S, "10 min"},
	{3600 * NS_PER_S, "1 h"},
	{6 * 3600 * NS_PER_S, "6 h"},
	{0, "all"},
};
#define SPAN_USUAL    1
#define SPAN_LEAST_NS (20 * NS_PER_S)

void chart_zoom(struct tui *tui, int by)
{
	/* 0 in a fresh screen means the usual one. */
	int index = tui->span ? tui->span - 1 : SPAN_USUAL;
	tui->span = MAX(0, MIN(index + by, (int)ARRAY_LEN(spans) - 1)) + 1;
}

/* What happened in the time of one column of dots. */
struct point {
	int64_t least_ns, most_ns; /* RTT_NONE: no answer */
	bool lost;
};

struct canvas {
	int width, height; /* cells */
	uint8_t dots[CHART_HEIGHT_MAX][CHART_WIDTH_MAX];
	uint8_t colour[CHART_HEIGHT_MAX][CHART_WIDTH_MAX];
};

struct plot {
	struct tui *tui;
	const struct tui_frame *frame;
	int64_t from_ns, to_ns;
	int64_t top_ns; /* value at the upper edge */
	int columns;	/* of dots */
	struct canvas canvas;
	struct point points[2 * CHART_WIDTH_MAX];
};

static void add_point(struct plot *plot, int64_t at_ns, int64_t least_ns, int64_t most_ns, bool lost)
{
	if (at_ns < plot->from_ns || at_ns > plot->to_ns)
		return;
	double share = (double)(at_ns - plot->from_ns) / (double)MAX(1, plot->to_ns - plot->from_ns);
	struct point *point = &plot->points[MIN((int)(share * plot->columns), plot->columns - 1)];
	point->lost |= lost;
	if (least_ns == RTT_NONE)
		return;
	point->least_ns = point->least_ns == RTT_NONE ? least_ns : MIN(point->least_ns, least_ns);
	point->most_ns = MAX(point->most_ns, most_ns);
}

/* From the last samples where they reach back far enough, else from the buckets, which cover all time. */
static void collect(struct plot *plot, const struct timeline_hop *hop)
{
	size_t kept = samples_kept(&hop->samples);
	for (int i = 0; i < plot->columns; i++)
		plot->points[i] = (struct point){RTT_NONE, RTT_NONE, false};
	if (kept == 0)
		return;
	bool whole =
		hop->samples.count == kept || samples_get(&hop->samples, kept - 1).at_ns <= plot->from_ns;
	for (size_t i = 0; whole && i < kept; i++) {
		struct sample sample = samples_get(&hop->samples, i);
		add_point(plot, sample.at_ns, sample.rtt_ns, sample.rtt_ns, sample.rtt_ns == RTT_NONE);
	}
	for (size_t i = 0; !whole && i < hop->buckets.count; i++) {
		const struct bucket *bucket = &hop->buckets.parts[i];
		int64_t middle_ns = (int64_t)i * hop->buckets.width_ns + hop->buckets.width_ns / 2;
		int64_t mean_ns = bucket->received ? (int64_t)(bucket->sum_ns / bucket->received) : RTT_NONE;
		add_point(plot, middle_ns, bucket->best_ns, mean_ns, bucket->lost > 0);
	}
}

static void set_dot(struct plot *plot, int x, int y, enum tui_colour colour)
{
	static const uint8_t bits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
	if (x < 0 || y < 0 || x >= plot->columns || y >= 4 * plot->canvas.height)
		return;
	plot->canvas.dots[y / 4][x / 2] |= bits[y % 4][x % 2];
	plot->canvas.colour[y / 4][x / 2] = (uint8_t)colour;
}

static int dot_row(const struct plot *plot, int64_t value_ns)
{
	int rows = 4 * plot->canvas.height;
	return rows - 1 - (int)((double)(rows - 1) * (double)value_ns / (double)plot->top_ns);
}

static void draw_series(struct plot *plot, const struct timeline_hop *hop, enum tui_colour colour)
{
	int last_x = -1, last_y = 0;
	collect(plot, hop);
	for (int x = 0; x < plot->columns; x++) {
		const struct point *point = &plot->points[x];
		if (point->least_ns == RTT_NONE)
			continue;
		int low = dot_row(plot, point->least_ns),
		    high = dot_row(plot, MIN(point->most_ns, plot->top_ns));
		for (int y = high; y <= low; y++)
			set_dot(plot, x, y, colour);
		/* A line from the point before, as long as that is near. */
		for (int i = last_x + 1; last_x >= 0 && i < x && x - last_x <= MAX(12, plot->columns / 10);
			i++)
			set_dot(plot, i, last_y + (low - last_y) * (i - last_x) / (x - last_x), colour);
		last_x = x;
		last_y = low;
	}
}

static void raise_top(struct plot *plot, const struct timeline_hop *hop)
{
	collect(plot, hop);
	for (int x = 0; x < plot->columns; x++)
		plot->top_ns = MAX(plot->top_ns, plot->points[x].most_ns);
}

/* A round number at or above. */
static int64_t round_up(int64_t ns)
{
	static const double steps[] = {1, 1.5, 2, 3, 4, 5, 6, 8, 10};
	double unit = 10000; /* 10 microseconds */
	while (10 * unit < (double)ns)
		unit *= 10;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (steps[i] * unit >= (double)ns)
			return (int64_t)(steps[i] * unit);
	return (int64_t)(10 * unit);
}

static void put_canvas(struct plot *plot, int y, int x)
{
	for (int row = 0; row < plot->canvas.height; row++)
		for (int column = 0; column < plot->canvas.width; column++) {
			uint8_t dots = plot->canvas.dots[row][column];
			enum tui_colour colour = (enum tui_colour)plot->canvas.colour[row][column];
			if (dots && plot->tui->options.utf8)
				tui_put(plot->tui, y + row, x + column, colour, 0, "%lc",
					(wint_t)(0x2800 + dots));
			else if (dots)
				tui_put(plot->tui, y + row, x + column, colour, 0, "*");
		}
}

static int column_of(const struct plot *plot, int64_t at_ns)
{
	double share = (double)(at_ns - plot->from_ns) / (double)MAX(1, plot->to_ns - plot->from_ns);
	return at_ns < plot->from_ns || at_ns > plot->to_ns ? -1 : (int)(share * (plot->canvas.width - 1));
}

/* Changes of the way as lines from top to bottom; losses of the last series that was collected below. */
static void put_marks(struct plot *plot, int y, int x)
{
	const struct timeline *timeline = plot->frame->view->timeline;
	bool utf8 = plot->tui->options.utf8;
	for (size_t i = 0; i < timeline->change_count; i++) {
		int column = column_of(plot, timeline->changes[i].at_ns);
		for (int row = 0; column >= 0 && row < plot->canvas.height; row++)
			if (!plot->canvas.dots[row][column])
				tui_put(plot->tui, y + row, x + column, COLOUR_WARNING, 0, "%s",
					utf8 ? "┊" : ":");
	}
	for (int i = 0; i < plot->columns; i++)
		if (plot->points[i].lost)
			tui_put(plot->tui, y + plot->canvas.height - 1, x + i / 2, COLOUR_PROBLEM, A_BOLD,
				"%s", utf8 ? "×" : "x");
}

static void put_scale(struct plot *plot, int y)
{
	char from[16], to[16];
	int height = plot->canvas.height;
	tui_put(plot->tui, y, 0, COLOUR_DIM, 0, "%5.*f ms", plot->top_ns >= 10 * NS_PER_MS ? 0 : 1,
		ns_to_ms(plot->top_ns));
	if (height >= 5)
		tui_put(plot->tui, y + height / 2, 0, COLOUR_DIM, 0, "%5.*f ms",
			plot->top_ns >= 20 * NS_PER_MS ? 0 : 1,
			ns_to_ms(plot->top_ns) * (height - 1 - height / 2) / (height - 1));
	watch_clock(plot->frame->view, plot->from_ns, from, sizeof(from));
	watch_clock(plot->frame->view, plot->to_ns, to, sizeof(to));
	tui_put(plot->tui, y + height, LABEL_WIDTH, COLOUR_DIM, 0, "%s", from);
	tui_put(plot->tui, y + height, LABEL_WIDTH + plot->canvas.width - 8, COLOUR_DIM, 0, "%s", to);
	tui_put(plot->tui, y + height - 1, 0, COLOUR_DIM, 0, "    0 ms");
}

/* The hops that are drawn, each once, the destination last. */
static unsigned choose(
	const struct watch_view *view, unsigned selected, bool alone, unsigned ttls[SERIES_MAX])
{
	unsigned last = timeline_last(view->timeline), count = 0, first = 1;
	selected = selected ? selected : last;
	while (first < last &&
		(!timeline_hop(view->timeline, first) ||
			timeline_hop(view->timeline, first)->total.received == 0))
		first++;
	if (!alone && first != selected && first != last)
		ttls[count++] = first;
	if (!alone && last != selected)
		ttls[count++] = last;
	ttls[count++] = selected;
	return count;
}

/* Whose chart it is, in the colours of the lines. */
static void put_legend(struct plot *plot, const unsigned *ttls, unsigned count, int y)
{
	static const char *const roles[] = {
		[COLOUR_OURS] = "ours", [COLOUR_TRANSIT] = "transit", [COLOUR_DESTINATION] = "destination"};
	const struct watch_view *view = plot->frame->view;
	int index = plot->tui->span ? plot->tui->span - 1 : SPAN_USUAL;
	int x = tui_put(plot->tui, y, 0, COLOUR_DIM, 0, " round trips, %s: ", spans[index].name);
	for (unsigned i = 0; i < count; i++) {
		char name[200] = "";
		const struct responder *shown = timeline_shown(timeline_hop(view->timeline, ttls[i]));
		enum tui_colour role = tui_role(view, ttls[i]);
		if (shown)
			watch_name(view, shown->address, name, sizeof(name));
		x = tui_put(plot->tui, y, x, role, A_BOLD, "%s hop %u %s (%s)  ",
			plot->tui->options.utf8 ? "━" : "*", ttls[i], name, roles[role]);
	}
}

void chart_draw(struct tui *tui, const struct tui_frame *frame, unsigned ttl, bool alone, int y, int height)
{
	struct plot *plot = calloc(1, sizeof(*plot));
	unsigned ttls[SERIES_MAX];
	int index = tui->span ? tui->span - 1 : SPAN_USUAL;
	unsigned count = choose(frame->view, ttl, alone, ttls);
	if (!plot)
		return;
	plot->tui = tui;
	plot->frame = frame;
	plot->to_ns = frame->shown_ns;
	plot->from_ns = spans[index].length_ns ? MAX(0, plot->to_ns - spans[index].length_ns) : 0;
	plot->to_ns = MAX(plot->to_ns, plot->from_ns + SPAN_LEAST_NS);
	plot->canvas.width = MIN(tui->width - LABEL_WIDTH - 1, CHART_WIDTH_MAX);
	plot->canvas.height = MIN(height - 2, CHART_HEIGHT_MAX);
	plot->columns = 2 * plot->canvas.width;
	for (unsigned i = 0; i < count; i++)
		if (timeline_hop(frame->view->timeline, ttls[i]))
			raise_top(plot, timeline_hop(frame->view->timeline, ttls[i]));
	plot->top_ns = round_up(MAX(plot->top_ns, 100 * NS_PER_US));
	if (plot->canvas.height >= 2 && plot->canvas.width >= 20) {
		put_legend(plot, ttls, count, y);
		for (unsigned i = 0; i < count; i++)
			if (timeline_hop(frame->view->timeline, ttls[i]))
				draw_series(plot, timeline_hop(frame->view->timeline, ttls[i]),
					tui_role(frame->view, ttls[i]));
		put_scale(plot, y + 1);
		put_canvas(plot, y + 1, LABEL_WIDTH);
		put_marks(plot, y + 1, LABEL_WIDTH);
	}
	free(plot);
}

void chart_bar(struct tui *tui, const struct watch_view *view, const struct timeline_hop *hop, int y, int x,
	int columns)
{
	static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char ascii[] = "._-=+*%#";
	int64_t low = RTT_NONE, high = RTT_NONE;
	int kept = (int)MIN(samples_kept(&hop->samples), (size_t)columns);
	bool utf8 = tui->options.utf8;
	for (int i = 0; i < kept; i++) {
		int64_t rtt = samples_get(&hop->samples, (size_t)i).rtt_ns;
		low = rtt == RTT_NONE ? low : low == RTT_NONE ? rtt : MIN(low, rtt);
		high = MAX(high, rtt);
	}
	/* What does not differ by much is drawn level. */
	int64_t range = MAX(high - low, MAX(low / 5, NS_PER_MS));
	struct loss loss = timeline_loss(view->timeline, hop->ttl);
	for (int i = 0; i < kept; i++) {
		int64_t rtt = samples_get(&hop->samples, (size_t)i).rtt_ns;
		int column = x + kept - 1 - i;
		if (rtt == RTT_NONE && loss.lost == 0) {
			tui_put(tui, y, column, COLOUR_DIM, 0, "%s", utf8 ? "·" : " ");
		} else if (rtt == RTT_NONE) {
			tui_put(tui, y, column, COLOUR_PROBLEM, A_BOLD, "%s", utf8 ? "×" : "x");
		} else {
			int level = (int)(7 * (rtt - low) / range);
			enum tui_colour colour = level >= 5 ? COLOUR_WARNING : tui_role(view, hop->ttl);
			if (utf8)
				tui_put(tui, y, column, colour, 0, "%s", blocks[level]);
			else
				tui_put(tui, y, column, colour, 0, "%c", ascii[level]);
		}
	}
}
