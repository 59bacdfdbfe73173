/* What the client tells about its run: the path, and how it went. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "reverse/responder_client.h"

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
static bool add_hop(
	const struct responder_client *client, struct overview *overview, struct path *path, unsigned ttl)
{
	struct hop *hop = path_add_hop(path, (int)ttl, TECHNIQUE_RESPONDER);
	for (unsigned i = 0; hop && i < client->sent; i++) {
		const struct request *request = &client->requests[i];
		bool spare = ttl == overview->end && responder_counts_for_end(client, overview, request);
		if (request->failed || (request->ttl != ttl && !spare))
			continue;
		overview->slots[ttl].sent += spare;
		overview->slots[ttl].answered += spare;
		if (!add_probe(client, hop, request))
			return false;
	}
	if (hop && overview->inferred && ttl == overview->end)
		hop->certainty = CERTAINTY_INFERRED;
	return hop != NULL;
}

/* A NAT answers in our place. Where our public address is not known, one that is not public has a NAT before
 * it. */
bool responder_is_our_nat(const struct responder_client *client, const struct overview *overview)
{
	struct addr address = responder_public_address(client);
	if (addr_is_set(address))
		return overview->behind_nat && addr_equal(overview->slots[overview->end].hop, address);
	return overview->behind_nat && addr_is_private(client->task.source);
}

/* Told by somebody, or the NAT that answered. */
struct addr responder_learned_address(const void *self)
{
	const struct responder_client *client = self;
	struct overview overview;
	responder_look_at_requests(client, &overview);
	struct addr address = responder_public_address(client);
	if (!addr_is_set(address) && responder_is_our_nat(client, &overview))
		address = overview.slots[overview.end].hop;
	return address;
}

static void fill_path(
	const struct responder_client *client, const struct overview *overview, struct path *path)
{
	path->protocol = client->task.protocol;
	path->source = client->server;
	path->destination = client->task.source;
	if (client->task.protocol == PROBE_ICMP)
		path->flow.icmp_checksum = client->task.flow;
	else
		path->flow.destination_port = client->task.flow;
	path->reached = overview->reached || responder_is_our_nat(client, overview);
	if (path->reached)
		path->stop_reason = STOP_REACHED;
	else if (client->phase != PHASE_DONE)
		path->stop_reason = STOP_INTERRUPTED;
	else if (overview->behind_nat)
		path->stop_reason = STOP_UNREACHABLE;
	else
		path->stop_reason =
			overview->highest_answered == client->task.max_ttl ? STOP_MAX_HOPS : STOP_GAP_LIMIT;
	path->duration_ns = responder_duration_ns(client);
}

static struct path *path_of_requests(const struct responder_client *client, int64_t started_wall_ns)
{
	struct overview overview;
	responder_look_at_requests(client, &overview);
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

struct path *responder_path(const void *self, int64_t started_wall_ns)
{
	const struct responder_client *client = self;
	struct path *path = client->ways ? responder_ways_path(client->ways, started_wall_ns)
					 : path_of_requests(client, started_wall_ns);
	if (!path || responder_mark_vantage(client, path) == 0)
		return path;
	path_free(path);
	return NULL;
}

int64_t responder_duration_ns(const void *self)
{
	const struct responder_client *client = self;
	if (client->phase == PHASE_DONE)
		return client->ended_ns - client->started_ns;
	return client->sent ? client->burst_sent_ns - client->started_ns : 0;
}

static enum attempt_status describe_path(
	const struct responder_client *client, const struct overview *overview, char *detail, size_t size)
{
	char text[ADDR_TEXT_SIZE];
	if (overview->reached) {
		snprintf(detail, size, "%u hops back", overview->end);
		return ATTEMPT_OK;
	}
	if (overview->behind_nat) {
		bool nat = responder_is_our_nat(client, overview);
		bool sure = addr_is_set(responder_public_address(client));
		addr_format(overview->slots[overview->end].hop, text);
		snprintf(detail, size, "%u hops back to %s, %s", overview->end, text,
			!nat ? "which lets nothing through to you"
				: sure
				? "your public address: reached your NAT"
				: "reached your NAT (or a filter before you; --public-address would tell)");
		return nat ? ATTEMPT_OK : ATTEMPT_PARTIAL;
	}
	snprintf(detail, size, "the way back is known for %u hops, its end is not",
		overview->highest_answered);
	return ATTEMPT_PARTIAL;
}

/* After what is said of the first flow. */
static enum attempt_status describe_ways(
	const struct responder_client *client, enum attempt_status status, char *detail, size_t size)
{
	struct multipath_status ways = responder_ways_status(client->ways);
	size_t used = strlen(detail);
	snprintf(detail + used, size - used, "; %u flows show %u routers%s", ways.flows, ways.routers,
		ways.finished ? "" : " so far");
	return ways.finished ? status : ATTEMPT_PARTIAL;
}

/* It is not the far host's way, however whole it is. */
static enum attempt_status describe_vantage(const struct responder_client *client, char *detail, size_t size)
{
	char address[ADDR_TEXT_SIZE];
	size_t used = strlen(detail);
	snprintf(detail + used, size - used, "; from %s, not from the far host",
		addr_format(client->server, address));
	return ATTEMPT_PARTIAL;
}

enum attempt_status responder_status(const void *self, char *detail, size_t size)
{
	const struct responder_client *client = self;
	struct overview overview;
	if (client->trouble[0]) {
		snprintf(detail, size, "%s", client->trouble);
		return ATTEMPT_FAILED;
	}
	responder_look(client, &overview);
	if (overview.highest_answered) {
		enum attempt_status status = describe_path(client, &overview, detail, size);
		if (client->ways)
			status = describe_ways(client, status, detail, size);
		return responder_at_vantage(client) ? describe_vantage(client, detail, size) : status;
	}
	if (client->refused_status) {
		snprintf(detail, size, "the responder refuses such probes (status %d)",
			client->refused_status);
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
	if (responder_all_failed(client)) {
		snprintf(detail, size, "cannot send requests: %s", strerror(-client->send_error));
		return ATTEMPT_UNAVAILABLE;
	}
	snprintf(detail, size, "no answer from a responder");
	return ATTEMPT_TIMEOUT;
}
