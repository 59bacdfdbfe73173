/* Globalping: a measurement with one result a probe. The text is what the tool printed, with every slot; the
 * hops that the platform made of it stand in where there is no text, or where the text gives less. */
#include <errno.h>
#include <string.h>

#include "import/dialect.h"
#include "import/documents.h"

static const json_t *results_of(const json_t *document)
{
	const char *type = member_text(document, "type");
	const json_t *results = json_object_get(document, "results");
	bool traces = type && (strcmp(type, "traceroute") == 0 || strcmp(type, "mtr") == 0);
	return traces && json_is_array(results) ? results : NULL;
}

int globalping_score(const struct source *source, const char *dialect)
{
	(void)dialect;
	size_t i;
	json_t *document;
	json_array_foreach(source->documents, i, document) if (results_of(document)) return 100;
	return 0;
}

static void take_hop(struct build *build, int ttl, const json_t *object)
{
	struct hop *hop = build_hop(build, ttl);
	struct addr address = member_address(object, "resolvedAddress");
	const char *name = member_text(object, "resolvedHostname");
	const json_t *timings = json_object_get(object, "timings"), *stats = json_object_get(object, "stats");
	struct addr same;
	size_t i;
	json_t *timing, *asn;
	uint32_t asns[LEX_ASNS_MAX];
	size_t asn_count = 0;
	if (!hop)
		return;
	json_array_foreach(timings, i, timing)(void)
		build_probe(build, hop, address, member_ms(timing, "rtt"));
	if (json_is_object(stats))
		build_sums(build, hop, address, (unsigned)MAX(member_int(stats, "total", 0), 0),
			(unsigned)MAX(member_int(stats, "rcv", 0), 0), member_ms(stats, "min"),
			member_ms(stats, "max"));
	else if (json_array_size(timings) == 0)
		(void)build_probe(build, hop, ADDR_NONE, RTT_NONE);
	json_array_foreach(json_object_get(object, "asn"), i, asn) if (asn_count < LEX_ASNS_MAX &&
		json_integer_value(asn) > 0 && json_integer_value(asn) <= UINT32_MAX) asns[asn_count++] =
		(uint32_t)json_integer_value(asn);
	build_origins(build, address, asns, asn_count);
	if (name && !addr_parse(name, &same))
		build_name(build, address, name);
}

static enum probe_protocol protocol_of(const json_t *document)
{
	const char *protocol = member_text(json_object_get(document, "measurementOptions"), "protocol");
	if (protocol && strcmp(protocol, "TCP") == 0)
		return PROBE_TCP;
	return protocol && strcmp(protocol, "UDP") == 0 ? PROBE_UDP : PROBE_ICMP; /* ICMP is its default */
}

static void read_hops(struct build *build, const json_t *document, const json_t *result)
{
	const char *name = member_text(result, "resolvedHostname");
	const char *target = member_text(document, "target");
	size_t i;
	json_t *hop;
	build_trace(build, protocol_of(document));
	build_target(build, target ? target : name, member_address(result, "resolvedAddress"));
	json_array_foreach(json_object_get(result, "hops"), i, hop) take_hop(build, (int)i + 1, hop);
	build_end(build);
}

/* The text by the reader of its dialect; false when that gives no trace. */
static bool read_text(struct build *build, const json_t *document, const json_t *result)
{
	const char *output = member_text(result, "rawOutput");
	size_t before = build->import->count,
	       length = json_string_length(json_object_get(result, "rawOutput"));
	struct source source = {0};
	const char *type = member_text(document, "type");
	if (!output || strcmp(type, "traceroute") != 0)
		return false;
	if (text_init(&source.text, (const uint8_t *)output, length) < 0) {
		build->status = -ENOMEM;
		return false;
	}
	classic_read(build, &source);
	text_deinit(&source.text);
	if (build->import->count == before)
		return false;
	struct imported *trace = &build->import->traces[build->import->count - 1];
	trace->measurement.forward->protocol = protocol_of(document);
	size_t hops = json_array_size(json_object_get(result, "hops"));
	if (hops > trace->measurement.forward->hop_count && !trace->partial) {
		trace->partial = true;
		strcpy(trace->note, "the text has fewer hops than the platform counted");
	}
	return true;
}

void globalping_read(struct build *build, const struct source *source)
{
	size_t i, k;
	json_t *document, *entry;
	json_array_foreach(source->documents, i, document)
	{
		json_array_foreach(results_of(document), k, entry)
		{
			const json_t *result = json_object_get(entry, "result");
			if (!read_text(build, document, result))
				read_hops(build, document, result);
		}
	}
}
