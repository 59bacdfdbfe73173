/* Deep copies of paths. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "path/model.h"

/* Arrays grow at powers of two (model.c): a copy has as much room, so that it can grow as well. */
static size_t room_for(size_t count)
{
	size_t room = 1;
	while (room < count)
		room *= 2;
	return room;
}

/* NULL stays NULL; false: out of memory. */
static bool copy_array(void *to, const void *from, size_t count, size_t size)
{
	void *copy = NULL;
	if (from && count > 0) {
		copy = calloc(room_for(count), size);
		if (!copy)
			return false;
		memcpy(copy, from, count * size);
	}
	memcpy(to, &copy, sizeof(copy));
	return true;
}

static bool copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to;
}

/* `to` has no pointers of its own yet; on failure it holds those that were made. */
static bool copy_hop(struct hop *to, const struct hop *from)
{
	*to = *from;
	to->addresses = NULL;
	to->origins = NULL;
	to->probes = NULL;
	to->name = to->as_name = to->operator_reason = to->ixp = NULL;
	return copy_array(&to->addresses, from->addresses, from->address_count, sizeof(*from->addresses)) &&
		copy_array(&to->origins, from->origins, from->origin_count, sizeof(*from->origins)) &&
		copy_array(&to->probes, from->probes, from->probe_count, sizeof(*from->probes)) &&
		copy_text(&to->name, from->name) && copy_text(&to->as_name, from->as_name) &&
		copy_text(&to->operator_reason, from->operator_reason) && copy_text(&to->ixp, from->ixp);
}

static bool copy_hops(struct path *to, const struct path *from)
{
	to->hops = calloc(room_for(from->hop_count), sizeof(*to->hops));
	for (size_t i = 0; to->hops && i < from->hop_count; i++) {
		to->hop_count++;
		if (!copy_hop(&to->hops[i], &from->hops[i]))
			return false;
	}
	return to->hops;
}

struct path *path_copy(const struct path *from)
{
	struct path *to = malloc(sizeof(*to));
	if (!to)
		return NULL;
	*to = *from;
	to->method = NULL;
	to->hops = NULL;
	to->hop_count = 0;
	to->edges = NULL;
	to->mtu.steps = NULL;
	to->tries = NULL;
	to->gaps = NULL;
	to->vantage = NULL;
	const struct vantage *v = from->vantage;
	if (copy_text(&to->method, from->method) && copy_hops(to, from) &&
		copy_array(&to->edges, from->edges, from->edge_count, sizeof(*from->edges)) &&
		copy_array(&to->mtu.steps, from->mtu.steps, from->mtu.step_count, sizeof(*from->mtu.steps)) &&
		copy_array(&to->tries, from->tries, from->try_count, sizeof(*from->tries)) &&
		copy_array(&to->gaps, from->gaps, from->gap_count, sizeof(*from->gaps)) &&
		(!v || path_set_vantage(to, v->name, v->address, v->asn, v->distance) == 0))
		return to;
	path_free(to);
	return NULL;
}

int path_set_vantage(struct path *path, const char *name, struct addr address, uint32_t asn,
	enum vantage_distance distance)
{
	struct vantage *vantage = calloc(1, sizeof(*vantage));
	char *copy = strdup(name);
	if (!vantage || !copy) {
		free(vantage);
		free(copy);
		return -ENOMEM;
	}
	if (path->vantage)
		free(path->vantage->name);
	free(path->vantage);
	*vantage = (struct vantage){.name = copy, .address = address, .asn = asn, .distance = distance};
	path->vantage = vantage;
	return 0;
}
