/* The address plan: blocks of several sizes, cut one after the other from space that looks like the
 * Internet's, a few /8s for each region and none of what is reserved (RFC 6890); for IPv6 from 3fff::/20 (RFC
 * 9637). */
#include <string.h>

#include "base/compiler.h"
#include "sim/generate_inside.h"

struct range {
	uint8_t first, last; /* /8s */
};

static const struct range ranges[REGIONS][3] = {
	[EUROPE] = {{77, 95}, {151, 151}, {176, 176}},
	[NORTH_AMERICA] = {{63, 76}, {96, 99}, {104, 104}},
	[SOUTH_AMERICA] = {{177, 187}, {189, 191}, {200, 201}},
	[ASIA] = {{110, 125}, {27, 27}, {36, 36}},
	[AFRICA] = {{41, 41}, {102, 102}, {105, 105}},
	[OCEANIA] = {{101, 101}, {103, 103}, {49, 49}},
};

struct plan {
	uint64_t next[REGIONS];
	unsigned range[REGIONS];
	uint64_t next6; /* the upper half of an address */
};

/* The next block of that size; a pool that is used up fails the world. */
static struct prefix take(struct generator *g, struct plan *plan, enum region region, unsigned length)
{
	uint64_t size = 1ULL << (32 - length);
	for (; plan->range[region] < ARRAY_LEN(ranges[0]); plan->range[region]++) {
		struct range range = ranges[region][plan->range[region]];
		uint64_t first = MAX((uint64_t)range.first << 24, plan->next[region]);
		first = (first + size - 1) / size * size;
		if (first + size > ((uint64_t)range.last + 1) << 24) {
			plan->next[region] = 0;
			continue;
		}
		plan->next[region] = first + size;
		return (struct prefix){addr_v4((uint32_t)first), (uint8_t)length};
	}
	g->failed = true;
	return (struct prefix){addr_v4(0), (uint8_t)length};
}

static struct prefix take6(struct plan *plan, unsigned length)
{
	uint64_t size = 1ULL << (64 - length);
	plan->next6 = (plan->next6 + size - 1) / size * size;
	struct prefix prefix = {addr_v6(plan->next6, 0), (uint8_t)length};
	plan->next6 += size;
	return prefix;
}

/* Shortest and longest prefix, and at most how many. */
static const struct {
	unsigned shortest, longest, most, length6;
} sizes[] = {
	[TIER1] = {13, 17, 6, 36},
	[CARRIER] = {15, 19, 6, 36},
	[REGIONAL] = {17, 21, 5, 40},
	[GIANT] = {16, 20, 6, 40},
	[HOSTING] = {19, 22, 4, 44},
	[ACCESS] = {18, 22, 4, 44},
	[ENTERPRISE] = {22, 24, 2, 48},
};

/* Room for two addresses a link, a loopback a router, and as much again. */
static unsigned infrastructure_length(const struct gen_as *as)
{
	unsigned wanted = 2 * (2 * as->links + as->router_count) + 16, length = 24;
	while ((1U << (32 - length)) < wanted)
		length--;
	return length;
}

static void number_as(struct generator *g, struct plan *plan, struct gen_as *as)
{
	enum region region = places[as->home].region;
	unsigned count = draw_between(g, 1, sizes[as->kind].most);
	for (unsigned i = 0; i < count; i++)
		as->prefixes[as->prefix_count++] = take(
			g, plan, region, draw_between(g, sizes[as->kind].shortest, sizes[as->kind].longest));
	as->infrastructure = take(g, plan, region, infrastructure_length(as));
	as->prefix6 = take6(plan, sizes[as->kind].length6);
	/* In IPv6 there is room: infrastructure is the last /48 of the block, or its upper half. */
	unsigned length6 = MAX(sizes[as->kind].length6 + 1, 48);
	uint64_t blocks = 1ULL << (length6 - sizes[as->kind].length6);
	as->infrastructure6 = (struct prefix){
		addr_v6(as->prefix6.addr.high + ((blocks - 1) << (64 - length6)), 0), (uint8_t)length6};
}

/* Those of a service share the first one's: in a prefix of its own, as long as others will listen to. */
static void number_service(struct generator *g, struct plan *plan, struct gen_host *host)
{
	const struct gen_host *before = host - 1; /* never the first of all hosts */
	host->address = before->address;
	host->address6 = before->address6;
	if (before->service == host->service)
		return;
	host->address = addr_add(take(g, plan, places[g->ases[host->as].home].region, 24).addr, 1);
	host->address6 = addr_add(take6(plan, 48).addr, 1);
}

static void number_host(struct generator *g, struct gen_host *host)
{
	struct gen_as *as = &g->ases[host->as];
	unsigned index = as->host_count++;
	const struct prefix *prefix = &as->prefixes[draw(g, as->prefix_count)];
	/* The first 64 addresses are for the routers' ends of the links to hosts; the last bits are the
	 * host's own in its AS. */
	unsigned blocks = (1U << (32 - prefix->length)) / 64;
	host->address = addr_add(prefix->addr, draw_between(g, 1, blocks - 1) * 64 + 1 + index % 62);
	if (host->home && g->profile->nat)
		host->address = addr_add(generate_home_prefix(host->home).addr, 10);
	host->address6 = addr_v6(as->prefix6.addr.high + 1 + index % 1024, 0x100 + draw(g, 1 << 16));
}

/* RFC 6598; a /30 for each. */
struct addr generate_subscriber_address(unsigned subscriber, bool end)
{
	return addr_v4((100U << 24 | 64U << 16) + 4 * subscriber + 1 + end);
}

struct prefix generate_home_prefix(unsigned number)
{
	return (struct prefix){addr_v4(192U << 24 | 168U << 16 | number << 8), 24};
}

/* LANs of exchanges: they look like everybody else's addresses, and no AS announces them. */
static void number_exchanges(struct generator *g, struct plan *plan)
{
	for (unsigned i = 0; i < g->ixps.count; i++) {
		struct gen_ixp *ixp = LIST_AT(struct gen_ixp, g->ixps, i);
		unsigned length = ixp->member_count > 500 ? 22 : ixp->member_count > 250 ? 23 : 24;
		ixp->prefix = take(g, plan, places[ixp->place].region, length);
		ixp->prefix6 = take6(plan, 64);
	}
}

void generate_addresses(struct generator *g)
{
	struct plan plan = {.next6 = 0x3fff000000000000};
	number_exchanges(g, &plan);
	for (unsigned i = 0; i < g->as_count && !g->failed; i++)
		number_as(g, &plan, &g->ases[i]);
	for (unsigned i = 0; i < g->hosts.count && !g->failed; i++) {
		struct gen_host *host = LIST_AT(struct gen_host, g->hosts, i);
		if (host->service)
			number_service(g, &plan, host);
		else
			number_host(g, host);
	}
}
