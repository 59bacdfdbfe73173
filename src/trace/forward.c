#include "trace/forward.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "trace/result.h"

#define INITIAL_WINDOW	 6		    /* hop limits probed before anything is known */
#define WINDOW		 4		    /* beyond the last answer, while the distance is unknown */
#define DISTANCE_TTL	 64		    /* reaches everything the Internet has */
#define FIRST_TIMEOUT_NS (1000 * NS_PER_MS) /* until the first answer gives a scale */
#define VERDICT_NS	 (500 * NS_PER_MS)  /* the least wait before "nothing answers" is said */
#define LIMITER_PAUSE_NS (1100 * NS_PER_MS) /* longer than the second in which Linux refills one reply */
#define SEND_ERRORS_MAX	 10
#define KNOCKS_MAX	 2		   /* once more: the first may be lost */
#define KNOCK_WAIT_NS	 (400 * NS_PER_MS) /* at least, for the answer to one */
#define DISTANCE_USER	 UINT32_MAX

struct trace_config trace_defaults(void)
{
	return (struct trace_config){
		.protocol = PROBE_UDP,
		.first_ttl = 1,
		.max_ttl = 30,
		.probes_per_hop = 3,
		.gap_limit = 8,
	};
}

void trace_init(struct trace *trace, const struct trace_config *config)
{
	memset(trace, 0, sizeof(*trace));
	trace->config = *config;
	trace->config.first_ttl = MAX(1u, config->first_ttl);
	trace->config.max_ttl = MIN((unsigned)TRACE_TTL_MAX, MAX(config->max_ttl, trace->config.first_ttl));
	trace->config.probes_per_hop = MIN((unsigned)TRACE_PROBES_MAX, MAX(1u, config->probes_per_hop));
	trace->started_ns = TIME_NEVER;
	trace->finished_ns = TIME_NEVER;
	trace->rtt_max_ns = config->rtt_hint_ns ? config->rtt_hint_ns : RTT_NONE;
	trace->explored = trace->config.first_ttl - 1;
	for (unsigned ttl = 0; ttl <= TRACE_TTL_MAX; ttl++)
		trace->hops[ttl].rtt_max_ns = RTT_NONE;
	engine_init(&trace->engine,
		&(struct engine_config){
			.protocol = config->protocol,
			.source = config->source,
			.destination = config->destination,
			.flow = config->flow,
			.ip_protocol = config->ip_protocol,
			.dns = config->dns,
			.tos = config->tos,
			.size = config->size,
			.dont_fragment = config->dont_fragment,
			.key = config->key,
		});
}

void trace_deinit(struct trace *trace)
{
	engine_deinit(&trace->engine);
	for (unsigned ttl = 0; ttl <= TRACE_TTL_MAX; ttl++) {
		free(trace->hops[ttl].probes);
		trace->hops[ttl] = (struct trace_hop){.rtt_max_ns = RTT_NONE};
	}
}

void trace_release(struct trace *trace, unsigned first_ttl)
{
	trace->config.knock = false;
	trace->released = true;
	trace->config.first_ttl = MIN(MAX(1u, first_ttl), trace->config.max_ttl);
	trace->explored = trace->config.first_ttl - 1;
}

void trace_yield(struct trace *trace)
{
	trace->yielding = true;
}

bool trace_is_in_silence(const struct trace *trace)
{
	unsigned beyond = MAX(trace->highest + 1, trace->config.first_ttl);
	return !trace->end && beyond <= trace->explored && trace->hops[beyond].asked_again;
}

/* ---- waiting ---- */

static int64_t first_timeout_ns(const struct trace *trace)
{
	return trace->config.wait_max_ns ? trace->config.wait_max_ns : FIRST_TIMEOUT_NS;
}

/* Times a round trip, as the user wants it. */
static int64_t times(double factor, int64_t rtt_ns)
{
	return (int64_t)(factor * (double)rtt_ns);
}

/* How long an answer may take, judged by the answers that came. */
static int64_t judged_patience_ns(const struct trace *trace, const struct trace_hop *hop)
{
	const struct trace_config *config = &trace->config;
	/* Who refuses often refuses only some probes (Linux: 1 or 2 of 3); the others would have come as
	 * quickly. */
	if (hop->unreachable)
		return hop->rtt_max_ns + hop->rtt_max_ns / 2 + 5 * NS_PER_MS;
	if (hop->answered > 0)
		return config->wait_here > 0 ? times(config->wait_here, hop->rtt_max_ns)
					     : 3 * hop->rtt_max_ns + 10 * NS_PER_MS;
	int64_t rtt = trace->rtt_max_ns;
	int64_t usual = MIN(MAX(4 * rtt, rtt + 40 * NS_PER_MS), rtt + 400 * NS_PER_MS);
	int64_t patience = config->wait_near > 0 ? times(config->wait_near, rtt) : usual;
	if (!hop->asked_again || trace->end || trace->yielding)
		return patience;
	return config->wait_max_ns ? config->wait_max_ns : MAX(patience, VERDICT_NS);
}

static int64_t patience_ns(const struct trace *trace, const struct trace_hop *hop)
{
	if (trace->rtt_max_ns == RTT_NONE)
		return first_timeout_ns(trace);
	int64_t patience = judged_patience_ns(trace, hop);
	return trace->config.wait_max_ns ? MIN(patience, trace->config.wait_max_ns) : patience;
}

static int64_t hop_deadline_ns(const struct trace *trace, const struct trace_hop *hop)
{
	return hop->last_sent_ns + patience_ns(trace, hop);
}

/* Probes that an answer may be had for. */
static unsigned asked(const struct trace *trace, const struct trace_hop *hop)
{
	unsigned ttl = (unsigned)(hop - trace->hops), count = hop->sent;
	for (unsigned i = 0; i < hop->sent && ttl == trace->end; i++)
		count -= trace_swallowed(trace, ttl, i);
	return count;
}

static bool is_waiting(const struct trace *trace, const struct trace_hop *hop, int64_t now_ns)
{
	return asked(trace, hop) > hop->answered && now_ns < hop_deadline_ns(trace, hop);
}

/* The distance probe holds the window back only a little longer than the hops that have answered took. */
static int64_t distance_deadline_ns(const struct trace *trace)
{
	int64_t rtt = trace->rtt_max_ns;
	if (trace->config.knock)
		return trace->distance_sent_ns + MAX(3 * rtt, KNOCK_WAIT_NS);
	int64_t hold = rtt == RTT_NONE ? first_timeout_ns(trace) : rtt + rtt / 2 + 10 * NS_PER_MS;
	return trace->distance_sent_ns + hold;
}

static bool distance_is_pending(const struct trace *trace, int64_t now_ns)
{
	return trace->distance_sent && !trace->distance_answered && now_ns < distance_deadline_ns(trace);
}

/* ---- what to probe ---- */

/* The last hop limit that may matter: the end of the path if it is known, else what was explored. */
static unsigned last_relevant(const struct trace *trace)
{
	return trace->end ? MIN(trace->end, trace->explored) : trace->explored;
}

static unsigned explore_limit(const struct trace *trace, int64_t now_ns)
{
	unsigned max = trace->config.max_ttl;
	unsigned before = trace->config.first_ttl - 1;
	if (trace->end)
		return trace->end;
	if (trace->looping)
		return trace->explored;
	/* Whose distance is known has no need to look further ahead. */
	unsigned usual = trace->config.window ? trace->config.window : INITIAL_WINDOW;
	unsigned ahead = trace->released && trace->distance ? 1 : usual;
	unsigned window = MIN(max, before + ahead);
	if (trace->distance && trace->highest < trace->distance)
		return MIN(max, MAX(window, trace->distance));
	if (distance_is_pending(trace, now_ns))
		return window;
	unsigned waiting = 0;
	for (unsigned ttl = trace->highest + 1; ttl <= trace->explored; ttl++)
		waiting += is_waiting(trace, &trace->hops[ttl], now_ns);
	if (trace->explored > before && waiting >= WINDOW)
		return trace->explored;
	unsigned gap_end = MAX(trace->highest, before) + trace->config.gap_limit;
	return MIN(max, MIN(gap_end, trace->explored + WINDOW - waiting));
}

/* The explored hop with the fewest probes that deserves more of them; 0 = none. */
static unsigned hop_to_fill(const struct trace *trace, int64_t now_ns)
{
	unsigned best = 0;
	for (unsigned ttl = trace->config.first_ttl; ttl <= last_relevant(trace); ttl++) {
		const struct trace_hop *hop = &trace->hops[ttl];
		bool deserves = hop->answered > 0 || ttl < trace->highest || ttl <= trace->config.sure ||
			ttl <= trace->distance;
		bool taken = trace_accepted(trace, ttl) && is_waiting(trace, hop, now_ns);
		if (deserves && !taken && asked(trace, hop) < trace->config.probes_per_hop &&
			(best == 0 || hop->sent < trace->hops[best].sent))
			best = ttl;
	}
	return best;
}

/* A hop whose missing answers are worth one more question, and when. 0 = none. */
static unsigned hop_to_ask_again(const struct trace *trace, int64_t now_ns, int64_t *when_ns)
{
	for (unsigned ttl = trace->config.first_ttl; ttl <= last_relevant(trace); ttl++) {
		const struct trace_hop *hop = &trace->hops[ttl];
		if (hop->asked_again || hop->answered >= asked(trace, hop) || hop->unreachable ||
			is_waiting(trace, hop, now_ns) || (trace->yielding && ttl > trace->highest))
			continue;
		*when_ns = hop->answered > 0 ? hop->last_sent_ns + LIMITER_PAUSE_NS : now_ns;
		return ttl;
	}
	return 0;
}

/* ---- sending ---- */

static enum machine_want finish(struct trace *trace, int64_t now_ns)
{
	trace->finished_ns = now_ns;
	return MACHINE_DONE;
}

/* `probe` takes note of what this probe has of its own. */
static enum machine_want send_probe(struct trace *trace, unsigned ttl, uint32_t user, int64_t now_ns,
	struct outgoing *outgoing, struct probe_result *probe)
{
	const struct trace_config *config = &trace->config;
	struct probe_request request = {.ttl = (uint8_t)ttl, .user = user};
	struct flow flow = config->flow;
	*probe = probe_result_none();
	probe->sent_ns = now_ns - trace->started_ns;
	probe->size = config->size;
	if (config->classic_port) {
		flow.destination_port = (uint16_t)(flow.destination_port + trace->probes_sent);
		request.flow = &flow;
		probe->destination_port = flow.destination_port;
	}
	if (engine_probe(&trace->engine, &request, now_ns, outgoing) < 0)
		return finish(trace, now_ns);
	trace->last_sent_ns = now_ns;
	trace->probes_sent++;
	return MACHINE_SEND;
}

/* Room for one more probe; false: out of memory. */
static bool make_room(struct trace_hop *hop)
{
	if (hop->sent < hop->room)
		return true;
	unsigned room = hop->room ? 2u * hop->room : 4;
	struct probe_result *probes = realloc(hop->probes, room * sizeof(*probes));
	if (!probes)
		return false;
	hop->probes = probes;
	hop->room = (uint8_t)room;
	return true;
}

static enum machine_want send_to_hop(
	struct trace *trace, unsigned ttl, int64_t now_ns, struct outgoing *outgoing)
{
	struct trace_hop *hop = &trace->hops[ttl];
	if (!make_room(hop))
		return finish(trace, now_ns);
	unsigned index = hop->sent++;
	hop->last_sent_ns = now_ns;
	trace->explored = MAX(trace->explored, ttl);
	return send_probe(trace, ttl, ttl << 8 | index, now_ns, outgoing, &hop->probes[index]);
}

static enum machine_want send_distance(struct trace *trace, int64_t now_ns, struct outgoing *outgoing)
{
	trace->distance_sent = true;
	trace->distance_sent_ns = now_ns;
	trace->knocks++;
	return send_probe(trace, DISTANCE_TTL, DISTANCE_USER, now_ns, outgoing, &trace->distance_probe);
}

static enum machine_want send_again(
	struct trace *trace, unsigned ttl, int64_t now_ns, struct outgoing *outgoing)
{
	struct trace_hop *hop = &trace->hops[ttl];
	hop->asked_again = true;
	return send_to_hop(trace, ttl, now_ns, outgoing);
}

/* The earliest time at which silence changes what to do. */
static int64_t next_deadline_ns(const struct trace *trace, int64_t now_ns)
{
	int64_t earliest = TIME_NEVER;
	for (unsigned ttl = trace->config.first_ttl; ttl <= last_relevant(trace); ttl++)
		if (is_waiting(trace, &trace->hops[ttl], now_ns))
			earliest = MIN(earliest, hop_deadline_ns(trace, &trace->hops[ttl]));
	if (distance_is_pending(trace, now_ns) && (trace->end == 0 || trace->config.simultaneous))
		earliest = MIN(earliest, distance_deadline_ns(trace));
	return earliest;
}

/* When the next probe may leave: not before the pause is over, nor while as many wait as may; TIME_NEVER is
 * until one is answered. */
static int64_t allowed_ns(const struct trace *trace, int64_t now_ns)
{
	if (trace->probes_sent == 0)
		return now_ns;
	int64_t allowed = MAX(MAX(now_ns, trace->reset_ns), trace->last_sent_ns + trace->config.pause_ns);
	if (trace->config.simultaneous == 0)
		return allowed;
	unsigned waiting = distance_is_pending(trace, now_ns);
	for (unsigned ttl = trace->config.first_ttl; ttl <= trace->explored; ttl++)
		if (is_waiting(trace, &trace->hops[ttl], now_ns))
			waiting += trace->hops[ttl].sent - trace->hops[ttl].answered;
	return waiting < trace->config.simultaneous ? allowed : TIME_NEVER;
}

/* The distance probe alone, once more if need be; then wait for trace_release, or end. */
static enum machine_want knock(
	struct trace *trace, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	*wake_ns = TIME_NEVER;
	if (trace->distance_answered)
		return MACHINE_WAIT;
	if (distance_is_pending(trace, now_ns)) {
		*wake_ns = distance_deadline_ns(trace);
		return MACHINE_WAIT;
	}
	return trace->knocks < KNOCKS_MAX ? send_distance(trace, now_ns, outgoing) : finish(trace, now_ns);
}

static enum machine_want trace_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct trace *trace = self;
	if (trace->started_ns == TIME_NEVER)
		trace->started_ns = now_ns;
	if (trace->finished_ns != TIME_NEVER || trace->send_errors >= SEND_ERRORS_MAX)
		return trace->finished_ns == TIME_NEVER ? finish(trace, now_ns) : MACHINE_DONE;
	if (trace->config.knock)
		return knock(trace, now_ns, outgoing, wake_ns);

	int64_t when_ns = allowed_ns(trace, now_ns);
	bool ask_distance = !trace->distance_sent && trace->config.max_ttl > INITIAL_WINDOW;
	bool explore = trace->explored < explore_limit(trace, now_ns);
	unsigned fill = hop_to_fill(trace, now_ns);
	unsigned again = 0;
	*wake_ns = next_deadline_ns(trace, now_ns);
	if (!ask_distance && !explore && !fill) {
		int64_t again_ns = now_ns;
		again = hop_to_ask_again(trace, now_ns, &again_ns);
		if (!again)
			return *wake_ns == TIME_NEVER ? finish(trace, now_ns) : MACHINE_WAIT;
		when_ns = MAX(when_ns, again_ns);
	}
	if (when_ns > now_ns) {
		*wake_ns = MIN(*wake_ns, when_ns);
		return MACHINE_WAIT;
	}
	if (ask_distance)
		return send_distance(trace, now_ns, outgoing);
	if (explore)
		return send_to_hop(trace, trace->explored + 1, now_ns, outgoing);
	return fill ? send_to_hop(trace, fill, now_ns, outgoing) : send_again(trace, again, now_ns, outgoing);
}

static void trace_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct trace *trace = self;
	if (error == 0) {
		trace->send_errors = 0;
		engine_sent(&trace->engine, token, sent_ns);
		return;
	}
	trace->send_errors++;
	if (trace->send_error == 0)
		trace->send_error = error;
}

/* ---- reading ---- */

static void read_distance(struct trace *trace, const struct reply *reply)
{
	trace->distance_answered = true;
	trace->distance_through = reply->reached;
	if (!reply->reached && reply->kind != ICMP_UNREACHABLE)
		return;
	unsigned distance = 0;
	bool exact = reply->quoted.ttl > 0 && reply->quoted.ttl <= DISTANCE_TTL;
	if (exact)
		distance = (unsigned)(DISTANCE_TTL - reply->quoted.ttl + 1);
	else if (reply->reached && reply->quoted.ttl < 0 && reply->header.ttl > 0)
		distance = result_hops_travelled(reply->header.ttl);
	if (distance < trace->config.first_ttl || distance > trace->config.max_ttl)
		return;
	trace->distance = distance;
	trace->distance_exact = exact;
	trace->distance_reached = reply->reached;
	result_fill(&trace->distance_probe, trace->config.destination.family, reply);
}

static void read_hop(struct trace *trace, const struct reply *reply)
{
	unsigned ttl = reply->user >> 8;
	struct trace_hop *hop = &trace->hops[ttl];
	result_fill(&hop->probes[reply->user & 0xff], trace->config.destination.family, reply);
	hop->answered++;
	hop->rtt_max_ns = MAX(hop->rtt_max_ns, reply->rtt_ns);
	hop->reached |= reply->reached;
	hop->unreachable |= !reply->reached && reply->kind == ICMP_UNREACHABLE;
	trace->highest = MAX(trace->highest, ttl);
}

/* The path ends where the destination answers first; failing that, at the first refusal. */
static void find_end(struct trace *trace)
{
	unsigned refused = 0;
	trace->end = 0;
	for (unsigned ttl = trace->config.first_ttl; ttl <= trace->explored && !trace->end; ttl++) {
		if (trace->hops[ttl].reached)
			trace->end = ttl;
		if (trace->hops[ttl].unreachable && !refused)
			refused = ttl;
	}
	if (!trace->end)
		trace->end = refused;
	trace->looping = !trace->end && trace_repeats(trace, trace->highest);
}

static void trace_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct trace *trace = self;
	struct reply reply;
	if (trace->finished_ns != TIME_NEVER || !engine_match(&trace->engine, received_ns, packet, &reply))
		return;
	trace->replies_received++;
	trace->rtt_max_ns = MAX(trace->rtt_max_ns, reply.rtt_ns);
	if (reply.tcp_flags & TCP_SYN)
		trace->reset_ns = received_ns + RESET_LEAVES_NS;
	if (reply.user == DISTANCE_USER) {
		read_distance(trace, &reply);
	} else {
		read_hop(trace, &reply);
		find_end(trace);
	}
}

struct machine trace_machine(struct trace *trace)
{
	static const struct machine_ops ops = {
		.next = trace_next, .sent = trace_sent, .packet = trace_packet};
	return (struct machine){.ops = &ops, .self = trace};
}
