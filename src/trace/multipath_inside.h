/* For the files of trace/multipath*.c: what is known (multipath.c), what to ask next (multipath_plan.c), what
 * to tell (multipath_path.c). */
#ifndef RETOUR_TRACE_MULTIPATH_INSIDE_H
#define RETOUR_TRACE_MULTIPATH_INSIDE_H

#include "base/rng.h"
#include "trace/multipath.h"
#include "trace/stopping.h"

#define VERTICES_MAX 1024
#define PROBES_MAX   4000 /* the engine remembers as many */
#define QUEUE_MAX    1024
#define SOURCE	     0		/* the vertex that stands for ourselves */
#define NO_CLASS     UINT16_MAX /* nothing is known */
#define MANY	     (UINT16_MAX - 1)

enum cell_state {
	CELL_UNASKED,
	CELL_PENDING,
	CELL_KNOWN,
	CELL_MISSED, /* no answer yet, perhaps asked again */
	CELL_SILENT, /* no answer, for good */
};

struct cell {
	uint8_t state, asked, answered;
	uint8_t waiting;	/* so many probes may still be answered */
	bool wanted;		/* missed, and to be asked again slowly */
	bool distorted;		/* who answered does not stand at this hop limit: no link leads here */
	uint16_t vertex, other; /* who answered; `other` where a second one did, else the same */
	int64_t sent_ns;	/* TIME_NEVER while it stands in the queue */
};

/* A router, or for address 0 the silence at one hop limit. */
struct vertex {
	struct addr address;
	uint16_t parent; /* of the same class, up to the one that is its own parent */
	uint16_t class_size;
	uint16_t silent_ttl; /* of silence */
	bool end;	     /* the destination, or a refusal */
};

struct mp_hop {
	unsigned asked, answered;
	int64_t last_sent_ns, rtt_max_ns;
	unsigned slow_rounds, slow_asked, slow_answered;
	bool gave_up; /* limits its replies so much that the stopping rule was not reached */
};

struct mp_flow {
	struct flow flow;
	unsigned end; /* hop limit at which it ends, 0 = not known */
	bool reached, looping;
};

struct mp_probe {
	uint16_t flow;
	uint8_t ttl;
	struct probe_result result;
};

/* What is known of a class of vertices, gathered anew for every plan. */
struct class_view {
	unsigned answers, pending, missed; /* at the next hop limit, by flows through it */
	unsigned repeats, repeats_asked;   /* repeats: answered or under way */
	unsigned first_ttl, flows;	   /* where it is nearest, and how many flows were seen there */
	unsigned successor_count;
	uint16_t successors[STOPPING_SEEN_MAX];
	bool ends_only; /* all successors are ends */
	bool branches;	/* successors of more than one class */
	bool deals;	/* a flow was seen at several of them: packets are dealt out one by one */
	bool gave_up;	/* its missing answers are given up */
};

struct multipath {
	struct multipath_config config;
	struct engine engine;		/* not used where there is a prober */
	struct multipath_prober prober; /* ask NULL: none */
	struct stopping stopping;
	struct rng rng;
	int64_t started_ns, finished_ns; /* TIME_NEVER */
	int64_t rtt_max_ns;
	struct mp_hop *hops; /* by hop limit */
	struct cell *cells;  /* hop limit by flow */
	struct mp_flow *flows;
	unsigned flows_used; /* flows below this one were asked something */
	unsigned highest;    /* hop limit that answered */
	unsigned explored;   /* by the first flow */
	unsigned distance;   /* of the destination on the first flow, 0 = not known */
	bool distance_sent, distance_answered;
	bool distance_exact; /* by the hop limit that the destination quoted */
	int64_t distance_sent_ns;
	struct vertex vertices[VERTICES_MAX];
	unsigned vertex_count;
	struct mp_probe *probes;
	unsigned probe_count, probe_room;
	struct {
		uint8_t ttl;
		uint16_t flow;
	} queue[QUEUE_MAX];
	unsigned queue_first, queue_count;
	bool dirty;	 /* something happened since the last plan */
	bool full;	 /* no more probes or flows, or no memory: what is missing stays missing */
	int64_t slow_ns; /* when slow questions may go on, TIME_NEVER = there are none */
	unsigned waiting;
	unsigned sent, received;
	int send_error;
	unsigned send_errors;
	/* Of the current plan. */
	uint16_t only[UINT8_MAX + 2];
	bool strict[UINT8_MAX + 2];
	unsigned known_at[UINT8_MAX + 2];
	struct class_view views[VERTICES_MAX];
};

static inline struct cell *mp_cell(const struct multipath *mp, unsigned ttl, unsigned flow)
{
	return &mp->cells[ttl * mp->config.flow_count + flow];
}
/* The vertex that stands for the class. */
uint16_t mp_class(const struct multipath *mp, uint16_t vertex);
/* One class from now on. */
void mp_join(struct multipath *mp, uint16_t a, uint16_t b);
/* The vertex of silence at this hop limit; NO_CLASS: no room. */
uint16_t mp_silence(struct multipath *mp, unsigned ttl);
/* Stand a question in the queue. False: no room. */
bool mp_ask(struct multipath *mp, unsigned ttl, unsigned flow);
/* The last hop limit that is worth a question. */
unsigned mp_limit(const struct multipath *mp);
/* Where a flow is at a hop limit: its class, or NO_CLASS. After mp_plan has gathered what is known. */
uint16_t mp_class_at(const struct multipath *mp, unsigned ttl, unsigned flow);

/* Packets are dealt out one by one at this hop limit: somebody was seen in two places with one flow. */
bool mp_deals(const struct multipath *mp, unsigned ttl);

/* Fill the queue with whatever may be asked now. */
void mp_plan(struct multipath *mp, int64_t now_ns);

#endif
