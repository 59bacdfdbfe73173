/* What the exploration found, as a path with edges. */
#include <stdlib.h>

#include "base/clock.h"
#include "trace/multipath_inside.h"

static unsigned last_hop(const struct multipath *mp)
{
	unsigned last = 0, asked = 0;
	for (unsigned flow = 0; flow < mp->flows_used; flow++)
		last = MAX(last, mp->flows[flow].end);
	for (unsigned ttl = mp->config.first_ttl; ttl <= mp->config.max_ttl; ttl++)
		if (mp->hops[ttl].asked > 0)
			asked = ttl;
	return last ? MAX(last, mp->highest) : asked;
}

static enum stop_reason reason_of(const struct multipath *mp)
{
	bool ended = false, reached = false, looping = false;
	for (unsigned flow = 0; flow < mp->flows_used; flow++) {
		reached |= mp->flows[flow].reached;
		looping |= mp->flows[flow].looping;
		ended |= mp->flows[flow].end != 0;
	}
	if (reached)
		return STOP_REACHED;
	if (mp->finished_ns == TIME_NEVER || mp->send_errors > 0)
		return STOP_INTERRUPTED;
	if (ended)
		return looping ? STOP_LOOP : STOP_UNREACHABLE;
	return mp->explored >= mp->config.max_ttl && mp->highest + mp->config.gap_limit > mp->explored
		? STOP_MAX_HOPS
		: STOP_GAP_LIMIT;
}

/* A probe beyond the end of its own flow tells nothing about the hop limit it was sent with. */
static bool belongs(const struct multipath *mp, const struct mp_probe *probe)
{
	unsigned end = mp->flows[probe->flow].end;
	return end == 0 || probe->ttl <= end;
}

/* What is told, and from which hop limits on no link can be claimed. */
struct tale {
	const struct multipath *mp;
	bool unsettled[UINT8_MAX + 2]; /* by hop limit */
};

bool mp_deals(const struct multipath *mp, unsigned ttl)
{
	for (unsigned flow = 0; flow < mp->flows_used; flow++) {
		const struct cell *cell = mp_cell(mp, ttl, flow);
		if (cell->state == CELL_KNOWN && cell->vertex != cell->other)
			return true;
	}
	return false;
}

static int add_hop(struct path *path, const struct multipath *mp, unsigned ttl)
{
	struct hop *hop = path_add_hop(path, (int)ttl, TECHNIQUE_TTL);
	if (!hop)
		return -1;
	hop->by_packet = mp_deals(mp, ttl);
	hop->incomplete = mp->hops[ttl].gave_up;
	for (unsigned i = 0; i < mp->probe_count; i++) {
		if (mp->probes[i].ttl != ttl || !belongs(mp, &mp->probes[i]))
			continue;
		struct probe_result *probe = hop_add_probe(hop);
		if (!probe)
			return -1;
		*probe = mp->probes[i].result;
	}
	return 0;
}

/* ---- edges ---- */

/* One router only, and for every flow the same. */
static bool is_narrow(const struct multipath *mp, unsigned ttl)
{
	uint16_t only = NO_CLASS;
	for (unsigned flow = 0; flow < mp->flows_used; flow++) {
		const struct cell *cell = mp_cell(mp, ttl, flow);
		bool beyond = mp->flows[flow].end != 0 && ttl > mp->flows[flow].end;
		if (cell->state != CELL_KNOWN || beyond)
			continue;
		if (cell->vertex != cell->other || (only != NO_CLASS && only != cell->vertex))
			return false;
		only = cell->vertex;
	}
	return true;
}

/* From where ways part to where they have joined again: if packets are dealt out anywhere in between, two
 * answers to one flow may have come from two ways, and links that begin there are not certain. */
static void find_unsettled(struct tale *tale, unsigned last)
{
	const struct multipath *mp = tale->mp;
	for (unsigned first = mp->config.first_ttl; first <= last; first++) {
		unsigned end = first;
		bool dealt = false;
		for (; end <= last && !is_narrow(mp, end); end++)
			dealt |= mp_deals(mp, end);
		for (unsigned ttl = first; ttl < end; ttl++)
			tale->unsettled[ttl] = dealt;
		first = MAX(first, end > first ? end - 1 : first);
	}
}

/* Does a flow see this router here and at the next hop limit once more? Then something before it passes
 * packets on without taking of their lifetime and does not show itself: the last router of a tunnel that
 * hides its inside, and takes off the label itself. Whoever shows before is no neighbour. */
static bool shows_again(const struct multipath *mp, unsigned ttl, struct addr address)
{
	for (unsigned flow = 0; flow < mp->flows_used; flow++) {
		const struct cell *here = mp_cell(mp, ttl, flow), *next = mp_cell(mp, ttl + 1, flow);
		if (here->state == CELL_KNOWN && next->state == CELL_KNOWN && here->vertex == next->vertex &&
			here->vertex == here->other && next->vertex == next->other &&
			!mp->vertices[here->vertex].end &&
			addr_equal(mp->vertices[here->vertex].address, address))
			return true;
	}
	return false;
}

/* The same right before the destination, where nobody asks for the next hop limit: packets with lifetime to
 * spare lose more of it than the destination's place in the list says. Answers without a quote (echo, TCP) do
 * not tell. */
static bool ends_too_early(const struct multipath *mp, unsigned ttl, unsigned flow)
{
	unsigned end = mp->flows[0].end;
	return mp->distance_exact && end != 0 && mp->distance > end && mp->flows[flow].end == end &&
		ttl + 1 == end;
}

/* Both ends of what this flow went over between two hop limits; false where that is not certain. */
static bool link_of(const struct tale *tale, unsigned ttl, unsigned flow, uint16_t *from, uint16_t *to)
{
	const struct multipath *mp = tale->mp;
	const struct cell *left = mp_cell(mp, ttl, flow), *right = mp_cell(mp, ttl + 1, flow);
	unsigned end = mp->flows[flow].end;
	if (left->state != CELL_KNOWN || right->state != CELL_KNOWN || (end != 0 && ttl >= end))
		return false;
	*from = left->vertex;
	*to = right->vertex;
	/* Who shows twice is not behind itself: it forwards without lifetime, or refuses what it should
	 * forward. */
	return !addr_equal(mp->vertices[*from].address, mp->vertices[*to].address) && !right->distorted &&
		!tale->unsettled[ttl] && right->vertex == right->other &&
		!shows_again(mp, ttl + 1, mp->vertices[*to].address) && !ends_too_early(mp, ttl, flow);
}

static struct edge *edge_between(struct path *path, struct addr from, struct addr to, unsigned ttl)
{
	for (size_t i = 0; i < path->edge_count; i++) {
		struct edge *edge = &path->edges[i];
		if (edge->ttl == (int)ttl && addr_equal(edge->from, from) && addr_equal(edge->to, to))
			return edge;
	}
	struct edge *edge = path_add_edge(path);
	if (!edge)
		return NULL;
	edge->from = from;
	edge->to = to;
	edge->ttl = (int)ttl;
	return edge;
}

static int count_flow(struct path *path, const struct multipath *mp, unsigned ttl, unsigned flow,
	uint16_t from, uint16_t to)
{
	const struct cell *cell = mp_cell(mp, ttl, flow);
	struct edge *edge = edge_between(path, mp->vertices[from].address, mp->vertices[to].address, ttl);
	if (!edge)
		return -1;
	if (edge->flows++ == 0) {
		if (path->protocol == PROBE_ICMP)
			edge->icmp_checksum = mp->flows[flow].flow.icmp_checksum;
		else if (mp->prober.ask)
			edge->destination_port = mp->flows[flow].flow.destination_port;
		else
			edge->source_port = mp->flows[flow].flow.source_port;
	}
	edge->sent += cell->asked;
	edge->received += cell->answered;
	return 0;
}

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

/* The middle one of the round trips of the flows that go over the edge. */
static int time_edge(const struct tale *tale, struct edge *edge)
{
	const struct multipath *mp = tale->mp;
	size_t count = 0;
	int64_t *times = calloc(mp->probe_count, sizeof(*times));
	if (!times)
		return -1;
	for (unsigned i = 0; i < mp->probe_count; i++) {
		const struct mp_probe *probe = &mp->probes[i];
		uint16_t from, to;
		if (probe->ttl == edge->ttl && probe->result.rtt_ns != RTT_NONE &&
			link_of(tale, probe->ttl - 1u, probe->flow, &from, &to) &&
			addr_equal(mp->vertices[from].address, edge->from) &&
			addr_equal(mp->vertices[to].address, edge->to))
			times[count++] = probe->result.rtt_ns;
	}
	qsort(times, count, sizeof(*times), compare_ns);
	if (count > 0)
		edge->rtt_ns = times[count / 2];
	free(times);
	return 0;
}

/* The far ends of a hop that deals out packets: all answers are draws of one and the same router before it.
 */
static int add_dealt(struct path *path, const struct tale *tale, unsigned ttl, unsigned flow)
{
	const struct multipath *mp = tale->mp;
	const struct cell *left = mp_cell(mp, ttl, flow), *right = mp_cell(mp, ttl + 1, flow);
	unsigned end = mp->flows[flow].end;
	if (left->state != CELL_KNOWN || right->state != CELL_KNOWN || right->vertex == right->other ||
		(end != 0 && ttl >= end) || tale->unsettled[ttl] || right->distorted)
		return 0;
	for (unsigned i = 0; i < mp->probe_count; i++) {
		const struct mp_probe *probe = &mp->probes[i];
		if (probe->ttl != ttl + 1 || probe->flow != flow || probe->result.rtt_ns == RTT_NONE ||
			addr_equal(probe->result.address, mp->vertices[left->vertex].address) ||
			shows_again(mp, ttl + 1, probe->result.address))
			continue;
		struct edge *edge = edge_between(
			path, mp->vertices[left->vertex].address, probe->result.address, ttl + 1);
		if (!edge)
			return -1;
		/* No flow reproduces it. */
		edge->flows++;
		edge->sent++;
		edge->received++;
		edge->rtt_ns = edge->rtt_ns == RTT_NONE ? probe->result.rtt_ns
							: MIN(edge->rtt_ns, probe->result.rtt_ns);
	}
	return 0;
}

static int add_edges(struct path *path, const struct tale *tale, unsigned last)
{
	const struct multipath *mp = tale->mp;
	for (unsigned ttl = mp->config.first_ttl; ttl < last; ttl++)
		for (unsigned flow = 0; flow < mp->flows_used; flow++) {
			uint16_t from, to;
			if (link_of(tale, ttl, flow, &from, &to)
					? count_flow(path, mp, ttl + 1, flow, from, to) < 0
					: add_dealt(path, tale, ttl, flow) < 0)
				return -1;
		}
	for (size_t i = 0; i < path->edge_count; i++)
		if (path->edges[i].rtt_ns == RTT_NONE && time_edge(tale, &path->edges[i]) < 0)
			return -1;
	return 0;
}

struct path *multipath_path(const struct multipath *mp, int64_t wall_ns, int64_t now_ns)
{
	struct path *path = path_new(DIRECTION_FORWARD, "ttl");
	unsigned last = last_hop(mp);
	struct tale tale = {.mp = mp};
	if (!path)
		return NULL;
	find_unsettled(&tale, last);
	path->protocol = mp->config.probe.protocol;
	path->source = mp->config.probe.source;
	path->destination = mp->config.probe.destination;
	path->flow = mp->flows[0].flow;
	path->tos = mp->config.probe.tos;
	path->started_wall_ns = wall_ns;
	if (mp->started_ns != TIME_NEVER)
		path->duration_ns =
			(mp->finished_ns != TIME_NEVER ? mp->finished_ns : now_ns) - mp->started_ns;
	path->stop_reason = reason_of(mp);
	path->reached = path->stop_reason == STOP_REACHED;
	path->confidence = mp->config.confidence;
	path->flow_count = mp->flows_used;
	for (unsigned ttl = mp->config.first_ttl; ttl <= last; ttl++)
		if (add_hop(path, mp, ttl) < 0)
			goto fail;
	if (path_summarise(path) < 0 || add_edges(path, &tale, last) < 0)
		goto fail;
	path->probes_sent = mp->sent;
	path->replies_received = mp->received;
	return path;
fail:
	path_free(path);
	return NULL;
}
