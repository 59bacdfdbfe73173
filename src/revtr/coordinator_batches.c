/* What a client asks for: checked, kept, and put into its lane. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/coordinator_inside.h"

static int check_ask(
	const struct coordinator *c, const struct coordinator_ask *ask, uint32_t *source, struct error *error)
{
	char text[ADDR_TEXT_SIZE];
	*source = coordinator_source(c, ask->source);
	const char *why = coordinator_why_unregistered(c, ask->source);
	if (*source == UINT32_MAX)
		return error_set(error, -EPERM, "%s is not a registered source%s%s",
			addr_format(ask->source, text), why ? ": " : "", why ? why : "");
	if (!c->sources[*source].stored.consents)
		return error_set(error, -EPERM, "the owner of %s does not consent any more",
			addr_format(ask->source, text));
	if (ask->destination.family != 4)
		return error_set(error, -EINVAL,
			"%s: reverse traceroute without cooperation is for IPv4 hosts",
			addr_format(ask->destination, text));
	if (!addr_is_unicast(ask->destination) || addr_is_private(ask->destination))
		return error_set(error, -EINVAL, "%s is not the address of a host on the Internet",
			addr_format(ask->destination, text));
	if (addr_equal(ask->destination, ask->source))
		return error_set(error, -EINVAL, "%s is the source itself: measure another host",
			addr_format(ask->destination, text));
	if (coordinator_opted_out(c, ask->destination))
		return error_set(error, -EPERM, "the owner of %s does not want to be measured",
			addr_format(ask->destination, text));
	return 0;
}

/* A campaign waits until the source's agent is there; a person shall not. */
static int check_agent(const struct coordinator *c, uint32_t source, struct error *error)
{
	const struct source_entry *entry = &c->sources[source];
	char text[ADDR_TEXT_SIZE];
	if (c->agents[entry->agent].status.online)
		return 0;
	return error_set(error, -ENOTCONN, "agent %s, which stands at %s, is not connected",
		c->agents[entry->agent].name, addr_format(entry->stored.address, text));
}

static int keep(struct coordinator *c, const struct coordinator_batch *batch,
	const struct coordinator_ask *asks, struct store_measurement *list, size_t count, int64_t *id,
	struct error *error)
{
	struct store_submission submission = {
		batch->key, batch->request, batch->priority, batch->part, batch->more, coordinator_now_ms()};
	for (size_t i = 0; i < count; i++) {
		uint32_t source;
		int result = check_ask(c, &asks[i], &source, error);
		if (result == 0 && batch->priority > 0 && !batch->request)
			result = check_agent(c, source, error);
		if (result < 0)
			return result;
		list[i] = (struct store_measurement){
			.source = c->sources[source].stored.id, .destination = asks[i].destination};
		snprintf(list[i].label, sizeof(list[i].label), "%s", asks[i].label ? asks[i].label : "");
	}
	int result = store_add_batch(c->store, &submission, list, count, id, error);
	if (result != -EINVAL)
		c->health.store_failed = result < 0;
	/* Sent twice: it is known already, and goes on. */
	if (result == 0 && list[0].id != 0) {
		c->unfinished += count;
		coordinator_wake_lanes(c, batch->key, batch->priority > 0);
	}
	return result;
}

int coordinator_submit(struct coordinator *c, const struct coordinator_batch *batch,
	const struct coordinator_ask *asks, size_t count, int64_t *id, struct error *error)
{
	if (count == 0)
		return error_set(error, -EINVAL, "the batch is empty");
	if ((batch->part > 0 || batch->more) && !batch->request)
		return error_set(error, -EINVAL, "a batch in parts needs a name: request");
	struct store_measurement *list = calloc(count, sizeof(*list));
	int result = list ? keep(c, batch, asks, list, count, id, error)
			  : error_set(error, -ENOMEM, "out of memory for a batch of %zu", count);
	free(list);
	if (result == 0)
		coordinator_pump(c);
	return result;
}

bool coordinator_awaits(const struct coordinator *c, int64_t batch, struct coordinator_awaited *awaited)
{
	struct store_batch found;
	struct error error;
	int64_t stored, wait_ns = 0;
	if (store_find_batch(c->store, batch, &found, &error) < 0 || found.waiting == 0 || found.reason[0] ||
		store_last_source(c->store, batch, &stored, &error) < 0)
		return false;
	for (uint32_t i = 0; i < c->source_count; i++) {
		const struct source_entry *entry = &c->sources[i];
		const struct agent_entry *agent = &c->agents[entry->agent];
		if (entry->stored.id != stored || agent->status.online ||
			coordinator_cannot_be(c, i, found.priority > 0, &wait_ns) || wait_ns <= 0)
			continue;
		*awaited = (struct coordinator_awaited){.source = entry->stored.address,
			.until_ms = coordinator_now_ms() + wait_ns / NS_PER_MS};
		snprintf(awaited->agent, sizeof(awaited->agent), "%s", agent->name);
		return true;
	}
	return false;
}
