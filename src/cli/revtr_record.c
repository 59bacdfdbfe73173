/* One measurement in words, or as a line of JSON. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/escape.h"
#include "cli/revtr_inside.h"
#include "path/words.h"
#include "report/techniques.h"
#include "reverse/revtr_result.h"

static const char *age_text(double age_s, char *text, size_t size)
{
	if (age_s < 1)
		snprintf(text, size, "now");
	else if (age_s < 120)
		snprintf(text, size, "%.0f s", age_s);
	else if (age_s < 7200)
		snprintf(text, size, "%.0f min", age_s / 60);
	else
		snprintf(text, size, "%.0f h", age_s / 3600);
	return text;
}

/* A remark between lines of the table, within 80 columns. */
static void remark(const char *format, ...) PRINTF_LIKE(1, 2);
static void remark(const char *format, ...)
{
	char text[300];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	revtr_print_wrapped("    ", text);
}

static void print_hop(const struct hop *hop, size_t number)
{
	char address[ADDR_TEXT_SIZE], age[24];
	printf("%2zu  %-15s  %-8s %3.0f %% %6s  %s\n", number,
		addr_is_set(hop->address) ? addr_format(hop->address, address) : "*",
		certainty_word(hop->certainty), 100 * hop->probability,
		age_text(hop->age_s, age, sizeof(age)), technique_phrase(hop->technique));
	if (hop->by_origin)
		remark("(%s forwards differently by origin: its own answers go another way than what passes "
		       "it)",
			addr_is_set(hop->address) ? address : "this router");
}

/* Right before the hop that ends it. */
static void print_gap(const struct path *path, size_t number)
{
	for (size_t i = 0; i < path->gap_count; i++) {
		const struct path_gap *gap = &path->gaps[i];
		char after[24] = "the destination", before[24] = "the source";
		if (gap->before != number)
			continue;
		if (gap->after > 0)
			snprintf(after, sizeof(after), "%u", gap->after);
		if (gap->before <= path->hop_count)
			snprintf(before, sizeof(before), "%u", gap->before);
		remark("(%u more %s between %s and %s, by the hop limits of replies)", gap->missing,
			gap->missing == 1 ? "router" : "routers", after, before);
	}
}

const char *revtr_text_of(const json_t *object, const char *key, char *out, size_t size)
{
	return escape_text(json_string_value(json_object_get(object, key)), out, size);
}

static void print_text(const json_t *record, const struct path *path)
{
	char source[60], destination[60], label[160], stop[160], state[20];
	revtr_text_of(record, "source", source, sizeof(source));
	revtr_text_of(record, "destination", destination, sizeof(destination));
	revtr_text_of(record, "label", label, sizeof(label));
	if (strcmp(label, destination) == 0)
		*label = '\0';
	revtr_text_of(record, "state", state, sizeof(state));
	revtr_text_of(record, "stop", stop, sizeof(stop));
	printf("%s -> %s%s%s%s: ", destination, source, *label ? " (" : "", label, *label ? ")" : "");
	if (strcmp(state, "done") != 0) {
		printf("%s\n", state);
		return;
	}
	size_t hops = path ? path->hop_count : 0;
	if (path && path->reached)
		printf("the whole way back, %zu hops, ", hops);
	else if (hops > 0)
		printf("the first %zu hop%s, ", hops, hops == 1 ? "" : "s");
	else
		fputs("nothing, ", stdout);
	printf("%.1f s\n", json_number_value(json_object_get(record, "duration_ms")) / 1000);
	for (size_t i = 0; i < hops; i++) {
		print_gap(path, i + 1);
		print_hop(&path->hops[i], i + 1);
	}
	if (path)
		print_gap(path, hops + 1);
	if (json_is_true(json_object_get(record, "elsewhere")))
		remark("(some answers to agents came from much nearer or farther than what the source's own "
		       "pings "
		       "to %s reach: from another host with this address (anycast). They were not used)",
			destination);
	if (!path || !path->reached)
		remark("%s: %s", hops > 0 ? "then unknown" : "unknown", stop);
}

void revtr_print_record(const json_t *record, bool json)
{
	char *text = json_dumps(record, JSON_COMPACT | JSON_REAL_PRECISION(15));
	if (!text)
		return;
	if (json) {
		puts(text);
	} else {
		struct path *path = revtr_result_path(text, strlen(text));
		print_text(record, path);
		path_free(path);
	}
	fflush(stdout);
	free(text);
}
