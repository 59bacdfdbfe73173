/* An imported trace as lines, in the notation of the expectations (tests/golden/import/README.md). */
#include "import_case.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

struct lines {
	char *text;
	size_t size, length;
};

static void PRINTF_LIKE(2, 3) add(struct lines *lines, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int written = vsnprintf(lines->text + lines->length, lines->size - lines->length, format, arguments);
	va_end(arguments);
	if (written > 0)
		lines->length = MIN(lines->length + (size_t)written, lines->size - 1);
}

static void add_address(struct lines *lines, struct addr address)
{
	char text[ADDR_TEXT_SIZE];
	add(lines, "%s", addr_is_set(address) ? addr_format(address, text) : "-");
}

static void add_ms(struct lines *lines, int64_t ns)
{
	if (ns == RTT_NONE)
		add(lines, "-");
	else
		add(lines, "%.10g", ns_to_ms(ns));
}

static void add_labels(struct lines *lines, const struct probe_result *probe)
{
	for (unsigned i = 0; i < probe->mpls_count; i++) {
		const struct mpls_entry *entry = &probe->mpls[i];
		add(lines, "%s%u:%u:%d:%u", i == 0 ? "<" : "/", entry->label, entry->traffic_class,
			entry->bottom, entry->ttl);
	}
	add(lines, "%s", probe->mpls_count > 0 ? ">" : "");
}

static void add_probes(struct lines *lines, const struct hop *hop)
{
	struct addr before = ADDR_NONE;
	for (size_t i = 0; i < hop->probe_count; i++) {
		const struct probe_result *probe = &hop->probes[i];
		add(lines, " ");
		if (!probe_answered(probe)) {
			add(lines, "*");
			continue;
		}
		if (!addr_is_set(probe->address))
			add(lines, "?");
		else if (!addr_equal(probe->address, before))
			add_address(lines, probe->address);
		before = probe->address;
		if (probe->rtt_ns != RTT_NONE)
			add(lines, "=");
		else if (lines->text[lines->length - 1] == ' ')
			add(lines, "+");
		if (probe->rtt_ns != RTT_NONE)
			add_ms(lines, probe->rtt_ns);
		add(lines, "%s", probe->mark);
		add_labels(lines, probe);
	}
}

/* Programs that tell only sums. */
static void add_addresses(struct lines *lines, const struct hop *hop)
{
	add(lines, " ");
	for (size_t i = 0; i < hop->address_count; i++) {
		add(lines, "%s", i > 0 ? "," : "");
		add_address(lines, hop->addresses[i]);
	}
	add(lines, "%s", hop->address_count == 0 ? "-" : "");
}

static void add_sums(struct lines *lines, const struct hop *hop)
{
	add(lines, " %u/%u ", hop->received, hop->sent);
	add_ms(lines, hop->rtt_min_ns);
	add(lines, "..");
	add_ms(lines, hop->rtt_max_ns);
}

static void add_hop(struct lines *lines, const struct hop *hop)
{
	add(lines, "%d", hop->ttl);
	add_probes(lines, hop);
	if (hop->probe_count == 0)
		add_addresses(lines, hop);
	if (hop->probe_count == 0 || hop->sent != hop->probe_count)
		add_sums(lines, hop);
	if (hop->name)
		add(lines, " name=%s", hop->name);
	if (hop->asn != 0)
		add(lines, " as=%u", hop->asn);
	for (size_t i = 1; i < hop->origin_count; i++)
		add(lines, "/%u", hop->origins[i]);
	add(lines, "\n");
}

void import_case_write(const struct import *import, char *text, size_t size)
{
	struct lines lines = {.text = text, .size = size};
	text[0] = '\0';
	for (size_t i = 0; i < import->count; i++) {
		const struct imported *trace = &import->traces[i];
		const struct measurement *measurement = &trace->measurement;
		const struct path *path = measurement->forward;
		const char *name = measurement->target_name;
		add(&lines, "trace %s %s ", trace->dialect, name ? name : "-");
		add_address(&lines, measurement->target);
		add(&lines, " %s%s\n", stop_reason_word(path->stop_reason), trace->partial ? " partial" : "");
		if (addr_is_set(measurement->source)) {
			add(&lines, "source ");
			add_address(&lines, measurement->source);
			add(&lines, "\n");
		}
		for (size_t k = 0; k < path->hop_count; k++)
			add_hop(&lines, &path->hops[k]);
	}
}
