/* Generated worlds, and the nodes of the true ways in them. */
#ifndef RETOUR_TESTS_SCENARIO_GENERATED_H
#define RETOUR_TESTS_SCENARIO_GENERATED_H

#include "scene.h"

#include "base/rng.h"
#include "sim/generate.h"
#include "sim/truth.h"

#define NODES_WAYS_MAX 16

static inline struct world *generated_world(unsigned ases, uint64_t seed, const char *profile)
{
	struct generate_options options = {ases, seed, profile_find(profile)};
	struct error error = {0};
	char *text = NULL;
	if (generate_world(&options, &text, &error) < 0)
		fail_msg("%u ASes, seed %u, %s: %s", ases, (unsigned)seed, profile, error.text);
	struct world *world = scene_world(text);
	free(text);
	return world;
}

/* Every node that a packet of any flow may pass on its way. */
struct nodes {
	uint32_t list[NODES_WAYS_MAX * TRUTH_HOPS_MAX];
	unsigned count;
	uint32_t gateway; /* the last router of the first way */
	int routers;	  /* that count in a TTL, on the first way */
	uint32_t end;	  /* where the first way ends; it may have an address that others have, too */
	bool reached;
};

static inline void nodes_between(
	struct nodes *nodes, const struct world *world, uint32_t from, struct addr to)
{
	static struct truth truths[NODES_WAYS_MAX];
	struct sim *sim = sim_new(world, 1);
	unsigned count = sim_truths(sim, from, to, truths, NODES_WAYS_MAX);
	const struct truth *first = &truths[0];
	*nodes = (struct nodes){.reached = count > 0 && first->hop_count > 0 && first->end == TRUTH_REACHED,
		.gateway = WORLD_NONE};
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < truths[i].hop_count; j++)
			nodes->list[nodes->count++] = truths[i].hops[j].node;
	if (nodes->reached)
		nodes->end = first->hops[first->hop_count - 1].node;
	if (nodes->reached && first->hop_count > 1)
		nodes->gateway = first->hops[first->hop_count - 2].node;
	for (unsigned j = 0; nodes->reached && j + 1 < first->hop_count; j++)
		nodes->routers += first->hops[j].ttl > 0;
	sim_free(sim);
}

/* Is this the node's, or what it makes up where it writes an address that nobody can reach? That is in
 * 172.16.0.0/12 or fd00:: and has its number. */
static inline bool writes_as(const struct world *world, uint32_t node, struct addr address)
{
	return world_has_address(world, node, address) ||
		addr_equal(address, addr_v4(0xac100000u | ((node + 1u) & 0xfffffu))) ||
		addr_equal(address, addr_v6(0xfd00000000000000, node + 1ULL));
}

static inline bool on_way(const struct world *world, const struct nodes *nodes, struct addr address)
{
	for (unsigned i = 0; i < nodes->count; i++)
		if (writes_as(world, nodes->list[i], address))
			return true;
	return false;
}

#endif
