/* From a world file to a world: what the files of the loader share. */
#ifndef RETOUR_SIM_LOADER_H
#define RETOUR_SIM_LOADER_H

#include "sim/world.h"

struct loader {
	const char *name, *text;
	struct world_file *file;
	struct world *world;
	unsigned *links_in_as, *loopbacks_in_as;
	struct error *error;
};

/* A mistake in entry `entry` of `section`, near `word` (may be NULL): -EINVAL. */
int loader_mistake(struct loader *l, const char *section, unsigned entry, const char *word,
	const char *format, ...) PRINTF_LIKE(5, 6);
int loader_no_memory(struct loader *l);

/* A day is more than any delay or run of a world needs; this also refuses what is not a number. */
#define SPAN_MAX_S 86400.0

static inline bool within(double value, double most)
{
	return value >= 0 && value <= most;
}

/* world_topology.c */
int loader_ases(struct loader *l) MUST_USE;
int loader_nodes(struct loader *l) MUST_USE;
int loader_links(struct loader *l) MUST_USE;

/* world_policy.c: what needs all nodes and links to be there */
int loader_routes(struct loader *l) MUST_USE;
int loader_rest(struct loader *l) MUST_USE;

#endif
