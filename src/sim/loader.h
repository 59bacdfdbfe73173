/* From a world file to a world: what the files of the loader share.
 *
 * A mistake is noted and loading goes on, so that all of them are told at once: functions for one entry
 * return -EINVAL, those for all entries go on with the next and return only what is fatal. A world with
 * mistakes is thrown away in the end. */
#ifndef RETOUR_SIM_LOADER_H
#define RETOUR_SIM_LOADER_H

#include <errno.h>

#include "sim/world.h"

/* Prefixes laid end to end, in addresses (IPv4) or /64s (IPv6): links take from the bottom, loopbacks from
 * the top; IPv6 loopbacks share the first /64. */
struct pool {
	struct prefix *prefixes[2]; /* by family */
	unsigned counts[2];
	uint64_t sizes[2], bottom[2], top[2];
};

struct mistake {
	unsigned line;
	char *text;
};

struct loader {
	const char *name, *text;
	struct world_file *file;
	struct world *world;
	struct pool *links, *hosts; /* by AS; `hosts` is not used where there is no infrastructure */
	uint64_t private_links;
	struct addr *given; /* addresses that the file gives, sorted */
	size_t given_count;
	struct mistake *mistakes;
	unsigned mistake_count, more_mistakes;
	bool relations_missing;
	bool circle; /* of providers */
	bool holes;  /* nodes or links are missing: what depends on them all is not checked */
	struct error *error;
};

/* A mistake in entry `entry` of `section`, near `word` (may be NULL): -EINVAL. */
int loader_mistake(struct loader *l, const char *section, unsigned entry, const char *word,
	const char *format, ...) PRINTF_LIKE(5, 6);
int loader_no_memory(struct loader *l);
/* Tells all mistakes by rising line and fills the error; 0 when there are none. */
int loader_verdict(struct loader *l, world_complain *complain, void *context);
void loader_free(struct loader *l);

static inline bool fatal(int result)
{
	return result < 0 && result != -EINVAL;
}

/* A day is more than any delay or run of a world needs; this also refuses what is not a number. */
#define SPAN_MAX_S 86400.0

static inline bool within(double value, double most)
{
	return value >= 0 && value <= most;
}

/* Each of these needs what those before it have made. */

/* world_as.c */
int loader_ases(struct loader *l) MUST_USE;
int loader_prefixes(struct loader *l) MUST_USE; /* after the nodes: hosts make anycast prefixes */

/* world_topology.c */
int loader_nodes(struct loader *l) MUST_USE;
int loader_links(struct loader *l) MUST_USE;

/* world_number.c */
int number_prepare(struct loader *l) MUST_USE;
void number_loopbacks(struct loader *l, unsigned entry, uint32_t node);
int number_link(struct loader *l, const char *section, unsigned entry, uint32_t link);
int number_given(struct loader *l, const char *section, unsigned entry, const char *text, uint8_t family,
	struct addr *address);

/* world_relations.c */
int loader_relations(struct loader *l) MUST_USE;
int loader_borders(struct loader *l) MUST_USE; /* after the links */

/* world_exchange.c */
int loader_exchanges(struct loader *l) MUST_USE;
/* How many sessions there are over exchanges; fills two interfaces for each unless NULL. */
uint32_t exchange_sessions(struct loader *l, struct world_interface *ends);

/* world_overrides.c */
int loader_overrides(struct loader *l) MUST_USE;

/* world_index.c */
int index_names(struct loader *l) MUST_USE;
int index_asns(struct loader *l) MUST_USE;
int index_domains(struct loader *l) MUST_USE;
int index_addresses(struct loader *l) MUST_USE;
/* False when the name is taken. */
bool index_add_name(struct world *world, uint32_t node);

/* world_habits.c */
int loader_link_habits(struct loader *l, unsigned entry) MUST_USE;
int loader_detours(struct loader *l) MUST_USE;

/* world_policy.c: what needs all nodes and links to be there */
int loader_routes(struct loader *l) MUST_USE;
int loader_rest(struct loader *l) MUST_USE;

/* world_check.c: what cannot be, though every entry is right */
int loader_check(struct loader *l) MUST_USE;

#endif
