/* What the files of the simulator share. Not for other rooms. */
#ifndef RETOUR_SIM_CORE_H
#define RETOUR_SIM_CORE_H

#include "base/hash.h"
#include "base/rng.h"
#include "packet/peek.h"
#include "sim/sim.h"

#define PARCEL_SIZE_MAX 2048
#define BUCKETS		32
#define WAYS_BITS	14

/* A packet on its way, with what is not in its bytes: the label it carries, the tunnel it is wrapped in. */
struct parcel {
	struct parcel *next; /* in the free list */
	size_t length;
	uint32_t tunnel;    /* WORLD_NONE: plain IP */
	unsigned tunnel_at; /* index into the tunnel's routers: whom it travels to */
	uint8_t label_ttl;
	uint32_t detour;   /* WORLD_NONE, or the index of the one it is wrapped in */
	uint8_t outer_ttl; /* of the wrapping */
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

struct bucket {
	double tokens;
	int64_t filled_ns;
};

/* What a node remembers; made when it is first needed. */
struct node_state {
	struct {
		struct addr to;
		struct bucket bucket;
	} errors[BUCKETS]; /* destinations that share a place push each other out */
	struct bucket all_errors, options;
	struct flows *flows;	     /* of its NAT and its firewall; NULL: none yet */
	struct assembly *assemblies; /* of fragments; NULL: none yet */
	uint16_t ip_id;
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

/* A packet at a router. */
struct transit {
	uint32_t node, in; /* interface; WORLD_NONE: a packet of the node's own */
	struct parcel *parcel;
	struct peek peek;
	bool unwrapped;			   /* came out of a tunnel that plain routing does not know */
	const struct world_tunnel *popped; /* its label came off here, or NULL */
};

/* What an error says, besides about what. */
struct complaint {
	uint8_t type4, code4, type6, code6;
	bool by_route; /* the routing table says so */
	bool too_big;  /* for a link of this MTU */
	uint32_t mtu;
	uint32_t pointer;		   /* of a parameter problem */
	const struct world_tunnel *tunnel; /* NULL, or where the packet was labelled ... */
	unsigned tunnel_at;		   /* ... and whose label it carried */
	uint8_t label_ttl;
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
	struct node_state **states; /* by node */
	int64_t *queue_ends_ns;	    /* by interface: when the last packet left its queue */
	struct fib *fib;	    /* the tables of the routes */
	bool *link_gone;	    /* routed around */
	bool *link_faulty;	    /* a fault of the world is about it */
	struct way *ways;	    /* 2^WAYS_BITS */
	uint32_t generation;	    /* of the routes */
	uint32_t *first_tunnel;	    /* by ingress ... */
	uint32_t *next_tunnel;	    /* ... and of the same ingress */
	enum link_state *link_by_hand;
	int64_t next_reroute_ns;
	uint64_t packets_seen; /* for balancing by packet */
	bool lossless;	       /* links take whatever fits */
	struct sim_counts counts;
};

/* sim.c */
struct parcel *parcel_new(struct sim *sim);
void parcel_drop(struct sim *sim, struct parcel *parcel);
/* Takes the parcel; without memory it is lost. */
void sim_schedule(
	struct sim *sim, int64_t time_ns, enum event_kind kind, uint32_t place, struct parcel *parcel);

/* link.c: onto the link: fragments, loss, delay, faults. Takes the parcel. */
void sim_transmit(struct sim *sim, uint32_t interface, struct parcel *parcel);
/* What goes before the packet on the wire: a label (RFC 3032 2.1), or the header of a wrapping. */
#define LABEL_BYTES 4
#define OUTER_BYTES 24 /* an IPv4 header and the shortest GRE header */
size_t parcel_overhead(const struct parcel *parcel);

/* fragments.c: true: the packet is whole, and was it before or has become it just now. False: it waits for
 * the rest of it; the parcel is not needed for that. */
bool fragments_gather(struct sim *sim, uint32_t node, struct parcel *parcel);

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
/* A labelled parcel arrives at transit->in. True: the label came off here, and the packet is the router's;
 * false: the parcel was taken. */
bool mpls_receive(struct sim *sim, struct transit *transit) MUST_USE;
/* From inside a tunnel on to its next router. Takes the parcel. */
void mpls_forward(struct sim *sim, uint32_t node, struct parcel *parcel);

/* router.c */
void router_receive(struct sim *sim, uint32_t interface, struct parcel *parcel);
/* A packet of the node's own leaves. */
void node_send(struct sim *sim, uint32_t node, struct parcel *parcel);
/* The packet is longer than the next link takes, `mtu` of it; `tunnel`: it is labelled, or NULL. */
void complain_too_big(
	struct sim *sim, const struct transit *transit, const struct world_tunnel *tunnel, uint32_t mtu);
/* The complaint that goes with a word. */
struct complaint refusal_complaint(enum refusal refusal);

/* options.c: IPv4 options. May the packet go on? Its option may have been stripped. */
bool options_pass(struct sim *sim, struct transit *transit);
/* What a router writes into the Record Route option of a packet that it forwards, or no address. */
struct addr options_recorded(const struct sim *sim, uint32_t node, uint32_t in, uint32_t out);
/* Record Route and Timestamp on the way out. */
void options_stamp(struct sim *sim, uint32_t node, uint32_t in, uint32_t out, struct parcel *parcel);
/* The same as a packet reaches its target, or the router that says an error about it, which is this address.
 */
void options_stamp_arrival(struct sim *sim, uint32_t node, struct addr address, struct parcel *parcel);
/* An address of the node that nobody can reach. */
struct addr node_private_address(uint32_t node, uint8_t family);

/* segments.c: a packet that came to one of the node's addresses, and has others to go to. True: the parcel
 * was taken. */
bool segments_take(struct sim *sim, uint32_t node, uint32_t in, struct parcel *parcel) MUST_USE;
/* Does the node's stack read a packet that ends here and has such a header? */
bool segments_welcome(const struct sim *sim, uint32_t node, const struct packet *packet);

/* detour.c: the index of the tunnel that packets between the two enter here, or WORLD_NONE. */
uint32_t detour_find(const struct sim *sim, uint32_t node, struct addr source, struct addr destination);
/* Wrap the parcel, if there is a tunnel for it here. */
bool detour_wrap(struct sim *sim, const struct transit *transit);
/* A wrapped parcel arrives, or starts. True: it was unwrapped here; false: it was taken. */
bool detour_receive(struct sim *sim, uint32_t node, struct parcel *parcel) MUST_USE;

/* screen.c: what is not let through. The firewall answers itself where it refuses. */
bool screen_source(struct sim *sim, const struct transit *transit);
bool screen_firewall(
	struct sim *sim, uint32_t node, uint32_t in, const struct parcel *parcel, const struct peek *peek);

/* nat.c: packets from outside. False: nobody inside waits for it. */
bool nat_enter(struct sim *sim, struct transit *transit);
/* Is it for one of the flows from inside? */
bool nat_expects(struct sim *sim, const struct transit *transit);
/* Packets that leave by an interface. */
void nat_leave(struct sim *sim, struct transit *transit, uint32_t out);

/* limits.c: NULL without memory. */
struct node_state *node_state(struct sim *sim, uint32_t node);
void node_state_free(struct node_state *state);
struct flows *node_flows(struct sim *sim, uint32_t node);
bool limit_options(struct sim *sim, uint32_t node);
/* May the node send an error? */
bool limit_error(struct sim *sim, uint32_t node, struct addr to, const struct complaint *complaint);

/* host.c */
void host_receive(struct sim *sim, uint32_t node, struct parcel *parcel);
/* What its own firewall says; `in` is WORLD_NONE for what it sends. */
bool host_lets_pass(struct sim *sim, uint32_t host, uint32_t in, const struct parcel *parcel);
void host_pump(struct sim *sim, size_t machine);

/* answer.c: replies and errors of routers and hosts; all are sent after the node's reply delay. */
void answer_error(struct sim *sim, uint32_t node, uint32_t interface, const struct parcel *about,
	const struct complaint *complaint);
/* What a node's own stack answers to a packet for it; `interface` is where it came in. */
void answer_local(struct sim *sim, uint32_t node, uint32_t interface, struct parcel *parcel);
/* RFC 9293 3.5.2: a reset for a segment that no connection knows; `packet` is one of TCP. */
void answer_reset(struct sim *sim, uint32_t node, const struct packet *packet);
/* The address that an error about a packet that came in by `interface` shows to `towards`. */
struct addr answer_source(struct sim *sim, uint32_t node, uint32_t interface, struct addr towards);

#endif
