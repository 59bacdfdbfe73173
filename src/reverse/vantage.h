/* Who stands near the far host: what an announced prefix, an AS and the way there say. Pure. A trace from
 * somewhere near is not the far host's own, so how near is part of the result. */
#ifndef RETOUR_REVERSE_VANTAGE_H
#define RETOUR_REVERSE_VANTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "annotate/data.h"
#include "base/addr.h"
#include "path/model.h"

#define VANTAGE_UPSTREAMS_MAX 2

/* The far host's surroundings. What is not known is empty. */
struct vantage_scene {
	struct addr target;
	struct prefix prefix;	       /* announced; without address = not known */
	uint32_t origins[ORIGINS_MAX]; /* of the target; several for a prefix that several announce */
	unsigned origin_count;
	uint32_t upstreams[VANTAGE_UPSTREAMS_MAX]; /* ASes before it on the way there, nearest first */
	unsigned upstream_count;
};

/* `forward` may be NULL: then no upstream is known. Its hops may have their AS numbers already; else `data`,
 * which may be NULL, is asked. Our own AS is nobody's upstream here: who stands next to us sees only the end
 * of the way. */
void vantage_scene_read(
	struct vantage_scene *scene, struct addr target, const struct path *forward, const struct data *data);
/* The same with the local data in `dir` (NULL = the usual folder), opened for that. */
void vantage_scene_open(
	struct vantage_scene *scene, struct addr target, const struct path *forward, const char *dir);
/* Who announces the address by that data; 0 = not known. */
uint32_t vantage_asn(struct addr address, const char *dir);
/* How near somebody is, by address and AS number as far as they are known (none, 0). Not for the target
 * itself. */
enum vantage_distance vantage_distance_of(
	const struct vantage_scene *scene, struct addr address, uint32_t asn);
/* "in the same AS": for a person, behind a name. */
const char *vantage_phrase(enum vantage_distance distance);

#endif
