/* Reverse traceroute without cooperation, judged in generated worlds.
 *
 *   revtr ASES SITES PAIRS SEED [ROW...]
 *
 * REVTR_AT_ONCE in the environment: so many measurements begin at once (200).
 *
 * A world of the profile `today`; SITES agents of which a third can send in the source's name; SOURCES sources, and
 * PAIRS (source, destination) pairs drawn among hosts that can be reached both ways. Each source has an atlas of
 * traceroutes from the sites and from hosts in a twentieth of the ASes, none of which has a destination. Prints for each
 * row
 *
 *   ROW|ASES|SITES|SEED|ASKED|PINGED|COMPLETE|RAW|ANY|MEASURED|MEASURED_TRUE|INFERRED|INFERRED_TRUE|ASSUMED|
 *   ASSUMED_TRUE|AS_WRONG|AS_EXACT|OPTION_PACKETS|TRACES|MEDIAN_S|P90_S|BUSIEST|PER_SECOND|MEMORY|COUNTED|COUNTED_TRUE|GAPS|GAPS_TRUE
 *
 * COMPLETE: paths that end at the source without a hop assumed between networks; RAW: with those, too; ANY: with at
 * least one hop that is measured. MEASURED ... ASSUMED_TRUE count hops with an address, source left out. AS_WRONG: paths
 * with a hop in a network that is not on the way; AS_EXACT: complete ones that show every network of it. BUSIEST:
 * packets with options that one router saw in one second. PER_SECOND: finished measurements in a second of this
 * processor's time, simulator included. MEMORY: bytes for each measurement at most under way at once. COUNTED: complete
 * paths with the number of their routers by a hop limit, shown and missing; GAPS: those that miss some. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/rng.h"
#include "revtr/virtual.h"
#include "sim/generate.h"
#include "sim/truth.h"

#define SOURCES	    10
#define PROBE_SHARE 20 /* one AS in so many has a probe */
#define TRUTHS_MAX  256
#define SIBLING_BITS 24
#define ATLAS_SPOOFED 5
#define NODES_MAX   (TRUTHS_MAX * TRUTH_HOPS_MAX)

struct pair {
	uint32_t source; /* by index */
	uint32_t target; /* a node */
	struct addr destination;
	uint32_t *nodes; /* of every way back */
	unsigned node_count;
	uint32_t *ases; /* of the first way, in order */
	unsigned as_count;
	unsigned shortest, longest; /* ways, in routers */
	bool pinged;
};

struct tally {
	unsigned asked, pinged, complete, raw, any;
	unsigned measured, measured_true, inferred, inferred_true, assumed, assumed_true;
	unsigned as_wrong, as_exact;
	unsigned counted, counted_right, gaps, gaps_right;
	unsigned option_packets, traces;
	double *seconds;
	struct {
		unsigned hops, right;
		double stated;
	} by_probability[10]; /* decile of what was stated */
};

struct evaluation {
	struct world *world;
	struct rng rng;
	unsigned ases, site_count, pair_count, at_once;
	uint64_t seed;
	uint32_t *hosts; /* of all agents: sites, sources, probes */
	unsigned agent_count, probe_count;
	struct revtr_site *sites;
	struct addr sources[SOURCES];
	bool *as_has_probe;
	struct pair *pairs;
	struct ingress ingress;
	uint32_t (*siblings)[2]; /* by prefix of the world */
	struct {
		uint32_t (*addresses)[REVTR_TRACE_MAX];
		unsigned *counts, count;
	} atlas[SOURCES];
	struct tally tally;
	const struct revtr_engine *engine; /* of the row that runs */
	size_t memory;
	const struct pair **by_id;
};

static void die(const char *what)
{
	fprintf(stderr, "revtr: %s\n", what);
	exit(1);
}

static void *need(void *memory)
{
	if (!memory)
		die("out of memory");
	return memory;
}

static uint32_t number_of(struct addr address)
{
	return address.family == 4 ? (uint32_t)address.low : 0;
}

static struct addr host_address(const struct evaluation *e, uint32_t host)
{
	return world_node_address(e->world, host, 4);
}

static uint32_t asn_of(void *context, uint32_t address)
{
	const struct evaluation *e = context;
	uint32_t as = world_find_as(e->world, addr_v4(address));
	return as == WORLD_NONE ? 0 : e->world->ases[as].asn;
}

static uint32_t sibling_of(void *context, uint32_t address, unsigned number)
{
	const struct evaluation *e = context;
	uint32_t prefix = world_find_prefix(e->world, addr_v4(address));
	if (prefix == WORLD_NONE || number > 1)
		return 0;
	/* Large prefixes are in many places: neighbours only. */
	uint32_t other = e->siblings[prefix][number];
	return other >> (32 - SIBLING_BITS) == address >> (32 - SIBLING_BITS) ? other : address;
}

/* ---- the truth */

static void ways(const struct evaluation *e, uint32_t from, struct addr to, struct truth *truths, unsigned *count)
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
	return addr_is_set(address) && !addr_is_private(address) && world_find_as(e->world, address) != WORLD_NONE;
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
	uint32_t first_source = draw_host(e);
	while (!try_ping(e, first_source, first_source, far, false))
		first_source = draw_host(e);
	while (e->agent_count < e->site_count) {
		uint32_t host = draw_host(e);
		if (taken(e, e->world->nodes[host].as) || e->world->nodes[host].as == e->world->nodes[first_source].as)
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
		uint32_t host = i == 0 ? first_source : draw_host(e);
		while (i > 0 && (taken(e, e->world->nodes[host].as) || !try_ping(e, host, host, far, false)))
			host = draw_host(e);
		e->sources[i] = host_address(e, host);
		e->hosts[e->agent_count++] = host;
	}
	for (unsigned i = 0; i < e->probe_count; i++) {
		uint32_t host = draw_host(e);
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

/* ---- what is measured beforehand */

static uint32_t asked; /* task numbers of what is done beforehand */

static struct revtr_task task_of(enum revtr_probe probe, uint32_t agent, bool spoofed, struct addr target)
{
	return (struct revtr_task){.id = ++asked, .probe = probe, .agent = agent, .spoofed = spoofed, .target = target};
}

static void measure_atlas(struct evaluation *e, struct virtual *v, unsigned source)
{
	struct revtr_answer answer;
	uint32_t first = asked + 1;
	unsigned probes = e->agent_count;
	e->atlas[source].addresses = need(calloc(probes, sizeof(*e->atlas[source].addresses)));
	e->atlas[source].counts = need(calloc(probes, sizeof(*e->atlas[source].counts)));
	for (unsigned i = 0; i < probes; i++) {
		struct revtr_task task = task_of(REVTR_TRACEROUTE, i, false, e->sources[source]);
		if (i < e->site_count || i >= e->site_count + SOURCES)
			virtual_do(v, &task, ADDR_NONE);
	}
	while (virtual_answer(v, TIME_NEVER, &answer)) {
		unsigned index = e->atlas[source].count, agent = answer.task - first;
		if (!answer.reached || agent >= probes || answer.trace_count == 0)
			continue;
		e->atlas[source].addresses[index][0] = number_of(host_address(e, e->hosts[agent]));
		for (unsigned i = 0; i + 1 < answer.trace_count && i + 1 < REVTR_TRACE_MAX; i++)
			e->atlas[source].addresses[index][i + 1] = number_of(answer.trace[i]);
		e->atlas[source].counts[index] = MIN(answer.trace_count, REVTR_TRACE_MAX);
		e->atlas[source].count++;
	}
}

/* An address of the prefix that is not one of the destinations. */
static struct addr held_out(struct evaluation *e, const struct world_prefix *prefix)
{
	const struct world *world = e->world;
	unsigned low = 0, high = world->address_count;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		if (addr_compare(world->addresses[middle].addr, prefix->prefix.addr) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	unsigned end = low;
	while (end < world->address_count && prefix_contains(prefix->prefix, world->addresses[end].addr))
		end++;
	for (unsigned tries = 0; low < end && tries < 10; tries++) {
		const struct world_address *a = &world->addresses[low + rng_below(&e->rng, end - low)];
		bool is_destination = false;
		for (unsigned i = 0; i < e->pair_count && a->node < world->host_count; i++)
			is_destination |= e->pairs[i].target == a->node;
		if (!is_destination)
			return a->addr;
	}
	return ADDR_NONE;
}

static void view_list(struct evaluation *e, struct prefix prefix, uint32_t as, const struct revtr_answer *answer,
	struct addr target, uint32_t agent)
{
	struct revtr_list list;
	struct ingress_view view = {.agent = agent, .distance = INGRESS_FAR};
	revtr_read_list(answer, target, host_address(e, e->hosts[agent]), true, &list);
	if (list.placed)
		view.distance = (uint8_t)list.before;
	for (unsigned i = 0; list.placed && i < list.before; i++) {
		uint32_t stamp = number_of(answer->reply.addrs[i]);
		if (world_find_as(e->world, addr_v4(stamp)) == as)
			break;
		view.ingress = stamp;
	}
	if (ingress_add(&e->ingress, prefix, &view) < 0)
		die("out of memory");
}

static void survey(struct evaluation *e, struct virtual *v)
{
	struct addr *targets = need(calloc(e->site_count, sizeof(*targets)));
	e->siblings = need(calloc(e->world->prefix_count, sizeof(*e->siblings)));
	if (ingress_init(&e->ingress, e->site_count) < 0)
		die("out of memory");
	for (unsigned i = 0; i < e->world->prefix_count; i++) {
		const struct world_prefix *prefix = &e->world->prefixes[i];
		if (prefix->prefix.addr.family != 4)
			continue;
		for (unsigned round = 0; round < 2; round++) {
			struct addr target = held_out(e, prefix);
			uint32_t first = asked + 1;
			struct revtr_answer answer;
			if (!addr_is_set(target))
				continue;
			for (uint32_t agent = 0; agent < e->site_count; agent++) {
				struct revtr_task task = task_of(REVTR_RR_PING, agent, false, target);
				virtual_do(v, &task, ADDR_NONE);
			}
			while (virtual_answer(v, TIME_NEVER, &answer))
				if (answer.task - first < e->site_count) {
					e->siblings[i][round] = number_of(target);
					view_list(e, prefix->prefix, prefix->as, &answer, target, answer.task - first);
				}
		}
	}
	ingress_sort(&e->ingress);
	free(targets);
}

/* ---- rows */

struct row {
	const char *name;
	struct revtr_options options;
	bool rr_atlas;
};

/* Record Route to each hop of the atlas, from the source and from a few sites in its name. */
static void align_atlas(struct evaluation *e, struct virtual *v, struct revtr_engine *engine, unsigned source, const struct row *row)
{
	const struct tree *tree = revtr_engine_tree(engine, source);
	for (uint32_t t = 0; t < tree->trace_count; t++)
		for (unsigned place = 0; place + 1 < tree->traces[t].count; place++) {
			uint32_t address = tree->traces[t].addresses[place], agents[64];
			uint32_t first = asked + 1;
			unsigned near;
			struct revtr_answer answer;
			if (address == 0)
				continue;
			const struct tree_entry *entry = NULL;
			for (uint32_t i = 0; i < tree->entry_room; i++)
				if (tree->entries[i].address == address)
					entry = &tree->entries[i];
			/* Once for each address is enough: routing goes by destination. */
			if (!entry || entry->trace != t || entry->next != 0)
				continue;
			struct revtr_task task = task_of(REVTR_RR_PING, e->site_count + source, false, addr_v4(address));
			virtual_do(v, &task, ADDR_NONE);
			unsigned count = ingress_rank(&e->ingress, addr_v4(address), row->options.order, address, agents, 64, &near);
			for (unsigned i = 0, sent = 0; i < count && sent < ATLAS_SPOOFED; i++) {
				if (!e->sites[agents[i]].may_spoof)
					continue;
				task = task_of(REVTR_RR_PING, agents[i], true, addr_v4(address));
				virtual_do(v, &task, e->sources[source]);
				sent++;
			}
			while (virtual_answer(v, TIME_NEVER, &answer)) {
				if (answer.task >= first)
					revtr_engine_align(engine, source, t, place, &answer, true, 0);
			}
		}
}

/* Hops shown and hops missing are as many as the way has routers? */
static void judge_gaps(struct tally *t, const struct pair *pair, const struct revtr_result *result)
{
	struct revtr_gap gaps[REVTR_HOPS_MAX];
	unsigned count = revtr_gaps(result, gaps, REVTR_HOPS_MAX), length = result->hop_count - 1;
	if (result->stop != REVTR_REACHED || result->left < 0)
		return;
	for (unsigned i = 0; i < count; i++)
		length += gaps[i].missing;
	bool right = length >= pair->shortest && length <= pair->longest;
	t->counted++;
	t->counted_right += right;
	t->gaps += count > 0;
	t->gaps_right += count > 0 && right;
}

static void judge(struct evaluation *e, const struct revtr_result *result)
{
	const struct pair *pair = e->by_id[result->id];
	struct tally *t = &e->tally;
	bool inter = false, wrong = false, any = false;
	bool seen[TRUTH_HOPS_MAX] = {0};
	for (unsigned i = 0; i < result->hop_count; i++) {
		const struct revtr_hop *hop = &result->hops[i];
		inter |= hop->technique == TECHNIQUE_SYMMETRIC_INTER;
		if (hop->address == 0 || hop->address == number_of(e->sources[pair->source]))
			continue;
		bool right = false;
		uint32_t as = WORLD_NONE;
		for (unsigned j = 0; j < pair->node_count && !right; j++)
			right = world_has_address(e->world, pair->nodes[j], addr_v4(hop->address));
		const struct world_address *owner = world_find_address(e->world, addr_v4(hop->address));
		if (owner)
			as = e->world->nodes[owner->node].as;
		bool as_right = false;
		for (unsigned j = 0; j < pair->node_count; j++)
			as_right |= e->world->nodes[pair->nodes[j]].as == as;
		wrong |= as != WORLD_NONE && !as_right;
		for (unsigned j = 0; j < pair->as_count; j++)
			seen[j] |= pair->ases[j] == as;
		unsigned decile = MIN(9u, (unsigned)(hop->probability * 10));
		t->by_probability[decile].hops++;
		t->by_probability[decile].right += right;
		t->by_probability[decile].stated += (double)hop->probability;
		any |= hop->certainty == CERTAINTY_MEASURED;
		t->measured += hop->certainty == CERTAINTY_MEASURED;
		t->measured_true += hop->certainty == CERTAINTY_MEASURED && right;
		t->inferred += hop->certainty == CERTAINTY_INFERRED;
		t->inferred_true += hop->certainty == CERTAINTY_INFERRED && right;
		t->assumed += hop->certainty == CERTAINTY_ASSUMED;
		t->assumed_true += hop->certainty == CERTAINTY_ASSUMED && right;
		if (!right && getenv("REVTR_TELL"))
			fprintf(stderr, "wrong: %s hop %u of %u, evidence %u\n", technique_word(hop->technique), i, result->hop_count, hop->evidence);
	}
	bool reached = result->stop == REVTR_REACHED, exact = reached && !wrong;
	for (unsigned j = 1; j + 1 < pair->as_count; j++)
		exact &= seen[j];
	judge_gaps(t, pair, result);
	t->seconds[t->asked++] = (double)(result->finished_ns - result->started_ns) / NS_PER_S;
	t->pinged += pair->pinged;
	t->raw += reached;
	t->complete += reached && !inter;
	t->any += any;
	t->as_wrong += wrong;
	t->as_exact += exact;
	t->option_packets += result->option_packets;
	t->traces += result->trace_packets;
	if (getenv("REVTR_STOPS"))
		fprintf(stderr, "stop: %s, %u hops\n", revtr_stop_text(result->stop), result->hop_count);
}

/* ---- the busiest router */

struct busy {
	const struct world *world;
	struct sim *sim;
	unsigned *count;
	int64_t *second;
	unsigned most;
};

static void count_options(void *context, uint32_t interface, bool arrives_there, const uint8_t *bytes, size_t length)
{
	struct busy *busy = context;
	uint32_t node = busy->world->interfaces[interface].node;
	if (!arrives_there || length == 0 || bytes[0] >> 4 != 4 || (bytes[0] & 15) <= 5 || busy->world->nodes[node].is_host)
		return;
	int64_t second = sim_now(busy->sim) / NS_PER_S;
	if (busy->second[node] != second)
		busy->count[node] = 0;
	busy->second[node] = second;
	busy->most = MAX(busy->most, ++busy->count[node]);
}

static int compare_doubles(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return left < right ? -1 : left > right;
}

static void done(void *context, const struct revtr_result *result)
{
	struct evaluation *e = context;
	judge(e, result);
	if (e->tally.asked % 50 == 1)
		e->memory = MAX(e->memory, revtr_engine_bytes(e->engine) / e->at_once);
}

static void load_atlas(struct evaluation *e, struct revtr_engine *engine, struct virtual *v, unsigned source, const struct row *row)
{
	uint32_t index;
	for (unsigned i = 0; row->options.atlas && i < e->atlas[source].count; i++)
		if (revtr_engine_add_trace(engine, source, e->atlas[source].addresses[i], e->atlas[source].counts[i], 0, 0, &index) < 0)
			die("out of memory");
	if (row->options.atlas && row->rr_atlas)
		align_atlas(e, v, engine, source, row);
}

static void run_row(struct evaluation *e, const struct row *row)
{
	struct sim *sim = need(sim_new(e->world, e->seed));
	struct virtual *v = need(virtual_new(sim, e->hosts, e->agent_count));
	struct revtr_environment environment = {.ingress = &e->ingress, .sites = e->sites, .site_count = e->site_count,
		.asn = asn_of, .sibling = sibling_of, .context = e};
	struct revtr_engine *engine = need(revtr_engine_new(&row->options, &environment));
	struct busy busy = {e->world, sim, need(calloc(e->world->node_count, sizeof(unsigned))),
		need(calloc(e->world->node_count, sizeof(int64_t))), 0};
	uint32_t index, id;
	for (unsigned i = 0; i < SOURCES; i++) {
		if (revtr_engine_add_source(engine, e->sources[i], e->site_count + i, &index) < 0)
			die("out of memory");
		load_atlas(e, engine, v, i, row);
	}
	e->engine = engine;
	e->memory = 0;
	e->tally = (struct tally){.seconds = need(calloc(e->pair_count, sizeof(double)))};
	e->by_id = need(calloc(e->pair_count + 1, sizeof(*e->by_id)));
	sim_set_tap(sim, count_options, &busy);
	clock_t started = clock();
	for (unsigned i = 0; i < e->pair_count; i++) {
		if (revtr_engine_submit(engine, e->pairs[i].source, e->pairs[i].destination, sim_now(sim), &id) < 0)
			die("a pair is refused");
		e->by_id[id] = &e->pairs[i];
		if (revtr_engine_busy(engine) >= e->at_once || i + 1 == e->pair_count)
			virtual_run(v, engine, e->sources, done, e);
	}
	double took = (double)(clock() - started) / CLOCKS_PER_SEC;
	const struct tally *t = &e->tally;
	qsort(t->seconds, t->asked, sizeof(double), compare_doubles);
	printf("%s|%u|%u|%llu|%u|%u|%u|%u|%u|%u|%u|%u|%u|%u|%u|%u|%u|%u|%u|%.2f|%.2f|%u|%.0f|%zu|%u|%u|%u|%u\n", row->name, e->ases,
		e->site_count, (unsigned long long)e->seed, t->asked, t->pinged, t->complete, t->raw, t->any, t->measured,
		t->measured_true, t->inferred, t->inferred_true, t->assumed, t->assumed_true, t->as_wrong, t->as_exact,
		t->option_packets, t->traces, t->seconds[t->asked / 2], t->seconds[t->asked * 9 / 10], busy.most,
		t->asked / took, e->memory, t->counted, t->counted_right, t->gaps, t->gaps_right);
	for (unsigned i = 0; i < 10; i++)
		if (t->by_probability[i].hops > 0)
			printf("%s-calibration|%u|%u|%llu|%u|%u|%.4f|%.4f\n", row->name, e->ases, e->site_count,
				(unsigned long long)e->seed, i, t->by_probability[i].hops,
				t->by_probability[i].stated / t->by_probability[i].hops,
				(double)t->by_probability[i].right / t->by_probability[i].hops);
	fflush(stdout);
	free(busy.count);
	free(busy.second);
	free(e->tally.seconds);
	free(e->by_id);
	revtr_engine_free(engine);
	virtual_free(v);
	sim_free(sim);
}

/* Each idea switched off, alone; or on, where it is off. */
static unsigned add_ablations(struct row *rows, unsigned count)
{
	struct revtr_options ours = revtr_options_default();
	rows[count] = (struct row){"without-siblings", ours, true};
	rows[count++].options.siblings = false;
	rows[count] = (struct row){"without-exits", ours, true};
	rows[count++].options.exits = false;
	rows[count] = (struct row){"without-fallback", ours, true};
	rows[count++].options.fallback = false;
	rows[count] = (struct row){"without-heuristics", ours, true};
	rows[count++].options.heuristics = false;
	rows[count++] = (struct row){"without-rr-atlas", ours, false};
	rows[count] = (struct row){"without-sharing", ours, true};
	rows[count++].options.share = false;
	rows[count] = (struct row){"without-ingress-order", ours, true};
	rows[count++].options.order = INGRESS_BY_DISTANCE;
	rows[count] = (struct row){"without-learned-direct", ours, true};
	rows[count++].options.direct_always = true;
	rows[count] = (struct row){"with-quotes", ours, true};
	rows[count++].options.quotes = true;
	rows[count] = (struct row){"without-budgets", ours, true};
	rows[count].options.target = rows[count].options.net = rows[count].options.source = (struct budget_rate){0, 0};
	rows[count].options.agent = (struct budget_rate){100, 10};
	rows[count++].options.dead_after = 0;
	rows[count] = (struct row){"without-small-batches", ours, true};
	rows[count].options.batch = 5;
	rows[count++].options.far_max = 10;
	return count;
}

static unsigned rows_of(struct row *rows)
{
	struct revtr_options published = revtr_options_published();
	unsigned count = 0;
	rows[count] = (struct row){"symmetric-guess", published, false};
	rows[count].options.atlas = rows[count].options.direct = rows[count].options.spoofed = false;
	rows[count++].options.symmetry_inter = true;
	rows[count] = (struct row){"atlas-only", published, false};
	rows[count].options.direct = rows[count].options.spoofed = false;
	rows[count++].options.symmetry_inter = true;
	rows[count] = (struct row){"set-cover-order", published, false};
	rows[count].options.order = INGRESS_BY_DISTANCE;
	rows[count++].options.symmetry_inter = true;
	rows[count++] = (struct row){"published", published, true};
	rows[count++] = (struct row){"retour", revtr_options_default(), true};
	return add_ablations(rows, count);
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

int main(int argc, char **argv)
{
	struct row rows[32];
	struct evaluation e = {.ases = 1000, .site_count = 50, .pair_count = 2000, .seed = 1};
	if (argc < 5) {
		fprintf(stderr, "usage: revtr ASES SITES PAIRS SEED [ROW...]\n");
		return 3;
	}
	e.ases = (unsigned)atoi(argv[1]);
	e.site_count = (unsigned)atoi(argv[2]);
	e.pair_count = (unsigned)atoi(argv[3]);
	e.seed = (uint64_t)atoll(argv[4]);
	e.at_once = getenv("REVTR_AT_ONCE") ? MAX(1u, (unsigned)atoi(getenv("REVTR_AT_ONCE"))) : 200;
	e.rng = rng_seed(e.seed);
	e.world = generated(e.ases, e.seed);
	draw_agents(&e);
	draw_pairs(&e);
	struct sim *sim = need(sim_new(e.world, e.seed));
	struct virtual *v = need(virtual_new(sim, e.hosts, e.agent_count));
	for (unsigned i = 0; i < SOURCES; i++)
		measure_atlas(&e, v, i);
	survey(&e, v);
	virtual_free(v);
	sim_free(sim);
	unsigned count = rows_of(rows);
	for (unsigned i = 0; i < count; i++) {
		bool wanted = argc == 5;
		for (int j = 5; j < argc; j++)
			wanted |= strcmp(argv[j], rows[i].name) == 0;
		if (wanted)
			run_row(&e, &rows[i]);
	}
	return 0;
}
