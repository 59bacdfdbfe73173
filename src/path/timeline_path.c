/* The present way of a timeline as a path of the document. */
#include <stdlib.h>
#include <string.h>

#include "path/timeline.h"

/* Of several flows the first: the addresses that are shown make up one way that there is. */
static const struct responder *shown_at(const struct timeline *timeline, unsigned ttl)
{
	const struct responder *shown =
		timeline->flow_count > 0 ? timeline_shown(timeline->flows[0]->hops[ttl]) : NULL;
	return shown ? shown : timeline_shown(timeline->hops[ttl]);
}

static int add_addresses(struct hop *hop, const struct timeline_hop *from, const struct responder *shown)
{
	if (!shown)
		return 0;
	hop->address = shown->address;
	if (hop_add_address(hop, shown->address) < 0)
		return -1;
	for (size_t i = 0; i < from->responder_count; i++)
		if (from->responders[i].state == RESPONDER_NOW &&
			hop_add_address(hop, from->responders[i].address) < 0)
			return -1;
	return 0;
}

/* The kept samples, oldest first. Who answered is only known for certain where one address does. */
static int add_samples(struct hop *hop, const struct timeline_hop *from, int64_t since_ns)
{
	for (size_t back = samples_kept(&from->samples); back > 0; back--) {
		struct sample sample = samples_get(&from->samples, back - 1);
		if (sample.at_ns < since_ns)
			continue;
		struct probe_result *probe = hop_add_probe(hop);
		if (!probe)
			return -1;
		probe->sent_ns = sample.at_ns;
		probe->rtt_ns = sample.rtt_ns;
		if (sample.rtt_ns != RTT_NONE && hop->address_count == 1)
			probe->address = hop->address;
	}
	return 0;
}

/* What is known of the last answer; and as many of the last answers as were refusals say so. */
static void add_particulars(struct hop *hop, const struct timeline_hop *from, const struct responder *shown)
{
	unsigned refusals = shown && shown->mark[0] ? from->refused : 0, answers = 0;
	for (size_t i = hop->probe_count; shown && i > 0; i--) {
		struct probe_result *probe = &hop->probes[i - 1];
		if (probe->rtt_ns == RTT_NONE)
			continue;
		if (answers == 0) {
			probe->mpls_count = shown->mpls_count;
			memcpy(probe->mpls, shown->mpls, sizeof(probe->mpls));
			probe->reply.ttl = shown->reply_ttl;
		}
		if (answers == 0 || answers < refusals) {
			memcpy(probe->mark, shown->mark, sizeof(probe->mark));
			probe->icmp_type = shown->icmp_type;
			probe->icmp_code = shown->icmp_code;
			probe->address = shown->address;
		}
		answers++;
	}
}

static int add_hop(struct path *path, const struct timeline *timeline, unsigned ttl)
{
	const struct timeline_hop *from = timeline->hops[ttl];
	struct hop *hop = path_add_hop(path, (int)ttl, TECHNIQUE_TTL);
	if (!hop)
		return -1;
	hop->rtt_min_ns = hop->rtt_median_ns = hop->rtt_max_ns = RTT_NONE;
	if (!from)
		return 0;
	const struct responder *shown = shown_at(timeline, ttl);
	if (add_addresses(hop, from, shown) < 0 || add_samples(hop, from, from->since_ns) < 0)
		return -1;
	add_particulars(hop, from, shown);
	hop->sent = series_settled(&from->now);
	hop->received = from->now.received;
	hop->rtt_min_ns = from->now.best_ns;
	hop->rtt_max_ns = from->now.worst_ns;
	hop->rtt_median_ns = timeline_quantile_ns(from, 0.5);
	return 0;
}

/* Where nothing answers any more, the silent hops that were tried belong to the path: they are the evidence.
 */
static unsigned last_tried(const struct timeline *timeline)
{
	unsigned last = timeline_last(timeline);
	for (unsigned ttl = last + 1; !timeline->end && !timeline->refusal && ttl <= TIMELINE_TTL_MAX; ttl++)
		if (timeline->hops[ttl] && timeline->hops[ttl]->total.lost > 0)
			last = ttl;
	return last;
}

struct path *timeline_path(const struct timeline *timeline, int64_t started_wall_ns)
{
	struct path *path = path_new(DIRECTION_FORWARD, "ttl");
	if (!path)
		return NULL;
	path->started_wall_ns = started_wall_ns;
	path->duration_ns = timeline->now_ns;
	path->reached = timeline->end != 0;
	path->stop_reason = timeline->end ? STOP_REACHED
		: timeline->refusal	  ? STOP_UNREACHABLE
					  : STOP_GAP_LIMIT;
	path->probes_sent = timeline->sent;
	path->replies_received = timeline->answered;
	unsigned first = 1, last = last_tried(timeline);
	while (first < last && !timeline->hops[first])
		first++;
	for (unsigned ttl = first; ttl <= last; ttl++) {
		if (add_hop(path, timeline, ttl) == 0)
			continue;
		path_free(path);
		return NULL;
	}
	return path;
}
