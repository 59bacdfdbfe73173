/* Which agents to ask for a target, and in which order. Pure.
 *
 * Packets that enter a network by the same border take the same way from there on. So of the agents behind
 * one ingress only the nearest can help, and what one failure says is said about all of them. A survey, made
 * beforehand with Record Route from every agent to one or two addresses of a prefix, tells the distance (how
 * many of the nine places are used up before the target) and the ingress of each agent. */
#ifndef RETOUR_REVTR_INGRESS_H
#define RETOUR_REVTR_INGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"

#define INGRESS_FAR 255 /* the target did not show in the list */

/* How the agents of a prefix are put in order. */
enum ingress_order {
	INGRESS_ROUND_ROBIN, /* the nearest of each ingress, then the second nearest, ... */
	INGRESS_BY_DISTANCE, /* the nearest first, whatever its ingress */
	INGRESS_RANDOM,
};

struct ingress_view { /* one agent's view of a prefix */
	uint32_t agent;
	uint8_t distance; /* stamps before the target's; INGRESS_FAR */
	uint32_t ingress; /* the last stamp before those of the target's network; 0 = not known */
};

struct ingress_prefix {
	struct prefix prefix;
	struct ingress_view *views; /* nearest first */
	unsigned view_count;
};

struct ingress {
	struct ingress_prefix *prefixes; /* in order of address */
	unsigned prefix_count, prefix_room;
	unsigned sorted_count; /* prefixes behind these came since the last ingress_sort */
	uint32_t *slots;       /* a hash table of them: index + 1, 0 = free */
	unsigned slot_count;   /* a power of two */
	uint32_t *everywhere;  /* agents by how many prefixes they are near to */
	unsigned agent_count;
};

/* For agents 0 to agent_count - 1. 0 or -ENOMEM. */
int ingress_init(struct ingress *ingress, unsigned agent_count) MUST_USE;
void ingress_deinit(struct ingress *ingress);
/* What the survey found; a second view of the same prefix by the same agent is averaged. 0 or -ENOMEM. */
int ingress_add(struct ingress *ingress, struct prefix prefix, const struct ingress_view *view) MUST_USE;
/* After the last ingress_add. */
void ingress_sort(struct ingress *ingress);
/* The agents to ask for this target, best first, at most `capacity`; `near` of them are known to be near
 * enough. Agents of which nothing is known for the prefix follow, best of all first. */
unsigned ingress_rank(const struct ingress *ingress, struct addr target, enum ingress_order order,
	uint64_t seed, uint32_t *agents, unsigned capacity, unsigned *near);

/* The longest prefix that holds the target of which somebody's distance has been measured, or that he is too
 * far; NULL: of none. As of the last ingress_sort. */
const struct ingress_prefix *ingress_find(const struct ingress *ingress, struct addr target);

#endif
