/* Whose traceroutes to a source are known, and traceroutes that somebody else made. Pure. */
#ifndef RETOUR_REVTR_ATLAS_H
#define RETOUR_REVTR_ATLAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "path/model.h"
#include "revtr/tree.h"

#define ATLAS_ORIGIN_SIZE 64
#define ATLAS_ORIGINS_MAX 20000 /* of one source; beyond that nothing new is taken */
#define ATLAS_HOPS_MAX	  64

/* One traceroute of each. */
struct atlas_entry {
	char origin[ATLAS_ORIGIN_SIZE]; /* an agent's name, or what an import said */
	bool imported, aligned;		/* aligned: its hops have been asked by Record Route */
	uint32_t trace;			/* its number in the tree, TREE_NONE = none */
	int64_t stored;			/* its number in the store */
	int64_t asked_ns;		/* when its agent was last asked for one, TREE_NEVER = never */
	int64_t noted_ns;		/* its use is in the store as of then */
};

struct atlas {
	struct atlas_entry *entries;
	size_t count, room;
	uint32_t *table; /* of numbers from 1 on by origin; 0 = free */
	size_t table_room;
};

void atlas_deinit(struct atlas *atlas);
/* NULL: none. Good until the next is added. */
struct atlas_entry *atlas_find(const struct atlas *atlas, const char *origin);
/* The same, made where there is none. NULL: there are too many, or too little memory. */
struct atlas_entry *atlas_entry_of(struct atlas *atlas, const char *origin, bool imported);
/* Those without a traceroute that nobody asks for are forgotten; numbers and pointers change. */
void atlas_compact(struct atlas *atlas);

/* ---- traceroutes from elsewhere */

enum atlas_refusal {
	ATLAS_TAKEN,
	ATLAS_OTHER_TARGET, /* it is to somebody else */
	ATLAS_NOT_REACHED,  /* without its end it leads nowhere */
	ATLAS_LOOP,	    /* a router twice */
	ATLAS_NO_TIME,	    /* nobody says when that was */
	ATLAS_TOO_OLD,
	ATLAS_FUTURE,
	ATLAS_EMPTY, /* no router of it is known */
	ATLAS_LONG,
	ATLAS_NOT_NEWER, /* than what is known of that origin */
	ATLAS_NO_ROOM,
	ATLAS_REFUSALS,
};
const char *atlas_refusal_word(enum atlas_refusal refusal);

struct atlas_trace {
	char origin[ATLAS_ORIGIN_SIZE];
	uint32_t addresses[ATLAS_HOPS_MAX +
		1]; /* as tree_add_trace takes them; the tracer's may be unknown, too */
	unsigned count;
	int64_t seen_ms;
};

/* Of another program's traceroute: who traced, and every hop before the source. Without a name; atlas_check
 * gives it. */
enum atlas_refusal atlas_from_measurement(
	const struct measurement *measurement, struct addr source, struct atlas_trace *trace);
/* Who traced and the hops before the source: what is nobody's address in particular (private, multicast) is
 * made an unknown router. ATLAS_TAKEN, ATLAS_LOOP, ATLAS_EMPTY. */
enum atlas_refusal atlas_put_in_order(uint32_t *addresses, unsigned count, struct addr source);
/* The same, and whether it is of use. Its origin is who traced, "import:ADDRESS", which no agent's name can
 * be. */
enum atlas_refusal atlas_check(
	struct atlas_trace *trace, struct addr source, int64_t now_ms, int64_t age_max_ms);

#endif
