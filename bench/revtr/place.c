/* The world, its agents, and the pairs whose way back is asked for. */
#include "evaluation.h"

#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"
#include "sim/generate.h"

#define PROBE_SHARE 20 /* one AS in so many has a probe */
#define TRUTHS_MAX  256
#define NODES_MAX   (TRUTHS_MAX * TRUTH_HOPS_MAX)

uint32_t asn_of(void *context, uint32_t address)
{
	const struct evaluation *e = context;
	uint32_t as = world_find_as(e->world, addr_v4(address));
	return as == WORLD_NONE ? 0 : e->world->ases[as].asn;
}

/* ---- the truth */

static void ways(
	const struct evaluation *e, uint32_t from, struct addr to, struct truth *truths, unsigned *count)
{
	struct sim *sim = need(sim_new(e->world, 1));
	*count = sim_truths(sim, from, to, truths, TRUTHS_MAX);
	sim_free(sim);
}

static bool arrives(const struct truth *truths, unsigned count, uint32_t at)
{
	return count > 0 && truths[0].hop_count > 0 && truths[0].end == TRUTH_REACHED &&
		truths[0].hops[truths[0].hop_count - 1].node == at;
}

static bool is_public(const struct evaluation *e, uint32_t host)
{
	struct addr address = host_address(e, host);
	return addr_is_set(address) && !addr_is_private(address) &&
		world_find_as(e->world, address) != WORLD_NONE;
}

/* Both ways exist, and end where they should. */
static bool know_pair(struct evaluation *e, struct pair *pair, uint32_t source_host)
{
	static struct truth truths[TRUTHS_MAX];
	unsigned count;
	ways(e, source_host, pair->destination, truths, &count);
	if (!arrives(truths, count, pair->target))
		return false;
	ways(e, pair->target, e->sources[pair->source], truths, &count);
	if (!arrives(truths, count, source_host))
		return false;
	pair->nodes = need(calloc(NODES_MAX, sizeof(*pair->nodes)));
	pair->ases = need(calloc(TRUTH_HOPS_MAX, sizeof(*pair->ases)));
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < truths[i].hop_count; j++)
			pair->nodes[pair->node_count++] = truths[i].hops[j].node;
	pair->shortest = UINT_MAX;
	for (unsigned i = 0; i < count; i++) {
		pair->shortest = MIN(pair->shortest, (unsigned)truths[i].hop_count - 1);
		pair->longest = MAX(pair->longest, (unsigned)truths[i].hop_count - 1);
	}
	for (unsigned j = 0; j < truths[0].hop_count; j++) {
		uint32_t as = e->world->nodes[truths[0].hops[j].node].as;
		if (pair->as_count == 0 || pair->ases[pair->as_count - 1] != as)
			pair->ases[pair->as_count++] = as;
	}
	pair->nodes = need(realloc(pair->nodes, pair->node_count * sizeof(*pair->nodes)));
	return true;
}

/* ---- who is who */

static uint32_t draw_host(struct evaluation *e)
{
	uint32_t host;
	do
		host = (uint32_t)rng_below(&e->rng, e->world->host_count);
	while (!is_public(e, host));
	return host;
}

/* A question and whether it was answered, by one agent, at the host of `source`. */
static bool try_ping(struct evaluation *e, uint32_t host, uint32_t at, struct addr target, bool spoofed)
{
	struct sim *sim = need(sim_new(e->world, e->seed));
	uint32_t hosts[] = {host, at};
	struct virtual *v = need(virtual_new(sim, hosts, 2));
	struct revtr_task task = {.id = 1, .agent = 0, .spoofed = spoofed, .target = target};
	struct revtr_answer answer;
	virtual_do(v, &task, host_address(e, at));
	bool answered = virtual_answer(v, 3 * NS_PER_S, &answer);
	virtual_free(v);
	sim_free(sim);
	return answered;
}

/* Some host that answers the option for everybody who is asked about here. */
static uint32_t mirror(struct evaluation *e)
{
	for (;;) {
		uint32_t host = draw_host(e), other = draw_host(e), third = draw_host(e);
		if (host != other && try_ping(e, other, other, host_address(e, host), false) &&
			try_ping(e, third, third, host_address(e, host), false))
			return host;
	}
}

/* Where what is sent to it arrives, and nowhere else: hosts may share an address (anycast). */
static uint32_t draw_agent(struct evaluation *e)
{
	uint32_t host;
	struct addr address;
	const struct world_address *first, *end = e->world->addresses + e->world->address_count;
	do {
		host = draw_host(e);
		address = host_address(e, host);
		first = world_find_address(e->world, address);
	} while (first + 1 < end && addr_equal(first[1].addr, address));
	return host;
}

static bool taken(const struct evaluation *e, uint32_t as)
{
	for (unsigned i = 0; i < e->agent_count; i++)
		if (e->world->nodes[e->hosts[i]].as == as)
			return true;
	return false;
}

static void draw_agents(struct evaluation *e)
{
	struct addr far = host_address(e, mirror(e));
	unsigned spoofers = 0, wanted = (e->site_count + 2) / 3, tries = 0;
	e->probe_count = e->ases / PROBE_SHARE;
	e->hosts = need(calloc(e->site_count + SOURCES + e->probe_count, sizeof(*e->hosts)));
	e->sites = need(calloc(e->site_count, sizeof(*e->sites)));
	e->as_has_probe = need(calloc(e->world->as_count, sizeof(*e->as_has_probe)));
	uint32_t first_source = draw_agent(e);
	while (!try_ping(e, first_source, first_source, far, false))
		first_source = draw_agent(e);
	while (e->agent_count < e->site_count) {
		uint32_t host = draw_agent(e);
		if (taken(e, e->world->nodes[host].as) ||
			e->world->nodes[host].as == e->world->nodes[first_source].as)
			continue;
		if (!try_ping(e, host, host, far, false))
			continue;
		bool may = try_ping(e, host, first_source, far, true);
		/* A third can; where there are not so many, there are fewer. */
		if (may ? spoofers >= wanted : e->agent_count - spoofers >= e->site_count - wanted)
			if (++tries < 20 * e->site_count)
				continue;
		spoofers += may;
		e->sites[e->agent_count] = (struct revtr_site){e->agent_count, may};
		e->hosts[e->agent_count++] = host;
	}
	for (unsigned i = 0; i < SOURCES; i++) {
		uint32_t host = i == 0 ? first_source : draw_agent(e);
		while (i > 0 && (taken(e, e->world->nodes[host].as) || !try_ping(e, host, host, far, false)))
			host = draw_agent(e);
		e->sources[i] = host_address(e, host);
		e->hosts[e->agent_count++] = host;
	}
	for (unsigned i = 0; i < e->probe_count; i++) {
		uint32_t host = draw_agent(e);
		e->as_has_probe[e->world->nodes[host].as] = true;
		e->hosts[e->agent_count++] = host;
	}
	for (unsigned i = 0; i < e->site_count + SOURCES; i++)
		e->as_has_probe[e->world->nodes[e->hosts[i]].as] = true;
}

static void draw_pairs(struct evaluation *e)
{
	e->pairs = need(calloc(e->pair_count, sizeof(*e->pairs)));
	for (unsigned i = 0; i < e->pair_count;) {
		struct pair *pair = &e->pairs[i];
		*pair = (struct pair){.source = i % SOURCES, .target = draw_host(e)};
		pair->destination = host_address(e, pair->target);
		if (e->as_has_probe[e->world->nodes[pair->target].as] ||
			!know_pair(e, pair, e->hosts[e->site_count + pair->source]))
			continue;
		pair->pinged = e->world->nodes[pair->target].behaviour.ping == 0;
		i++;
	}
}

static struct world *generated(unsigned ases, uint64_t seed)
{
	struct generate_options options = {ases, seed, profile_find("today")};
	struct error error = {0};
	struct world *world = NULL;
	char *text;
	if (generate_world(&options, &text, &error) < 0 || world_parse("generated", text, &world, &error) < 0)
		die(error.text);
	free(text);
	return world;
}

void place_everything(struct evaluation *e)
{
	e->rng = rng_seed(e->seed);
	e->world = generated(e->ases, e->seed);
	draw_agents(e);
	draw_pairs(e);
}
