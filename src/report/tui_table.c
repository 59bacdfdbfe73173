/* The table: a row for each hop, below it further addresses, and those of ways before. */
#include <string.h>

#include "base/clock.h"
#include "report/style.h"
#include "report/tui_inside.h"

/* Which columns there is room for. */
struct columns {
	int name, as; /* widths */
	bool interval, deviation;
	int times; /* of last, median, best and worst, in this order */
	int bar;
};

#define TIMES	   4
#define TIME_WIDTH 7
#define NAME_MIN   12

static void add_row(struct tui *tui, unsigned ttl, int responder)
{
	if (tui->row_count < TUI_ROWS_MAX)
		tui->rows[tui->row_count++] = (struct tui_row){.ttl = (uint8_t)ttl, .responder = responder};
}

/* How many of them. */
static unsigned add_branches(struct tui *tui, const struct watch_view *view, unsigned ttl)
{
	struct timeline_branch branches[TIMELINE_FLOWS];
	unsigned count = timeline_branches(view->timeline, ttl, branches);
	for (unsigned i = 0; count > 1 && i < count; i++)
		add_row(tui, ttl, TUI_BRANCHES + (int)branches[i].first_flow);
	return count;
}

void table_rows(struct tui *tui, const struct watch_view *view)
{
	unsigned last = timeline_last(view->timeline);
	tui->row_count = 0;
	for (unsigned ttl = 1; ttl <= TIMELINE_TTL_MAX; ttl++) {
		const struct timeline_hop *hop = timeline_hop(view->timeline, ttl);
		const struct responder *shown = timeline_shown(hop);
		if (ttl <= last && (hop || tui->row_count > 0))
			add_row(tui, ttl, -1);
		unsigned branches = add_branches(tui, view, ttl);
		for (int i = 0; hop && i < (int)hop->responder_count; i++) {
			const struct responder *responder = &hop->responders[i];
			bool beyond = ttl > last && (responder->reached || responder->state != RESPONDER_OLD);
			bool told = branches > 1 && responder->state != RESPONDER_OLD;
			if (responder != shown && !beyond && !told)
				add_row(tui, ttl, i);
		}
	}
}

int table_selected(struct tui *tui, const struct watch_view *view)
{
	unsigned ttl = tui->selected_ttl ? tui->selected_ttl : timeline_last(view->timeline);
	int best = MAX(0, tui->row_count - 1);
	for (int i = tui->row_count - 1; i >= 0; i--) {
		if (tui->rows[i].ttl != ttl)
			continue;
		best = i;
		if (tui->rows[i].responder == tui->selected_responder)
			return i;
	}
	return best;
}

void table_select(struct tui *tui, int row)
{
	if (tui->row_count == 0)
		return;
	row = MAX(0, MIN(row, tui->row_count - 1));
	tui->selected_ttl = tui->rows[row].ttl;
	tui->selected_responder = tui->rows[row].responder;
}

static struct columns columns_of(const struct tui *tui, const struct watch_view *view)
{
	struct columns c = {0};
	char text[TEXT_MAX];
	int widest = 15;
	for (int i = 0; i < tui->row_count; i++) {
		const struct timeline_hop *hop = timeline_hop(view->timeline, tui->rows[i].ttl);
		for (size_t j = 0; hop && j < hop->responder_count; j++) {
			widest = MAX(widest,
				text_columns(
					watch_name(view, hop->responders[j].address, text, sizeof(text))));
			if (*watch_as(view, hop->responders[j].address, text, sizeof(text)))
				c.as = 9;
		}
	}
	/* hop and flag 6, loss 7, count 6 */
	int room = tui->width - 6 - 7 - 6;
	c.times = MAX(1, MIN(TIMES, (room - NAME_MIN) / TIME_WIDTH));
	room -= c.times * TIME_WIDTH;
	c.interval = room >= 15 + 11;
	room -= c.interval ? 11 : 0;
	if (room < 15 + c.as)
		c.as = 0;
	room -= c.as;
	c.deviation = room >= widest + 7 + 12;
	room -= c.deviation ? 7 : 0;
	c.name = MAX(8, MIN(widest, room));
	c.bar = room - c.name - 1 >= 6 ? room - c.name - 1 : 0;
	return c;
}

/* The column behind them. */
static int draw_titles(struct tui *tui, const struct columns *c, int y)
{
	int x = tui_put(
		tui, y, 0, COLOUR_DIM, 0, " hop  %-*s%*s", c->name, "host", c->as, c->as ? "AS      " : "");
	x = tui_put(tui, y, x, COLOUR_DIM, 0, "   loss%s", c->interval ? "       95 %" : "");
	x = tui_put(tui, y, x, COLOUR_DIM, 0, "  sent%.*s%s", c->times * TIME_WIDTH,
		"   last median   best  worst", c->deviation ? "  stdev" : "");
	if (c->bar)
		x = tui_put(tui, y, x + 1, COLOUR_DIM, 0, "%s", c->bar >= 12 ? "last probes" : "probes");
	return x;
}

static int put_time(struct tui *tui, int y, int x, enum tui_colour colour, int attributes, double ns)
{
	if (ns < 0)
		return tui_put(tui, y, x, colour, attributes, "%7s", "-");
	return tui_put(tui, y, x, colour, attributes, " %6.*f", ns >= 1e9 ? 0 : 1, ns / 1e6);
}

/* Those there is room for; the first of them is what is looked at most. */
static int put_times(struct tui *tui, const struct columns *c, int y, int x, enum tui_colour colour,
	int attributes, int first, const double *ns)
{
	for (int i = 0; i < c->times; i++)
		x = put_time(tui, y, x, colour, attributes | (i == 0 ? first : 0), ns[i]);
	return x;
}

static enum tui_colour loss_colour(const struct loss *loss)
{
	if (loss->lost == 0)
		return COLOUR_PLAIN;
	return loss->share.low > 0.01 ? COLOUR_PROBLEM : COLOUR_WARNING;
}

static char flag_of(const struct timeline_hop *hop, const struct responder *shown, const struct loss *loss)
{
	if (shown && shown->mark[0])
		return '!';
	if (!shown)
		return '?';
	if (hop->limit == LIMIT_LIMITS)
		return 'L';
	if (hop->limit == LIMIT_TESTING)
		return 't';
	return loss->skips || hop->limit == LIMIT_LOSES ? 's' : ' ';
}

static int put_name(struct tui *tui, const struct watch_view *view, const struct columns *c, int y, int x,
	enum tui_colour colour, int attributes, struct addr address)
{
	char name[TEXT_MAX], as[16];
	watch_name(view, address, name, sizeof(name));
	if (text_columns(name) > c->name)
		strcpy(name + c->name - 1, "~");
	x = tui_put(tui, y, x, colour, attributes, "%-*s", c->name, name);
	if (c->as)
		x = tui_put(tui, y, x, COLOUR_DIM, attributes, " %-*s", c->as - 1,
			watch_as(view, address, as, sizeof(as)));
	return x;
}

static int put_loss(struct tui *tui, const struct columns *c, int y, int x, int attr, const struct loss *loss)
{
	x = tui_put(tui, y, x, loss_colour(loss), attr, " %5.1f%%",
		loss->sent ? 100.0 * loss->lost / loss->sent : 0);
	if (c->interval)
		x = tui_put(tui, y, x, COLOUR_DIM, attr, " %4.1f-%-5.1f", 100 * loss->share.low,
			100 * loss->share.high);
	return tui_put(tui, y, x, COLOUR_PLAIN, attr, "%6u", loss->sent);
}

static void draw_hop(struct tui *tui, const struct watch_view *view, const struct columns *c, int y,
	unsigned ttl, int attr)
{
	const struct timeline_hop *hop = timeline_hop(view->timeline, ttl);
	const struct responder *shown = timeline_shown(hop);
	struct loss loss = timeline_loss(view->timeline, ttl);
	enum tui_colour role = tui_role(view, ttl);
	char together[40];
	int x = tui_put(tui, y, 0, role, attr | A_BOLD, " %3u", ttl);
	x = tui_put(tui, y, x, COLOUR_WARNING, attr, "%c ", hop ? flag_of(hop, shown, &loss) : ' ');
	if (*watch_together(view, ttl, together, sizeof(together)))
		x = tui_put(
			tui, y, x, COLOUR_DIM, attr, "%-*.*s", c->name + c->as, c->name + c->as, together);
	else
		x = put_name(tui, view, c, y, x, shown ? role : COLOUR_DIM, attr,
			shown ? shown->address : ADDR_NONE);
	if (!hop)
		return;
	bool silent = hop->total.received == 0 && ttl != timeline_last(view->timeline);
	if (silent) {
		tui_put(tui, y, x, COLOUR_DIM, attr, "%s",
			series_settled(&hop->total) ? "  silent, traffic passes" : "");
		return;
	}
	x = put_loss(tui, c, y, x, attr, &loss);
	bool any = hop->now.received > 0;
	const double times[TIMES] = {(double)hop->now.last_ns, (double)timeline_quantile_ns(hop, 0.5),
		(double)hop->now.best_ns, (double)hop->now.worst_ns};
	x = put_times(tui, c, y, x, COLOUR_PLAIN, attr, A_BOLD, times);
	if (c->deviation)
		x = put_time(tui, y, x, COLOUR_DIM, attr, any ? series_deviation_ns(&hop->now) : -1);
	if (c->bar)
		chart_bar(tui, view, hop, y, x + 1, c->bar);
}

static void draw_branch(struct tui *tui, const struct watch_view *view, const struct columns *c, int y,
	const struct tui_row *row, int attr)
{
	struct timeline_branch branches[TIMELINE_FLOWS];
	char flows[120];
	unsigned count = timeline_branches(view->timeline, row->ttl, branches), at = 0;
	while (at < count && branches[at].first_flow != (unsigned)(row->responder - TUI_BRANCHES))
		at++;
	if (at == count)
		return;
	const struct timeline_branch *branch = &branches[at];
	const struct series *series = &branch->series;
	bool silent = !addr_is_set(branch->address);
	tui_put(tui, y, 4, COLOUR_DIM, attr, "- ");
	int x = put_name(
		tui, view, c, y, 6, silent ? COLOUR_DIM : tui_role(view, row->ttl), attr, branch->address);
	x = put_loss(tui, c, y, x, attr, &branch->loss);
	x = put_time(tui, y, x, COLOUR_PLAIN, attr, (double)series->last_ns);
	if (c->times > 1)
		x = put_time(tui, y, x, COLOUR_PLAIN, attr, (double)branch->median_ns);
	watch_flows(view, branch->flows, flows, sizeof(flows));
	if (c->bar < text_columns(flows))
		watch_flows(view, 1u << branch->first_flow, flows, sizeof(flows));
	/* Which flow it is says more than best and worst, where there is no room for both. */
	if (c->times == TIMES && c->bar >= text_columns(flows)) {
		x = put_time(tui, y, x, COLOUR_PLAIN, attr, (double)series->best_ns);
		x = put_time(tui, y, x, COLOUR_PLAIN, attr, (double)series->worst_ns);
		if (c->deviation)
			x = put_time(tui, y, x, COLOUR_DIM, attr,
				series->received ? series_deviation_ns(series) : -1);
	}
	tui_put(tui, y, x + 1, COLOUR_DIM, attr, "%s", flows);
}

static void draw_responder(struct tui *tui, const struct watch_view *view, const struct columns *c, int y,
	const struct tui_row *row, int attr)
{
	const struct timeline_hop *hop = timeline_hop(view->timeline, row->ttl);
	const struct responder *responder = &hop->responders[row->responder];
	bool old = responder->state == RESPONDER_OLD;
	char when[16];
	/* Behind the end there is no hop to stand below. */
	if (row->ttl > timeline_last(view->timeline))
		tui_put(tui, y, 0, COLOUR_DIM, attr, " %3u", row->ttl);
	int x = put_name(
		tui, view, c, y, 6, old ? COLOUR_DIM : tui_role(view, row->ttl), attr, responder->address);
	watch_clock(view, responder->last_ns, when, sizeof(when));
	int numbers = 7 + (c->interval ? 11 : 0) + 6;
	if (old)
		tui_put(tui, y, x, COLOUR_DIM, attr, " %s %s", numbers >= 24 ? "old way until" : "old", when);
	else
		tui_put(tui, y, x, COLOUR_DIM, attr, " %u of %u%s", responder->series.received,
			hop->total.received, numbers >= 24 ? " answers" : "");
	const struct series *series = &responder->series;
	const double times[TIMES] = {(double)series->last_ns, series->received ? series->mean_ns : -1,
		(double)series->best_ns, (double)series->worst_ns};
	put_times(tui, c, y, x + numbers, COLOUR_DIM, attr, 0, times);
}

/* There are rows above, or below: at the right, where no number is covered, else in the empty first column.
 */
static void draw_more(struct tui *tui, int y, int free, char where)
{
	if (free >= 8)
		tui_put(tui, y, tui->width - 8, COLOUR_WARNING, 0, " more %c ", where);
	else
		tui_put(tui, y, 0, COLOUR_WARNING, A_BOLD, "%c", where);
}

void table_draw(struct tui *tui, const struct tui_frame *frame, int y, int height)
{
	struct columns columns = columns_of(tui, frame->view);
	int selected = table_selected(tui, frame->view), room = height - 1;
	int free = tui->width - draw_titles(tui, &columns, y);
	if (tui->row_count == 0)
		tui_put(tui, y + 1, 1, COLOUR_DIM, 0, "waiting for the first answer");
	tui->top = MAX(MIN(tui->top, selected), selected - room + 1);
	tui->top = MAX(0, MIN(tui->top, tui->row_count - room));
	for (int i = 0; i < room && tui->top + i < tui->row_count; i++) {
		const struct tui_row *row = &tui->rows[tui->top + i];
		int attributes = tui->top + i == selected ? A_REVERSE : 0;
		if (row->responder < 0)
			draw_hop(tui, frame->view, &columns, y + 1 + i, row->ttl, attributes);
		else if (row->responder >= TUI_BRANCHES)
			draw_branch(tui, frame->view, &columns, y + 1 + i, row, attributes);
		else
			draw_responder(tui, frame->view, &columns, y + 1 + i, row, attributes);
	}
	if (tui->top > 0)
		draw_more(tui, y, free, '^');
	if (tui->top + room < tui->row_count)
		draw_more(tui, y + height - 1, free, 'v');
}
