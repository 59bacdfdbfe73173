/* Every way back: the detection algorithm of trace/multipath.h, with the responder as the one who probes.
 * What is varied from flow to flow is what the protocol lets us choose: the destination port, or the checksum
 * of ICMP. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "reverse/responder_client.h"

#define ASKED_MAX 4000 /* as many as trace/multipath.c asks */
#define GAP_LIMIT 8

/* Less than responders allow a network (ours: 200 a second, 400 at once), since somebody else there may ask
 * as well. */
#define RATE_PER_S     150
#define BURST	       200
#define RATE_MIN_PER_S 10
#define JUDGED	       32 /* questions by which the rate is judged */
#define PATIENCE_NS    (50 * NS_PER_MS)

/* Ports of traceroute, where nobody listens; flow numbers of ICMP are far apart, each once. */
#define FIRST_PORT     33434
#define FIRST_CHECKSUM 0xbeaf
#define CHECKSUM_STEP  41

struct asked {
	uint32_t user;
	uint8_t ttl;
	bool answered;
	int64_t sent_ns;
};

struct responder_ways {
	struct responder_client *client; /* whose this is */
	struct multipath *multipath;
	struct addr end; /* who answers where the path ends: we, or our NAT, or who refuses */
	bool reaches_us; /* not the latter */
	struct asked asked[ASKED_MAX];
	unsigned count;
	int64_t latest_ns;
	int64_t full_at_ns, interval_ns; /* of the token bucket */
	unsigned judged;		 /* questions that the rate was judged by already */
	int64_t slowest_ns;		 /* answer */
};

/* ---- the prober */

static int ask(void *context, const struct probe_request *request, int64_t now_ns, struct outgoing *outgoing)
{
	struct responder_ways *ways = context;
	const struct responder_client *client = ways->client;
	bool icmp = client->task.protocol == PROBE_ICMP;
	unsigned index = client->sent + ways->count;
	uint16_t flow = icmp ? request->flow->icmp_checksum : request->flow->destination_port;
	if (ways->count == ASKED_MAX)
		return -1;
	ways->asked[ways->count++] =
		(struct asked){.user = request->user, .ttl = request->ttl, .sent_ns = now_ns};
	outgoing->token = index;
	return responder_write_request(
		client, request->ttl, flow, (uint16_t)(client->first_id + index), outgoing);
}

static void note_sent(void *context, uint32_t token, int64_t sent_ns)
{
	struct responder_ways *ways = context;
	uint32_t index = token - ways->client->sent;
	if (index < ways->count)
		ways->asked[index].sent_ns = sent_ns;
}

static bool match(void *context, int64_t received_ns, const struct packet *packet, struct reply *reply,
	int64_t *took_ns)
{
	struct responder_ways *ways = context;
	struct responder_response response;
	struct probe_result unknown = probe_result_none();
	unsigned index;
	if (!responder_is_response(ways->client, packet, &index) || index < ways->client->sent ||
		index - ways->client->sent >= ways->count)
		return false;
	struct asked *asked = &ways->asked[index - ways->client->sent];
	if (asked->answered || !responder_read_hop(ways->client, packet, &response))
		return false;
	asked->answered = true;
	bool reached = addr_equal(response.hop, ways->end);
	*took_ns = MAX(received_ns - asked->sent_ns, 1);
	ways->slowest_ns = MAX(ways->slowest_ns, *took_ns);
	*reply = (struct reply){
		.user = asked->user,
		.ttl = asked->ttl,
		.from = response.hop,
		.kind = reached ? ICMP_OTHER : ICMP_TIME_EXCEEDED,
		.icmp_type = -1,
		.icmp_code = -1,
		.rtt_ns = (int64_t)response.rtt_ns,
		.reached = reached,
		.header = unknown.reply,
		.quoted = unknown.quoted,
	};
	return true;
}

/* ---- the machine: that of the algorithm, paced */

/* Whoever leaves half of the latest questions unanswered has limits of his own: half as fast from now on. */
static void adapt(struct responder_ways *ways, int64_t now_ns)
{
	unsigned judged = 0, answered = 0;
	int64_t patience_ns = 2 * ways->slowest_ns + PATIENCE_NS;
	if (ways->count < ways->judged + JUDGED)
		return;
	for (unsigned i = ways->count; i > ways->judged && judged < JUDGED; i--) {
		const struct asked *asked = &ways->asked[i - 1];
		if (!asked->answered && now_ns - asked->sent_ns < patience_ns)
			continue;
		judged++;
		answered += asked->answered;
	}
	if (judged < JUDGED)
		return;
	ways->judged = ways->count;
	if (2 * answered < judged)
		ways->interval_ns = MIN(2 * ways->interval_ns, NS_PER_S / RATE_MIN_PER_S);
	else if (10 * answered >= 9 * judged)
		ways->interval_ns = MAX(ways->interval_ns / 2, NS_PER_S / RATE_PER_S);
}

static enum machine_want on_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct responder_ways *ways = self;
	ways->latest_ns = now_ns;
	adapt(ways, now_ns);
	/* At the full rate so many at once, at a lower one accordingly fewer. */
	int64_t free_at_ns = ways->full_at_ns + ways->interval_ns - BURST * (NS_PER_S / RATE_PER_S);
	if (free_at_ns > now_ns) {
		*wake_ns = free_at_ns;
		return MACHINE_WAIT;
	}
	struct machine machine = multipath_machine(ways->multipath);
	enum machine_want want = machine.ops->next(machine.self, now_ns, outgoing, wake_ns);
	if (want == MACHINE_SEND)
		ways->full_at_ns = MAX(ways->full_at_ns, now_ns) + ways->interval_ns;
	return want;
}

static void on_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct responder_ways *ways = self;
	struct machine machine = multipath_machine(ways->multipath);
	machine.ops->sent(machine.self, token, sent_ns, error);
}

static void on_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct responder_ways *ways = self;
	struct machine machine = multipath_machine(ways->multipath);
	machine.ops->packet(machine.self, received_ns, packet);
}

struct machine responder_ways_machine(struct responder_ways *ways)
{
	static const struct machine_ops ops = {.next = on_next, .sent = on_sent, .packet = on_packet};
	return (struct machine){.ops = &ops, .self = ways};
}

/* ---- life */

static void make_flows(const struct reverse_task *task, struct flow *flows)
{
	bool icmp = task->protocol == PROBE_ICMP;
	unsigned first = task->flow ? task->flow : icmp ? FIRST_CHECKSUM : FIRST_PORT;
	for (unsigned i = 0; i < MULTIPATH_FLOWS_MAX; i++) {
		/* Neither 0 nor 0xffff; the first is `first` itself. */
		unsigned number = (first - 1 + (icmp ? CHECKSUM_STEP : 1) * i) % 0xfffe + 1;
		flows[i] = icmp ? (struct flow){.icmp_checksum = (uint16_t)number}
				: (struct flow){.destination_port = (uint16_t)number};
	}
}

struct responder_ways *responder_ways_new(struct responder_client *client, int64_t now_ns)
{
	const struct reverse_task *task = &client->task;
	struct responder_ways *ways = calloc(1, sizeof(*ways));
	struct flow flows[MULTIPATH_FLOWS_MAX];
	struct overview overview;
	if (!ways)
		return NULL;
	responder_look_at_requests(client, &overview);
	make_flows(task, flows);
	ways->client = client;
	ways->latest_ns = now_ns;
	ways->interval_ns = NS_PER_S / RATE_PER_S;
	ways->end = overview.behind_nat ? overview.slots[overview.end].hop : task->source;
	ways->reaches_us = !overview.behind_nat || responder_is_our_nat(client, &overview);
	struct multipath_prober prober = {
		.context = ways, .ask = ask, .sent = note_sent, .match = match, .distance = overview.end};
	struct multipath_config config = {
		.probe = {.protocol = task->protocol,
			.source = client->server,
			.destination = task->source,
			.key = {task->seed, 2}},
		.prober = &prober,
		.flows = flows,
		.flow_count = MULTIPATH_FLOWS_MAX,
		.first_ttl = 1,
		.max_ttl = task->max_ttl,
		.gap_limit = GAP_LIMIT,
		.confidence = task->confidence,
	};
	ways->multipath = multipath_new(&config);
	if (ways->multipath)
		return ways;
	free(ways);
	return NULL;
}

void responder_ways_free(struct responder_ways *ways)
{
	if (!ways)
		return;
	multipath_free(ways->multipath);
	free(ways);
}

/* ---- the result */

struct multipath_status responder_ways_status(const struct responder_ways *ways)
{
	return multipath_status(ways->multipath);
}

struct path *responder_ways_path(const struct responder_ways *ways, int64_t started_wall_ns)
{
	struct path *path = multipath_path(ways->multipath, started_wall_ns, ways->latest_ns);
	char *method = strdup("responder");
	if (!path || !method) {
		path_free(path);
		free(method);
		return NULL;
	}
	free(path->method);
	path->method = method;
	path->direction = DIRECTION_REVERSE;
	path->duration_ns = ways->latest_ns - ways->client->started_ns;
	path->probes_sent += ways->client->sent;
	for (unsigned i = 0; i < ways->client->sent; i++)
		path->replies_received += ways->client->requests[i].answered;
	if (path->reached && !ways->reaches_us) {
		path->reached = false;
		path->stop_reason = STOP_UNREACHABLE;
	}
	for (size_t i = 0; i < path->hop_count; i++)
		path->hops[i].technique = TECHNIQUE_RESPONDER;
	return path;
}
