/* jansson's constructors and json_object_set_new both accept the NULL that an earlier failure left behind,
 * and then fail themselves; `struct out` remembers that anything failed, so the code below runs straight
 * through. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "path/json.h"
#include "path/words.h"

struct out {
	bool bad;
};

static void set(struct out *out, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0)
		out->bad = true;
}

static void append(struct out *out, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) < 0)
		out->bad = true;
}

/* Length of the well-formed UTF-8 sequence at `s` (RFC 3629 section 4), 0 when there is none. */
static size_t utf8_length(const unsigned char *s)
{
	if (s[0] < 0x80)
		return 1;
	size_t length = s[0] >= 0xc2 && s[0] <= 0xdf ? 2
		: (s[0] & 0xf0) == 0xe0		     ? 3
		: s[0] >= 0xf0 && s[0] <= 0xf4	     ? 4
						     : 0;
	for (size_t i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
	bool surrogate = s[0] == 0xed && s[1] > 0x9f;
	bool beyond = s[0] == 0xf4 && s[1] > 0x8f;
	return overlong || surrogate || beyond ? 0 : length;
}

static json_t *text(const char *value)
{
	if (!value)
		return json_null();
	static const char digits[] = "0123456789abcdef";
	char *clean = malloc(strlen(value) * 4 + 1);
	if (!clean)
		return NULL;
	size_t used = 0;
	for (const unsigned char *s = (const unsigned char *)value; *s;) {
		size_t length = utf8_length(s);
		if (length > 0) {
			memcpy(clean + used, s, length);
			used += length;
			s += length;
			continue;
		}
		const char escaped[] = {'\\', 'x', digits[*s >> 4], digits[*s & 15]};
		memcpy(clean + used, escaped, sizeof(escaped));
		used += sizeof(escaped);
		s++;
	}
	json_t *result = json_stringn(clean, used);
	free(clean);
	return result;
}

/* Text whose emptiness means that there is none. */
static json_t *text_or_null(const char *value)
{
	return *value ? text(value) : json_null();
}

static json_t *word(const struct word_table *table, int value)
{
	return text(word_text(table, value));
}

static json_t *address(struct addr addr)
{
	char buffer[ADDR_TEXT_SIZE];
	return addr_is_set(addr) ? json_string(addr_format(addr, buffer)) : json_null();
}

static json_t *wall_time(int64_t wall_ns)
{
	char buffer[TIME_TEXT_SIZE];
	return wall_ns != 0 ? json_string(clock_format(wall_ns, buffer)) : json_null();
}

static json_t *milliseconds(int64_t ns)
{
	return ns != RTT_NONE ? json_real(ns_to_ms(ns)) : json_null();
}

static json_t *known_if(bool known, int64_t value)
{
	return known ? json_integer(value) : json_null();
}

static json_t *mpls_to_json(struct out *out, const struct probe_result *probe)
{
	json_t *labels = json_array();
	for (size_t i = 0; i < probe->mpls_count; i++) {
		const struct mpls_entry *entry = &probe->mpls[i];
		json_t *object = json_object();
		set(out, object, "label", json_integer(entry->label));
		set(out, object, "tc", json_integer(entry->traffic_class));
		set(out, object, "s", json_integer(entry->bottom));
		set(out, object, "ttl", json_integer(entry->ttl));
		append(out, labels, object);
	}
	return labels;
}

static json_t *interface_to_json(struct out *out, const struct interface_info *interface)
{
	json_t *object = json_object();
	set(out, object, "role", word(&interface_role_words, interface->role));
	set(out, object, "index", known_if(interface->index != 0, interface->index));
	set(out, object, "address", address(interface->address));
	set(out, object, "mtu", known_if(interface->mtu != 0, interface->mtu));
	set(out, object, "name", text_or_null(interface->name));
	return object;
}

static json_t *known(int value)
{
	return known_if(value >= 0, value);
}

static json_t *reply_to_json(struct out *out, const struct reply_header *reply)
{
	if (reply->tos < 0 && reply->id < 0 && reply->size < 0)
		return json_null();
	json_t *object = json_object();
	set(out, object, "tos", known(reply->tos));
	set(out, object, "ip_id", known(reply->id));
	set(out, object, "size_bytes", known(reply->size));
	return object;
}

static json_t *quoted_to_json(struct out *out, const struct quoted_header *quoted)
{
	if (quoted->tos < 0 && !addr_is_set(quoted->source) && quoted->source_port < 0)
		return json_null();
	json_t *object = json_object();
	set(out, object, "tos", known(quoted->tos));
	set(out, object, "ip_id", known(quoted->id));
	set(out, object, "size_bytes", known(quoted->size));
	set(out, object, "source", address(quoted->source));
	set(out, object, "destination", address(quoted->destination));
	set(out, object, "source_port", known(quoted->source_port));
	set(out, object, "destination_port", known(quoted->destination_port));
	set(out, object, "checksum", known(quoted->checksum));
	set(out, object, "checksum_changed", json_boolean(quoted->checksum_changed));
	return object;
}

/* What this probe had of its own: only members that differ from the path's flow. */
static void own_flow_to_json(struct out *out, json_t *object, const struct probe_result *probe)
{
	if (probe->source_port)
		set(out, object, "source_port", json_integer(probe->source_port));
	if (probe->destination_port)
		set(out, object, "destination_port", json_integer(probe->destination_port));
	if (probe->icmp_checksum)
		set(out, object, "icmp_checksum", json_integer(probe->icmp_checksum));
	if (probe->size)
		set(out, object, "size_bytes", json_integer(probe->size));
}

static json_t *probe_to_json(struct out *out, const struct probe_result *probe)
{
	json_t *object = json_object();
	json_t *icmp = json_null();
	if (probe->icmp_type >= 0) {
		icmp = json_object();
		set(out, icmp, "type", json_integer(probe->icmp_type));
		set(out, icmp, "code", known_if(probe->icmp_code >= 0, probe->icmp_code));
	}
	set(out, object, "sent_ms", json_real(ns_to_ms(probe->sent_ns)));
	set(out, object, "rtt_ms", milliseconds(probe->rtt_ns));
	set(out, object, "address", address(probe->address));
	set(out, object, "icmp", icmp);
	set(out, object, "mark", text_or_null(probe->mark));
	set(out, object, "tcp_flags", known_if(probe->tcp_flags != 0, probe->tcp_flags));
	set(out, object, "mtu", known_if(probe->mtu != 0, probe->mtu));
	set(out, object, "reply_ttl", known(probe->reply.ttl));
	set(out, object, "quoted_ttl", known(probe->quoted.ttl));
	set(out, object, "reply", reply_to_json(out, &probe->reply));
	set(out, object, "quoted", quoted_to_json(out, &probe->quoted));
	own_flow_to_json(out, object, probe);
	set(out, object, "mpls", mpls_to_json(out, probe));
	set(out, object, "interface",
		probe->has_interface ? interface_to_json(out, &probe->interface) : json_null());
	return object;
}

static json_t *rtt_to_json(struct out *out, const struct hop *hop)
{
	if (hop->rtt_min_ns == RTT_NONE)
		return json_null();
	json_t *object = json_object();
	set(out, object, "min", milliseconds(hop->rtt_min_ns));
	set(out, object, "median", milliseconds(hop->rtt_median_ns));
	set(out, object, "max", milliseconds(hop->rtt_max_ns));
	return object;
}

static json_t *origins_to_json(struct out *out, const struct hop *hop)
{
	json_t *origins = json_array();
	if (hop->origin_count == 0 && hop->asn != 0)
		append(out, origins, json_integer(hop->asn));
	for (size_t i = 0; i < hop->origin_count; i++)
		append(out, origins, json_integer(hop->origins[i]));
	return origins;
}

static json_t *hop_to_json(struct out *out, const struct hop *hop)
{
	json_t *object = json_object();
	json_t *addresses = json_array();
	for (size_t i = 0; i < hop->address_count; i++)
		append(out, addresses, address(hop->addresses[i]));
	json_t *probes = json_array();
	for (size_t i = 0; i < hop->probe_count; i++)
		append(out, probes, probe_to_json(out, &hop->probes[i]));
	set(out, object, "ttl", known_if(hop->ttl >= 0, hop->ttl));
	set(out, object, "address", address(hop->address));
	set(out, object, "addresses", addresses);
	set(out, object, "name", text(hop->name));
	set(out, object, "asn", known_if(hop->asn != 0, hop->asn));
	set(out, object, "as_name", text(hop->as_name));
	set(out, object, "origins", origins_to_json(out, hop));
	set(out, object, "operator_asn", known_if(hop->operator_asn != 0, hop->operator_asn));
	set(out, object, "operator_reason", text(hop->operator_reason));
	set(out, object, "ixp", text(hop->ixp));
	set(out, object, "country", text_or_null(hop->country));
	set(out, object, "technique", word(&technique_words, (int)hop->technique));
	set(out, object, "certainty", word(&certainty_words, (int)hop->certainty));
	if (hop->protocol >= 0)
		set(out, object, "protocol", word(&protocol_words, hop->protocol));
	set(out, object, "age_s", json_real(hop->age_s));
	set(out, object, "rtt_ms", rtt_to_json(out, hop));
	set(out, object, "sent", json_integer(hop->sent));
	set(out, object, "received", json_integer(hop->received));
	if (hop->by_packet)
		set(out, object, "by_packet", json_true());
	if (hop->incomplete)
		set(out, object, "incomplete", json_true());
	set(out, object, "probes", probes);
	return object;
}

/* A field that the protocol does not have, or that nobody told us, is null. */
static json_t *flow_to_json(struct out *out, const struct path *path)
{
	const struct flow *flow = &path->flow;
	bool icmp = path->protocol == PROBE_ICMP;
	bool ports = !icmp;
	bool echo = icmp && (flow->icmp_id || flow->icmp_checksum);
	json_t *object = json_object();
	set(out, object, "source_port", known_if(ports && flow->source_port, flow->source_port));
	set(out, object, "destination_port", known_if(ports && flow->destination_port, flow->destination_port));
	set(out, object, "flow_label", known_if(path->destination.family == 6 && flow->flow_label, flow->flow_label));
	set(out, object, "icmp_id", known_if(echo, flow->icmp_id));
	set(out, object, "icmp_checksum", known_if(echo, flow->icmp_checksum));
	if (path->tos >= 0)
		set(out, object, "tos", json_integer(path->tos));
	return object;
}

static json_t *edges_to_json(struct out *out, const struct path *path)
{
	json_t *edges = json_array();
	for (size_t i = 0; i < path->edge_count; i++) {
		const struct edge *edge = &path->edges[i];
		json_t *object = json_object();
		set(out, object, "from", address(edge->from));
		set(out, object, "to", address(edge->to));
		set(out, object, "ttl", json_integer(edge->ttl));
		set(out, object, "flows", json_integer(edge->flows));
		set(out, object, "sent", json_integer(edge->sent));
		set(out, object, "received", json_integer(edge->received));
		set(out, object, "rtt_ms", milliseconds(edge->rtt_ns));
		if (edge->source_port)
			set(out, object, "source_port", json_integer(edge->source_port));
		if (edge->destination_port)
			set(out, object, "destination_port", json_integer(edge->destination_port));
		if (edge->icmp_checksum)
			set(out, object, "icmp_checksum", json_integer(edge->icmp_checksum));
		append(out, edges, object);
	}
	return edges;
}

static json_t *multipath_to_json(struct out *out, const struct path *path)
{
	json_t *object = json_object();
	set(out, object, "confidence", json_real(path->confidence));
	set(out, object, "flows", json_integer(path->flow_count));
	return object;
}

static json_t *mtu_to_json(struct out *out, const struct path_mtu *mtu)
{
	json_t *object = json_object(), *steps = json_array();
	for (size_t i = 0; i < mtu->step_count; i++) {
		const struct mtu_step *step = &mtu->steps[i];
		json_t *element = json_object();
		set(out, element, "bytes", known_if(step->bytes != 0, step->bytes));
		set(out, element, "hop", known_if(step->ttl >= 0, step->ttl));
		set(out, element, "said_by", address(step->said_by));
		set(out, element, "said_bytes", known_if(step->said_bytes != 0, step->said_bytes));
		append(out, steps, element);
	}
	set(out, object, "bytes", known_if(mtu->bytes != 0, mtu->bytes));
	set(out, object, "sent", json_integer(mtu->sent));
	set(out, object, "received", json_integer(mtu->received));
	set(out, object, "steps", steps);
	return object;
}

static json_t *tries_to_json(struct out *out, const struct path *path)
{
	json_t *tries = json_array();
	for (size_t i = 0; i < path->try_count; i++) {
		const struct path_try *attempt = &path->tries[i];
		bool traced = attempt->first_ttl > 0;
		json_t *object = json_object();
		set(out, object, "protocol", word(&protocol_words, (int)attempt->protocol));
		set(out, object, "destination_port",
			known_if(attempt->destination_port != 0, attempt->destination_port));
		set(out, object, "first_ttl", known_if(traced, attempt->first_ttl));
		set(out, object, "last_ttl", known_if(traced, attempt->last_ttl));
		set(out, object, "sent", json_integer(attempt->sent));
		set(out, object, "received", json_integer(attempt->received));
		set(out, object, "reached", json_boolean(attempt->reached));
		append(out, tries, object);
	}
	return tries;
}

static json_t *vantage_to_json(struct out *out, const struct vantage *vantage)
{
	json_t *object = json_object();
	set(out, object, "name", text(vantage->name));
	set(out, object, "address", address(vantage->address));
	set(out, object, "asn", known_if(vantage->asn != 0, vantage->asn));
	set(out, object, "distance", word(&vantage_distance_words, (int)vantage->distance));
	return object;
}

static json_t *path_to_json(struct out *out, const struct path *path)
{
	if (!path)
		return json_null();
	json_t *object = json_object();
	json_t *hops = json_array();
	for (size_t i = 0; i < path->hop_count; i++)
		append(out, hops, hop_to_json(out, &path->hops[i]));
	set(out, object, "direction", word(&direction_words, (int)path->direction));
	set(out, object, "method", text(path->method));
	set(out, object, "protocol", word(&protocol_words, (int)path->protocol));
	set(out, object, "source", address(path->source));
	set(out, object, "destination", address(path->destination));
	set(out, object, "flow", flow_to_json(out, path));
	set(out, object, "reached", json_boolean(path->reached));
	set(out, object, "stop_reason", word(&stop_reason_words, (int)path->stop_reason));
	set(out, object, "started_at", wall_time(path->started_wall_ns));
	set(out, object, "duration_ms", milliseconds(path->duration_ns));
	set(out, object, "probes_sent", json_integer(path->probes_sent));
	set(out, object, "replies_received", json_integer(path->replies_received));
	set(out, object, "hops", hops);
	if (path->confidence > 0)
		set(out, object, "multipath", multipath_to_json(out, path));
	if (path->edge_count > 0 || path->confidence > 0)
		set(out, object, "edges", edges_to_json(out, path));
	if (path->mtu.measured)
		set(out, object, "mtu", mtu_to_json(out, &path->mtu));
	if (path->try_count > 0)
		set(out, object, "tries", tries_to_json(out, path));
	if (path->vantage)
		set(out, object, "vantage", vantage_to_json(out, path->vantage));
	return object;
}

static json_t *attempts_to_json(struct out *out, const struct measurement *measurement)
{
	json_t *attempts = json_array();
	for (size_t i = 0; i < measurement->attempt_count; i++) {
		const struct attempt *attempt = &measurement->attempts[i];
		json_t *object = json_object();
		set(out, object, "method", text(attempt->method));
		set(out, object, "status", word(&attempt_status_words, (int)attempt->status));
		set(out, object, "detail", text(attempt->detail));
		set(out, object, "duration_ms", milliseconds(attempt->duration_ns));
		append(out, attempts, object);
	}
	return attempts;
}

static json_t *ternary(enum ternary value)
{
	return value == TERNARY_UNKNOWN ? json_null() : json_boolean(value == TERNARY_TRUE);
}

static json_t *numbers(struct out *out, const uint32_t *values, size_t count)
{
	json_t *array = json_array();
	for (size_t i = 0; i < count; i++)
		append(out, array, json_integer(values[i]));
	return array;
}

static json_t *alignment_to_json(struct out *out, const struct alignment *alignment)
{
	if (!alignment)
		return json_null();
	json_t *shared = json_array();
	for (size_t i = 0; i < alignment->shared_count; i++) {
		const struct shared_hop *hop = &alignment->shared[i];
		json_t *entry = json_object();
		set(out, entry, "forward_ttl", json_integer(hop->forward_ttl));
		set(out, entry, "reverse_ttl", json_integer(hop->reverse_ttl));
		set(out, entry, "by", word(&shared_by_words, (int)hop->by));
		append(out, shared, entry);
	}
	json_t *divergence = json_null();
	if (alignment->diverges) {
		int forward = alignment->divergence_forward_ttl, reverse = alignment->divergence_reverse_ttl;
		divergence = json_object();
		set(out, divergence, "forward_ttl", known_if(forward >= 0, forward));
		set(out, divergence, "reverse_ttl", known_if(reverse >= 0, reverse));
	}
	json_t *symmetric = json_object();
	set(out, symmetric, "router", ternary(alignment->router_symmetric));
	set(out, symmetric, "as", ternary(alignment->as_symmetric));
	json_t *object = json_object();
	set(out, object, "shared", shared);
	set(out, object, "first_divergence", divergence);
	set(out, object, "as_path_forward",
		numbers(out, alignment->as_path_forward, alignment->as_path_forward_count));
	set(out, object, "as_path_reverse",
		numbers(out, alignment->as_path_reverse, alignment->as_path_reverse_count));
	set(out, object, "symmetric", symmetric);
	return object;
}

static json_t *finding_to_json(struct out *out, const struct finding *finding)
{
	json_t *hops = json_array();
	for (size_t i = 0; i < finding->hop_count; i++)
		append(out, hops, json_integer(finding->hops[i]));
	json_t *evidence = json_array();
	for (size_t i = 0; i < finding->evidence_count; i++)
		append(out, evidence, text(finding->evidence[i]));
	json_t *object = json_object();
	set(out, object, "id", text(finding->id));
	set(out, object, "severity", word(&severity_words, (int)finding->severity));
	set(out, object, "confidence", word(&confidence_words, (int)finding->confidence));
	set(out, object, "direction", word(&direction_words, (int)finding->direction));
	set(out, object, "hops", hops);
	set(out, object, "summary", text(finding->summary));
	set(out, object, "evidence", evidence);
	set(out, object, "disproof", text(finding->disproof));
	set(out, object, "advice", text(finding->advice));
	return object;
}

static void set_ends(struct out *out, json_t *document, const struct measurement *measurement)
{
	json_t *tool = json_object();
	set(out, tool, "name", json_string("retour"));
	set(out, tool, "version", json_string(RETOUR_VERSION));
	set(out, document, "tool", tool);
	set(out, document, "command", text(measurement->command));
	set(out, document, "started_at", wall_time(measurement->started_wall_ns));
	set(out, document, "finished_at", wall_time(measurement->finished_wall_ns));
	json_t *source = json_object();
	set(out, source, "address", address(measurement->source));
	set(out, source, "name", text(measurement->source_name));
	set(out, source, "public_address", address(measurement->public_address));
	set(out, document, "source", source);
	json_t *target = json_object();
	set(out, target, "address", address(measurement->target));
	set(out, target, "name", text(measurement->target_name));
	set(out, document, "target", target);
}

json_t *measurement_to_json(const struct measurement *measurement)
{
	struct out out = {0};
	json_t *document = json_object();
	set(&out, document, "schema", json_string("retour/1"));
	set_ends(&out, document, measurement);
	set(&out, document, "forward", path_to_json(&out, measurement->forward));
	set(&out, document, "reverse", path_to_json(&out, measurement->reverse));
	set(&out, document, "reverse_attempts", attempts_to_json(&out, measurement));
	set(&out, document, "alignment", alignment_to_json(&out, measurement->alignment));
	json_t *findings = json_array();
	for (size_t i = 0; i < measurement->finding_count; i++)
		append(&out, findings, finding_to_json(&out, &measurement->findings[i]));
	set(&out, document, "findings", findings);
	if (measurement->directions)
		set(&out, document, "directions", directions_to_json(measurement->directions));
	if (!out.bad)
		return document;
	json_decref(document);
	return NULL;
}

static char *to_text(const struct measurement *measurement, size_t layout)
{
	json_t *document = measurement_to_json(measurement);
	/* 15 digits: no noise in the last places, and still nanoseconds for measurements of days. */
	char *text_form = document ? json_dumps(document, layout | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15)) : NULL;
	json_decref(document);
	return text_form;
}

char *measurement_to_text(const struct measurement *measurement)
{
	return to_text(measurement, JSON_INDENT(2));
}

char *measurement_to_line(const struct measurement *measurement)
{
	return to_text(measurement, JSON_COMPACT);
}
