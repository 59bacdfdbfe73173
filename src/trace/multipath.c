#include "trace/multipath.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "trace/multipath_inside.h"
#include "trace/result.h"

#define DISTANCE_TTL	 64
#define DISTANCE_USER	 UINT32_MAX
#define FIRST_TIMEOUT_NS (1000 * NS_PER_MS)
#define VERDICT_NS	 (500 * NS_PER_MS) /* the least wait before "nothing answers" is said */
#define SEND_ERRORS_MAX	 10

struct multipath *multipath_new(const struct multipath_config *config)
{
	struct multipath *mp = calloc(1, sizeof(*mp));
	if (!mp)
		return NULL;
	mp->config = *config;
	mp->config.flow_count = MIN((unsigned)MULTIPATH_FLOWS_MAX, MAX(1u, config->flow_count));
	mp->config.first_ttl = MAX(1u, config->first_ttl);
	mp->config.max_ttl = MIN((unsigned)UINT8_MAX, MAX(config->max_ttl, mp->config.first_ttl));
	mp->config.flows = NULL;
	mp->config.prober = NULL;
	mp->hops = calloc(mp->config.max_ttl + 2, sizeof(*mp->hops));
	mp->flows = calloc(mp->config.flow_count, sizeof(*mp->flows));
	mp->cells = calloc((size_t)(mp->config.max_ttl + 2) * mp->config.flow_count, sizeof(*mp->cells));
	if (!mp->hops || !mp->flows || !mp->cells) {
		multipath_free(mp);
		return NULL;
	}
	for (unsigned i = 0; i < mp->config.flow_count; i++)
		mp->flows[i].flow = config->flows[i];
	mp->config.probe.flow = config->flows[0];
	engine_init(&mp->engine, &mp->config.probe);
	stopping_init(&mp->stopping, config->confidence);
	mp->rng = rng_seed(config->probe.key.k0);
	mp->started_ns = mp->finished_ns = mp->slow_ns = TIME_NEVER;
	mp->rtt_max_ns = RTT_NONE;
	mp->explored = mp->highest = mp->config.first_ttl - 1;
	mp->vertices[SOURCE] = (struct vertex){.address = config->probe.source, .class_size = 1};
	mp->vertex_count = 1;
	mp->dirty = true;
	if (config->prober) {
		mp->prober = *config->prober;
		mp->distance = MIN(mp->prober.distance, mp->config.max_ttl);
		mp->distance_sent = mp->distance_answered = true;
	}
	return mp;
}

void multipath_free(struct multipath *mp)
{
	if (!mp)
		return;
	engine_deinit(&mp->engine);
	free(mp->hops);
	free(mp->flows);
	free(mp->cells);
	free(mp->probes);
	free(mp);
}

/* ---- vertices and classes ---- */

uint16_t mp_class(const struct multipath *mp, uint16_t vertex)
{
	while (mp->vertices[vertex].parent != vertex)
		vertex = mp->vertices[vertex].parent;
	return vertex;
}

void mp_join(struct multipath *mp, uint16_t a, uint16_t b)
{
	a = mp_class(mp, a);
	b = mp_class(mp, b);
	if (a == b)
		return;
	mp->vertices[b].parent = a;
	mp->vertices[a].class_size = (uint16_t)(mp->vertices[a].class_size + mp->vertices[b].class_size);
}

static uint16_t add_vertex(struct multipath *mp, struct vertex vertex)
{
	if (mp->vertex_count == VERTICES_MAX) {
		mp->full = true;
		return NO_CLASS;
	}
	vertex.parent = (uint16_t)mp->vertex_count;
	vertex.class_size = 1;
	mp->vertices[mp->vertex_count] = vertex;
	return (uint16_t)mp->vertex_count++;
}

static uint16_t vertex_of(struct multipath *mp, struct addr address, bool end)
{
	for (unsigned i = SOURCE + 1; i < mp->vertex_count; i++)
		if (addr_equal(mp->vertices[i].address, address) && mp->vertices[i].end == end)
			return (uint16_t)i;
	return add_vertex(mp, (struct vertex){.address = address, .end = end});
}

uint16_t mp_silence(struct multipath *mp, unsigned ttl)
{
	for (unsigned i = SOURCE + 1; i < mp->vertex_count; i++)
		if (mp->vertices[i].silent_ttl == ttl)
			return (uint16_t)i;
	return add_vertex(mp, (struct vertex){.silent_ttl = (uint16_t)ttl});
}

unsigned mp_limit(const struct multipath *mp)
{
	unsigned end = mp->flows[0].end ? mp->flows[0].end : mp->distance;
	return MIN(mp->config.max_ttl, MAX(mp->highest + 1, end));
}

/* ---- waiting ---- */

/* How long an answer may take, judged by the answers that came. */
static int64_t patience_ns(const struct multipath *mp, const struct mp_hop *hop)
{
	int64_t rtt = mp->rtt_max_ns;
	if (rtt == RTT_NONE)
		return FIRST_TIMEOUT_NS;
	if (hop->answered > 0)
		return 3 * hop->rtt_max_ns + 10 * NS_PER_MS;
	return MIN(MAX(4 * rtt, rtt + 40 * NS_PER_MS), rtt + 400 * NS_PER_MS);
}

static bool nothing_reached(const struct multipath *mp)
{
	for (unsigned flow = 0; flow < mp->flows_used; flow++)
		if (mp->flows[flow].end)
			return false;
	return true;
}

static int64_t deadline_ns(const struct multipath *mp, unsigned ttl, const struct cell *cell)
{
	int64_t patience = patience_ns(mp, &mp->hops[ttl]);
	if (cell->asked > 1 && ttl > mp->highest && nothing_reached(mp))
		patience = MAX(patience, VERDICT_NS);
	return cell->sent_ns == TIME_NEVER ? TIME_NEVER : cell->sent_ns + patience;
}

static void expire(struct multipath *mp, unsigned ttl, unsigned flow)
{
	struct cell *cell = mp_cell(mp, ttl, flow);
	const struct mp_hop *hop = &mp->hops[ttl];
	mp->waiting -= cell->waiting;
	cell->waiting = 0;
	mp->dirty = true;
	if (cell->state != CELL_PENDING)
		return;
	cell->state = CELL_MISSED;
	/* Perhaps it was lost. Where nobody ever answers, a few questions are enough. */
	if (cell->asked == 1 && (hop->answered > 0 || hop->asked < 3))
		mp_ask(mp, ttl, flow);
}

/* Let questions expire whose time is up. Returns when the next one does. */
static int64_t expire_all(struct multipath *mp, int64_t now_ns)
{
	int64_t earliest = TIME_NEVER;
	for (unsigned ttl = mp->config.first_ttl; mp->waiting > 0 && ttl <= mp->config.max_ttl; ttl++)
		for (unsigned flow = 0; flow < mp->flows_used; flow++) {
			const struct cell *cell = mp_cell(mp, ttl, flow);
			if (!cell->waiting)
				continue;
			int64_t deadline = deadline_ns(mp, ttl, cell);
			if (deadline <= now_ns)
				expire(mp, ttl, flow);
			else
				earliest = MIN(earliest, deadline);
		}
	return earliest;
}

/* ---- sending ---- */

bool mp_ask(struct multipath *mp, unsigned ttl, unsigned flow)
{
	struct cell *cell = mp_cell(mp, ttl, flow);
	if (mp->queue_count == QUEUE_MAX || mp->probe_count + mp->queue_count >= PROBES_MAX ||
		cell->asked == UINT8_MAX) {
		mp->full = true;
		return false;
	}
	if (cell->waiting && cell->state != CELL_KNOWN)
		return true;
	unsigned slot = (mp->queue_first + mp->queue_count++) % QUEUE_MAX;
	mp->queue[slot].ttl = (uint8_t)ttl;
	mp->queue[slot].flow = (uint16_t)flow;
	if (cell->state != CELL_KNOWN)
		cell->state = CELL_PENDING;
	cell->wanted = false;
	cell->waiting++;
	cell->sent_ns = TIME_NEVER;
	mp->waiting++;
	mp->flows_used = MAX(mp->flows_used, flow + 1);
	return true;
}

/* A new entry of the log; NULL: out of memory. */
static struct mp_probe *log_probe(struct multipath *mp, unsigned ttl, unsigned flow, int64_t now_ns)
{
	if (mp->probe_count == mp->probe_room) {
		unsigned room = mp->probe_room ? 2 * mp->probe_room : 64;
		struct mp_probe *probes = reallocarray(mp->probes, room, sizeof(*probes));
		if (!probes)
			return NULL;
		mp->probes = probes;
		mp->probe_room = room;
	}
	struct mp_probe *probe = &mp->probes[mp->probe_count++];
	*probe =
		(struct mp_probe){.ttl = (uint8_t)ttl, .flow = (uint16_t)flow, .result = probe_result_none()};
	probe->result.sent_ns = now_ns - mp->started_ns;
	if (flow > 0 && mp->config.probe.protocol == PROBE_ICMP)
		probe->result.icmp_checksum = mp->flows[flow].flow.icmp_checksum;
	else if (flow > 0 && mp->prober.ask)
		probe->result.destination_port = mp->flows[flow].flow.destination_port;
	else if (flow > 0)
		probe->result.source_port = mp->flows[flow].flow.source_port;
	return probe;
}

static enum machine_want finish(struct multipath *mp, int64_t now_ns)
{
	mp->finished_ns = now_ns;
	return MACHINE_DONE;
}

static int ask(
	struct multipath *mp, const struct probe_request *request, int64_t now_ns, struct outgoing *outgoing)
{
	return mp->prober.ask ? mp->prober.ask(mp->prober.context, request, now_ns, outgoing)
			      : engine_probe(&mp->engine, request, now_ns, outgoing);
}

static enum machine_want send_distance(struct multipath *mp, int64_t now_ns, struct outgoing *outgoing)
{
	struct probe_request request = {.ttl = DISTANCE_TTL, .user = DISTANCE_USER};
	mp->distance_sent = true;
	mp->distance_sent_ns = now_ns;
	if (ask(mp, &request, now_ns, outgoing) < 0)
		return finish(mp, now_ns);
	mp->sent++;
	return MACHINE_SEND;
}

static enum machine_want send_queued(struct multipath *mp, int64_t now_ns, struct outgoing *outgoing)
{
	unsigned ttl = mp->queue[mp->queue_first].ttl, flow = mp->queue[mp->queue_first].flow;
	struct cell *cell = mp_cell(mp, ttl, flow);
	mp->queue_first = (mp->queue_first + 1) % QUEUE_MAX;
	mp->queue_count--;
	struct probe_request request = {
		.ttl = (uint8_t)ttl, .user = mp->probe_count, .flow = &mp->flows[flow].flow};
	if (!log_probe(mp, ttl, flow, now_ns) || ask(mp, &request, now_ns, outgoing) < 0)
		return finish(mp, now_ns);
	cell->sent_ns = now_ns;
	cell->asked++;
	mp->hops[ttl].asked++;
	mp->hops[ttl].last_sent_ns = now_ns;
	mp->sent++;
	return MACHINE_SEND;
}

/* Until when the answer to the distance probe holds back what depends on it. */
static int64_t distance_deadline_ns(const struct multipath *mp)
{
	if (!mp->distance_sent || mp->distance_answered || mp->flows[0].end)
		return TIME_NEVER;
	int64_t rtt = mp->rtt_max_ns;
	return mp->distance_sent_ns + (rtt == RTT_NONE ? FIRST_TIMEOUT_NS : rtt + rtt / 2 + 10 * NS_PER_MS);
}

static enum machine_want mp_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct multipath *mp = self;
	if (mp->started_ns == TIME_NEVER)
		mp->started_ns = now_ns;
	if (mp->finished_ns != TIME_NEVER)
		return MACHINE_DONE;
	if (mp->send_errors >= SEND_ERRORS_MAX)
		return finish(mp, now_ns);
	if (!mp->distance_sent)
		return send_distance(mp, now_ns, outgoing);
	int64_t wake = expire_all(mp, now_ns);
	int64_t distance = distance_deadline_ns(mp);
	if (distance <= now_ns) {
		mp->distance_answered = true;
		mp->dirty = true;
		distance = TIME_NEVER;
	}
	if (mp->slow_ns <= now_ns)
		mp->dirty = true;
	for (unsigned round = 0; mp->dirty && mp->queue_count == 0 && round < 4; round++)
		mp_plan(mp, now_ns);
	if (mp->queue_count > 0)
		return send_queued(mp, now_ns, outgoing);
	*wake_ns = MIN(MIN(wake, distance), mp->slow_ns);
	return *wake_ns == TIME_NEVER ? finish(mp, now_ns) : MACHINE_WAIT;
}

static void mp_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct multipath *mp = self;
	if (error == 0) {
		mp->send_errors = 0;
		if (mp->prober.ask)
			mp->prober.sent(mp->prober.context, token, sent_ns);
		else
			engine_sent(&mp->engine, token, sent_ns);
		return;
	}
	mp->send_errors++;
	if (mp->send_error == 0)
		mp->send_error = error;
}

/* ---- reading ---- */

/* The same router at a third hop limit of one flow, and not just once more because a neighbour let it: a
 * circle. */
static bool is_looping(const struct multipath *mp, unsigned ttl, unsigned flow)
{
	unsigned count = 0, last = 0;
	for (unsigned t = mp->config.first_ttl; t <= ttl; t++) {
		const struct cell *cell = mp_cell(mp, t, flow);
		if (cell->state != CELL_KNOWN || cell->vertex != mp_cell(mp, ttl, flow)->vertex)
			continue;
		count += last == 0 || t > last + 1;
		last = t;
	}
	return count >= 3;
}

static void read_cell(struct multipath *mp, unsigned ttl, unsigned flow, const struct reply *reply)
{
	struct cell *cell = mp_cell(mp, ttl, flow);
	struct mp_flow *state = &mp->flows[flow];
	bool end = reply->reached || reply->kind == ICMP_UNREACHABLE;
	uint16_t vertex = vertex_of(mp, reply->from, end);
	if (cell->waiting > 0) {
		cell->waiting--;
		mp->waiting--;
	}
	if (vertex == NO_CLASS)
		return;
	cell->answered++;
	if (cell->state != CELL_KNOWN) {
		cell->vertex = cell->other = vertex;
		cell->state = CELL_KNOWN;
	} else if (vertex != cell->vertex) {
		cell->other = vertex;
		mp_join(mp, cell->vertex, vertex);
	}
	/* Lifetime left over at an end: whoever refuses stands nearer than this hop limit. */
	cell->distorted |= reply->quoted.ttl == 0 || (end && reply->quoted.ttl > 1);
	if (end && (state->end == 0 || ttl < state->end)) {
		state->end = ttl;
		state->reached = reply->reached;
	} else if (state->end == 0 && is_looping(mp, ttl, flow)) {
		state->end = ttl;
		state->looping = true;
	}
}

static void read_hop(struct multipath *mp, const struct reply *reply, int64_t took_ns)
{
	struct mp_probe *probe = &mp->probes[reply->user];
	struct mp_hop *hop = &mp->hops[probe->ttl];
	unsigned end = mp->flows[probe->flow].end;
	result_fill(&probe->result, mp->config.probe.destination.family, reply);
	hop->answered++;
	hop->slow_answered++;
	hop->rtt_max_ns = MAX(hop->rtt_max_ns, took_ns);
	if (!end || probe->ttl <= end)
		mp->highest = MAX(mp->highest, probe->ttl);
	read_cell(mp, probe->ttl, probe->flow, reply);
}

static void read_distance(struct multipath *mp, const struct reply *reply)
{
	unsigned distance = 0;
	mp->distance_answered = true;
	if (!reply->reached && reply->kind != ICMP_UNREACHABLE)
		return;
	if (reply->quoted.ttl > 0 && reply->quoted.ttl <= DISTANCE_TTL)
		distance = (unsigned)(DISTANCE_TTL - reply->quoted.ttl + 1);
	else if (reply->kind == ICMP_ECHO_REPLY && reply->header.ttl > 0)
		distance = result_hops_travelled(reply->header.ttl);
	if (distance < mp->config.first_ttl || distance > mp->config.max_ttl)
		return;
	mp->distance = distance;
	mp->distance_exact = reply->reached && reply->quoted.ttl > 0 && reply->quoted.ttl <= DISTANCE_TTL;
}

static bool match(struct multipath *mp, int64_t received_ns, const struct packet *packet, struct reply *reply,
	int64_t *took_ns)
{
	if (mp->prober.ask)
		return mp->prober.match(mp->prober.context, received_ns, packet, reply, took_ns);
	bool ours = engine_match(&mp->engine, received_ns, packet, reply);
	*took_ns = ours ? reply->rtt_ns : 0;
	return ours;
}

static void mp_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct multipath *mp = self;
	struct reply reply;
	int64_t took_ns;
	if (mp->finished_ns != TIME_NEVER || !match(mp, received_ns, packet, &reply, &took_ns))
		return;
	mp->received++;
	mp->rtt_max_ns = MAX(mp->rtt_max_ns, took_ns);
	mp->dirty = true;
	if (reply.user == DISTANCE_USER)
		read_distance(mp, &reply);
	else
		read_hop(mp, &reply, took_ns);
}

struct machine multipath_machine(struct multipath *mp)
{
	static const struct machine_ops ops = {.next = mp_next, .sent = mp_sent, .packet = mp_packet};
	return (struct machine){.ops = &ops, .self = mp};
}

struct multipath_status multipath_status(const struct multipath *mp)
{
	return (struct multipath_status){
		.probes_sent = mp->sent,
		.replies_received = mp->received,
		.routers = mp->vertex_count - 1,
		.flows = mp->flows_used,
		.explored = mp->explored,
		.send_error = mp->send_error,
		.send_errors = mp->send_errors,
		.rtt_max_ns = mp->rtt_max_ns,
		.finished = mp->finished_ns != TIME_NEVER,
	};
}
