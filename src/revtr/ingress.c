#include "revtr/ingress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "packet/packet.h"

int ingress_init(struct ingress *ingress, unsigned agent_count)
{
	*ingress = (struct ingress){.agent_count = agent_count};
	ingress->everywhere = calloc(agent_count + 1, sizeof(*ingress->everywhere));
	for (uint32_t i = 0; ingress->everywhere && i < agent_count; i++)
		ingress->everywhere[i] = i;
	return ingress->everywhere ? 0 : -ENOMEM;
}

void ingress_deinit(struct ingress *ingress)
{
	for (unsigned i = 0; i < ingress->prefix_count; i++)
		free(ingress->prefixes[i].views);
	free(ingress->prefixes);
	free(ingress->slots);
	free(ingress->everywhere);
}

static int compare_prefixes(const void *a, const void *b)
{
	const struct ingress_prefix *left = a, *right = b;
	int order = addr_compare(left->prefix.addr, right->prefix.addr);
	return order ? order : (int)left->prefix.length - (int)right->prefix.length;
}

static int compare_views(const void *a, const void *b)
{
	const struct ingress_view *left = a, *right = b;
	if (left->distance != right->distance)
		return left->distance < right->distance ? -1 : 1;
	return left->agent < right->agent ? -1 : left->agent > right->agent;
}

static uint32_t *slot_of(const struct ingress *ingress, struct prefix prefix)
{
	uint64_t key = prefix.addr.high ^ prefix.addr.low ^ (uint64_t)prefix.length << 56;
	unsigned i = (unsigned)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (ingress->slot_count - 1);
	for (; ingress->slots[i] != 0; i = (i + 1) & (ingress->slot_count - 1)) {
		const struct prefix *there = &ingress->prefixes[ingress->slots[i] - 1].prefix;
		if (there->length == prefix.length && addr_equal(there->addr, prefix.addr))
			break;
	}
	return &ingress->slots[i];
}

static void fill_slots(struct ingress *ingress)
{
	if (ingress->slot_count > 0)
		memset(ingress->slots, 0, ingress->slot_count * sizeof(*ingress->slots));
	for (unsigned i = 0; i < ingress->prefix_count; i++)
		*slot_of(ingress, ingress->prefixes[i].prefix) = i + 1;
}

static bool make_room(struct ingress *ingress)
{
	if (ingress->prefix_count < ingress->prefix_room)
		return true;
	unsigned room = ingress->prefix_room ? 2 * ingress->prefix_room : 64;
	struct ingress_prefix *longer = realloc(ingress->prefixes, room * sizeof(*longer));
	if (!longer)
		return false;
	ingress->prefixes = longer;
	uint32_t *slots = realloc(ingress->slots, 2 * room * sizeof(*slots));
	if (!slots)
		return false;
	ingress->slots = slots;
	ingress->slot_count = 2 * room;
	ingress->prefix_room = room;
	fill_slots(ingress);
	return true;
}

/* NULL: out of memory. */
static struct ingress_prefix *prefix_of_survey(struct ingress *ingress, struct prefix prefix)
{
	if (!make_room(ingress))
		return NULL;
	uint32_t *slot = slot_of(ingress, prefix);
	if (*slot == 0) {
		ingress->prefixes[ingress->prefix_count++] = (struct ingress_prefix){.prefix = prefix};
		*slot = ingress->prefix_count;
	}
	return &ingress->prefixes[*slot - 1];
}

int ingress_add(struct ingress *ingress, struct prefix prefix, const struct ingress_view *view)
{
	struct ingress_prefix *of = prefix_of_survey(ingress, prefix);
	if (!of)
		return -ENOMEM;
	for (unsigned i = 0; i < of->view_count; i++) {
		struct ingress_view *known = &of->views[i];
		if (known->agent != view->agent)
			continue;
		if (known->distance == INGRESS_FAR)
			*known = *view;
		else if (view->distance != INGRESS_FAR)
			known->distance = (uint8_t)((known->distance + view->distance + 1) / 2);
		return 0;
	}
	struct ingress_view *longer = realloc(of->views, (of->view_count + 1) * sizeof(*longer));
	if (!longer)
		return -ENOMEM;
	of->views = longer;
	longer[of->view_count++] = *view;
	return 0;
}

void ingress_sort(struct ingress *ingress)
{
	uint32_t *near = calloc(ingress->agent_count + 1, sizeof(*near));
	if (ingress->prefix_count > 0)
		qsort(ingress->prefixes, ingress->prefix_count, sizeof(*ingress->prefixes), compare_prefixes);
	ingress->sorted_count = ingress->prefix_count;
	fill_slots(ingress);
	for (unsigned i = 0; i < ingress->prefix_count; i++) {
		struct ingress_prefix *of = &ingress->prefixes[i];
		qsort(of->views, of->view_count, sizeof(*of->views), compare_views);
		for (unsigned j = 0; near && j < of->view_count; j++)
			if (of->views[j].agent < ingress->agent_count)
				near[of->views[j].agent] += of->views[j].distance < RECORD_ROUTE_SLOTS_MAX;
	}
	/* Few agents: insertion is short enough. */
	for (unsigned i = 1; near && i < ingress->agent_count; i++)
		for (unsigned j = i; j > 0 && near[ingress->everywhere[j]] > near[ingress->everywhere[j - 1]];
			j--) {
			uint32_t other = ingress->everywhere[j];
			ingress->everywhere[j] = ingress->everywhere[j - 1];
			ingress->everywhere[j - 1] = other;
		}
	free(near);
}

const struct ingress_prefix *ingress_find(const struct ingress *ingress, struct addr target)
{
	const struct ingress_prefix *best = NULL;
	unsigned low = 0, high = ingress->sorted_count;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		if (addr_compare(ingress->prefixes[middle].prefix.addr, target) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	/* Prefixes that hold it begin at or before it, and those that are nested lie close together. */
	for (unsigned i = low; i-- > 0 && low - i <= 64;)
		if (prefix_contains(ingress->prefixes[i].prefix, target) &&
			(!best || ingress->prefixes[i].prefix.length > best->prefix.length))
			best = &ingress->prefixes[i];
	return best;
}

static bool listed(const uint32_t *agents, unsigned count, uint32_t agent)
{
	for (unsigned i = 0; i < count; i++)
		if (agents[i] == agent)
			return true;
	return false;
}

/* How many of those before it in the list come by the same ingress. */
static unsigned behind(const struct ingress_prefix *of, unsigned index)
{
	unsigned before = 0;
	for (unsigned i = 0; i < index; i++)
		before += of->views[i].ingress == of->views[index].ingress && of->views[i].ingress != 0;
	return before;
}

static unsigned take_near(
	const struct ingress_prefix *of, enum ingress_order order, uint32_t *agents, unsigned capacity)
{
	unsigned count = 0, turns = order == INGRESS_ROUND_ROBIN ? of->view_count : 1;
	for (unsigned turn = 0; turn < turns && count < capacity; turn++) {
		bool any = false;
		for (unsigned i = 0; i < of->view_count && count < capacity; i++) {
			if (of->views[i].distance >= RECORD_ROUTE_SLOTS_MAX)
				break;
			if (order == INGRESS_ROUND_ROBIN && behind(of, i) != turn)
				continue;
			any = true;
			agents[count++] = of->views[i].agent;
		}
		if (!any)
			break;
	}
	return count;
}

static void shuffle(uint32_t *agents, unsigned count, uint64_t seed)
{
	struct rng rng = rng_seed(seed);
	for (unsigned i = count; i > 1; i--) {
		unsigned j = (unsigned)rng_below(&rng, i);
		uint32_t other = agents[i - 1];
		agents[i - 1] = agents[j];
		agents[j] = other;
	}
}

unsigned ingress_rank(const struct ingress *ingress, struct addr target, enum ingress_order order,
	uint64_t seed, uint32_t *agents, unsigned capacity, unsigned *near)
{
	const struct ingress_prefix *of = order == INGRESS_RANDOM ? NULL : ingress_find(ingress, target);
	unsigned count = of ? take_near(of, order, agents, capacity) : 0;
	*near = count;
	for (unsigned i = 0; i < ingress->agent_count && count < capacity; i++)
		if (!listed(agents, count, ingress->everywhere[i]))
			agents[count++] = ingress->everywhere[i];
	if (order == INGRESS_RANDOM)
		shuffle(agents, count, seed);
	return count;
}
