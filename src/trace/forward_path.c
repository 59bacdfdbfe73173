/* What a forward trace found, as a path. */
#include "trace/forward.h"

#include "base/clock.h"
#include "base/compiler.h"
#include "trace/result.h"

static struct addr answer_at(const struct trace *trace, unsigned ttl)
{
	for (unsigned i = 0; i < trace->hops[ttl].sent; i++)
		if (trace->hops[ttl].probes[i].rtt_ns != RTT_NONE)
			return trace->hops[ttl].probes[i].address;
	return ADDR_NONE;
}

/* Do the hops up to `last_ttl` run in a circle of at least two routers, three times around? Once could be a
 * router that answers under another's address; three times, in one flow, is a loop. */
bool trace_repeats(const struct trace *trace, unsigned last_ttl)
{
	for (unsigned length = 2; length <= 6; length++) {
		if (last_ttl < trace->config.first_ttl + 3 * length - 1)
			return false;
		unsigned same = 0;
		for (unsigned ttl = last_ttl; same < 2 * length; ttl--, same++) {
			struct addr addr = answer_at(trace, ttl);
			if (!addr_is_set(addr) || !addr_equal(addr, answer_at(trace, ttl - length)))
				break;
		}
		bool one_router = addr_equal(answer_at(trace, last_ttl), answer_at(trace, last_ttl - 1));
		if (same == 2 * length && !one_router)
			return true;
	}
	return false;
}

bool trace_accepted(const struct trace *trace, unsigned ttl)
{
	const struct trace_hop *hop = &trace->hops[ttl];
	if (trace->config.protocol != PROBE_TCP || trace->config.flow.source_port == 0)
		return false; /* without privilege each probe has a port of its own */
	for (unsigned i = 0; i < hop->sent; i++)
		if (result_accepts(&hop->probes[i]))
			return true;
	return false;
}

/* Both are on their way at once, and `first` was there first. */
static bool overlaps(const struct probe_result *first, const struct probe_result *probe)
{
	return result_accepts(first) && first->sent_ns <= probe->sent_ns &&
		probe->sent_ns < first->sent_ns + first->rtt_ns;
}

bool trace_swallowed(const struct trace *trace, unsigned ttl, unsigned index)
{
	const struct probe_result *probe = &trace->hops[ttl].probes[index];
	if (ttl != trace->end || probe->rtt_ns != RTT_NONE || !trace_accepted(trace, ttl))
		return false;
	if (overlaps(&trace->distance_probe, probe))
		return true;
	for (unsigned beyond = ttl; beyond <= trace->explored; beyond++)
		for (unsigned i = 0; i < trace->hops[beyond].sent; i++)
			if (overlaps(&trace->hops[beyond].probes[i], probe))
				return true;
	return false;
}

/* The end answered the distance probe and said exactly how far that got, but none of the probes that would
 * have died there: it limits its replies. */
static bool only_distance_answered(const struct trace *trace)
{
	return !trace->end && trace->distance_exact && trace->explored >= trace->distance;
}

/* The hop limit of the last hop to report. */
static unsigned last_hop(const struct trace *trace)
{
	if (only_distance_answered(trace))
		return trace->distance;
	return trace->end ? trace->end : trace->explored;
}

static enum stop_reason reason_of(const struct trace *trace)
{
	unsigned last = last_hop(trace);
	if (only_distance_answered(trace))
		return trace->distance_reached ? STOP_REACHED : STOP_UNREACHABLE;
	if (trace->end && trace->hops[trace->end].reached)
		return STOP_REACHED;
	if (trace->end)
		return STOP_UNREACHABLE;
	if (trace->finished_ns == TIME_NEVER || trace->send_errors > 0)
		return STOP_INTERRUPTED;
	if (trace->looping)
		return STOP_LOOP;
	return last >= trace->config.max_ttl && trace->highest + trace->config.gap_limit > last
		? STOP_MAX_HOPS
		: STOP_GAP_LIMIT;
}

static int add_probe(struct hop *hop, const struct probe_result *from)
{
	struct probe_result *probe = hop_add_probe(hop);
	if (!probe)
		return -1;
	*probe = *from;
	return 0;
}

static int add_hop(struct path *path, const struct trace *trace, unsigned ttl)
{
	const struct trace_hop *from = &trace->hops[ttl];
	struct hop *hop = path_add_hop(path, (int)ttl, TECHNIQUE_TTL);
	if (!hop)
		return -1;
	for (unsigned i = 0; i < from->sent; i++)
		if (!trace_swallowed(trace, ttl, i) && add_probe(hop, &from->probes[i]) < 0)
			return -1;
	return 0;
}

struct path *trace_path(const struct trace *trace, int64_t wall_ns, int64_t now_ns)
{
	struct path *path = path_new(DIRECTION_FORWARD, "ttl");
	if (!path)
		return NULL;
	path->protocol = trace->config.protocol;
	path->source = trace->config.source;
	path->destination = trace->config.destination;
	path->flow = trace->config.flow;
	path->tos = trace->config.tos;
	path->started_wall_ns = wall_ns;
	if (trace->started_ns != TIME_NEVER)
		path->duration_ns =
			(trace->finished_ns != TIME_NEVER ? trace->finished_ns : now_ns) - trace->started_ns;
	path->stop_reason = reason_of(trace);
	path->reached = path->stop_reason == STOP_REACHED;
	for (unsigned ttl = trace->config.first_ttl; ttl <= last_hop(trace); ttl++)
		if (add_hop(path, trace, ttl) < 0)
			goto fail;
	if (only_distance_answered(trace) &&
		add_probe(&path->hops[path->hop_count - 1], &trace->distance_probe) < 0)
		goto fail;
	if (path_summarise(path) < 0)
		goto fail;
	path->probes_sent = trace->probes_sent;
	path->replies_received = trace->replies_received;
	return path;
fail:
	path_free(path);
	return NULL;
}
