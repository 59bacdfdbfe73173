#include "report/watch_text.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "report/directions.h"
#include "report/style.h"

#define NAME_MIN  15
#define NAME_MAX_ 60
#define AS_WIDTH  9
#define NUMBERS	  59 /* columns of everything behind the name */
#define NARROWER  8  /* so many less where there is no room */
#define WIDE	  29 /* and of what --wide adds */

struct table {
	FILE *out;
	const struct watch_view *view;
	const struct watch_text_options *options;
	int name_width;
	bool has_as, narrow; /* narrow: without the last round trip, and closer */
};

static void print_head(const struct table *table)
{
	const struct watch_view *view = table->view;
	char when[TIME_TEXT_SIZE], name[TEXT_MAX], from[ADDR_TEXT_SIZE], to[ADDR_TEXT_SIZE],
		text[3 * TEXT_MAX];
	clock_format(view->started_wall_ns, when);
	memcpy(when + strlen("2026-01-31T12:00:00"), "Z", 2);
	escape_text(view->target_name, name, sizeof(name));
	addr_format(view->target, to);
	bool named = strcmp(name, to) != 0;
	snprintf(text, sizeof(text), "%s  from %s to %s%s%s%s, %s", when, addr_format(view->source, from),
		name, named ? " (" : "", named ? to : "", named ? ")" : "", protocol_word(view->protocol));
	print_wrapped(table->out, &table->options->report, ROLE_STRONG, "retour watch  ", 7, text);
	watch_back_line(view, text, sizeof(text));
	print_wrapped(table->out, &table->options->report, ROLE_STRONG, "back  ", 7, text);
	if (view->timeline->flow_count == 0)
		return;
	snprintf(text, sizeof(text), "%u in turn, one a round: %s", view->timeline->flow_count,
		watch_flows(view, ~0u, name, sizeof(name)));
	print_wrapped(table->out, &table->options->report, ROLE_STRONG, "flows ", 7, text);
}

static int widest_name(const struct watch_view *view, bool *has_as)
{
	char text[TEXT_MAX];
	int widest = NAME_MIN;
	for (unsigned ttl = 1; ttl <= TIMELINE_TTL_MAX; ttl++) {
		const struct timeline_hop *hop = timeline_hop(view->timeline, ttl);
		for (size_t i = 0; hop && i < hop->responder_count; i++) {
			struct addr address = hop->responders[i].address;
			widest = MAX(widest, text_columns(watch_name(view, address, text, sizeof(text))));
			*has_as |= *watch_as(view, address, text, sizeof(text)) != '\0';
		}
	}
	const struct path *back = view->back ? view->back->reverse : NULL;
	for (size_t i = 0; back && i < back->hop_count; i++)
		widest = MAX(
			widest, text_columns(watch_name(view, back->hops[i].address, text, sizeof(text))));
	return widest;
}

static int sent_width(const struct table *table)
{
	return table->narrow ? 4 : 5;
}

static void print_titles(const struct table *table)
{
	char line[TEXT_MAX];
	snprintf(line, sizeof(line), " hop %-*s%s %6s %-11s %*s%s %6s %6s %6s %5s", table->name_width, "",
		table->has_as ? " AS      " : "", "loss", "95 %", sent_width(table), "sent",
		table->narrow ? "" : "   last", "avg", "best", "worst", "stdev");
	paint(table->out, &table->options->report, ROLE_DIM, line, 0);
	if (table->options->wide)
		paint(table->out, &table->options->report, ROLE_DIM, "   median  jitter   javg   jmax", 0);
	print_newline(table->out);
}

static void print_time(const struct table *table, double ns, int width)
{
	fprintf(table->out, " %*.*f", width, ns >= 1e9 ? 0 : 1, ns / 1e6);
}

static void print_times(const struct table *table, const struct series *series)
{
	if (series->received == 0)
		return;
	if (!table->narrow)
		print_time(table, (double)series->last_ns, 6);
	print_time(table, series->mean_ns, 6);
	print_time(table, (double)series->best_ns, 6);
	print_time(table, (double)series->worst_ns, 6);
	print_time(table, series_deviation_ns(series), 5);
}

static void print_wide(const struct table *table, const struct timeline_hop *hop)
{
	if (!table->options->wide || hop->now.received == 0)
		return;
	print_time(table, (double)timeline_quantile_ns(hop, 0.5), 8);
	print_time(table, (double)hop->now.jitter_ns, 7);
	print_time(table, series_jitter_mean_ns(&hop->now), 6);
	print_time(table, (double)hop->now.jitter_worst_ns, 6);
}

static void print_loss(const struct table *table, const struct loss *loss)
{
	char share[16], range[32];
	double part = loss->sent ? (double)loss->lost / loss->sent : 0;
	/* Grounds for concern only where chance does not explain it. */
	enum role role = loss->lost == 0 ? ROLE_PLAIN : loss->share.low > 0.01 ? ROLE_PROBLEM : ROLE_WARNING;
	snprintf(share, sizeof(share), " %5.1f%%", 100 * part);
	snprintf(range, sizeof(range), " %4.1f..%-5.1f", 100 * loss->share.low, 100 * loss->share.high);
	paint(table->out, &table->options->report, role, share, 0);
	paint(table->out, &table->options->report, ROLE_DIM, range, 0);
	fprintf(table->out, " %*u", sent_width(table), loss->sent);
}

static void print_name(const struct table *table, struct addr address, enum role role)
{
	char name[TEXT_MAX], as[16];
	watch_name(table->view, address, name, sizeof(name));
	if (text_columns(name) > table->name_width)
		strcpy(name + table->name_width - 1, "~");
	paint(table->out, &table->options->report, role, name, table->name_width);
	if (table->has_as)
		fprintf(table->out, " %-8s", watch_as(table->view, address, as, sizeof(as)));
}

/* In the place of name and AS. */
static void print_text(const struct table *table, const char *text, enum role role)
{
	paint(table->out, &table->options->report, role, text,
		table->name_width + (table->has_as ? AS_WIDTH : 0));
}

/* Another address of the hop: what it answered, and until when. */
static void print_responder(
	const struct table *table, const struct timeline_hop *hop, const struct responder *responder)
{
	char when[16], note[80];
	bool old = responder->state == RESPONDER_OLD;
	fputs("     ", table->out);
	print_name(table, responder->address, old ? ROLE_DIM : ROLE_PLAIN);
	if (old)
		snprintf(note, sizeof(note), "  until %s, answered %u",
			watch_clock(table->view, responder->last_ns, when, sizeof(when)),
			responder->series.received);
	else
		snprintf(note, sizeof(note), "  answered %u of %u", responder->series.received,
			hop->total.received);
	paint(table->out, &table->options->report, ROLE_DIM, note, 20 + sent_width(table));
	print_times(table, &responder->series);
	print_newline(table->out);
}

/* What some of the flows met. */
static void print_branch(const struct table *table, const struct timeline_branch *branch)
{
	char flows[120];
	fputs("   - ", table->out);
	print_name(table, branch->address, ROLE_PLAIN);
	print_loss(table, &branch->loss);
	if (branch->series.received > 0)
		print_times(table, &branch->series);
	else
		fprintf(table->out, "%*s", table->narrow ? 34 - NARROWER + 1 : 34, "");
	fputs("  ", table->out);
	paint(table->out, &table->options->report, ROLE_DIM,
		watch_flows(table->view, branch->flows, flows, sizeof(flows)), 0);
	print_newline(table->out);
}

static void print_below(const struct table *table, const struct timeline_hop *hop)
{
	struct timeline_branch branches[TIMELINE_FLOWS];
	const struct responder *shown = timeline_shown(hop);
	unsigned count = timeline_branches(table->view->timeline, hop->ttl, branches);
	for (unsigned i = 0; count > 1 && i < count; i++)
		print_branch(table, &branches[i]);
	for (size_t i = 0; i < hop->responder_count; i++)
		if (&hop->responders[i] != shown && (count < 2 || hop->responders[i].state == RESPONDER_OLD))
			print_responder(table, hop, &hop->responders[i]);
}

static void print_hop(const struct table *table, unsigned ttl)
{
	char remark[TEXT_MAX], together[40];
	const struct timeline_hop *hop = timeline_hop(table->view->timeline, ttl);
	if (!hop) {
		fprintf(table->out, " %3u ???\n", ttl);
		return;
	}
	const struct responder *shown = timeline_shown(hop);
	struct loss loss = timeline_loss(table->view->timeline, ttl);
	fprintf(table->out, " %3u ", ttl);
	if (*watch_together(table->view, ttl, together, sizeof(together)))
		print_text(table, together, ROLE_DIM);
	else
		print_name(table, shown ? shown->address : ADDR_NONE, ROLE_PLAIN);
	if (hop->total.received > 0 || ttl == timeline_last(table->view->timeline)) {
		print_loss(table, &loss);
		print_times(table, &hop->now);
		print_wide(table, hop);
	}
	watch_remark(table->view, ttl, remark, sizeof(remark));
	if (*remark) {
		fputs("  ", table->out);
		paint(table->out, &table->options->report, ROLE_DIM, remark, 0);
	}
	print_newline(table->out);
	print_below(table, hop);
}

/* Hops behind the end that belonged to a way before. */
static void print_gone(const struct table *table)
{
	for (unsigned ttl = timeline_last(table->view->timeline) + 1; ttl <= TIMELINE_TTL_MAX; ttl++) {
		const struct timeline_hop *hop = timeline_hop(table->view->timeline, ttl);
		for (size_t i = 0; hop && i < hop->responder_count; i++)
			if (hop->responders[i].state == RESPONDER_OLD && !hop->responders[i].reached) {
				fprintf(table->out, " %3u\n", ttl);
				print_responder(table, hop, &hop->responders[i]);
			}
	}
}

static void print_findings(const struct table *table, const struct measurement *m)
{
	static const enum role roles[] = {ROLE_STRONG, ROLE_WARNING, ROLE_PROBLEM};
	static const char *const words[] = {"INFO", "WARNING", "PROBLEM"};
	for (size_t i = 0; m && i < m->finding_count; i++) {
		const struct finding *finding = &m->findings[i];
		char prefix[64];
		snprintf(prefix, sizeof(prefix), "%zu. %s (%s) ", i + 1, words[finding->severity],
			confidence_word(finding->confidence));
		print_wrapped(table->out, &table->options->report, roles[finding->severity], prefix, 3,
			finding->summary);
		if (finding->disproof)
			print_wrapped(table->out, &table->options->report, ROLE_DIM, "   unless ", 10,
				finding->disproof);
	}
}

static void print_back(const struct table *table)
{
	const struct path *path = table->view->back ? table->view->back->reverse : NULL;
	for (size_t i = 0; path && i < path->hop_count; i++) {
		fprintf(table->out, "%s%3d ", i == 0 ? "\nback, in the order a packet travels:\n " : " ",
			path_hop_number(path, i));
		print_name(table, path->hops[i].address, ROLE_PLAIN);
		print_newline(table->out);
	}
}

/* Only what is known: that the far end does not help is the usual case. */
static void print_directions(const struct table *table)
{
	const struct directions *directions = table->view->directions;
	if (!directions ||
		(directions->status != DIRECTIONS_APART && directions->status != DIRECTIONS_ROUND_TRIP))
		return;
	print_newline(table->out);
	directions_text(table->out, &table->options->report, directions);
}

int watch_text(FILE *out, const struct watch_view *view, const struct measurement *measurement,
	const struct watch_text_options *options)
{
	struct table table = {.out = out, .view = view, .options = options};
	char line[TEXT_MAX];
	int width = widest_name(view, &table.has_as);
	int room = options->report.width - 5 - NUMBERS - (options->wide ? WIDE : 0) -
		(table.has_as ? AS_WIDTH : 0);
	table.narrow = room < NAME_MIN && !options->wide;
	room += table.narrow ? NARROWER : 0;
	table.name_width = options->wide ? width : MIN(width, MIN(NAME_MAX_, MAX(NAME_MIN, room)));
	print_head(&table);
	print_newline(out);
	print_titles(&table);
	for (unsigned ttl = 1; ttl <= timeline_last(view->timeline); ttl++)
		print_hop(&table, ttl);
	print_gone(&table);
	if (timeline_last(view->timeline) == 0)
		fputs(" nothing answered\n", out);
	print_back(&table);
	print_directions(&table);
	if (view->timeline->change_count > 0 || (measurement && measurement->finding_count > 0))
		print_newline(out);
	for (size_t i = 0; i < view->timeline->change_count; i++) {
		watch_change_line(view, &view->timeline->changes[i], line, sizeof(line));
		print_wrapped(out, &options->report, ROLE_WARNING, "changed ", 8, line);
	}
	print_findings(&table, measurement);
	return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}
