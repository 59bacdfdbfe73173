/* One direction of a measurement: its hops with their probes, edges, sizes, tries. */
#include "base/clock.h"
#include "path/json.h"
#include "path/json_gaps.h"
#include "path/json_out.h"

static json_t *mpls_to_json(struct out *out, const struct probe_result *probe)
{
	json_t *labels = json_array();
	for (size_t i = 0; i < probe->mpls_count; i++) {
		const struct mpls_entry *entry = &probe->mpls[i];
		json_t *object = json_object();
		out_set(out, object, "label", json_integer(entry->label));
		out_set(out, object, "tc", json_integer(entry->traffic_class));
		out_set(out, object, "s", json_integer(entry->bottom));
		out_set(out, object, "ttl", json_integer(entry->ttl));
		out_append(out, labels, object);
	}
	return labels;
}

static json_t *interface_to_json(struct out *out, const struct interface_info *interface)
{
	json_t *object = json_object();
	out_set(out, object, "role", out_word(&interface_role_words, interface->role));
	out_set(out, object, "index", out_known_if(interface->index != 0, interface->index));
	out_set(out, object, "address", out_address(interface->address));
	out_set(out, object, "mtu", out_known_if(interface->mtu != 0, interface->mtu));
	out_set(out, object, "name", out_text_or_null(interface->name));
	return object;
}

static json_t *reply_to_json(struct out *out, const struct reply_header *reply)
{
	if (reply->tos < 0 && reply->id < 0 && reply->size < 0)
		return json_null();
	json_t *object = json_object();
	out_set(out, object, "tos", out_known(reply->tos));
	out_set(out, object, "ip_id", out_known(reply->id));
	out_set(out, object, "size_bytes", out_known(reply->size));
	return object;
}

static json_t *quoted_to_json(struct out *out, const struct quoted_header *quoted)
{
	if (quoted->tos < 0 && !addr_is_set(quoted->source) && quoted->source_port < 0)
		return json_null();
	json_t *object = json_object();
	out_set(out, object, "tos", out_known(quoted->tos));
	out_set(out, object, "ip_id", out_known(quoted->id));
	out_set(out, object, "size_bytes", out_known(quoted->size));
	out_set(out, object, "source", out_address(quoted->source));
	out_set(out, object, "destination", out_address(quoted->destination));
	out_set(out, object, "source_port", out_known(quoted->source_port));
	out_set(out, object, "destination_port", out_known(quoted->destination_port));
	out_set(out, object, "checksum", out_known(quoted->checksum));
	out_set(out, object, "checksum_changed", json_boolean(quoted->checksum_changed));
	return object;
}

/* What this probe had of its own: only members that differ from the path's flow. */
static void own_flow_to_json(struct out *out, json_t *object, const struct probe_result *probe)
{
	if (probe->source_port)
		out_set(out, object, "source_port", json_integer(probe->source_port));
	if (probe->destination_port)
		out_set(out, object, "destination_port", json_integer(probe->destination_port));
	if (probe->icmp_checksum)
		out_set(out, object, "icmp_checksum", json_integer(probe->icmp_checksum));
	if (probe->size)
		out_set(out, object, "size_bytes", json_integer(probe->size));
}

static json_t *probe_to_json(struct out *out, const struct probe_result *probe)
{
	json_t *object = json_object();
	json_t *icmp = json_null();
	if (probe->icmp_type >= 0) {
		icmp = json_object();
		out_set(out, icmp, "type", json_integer(probe->icmp_type));
		out_set(out, icmp, "code", out_known_if(probe->icmp_code >= 0, probe->icmp_code));
	}
	out_set(out, object, "sent_ms", json_real(ns_to_ms(probe->sent_ns)));
	out_set(out, object, "rtt_ms", out_milliseconds(probe->rtt_ns));
	out_set(out, object, "address", out_address(probe->address));
	out_set(out, object, "icmp", icmp);
	out_set(out, object, "mark", out_text_or_null(probe->mark));
	out_set(out, object, "tcp_flags", out_known_if(probe->tcp_flags != 0, probe->tcp_flags));
	out_set(out, object, "mtu", out_known_if(probe->mtu != 0, probe->mtu));
	out_set(out, object, "reply_ttl", out_known(probe->reply.ttl));
	out_set(out, object, "quoted_ttl", out_known(probe->quoted.ttl));
	out_set(out, object, "reply", reply_to_json(out, &probe->reply));
	out_set(out, object, "quoted", quoted_to_json(out, &probe->quoted));
	own_flow_to_json(out, object, probe);
	out_set(out, object, "mpls", mpls_to_json(out, probe));
	out_set(out, object, "interface",
		probe->has_interface ? interface_to_json(out, &probe->interface) : json_null());
	return object;
}

json_t *probe_result_to_json(const struct probe_result *probe)
{
	struct out out = {0};
	json_t *object = probe_to_json(&out, probe);
	if (!out.bad)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *rtt_to_json(struct out *out, const struct hop *hop)
{
	if (hop->rtt_min_ns == RTT_NONE)
		return json_null();
	json_t *object = json_object();
	out_set(out, object, "min", out_milliseconds(hop->rtt_min_ns));
	out_set(out, object, "median", out_milliseconds(hop->rtt_median_ns));
	out_set(out, object, "max", out_milliseconds(hop->rtt_max_ns));
	return object;
}

static json_t *origins_to_json(struct out *out, const struct hop *hop)
{
	json_t *origins = json_array();
	if (hop->origin_count == 0 && hop->asn != 0)
		out_append(out, origins, json_integer(hop->asn));
	for (size_t i = 0; i < hop->origin_count; i++)
		out_append(out, origins, json_integer(hop->origins[i]));
	return origins;
}

static json_t *hop_to_json(struct out *out, const struct hop *hop)
{
	json_t *object = json_object();
	json_t *addresses = json_array();
	for (size_t i = 0; i < hop->address_count; i++)
		out_append(out, addresses, out_address(hop->addresses[i]));
	json_t *probes = json_array();
	for (size_t i = 0; i < hop->probe_count; i++)
		out_append(out, probes, probe_to_json(out, &hop->probes[i]));
	out_set(out, object, "ttl", out_known_if(hop->ttl >= 0, hop->ttl));
	out_set(out, object, "address", out_address(hop->address));
	out_set(out, object, "addresses", addresses);
	out_set(out, object, "name", out_text(hop->name));
	out_set(out, object, "asn", out_known_if(hop->asn != 0, hop->asn));
	out_set(out, object, "as_name", out_text(hop->as_name));
	out_set(out, object, "origins", origins_to_json(out, hop));
	out_set(out, object, "operator_asn", out_known_if(hop->operator_asn != 0, hop->operator_asn));
	out_set(out, object, "operator_reason", out_text(hop->operator_reason));
	out_set(out, object, "ixp", out_text(hop->ixp));
	out_set(out, object, "country", out_text_or_null(hop->country));
	out_set(out, object, "technique", out_word(&technique_words, (int)hop->technique));
	out_set(out, object, "certainty", out_word(&certainty_words, (int)hop->certainty));
	if (hop->protocol >= 0)
		out_set(out, object, "protocol", out_word(&protocol_words, hop->protocol));
	out_set(out, object, "age_s", json_real(hop->age_s));
	if (hop->probability > 0)
		out_set(out, object, "probability", json_real(hop->probability));
	if (hop->by_origin)
		out_set(out, object, "by_origin", json_true());
	out_set(out, object, "rtt_ms", rtt_to_json(out, hop));
	out_set(out, object, "sent", json_integer(hop->sent));
	out_set(out, object, "received", json_integer(hop->received));
	if (hop->by_packet)
		out_set(out, object, "by_packet", json_true());
	if (hop->incomplete)
		out_set(out, object, "incomplete", json_true());
	out_set(out, object, "probes", probes);
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
	out_set(out, object, "source_port", out_known_if(ports && flow->source_port, flow->source_port));
	out_set(out, object, "destination_port",
		out_known_if(ports && flow->destination_port, flow->destination_port));
	out_set(out, object, "flow_label",
		out_known_if(path->destination.family == 6 && flow->flow_label, flow->flow_label));
	out_set(out, object, "icmp_id", out_known_if(echo, flow->icmp_id));
	out_set(out, object, "icmp_checksum", out_known_if(echo, flow->icmp_checksum));
	if (path->tos >= 0)
		out_set(out, object, "tos", json_integer(path->tos));
	return object;
}

static json_t *branch_test_to_json(struct out *out, const struct branch_test *test)
{
	json_t *object = json_object();
	out_set(out, object, "sent", json_integer(test->sent));
	out_set(out, object, "received", json_integer(test->received));
	out_set(out, object, "rtt_ms", out_milliseconds(test->rtt_ns));
	out_set(out, object, "others_sent", json_integer(test->others_sent));
	out_set(out, object, "others_received", json_integer(test->others_received));
	out_set(out, object, "others_rtt_ms", out_milliseconds(test->others_rtt_ns));
	return object;
}

static json_t *edges_to_json(struct out *out, const struct path *path)
{
	json_t *edges = json_array();
	for (size_t i = 0; i < path->edge_count; i++) {
		const struct edge *edge = &path->edges[i];
		json_t *object = json_object();
		out_set(out, object, "from", out_address(edge->from));
		out_set(out, object, "to", out_address(edge->to));
		out_set(out, object, "ttl", json_integer(edge->ttl));
		out_set(out, object, "flows", json_integer(edge->flows));
		out_set(out, object, "sent", json_integer(edge->sent));
		out_set(out, object, "received", json_integer(edge->received));
		out_set(out, object, "rtt_ms", out_milliseconds(edge->rtt_ns));
		if (edge->source_port)
			out_set(out, object, "source_port", json_integer(edge->source_port));
		if (edge->destination_port)
			out_set(out, object, "destination_port", json_integer(edge->destination_port));
		if (edge->icmp_checksum)
			out_set(out, object, "icmp_checksum", json_integer(edge->icmp_checksum));
		if (edge->test.sent > 0)
			out_set(out, object, "test", branch_test_to_json(out, &edge->test));
		out_append(out, edges, object);
	}
	return edges;
}

static json_t *multipath_to_json(struct out *out, const struct path *path)
{
	json_t *object = json_object();
	out_set(out, object, "confidence", json_real(path->confidence));
	out_set(out, object, "flows", json_integer(path->flow_count));
	return object;
}

static json_t *mtu_to_json(struct out *out, const struct path_mtu *mtu)
{
	json_t *object = json_object(), *steps = json_array();
	for (size_t i = 0; i < mtu->step_count; i++) {
		const struct mtu_step *step = &mtu->steps[i];
		json_t *element = json_object();
		out_set(out, element, "bytes", out_known_if(step->bytes != 0, step->bytes));
		out_set(out, element, "hop", out_known_if(step->ttl >= 0, step->ttl));
		out_set(out, element, "said_by", out_address(step->said_by));
		out_set(out, element, "said_bytes", out_known_if(step->said_bytes != 0, step->said_bytes));
		out_append(out, steps, element);
	}
	out_set(out, object, "bytes", out_known_if(mtu->bytes != 0, mtu->bytes));
	out_set(out, object, "sent", json_integer(mtu->sent));
	out_set(out, object, "received", json_integer(mtu->received));
	out_set(out, object, "steps", steps);
	return object;
}

static json_t *tries_to_json(struct out *out, const struct path *path)
{
	json_t *tries = json_array();
	for (size_t i = 0; i < path->try_count; i++) {
		const struct path_try *attempt = &path->tries[i];
		bool traced = attempt->first_ttl > 0;
		json_t *object = json_object();
		out_set(out, object, "protocol", out_word(&protocol_words, (int)attempt->protocol));
		out_set(out, object, "destination_port",
			out_known_if(attempt->destination_port != 0, attempt->destination_port));
		out_set(out, object, "first_ttl", out_known_if(traced, attempt->first_ttl));
		out_set(out, object, "last_ttl", out_known_if(traced, attempt->last_ttl));
		out_set(out, object, "sent", json_integer(attempt->sent));
		out_set(out, object, "received", json_integer(attempt->received));
		out_set(out, object, "reached", json_boolean(attempt->reached));
		out_append(out, tries, object);
	}
	return tries;
}

static json_t *vantage_to_json(struct out *out, const struct vantage *vantage)
{
	json_t *object = json_object();
	out_set(out, object, "name", out_text(vantage->name));
	out_set(out, object, "address", out_address(vantage->address));
	out_set(out, object, "asn", out_known_if(vantage->asn != 0, vantage->asn));
	out_set(out, object, "distance", out_word(&vantage_distance_words, (int)vantage->distance));
	return object;
}

json_t *path_to_json(struct out *out, const struct path *path)
{
	if (!path)
		return json_null();
	json_t *object = json_object();
	json_t *hops = json_array();
	for (size_t i = 0; i < path->hop_count; i++)
		out_append(out, hops, hop_to_json(out, &path->hops[i]));
	out_set(out, object, "direction", out_word(&direction_words, (int)path->direction));
	out_set(out, object, "method", out_text(path->method));
	out_set(out, object, "protocol", out_word(&protocol_words, (int)path->protocol));
	out_set(out, object, "source", out_address(path->source));
	out_set(out, object, "destination", out_address(path->destination));
	out_set(out, object, "flow", flow_to_json(out, path));
	out_set(out, object, "reached", json_boolean(path->reached));
	out_set(out, object, "stop_reason", out_word(&stop_reason_words, (int)path->stop_reason));
	out_set(out, object, "started_at", out_wall_time(path->started_wall_ns));
	out_set(out, object, "duration_ms", out_milliseconds(path->duration_ns));
	out_set(out, object, "probes_sent", json_integer(path->probes_sent));
	out_set(out, object, "replies_received", json_integer(path->replies_received));
	out_set(out, object, "hops", hops);
	if (path->confidence > 0)
		out_set(out, object, "multipath", multipath_to_json(out, path));
	if (path->edge_count > 0 || path->confidence > 0)
		out_set(out, object, "edges", edges_to_json(out, path));
	if (path->mtu.measured)
		out_set(out, object, "mtu", mtu_to_json(out, &path->mtu));
	if (path->try_count > 0)
		out_set(out, object, "tries", tries_to_json(out, path));
	if (path->gap_count > 0)
		out_set(out, object, "suspected_gaps", gaps_to_json(out, path));
	if (path->vantage)
		out_set(out, object, "vantage", vantage_to_json(out, path->vantage));
	return object;
}
