/* What the files of the simulator share. Not for other rooms. */
#ifndef RETOUR_SIM_CORE_H
#define RETOUR_SIM_CORE_H

#include "base/hash.h"
#include "base/rng.h"
#include "packet/peek.h"
#include "sim/sim.h"

#define PARCEL_SIZE_MAX 2048
#define BUCKETS		64
#define WAYS_BITS	14

/* A packet on its way, with what is not in its bytes: the label it carries. */
struct parcel {
	struct parcel *next; /* in the free list */
	size_t length;
	uint32_t tunnel;    /* WORLD_NONE: plain IP */
	unsigned tunnel_at; /* index into the tunnel's routers: whom it travels to */
	uint8_t label_ttl;
	uint8_t bytes[PARCEL_SIZE_MAX];
};

enum event_kind { EVENT_ARRIVE, EVENT_DEPART, EVENT_WAKE };

struct event {
	int64_t time_ns;
	uint64_t order; /* events of the same time run in the order they were made */
	enum event_kind kind;
	uint32_t place; /* ARRIVE: interface; DEPART: node; WAKE: machine */
	struct parcel *parcel;
};

struct attached {
	struct machine machine;
	uint32_t host;
	uint32_t next; /* on the same host, or WORLD_NONE */
	unsigned flags;
	bool done;
	int64_t wake_ns; /* the only wake event that counts */
};

/* Tokens for the errors that a router sends to one destination. */
struct bucket {
	struct addr to;
	double tokens;
	int64_t filled_ns;
};

struct route {
	enum route_kind kind;
	enum refusal refusal;
	uint32_t via[NEXT_HOPS_MAX]; /* interfaces to leave by */
	unsigned via_count;
};

/* What a node does with packets to a destination, since the routes last changed. */
struct way {
	uint32_t generation, node;
	uint32_t tunnel; /* that starts here, or WORLD_NONE; not known when there are several ways */
	struct addr destination;
	struct route route;
};

struct sim {
	const struct world *world;
	struct rng rng;
	uint64_t seed;
	int64_t now_ns;
	struct event *heap;
	size_t heap_count, heap_capacity;
	uint64_t order;
	struct parcel *free_parcels;
	struct attached *machines;
	size_t machine_count, unfinished; /* that sim_run waits for */
	uint32_t *first_machine;	  /* by host */
	sim_deliver *deliver;
	void *deliver_context;
	sim_tap *tap;
	void *tap_context;
	struct bucket *buckets; /* BUCKETS for each node */
	uint32_t **distances;	/* by target node, filled when first asked */
	bool *link_gone;	/* routed around */
	bool *link_faulty;	/* a fault of the world is about it */
	struct way *ways;	/* 2^WAYS_BITS */
	uint32_t generation;	/* of the routes */
	uint32_t *first_tunnel; /* by ingress ... */
	uint32_t *next_tunnel;	/* ... and of the same ingress */
	enum link_state *link_by_hand;
	int64_t next_reroute_ns;
	uint64_t packets_seen; /* for balancing by packet */
	uint16_t ip_id;
	struct sim_counts counts;
};

/* sim.c */
struct parcel *parcel_new(struct sim *sim);
void parcel_drop(struct sim *sim, struct parcel *parcel);
/* Takes the parcel; without memory it is lost. */
void sim_schedule(
	struct sim *sim, int64_t time_ns, enum event_kind kind, uint32_t place, struct parcel *parcel);

/* link.c: onto the link: loss, delay, faults. Takes the parcel. */
void sim_transmit(struct sim *sim, uint32_t interface, struct parcel *parcel);

/* route.c */
struct route route_lookup(struct sim *sim, uint32_t node, struct addr destination);
/* Follow faults that move routes: forget tables when links went or came. */
void route_refresh(struct sim *sim);

/* ways.c: the same, remembered; good until the next call. */
const struct way *way_find(struct sim *sim, uint32_t node, struct addr destination);
/* One of the ways, as the node balances. `peek` may be NULL: the first. */
uint32_t way_choose(struct sim *sim, uint32_t node, const struct route *route, const struct peek *peek);

/* mpls.c: the tunnel that starts at `node` for packets that leave it by `interface` towards `destination`, or
 * WORLD_NONE. */
uint32_t mpls_tunnel(struct sim *sim, uint32_t node, uint32_t interface, struct addr destination);
/* A label for a packet that leaves the ingress with that TTL. */
void mpls_push(const struct sim *sim, struct parcel *parcel, uint32_t tunnel, uint8_t ttl);
/* A labelled parcel arrives, or starts inside a tunnel. */
void mpls_receive(struct sim *sim, uint32_t interface, struct parcel *parcel);
void mpls_forward(struct sim *sim, uint32_t node, struct parcel *parcel);

/* router.c */
void router_receive(struct sim *sim, uint32_t interface, struct parcel *parcel);
/* A packet of the node's own leaves. */
void node_send(struct sim *sim, uint32_t node, struct parcel *parcel);

/* host.c */
void host_receive(struct sim *sim, uint32_t node, struct parcel *parcel);
void host_pump(struct sim *sim, size_t machine);

/* answer.c: replies and errors of routers and hosts; all are sent after the node's reply delay. */
struct complaint {
	uint8_t type4, code4, type6, code6;
	const struct world_tunnel *tunnel; /* NULL, or where the packet was labelled ... */
	unsigned tunnel_at;		   /* ... and whose label it carried */
	uint8_t label_ttl;
};
void answer_error(struct sim *sim, uint32_t node, uint32_t interface, const struct parcel *about,
	const struct complaint *complaint);
/* What a node's own stack answers to a packet for it; `interface` is where it came in. */
void answer_local(struct sim *sim, uint32_t node, uint32_t interface, struct parcel *parcel);
/* The address that an error about a packet that came in by `interface` shows to `towards`. */
struct addr answer_source(struct sim *sim, uint32_t node, uint32_t interface, struct addr towards);

#endif
