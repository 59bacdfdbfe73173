/* scamper's JSON: a document a line, of which those of type "trace" count. */
#include <string.h>

#include "base/clock.h"
#include "import/dialect.h"
#include "import/documents.h"
#include "import/scamper.h"

static bool is_trace(const json_t *document)
{
	const char *type = member_text(document, "type");
	return type && strcmp(type, "trace") == 0 && json_object_get(document, "stop_reason");
}

int scamper_score(const struct source *source, const char *dialect)
{
	(void)dialect;
	size_t i;
	json_t *document;
	json_array_foreach(source->documents, i, document)
	{
		const char *type = member_text(document, "type");
		if (is_trace(document) || (type && strncmp(type, "cycle-st", 8) == 0))
			return 90;
	}
	return 0;
}

static void take_labels(struct probe_result *probe, const json_t *hop)
{
	size_t i, k;
	json_t *extension, *label;
	json_array_foreach(json_object_get(hop, "icmpext"), i, extension)
	{
		json_array_foreach(json_object_get(extension, "mpls_labels"), k, label)
		{
			if (probe->mpls_count == MPLS_STACK_MAX)
				return;
			probe->mpls[probe->mpls_count++] = (struct mpls_entry){
				.label = (uint32_t)MAX(member_int(label, "mpls_label", 0), 0) & 0xfffff,
				.traffic_class = (uint8_t)(member_int(label, "mpls_exp", 0) & 7),
				.bottom = member_int(label, "mpls_s", 0) == 1,
				.ttl = (uint8_t)member_int(label, "mpls_ttl", 0),
			};
		}
	}
}

static int64_t time_of(const json_t *object)
{
	int64_t seconds = (int64_t)member_number(object, "sec", 0);
	int64_t micros = member_int(object, "usec", 0);
	return seconds > 0 && seconds < INT32_MAX * 2LL ? seconds * NS_PER_S + micros * NS_PER_US : 0;
}

static void take_hop(struct build *build, const json_t *hop, int64_t start_ns)
{
	struct addr address = member_address(hop, "addr");
	struct probe_result *probe = scamper_answer(build, member_int(hop, "probe_ttl", -1),
		member_int(hop, "probe_id", 1), address, member_ms(hop, "rtt"));
	if (!probe)
		return;
	build_name(build, address, member_text(hop, "name"));
	int64_t sent_ns = time_of(json_object_get(hop, "tx"));
	probe->sent_ns = sent_ns > start_ns && start_ns > 0 ? sent_ns - start_ns : 0;
	probe->icmp_type = member_int(hop, "icmp_type", -1);
	probe->icmp_code = member_int(hop, "icmp_code", -1);
	probe->tcp_flags = (uint8_t)member_int(hop, "tcp_flags", 0);
	probe->reply.ttl = member_int(hop, "reply_ttl", -1);
	probe->reply.tos = member_int(hop, "reply_tos", -1);
	probe->reply.id = address.family == 4 ? member_int(hop, "reply_ipid", -1) : -1;
	probe->reply.size = member_int(hop, "reply_size", -1);
	probe->quoted.ttl = member_int(hop, "icmp_q_ttl", -1);
	probe->quoted.size = member_int(hop, "icmp_q_ipl", -1);
	probe->quoted.tos = member_int(hop, "icmp_q_tos", -1);
	/* Releases up to 2021 have a colon too many in the name. */
	probe->mtu = (uint32_t)MAX(member_int(hop, "icmp_nhmtu", member_int(hop, "icmp_nhmtu:", 0)), 0);
	take_labels(probe, hop);
	build_icmp_mark(probe, address.family);
}

static enum stop_reason stop_of(const char *word)
{
	static const char *const words[] = {"NONE", "COMPLETED", "UNREACH", "ICMP", "LOOP", "GAPLIMIT",
		"ERROR", "HOPLIMIT", "GSS", "HALTED"};
	for (size_t i = 0; word && i < ARRAY_LEN(words); i++)
		if (strcmp(word, words[i]) == 0)
			return scamper_stop((int)i);
	return STOP_PARTIAL;
}

static void read_one(struct build *build, const json_t *document)
{
	size_t i;
	json_t *hop;
	build_trace(build, scamper_protocol(member_text(document, "method")));
	if (!build->trace)
		return;
	struct path *path = build->path;
	build_target(build, NULL, member_address(document, "dst"));
	build_source(build, NULL, member_address(document, "src"));
	path->started_wall_ns = time_of(json_object_get(document, "start"));
	build->trace->measurement.started_wall_ns = path->started_wall_ns;
	path->probes_sent = (unsigned)MAX(member_int(document, "probe_count", 0), 0);
	path->stop_reason = stop_of(member_text(document, "stop_reason"));
	path->flow.source_port = (uint16_t)member_int(document, "sport", 0);
	path->flow.destination_port = (uint16_t)member_int(document, "dport", 0);
	path->flow.icmp_checksum = (uint16_t)member_int(document, "icmp_sum", 0);
	json_array_foreach(json_object_get(document, "hops"), i, hop)
		take_hop(build, hop, path->started_wall_ns);
	scamper_fill(build, member_int(document, "firsthop", 1), member_int(document, "hop_count", 0),
		member_int(document, "attempts", 1));
	build_end(build);
}

void scamper_read(struct build *build, const struct source *source)
{
	size_t i;
	json_t *document;
	json_array_foreach(source->documents, i, document) if (is_trace(document)) read_one(build, document);
}
