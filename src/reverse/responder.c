#include "reverse/responder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "packet/responder.h"

#define MAX_TTL_DEFAULT 30
#define PROBES_DEFAULT  3
#define FIRST_BURST     16
#define HELLO_TRIES     3
#define REQUESTS_MAX    (HELLO_TRIES + RESPONDER_TTL_MAX * RESPONDER_PROBES_MAX)
#define BODY_MAX        128

/* What the most expensive probe and the response to it come to: 44 and 56 bytes in IPv4, 64 and 76 in IPv6. */
#define REQUEST_SIZE_V4 100
#define REQUEST_SIZE_V6 140

#define PATIENCE_FIRST_NS NS_PER_S /* while nothing at all has come back and no round-trip time is known */
#define PATIENCE_HINT_NS  (200 * NS_PER_MS) /* the least when one is */
#define PATIENCE_MIN_NS   (20 * NS_PER_MS)
#define PATIENCE_MAX_NS   (3 * NS_PER_S)
#define ECHO_GRACE_NS     (50 * NS_PER_MS) /* for the real response after the kernel's echo */
#define GAP               4 /* hop limits to try beyond the last hop that answered, once all were tried */

#define REQUEST_TTL 64

struct request {
	uint8_t ttl; /* 0 = hello */
	int64_t sent_ns;
	bool failed; /* never left */
	bool answered;
	struct addr hop;
	int64_t rtt_ns;
};

enum phase { PHASE_START, PHASE_BURST, PHASE_DONE };

struct responder_client {
	struct responder_client_config config;
	uint16_t first_id;
	struct request requests[REQUESTS_MAX];
	unsigned planned; /* requests that exist */
	unsigned sent;    /* of those, how many went out */
	unsigned burst;   /* the first of the current burst */
	enum phase phase;
	int64_t started_ns, ended_ns;
	int64_t burst_sent_ns;   /* the last packet of the current burst */
	int64_t slowest_ns;      /* request to response, the longest so far; 0 = nothing yet */
	int64_t hello_ns;        /* the same of the hello */
	unsigned hello_tries;
	bool confirmed;          /* a responder answered */
	uint64_t cookie;
	int64_t echoed_ns;       /* first echo of one of our requests; TIME_NEVER = none */
	int refused_status;      /* error status of a request that was no hello; 0 = none */
	int send_error;          /* of the last send that failed */
};

/* ---- what is known about the path */

struct slot {
	unsigned sent, answered;
	struct addr hop; /* of the first answer */
};

/* Per TTL, [1] to [max_ttl]. */
struct overview {
	struct slot slots[RESPONDER_TTL_MAX + 1];
	unsigned highest_answered;
	unsigned spare;   /* requests of the current burst beyond the end that may yet be answered */
	unsigned end;     /* where the path ends as far as is known; 0 = not known */
	bool reached;     /* it ends at our own address */
	bool behind_nat;  /* it ends at an address that answers for everything behind it */
};

/* One address that answers for the last hop limits, twice at least, is where the path ends for the far host: a
 * NAT in front of us answers in our place; or a filter refuses. */
static void find_repeated_end(struct overview *overview)
{
	unsigned start = overview->highest_answered;
	unsigned same = 0;
	struct addr last = overview->slots[start].hop;
	for (unsigned ttl = start; ttl > 0; ttl--) {
		const struct slot *slot = &overview->slots[ttl];
		if (slot->answered && !addr_equal(slot->hop, last))
			break;
		if (slot->answered) {
			same++;
			start = ttl;
		}
	}
	if (same >= 2) {
		overview->behind_nat = true;
		overview->end = start;
	}
}

/* What reached us, or the NAT, with hop limit to spare has been where the path ends: an answer counts for the
 * last hop, as far as it lacks probes. Asking again could fail where hosts limit how often they answer
 * (Linux: icmp_ratelimit). */
static bool counts_for_end(const struct responder_client *client, const struct overview *overview,
	const struct request *request)
{
	const struct slot *last = &overview->slots[overview->end];
	return overview->end && request->ttl > overview->end && request->answered &&
		last->sent < client->config.probes_per_hop && addr_equal(request->hop, last->hop);
}

static void add_spare(const struct responder_client *client, struct overview *overview)
{
	for (unsigned i = 0; i < client->sent; i++) {
		const struct request *request = &client->requests[i];
		if (counts_for_end(client, overview, request)) {
			overview->slots[overview->end].sent++;
			overview->slots[overview->end].answered++;
		}
		if (i >= client->burst && overview->end && request->ttl > overview->end && !request->answered)
			overview->spare++;
	}
}

/* The requests alone, without the spare ones. */
static void look_at_requests(const struct responder_client *client, struct overview *overview)
{
	*overview = (struct overview){0};
	for (unsigned i = 0; i < client->sent; i++) {
		const struct request *request = &client->requests[i];
		struct slot *slot = &overview->slots[request->ttl];
		slot->sent++;
		if (!addr_is_set(request->hop))
			continue;
		if (slot->answered++ == 0)
			slot->hop = request->hop;
		overview->highest_answered = MAX(overview->highest_answered, request->ttl);
	}
	for (unsigned ttl = 1; ttl <= overview->highest_answered && !overview->reached; ttl++)
		if (overview->slots[ttl].answered && addr_equal(overview->slots[ttl].hop, client->config.source)) {
			overview->reached = true;
			overview->end = ttl;
		}
	if (!overview->reached && overview->highest_answered)
		find_repeated_end(overview);
}

static void look(const struct responder_client *client, struct overview *overview)
{
	look_at_requests(client, overview);
	add_spare(client, overview);
}

/* ---- bad signs */

static bool only_echoes(const struct responder_client *client)
{
	return !client->confirmed && client->echoed_ns != TIME_NEVER;
}

static bool all_failed(const struct responder_client *client)
{
	for (unsigned i = 0; i < client->sent; i++)
		if (!client->requests[i].failed)
			return false;
	return client->sent > 0;
}

/* ---- what to ask next */

static void plan(struct responder_client *client, unsigned ttl, unsigned count)
{
	for (; count > 0 && client->planned < REQUESTS_MAX; count--)
		client->requests[client->planned++] = (struct request){.ttl = (uint8_t)ttl, .rtt_ns = RTT_NONE};
}

static void plan_hello(struct responder_client *client)
{
	client->hello_tries++;
	plan(client, 0, 1);
}

static void plan_first_burst(struct responder_client *client)
{
	plan_hello(client);
	for (unsigned ttl = 1; ttl <= MIN(client->config.max_ttl, FIRST_BURST); ttl++)
		plan(client, ttl, 1);
}

/* Hops that have not been asked for as often as wanted. While the end of the path is not in sight, one request for
 * each unanswered hop; the repetitions come when all hop limits have been tried. */
static void plan_path(struct responder_client *client)
{
	struct overview overview;
	look(client, &overview);
	bool explored = overview.end || overview.slots[client->config.max_ttl].sent;
	unsigned last = overview.end ? overview.end : client->config.max_ttl;
	if (explored && !overview.end && overview.highest_answered)
		last = MIN(last, overview.highest_answered + GAP);
	for (unsigned ttl = 1; ttl <= last; ttl++) {
		const struct slot *slot = &overview.slots[ttl];
		if (slot->sent >= client->config.probes_per_hop)
			continue;
		/* The last hop's repetitions may be under way: ask again only when they have not come by then. */
		if (ttl == overview.end && overview.spare && client->planned > client->sent)
			continue;
		if (explored && (overview.end || ttl <= overview.highest_answered))
			plan(client, ttl, client->config.probes_per_hop - slot->sent);
		else if (slot->answered == 0)
			plan(client, ttl, 1);
	}
}

static void plan_next_burst(struct responder_client *client)
{
	if (client->phase == PHASE_START) {
		plan_first_burst(client);
	} else if (client->confirmed && !client->refused_status) {
		plan_path(client);
	} else if (!client->confirmed && !only_echoes(client) && !all_failed(client) &&
		client->hello_tries < HELLO_TRIES) {
		plan_hello(client);
	}
}

/* ---- when to go on */

static bool all_answered(const struct responder_client *client)
{
	struct overview overview;
	look(client, &overview);
	for (unsigned i = 0; i < client->sent; i++) {
		const struct request *request = &client->requests[i];
		bool beyond = overview.reached && request->ttl > overview.end;
		if (!request->answered && !beyond)
			return false;
	}
	return client->confirmed;
}

/* How long a burst may take. A probe travels from there to us and back as the hello did from us to there, so the
 * last hop's response takes two round trips; once it is there, nothing should take much longer than it did. */
static int64_t patience(const struct responder_client *client)
{
	struct overview overview;
	look(client, &overview);
	int64_t hint = client->config.rtt_hint_ns;
	if (client->slowest_ns == 0)
		return hint ? MAX(3 * hint, PATIENCE_HINT_NS) : PATIENCE_FIRST_NS;
	int64_t slowest = client->slowest_ns;
	int64_t hello = client->hello_ns ? client->hello_ns : slowest;
	int64_t expected = overview.reached ? slowest * 5 / 4 : MAX(slowest * 3 / 2, hello * 5 / 2);
	return MIN(PATIENCE_MIN_NS + expected, PATIENCE_MAX_NS);
}

/* When the current burst has been waited for long enough. */
static int64_t burst_deadline(const struct responder_client *client)
{
	int64_t deadline = client->burst_sent_ns + patience(client);
	return only_echoes(client) ? MIN(deadline, client->echoed_ns + ECHO_GRACE_NS) : deadline;
}

static bool burst_over(const struct responder_client *client, int64_t now_ns)
{
	return client->phase == PHASE_START || client->refused_status || all_failed(client) ||
		now_ns >= burst_deadline(client) || all_answered(client);
}

/* ---- sending */

static uint8_t wire_protocol(const struct responder_client *client)
{
	switch (client->config.protocol) {
	case PROBE_UDP: return PROTOCOL_UDP;
	case PROBE_TCP: return PROTOCOL_TCP;
	default: return 0; /* ICMP of either family */
	}
}

static int write_request(const struct responder_client *client, unsigned index, struct outgoing *outgoing)
{
	const struct request *request = &client->requests[index];
	bool v4 = client->config.target.family == 4;
	uint8_t bytes[BODY_MAX];
	struct writer body = writer_init(bytes, sizeof(bytes));
	struct responder_request message = {
		.ttl = request->ttl,
		.protocol = request->ttl ? wire_protocol(client) : 0,
		.flow = request->ttl ? client->config.flow : 0,
		.cookie = client->cookie,
		.padding = v4 ? REQUEST_SIZE_V4 - 20 - 8 - RESPONDER_REQUEST_BODY :
				REQUEST_SIZE_V6 - 40 - 8 - RESPONDER_REQUEST_BODY,
	};
	responder_request_write(&body, &message);
	struct packet_spec spec = {
		.ip = {
			.source = client->config.source,
			.destination = client->config.target,
			.ttl = REQUEST_TTL,
			.protocol = v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6,
		},
		.transport = {
			.icmp_kind = ICMP_ECHO_REQUEST,
			.icmp_type = v4 ? (uint8_t)ICMP4_ECHO_REQUEST : (uint8_t)ICMP6_ECHO_REQUEST,
			.icmp_code = RESPONDER_CODE,
			.icmp_id = (uint16_t)(client->first_id + index),
			.payload = bytes,
			.payload_length = body.length,
		},
	};
	struct writer writer = writer_init(outgoing->bytes, sizeof(outgoing->bytes));
	int code = packet_write(&writer, &spec);
	outgoing->length = writer.length;
	outgoing->token = index;
	return code;
}

static enum machine_want end(struct responder_client *client, int64_t now_ns)
{
	if (client->phase != PHASE_DONE)
		client->ended_ns = now_ns;
	client->phase = PHASE_DONE;
	return MACHINE_DONE;
}

static enum machine_want on_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct responder_client *client = self;
	if (client->phase == PHASE_DONE)
		return MACHINE_DONE;
	if (client->sent == client->planned && burst_over(client, now_ns)) {
		if (client->phase == PHASE_START)
			client->started_ns = now_ns;
		plan_next_burst(client);
		client->burst = client->sent;
		client->phase = PHASE_BURST;
		if (client->sent == client->planned)
			return end(client, now_ns);
	}
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
	if (token >= client->sent)
		return;
	client->requests[token].sent_ns = sent_ns;
	client->requests[token].failed = error != 0;
	if (error)
		client->send_error = error;
}

/* ---- receiving */

/* A kernel's echo brings back the request's body to the byte. A success response to the shortest request has the
 * same first bytes at most, never its length. */
static bool is_echo(const struct responder_client *client, unsigned index, const struct transport *reply)
{
	struct outgoing request;
	if (write_request(client, index, &request) < 0)
		return false;
	size_t header = client->config.target.family == 4 ? 28 : 48;
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

static void take_response(struct responder_client *client, struct request *request, int64_t received_ns,
	const struct responder_response *response)
{
	if (request->ttl == 0 && response->status == RESPONDER_BAD_TTL) {
		client->confirmed = true;
		client->cookie = response->cookie ? response->cookie : client->cookie;
	} else if (request->ttl != 0 && response->status == RESPONDER_OK &&
		response->hop.family == client->config.target.family && addr_is_unicast(response->hop)) {
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
	unsigned index = (uint16_t)(reply->icmp_id - client->first_id);
	if (reply->icmp_kind != ICMP_ECHO_REPLY || reply->icmp_code != RESPONDER_CODE || reply->icmp_seq != 0 ||
		index >= client->sent || client->requests[index].answered ||
		!addr_equal(packet->ip.source, client->config.target))
		return;
	if (is_echo(client, index, reply)) {
		if (client->echoed_ns == TIME_NEVER)
			client->echoed_ns = received_ns;
		return;
	}
	struct responder_response response;
	struct cursor body = cursor_init(reply->payload, reply->payload_length);
	if (responder_response_read(&body, &response) == 0)
		take_response(client, &client->requests[index], received_ns, &response);
}

/* ---- life */

struct responder_client *responder_client_new(const struct responder_client_config *config)
{
	if (!addr_is_set(config->target) || config->target.family != config->source.family)
		return NULL;
	struct responder_client *client = calloc(1, sizeof(*client));
	if (!client)
		return NULL;
	client->config = *config;
	client->config.max_ttl = MIN(config->max_ttl ? config->max_ttl : MAX_TTL_DEFAULT, RESPONDER_TTL_MAX);
	client->config.probes_per_hop =
		MIN(config->probes_per_hop ? config->probes_per_hop : PROBES_DEFAULT, RESPONDER_PROBES_MAX);
	client->first_id = (uint16_t)(config->seed ^ config->seed >> 16 ^ config->seed >> 32 ^ config->seed >> 48);
	client->echoed_ns = TIME_NEVER;
	return client;
}

void responder_client_free(struct responder_client *client)
{
	free(client);
}

struct machine responder_client_machine(struct responder_client *client)
{
	static const struct machine_ops ops = {.next = on_next, .sent = on_sent, .packet = on_packet};
	return (struct machine){.ops = &ops, .self = client};
}

/* ---- the result */

static bool add_probe(const struct responder_client *client, struct hop *hop, const struct request *request)
{
	struct probe_result *probe = hop_add_probe(hop);
	if (!probe)
		return false;
	probe->sent_ns = request->sent_ns - client->started_ns;
	if (request->answered) {
		probe->address = request->hop;
		probe->rtt_ns = request->rtt_ns;
	}
	return true;
}

/* `overview` is one of look_at_requests, to which the spare answers are added as they are used. */
static bool add_hop(const struct responder_client *client, struct overview *overview, struct path *path,
	unsigned ttl)
{
	struct hop *hop = path_add_hop(path, (int)ttl, TECHNIQUE_RESPONDER);
	for (unsigned i = 0; hop && i < client->sent; i++) {
		const struct request *request = &client->requests[i];
		bool spare = ttl == overview->end && counts_for_end(client, overview, request);
		if (request->failed || (request->ttl != ttl && !spare))
			continue;
		overview->slots[ttl].sent += spare;
		if (!add_probe(client, hop, request))
			return false;
	}
	return hop != NULL;
}

/* A NAT answers in our place; an address of our own that is public has none before it. */
static bool is_our_nat(const struct responder_client *client, const struct overview *overview)
{
	return overview->behind_nat && addr_is_private(client->config.source);
}

static void fill_path(const struct responder_client *client, const struct overview *overview, struct path *path)
{
	path->protocol = client->config.protocol;
	path->source = client->config.target;
	path->destination = client->config.source;
	if (client->config.protocol == PROBE_ICMP)
		path->flow.icmp_checksum = client->config.flow;
	else
		path->flow.destination_port = client->config.flow;
	path->reached = overview->reached || is_our_nat(client, overview);
	if (path->reached)
		path->stop_reason = STOP_REACHED;
	else if (client->phase != PHASE_DONE)
		path->stop_reason = STOP_INTERRUPTED;
	else if (overview->behind_nat)
		path->stop_reason = STOP_UNREACHABLE;
	else
		path->stop_reason = overview->highest_answered == client->config.max_ttl ? STOP_MAX_HOPS : STOP_GAP_LIMIT;
	path->duration_ns = responder_client_duration_ns(client);
}

struct path *responder_client_path(const struct responder_client *client, int64_t started_wall_ns)
{
	struct overview overview;
	look_at_requests(client, &overview);
	struct path *path = overview.highest_answered ? path_new(DIRECTION_REVERSE, "responder") : NULL;
	if (!path)
		return NULL;
	fill_path(client, &overview, path);
	path->started_wall_ns = started_wall_ns;
	unsigned last = overview.end ? overview.end : overview.highest_answered;
	bool whole = true;
	for (unsigned ttl = 1; ttl <= last && whole; ttl++)
		whole = add_hop(client, &overview, path, ttl);
	if (!whole || path_summarise(path) < 0) {
		path_free(path);
		return NULL;
	}
	return path;
}

int64_t responder_client_duration_ns(const struct responder_client *client)
{
	if (client->phase == PHASE_DONE)
		return client->ended_ns - client->started_ns;
	return client->sent ? client->burst_sent_ns - client->started_ns : 0;
}

static enum attempt_status describe_path(const struct responder_client *client, const struct overview *overview,
	char *detail, size_t size)
{
	char text[ADDR_TEXT_SIZE];
	if (overview->reached) {
		snprintf(detail, size, "%u hops back", overview->end);
		return ATTEMPT_OK;
	}
	if (overview->behind_nat) {
		addr_format(overview->slots[overview->end].hop, text);
		bool nat = is_our_nat(client, overview);
		snprintf(detail, size, nat ? "%u hops back to %s, your NAT (or a filter before you)" :
					     "%u hops back to %s, which lets nothing through to you",
			overview->end, text);
		return nat ? ATTEMPT_OK : ATTEMPT_PARTIAL;
	}
	snprintf(detail, size, "the way back is known for %u hops, its end is not", overview->highest_answered);
	return ATTEMPT_PARTIAL;
}

enum attempt_status responder_client_status(const struct responder_client *client, char *detail, size_t size)
{
	struct overview overview;
	look(client, &overview);
	if (overview.highest_answered)
		return describe_path(client, &overview, detail, size);
	if (client->refused_status) {
		snprintf(detail, size, "the responder refuses such probes (status %d)", client->refused_status);
		return ATTEMPT_REFUSED;
	}
	if (client->confirmed) {
		snprintf(detail, size, "a responder is there, but none of its probes was answered");
		return ATTEMPT_TIMEOUT;
	}
	if (client->echoed_ns != TIME_NEVER) {
		snprintf(detail, size, "no responder there: the host only echoes the request");
		return ATTEMPT_UNSUPPORTED;
	}
	if (all_failed(client)) {
		snprintf(detail, size, "cannot send requests: %s", strerror(-client->send_error));
		return ATTEMPT_UNAVAILABLE;
	}
	snprintf(detail, size, "no answer from a responder");
	return ATTEMPT_TIMEOUT;
}
