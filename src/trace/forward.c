#include "trace/forward.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"

#define INITIAL_WINDOW   6   /* hop limits probed before anything is known */
#define WINDOW           4   /* beyond the last answer, while the distance is unknown */
#define DISTANCE_TTL     64  /* reaches everything the Internet has */
#define FIRST_TIMEOUT_NS (1000 * NS_PER_MS) /* until the first answer gives a scale */
#define VERDICT_NS       (500 * NS_PER_MS)  /* the least wait before "nothing answers" is said */
#define LIMITER_PAUSE_NS (1100 * NS_PER_MS) /* longer than the second in which Linux refills one reply */
#define SEND_ERRORS_MAX  10
#define DISTANCE_USER    UINT32_MAX

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
	trace->rtt_max_ns = RTT_NONE;
	trace->explored = trace->config.first_ttl - 1;
	for (unsigned ttl = 0; ttl <= TRACE_TTL_MAX; ttl++)
		trace->hops[ttl].rtt_max_ns = RTT_NONE;
	engine_init(&trace->engine,
		&(struct engine_config){
			.protocol = config->protocol,
			.source = config->source,
			.destination = config->destination,
			.flow = config->flow,
			.tos = config->tos,
			.key = config->key,
		});
}

/* ---- waiting ---- */

/* How long an answer may take, judged by the answers that came. */
static int64_t patience_ns(const struct trace *trace, const struct trace_hop *hop)
{
	if (trace->rtt_max_ns == RTT_NONE)
		return FIRST_TIMEOUT_NS;
	/* Who refuses often refuses only some probes (Linux: 1 or 2 of 3); the others would have come as quickly. */
	if (hop->unreachable)
		return hop->rtt_max_ns + hop->rtt_max_ns / 2 + 5 * NS_PER_MS;
	if (hop->answered > 0)
		return 3 * hop->rtt_max_ns + 10 * NS_PER_MS;
	int64_t rtt = trace->rtt_max_ns;
	int64_t patience = MIN(MAX(4 * rtt, rtt + 40 * NS_PER_MS), rtt + 400 * NS_PER_MS);
	bool verdict = hop->asked_again && trace->end == 0;
	return verdict ? MAX(patience, VERDICT_NS) : patience;
}

static int64_t hop_deadline_ns(const struct trace *trace, const struct trace_hop *hop)
{
	return hop->last_sent_ns + patience_ns(trace, hop);
}

static bool is_waiting(const struct trace *trace, const struct trace_hop *hop, int64_t now_ns)
{
	return hop->sent > hop->answered && now_ns < hop_deadline_ns(trace, hop);
}

/* The distance probe holds the window back only a little longer than the hops that have answered took. */
static int64_t distance_deadline_ns(const struct trace *trace)
{
	int64_t rtt = trace->rtt_max_ns;
	int64_t hold = rtt == RTT_NONE ? FIRST_TIMEOUT_NS : rtt + rtt / 2 + 10 * NS_PER_MS;
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
	unsigned window = MIN(max, before + INITIAL_WINDOW);
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
static unsigned hop_to_fill(const struct trace *trace)
{
	unsigned best = 0;
	for (unsigned ttl = trace->config.first_ttl; ttl <= last_relevant(trace); ttl++) {
		const struct trace_hop *hop = &trace->hops[ttl];
		bool deserves = hop->answered > 0 || ttl < trace->highest ||
			(trace->distance_exact && ttl <= trace->distance);
		if (deserves && hop->sent < trace->config.probes_per_hop &&
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
		if (hop->asked_again || hop->answered >= hop->sent || hop->unreachable ||
			is_waiting(trace, hop, now_ns))
			continue;
		*when_ns = hop->answered > 0 ? hop->last_sent_ns + LIMITER_PAUSE_NS : now_ns;
		return ttl;
	}
	return 0;
}

/* ---- sending ---- */

static enum machine_want send_probe(struct trace *trace, unsigned ttl, uint32_t user, int64_t now_ns,
	struct outgoing *outgoing)
{
	struct probe_request request = {.ttl = (uint8_t)ttl, .user = user};
	if (engine_probe(&trace->engine, &request, now_ns, outgoing) < 0) {
		trace->finished_ns = now_ns;
		return MACHINE_DONE;
	}
	trace->probes_sent++;
	return MACHINE_SEND;
}

static enum machine_want send_to_hop(struct trace *trace, unsigned ttl, int64_t now_ns, struct outgoing *outgoing)
{
	struct trace_hop *hop = &trace->hops[ttl];
	unsigned index = hop->sent++;
	hop->last_sent_ns = now_ns;
	hop->probes[index] = probe_result_none();
	hop->probes[index].sent_ns = now_ns - trace->started_ns;
	trace->explored = MAX(trace->explored, ttl);
	return send_probe(trace, ttl, ttl << 8 | index, now_ns, outgoing);
}

static enum machine_want send_distance(struct trace *trace, int64_t now_ns, struct outgoing *outgoing)
{
	trace->distance_sent = true;
	trace->distance_sent_ns = now_ns;
	return send_probe(trace, DISTANCE_TTL, DISTANCE_USER, now_ns, outgoing);
}

static enum machine_want send_again(struct trace *trace, unsigned ttl, int64_t now_ns, struct outgoing *outgoing)
{
	struct trace_hop *hop = &trace->hops[ttl];
	hop->asked_again = true;
	return send_to_hop(trace, ttl, now_ns, outgoing);
}

static enum machine_want finish(struct trace *trace, int64_t now_ns)
{
	trace->finished_ns = now_ns;
	return MACHINE_DONE;
}

/* The earliest time at which silence changes what to do. */
static int64_t next_deadline_ns(const struct trace *trace, int64_t now_ns)
{
	int64_t earliest = TIME_NEVER;
	for (unsigned ttl = trace->config.first_ttl; ttl <= last_relevant(trace); ttl++)
		if (is_waiting(trace, &trace->hops[ttl], now_ns))
			earliest = MIN(earliest, hop_deadline_ns(trace, &trace->hops[ttl]));
	if (distance_is_pending(trace, now_ns) && trace->end == 0)
		earliest = MIN(earliest, distance_deadline_ns(trace));
	return earliest;
}

static enum machine_want trace_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct trace *trace = self;
	if (trace->started_ns == TIME_NEVER)
		trace->started_ns = now_ns;
	if (trace->finished_ns != TIME_NEVER || trace->send_errors >= SEND_ERRORS_MAX)
		return trace->finished_ns == TIME_NEVER ? finish(trace, now_ns) : MACHINE_DONE;

	int64_t when_ns = now_ns;
	bool ask_distance = !trace->distance_sent && trace->config.max_ttl > INITIAL_WINDOW;
	bool explore = trace->explored < explore_limit(trace, now_ns);
	unsigned fill = hop_to_fill(trace);
	unsigned again = 0;
	if (!ask_distance && !explore && !fill) {
		*wake_ns = next_deadline_ns(trace, now_ns);
		again = hop_to_ask_again(trace, now_ns, &when_ns);
		if (!again)
			return *wake_ns == TIME_NEVER ? finish(trace, now_ns) : MACHINE_WAIT;
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

/* RFC 1393-like guess of how far a packet came: the common initial values are 64, 128 and 255. */
static unsigned hops_travelled(int ttl)
{
	int initial = ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
	return (unsigned)(initial - ttl + 1);
}

static void mark_reply(struct probe_result *probe, uint8_t family, const struct reply *reply);

static void fill_result(const struct trace *trace, struct probe_result *probe, const struct reply *reply)
{
	probe->rtt_ns = reply->rtt_ns;
	probe->address = reply->from;
	probe->icmp_type = reply->icmp_type;
	probe->icmp_code = reply->icmp_code;
	probe->tcp_flags = reply->tcp_flags;
	probe->mtu = reply->mtu;
	probe->reply = reply->header;
	probe->quoted = reply->quoted;
	probe->mpls_count = reply->extensions.mpls_count;
	memcpy(probe->mpls, reply->extensions.mpls, sizeof(probe->mpls));
	probe->has_interface = reply->extensions.interface_count > 0;
	probe->interface = reply->extensions.interfaces[0];
	mark_reply(probe, trace->config.destination.family, reply);
}

static void read_distance(struct trace *trace, const struct reply *reply)
{
	trace->distance_answered = true;
	if (!reply->reached && reply->kind != ICMP_UNREACHABLE)
		return;
	unsigned distance = 0;
	bool exact = reply->quoted.ttl > 0 && reply->quoted.ttl <= DISTANCE_TTL;
	if (exact)
		distance = (unsigned)(DISTANCE_TTL - reply->quoted.ttl + 1);
	else if (reply->kind == ICMP_ECHO_REPLY && reply->header.ttl > 0)
		distance = hops_travelled(reply->header.ttl);
	if (distance < trace->config.first_ttl || distance > trace->config.max_ttl)
		return;
	trace->distance = distance;
	trace->distance_exact = exact;
	trace->distance_reached = reply->reached;
	trace->distance_probe.sent_ns = trace->distance_sent_ns - trace->started_ns;
	fill_result(trace, &trace->distance_probe, reply);
}

static void read_hop(struct trace *trace, const struct reply *reply)
{
	unsigned ttl = reply->user >> 8;
	struct trace_hop *hop = &trace->hops[ttl];
	fill_result(trace, &hop->probes[reply->user & 0xff], reply);
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
	if (reply.user == DISTANCE_USER) {
		read_distance(trace, &reply);
	} else {
		read_hop(trace, &reply);
		find_end(trace);
	}
}

/* traceroute's marks for ICMP errors. */
struct mark {
	uint8_t family, code;
	const char *text;
};
static const struct mark unreachable_marks[] = {
	{4, 0, "!N"}, {4, 6, "!N"}, {4, 8, "!N"}, {4, 11, "!N"},  /* network unreachable, unknown, isolated, TOS */
	{4, 1, "!H"}, {4, 7, "!H"}, {4, 12, "!H"},                /* host unreachable, unknown, TOS */
	{4, 2, "!P"}, {4, 5, "!S"},                               /* protocol; source route failed */
	{4, 9, "!X"}, {4, 10, "!X"}, {4, 13, "!X"},               /* administratively prohibited */
	{4, 14, "!V"}, {4, 15, "!C"},                             /* precedence violation, cutoff */
	{6, 0, "!N"}, {6, 1, "!X"}, {6, 2, "!H"}, {6, 3, "!H"},   /* RFC 4443 3.1 */
};

static void mark_reply(struct probe_result *probe, uint8_t family, const struct reply *reply)
{
	if (reply->kind == ICMP_PACKET_TOO_BIG) {
		snprintf(probe->mark, sizeof(probe->mark), "!F-%u", (unsigned)MIN(reply->mtu, 65535u));
		return;
	}
	if (reply->kind != ICMP_UNREACHABLE || reply->reached)
		return;
	for (size_t i = 0; i < ARRAY_LEN(unreachable_marks); i++) {
		const struct mark *mark = &unreachable_marks[i];
		if (mark->family == family && mark->code == reply->icmp_code) {
			strcpy(probe->mark, mark->text);
			return;
		}
	}
	snprintf(probe->mark, sizeof(probe->mark), "!<%u>", reply->icmp_code);
}

struct machine trace_machine(struct trace *trace)
{
	static const struct machine_ops ops = {.next = trace_next, .sent = trace_sent, .packet = trace_packet};
	return (struct machine){.ops = &ops, .self = trace};
}
