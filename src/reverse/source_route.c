#include "reverse/source_route_run.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"

#define SWEEP_FIRST   16 /* hop limits of the first burst where nothing is known */
#define AROUND_BEFORE 2	 /* the same where the far host's distance is known: so many before it ... */
#define AROUND_AFTER  4	 /* ... and after it */
#define WINDOW	      6	 /* hop limits beyond the last answer, while the end is not known */
#define TRIES_DOUBT   2	 /* while nothing shows that the far host sends on */
#define BACK_MAX      30 /* hops of the way back */

#define PATIENCE_FIRST_NS NS_PER_S /* while no round-trip time is known */
#define PATIENCE_MIN_NS	  (200 * NS_PER_MS)
#define PATIENCE_MAX_NS	  (3 * NS_PER_S)

#define ROUTING_TYPE_0	 0   /* RFC 2460 4.4 */
#define ROUTING_TYPE_SRH 4   /* RFC 8754 2 */
#define OPTION_LOOSE	 131 /* RFC 791 3.1 */

/* 8 bytes tell our probes from what strangers make up; 2 keep the checksum, and with it the flow, the same.
 */
#define PAYLOAD_SIZE 10
#define CHECKSUM     0x5254

/* ---- what is known so far */

static unsigned sweep_max(const struct source_route *run, unsigned far)
{
	unsigned back = run->task.max_ttl ? run->task.max_ttl : BACK_MAX;
	return MIN(far + back, SWEEP_TTL_MAX);
}

/* Narrow down where the far host sits: its distance is in far_low ... far. */
static void find_far(const struct source_route *run, struct sr_view *view)
{
	view->far_low = MAX(view->last_there, 1);
	view->far = view->first_beyond ? view->first_beyond : view->end ? view->end - 1 : 0;
	if (run->forward_length >= view->far_low && run->forward_length <= view->far)
		view->far_low = view->far = run->forward_length;
	for (unsigned ttl = 1; ttl <= SWEEP_TTL_MAX; ttl++) {
		if (addr_equal(run->slots[ttl].from, run->task.target))
			view->far_low = view->far = ttl;
		if (run->plain[ttl].answer == PLAIN_REACHED && ttl >= view->far_low)
			view->far = MIN(view->far, ttl);
		else if (run->plain[ttl].answer == PLAIN_EXPIRED && ttl < view->far)
			view->far_low = MAX(view->far_low, ttl + 1);
	}
}

void source_route_look(const struct source_route *run, struct sr_view *view)
{
	*view = (struct sr_view){.proof = run->home, .end = run->end};
	for (unsigned ttl = 1; ttl <= HELLO_TTL; ttl++) {
		const struct sr_slot *slot = &run->slots[ttl];
		if (!addr_is_set(slot->from))
			continue;
		view->proof |= slot->beyond;
		if (ttl == HELLO_TTL) /* a loop; it is at no hop of the way */
			break;
		view->highest = ttl;
		if (!slot->beyond)
			view->last_there = ttl;
		else if (!view->first_beyond)
			view->first_beyond = ttl;
	}
	find_far(run, view);
}

/* ---- what to ask next */

static void ask(struct source_route *run, unsigned ttl, bool plain)
{
	if (run->planned == SR_PROBES_MAX)
		return;
	run->probes[run->planned++] = (struct sr_probe){.ttl = (uint8_t)ttl, .plain = plain};
}

static void ask_missing(struct source_route *run, unsigned first, unsigned last, unsigned tries)
{
	for (unsigned ttl = MAX(first, 1); ttl <= last; ttl++)
		if (!addr_is_set(run->slots[ttl].from) && run->slots[ttl].sent < tries)
			ask(run, ttl, false);
}

/* How far is the far host? Without the header it answers itself. */
static void ask_distance(struct source_route *run, const struct sr_view *view)
{
	unsigned last = MIN(view->far, view->far_low + PLAIN_WINDOW_MAX);
	for (unsigned ttl = view->far_low; ttl < last; ttl++)
		if (run->plain[ttl].answer == PLAIN_UNKNOWN && run->plain[ttl].sent < TRIES_DOUBT)
			ask(run, ttl, true);
}

static void plan_doubt(struct source_route *run)
{
	unsigned far = run->forward_length;
	if (run->rounds > TRIES_DOUBT)
		return;
	ask(run, HELLO_TTL, false);
	if (far)
		ask_missing(run, far > AROUND_BEFORE ? far - AROUND_BEFORE : 1,
			MIN(far + AROUND_AFTER, SWEEP_TTL_MAX), TRIES_DOUBT);
	else
		ask_missing(run, 1, SWEEP_FIRST, TRIES_DOUBT);
}

static void plan_rest(struct source_route *run, const struct sr_view *view)
{
	unsigned tries = MIN(run->task.probes_per_hop ? run->task.probes_per_hop : TRIES_MAX, TRIES_MAX);
	bool sure = view->far && view->far_low == view->far;
	unsigned last = view->end ? view->end - 1 : view->highest + WINDOW;
	if (!run->home && run->slots[HELLO_TTL].sent < TRIES_MAX)
		ask(run, HELLO_TTL, false);
	if (!sure)
		ask_distance(run, view);
	ask_missing(run, sure ? view->far + 1 : view->far_low, MIN(last, sweep_max(run, view->far)), tries);
}

static void plan_burst(struct source_route *run)
{
	struct sr_view view;
	source_route_look(run, &view);
	run->rounds++;
	if (view.proof)
		plan_rest(run, &view);
	else if (!run->echoed && !addr_is_set(run->refusal.from))
		plan_doubt(run);
}

static int64_t deadline(const struct source_route *run)
{
	int64_t rtt_ns = MAX(run->slowest_ns, run->task.rtt_hint_ns);
	return run->burst_sent_ns +
		(rtt_ns ? MIN(MAX(3 * rtt_ns, PATIENCE_MIN_NS), PATIENCE_MAX_NS) : PATIENCE_FIRST_NS);
}

/* What else is under way tells nothing new. */
static bool is_complete(const struct source_route *run)
{
	struct sr_view view;
	source_route_look(run, &view);
	if (!view.end || !view.far || view.far_low != view.far)
		return false;
	for (unsigned ttl = view.far + 1; ttl < view.end; ttl++)
		if (!addr_is_set(run->slots[ttl].from))
			return false;
	return true;
}

/* Hop limits beyond the end are answered by nobody: their packets come home, and count as answered then. */
static bool burst_over(const struct source_route *run, int64_t now_ns)
{
	if (run->planned > 0 && now_ns >= deadline(run))
		return true;
	for (unsigned i = run->burst; i < run->planned; i++)
		if (!run->probes[i].answered && !run->probes[i].error)
			return is_complete(run);
	return true;
}

/* ---- sending */

static void add_route(const struct source_route *run, struct ip_header *ip)
{
	struct addr far = run->task.target, home = run->task.source;
	switch (run->kind) {
	case SOURCE_ROUTE_SEGMENTS: /* the last segment comes first, and the first one is in the list, too */
		ip->routing = (struct routing_header){.present = true,
			.type = ROUTING_TYPE_SRH,
			.segments_left = 1,
			.count = 2,
			.segments = {home, far}};
		break;
	case SOURCE_ROUTE_TYPE0:
		ip->routing = (struct routing_header){.present = true,
			.type = ROUTING_TYPE_0,
			.segments_left = 1,
			.count = 1,
			.segments = {home}};
		break;
	case SOURCE_ROUTE_LOOSE:
		ip->route = (struct route_option){
			.present = true, .type = OPTION_LOOSE, .slots = 1, .addrs = {home}};
		break;
	}
}

static int write_probe(const struct source_route *run, unsigned index, struct outgoing *outgoing)
{
	const struct sr_probe *probe = &run->probes[index];
	bool v4 = run->kind == SOURCE_ROUTE_LOOSE;
	uint8_t payload[PAYLOAD_SIZE] = {0};
	struct writer body = writer_init(payload, sizeof(payload));
	writer_u64(&body, run->tag);
	struct packet_spec spec = {
		.ip = {.source = run->task.source,
			.destination = run->task.target,
			.ttl = probe->ttl,
			.protocol = v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6,
			.flow_label = run->flow.flow_label},
		.transport = {.icmp_type = v4 ? ICMP4_ECHO_REQUEST : ICMP6_ECHO_REQUEST,
			.icmp_id = run->flow.icmp_id,
			.icmp_seq = (uint16_t)(index + 1),
			.payload = payload,
			.payload_length = sizeof(payload)},
		.force_checksum = run->flow.icmp_checksum,
	};
	if (!probe->plain)
		add_route(run, &spec.ip);
	struct writer writer = writer_init(outgoing->bytes, sizeof(outgoing->bytes));
	int result = packet_write(&writer, &spec);
	outgoing->length = writer.length;
	outgoing->token = index;
	return result;
}

static enum machine_want end(struct source_route *run, int64_t now_ns)
{
	if (!run->done)
		run->ended_ns = now_ns;
	run->done = true;
	return MACHINE_DONE;
}

static enum machine_want on_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct source_route *run = self;
	if (run->done)
		return MACHINE_DONE;
	if (!run->started)
		run->started_ns = now_ns;
	run->started = true;
	if (run->sent == run->planned && burst_over(run, now_ns)) {
		run->burst = run->planned;
		plan_burst(run);
	}
	if (run->sent == run->planned) {
		*wake_ns = deadline(run);
		return run->burst == run->planned ? end(run, now_ns) : MACHINE_WAIT;
	}
	struct sr_probe *probe = &run->probes[run->sent];
	if (write_probe(run, run->sent, outgoing) < 0)
		return end(run, now_ns);
	run->sent++;
	if (probe->plain)
		run->plain[probe->ttl].sent++;
	else
		run->slots[probe->ttl].sent++;
	probe->sent_ns = run->burst_sent_ns = now_ns;
	return MACHINE_SEND;
}

static void on_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct source_route *run = self;
	if (token >= run->sent)
		return;
	run->probes[token].sent_ns = sent_ns;
	run->probes[token].error = error;
}

/* ---- receiving */

/* Routers that quote little leave the tag out; what there is of it has to be right. */
static bool is_ours(const struct source_route *run, const struct transport *t, bool quoted)
{
	unsigned index = t->icmp_seq - 1u;
	struct cursor body = cursor_init(t->payload, t->payload_length);
	if (t->seen < 8 || t->icmp_id != run->flow.icmp_id || t->icmp_code != 0 || index >= run->sent)
		return false;
	if (t->payload_length < 8)
		return quoted;
	return cursor_u64(&body) == run->tag;
}

static void note_time(struct source_route *run, struct sr_probe *probe, int64_t received_ns)
{
	run->replies += !probe->answered;
	probe->answered = true;
	run->slowest_ns = MAX(run->slowest_ns, MAX(received_ns - probe->sent_ns, 1));
}

/* What is left of its hop limit tells how many routers it passed. */
static void take_home(struct source_route *run, const struct sr_probe *probe, unsigned left)
{
	unsigned end = left > 0 && left <= probe->ttl ? probe->ttl - left + 1 : probe->ttl;
	run->home = true;
	if (left > 0 || probe->ttl != HELLO_TTL)
		run->end = run->end ? MIN(run->end, end) : end;
}

static void take_expired(struct source_route *run, const struct sr_probe *probe, const struct packet *packet)
{
	if (probe->plain) {
		run->plain[probe->ttl].answer = PLAIN_EXPIRED;
		return;
	}
	struct sr_slot *slot = &run->slots[probe->ttl];
	slot->received++;
	if (addr_is_set(slot->from))
		return;
	slot->from = packet->ip.source;
	slot->beyond = addr_equal(packet->quoted_ip.destination, run->task.source);
}

static void take_refusal(struct source_route *run, const struct sr_probe *probe, const struct packet *packet)
{
	if (probe->plain || addr_is_set(run->refusal.from))
		return;
	run->refusal = (struct sr_refusal){
		.from = packet->ip.source,
		.kind = packet->transport.icmp_kind,
		.type = packet->transport.icmp_type,
		.code = packet->transport.icmp_code,
		.pointer = packet->transport.icmp_pointer,
		.beyond = addr_equal(packet->quoted_ip.destination, run->task.source),
	};
}

/* An error that quotes one of our packets. */
static void take_error(struct source_route *run, int64_t received_ns, const struct packet *packet)
{
	const struct transport *t = &packet->quoted;
	if (t->icmp_kind != ICMP_ECHO_REQUEST || !addr_equal(packet->quoted_ip.source, run->task.source) ||
		!is_ours(run, t, true))
		return;
	struct sr_probe *probe = &run->probes[t->icmp_seq - 1u];
	note_time(run, probe, received_ns);
	if (packet->transport.icmp_kind == ICMP_TIME_EXCEEDED)
		take_expired(run, probe, packet);
	else
		take_refusal(run, probe, packet);
}

static void on_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct source_route *run = self;
	const struct transport *t = &packet->transport;
	if (packet->has_quote) {
		take_error(run, received_ns, packet);
		return;
	}
	bool request = t->icmp_kind == ICMP_ECHO_REQUEST;
	if ((!request && t->icmp_kind != ICMP_ECHO_REPLY) || !is_ours(run, t, false))
		return;
	struct sr_probe *probe = &run->probes[t->icmp_seq - 1u];
	/* The packet itself, or what our own kernel answered to it. */
	bool home = addr_equal(packet->ip.source, run->task.source);
	bool far = !request && addr_equal(packet->ip.source, run->task.target);
	if ((!home && !far) || (home && probe->plain))
		return;
	note_time(run, probe, received_ns);
	if (home)
		take_home(run, probe, request ? packet->ip.ttl : 0);
	else if (probe->plain)
		run->plain[probe->ttl].answer = PLAIN_REACHED;
	else
		run->echoed = true;
}

/* ---- life */

static void *start(const struct reverse_task *task, enum source_route_kind kind)
{
	uint8_t family = kind == SOURCE_ROUTE_LOOSE ? 4 : 6;
	if (task->target.family != family || task->source.family != family)
		return NULL;
	struct source_route *run = calloc(1, sizeof(*run));
	if (!run)
		return NULL;
	run->task = *task;
	run->kind = kind;
	/* The seed numbers other methods' requests, too: what comes of it here must be something else. */
	static const char purpose[] = "source route";
	run->tag = hash_bytes((struct hash_key){task->seed, (uint64_t)kind}, purpose, sizeof(purpose));
	/* One flow for all, so that balancers send them the same way. */
	run->flow = (struct flow){.icmp_id = (uint16_t)(run->tag >> 48), .icmp_checksum = CHECKSUM};
	if (family == 6)
		run->flow.flow_label = (run->tag & 0xfffff) | 1;
	return run;
}

static void *start_segments(const struct reverse_task *task)
{
	return start(task, SOURCE_ROUTE_SEGMENTS);
}

static void *start_type0(const struct reverse_task *task)
{
	return start(task, SOURCE_ROUTE_TYPE0);
}

static void *start_loose(const struct reverse_task *task)
{
	return start(task, SOURCE_ROUTE_LOOSE);
}

static void on_hint(void *self, int64_t rtt_ns)
{
	struct source_route *run = self;
	run->task.rtt_hint_ns = rtt_ns;
}

/* Once known, always known. */
static void on_known(void *self, const struct path *forward)
{
	struct source_route *run = self;
	if (forward && forward->reached && forward->hop_count > 0)
		run->forward_length = (unsigned)MAX(forward->hops[forward->hop_count - 1].ttl, 0);
}

static struct machine machine_of(void *run)
{
	static const struct machine_ops ops = {.next = on_next, .sent = on_sent, .packet = on_packet};
	return (struct machine){.ops = &ops, .self = run};
}

#define SOURCE_ROUTE                                                                                         \
	.machine = machine_of, .hint = on_hint, .known = on_known, .path = source_route_path,                \
	.status = source_route_status, .duration_ns = source_route_duration_ns, .free = free

const struct reverse_method source_route_method = {
	.name = "source-route", .ipv6 = true, .early = true, .start = start_segments, SOURCE_ROUTE};
const struct reverse_method source_route_rh0_method = {
	.name = "source-route-rh0", .ipv6 = true, .on_request = true, .start = start_type0, SOURCE_ROUTE};
const struct reverse_method source_route_lsrr_method = {
	.name = "source-route-lsrr", .ipv4 = true, .on_request = true, .start = start_loose, SOURCE_ROUTE};
