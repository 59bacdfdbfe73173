#include "report/directions.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "report/style.h"

#define LINE_SIZE  300
#define HEAD	   8	/* columns before what is said of a way */
#define DRIFT_TOLD 5e-6 /* less does not change what is shown */

static const char *arrow(bool forward, bool utf8)
{
	return utf8 ? forward ? "\xe2\x86\x92" : "\xe2\x86\x90" : forward ? "->" : "<-";
}

static void append(char *text, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
static void append(char *text, size_t size, const char *format, ...)
{
	va_list arguments;
	size_t used = strlen(text);
	va_start(arguments, format);
	vsnprintf(text + used, size - used, format, arguments);
	va_end(arguments);
}

static void add_loss(char *text, size_t size, const struct way *way)
{
	struct share share = share_of(way->lost, way->sent);
	append(text, size, "%u of %u lost", way->lost, way->sent);
	if (way->sent > 0)
		append(text, size, ", %.1f %% (95 %%: %.1f..%.1f)", 100.0 * way->lost / way->sent,
			100 * share.low, 100 * share.high);
}

static void add_variation(char *text, size_t size, const struct way *way)
{
	if (way->variation_max_ns == RTT_NONE)
		return;
	append(text, size, "variation: median %.2f, 95 %% below %.2f, max %.2f ms",
		ns_to_ms(way->variation_median_ns), ns_to_ms(way->variation_p95_ns),
		ns_to_ms(way->variation_max_ns));
	if (way->jitter_ns != RTT_NONE)
		append(text, size, ", jitter %.2f", ns_to_ms(way->jitter_ns));
}

static void print_way(FILE *out, const struct report_options *options, const struct directions *directions,
	const struct way *way)
{
	char text[LINE_SIZE] = "", more[LINE_SIZE] = "";
	bool forward = way == &directions->forward;
	add_variation(more, sizeof(more), way);
	if (way->reordered > 0 && directions->status == DIRECTIONS_APART)
		append(more, sizeof(more), "; %u came late in order", way->reordered);
	enum role role = way->lost == 0			    ? ROLE_PLAIN
		: share_of(way->lost, way->sent).low > 0.01 ? ROLE_PROBLEM
							    : ROLE_WARNING;
	fprintf(out, "%s %s ", arrow(forward, options->utf8), forward ? "there" : "back ");
	if (directions->status == DIRECTIONS_APART) {
		add_loss(text, sizeof(text), way);
		paint(out, options, role, text, 0);
		bool fits = text_columns(text) + text_columns(more) + HEAD + 2 <= options->width;
		fputs(!*more ? "\n" : fits ? "; " : ";\n", out);
		if (*more && !fits)
			print_wrapped(out, options, ROLE_PLAIN, "        ", HEAD, more);
		if (!*more || !fits)
			return;
	}
	fputs(more, out);
	print_newline(out);
}

/* What is said of both, on lines of its own. */
static void print_both(FILE *out, const struct report_options *options, const char *text)
{
	print_wrapped(out, options, ROLE_PLAIN, "  ", 4, text);
}

static void print_clocks(FILE *out, const struct report_options *options, const struct directions *directions)
{
	char text[LINE_SIZE] = "";
	if (directions->contradicted)
		print_both(out, options,
			"one way: not known; both hosts say that their clocks are right, but they contradict "
			"each other");
	else if (directions->forward.delay.median_ns != RTT_NONE) {
		append(text, sizeof(text),
			"one way: there %.2f ms, back %.2f ms, each +-%.2f ms, as good as both hosts think "
			"their clocks are",
			ns_to_ms(directions->forward.delay.median_ns),
			ns_to_ms(directions->reverse.delay.median_ns), ns_to_ms(directions->clock_error_ns));
		print_both(out, options, text);
	}
	if (!directions->drift_known || fabs(directions->drift) <= DRIFT_TOLD)
		return;
	snprintf(text, sizeof(text),
		"the far clock runs %.0f millionths %s; that is taken out of the variation",
		1e6 * fabs(directions->drift), directions->drift > 0 ? "fast" : "slow");
	print_both(out, options, text);
}

static void print_rest(FILE *out, const struct report_options *options, const struct directions *directions)
{
	char text[LINE_SIZE] = "";
	append(text, sizeof(text), "test packets (STAMP, UDP port %u): %u sent, %u answered",
		directions->port, directions->sent, directions->received);
	if (directions->undecided > 0)
		append(text, sizeof(text), "; %u lost, nobody knows on which way", directions->undecided);
	if (directions->late > 0)
		append(text, sizeof(text), "; %u answered late", directions->late);
	if (directions->duplicates > 0)
		append(text, sizeof(text), "; %u answered twice", directions->duplicates);
	if (directions->restarts > 0)
		append(text, sizeof(text), "; the reflector began its count anew %u times",
			directions->restarts);
	if (directions->send_errors > 0)
		append(text, sizeof(text), "; %u could not be sent", directions->send_errors);
	print_both(out, options, text);
}

static const char *why_not(const struct directions *directions)
{
	switch (directions->status) {
	case DIRECTIONS_NOT_ASKED: return "it was not asked";
	case DIRECTIONS_REFUSED: return "nobody listens at its UDP port";
	default: return "it does not answer test packets at UDP port";
	}
}

static void print_unknown(
	FILE *out, const struct report_options *options, const struct directions *directions)
{
	char port[16] = "", text[LINE_SIZE];
	if (directions->status != DIRECTIONS_NOT_ASKED)
		snprintf(port, sizeof(port), " %u", directions->port);
	snprintf(text, sizeof(text),
		"not told apart: the far end does not help (%s%s). `retour serve --stamp` there would, or "
		"any "
		"reflector of STAMP or TWAMP Light.",
		why_not(directions), port);
	print_wrapped(out, options, ROLE_PLAIN, "there and back ", 6, text);
}

void directions_text(FILE *out, const struct report_options *options, const struct directions *directions)
{
	bool apart = directions->status == DIRECTIONS_APART;
	if (!apart && directions->status != DIRECTIONS_ROUND_TRIP) {
		print_unknown(out, options, directions);
		return;
	}
	print_way(out, options, directions, &directions->forward);
	print_way(out, options, directions, &directions->reverse);
	if (!apart)
		print_both(out, options,
			"the far end keeps no count: on which way packets get lost cannot be told");
	print_clocks(out, options, directions);
	print_rest(out, options, directions);
}

static void line_of(const struct directions *directions, bool utf8, bool intervals, char *text, size_t size)
{
	bool apart = directions->status == DIRECTIONS_APART;
	const struct way *ways[] = {&directions->forward, &directions->reverse};
	text[0] = '\0';
	for (size_t i = 0; i < 2; i++) {
		struct share share = share_of(ways[i]->lost, ways[i]->sent);
		append(text, size, "%s%s ", i > 0 ? "; " : "", arrow(i == 0, utf8));
		if (apart)
			append(text, size, "%u of %u lost", ways[i]->lost, ways[i]->sent);
		if (apart && intervals)
			append(text, size, " (95 %%: %.1f..%.1f %%)", 100 * share.low, 100 * share.high);
		if (ways[i]->variation_p95_ns != RTT_NONE)
			append(text, size, "%svariation %.1f ms", apart ? ", " : "",
				ns_to_ms(ways[i]->variation_p95_ns));
	}
	if (directions->undecided > 0)
		append(text, size, "; %u lost either way", directions->undecided);
}

const char *directions_line(
	const struct directions *directions, bool utf8, int columns, char *text, size_t size)
{
	text[0] = '\0';
	if (directions->status != DIRECTIONS_APART && directions->status != DIRECTIONS_ROUND_TRIP)
		return text;
	line_of(directions, utf8, true, text, size);
	if (text_columns(text) > columns)
		line_of(directions, utf8, false, text, size);
	return text;
}
