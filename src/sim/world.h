/* A world, ready to run: nodes, interfaces with addresses and names, links, routes. Immutable after loading.
 *
 * Interface i belongs to link i / 2, and its peer at the other end is i ^ 1; even interfaces are at the
 * link's `from` end. What a link does to a packet depends on the interface it leaves by (cost, delay, loss).
 * A session over the LAN of an exchange is a link of its own; all of a router's have its address on that LAN.
 *
 * A domain is a set of nodes inside which packets take shortest paths: the whole world when the file has no
 * relations between ASes, else each AS (domain number = AS number), and policy decides between them.
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
	struct prefix prefixes[2]; /* the first of each family; all are in world->prefixes */
	uint32_t gateway;	   /* the router that answers for addresses nobody has */
	uint32_t first_edge, edge_count;
	uint32_t kin[4]; /* in world->kin: kin[r] to kin[r + 1] - 1 are its edges of relation r */
};

/* What the neighbour is to an AS. */
enum relation { RELATION_CUSTOMER, RELATION_PEER, RELATION_PROVIDER };

#define FAMILY_BIT(family) ((uint8_t)((family) == 6 ? 2 : 1))

/* One side of the relation of two ASes. The edges of an AS lie together, by rising number of the neighbour.
 */
struct world_edge {
	uint32_t as, neighbour;
	uint32_t back;			     /* the other side's edge */
	uint32_t first_border, border_count; /* in world->borders: the AS's interfaces towards it */
	uint32_t preference[2], prepend[2];  /* by family: of routes from it; on what it is told */
	uint8_t relation, families, silent;  /* silent: families in which it is told nothing */
};

/* An override for some prefixes. */
struct world_filter {
	uint32_t edge;
	struct prefix prefix;	     /* and all that lies within */
	int64_t preference, prepend; /* -1: not overridden */
	bool silent;
};

/* What is announced, by rising address, longer prefixes after those that hold them. */
struct world_prefix {
	struct prefix prefix;
	uint32_t parent;		     /* the next shorter one that holds it, or WORLD_NONE */
	uint32_t as;			     /* of the first of its origins */
	uint32_t first_origin, origin_count; /* in world->origins: more than one for anycast */
	uint32_t class;			     /* prefixes of the same class and family take the same ways */
};

struct world_domain {
	uint32_t first, count; /* in world->members */
};

struct world_ixp {
	const char *name, *country;
	struct prefix prefixes[2];
	int64_t delay_ns; /* from member to member */
	uint32_t *members;
	unsigned member_count;
};

struct world_node {
	const char *name;
	const char *dns; /* the suffix of its interface names, or the name itself */
	bool is_host;
	const char *place; /* routers; may be NULL */
	uint32_t as;
	uint32_t domain, seat;		   /* its place among the domain's members */
	uint32_t first_route, route_count; /* explicit ones */
	struct addr loopback[2];	   /* routers */
	struct behaviour behaviour;
	uint32_t *interfaces;
	unsigned interface_count;
};

struct world_interface {
	uint32_t node;
	struct addr address[2];
	char *name; /* in DNS */
	unsigned cost;
	uint32_t ixp; /* WORLD_NONE: a link of its own */
	int64_t delay_ns;
	double loss;
	unsigned mtu;	     /* of the link; 0: any packet fits */
	struct queue *queue; /* NULL: none */
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
	unsigned entry; /* of the file */
};

struct world_tunnel {
	uint32_t *routers; /* from ingress to egress */
	uint32_t *labels; /* labels[i]: as a packet arrives at routers[i]; none for the ingress and the egress
			   */
	unsigned count;
	bool hidden, unlabelled;
	enum pop pop;
};

/* A tunnel that plain routing does not know, as of GRE: to the loopback of the router `to`. */
struct world_detour {
	uint32_t at, to;
	struct prefix prefix, from; /* from: family 0 = any */
};

struct world_fault {
	uint32_t link;
	int64_t from_ns, until_ns;
	double loss;
	int64_t delay_ns;
	bool down, reroute;
	uint32_t interface; /* WORLD_NONE: both directions, else packets that leave by this one */
};

struct world_service {
	uint32_t host;
	const char *command;
	const char *ready; /* is in what it prints when it can be used; NULL: whatever it prints first */
};

/* Every address of the world, sorted. Several entries have the same one only when hosts share it (anycast),
 * or when they are one router's on the LAN of an exchange. */
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
	unsigned route_count; /* by rising node, then the longest prefix first */
	struct world_tunnel *tunnels;
	unsigned tunnel_count;
	struct world_detour *detours;
	unsigned detour_count;
	struct world_fault *faults;
	unsigned fault_count;
	struct world_service *services;
	unsigned service_count;
	struct world_address *addresses;
	unsigned address_count;
	struct world_prefix *prefixes;
	unsigned prefix_count;
	uint32_t *origins;
	unsigned origin_count;
	bool policy;	  /* there are relations between ASes */
	bool preferences; /* some are not the usual ones */
	bool by_family;	  /* relations or policies differ between the families */
	struct world_edge *edges;
	unsigned edge_count;
	uint32_t *kin; /* the edges by AS, then by relation */
	uint32_t *borders;
	struct world_filter *filters;
	unsigned filter_count;
	struct world_ixp *ixps;
	unsigned ixp_count;
	struct world_domain *domains;
	unsigned domain_count;
	uint32_t *members; /* nodes by domain */
	/* Classes 0 to 2 * as_count - 1: an AS's ordinary prefixes, those of IPv6 in the second half when
	 * families differ; then one for each prefix of its own. */
	unsigned class_count;
	uint32_t *class_prefixes; /* of class 2 * as_count + i */
	uint32_t *ports;	  /* owns the nodes' lists of interfaces */
	uint32_t *names;	  /* hash table of nodes */
	unsigned name_slots;
	uint32_t *by_asn;	 /* ASes by rising number */
	struct world_file *file; /* owns the strings */
};

/* Called for each mistake of a world: "FILE:LINE: what is wrong; what was expected", without a newline. */
typedef void world_complain(void *context, const char *line);

/* A world from text; `name` is for messages. On failure *world is NULL. */
int world_parse(const char *name, const char *text, struct world **world, struct error *error) MUST_USE;
/* A shipped world by its name, or a file (whatever has a '/' or a '.' in it). */
int world_load(const char *name, struct world **world, struct error *error) MUST_USE;
/* The same, and all mistakes are told; `error` has the first of them, and how many there are. */
int world_parse_telling(const char *name, const char *text, world_complain *complain, void *context,
	struct world **world, struct error *error) MUST_USE;
int world_load_telling(const char *name, world_complain *complain, void *context, struct world **world,
	struct error *error) MUST_USE;
void world_free(struct world *world);

uint32_t world_find_node(const struct world *world, const char *name);
/* The first entry of an address, or NULL. */
const struct world_address *world_find_address(const struct world *world, struct addr addr);
bool world_has_address(const struct world *world, uint32_t node, struct addr addr);
/* By number: WORLD_NONE, or its index. */
uint32_t world_find_asn(const struct world *world, uint32_t asn);
/* The longest announced prefix that holds the address, or WORLD_NONE. */
uint32_t world_find_prefix(const struct world *world, struct addr addr);
/* The AS that announces the address, or WORLD_NONE. */
uint32_t world_find_as(const struct world *world, struct addr addr);
/* The edge from one AS to another (both by index), or WORLD_NONE. */
uint32_t world_find_edge(const struct world *world, uint32_t as, uint32_t neighbour);
/* The address a node is called by: of a host's first interface, or a router's loopback. */
struct addr world_node_address(const struct world *world, uint32_t node, uint8_t family);
/* Of one of its members, on the LAN. */
struct addr world_member_address(const struct world_ixp *ixp, unsigned member, uint8_t family);
/* The interface of `node` that leads to `neighbour`, or WORLD_NONE. */
uint32_t world_interface_to(const struct world *world, uint32_t node, uint32_t neighbour);

/* The worlds that ship with the program: name, text; the last has a NULL name. */
struct shipped_world {
	const char *name;
	const char *text;
};
extern const struct shipped_world shipped_worlds[];

#endif
