/* RIPE Atlas: results of traceroutes, one or an array, firmware 4460 and later. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "import/dialect.h"
#include "import/documents.h"

static bool is_atlas(const json_t *document)
{
	const char *type = member_text(document, "type");
	return type && strcmp(type, "traceroute") == 0 &&
		json_is_array(json_object_get(document, "result")) &&
		(json_object_get(document, "msm_id") || json_object_get(document, "prb_id") ||
			json_object_get(document, "fw"));
}

int atlas_score(const struct source *source, const char *dialect)
{
	(void)dialect;
	size_t i;
	json_t *document;
	json_array_foreach(source->documents, i, document) if (is_atlas(document)) return 100;
	return 0;
}

static void take_labels(struct probe_result *probe, const json_t *extensions)
{
	size_t i, k;
	json_t *object, *label;
	json_array_foreach(json_object_get(extensions, "obj"), i, object)
	{
		json_array_foreach(json_object_get(object, "mpls"), k, label)
		{
			if (probe->mpls_count == MPLS_STACK_MAX)
				return;
			probe->mpls[probe->mpls_count++] = (struct mpls_entry){
				.label = (uint32_t)MAX(member_int(label, "label", 0), 0) & 0xfffff,
				.traffic_class = (uint8_t)(member_int(label, "exp", 0) & 7),
				.bottom = member_int(label, "s", 0) == 1,
				.ttl = (uint8_t)member_int(label, "ttl", 0),
			};
		}
	}
}

/* A letter as traceroute's, or the code as a number. */
static void take_error(struct probe_result *probe, const json_t *reply)
{
	char mark[12];
	const json_t *error = json_object_get(reply, "err");
	const char *letter = json_string_value(error);
	if (letter && strcmp(letter, "p") == 0) /* port unreachable: the target answered */
		return;
	if (letter && strcmp(letter, "h") == 0)
		letter = "H"; /* beyond scope */
	if (letter)
		snprintf(mark, sizeof(mark), "!%.8s", letter);
	else if (json_is_integer(error))
		snprintf(mark, sizeof(mark), "!<%d>", member_int(reply, "err", 0) & 255);
	else
		return;
	build_mark(probe, probe->address.family, mark);
	probe->mtu = (uint32_t)MAX(member_int(reply, "mtu", 0), 0);
}

/* The letters of an answer by TCP. */
static void take_flags(struct probe_result *probe, const char *letters)
{
	static const char order[] = "FSRPA"; /* from bit 0 on */
	for (; letters && *letters; letters++) {
		const char *found = strchr(order, *letters);
		if (found)
			probe->tcp_flags |= (uint8_t)(1u << (found - order));
	}
}

static void take_reply(struct build *build, struct hop *hop, const json_t *reply)
{
	if (json_object_get(reply, "late") || json_object_get(reply, "dup") || !hop)
		return; /* of a probe that was counted as silent, or twice */
	struct addr from = member_address(reply, "from");
	struct probe_result *probe = build_probe(build, hop, from, member_ms(reply, "rtt"));
	if (!probe || !addr_is_set(from))
		return;
	probe->reply.ttl = member_int(reply, "ttl", -1);
	probe->reply.tos = member_int(reply, "itos", -1);
	take_error(probe, reply);
	take_flags(probe, member_text(reply, "flags"));
	take_labels(probe, json_object_get(reply, "icmpext"));
}

static enum probe_protocol protocol_of(const json_t *document)
{
	const char *protocol = member_text(document, "proto");
	if (protocol && strcmp(protocol, "TCP") == 0)
		return PROBE_TCP;
	return protocol && strcmp(protocol, "ICMP") == 0 ? PROBE_ICMP : PROBE_UDP;
}

/* Since 1970; 0 = it is not said. */
static int64_t member_seconds(const json_t *document, const char *key)
{
	double seconds = member_number(document, key, 0);
	return seconds > 0 && seconds < 4e9 ? (int64_t)seconds * NS_PER_S : 0;
}

static void read_one(struct build *build, const json_t *document)
{
	size_t i, k;
	json_t *step, *reply;
	build_trace(build, protocol_of(document));
	build_target(build, member_text(document, "dst_name"), member_address(document, "dst_addr"));
	build_source(build, NULL, member_address(document, "src_addr"));
	if (build->trace) {
		struct measurement *measurement = &build->trace->measurement;
		measurement->public_address = member_address(document, "from");
		measurement->started_wall_ns = member_seconds(document, "timestamp");
		measurement->finished_wall_ns = member_seconds(document, "endtime");
		build->path->started_wall_ns = measurement->started_wall_ns;
	}
	json_array_foreach(json_object_get(document, "result"), i, step)
	{
		int ttl = member_int(step, "hop", -1);
		if (ttl == 255 && build->path)
			build->path->stop_reason = STOP_GAP_LIMIT;
		/* After five silent hops it tries the farthest: that is a test, not a hop, unless it is
		 * answered. */
		struct hop *hop = NULL;
		json_array_foreach(json_object_get(step, "result"), k, reply)
		{
			if (ttl == 255 && !json_object_get(reply, "from"))
				continue;
			hop = build_hop(build, ttl);
			if (json_object_get(reply, "error"))
				build_note(build, "the probe could not send");
			else
				take_reply(build, hop, reply);
		}
		if (json_object_get(step, "error"))
			build_note(build, "the probe could not send");
	}
	build_end(build);
}

void atlas_read(struct build *build, const struct source *source)
{
	size_t i;
	json_t *document;
	json_array_foreach(source->documents, i, document) if (is_atlas(document)) read_one(build, document);
}
