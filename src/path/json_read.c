#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "path/json.h"
#include "path/json_gaps.h"
#include "path/json_in.h"

/* Nobody's path is longer; a hostile document may not make us allocate without end. */
#define HOPS_MAX     1024
#define PROBES_MAX   65536
#define ELEMENTS_MAX 65536

static void read_mpls(struct in *in, const json_t *object, struct probe_result *probe)
{
	size_t count;
	const json_t *labels = in_array_member(in, object, "mpls", MPLS_STACK_MAX, &count);
	for (size_t i = 0; i < count; i++) {
		const json_t *label = json_array_get(labels, i);
		probe->mpls[i] = (struct mpls_entry){
			.label = (uint32_t)in_integer_member(in, label, "label", 0xfffff, 0),
			.traffic_class = (uint8_t)in_integer_member(in, label, "tc", 7, 0),
			.bottom = in_integer_member(in, label, "s", 1, 0) != 0,
			.ttl = (uint8_t)in_integer_member(in, label, "ttl", 255, 0),
		};
	}
	probe->mpls_count = (uint8_t)count;
}

static void read_interface(struct in *in, const json_t *object, struct probe_result *probe)
{
	const json_t *interface = in_object_member(in, object, "interface");
	if (!interface)
		return;
	probe->has_interface = true;
	probe->interface.role = (uint8_t)in_word_member(in, interface, "role", &interface_role_words, 0);
	probe->interface.index = (uint32_t)in_integer_member(in, interface, "index", UINT32_MAX, 0);
	probe->interface.address = in_address_member(in, interface, "address");
	probe->interface.mtu = (uint32_t)in_integer_member(in, interface, "mtu", UINT32_MAX, 0);
	in_fixed_member(in, interface, "name", probe->interface.name, sizeof(probe->interface.name));
}

static void read_headers(struct in *in, const json_t *object, struct probe_result *probe)
{
	const json_t *reply = in_object_member(in, object, "reply");
	probe->reply.tos = (int)in_integer_member(in, reply, "tos", 255, -1);
	probe->reply.id = (int)in_integer_member(in, reply, "ip_id", UINT16_MAX, -1);
	probe->reply.size = (int)in_integer_member(in, reply, "size_bytes", PACKET_SIZE_MAX, -1);
	const json_t *quoted = in_object_member(in, object, "quoted");
	probe->quoted.tos = (int)in_integer_member(in, quoted, "tos", 255, -1);
	probe->quoted.id = (int)in_integer_member(in, quoted, "ip_id", UINT16_MAX, -1);
	probe->quoted.size = (int)in_integer_member(in, quoted, "size_bytes", PACKET_SIZE_MAX, -1);
	probe->quoted.source = in_address_member(in, quoted, "source");
	probe->quoted.destination = in_address_member(in, quoted, "destination");
	probe->quoted.source_port = (int)in_integer_member(in, quoted, "source_port", UINT16_MAX, -1);
	probe->quoted.destination_port =
		(int)in_integer_member(in, quoted, "destination_port", UINT16_MAX, -1);
	probe->quoted.checksum = (int)in_integer_member(in, quoted, "checksum", UINT16_MAX, -1);
	probe->quoted.checksum_changed = quoted && in_bool_member(in, quoted, "checksum_changed");
}

static void read_probe(struct in *in, const json_t *object, struct hop *hop)
{
	struct probe_result *probe = hop_add_probe(hop);
	if (!probe) {
		in_no_memory(in);
		return;
	}
	if (!json_is_object(object))
		in_wrong(in, "probes", "an array of objects");
	probe->sent_ns = in_ms_member(in, object, "sent_ms", 0);
	probe->rtt_ns = in_ms_member(in, object, "rtt_ms", RTT_NONE);
	probe->address = in_address_member(in, object, "address");
	const json_t *icmp = in_object_member(in, object, "icmp");
	probe->icmp_type = (int)in_integer_member(in, icmp, "type", 255, -1);
	probe->icmp_code = (int)in_integer_member(in, icmp, "code", 255, -1);
	in_fixed_member(in, object, "mark", probe->mark, sizeof(probe->mark));
	probe->tcp_flags = (uint8_t)in_integer_member(in, object, "tcp_flags", 255, 0);
	probe->mtu = (uint32_t)in_integer_member(in, object, "mtu", UINT32_MAX, 0);
	probe->reply.ttl = (int)in_integer_member(in, object, "reply_ttl", 255, -1);
	probe->quoted.ttl = (int)in_integer_member(in, object, "quoted_ttl", 255, -1);
	probe->source_port = (uint16_t)in_integer_member(in, object, "source_port", UINT16_MAX, 0);
	probe->destination_port = (uint16_t)in_integer_member(in, object, "destination_port", UINT16_MAX, 0);
	probe->icmp_checksum = (uint16_t)in_integer_member(in, object, "icmp_checksum", UINT16_MAX, 0);
	probe->size = (uint16_t)in_integer_member(in, object, "size_bytes", UINT16_MAX, 0);
	read_headers(in, object, probe);
	read_mpls(in, object, probe);
	read_interface(in, object, probe);
}

static void read_addresses(struct in *in, const json_t *object, struct hop *hop)
{
	size_t count;
	const json_t *addresses = in_array_member(in, object, "addresses", ELEMENTS_MAX, &count);
	for (size_t i = 0; i < count && in->status == 0; i++) {
		struct addr addr = in_address_of(in, json_array_get(addresses, i), "addresses");
		if (addr_is_set(addr) && hop_add_address(hop, addr) < 0)
			in_no_memory(in);
	}
}

/* One alone is the hop's "asn". */
static void read_origins(struct in *in, const json_t *object, struct hop *hop)
{
	size_t count;
	const json_t *origins = in_array_member(in, object, "origins", ELEMENTS_MAX, &count);
	hop->origins = count > 1 ? calloc(count, sizeof(*hop->origins)) : NULL;
	if (count > 1 && !hop->origins)
		in_no_memory(in);
	hop->origin_count = hop->origins ? count : 0;
	for (size_t i = 0; i < hop->origin_count; i++)
		hop->origins[i] =
			(uint32_t)in_integer_of(in, json_array_get(origins, i), "origins", UINT32_MAX, 0);
}

static void read_hop(struct in *in, const json_t *object, struct path *path)
{
	struct hop *hop = path_add_hop(path, -1, TECHNIQUE_TTL);
	if (!hop) {
		in_no_memory(in);
		return;
	}
	if (!json_is_object(object))
		in_wrong(in, "hops", "an array of objects");
	hop->ttl = (int)in_integer_member(in, object, "ttl", 255, -1);
	hop->address = in_address_member(in, object, "address");
	read_addresses(in, object, hop);
	hop->name = in_copy_member(in, object, "name");
	hop->asn = (uint32_t)in_integer_member(in, object, "asn", UINT32_MAX, 0);
	hop->as_name = in_copy_member(in, object, "as_name");
	read_origins(in, object, hop);
	hop->operator_asn = (uint32_t)in_integer_member(in, object, "operator_asn", UINT32_MAX, 0);
	hop->operator_reason = in_copy_member(in, object, "operator_reason");
	hop->ixp = in_copy_member(in, object, "ixp");
	in_fixed_member(in, object, "country", hop->country, sizeof(hop->country));
	hop->technique =
		(enum technique)in_word_member(in, object, "technique", &technique_words, TECHNIQUE_TTL);
	hop->certainty =
		(enum certainty)in_word_member(in, object, "certainty", &certainty_words, CERTAINTY_MEASURED);
	hop->protocol = in_word_member(in, object, "protocol", &protocol_words, -1);
	hop->age_s = in_number_member(in, object, "age_s", 0);
	hop->probability = in_number_member(in, object, "probability", 0);
	hop->by_origin = in_bool_member(in, object, "by_origin");
	const json_t *rtt = in_object_member(in, object, "rtt_ms");
	hop->rtt_min_ns = in_ms_member(in, rtt, "min", RTT_NONE);
	hop->rtt_median_ns = in_ms_member(in, rtt, "median", RTT_NONE);
	hop->rtt_max_ns = in_ms_member(in, rtt, "max", RTT_NONE);
	hop->sent = (unsigned)in_integer_member(in, object, "sent", UINT32_MAX, 0);
	hop->received = (unsigned)in_integer_member(in, object, "received", UINT32_MAX, 0);
	hop->by_packet = in_bool_member(in, object, "by_packet");
	hop->incomplete = in_bool_member(in, object, "incomplete");
	size_t count;
	const json_t *probes = in_array_member(in, object, "probes", PROBES_MAX, &count);
	for (size_t i = 0; i < count && in->status == 0; i++)
		read_probe(in, json_array_get(probes, i), hop);
}

static void read_branch_test(struct in *in, const json_t *edge, struct branch_test *test)
{
	const json_t *object = in_object_member(in, edge, "test");
	if (!object)
		return;
	test->sent = (unsigned)in_integer_member(in, object, "sent", UINT32_MAX, 0);
	test->received = (unsigned)in_integer_member(in, object, "received", UINT32_MAX, 0);
	test->rtt_ns = in_ms_member(in, object, "rtt_ms", RTT_NONE);
	test->others_sent = (unsigned)in_integer_member(in, object, "others_sent", UINT32_MAX, 0);
	test->others_received = (unsigned)in_integer_member(in, object, "others_received", UINT32_MAX, 0);
	test->others_rtt_ns = in_ms_member(in, object, "others_rtt_ms", RTT_NONE);
}

static void read_edges(struct in *in, const json_t *object, struct path *path)
{
	size_t count;
	const json_t *edges = in_array_member(in, object, "edges", ELEMENTS_MAX, &count);
	for (size_t i = 0; i < count && in->status == 0; i++) {
		const json_t *element = json_array_get(edges, i);
		struct edge *edge = path_add_edge(path);
		if (!edge) {
			in_no_memory(in);
			return;
		}
		edge->from = in_address_member(in, element, "from");
		edge->to = in_address_member(in, element, "to");
		edge->ttl = (int)in_integer_member(in, element, "ttl", 255, 0);
		edge->flows = (unsigned)in_integer_member(in, element, "flows", UINT32_MAX, 0);
		edge->sent = (unsigned)in_integer_member(in, element, "sent", UINT32_MAX, 0);
		edge->received = (unsigned)in_integer_member(in, element, "received", UINT32_MAX, 0);
		edge->rtt_ns = in_ms_member(in, element, "rtt_ms", RTT_NONE);
		edge->source_port = (uint16_t)in_integer_member(in, element, "source_port", UINT16_MAX, 0);
		edge->destination_port =
			(uint16_t)in_integer_member(in, element, "destination_port", UINT16_MAX, 0);
		edge->icmp_checksum =
			(uint16_t)in_integer_member(in, element, "icmp_checksum", UINT16_MAX, 0);
		read_branch_test(in, element, &edge->test);
	}
}

static void read_multipath(struct in *in, const json_t *object, struct path *path)
{
	const json_t *value = in_object_member(in, object, "multipath");
	if (!value)
		return;
	path->confidence = in_number_member(in, value, "confidence", 0);
	path->flow_count = (unsigned)in_integer_member(in, value, "flows", UINT32_MAX, 0);
}

static void read_mtu(struct in *in, const json_t *object, struct path *path)
{
	const json_t *value = in_object_member(in, object, "mtu");
	size_t count;
	if (!value)
		return;
	path->mtu.measured = true;
	path->mtu.bytes = (unsigned)in_integer_member(in, value, "bytes", UINT32_MAX, 0);
	path->mtu.sent = (unsigned)in_integer_member(in, value, "sent", UINT32_MAX, 0);
	path->mtu.received = (unsigned)in_integer_member(in, value, "received", UINT32_MAX, 0);
	const json_t *steps = in_array_member(in, value, "steps", ELEMENTS_MAX, &count);
	for (size_t i = 0; i < count && in->status == 0; i++) {
		const json_t *element = json_array_get(steps, i);
		struct mtu_step *step = path_add_mtu_step(path);
		if (!step) {
			in_no_memory(in);
			return;
		}
		step->bytes = (unsigned)in_integer_member(in, element, "bytes", UINT32_MAX, 0);
		step->ttl = (int)in_integer_member(in, element, "hop", 255, -1);
		step->said_by = in_address_member(in, element, "said_by");
		step->said_bytes = (unsigned)in_integer_member(in, element, "said_bytes", UINT32_MAX, 0);
	}
}

static void read_tries(struct in *in, const json_t *object, struct path *path)
{
	size_t count;
	const json_t *tries = in_array_member(in, object, "tries", ELEMENTS_MAX, &count);
	for (size_t i = 0; i < count && in->status == 0; i++) {
		const json_t *element = json_array_get(tries, i);
		struct path_try *attempt = path_add_try(path);
		if (!attempt) {
			in_no_memory(in);
			return;
		}
		attempt->protocol = (enum probe_protocol)in_word_member(
			in, element, "protocol", &protocol_words, PROBE_UDP);
		attempt->destination_port =
			(uint16_t)in_integer_member(in, element, "destination_port", UINT16_MAX, 0);
		attempt->first_ttl = (int)in_integer_member(in, element, "first_ttl", 255, 0);
		attempt->last_ttl = (int)in_integer_member(in, element, "last_ttl", 255, 0);
		attempt->sent = (unsigned)in_integer_member(in, element, "sent", UINT32_MAX, 0);
		attempt->received = (unsigned)in_integer_member(in, element, "received", UINT32_MAX, 0);
		attempt->reached = in_bool_member(in, element, "reached");
	}
}

static void read_vantage(struct in *in, const json_t *object, struct path *path)
{
	const json_t *value = in_object_member(in, object, "vantage");
	if (!value)
		return;
	const char *name = in_string_member(in, value, "name");
	if (path_set_vantage(path, name ? name : "", in_address_member(in, value, "address"),
		    (uint32_t)in_integer_member(in, value, "asn", UINT32_MAX, 0),
		    (enum vantage_distance)in_word_member(
			    in, value, "distance", &vantage_distance_words, VANTAGE_UNKNOWN)) < 0)
		in_no_memory(in);
}

static void read_flow(struct in *in, const json_t *object, struct path *path)
{
	const json_t *value = in_object_member(in, object, "flow");
	struct flow *flow = &path->flow;
	path->tos = (int)in_integer_member(in, value, "tos", UINT8_MAX, -1);
	flow->source_port = (uint16_t)in_integer_member(in, value, "source_port", UINT16_MAX, 0);
	flow->destination_port = (uint16_t)in_integer_member(in, value, "destination_port", UINT16_MAX, 0);
	flow->flow_label = (uint32_t)in_integer_member(in, value, "flow_label", 0xfffff, 0);
	flow->icmp_id = (uint16_t)in_integer_member(in, value, "icmp_id", UINT16_MAX, 0);
	flow->icmp_checksum = (uint16_t)in_integer_member(in, value, "icmp_checksum", UINT16_MAX, 0);
}

static struct path *read_path(
	struct in *in, const json_t *document, const char *key, enum direction direction)
{
	const json_t *object = in_object_member(in, document, key);
	if (!object)
		return NULL;
	snprintf(in->where, sizeof(in->where), "%s", key);
	const char *method = in_string_member(in, object, "method");
	struct path *path = path_new(direction, method ? method : "unknown");
	if (!path) {
		in_no_memory(in);
		return NULL;
	}
	path->direction =
		(enum direction)in_word_member(in, object, "direction", &direction_words, (int)direction);
	path->protocol =
		(enum probe_protocol)in_word_member(in, object, "protocol", &protocol_words, PROBE_UDP);
	path->source = in_address_member(in, object, "source");
	path->destination = in_address_member(in, object, "destination");
	read_flow(in, object, path);
	path->reached = in_bool_member(in, object, "reached");
	path->stop_reason =
		(enum stop_reason)in_word_member(in, object, "stop_reason", &stop_reason_words, STOP_PARTIAL);
	path->started_wall_ns = in_time_member(in, object, "started_at");
	path->duration_ns = in_ms_member(in, object, "duration_ms", RTT_NONE);
	path->probes_sent = (unsigned)in_integer_member(in, object, "probes_sent", UINT32_MAX, 0);
	path->replies_received = (unsigned)in_integer_member(in, object, "replies_received", UINT32_MAX, 0);
	size_t count;
	const json_t *hops = in_array_member(in, object, "hops", HOPS_MAX, &count);
	for (size_t i = 0; i < count && in->status == 0; i++) {
		snprintf(in->where, sizeof(in->where), "%s.hops[%zu]", key, i);
		read_hop(in, json_array_get(hops, i), path);
	}
	read_multipath(in, object, path);
	read_edges(in, object, path);
	read_mtu(in, object, path);
	read_tries(in, object, path);
	gaps_read(in, object, path);
	read_vantage(in, object, path);
	in->where[0] = '\0';
	return path;
}

static void read_attempts(struct in *in, const json_t *document, struct measurement *measurement)
{
	size_t count;
	const json_t *attempts = in_array_member(in, document, "reverse_attempts", ELEMENTS_MAX, &count);
	for (size_t i = 0; i < count && in->status == 0; i++) {
		const json_t *object = json_array_get(attempts, i);
		snprintf(in->where, sizeof(in->where), "reverse_attempts[%zu]", i);
		const char *method = in_string_member(in, object, "method");
		int status = in_word_member(in, object, "status", &attempt_status_words, ATTEMPT_FAILED);
		struct attempt *attempt = measurement_add_attempt(measurement, method ? method : "unknown",
			(enum attempt_status)status, in_string_member(in, object, "detail"));
		if (attempt)
			attempt->duration_ns = in_ms_member(in, object, "duration_ms", RTT_NONE);
		else
			in_no_memory(in);
	}
	in->where[0] = '\0';
}

static uint32_t *read_as_path(struct in *in, const json_t *object, const char *key, size_t *count)
{
	const json_t *array = in_array_member(in, object, key, HOPS_MAX, count);
	uint32_t *path = *count > 0 ? calloc(*count, sizeof(*path)) : NULL;
	if (*count > 0 && !path) {
		in_no_memory(in);
		*count = 0;
	}
	for (size_t i = 0; i < *count; i++)
		path[i] = (uint32_t)in_integer_of(in, json_array_get(array, i), key, UINT32_MAX, 0);
	return path;
}

static enum ternary ternary_member(struct in *in, const json_t *object, const char *key)
{
	return in_member(in, object, key) ? (enum ternary)in_bool_member(in, object, key) : TERNARY_UNKNOWN;
}

static void read_shared(struct in *in, const json_t *object, struct alignment *alignment)
{
	size_t count;
	const json_t *shared = in_array_member(in, object, "shared", ELEMENTS_MAX, &count);
	alignment->shared = count > 0 ? calloc(count, sizeof(*alignment->shared)) : NULL;
	if (count > 0 && !alignment->shared) {
		in_no_memory(in);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const json_t *entry = json_array_get(shared, i);
		alignment->shared[i].forward_ttl =
			(int)in_integer_member(in, entry, "forward_ttl", HOPS_MAX, -1);
		alignment->shared[i].reverse_ttl =
			(int)in_integer_member(in, entry, "reverse_ttl", HOPS_MAX, -1);
		alignment->shared[i].by =
			(enum shared_by)in_word_member(in, entry, "by", &shared_by_words, SHARED_BY_AS);
	}
	alignment->shared_count = count;
}

static struct alignment *read_alignment(struct in *in, const json_t *document)
{
	const json_t *object = in_object_member(in, document, "alignment");
	if (!object)
		return NULL;
	struct alignment *alignment = calloc(1, sizeof(*alignment));
	if (!alignment) {
		in_no_memory(in);
		return NULL;
	}
	snprintf(in->where, sizeof(in->where), "alignment");
	read_shared(in, object, alignment);
	const json_t *divergence = in_object_member(in, object, "first_divergence");
	alignment->diverges = divergence != NULL;
	alignment->divergence_forward_ttl =
		(int)in_integer_member(in, divergence, "forward_ttl", HOPS_MAX, -1);
	alignment->divergence_reverse_ttl =
		(int)in_integer_member(in, divergence, "reverse_ttl", HOPS_MAX, -1);
	alignment->as_path_forward =
		read_as_path(in, object, "as_path_forward", &alignment->as_path_forward_count);
	alignment->as_path_reverse =
		read_as_path(in, object, "as_path_reverse", &alignment->as_path_reverse_count);
	const json_t *symmetric = in_object_member(in, object, "symmetric");
	alignment->router_symmetric = ternary_member(in, symmetric, "router");
	alignment->as_symmetric = ternary_member(in, symmetric, "as");
	in->where[0] = '\0';
	return alignment;
}

static void read_finding(struct in *in, const json_t *object, struct measurement *measurement)
{
	const char *id = in_string_member(in, object, "id");
	const char *summary = in_string_member(in, object, "summary");
	if (!id || !summary) {
		in_wrong(in, "id", "text, and a summary beside it");
		return;
	}
	struct finding *finding = measurement_add_finding(measurement, id,
		(enum severity)in_word_member(in, object, "severity", &severity_words, SEVERITY_INFO),
		(enum confidence)in_word_member(
			in, object, "confidence", &confidence_words, CONFIDENCE_POSSIBLE),
		(enum direction)in_word_member(in, object, "direction", &direction_words, DIRECTION_UNKNOWN),
		"%s", summary);
	if (!finding) {
		in_no_memory(in);
		return;
	}
	size_t count;
	const json_t *array = in_array_member(in, object, "hops", ELEMENTS_MAX, &count);
	for (size_t i = 0; i < count; i++)
		finding_add_hop(
			finding, (int)in_integer_of(in, json_array_get(array, i), "hops", HOPS_MAX, -1));
	array = in_array_member(in, object, "evidence", ELEMENTS_MAX, &count);
	for (size_t i = 0; i < count; i++) {
		const char *line = in_string_of(in, json_array_get(array, i), "evidence");
		if (line)
			finding_add_evidence(finding, "%s", line);
	}
	finding->disproof = in_copy_member(in, object, "disproof");
	finding->advice = in_copy_member(in, object, "advice");
}

static void read_document(struct in *in, const json_t *document, struct measurement *measurement)
{
	const char *schema = in_string_member(in, document, "schema");
	if (!schema || strcmp(schema, "retour/1") != 0)
		in_wrong(in, "schema", "\"retour/1\"");
	int command = in_word_member(in, document, "command", &command_words, 0);
	measurement->command = word_text(&command_words, command);
	measurement->started_wall_ns = in_time_member(in, document, "started_at");
	measurement->finished_wall_ns = in_time_member(in, document, "finished_at");
	const json_t *source = in_object_member(in, document, "source");
	measurement->source = in_address_member(in, source, "address");
	measurement->source_name = in_copy_member(in, source, "name");
	measurement->public_address = in_address_member(in, source, "public_address");
	const json_t *target = in_object_member(in, document, "target");
	measurement->target = in_address_member(in, target, "address");
	measurement->target_name = in_copy_member(in, target, "name");
	measurement->forward = read_path(in, document, "forward", DIRECTION_FORWARD);
	measurement->reverse = read_path(in, document, "reverse", DIRECTION_REVERSE);
	read_attempts(in, document, measurement);
	measurement->alignment = read_alignment(in, document);
	size_t count;
	const json_t *findings = in_array_member(in, document, "findings", ELEMENTS_MAX, &count);
	for (size_t i = 0; i < count && in->status == 0; i++) {
		snprintf(in->where, sizeof(in->where), "findings[%zu]", i);
		read_finding(in, json_array_get(findings, i), measurement);
	}
}

int measurement_from_json(const json_t *document, struct measurement *measurement, struct error *error)
{
	struct in in = {.error = error};
	measurement_init(measurement);
	if (!json_is_object(document))
		in_wrong(&in, "document", "an object");
	else
		read_document(&in, document, measurement);
	if (in.status < 0)
		measurement_deinit(measurement);
	return in.status;
}

int measurement_from_text(
	const char *text, size_t length, struct measurement *measurement, struct error *error)
{
	json_error_t where;
	json_t *document = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where);
	if (!document)
		return error_set(error, -EINVAL, "not JSON: line %d: %s", where.line, where.text);
	int status = measurement_from_json(document, measurement, error);
	json_decref(document);
	return status;
}
