/* What links do beyond delay and loss, and tunnels that plain routing does not know. */
#include <stdlib.h>

#include "sim/loader.h"

#define MTU_MIN 68 /* RFC 791 3.2 */

static int load_queue(struct loader *l, unsigned entry, const struct file_queue *from, struct queue **queue)
{
	if (!from)
		return 0;
	*queue = calloc(1, sizeof(**queue));
	if (!*queue)
		return loader_no_memory(l);
	const char *wrong = queue_load(from, *queue);
	return wrong ? loader_mistake(l, "links", entry, "queue", "%s", wrong) : 0;
}

int loader_link_habits(struct loader *l, unsigned entry)
{
	const struct file_link *from = &l->file->links[entry];
	struct world_interface *ends = &l->world->interfaces[2 * entry];
	if (from->mtu != 0 && from->mtu < MTU_MIN)
		return loader_mistake(l, "links", entry, "mtu", "mtu: expected %d bytes or more", MTU_MIN);
	ends[0].mtu = ends[1].mtu = from->mtu;
	int result = load_queue(l, entry, from->queue, &ends[0].queue);
	return result < 0 ? result : load_queue(l, entry, from->queue_back, &ends[1].queue);
}

static int router_named(struct loader *l, unsigned entry, const char *name, uint32_t *node)
{
	*node = world_find_node(l->world, name);
	if (*node == WORLD_NONE || l->world->nodes[*node].is_host)
		return loader_mistake(l, "detours", entry, name, "no router is called '%s'", name);
	return 0;
}

static int load_detour(struct loader *l, unsigned entry)
{
	const struct file_detour *from = &l->file->detours[entry];
	struct world_detour *detour = &l->world->detours[l->world->detour_count++];
	int result = router_named(l, entry, from->at, &detour->at);
	if (result == 0)
		result = router_named(l, entry, from->to, &detour->to);
	if (result < 0)
		return result;
	if (!prefix_parse(from->prefix, &detour->prefix) ||
		(from->from && !prefix_parse(from->from, &detour->from)))
		return loader_mistake(l, "detours", entry, from->from ? from->from : from->prefix,
			"expected prefixes for 'prefix' and 'from', like 198.51.100.0/24");
	if (from->from && detour->from.addr.family != detour->prefix.addr.family)
		return loader_mistake(l, "detours", entry, from->from,
			"'prefix' and 'from': expected prefixes of one family");
	l->world->nodes[detour->at].behaviour.detours = true;
	l->world->nodes[detour->at].behaviour.plain = false;
	return 0;
}

int loader_detours(struct loader *l)
{
	int result = 0;
	for (unsigned i = 0; i < l->file->detours_count && !fatal(result); i++)
		result = load_detour(l, i);
	return result;
}
