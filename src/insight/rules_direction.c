/* Which direction loses? Each trace sees round trips, so a lossy link shows in both. What can decide is where
 * the loss begins: routers that only one direction uses. If the loss in the trace from here begins at such a
 * router of the way there, while all routers of the way back that only it uses are clean, the way there is
 * the likelier culprit; and the other way round. Replies of those routers may take other ways themselves, so
 * this is never more than possible. */
#include "insight/rules.h"

#include <stdlib.h>
#include <string.h>

static bool is_shared(const struct alignment *alignment, enum direction direction, int number)
{
	for (size_t i = 0; i < alignment->shared_count; i++) {
		const struct shared_hop *shared = &alignment->shared[i];
		int own = direction == DIRECTION_FORWARD ? shared->forward_ttl : shared->reverse_ttl;
		if (own == number && shared->by != SHARED_BY_AS)
			return true;
	}
	return false;
}

/* A router that only this direction uses; the last hop is an end. */
static bool is_own_router(const struct view *view, size_t index)
{
	const struct alignment *alignment = view->measurement->alignment;
	return index + 1 < view->path->hop_count && addr_is_set(view->path->hops[index].address) &&
		!is_shared(alignment, view->path->direction, path_hop_number(view->path, index));
}

/* The loss begins within the stretch that only this direction uses. */
static bool begins_on_own_stretch(const struct view *view)
{
	for (size_t i = view->lossy_earliest; i < view->lossy_from; i++)
		if (!is_own_router(view, i))
			return false;
	return view->lossy_from < view->path->hop_count && is_own_router(view, view->lossy_from);
}

static bool own_stretch_clean(const struct view *view)
{
	size_t routers = 0;
	for (size_t i = 0; i < view->path->hop_count; i++) {
		const struct hop *hop = &view->path->hops[i];
		if (!is_own_router(view, i))
			continue;
		if (hop->received < hop->sent)
			return false;
		routers++;
	}
	return routers > 0;
}

static void rename_loss(struct view *view, const char *id, const char *where)
{
	struct measurement *measurement = view->measurement;
	for (size_t i = 0; i < measurement->finding_count; i++) {
		struct finding *finding = &measurement->findings[i];
		char *copy = strcmp(finding->id, "loss-undirected") == 0 ? strdup(id) : NULL;
		if (!copy)
			continue;
		free(finding->id);
		finding->id = copy;
		finding->confidence = CONFIDENCE_POSSIBLE;
		finding_add_evidence(finding,
			"it begins at a router that only the way %s uses; the routers that only the "
			"other way uses lose nothing",
			where);
		finding_set_text(&finding->disproof,
			"Replies of the routers in between may themselves take the other way; counters at "
			"both ends decide.");
	}
}

void rule_loss_directions(struct view *forward, struct view *reverse)
{
	if (!forward->path || !reverse->path || !forward->measurement->alignment)
		return;
	bool loss_there = forward->lossy_from < forward->path->hop_count;
	bool loss_back = reverse->lossy_from < reverse->path->hop_count;
	if (!loss_there || !loss_back)
		return;
	if (begins_on_own_stretch(forward) && own_stretch_clean(reverse))
		rename_loss(forward, "loss-forward", "there");
	else if (begins_on_own_stretch(reverse) && own_stretch_clean(forward))
		rename_loss(reverse, "loss-reverse", "back");
}
