/* Where the path goes, as far as the answers tell. */
#include "base/clock.h"
#include "reverse/responder_client.h"

/* One address that answers for the last hop limits, twice at least, is where the path ends for the far host:
 * a NAT in front of us answers in our place; or a filter refuses. */
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

struct addr responder_public_address(const struct responder_client *client)
{
	bool said = client->task.public_address.family == client->task.source.family;
	return said ? client->task.public_address : client->seen;
}

/* Our public address where a NAT has it: it answers in our place, if only once. */
static void find_nat(const struct responder_client *client, struct overview *overview)
{
	struct addr address = responder_public_address(client);
	for (unsigned ttl = 1; ttl <= overview->highest_answered && !overview->end; ttl++)
		if (addr_is_set(address) && overview->slots[ttl].answered &&
			addr_equal(overview->slots[ttl].hop, address)) {
			overview->behind_nat = true;
			overview->end = ttl;
		}
}

/* What reached us, or the NAT, with hop limit to spare has been where the path ends: an answer counts for the
 * last hop, as far as it lacks probes. Asking again could fail where hosts limit how often they answer
 * (Linux: icmp_ratelimit). */
bool responder_counts_for_end(
	const struct responder_client *client, const struct overview *overview, const struct request *request)
{
	const struct slot *last = &overview->slots[overview->end];
	bool lacks = last->sent < client->task.probes_per_hop || last->answered == 0;
	return overview->end && request->ttl > overview->end && request->answered && lacks &&
		addr_equal(request->hop, last->hop);
}

static void add_spare(const struct responder_client *client, struct overview *overview)
{
	for (unsigned i = 0; i < client->sent; i++) {
		const struct request *request = &client->requests[i];
		if (responder_counts_for_end(client, overview, request)) {
			overview->slots[overview->end].sent++;
			overview->slots[overview->end].answered++;
		}
		if (i >= client->burst && overview->end && request->ttl > overview->end && !request->answered)
			overview->spare++;
	}
}

/* Where answers get lost, or our own kernel limits how many it gives, the smallest hop limit that reached us
 * may be too large. Silence right before it is then our own, if the responses themselves came by fewer hops.
 */
static void shorten(const struct responder_client *client, struct overview *overview)
{
	unsigned end = client->hops_home;
	if (end == 0 || end >= overview->end)
		return;
	for (unsigned ttl = end; ttl < overview->end; ttl++)
		if (overview->slots[ttl].answered)
			return;
	overview->inferred = true;
	overview->end = end;
	overview->slots[end].hop = client->task.source;
}

void responder_look_at_requests(const struct responder_client *client, struct overview *overview)
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
		if (overview->slots[ttl].answered &&
			addr_equal(overview->slots[ttl].hop, client->task.source)) {
			overview->reached = true;
			overview->end = ttl;
		}
	if (overview->reached)
		shorten(client, overview);
	if (!overview->reached)
		find_nat(client, overview);
	if (!overview->end && overview->highest_answered)
		find_repeated_end(overview);
}

void responder_look(const struct responder_client *client, struct overview *overview)
{
	responder_look_at_requests(client, overview);
	add_spare(client, overview);
}

bool responder_only_echoes(const struct responder_client *client)
{
	return !client->confirmed && client->echoed_ns != TIME_NEVER;
}

bool responder_all_failed(const struct responder_client *client)
{
	for (unsigned i = 0; i < client->sent; i++)
		if (!client->requests[i].failed)
			return false;
	return client->sent > 0;
}
