/* The reader has a sticky error like the byte cursor: after the first mistake everything yields unknowns, and
 * the caller asks once. `where` names the part being read, for the message. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "path/json.h"
#include "path/words.h"

/* Nobody's path is longer; a hostile document may not make us allocate without end. */
#define HOPS_MAX     1024
#define PROBES_MAX   65536
#define ELEMENTS_MAX 65536

struct in {
	int status;
	char where[80];
	struct error *error;
};

static bool wrong(struct in *in, const char *key, const char *expected)
{
	if (in->status == 0)
		in->status = error_set(in->error, -EINVAL, "retour/1 document: %s%s%s: expected %s", in->where,
			*in->where ? "." : "", key, expected);
	return false;
}

static bool out_of_memory(struct in *in)
{
	if (in->status == 0)
		in->status = error_set(in->error, -ENOMEM, "out of memory");
	return false;
}

/* The member, or NULL where it is missing or null. */
static const json_t *member(struct in *in, const json_t *object, const char *key)
{
	const json_t *value = in->status == 0 ? json_object_get(object, key) : NULL;
	return json_is_null(value) ? NULL : value;
}

static const json_t *object_member(struct in *in, const json_t *object, const char *key)
{
	const json_t *value = member(in, object, key);
	if (value && !json_is_object(value))
		wrong(in, key, "an object or null");
	return json_is_object(value) ? value : NULL;
}

/* An array of objects, numbers or texts; its size is 0 where it is missing. */
static const json_t *array_member(struct in *in, const json_t *object, const char *key, size_t max, size_t *size)
{
	const json_t *value = member(in, object, key);
	*size = 0;
	if (value && !json_is_array(value))
		wrong(in, key, "an array");
	else if (json_array_size(value) > max)
		wrong(in, key, "fewer elements");
	else
		*size = json_array_size(value);
	return value;
}

static const char *string_of(struct in *in, const json_t *value, const char *key)
{
	if (!value)
		return NULL;
	/* A NUL inside would cut the text short without a word. */
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value)) {
		wrong(in, key, "text or null");
		return NULL;
	}
	return json_string_value(value);
}

static const char *string_member(struct in *in, const json_t *object, const char *key)
{
	return string_of(in, member(in, object, key), key);
}

static char *copy_member(struct in *in, const json_t *object, const char *key)
{
	const char *value = string_member(in, object, key);
	char *copy = value ? strdup(value) : NULL;
	if (value && !copy)
		out_of_memory(in);
	return copy;
}

static void fixed_member(struct in *in, const json_t *object, const char *key, char *out, size_t size)
{
	const char *value = string_member(in, object, key);
	if (value && strlen(value) >= size)
		wrong(in, key, "shorter text");
	else if (value)
		memcpy(out, value, strlen(value) + 1);
}

static int64_t integer_of(struct in *in, const json_t *value, const char *key, int64_t max, int64_t missing)
{
	if (!value)
		return missing;
	if (json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) <= max)
		return json_integer_value(value);
	wrong(in, key, "a whole number within its range, or null");
	return missing;
}

static int64_t integer_member(struct in *in, const json_t *object, const char *key, int64_t max, int64_t missing)
{
	return integer_of(in, member(in, object, key), key, max, missing);
}

static double number_member(struct in *in, const json_t *object, const char *key, double missing)
{
	const json_t *value = member(in, object, key);
	if (!value)
		return missing;
	double number = json_number_value(value);
	if (json_is_number(value) && number >= 0 && number < 1e12)
		return number;
	wrong(in, key, "a number that is not negative, or null");
	return missing;
}

static int64_t ms_member(struct in *in, const json_t *object, const char *key, int64_t missing)
{
	double ms = number_member(in, object, key, -1);
	return ms < 0 ? missing : llround(ms * 1e6);
}

static bool bool_member(struct in *in, const json_t *object, const char *key)
{
	const json_t *value = member(in, object, key);
	if (value && !json_is_boolean(value))
		wrong(in, key, "true or false");
	return json_is_true(value);
}

static struct addr address_of(struct in *in, const json_t *value, const char *key)
{
	struct addr addr = ADDR_NONE;
	const char *value_text = string_of(in, value, key);
	if (value_text && !addr_parse(value_text, &addr))
		wrong(in, key, "an IPv4 or IPv6 address, or null");
	return addr;
}

static struct addr address_member(struct in *in, const json_t *object, const char *key)
{
	return address_of(in, member(in, object, key), key);
}

static int word_member(struct in *in, const json_t *object, const char *key, const struct word_table *table,
	int missing)
{
	const char *word = string_member(in, object, key);
	if (!word)
		return missing;
	int value = word_value(table, word);
	if (value < 0)
		wrong(in, key, "one of the words of the schema");
	return value < 0 ? missing : value;
}

/* RFC 3339 in UTC, with or without a fraction of a second. */
static int64_t time_member(struct in *in, const json_t *object, const char *key)
{
	const char *value = string_member(in, object, key);
	if (!value)
		return 0;
	struct tm tm = {0};
	const char *rest = strptime(value, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t fraction_ns = 0;
	if (rest && *rest == '.') {
		int64_t unit = NS_PER_S / 10;
		for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
			fraction_ns += (*rest - '0') * unit;
	}
	if (!rest || strcmp(rest, "Z") != 0 || tm.tm_year < 70 || tm.tm_year > 300) {
		wrong(in, key, "a time like 2026-01-31T12:00:00.000000Z, or null");
		return 0;
	}
	return (int64_t)timegm(&tm) * NS_PER_S + fraction_ns;
}

static void read_mpls(struct in *in, const json_t *object, struct probe_result *probe)
{
	size_t count;
	const json_t *labels = array_member(in, object, "mpls", MPLS_STACK_MAX, &count);
	for (size_t i = 0; i < count; i++) {
		const json_t *label = json_array_get(labels, i);
		probe->mpls[i] = (struct mpls_entry){
			.label = (uint32_t)integer_member(in, label, "label", 0xfffff, 0),
			.traffic_class = (uint8_t)integer_member(in, label, "tc", 7, 0),
			.bottom = integer_member(in, label, "s", 1, 0) != 0,
			.ttl = (uint8_t)integer_member(in, label, "ttl", 255, 0),
		};
	}
	probe->mpls_count = (uint8_t)count;
}

static void read_interface(struct in *in, const json_t *object, struct probe_result *probe)
{
	const json_t *interface = object_member(in, object, "interface");
	if (!interface)
		return;
	probe->has_interface = true;
	probe->interface.role = (uint8_t)word_member(in, interface, "role", &interface_role_words, 0);
	probe->interface.index = (uint32_t)integer_member(in, interface, "index", UINT32_MAX, 0);
	probe->interface.address = address_member(in, interface, "address");
	probe->interface.mtu = (uint32_t)integer_member(in, interface, "mtu", UINT32_MAX, 0);
	fixed_member(in, interface, "name", probe->interface.name, sizeof(probe->interface.name));
}

static void read_probe(struct in *in, const json_t *object, struct hop *hop)
{
	struct probe_result *probe = hop_add_probe(hop);
	if (!probe) {
		out_of_memory(in);
		return;
	}
	if (!json_is_object(object))
		wrong(in, "probes", "an array of objects");
	probe->sent_ns = ms_member(in, object, "sent_ms", 0);
	probe->rtt_ns = ms_member(in, object, "rtt_ms", RTT_NONE);
	probe->address = address_member(in, object, "address");
	const json_t *icmp = object_member(in, object, "icmp");
	probe->icmp_type = (int)integer_member(in, icmp, "type", 255, -1);
	probe->icmp_code = (int)integer_member(in, icmp, "code", 255, -1);
	fixed_member(in, object, "mark", probe->mark, sizeof(probe->mark));
	probe->reply_ttl = (int)integer_member(in, object, "reply_ttl", 255, -1);
	probe->quoted_ttl = (int)integer_member(in, object, "quoted_ttl", 255, -1);
	read_mpls(in, object, probe);
	read_interface(in, object, probe);
}

static void read_addresses(struct in *in, const json_t *object, struct hop *hop)
{
	size_t count;
	const json_t *addresses = array_member(in, object, "addresses", ELEMENTS_MAX, &count);
	for (size_t i = 0; i < count && in->status == 0; i++) {
		struct addr addr = address_of(in, json_array_get(addresses, i), "addresses");
		if (addr_is_set(addr) && hop_add_address(hop, addr) < 0)
			out_of_memory(in);
	}
}

static void read_hop(struct in *in, const json_t *object, struct path *path)
{
	struct hop *hop = path_add_hop(path, -1, TECHNIQUE_TTL);
	if (!hop) {
		out_of_memory(in);
		return;
	}
	if (!json_is_object(object))
		wrong(in, "hops", "an array of objects");
	hop->ttl = (int)integer_member(in, object, "ttl", 255, -1);
	hop->address = address_member(in, object, "address");
	read_addresses(in, object, hop);
	hop->name = copy_member(in, object, "name");
	hop->asn = (uint32_t)integer_member(in, object, "asn", UINT32_MAX, 0);
	hop->as_name = copy_member(in, object, "as_name");
	hop->ixp = copy_member(in, object, "ixp");
	fixed_member(in, object, "country", hop->country, sizeof(hop->country));
	hop->technique = (enum technique)word_member(in, object, "technique", &technique_words, TECHNIQUE_TTL);
	hop->certainty =
		(enum certainty)word_member(in, object, "certainty", &certainty_words, CERTAINTY_MEASURED);
	hop->age_s = number_member(in, object, "age_s", 0);
	const json_t *rtt = object_member(in, object, "rtt_ms");
	hop->rtt_min_ns = ms_member(in, rtt, "min", RTT_NONE);
	hop->rtt_median_ns = ms_member(in, rtt, "median", RTT_NONE);
	hop->rtt_max_ns = ms_member(in, rtt, "max", RTT_NONE);
	hop->sent = (unsigned)integer_member(in, object, "sent", UINT32_MAX, 0);
	hop->received = (unsigned)integer_member(in, object, "received", UINT32_MAX, 0);
	size_t count;
	const json_t *probes = array_member(in, object, "probes", PROBES_MAX, &count);
	for (size_t i = 0; i < count && in->status == 0; i++)
		read_probe(in, json_array_get(probes, i), hop);
}

static void read_edges(struct in *in, const json_t *object, struct path *path)
{
	size_t count;
	const json_t *edges = array_member(in, object, "edges", ELEMENTS_MAX, &count);
	for (size_t i = 0; i < count && in->status == 0; i++) {
		const json_t *element = json_array_get(edges, i);
		struct edge *edge = path_add_edge(path);
		if (!edge) {
			out_of_memory(in);
			return;
		}
		edge->from = address_member(in, element, "from");
		edge->to = address_member(in, element, "to");
		edge->ttl = (int)integer_member(in, element, "ttl", 255, 0);
		edge->flows = (unsigned)integer_member(in, element, "flows", UINT32_MAX, 0);
		edge->sent = (unsigned)integer_member(in, element, "sent", UINT32_MAX, 0);
		edge->received = (unsigned)integer_member(in, element, "received", UINT32_MAX, 0);
		edge->rtt_ns = ms_member(in, element, "rtt_ms", RTT_NONE);
	}
}

static void read_flow(struct in *in, const json_t *object, struct flow *flow)
{
	const json_t *value = object_member(in, object, "flow");
	flow->source_port = (uint16_t)integer_member(in, value, "source_port", UINT16_MAX, 0);
	flow->destination_port = (uint16_t)integer_member(in, value, "destination_port", UINT16_MAX, 0);
	flow->flow_label = (uint32_t)integer_member(in, value, "flow_label", 0xfffff, 0);
	flow->icmp_id = (uint16_t)integer_member(in, value, "icmp_id", UINT16_MAX, 0);
	flow->icmp_checksum = (uint16_t)integer_member(in, value, "icmp_checksum", UINT16_MAX, 0);
}

static struct path *read_path(struct in *in, const json_t *document, const char *key, enum direction direction)
{
	const json_t *object = object_member(in, document, key);
	if (!object)
		return NULL;
	snprintf(in->where, sizeof(in->where), "%s", key);
	const char *method = string_member(in, object, "method");
	struct path *path = path_new(direction, method ? method : "unknown");
	if (!path) {
		out_of_memory(in);
		return NULL;
	}
	path->direction = (enum direction)word_member(in, object, "direction", &direction_words, (int)direction);
	path->protocol = (enum probe_protocol)word_member(in, object, "protocol", &protocol_words, PROBE_UDP);
	path->source = address_member(in, object, "source");
	path->destination = address_member(in, object, "destination");
	read_flow(in, object, &path->flow);
	path->reached = bool_member(in, object, "reached");
	path->stop_reason =
		(enum stop_reason)word_member(in, object, "stop_reason", &stop_reason_words, STOP_PARTIAL);
	path->started_wall_ns = time_member(in, object, "started_at");
	path->duration_ns = ms_member(in, object, "duration_ms", RTT_NONE);
	path->probes_sent = (unsigned)integer_member(in, object, "probes_sent", UINT32_MAX, 0);
	path->replies_received = (unsigned)integer_member(in, object, "replies_received", UINT32_MAX, 0);
	size_t count;
	const json_t *hops = array_member(in, object, "hops", HOPS_MAX, &count);
	for (size_t i = 0; i < count && in->status == 0; i++) {
		snprintf(in->where, sizeof(in->where), "%s.hops[%zu]", key, i);
		read_hop(in, json_array_get(hops, i), path);
	}
	read_edges(in, object, path);
	in->where[0] = '\0';
	return path;
}

static void read_attempts(struct in *in, const json_t *document, struct measurement *measurement)
{
	size_t count;
	const json_t *attempts = array_member(in, document, "reverse_attempts", ELEMENTS_MAX, &count);
	for (size_t i = 0; i < count && in->status == 0; i++) {
		const json_t *object = json_array_get(attempts, i);
		snprintf(in->where, sizeof(in->where), "reverse_attempts[%zu]", i);
		const char *method = string_member(in, object, "method");
		int status = word_member(in, object, "status", &attempt_status_words, ATTEMPT_FAILED);
		struct attempt *attempt = measurement_add_attempt(measurement, method ? method : "unknown",
			(enum attempt_status)status, string_member(in, object, "detail"));
		if (attempt)
			attempt->duration_ns = ms_member(in, object, "duration_ms", RTT_NONE);
		else
			out_of_memory(in);
	}
	in->where[0] = '\0';
}

static uint32_t *read_as_path(struct in *in, const json_t *object, const char *key, size_t *count)
{
	const json_t *array = array_member(in, object, key, HOPS_MAX, count);
	uint32_t *path = *count > 0 ? calloc(*count, sizeof(*path)) : NULL;
	if (*count > 0 && !path) {
		out_of_memory(in);
		*count = 0;
	}
	for (size_t i = 0; i < *count; i++)
		path[i] = (uint32_t)integer_of(in, json_array_get(array, i), key, UINT32_MAX, 0);
	return path;
}

static enum ternary ternary_member(struct in *in, const json_t *object, const char *key)
{
	return member(in, object, key) ? (enum ternary)bool_member(in, object, key) : TERNARY_UNKNOWN;
}

static void read_shared(struct in *in, const json_t *object, struct alignment *alignment)
{
	size_t count;
	const json_t *shared = array_member(in, object, "shared", ELEMENTS_MAX, &count);
	alignment->shared = count > 0 ? calloc(count, sizeof(*alignment->shared)) : NULL;
	if (count > 0 && !alignment->shared) {
		out_of_memory(in);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const json_t *entry = json_array_get(shared, i);
		alignment->shared[i].forward_ttl = (int)integer_member(in, entry, "forward_ttl", HOPS_MAX, -1);
		alignment->shared[i].reverse_ttl = (int)integer_member(in, entry, "reverse_ttl", HOPS_MAX, -1);
		alignment->shared[i].by =
			(enum shared_by)word_member(in, entry, "by", &shared_by_words, SHARED_BY_AS);
	}
	alignment->shared_count = count;
}

static struct alignment *read_alignment(struct in *in, const json_t *document)
{
	const json_t *object = object_member(in, document, "alignment");
	if (!object)
		return NULL;
	struct alignment *alignment = calloc(1, sizeof(*alignment));
	if (!alignment) {
		out_of_memory(in);
		return NULL;
	}
	snprintf(in->where, sizeof(in->where), "alignment");
	read_shared(in, object, alignment);
	const json_t *divergence = object_member(in, object, "first_divergence");
	alignment->diverges = divergence != NULL;
	alignment->divergence_forward_ttl = (int)integer_member(in, divergence, "forward_ttl", HOPS_MAX, -1);
	alignment->divergence_reverse_ttl = (int)integer_member(in, divergence, "reverse_ttl", HOPS_MAX, -1);
	alignment->as_path_forward = read_as_path(in, object, "as_path_forward", &alignment->as_path_forward_count);
	alignment->as_path_reverse = read_as_path(in, object, "as_path_reverse", &alignment->as_path_reverse_count);
	const json_t *symmetric = object_member(in, object, "symmetric");
	alignment->router_symmetric = ternary_member(in, symmetric, "router");
	alignment->as_symmetric = ternary_member(in, symmetric, "as");
	in->where[0] = '\0';
	return alignment;
}

static void read_finding(struct in *in, const json_t *object, struct measurement *measurement)
{
	const char *id = string_member(in, object, "id");
	const char *summary = string_member(in, object, "summary");
	if (!id || !summary) {
		wrong(in, "id", "text, and a summary beside it");
		return;
	}
	struct finding *finding = measurement_add_finding(measurement, id,
		(enum severity)word_member(in, object, "severity", &severity_words, SEVERITY_INFO),
		(enum confidence)word_member(in, object, "confidence", &confidence_words, CONFIDENCE_POSSIBLE),
		(enum direction)word_member(in, object, "direction", &direction_words, DIRECTION_UNKNOWN), "%s",
		summary);
	if (!finding) {
		out_of_memory(in);
		return;
	}
	size_t count;
	const json_t *array = array_member(in, object, "hops", ELEMENTS_MAX, &count);
	for (size_t i = 0; i < count; i++)
		finding_add_hop(finding, (int)integer_of(in, json_array_get(array, i), "hops", HOPS_MAX, -1));
	array = array_member(in, object, "evidence", ELEMENTS_MAX, &count);
	for (size_t i = 0; i < count; i++) {
		const char *line = string_of(in, json_array_get(array, i), "evidence");
		if (line)
			finding_add_evidence(finding, "%s", line);
	}
	finding->disproof = copy_member(in, object, "disproof");
	finding->advice = copy_member(in, object, "advice");
}

static void read_document(struct in *in, const json_t *document, struct measurement *measurement)
{
	const char *schema = string_member(in, document, "schema");
	if (!schema || strcmp(schema, "retour/1") != 0)
		wrong(in, "schema", "\"retour/1\"");
	int command = word_member(in, document, "command", &command_words, 0);
	measurement->command = word_text(&command_words, command);
	measurement->started_wall_ns = time_member(in, document, "started_at");
	measurement->finished_wall_ns = time_member(in, document, "finished_at");
	const json_t *source = object_member(in, document, "source");
	measurement->source = address_member(in, source, "address");
	measurement->source_name = copy_member(in, source, "name");
	measurement->public_address = address_member(in, source, "public_address");
	const json_t *target = object_member(in, document, "target");
	measurement->target = address_member(in, target, "address");
	measurement->target_name = copy_member(in, target, "name");
	measurement->forward = read_path(in, document, "forward", DIRECTION_FORWARD);
	measurement->reverse = read_path(in, document, "reverse", DIRECTION_REVERSE);
	read_attempts(in, document, measurement);
	measurement->alignment = read_alignment(in, document);
	size_t count;
	const json_t *findings = array_member(in, document, "findings", ELEMENTS_MAX, &count);
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
		wrong(&in, "document", "an object");
	else
		read_document(&in, document, measurement);
	if (in.status < 0)
		measurement_deinit(measurement);
	return in.status;
}

int measurement_from_text(const char *text, size_t length, struct measurement *measurement, struct error *error)
{
	json_error_t where;
	json_t *document = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where);
	if (!document)
		return error_set(error, -EINVAL, "not JSON: line %d: %s", where.line, where.text);
	int status = measurement_from_json(document, measurement, error);
	json_decref(document);
	return status;
}
