/* The stages of the generator share this. Not for other files.
 *
 * Only integers decide anything, so that every machine generates the same world. */
#ifndef RETOUR_SIM_GENERATE_INSIDE_H
#define RETOUR_SIM_GENERATE_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/rng.h"
#include "sim/generate.h"
#include "sim/places.h"

#define NONE UINT32_MAX

enum kind { TIER1, CARRIER, REGIONAL, GIANT, HOSTING, ACCESS, ENTERPRISE };

#define PLACES_MAX   80
#define PREFIXES_MAX 8

struct gen_pop {
	unsigned place;
	uint32_t core, edge; /* first router of each; the cores come first */
	unsigned core_count, edge_count;
	uint32_t access; /* where hosts are: the last of what is behind the core */
};

struct gen_as {
	uint32_t asn;
	enum kind kind;
	unsigned home; /* place */
	struct gen_pop *pops;
	unsigned pop_count;
	uint32_t router; /* the first of those of the network itself; homes' are elsewhere */
	unsigned router_count, inner_routers;
	unsigned inner_link, inner_links; /* between those */
	unsigned links;			  /* numbered from its space */
	unsigned customers, providers, peers, host_count;
	bool has_homes, is_cellular; /* its users: in homes, on mobile phones */
	struct prefix prefixes[PREFIXES_MAX];
	unsigned prefix_count;
	struct prefix prefix6, infrastructure, infrastructure6;
	bool private_links, unannounced, nameless, drops_options, never_stamps, sometimes_stamps,
		filters_sources, translates;
	char name[40], domain[24];
};

struct gen_router {
	uint32_t as;
	unsigned place;
	char role[4];  /* "cr", "er", "ar", "cpe" */
	unsigned home; /* 0: none; the number of the home that it belongs to */
	unsigned number;
	unsigned misleading_place; /* the one its name tells */
	bool translates;	   /* the addresses that it gave its users */
};

/* What waits there by the time of day; a peak of 0: nothing. */
struct gen_queue {
	unsigned peak_ms, hour, width_h, noise_ms;
};

struct gen_link {
	uint32_t from, to;
	unsigned delay_us, cost, cost_back;
	struct gen_queue queue, queue_back;
	unsigned subscriber; /* as of a host; `to` is the home's router */
	bool narrow;
	unsigned down_s, up_s; /* both 0: never */
};

struct gen_relation {
	uint32_t a, b; /* provider and customer, or peers */
	bool peers;
	uint32_t ixp;  /* NONE: over links of their own */
	int favour[2]; /* how much a likes the routes of b more than usual, and b those of a */
	bool prepends; /* b, towards a */
};

struct gen_ixp {
	unsigned place, number;
	struct prefix prefix, prefix6;
	uint32_t *members; /* routers */
	unsigned member_count;
};

struct gen_host {
	char name[16];
	uint32_t as, router;
	unsigned delay_us;
	unsigned home;	     /* 0: none; the number of the home that it is in */
	uint32_t gateway;    /* of users: the first router of the network itself */
	uint32_t home_link;  /* of homes: from there */
	unsigned subscriber; /* 0: none; counts those whose address the network translates */
	unsigned service;    /* 0: none; hosts of the same one share an address */
	bool is_user, is_destination, is_idle; /* idle: not in this world */
	struct addr address, address6;
};

struct gen_list {
	void *items;
	unsigned count, capacity;
};

struct generator {
	struct rng rng;
	unsigned as_total;
	const struct profile *profile;
	struct gen_as *ases;
	unsigned as_count;
	struct gen_list routers, links, relations, ixps, hosts;
	struct gen_list urns[REGIONS]; /* uint32_t: carriers there, once for each customer */
	struct gen_list pairs;	       /* uint64_t, sorted: ASes that have a relation */
	bool failed;		       /* out of memory; stages go on, the end reports it */
};

#define LIST_AT(type, list, index) (&((type *)(list).items)[index])

/* A new item, zeroed, or NULL. */
void *generate_add(struct generator *g, struct gen_list *list, size_t size);

/* One draw an expression: C leaves open in which order the arguments of a call are worked out. */
static inline unsigned draw(struct generator *g, unsigned bound)
{
	return (unsigned)rng_below(&g->rng, bound);
}
/* Uniform, both ends included. */
static inline unsigned draw_between(struct generator *g, unsigned low, unsigned high)
{
	return low + draw(g, high - low + 1);
}
static inline bool chance(struct generator *g, unsigned thousandths)
{
	return draw(g, 1000) < thousandths;
}
static inline bool is_transit(const struct gen_as *as)
{
	return as->kind <= REGIONAL;
}

/* The stages, in their order. */
void generate_ases(struct generator *g);      /* kinds, places, names */
void generate_routers(struct generator *g);   /* routers and the links inside each AS */
void generate_relations(struct generator *g); /* who buys from whom, who peers; links between ASes */
void generate_exchanges(struct generator *g); /* IXPs and peerings over them */
void generate_hosts(struct generator *g);
void generate_addresses(struct generator *g);
void generate_habits(struct generator *g); /* all that the profile decides but for single routers */
void generate_write_as_behaviour(struct generator *g, const struct gen_as *as, FILE *out);
void generate_write_host_behaviour(struct generator *g, const struct gen_host *host, FILE *out);
void generate_write_tunnels(struct generator *g, FILE *out);
void generate_write_detours(struct generator *g, FILE *out);
void generate_write_behaviour(struct generator *g, const struct gen_router *router, FILE *out);
void generate_write(struct generator *g, const struct generate_options *options, FILE *out);

void generate_link(struct generator *g, uint32_t from, uint32_t to, unsigned delay_us);
/* False: they have one already, or are the same. */
bool generate_relation(struct generator *g, uint32_t a, uint32_t b, bool peers, uint32_t ixp);
/* The PoP of an AS at a place, or NULL. */
const struct gen_pop *generate_pop_at(const struct gen_as *as, unsigned place);
/* A router for links to others. */
uint32_t generate_edge(struct generator *g, const struct gen_pop *pop);
uint32_t generate_router(
	struct generator *g, uint32_t as, unsigned place, const char *role, unsigned number, unsigned home);
/* What is inside home `number`, from 1. */
struct prefix generate_home_prefix(unsigned number);
/* One of the two addresses that a network has for a user without a public one: the network's end, the user's.
 */
struct addr generate_subscriber_address(unsigned subscriber, bool end);
const char *generate_router_name(const struct generator *g, uint32_t router, char name[static 40]);

#endif
