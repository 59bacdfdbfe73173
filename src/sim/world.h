/* A world, ready to run: nodes, interfaces with addresses and names, links, routes. Immutable after loading.
 *
 * Interface i belongs to link i / 2, and its peer at the other end is i ^ 1; even interfaces are at the
 * link's `from` end. What a link does to a packet depends on the interface it leaves by (cost, delay, loss).
 */
#ifndef RETOUR_SIM_WORLD_H
#define RETOUR_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/error.h"
#include "sim/world_file.h"

#define WORLD_NONE UINT32_MAX /* no such node, interface, ... */

/* Index into the pairs of addresses below. */
static inline unsigned family_index(uint8_t family)
{
	return family == 6;
}

struct world_as {
	uint32_t asn;
	const char *name, *country;
	struct prefix prefixes[2];
	uint32_t gateway; /* the router that answers for addresses nobody has */
};

struct world_node {
	const char *name;
	const char *dns; /* the suffix of its interface names, or the name itself */
	bool is_host;
	uint32_t as;
	struct addr loopback[2]; /* routers */
	struct behaviour behaviour;
	uint32_t *interfaces;
	unsigned interface_count;
};

struct world_interface {
	uint32_t node;
	struct addr address[2];
	char *name; /* in DNS */
	unsigned cost;
	int64_t delay_ns;
	double loss;
};

enum route_kind { ROUTE_NONE, ROUTE_LOCAL, ROUTE_VIA, ROUTE_DROP, ROUTE_REFUSE };

#define NEXT_HOPS_MAX 16

/* An explicit route: wins over the shortest path where its prefix holds the destination. */
struct world_route {
	uint32_t node;
	struct prefix prefix;
	enum route_kind kind;
	enum refusal refusal;
	uint32_t via[NEXT_HOPS_MAX]; /* interfaces of `node` */
	unsigned via_count;
};

struct world_tunnel {
	uint32_t *routers; /* from ingress to egress */
	uint32_t *labels; /* labels[i]: as a packet arrives at routers[i]; none for the ingress and the egress
			   */
	unsigned count;
	bool hidden, unlabelled;
};

struct world_fault {
	uint32_t link;
	int64_t from_ns, until_ns;
	double loss;
	int64_t delay_ns;
	bool down, reroute;
};

struct world_service {
	uint32_t host;
	const char *command;
};

/* Every address of the world, sorted. */
struct world_address {
	struct addr addr;
	uint32_t node;
	uint32_t interface; /* WORLD_NONE: a loopback */
};

struct world {
	const char *summary;
	struct world_as *ases;
	unsigned as_count;
	struct world_node *nodes; /* hosts first */
	unsigned node_count, host_count;
	struct world_interface *interfaces;
	unsigned interface_count;
	struct world_route *routes;
	unsigned route_count;
	struct world_tunnel *tunnels;
	unsigned tunnel_count;
	struct world_fault *faults;
	unsigned fault_count;
	struct world_service *services;
	unsigned service_count;
	struct world_address *addresses;
	unsigned address_count;
	struct world_file *file; /* owns the strings */
};

/* A world from text; `name` is for messages. On failure *world is NULL. */
int world_parse(const char *name, const char *text, struct world **world, struct error *error) MUST_USE;
/* A shipped world by its name, or a file (whatever has a '/' or a '.' in it). */
int world_load(const char *name, struct world **world, struct error *error) MUST_USE;
void world_free(struct world *world);

uint32_t world_find_node(const struct world *world, const char *name);
/* The entry of an address, or NULL. */
const struct world_address *world_find_address(const struct world *world, struct addr addr);
/* The AS that announces the address, or WORLD_NONE. */
uint32_t world_find_as(const struct world *world, struct addr addr);
/* The address a node is called by: of a host's first interface, or a router's loopback. */
struct addr world_node_address(const struct world *world, uint32_t node, uint8_t family);
/* The interface of `node` that leads to `neighbour`, or WORLD_NONE. */
uint32_t world_interface_to(const struct world *world, uint32_t node, uint32_t neighbour);

/* The worlds that ship with the program: name, text; the last has a NULL name. */
struct shipped_world {
	const char *name;
	const char *text;
};
extern const struct shipped_world shipped_worlds[];

#endif
