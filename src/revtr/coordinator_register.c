/* Sources come by themselves: an agent's owner lists the addresses that may be measured, the broker's
 * authority vouches for the agent, and other agents check that it stands there. What its owner takes back is
 * not measured any more. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "revtr/coordinator_inside.h"

static void note(struct coordinator *c, uint32_t agent, struct addr source, const char *what)
{
	char text[ADDR_TEXT_SIZE];
	snprintf(c->agents[agent].note, sizeof(c->agents[agent].note), "source %s %s",
		addr_format(source, text), what);
}

void coordinator_publish_keys(struct coordinator *c, uint32_t agent)
{
	struct agent_keys keys = {0};
	char topic[TOPIC_SIZE];
	for (uint32_t i = 0; i < c->source_count && keys.count < STATUS_SOURCES_MAX; i++) {
		const struct source_entry *entry = &c->sources[i];
		if (entry->agent != agent || !entry->stored.consents)
			continue;
		keys.sources[keys.count] = entry->stored.address;
		keys.keys[keys.count++] = entry->key;
	}
	char *text = keys_to_json(&keys);
	/* What cannot be told now is told when the agent is heard of again. */
	if (text)
		(void)!bus_publish(
			c->bus, topic_of(topic, c->agents[agent].name, "key"), text, strlen(text), true);
	free(text);
}

/* ---- proof */

static struct registration *registration_of(struct coordinator *c, uint32_t agent, struct addr source)
{
	for (unsigned i = 0; i < REGISTRATIONS_MAX; i++)
		if (c->registrations[i].agent == agent && addr_equal(c->registrations[i].address, source))
			return &c->registrations[i];
	return NULL;
}

/* Others that are there, from anywhere in the list on, so that nobody knows who it will be. */
static unsigned choose_provers(const struct coordinator *c, uint32_t agent, uint32_t *provers)
{
	uint32_t start = (uint32_t)(hash_key_random().k0 % MAX(c->agent_count, 1u));
	unsigned count = 0;
	for (uint32_t i = 0; i < c->agent_count && count < REGISTRATION_PROVERS; i++) {
		uint32_t prover = (start + i) % c->agent_count;
		if (prover != agent && c->agents[prover].status.online)
			provers[count++] = prover;
	}
	return count;
}

static void challenge(struct coordinator *c, uint32_t agent, struct addr source)
{
	uint32_t provers[REGISTRATION_PROVERS];
	unsigned count = choose_provers(c, agent, provers);
	struct registration *registration = registration_of(c, UINT32_MAX, ADDR_NONE);
	if (registration_of(c, agent, source) || !registration)
		return; /* under way; or too many at once, and then the next minute */
	if (count == 0) {
		note(c, agent, source, "waits for another agent, that can check that this one stands there");
		return;
	}
	registration_start(registration, source, agent, provers, count, OWN_TASK | (c->own_task + 1),
		hash_key_random(), coordinator_now_ns());
	c->own_task = (c->own_task + count) & ~OWN_TASK; /* the last that was used */
	for (unsigned i = 0; i < count; i++) {
		struct agent_order order = registration_order(registration, i);
		char topic[TOPIC_SIZE], *text = order_to_json(&order);
		if (text)
			(void)!bus_publish(c->bus, topic_of(topic, c->agents[provers[i]].name, "task"), text,
				strlen(text), false);
		free(text);
	}
	note(c, agent, source, "is being checked");
}

static void set_free(struct registration *registration)
{
	*registration = (struct registration){.agent = UINT32_MAX};
}

void coordinator_registered(struct coordinator *c, uint32_t source)
{
	uint32_t agent = c->sources[source].agent;
	struct registration *registration = registration_of(c, agent, c->sources[source].stored.address);
	if (registration)
		set_free(registration);
	c->agents[agent].note[0] = '\0';
	for (uint32_t i = 0; i < c->agent_count; i++)
		coordinator_fill_atlas(c, source, i);
}

static void take_in(struct coordinator *c, uint32_t agent, struct addr address)
{
	struct hash_key key = hash_key_random();
	struct store_source source = {
		.address = address, .consents = true, .registered_ms = coordinator_now_ms()};
	struct error error = {0};
	char text[ADDR_TEXT_SIZE];
	uint32_t known = coordinator_source(c, address);
	snprintf(source.name, sizeof(source.name), "%s",
		known != UINT32_MAX ? c->sources[known].stored.name : c->agents[agent].name);
	snprintf(source.agent, sizeof(source.agent), "%s", c->agents[agent].name);
	memcpy(source.key, &key, sizeof(source.key));
	if (store_put_source(c->store, &source, &error) < 0 || coordinator_add_source(c, &source) < 0) {
		c->health.store_failed |= error.code != 0;
		note(c, agent, address,
			error.code ? "cannot be stored" : "cannot be registered: there are too many");
		return;
	}
	known = coordinator_source(c, address);
	c->sources[known].listed = true;
	coordinator_tell(c, "%s is a source, of agent %s", addr_format(address, text), c->agents[agent].name);
}

void coordinator_register_answer(struct coordinator *c, uint32_t agent, const struct revtr_answer *answer)
{
	for (unsigned i = 0; i < REGISTRATIONS_MAX; i++) {
		struct registration *registration = &c->registrations[i];
		if (!registration_answer(registration, agent, answer->task, answer->nonce))
			continue;
		struct addr address = registration->address;
		set_free(registration);
		take_in(c, agent, address);
		return;
	}
}

/* ---- consent */

static bool lists(const struct agent_status *status, struct addr address)
{
	for (size_t i = 0; i < status->source_count; i++)
		if (addr_equal(status->sources[i], address))
			return true;
	return false;
}

const char *coordinator_why_unregistered(const struct coordinator *c, struct addr address)
{
	for (uint32_t i = 0; i < c->agent_count; i++)
		if (c->agents[i].status.online && lists(&c->agents[i].status, address) &&
			c->agents[i].note[0])
			return c->agents[i].note;
	return NULL;
}

static void take_back(struct coordinator *c, struct source_entry *entry)
{
	struct error error = {0};
	entry->stored.consents = entry->listed = false;
	if (store_put_source(c->store, &entry->stored, &error) < 0)
		c->health.store_failed = true;
	coordinator_withdraw(c, (uint32_t)(entry - c->sources));
	note(c, entry->agent, entry->stored.address,
		"is measured no more: its owner has taken it from the list");
}

void coordinator_check_sources(struct coordinator *c, uint32_t agent)
{
	const struct agent_status *status = &c->agents[agent].status;
	if (!status->online)
		return;
	for (uint32_t i = 0; i < c->source_count; i++)
		if (c->sources[i].agent == agent && c->sources[i].listed &&
			!lists(status, c->sources[i].stored.address))
			take_back(c, &c->sources[i]);
	for (size_t i = 0; i < status->source_count; i++) {
		uint32_t known = coordinator_source(c, status->sources[i]);
		if (known != UINT32_MAX && c->sources[known].agent == agent &&
			c->sources[known].stored.consents)
			c->sources[known].listed = true;
		else
			challenge(c, agent, status->sources[i]);
	}
	coordinator_publish_keys(c, agent);
}

void coordinator_check_all_sources(struct coordinator *c)
{
	for (unsigned i = 0; i < REGISTRATIONS_MAX; i++)
		if (registration_expired(&c->registrations[i], coordinator_now_ns())) {
			note(c, c->registrations[i].agent, c->registrations[i].address,
				"is not proven: what others sent there did not come to its agent");
			set_free(&c->registrations[i]);
		}
	for (uint32_t i = 0; i < c->agent_count; i++)
		coordinator_check_sources(c, i);
}

void coordinator_init_registrations(struct coordinator *c)
{
	for (unsigned i = 0; i < REGISTRATIONS_MAX; i++)
		set_free(&c->registrations[i]);
}
