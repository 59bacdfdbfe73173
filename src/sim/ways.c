/* Which way, remembered: a look-up is made once for a node and a destination, until links come or go. And one
 * of several equal ways, as the node balances. */
#include "sim/core.h"

static size_t slot_of(uint32_t node, struct addr destination)
{
	uint64_t mixed =
		(destination.low ^ destination.high * 0x9e3779b97f4a7c15) + node * 0xd1b54a32d192ed03;
	return (mixed * 0x9e3779b97f4a7c15) >> (64 - WAYS_BITS);
}

const struct way *way_find(struct sim *sim, uint32_t node, struct addr destination)
{
	struct way *way = &sim->ways[slot_of(node, destination)];
	if (way->generation != sim->generation || way->node != node ||
		!addr_equal(way->destination, destination)) {
		*way = (struct way){.generation = sim->generation, .node = node, .destination = destination};
		way->route = route_lookup(sim, node, destination);
		way->tunnel = way->route.via_count == 1
			? mpls_tunnel(sim, node, way->route.via[0], destination)
			: WORLD_NONE;
	}
	return way;
}

/* What routers balance on: addresses, protocol, ports, for ICMP the word with type, code and checksum, and in
 * IPv6 the flow label (RFC 6438). Each node has a key of its own, or all would decide alike. */
static uint64_t flow_hash(const struct sim *sim, uint32_t node, const struct peek *peek)
{
	uint64_t words[] = {
		peek->source.high,
		peek->source.low,
		peek->destination.high,
		peek->destination.low,
		(uint64_t)peek->protocol << 32 | peek->flow_label,
		peek->flow_word,
	};
	return hash_bytes((struct hash_key){sim->seed, node}, words, sizeof(words));
}

uint32_t way_choose(struct sim *sim, uint32_t node, const struct route *route, const struct peek *peek)
{
	uint64_t pick = 0;
	if (route->via_count > 1 && peek) {
		switch (sim->world->nodes[node].behaviour.balance) {
		case BALANCE_NONE: break;
		case BALANCE_FLOW: pick = flow_hash(sim, node, peek); break;
		case BALANCE_PACKET: pick = sim->packets_seen++; break;
		case BALANCE_OPTIONS:
			pick = peek->options ? sim->packets_seen++ : flow_hash(sim, node, peek);
			break;
		}
	}
	return route->via[pick % route->via_count];
}
