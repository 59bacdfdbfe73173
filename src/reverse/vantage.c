#include "reverse/vantage.h"

#include <stdlib.h>
#include <string.h>

static bool holds(const uint32_t *list, unsigned count, uint32_t asn)
{
	for (unsigned i = 0; i < count; i++)
		if (list[i] == asn)
			return true;
	return false;
}

/* One AS of a hop, 0 = not known. An address on an exchange's LAN is that of a member. */
static uint32_t asn_of(const struct hop *hop, const struct data *data)
{
	struct origin origin;
	if (hop->operator_asn || hop->asn)
		return hop->operator_asn ? hop->operator_asn : hop->asn;
	if (!data || !addr_is_set(hop->address) || addr_is_private(hop->address))
		return 0;
	if (data_member(data, hop->address, &origin))
		return origin.asns[0];
	return data_origin(data, hop->address, &origin) && origin.count > 0 ? origin.asns[0] : 0;
}

static void read_target(struct vantage_scene *scene, const struct path *forward, const struct data *data)
{
	struct origin origin;
	const struct hop *last =
		forward && forward->hop_count > 0 ? &forward->hops[forward->hop_count - 1] : NULL;
	if (data && data_origin(data, scene->target, &origin) && origin.count > 0) {
		scene->prefix = prefix_of(scene->target, origin.length);
		memcpy(scene->origins, origin.asns, sizeof(scene->origins));
		scene->origin_count = MIN(origin.count, ORIGINS_MAX);
	} else if (last && forward->reached && addr_equal(last->address, scene->target) &&
		asn_of(last, data)) {
		scene->origins[0] = asn_of(last, data);
		scene->origin_count = 1;
	}
}

/* Where the way there begins. */
static uint32_t own_asn(const struct path *forward, const struct data *data)
{
	uint32_t asn = asn_of(&(struct hop){.address = forward->source}, data);
	for (size_t i = 0; i < forward->hop_count && asn == 0; i++)
		asn = asn_of(&forward->hops[i], data);
	return asn;
}

/* From the far end on. Where the way there ends early, what comes after its last hop is not known, and with
 * it who is next to the target: those that are known are still on its way. */
static void read_upstreams(struct vantage_scene *scene, const struct path *forward, const struct data *data)
{
	uint32_t own = own_asn(forward, data);
	for (size_t i = forward->hop_count; i-- > 0 && scene->upstream_count < VANTAGE_UPSTREAMS_MAX;) {
		uint32_t asn = asn_of(&forward->hops[i], data);
		if (asn && asn != own && !holds(scene->origins, scene->origin_count, asn) &&
			!holds(scene->upstreams, scene->upstream_count, asn))
			scene->upstreams[scene->upstream_count++] = asn;
	}
}

void vantage_scene_read(
	struct vantage_scene *scene, struct addr target, const struct path *forward, const struct data *data)
{
	*scene = (struct vantage_scene){.target = target};
	read_target(scene, forward, data);
	if (forward)
		read_upstreams(scene, forward, data);
}

void vantage_scene_open(
	struct vantage_scene *scene, struct addr target, const struct path *forward, const char *dir)
{
	struct data *data = malloc(sizeof(*data));
	if (data)
		data_open(data, dir);
	vantage_scene_read(scene, target, forward, data);
	if (data)
		data_close(data);
	free(data);
}

uint32_t vantage_asn(struct addr address, const char *dir)
{
	struct data *data = malloc(sizeof(*data));
	if (!data)
		return 0;
	data_open(data, dir);
	uint32_t asn = asn_of(&(struct hop){.address = address}, data);
	data_close(data);
	free(data);
	return asn;
}

enum vantage_distance vantage_distance_of(
	const struct vantage_scene *scene, struct addr address, uint32_t asn)
{
	if (addr_is_set(address) && addr_is_set(scene->prefix.addr) &&
		prefix_contains(scene->prefix, address))
		return VANTAGE_SAME_PREFIX;
	if (asn == 0 || (scene->origin_count == 0 && scene->upstream_count == 0))
		return VANTAGE_UNKNOWN;
	if (holds(scene->origins, scene->origin_count, asn))
		return VANTAGE_SAME_AS;
	if (holds(scene->upstreams, scene->upstream_count, asn))
		return VANTAGE_UPSTREAM;
	/* It may yet be the target's own AS. */
	return scene->origin_count > 0 ? VANTAGE_ELSEWHERE : VANTAGE_UNKNOWN;
}

const char *vantage_phrase(enum vantage_distance distance)
{
	switch (distance) {
	case VANTAGE_SAME_PREFIX: return "in the far host's prefix";
	case VANTAGE_SAME_AS: return "in the far host's AS";
	case VANTAGE_UPSTREAM: return "in an AS on the way to the far host";
	case VANTAGE_ELSEWHERE: return "elsewhere";
	case VANTAGE_UNKNOWN: break;
	}
	return "how near is not known";
}
