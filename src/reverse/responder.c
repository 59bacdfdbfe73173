#include "reverse/responder_client.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "packet/responder.h"

#define MAX_TTL_DEFAULT 30
#define PROBES_DEFAULT	3
#define FIRST_BURST	16
#define BODY_MAX	128

/* What the most expensive probe and the response to it come to: 44 and 56 bytes in IPv4, 64 and 76 in IPv6.
 */
#define REQUEST_SIZE_V4 100
#define REQUEST_SIZE_V6 140

#define PATIENCE_FIRST_NS NS_PER_S /* while nothing at all has come back and no round-trip time is known */
#define PATIENCE_HINT_NS  (200 * NS_PER_MS) /* the least when one is */
#define PATIENCE_MIN_NS	  (20 * NS_PER_MS)
#define PATIENCE_MAX_NS	  (3 * NS_PER_S)
#define LATE_HOP_NS	  (100 * NS_PER_MS) /* more for routers that are slow to answer */
#define ECHO_GRACE_NS	  (50 * NS_PER_MS)  /* for the real response after the kernel's echo */
#define GAP		  4 /* hop limits to try beyond the last hop that answered, once all were tried */

#define REQUEST_TTL  64
#define RESPONSE_TTL 64 /* as all responders send */

/* ---- what to ask next */

static void plan(struct responder_client *client, unsigned ttl, unsigned count)
{
	for (; count > 0 && client->planned < REQUESTS_MAX; count--)
		client->requests[client->planned++] =
			(struct request){.ttl = (uint8_t)ttl, .rtt_ns = RTT_NONE};
}

static void plan_hello(struct responder_client *client)
{
	client->hello_tries++;
	plan(client, 0, 1);
}

static void plan_hops(struct responder_client *client, unsigned last)
{
	for (unsigned ttl = 1; ttl <= MIN(client->task.max_ttl, last); ttl++)
		plan(client, ttl, 1);
}

/* Where all ways are wanted, a round trip more tells how far it is, and what comes here by that flow is one
 * packet: hosts limit how often they answer (Linux: icmp_ratelimit), and the other flows have to be answered,
 * too. */
static void plan_first_burst(struct responder_client *client)
{
	plan_hello(client);
	if (client->task.confidence <= 0)
		plan_hops(client, FIRST_BURST);
}

/* Hops that have not been asked for as often as wanted. While the end of the path is not in sight, one
 * request for each unanswered hop; the repetitions come when all hop limits have been tried. */
static void plan_path(struct responder_client *client)
{
	struct overview overview;
	responder_look(client, &overview);
	bool explored = overview.end || overview.slots[client->task.max_ttl].sent;
	unsigned last = overview.end ? overview.end : client->task.max_ttl;
	if (explored && !overview.end && overview.highest_answered)
		last = MIN(last, overview.highest_answered + GAP);
	for (unsigned ttl = 1; ttl <= last; ttl++) {
		const struct slot *slot = &overview.slots[ttl];
		if (slot->sent >= client->task.probes_per_hop)
			continue;
		/* The last hop's repetitions may be under way: ask again only when they have not come by
		 * then. */
		if (ttl == overview.end && overview.spare && client->planned > client->sent)
			continue;
		if (explored && (overview.end || ttl <= overview.highest_answered))
			plan(client, ttl, client->task.probes_per_hop - slot->sent);
		else if (slot->answered == 0)
			plan(client, ttl, 1);
	}
}

/* The hello's answer comes a round trip before the last hop's, and tells how far it is: responses go the way
 * that probes go. So the repetitions need not wait for the end of the burst. What reached us with hop limit
 * to spare repeats the last hop. */
static void plan_repetitions(struct responder_client *client)
{
	if (client->repetitions || client->phase != PHASE_BURST || client->burst > 0 ||
		client->task.confidence > 0 || client->hello_ns == 0 || client->hops_home == 0 ||
		client->refused_status)
		return;
	client->repetitions = client->planned;
	client->first_sent_ns = client->burst_sent_ns;
	for (unsigned ttl = 1; ttl < MIN(client->hops_home, FIRST_BURST); ttl++)
		plan(client, ttl, client->task.probes_per_hop - 1);
}

static void plan_next_burst(struct responder_client *client)
{
	if (client->phase == PHASE_START) {
		plan_first_burst(client);
	} else if (client->confirmed && !client->refused_status) {
		if (client->task.confidence > 0 && client->planned == client->hello_tries)
			plan_hops(client, client->hops_home ? client->hops_home : FIRST_BURST);
		else
			plan_path(client);
	} else if (!client->confirmed && !responder_only_echoes(client) && !responder_all_failed(client) &&
		client->hello_tries < HELLO_TRIES) {
		plan_hello(client);
	}
}

/* ---- when to go on */

/* Everything in the current burst that can still matter. */
static bool all_answered(const struct responder_client *client)
{
	struct overview overview;
	responder_look(client, &overview);
	for (unsigned i = client->burst; i < client->sent; i++) {
		const struct request *request = &client->requests[i];
		bool beyond = overview.reached && request->ttl > overview.end;
		if (!request->answered && !beyond)
			return false;
	}
	return client->confirmed;
}

/* A router before the end that has not answered at all: it is silent, or takes its time. */
static bool lacks_hop(const struct overview *overview)
{
	for (unsigned ttl = 1; ttl < overview->end; ttl++)
		if (overview->slots[ttl].answered == 0)
			return true;
	return false;
}

/* How long a burst may take. A probe travels from there to us and back as the hello did from us to there, so
 * the last hop's response takes two round trips; once it is there, nothing should take much longer than it
 * did. */
static int64_t patience(const struct responder_client *client)
{
	struct overview overview;
	responder_look(client, &overview);
	int64_t hint = client->task.rtt_hint_ns;
	if (client->slowest_ns == 0)
		return hint ? MAX(3 * hint, PATIENCE_HINT_NS) : PATIENCE_FIRST_NS;
	int64_t slowest = client->slowest_ns;
	int64_t hello = client->hello_ns ? client->hello_ns : slowest;
	int64_t expected = !overview.reached ? MAX(slowest * 3 / 2, hello * 5 / 2)
		: lacks_hop(&overview)	     ? slowest * 5 / 4 + LATE_HOP_NS
					     : slowest * 5 / 4;
	return MIN(PATIENCE_MIN_NS + expected, PATIENCE_MAX_NS);
}

/* When the packets left that are waited for. */
static int64_t waiting_since(const struct responder_client *client)
{
	bool repeating = client->burst == 0 && client->repetitions > 0;
	for (unsigned i = client->repetitions; repeating && i < client->sent; i++)
		if (!client->requests[i].answered)
			return client->burst_sent_ns;
	return repeating ? client->first_sent_ns : client->burst_sent_ns;
}

/* When the current burst has been waited for long enough. */
static int64_t burst_deadline(const struct responder_client *client)
{
	int64_t deadline = waiting_since(client) + patience(client);
	return responder_only_echoes(client) ? MIN(deadline, client->echoed_ns + ECHO_GRACE_NS) : deadline;
}

static bool burst_over(const struct responder_client *client, int64_t now_ns)
{
	return client->phase == PHASE_START || client->refused_status || responder_all_failed(client) ||
		now_ns >= burst_deadline(client) || all_answered(client);
}

/* ---- sending */

static uint8_t wire_protocol(const struct responder_client *client)
{
	switch (client->task.protocol) {
	case PROBE_UDP: return PROTOCOL_UDP;
	case PROBE_TCP: return PROTOCOL_TCP;
	default: return 0; /* ICMP of either family */
	}
}

int responder_write_request(const struct responder_client *client, uint8_t ttl, uint16_t flow, uint16_t id,
	struct outgoing *outgoing)
{
	bool v4 = client->task.target.family == 4;
	uint8_t bytes[BODY_MAX];
	struct writer body = writer_init(bytes, sizeof(bytes));
	struct responder_request message = {
		.ttl = ttl,
		.protocol = ttl ? wire_protocol(client) : 0,
		.flow = ttl ? flow : 0,
		.cookie = client->cookie,
		.padding = v4 ? REQUEST_SIZE_V4 - 20 - 8 - RESPONDER_REQUEST_BODY
			      : REQUEST_SIZE_V6 - 40 - 8 - RESPONDER_REQUEST_BODY,
	};
	responder_request_write(&body, &message);
	struct packet_spec spec = {
		.ip =
			{
				.source = client->task.source,
				.destination = client->server,
				.ttl = REQUEST_TTL,
				.protocol = v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6,
			},
		.transport =
			{
				.icmp_kind = ICMP_ECHO_REQUEST,
				.icmp_type = v4 ? (uint8_t)ICMP4_ECHO_REQUEST : (uint8_t)ICMP6_ECHO_REQUEST,
				.icmp_code = RESPONDER_CODE,
				.icmp_id = id,
				.payload = bytes,
				.payload_length = body.length,
			},
	};
	struct writer writer = writer_init(outgoing->bytes, sizeof(outgoing->bytes));
	int code = packet_write(&writer, &spec);
	outgoing->length = writer.length;
	return code;
}

static int write_request(const struct responder_client *client, unsigned index, struct outgoing *outgoing)
{
	outgoing->token = index;
	return responder_write_request(client, client->requests[index].ttl, client->task.flow,
		(uint16_t)(client->first_id + index), outgoing);
}

static enum machine_want end(struct responder_client *client, int64_t now_ns)
{
	if (client->phase != PHASE_DONE)
		client->ended_ns = now_ns;
	client->phase = PHASE_DONE;
	return MACHINE_DONE;
}

/* One way is known; go on with all others where they are wanted. */
static bool begin_ways(struct responder_client *client, int64_t now_ns)
{
	struct overview overview;
	responder_look_at_requests(client, &overview);
	if (client->task.confidence <= 0 || overview.highest_answered == 0)
		return false;
	client->ways = responder_ways_new(client, now_ns);
	if (client->ways)
		client->phase = PHASE_WAYS;
	return client->ways != NULL;
}

static enum machine_want next_of_ways(
	struct responder_client *client, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct machine machine = responder_ways_machine(client->ways);
	enum machine_want want = machine.ops->next(machine.self, now_ns, outgoing, wake_ns);
	return want == MACHINE_DONE ? end(client, now_ns) : want;
}

static enum machine_want on_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct responder_client *client = self;
	if (client->phase == PHASE_DONE)
		return MACHINE_DONE;
	if (client->lookup) {
		*wake_ns = TIME_NEVER;
		return MACHINE_WAIT;
	}
	if (!addr_is_set(client->server))
		return end(client, now_ns);
	if (client->phase == PHASE_WAYS)
		return next_of_ways(client, now_ns, outgoing, wake_ns);
	if (client->sent == client->planned && burst_over(client, now_ns)) {
		if (client->phase == PHASE_START)
			client->started_ns = now_ns;
		plan_next_burst(client);
		client->burst = client->sent;
		client->phase = PHASE_BURST;
		if (client->sent == client->planned)
			return begin_ways(client, now_ns) ? next_of_ways(client, now_ns, outgoing, wake_ns)
							  : end(client, now_ns);
	}
	plan_repetitions(client);
	if (client->sent == client->planned) {
		*wake_ns = burst_deadline(client);
		return MACHINE_WAIT;
	}
	if (write_request(client, client->sent, outgoing) < 0)
		return end(client, now_ns);
	client->requests[client->sent++].sent_ns = now_ns;
	client->burst_sent_ns = now_ns;
	return MACHINE_SEND;
}

static void on_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct responder_client *client = self;
	if (client->ways && token >= client->sent) {
		struct machine machine = responder_ways_machine(client->ways);
		machine.ops->sent(machine.self, token, sent_ns, error);
	}
	if (token >= client->sent)
		return;
	client->requests[token].sent_ns = sent_ns;
	client->requests[token].failed = error != 0;
	if (error)
		client->send_error = error;
}

/* ---- receiving */

/* A kernel's echo brings back the request's body to the byte. A success response to the shortest request has
 * the same first bytes at most, never its length. */
static bool is_echo(const struct responder_client *client, unsigned index, const struct transport *reply)
{
	struct outgoing request;
	if (write_request(client, index, &request) < 0)
		return false;
	size_t header = client->task.target.family == 4 ? 28 : 48;
	/* The cookie may have come after this request was sent. */
	return reply->payload_length == request.length - header &&
		memcmp(reply->payload, request.bytes + header, RESPONDER_REQUEST_BODY) == 0;
}

static void note_time(struct responder_client *client, struct request *request, int64_t received_ns)
{
	int64_t elapsed = received_ns - request->sent_ns;
	request->answered = true;
	client->slowest_ns = MAX(client->slowest_ns, MAX(elapsed, 1));
	if (request->ttl == 0)
		client->hello_ns = MAX(elapsed, 1);
}

static bool is_hop(const struct responder_client *client, const struct responder_response *response)
{
	return response->status == RESPONDER_OK && response->hop.family == client->task.target.family &&
		addr_is_unicast(response->hop);
}

bool responder_read_hop(const struct responder_client *client, const struct packet *packet,
	struct responder_response *response)
{
	struct cursor body = cursor_init(packet->transport.payload, packet->transport.payload_length);
	return responder_response_read(&body, response) == 0 && is_hop(client, response);
}

bool responder_is_response(
	const struct responder_client *client, const struct packet *packet, unsigned *index)
{
	const struct transport *reply = &packet->transport;
	*index = (uint16_t)(reply->icmp_id - client->first_id);
	return reply->icmp_kind == ICMP_ECHO_REPLY && reply->icmp_code == RESPONDER_CODE &&
		reply->icmp_seq == 0 && addr_equal(packet->ip.source, client->server);
}

static void take_response(struct responder_client *client, struct request *request, int64_t received_ns,
	const struct responder_response *response)
{
	if (request->ttl == 0 && response->status == RESPONDER_BAD_TTL) {
		client->confirmed = true;
		client->cookie = response->cookie ? response->cookie : client->cookie;
		if (response->seen.family == client->task.source.family)
			client->seen = response->seen;
	} else if (request->ttl != 0 && response->status == RESPONDER_OK && is_hop(client, response)) {
		client->confirmed = true;
		request->hop = response->hop;
		request->rtt_ns = (int64_t)response->rtt_ns;
	} else if (request->ttl != 0 && response->status > RESPONDER_BAD_TTL) {
		client->refused_status = response->status;
	} else {
		return; /* makes no sense as an answer to this request */
	}
	note_time(client, request, received_ns);
}

static void on_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct responder_client *client = self;
	const struct transport *reply = &packet->transport;
	unsigned index;
	if (client->phase == PHASE_WAYS) {
		struct machine machine = responder_ways_machine(client->ways);
		machine.ops->packet(machine.self, received_ns, packet);
		return;
	}
	if (!responder_is_response(client, packet, &index) || index >= client->sent ||
		client->requests[index].answered)
		return;
	if (is_echo(client, index, reply)) {
		if (client->echoed_ns == TIME_NEVER)
			client->echoed_ns = received_ns;
		return;
	}
	struct responder_response response;
	struct cursor body = cursor_init(reply->payload, reply->payload_length);
	if (responder_response_read(&body, &response) != 0)
		return;
	if (packet->ip.ttl > 0 && packet->ip.ttl <= RESPONSE_TTL)
		client->hops_home = RESPONSE_TTL - packet->ip.ttl + 1u;
	take_response(client, &client->requests[index], received_ns, &response);
}

/* ---- life */

static void *start(const struct reverse_task *task)
{
	if (!addr_is_set(task->target) || task->target.family != task->source.family)
		return NULL;
	struct responder_client *client = calloc(1, sizeof(*client));
	if (!client)
		return NULL;
	client->task = *task;
	client->task.max_ttl = MIN(task->max_ttl ? task->max_ttl : MAX_TTL_DEFAULT, RESPONDER_TTL_MAX);
	client->task.probes_per_hop =
		MIN(task->probes_per_hop ? task->probes_per_hop : PROBES_DEFAULT, RESPONDER_PROBES_MAX);
	if (task->confidence > 0)
		client->task.probes_per_hop = 1;
	if (!responder_choose_server(client)) {
		free(client);
		return NULL;
	}
	client->first_id = (uint16_t)(task->seed ^ task->seed >> 16 ^ task->seed >> 32 ^ task->seed >> 48);
	client->echoed_ns = TIME_NEVER;
	return client;
}

static void on_hint(void *self, int64_t rtt_ns)
{
	struct responder_client *client = self;
	client->task.rtt_hint_ns = rtt_ns;
}

static void free_client(void *self)
{
	struct responder_client *client = self;
	responder_forget_lookup(client);
	responder_ways_free(client->ways);
	free(client->vantage);
	free(client);
}

static struct machine machine_of(void *client)
{
	static const struct machine_ops ops = {.next = on_next, .sent = on_sent, .packet = on_packet};
	return (struct machine){.ops = &ops, .self = client};
}

const struct reverse_method responder_method = {
	.name = "responder",
	.parameter = "HOST",
	.ipv4 = true,
	.ipv6 = true,
	.start = start,
	.machine = machine_of,
	.hint = on_hint,
	.path = responder_path,
	.status = responder_status,
	.duration_ns = responder_duration_ns,
	.public_address = responder_learned_address,
	.free = free_client,
};
