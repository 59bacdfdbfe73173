#include "insight/align.h"

#include <stdlib.h>

#include "insight/chain.h"

bool addr_is_link_mate(struct addr a, struct addr b)
{
	if (!addr_is_set(a) || a.family != b.family || a.high != b.high)
		return false;
	if ((a.low ^ b.low) == 1)
		return true;
	/* In a /30 or /126 only the two in the middle are hosts. */
	unsigned ends = (unsigned)(a.low & 3) * 4 + (unsigned)(b.low & 3);
	return (a.low | 3) == (b.low | 3) && (ends == 1 * 4 + 2 || ends == 2 * 4 + 1);
}

/* Everything the judgement below needs: pairs of routers, and the two ways as seen from our end outwards. The
 * ends themselves (the target there, our own address back) are left out. */
struct ways {
	const struct path *forward, *reverse;
	size_t forward_count,
		reverse_first; /* hops [0, forward_count) there, [reverse_first..] counted from the end */
	const struct pair *pairs;
	size_t pair_count;
	bool plan_visible; /* the addresses do show routers or links that both directions use */
};

static bool ends_at_destination(const struct path *path)
{
	return path->hop_count > 0 && addr_is_set(path->destination) &&
		addr_equal(path->hops[path->hop_count - 1].address, path->destination);
}

static const struct hop *there(const struct ways *ways, size_t index)
{
	return &ways->forward->hops[index];
}

/* The hop `index` places away from our end on the way back. */
static const struct hop *back(const struct ways *ways, size_t index)
{
	return &ways->reverse->hops[ways->reverse->hop_count - 1 - ways->reverse_first - index];
}

static size_t back_count(const struct ways *ways)
{
	return ways->reverse->hop_count - ways->reverse_first;
}

static bool ends_twice(const struct path *path)
{
	size_t count = path->hop_count;
	return count >= 2 && addr_is_set(path->hops[count - 1].address) &&
		addr_equal(path->hops[count - 1].address, path->hops[count - 2].address);
}

/* A stretch between two shared routers (or the ends): hops [f, f_end) there and [r, r_end) back, our end
 * first. */
struct stretch {
	size_t f, f_end, r, r_end;
};

static bool both_known(const struct ways *ways, size_t f, size_t r)
{
	return hop_known(there(ways, f)) && hop_known(back(ways, r));
}

static bool as_conflict(const struct hop *a, const struct hop *b)
{
	return hop_known(a) && hop_known(b) && a->asn != 0 && b->asn != 0 && a->asn != b->asn;
}

static bool any_known(const struct ways *ways, const struct stretch *stretch)
{
	for (size_t f = stretch->f; f < stretch->f_end; f++)
		if (hop_known(there(ways, f)))
			return true;
	for (size_t r = stretch->r; r < stretch->r_end; r++)
		if (hop_known(back(ways, r)))
			return true;
	return false;
}

/* The pair of shared routers that these two hops, one of each way, are; NULL: they are none. */
static const struct pair *pair_of(const struct ways *ways, size_t f, size_t r)
{
	for (size_t i = 0; i < ways->pair_count; i++)
		if (ways->pairs[i].forward == f &&
			ways->pairs[i].reverse == ways->reverse->hop_count - 1 - ways->reverse_first - r)
			return &ways->pairs[i];
	return NULL;
}

/* A router that shows one address on both ways, whatever the link. */
static bool shows_itself(const struct ways *ways, size_t f, size_t r)
{
	const struct pair *pair = pair_of(ways, f, r);
	return pair && pair->by == SHARED_BY_ADDRESS;
}

/* Somebody who shows one end of each link, as far as is known: it was seen on both ways, under two addresses.
 */
static bool shows_links(const struct ways *ways, size_t f, size_t r)
{
	return both_known(ways, f, r) && !shows_itself(ways, f, r);
}

/* If these two were one router, would that have shown? Only by the other end of one of its links: a neighbour
 * has to show that, which may be silent, answer from one address for all links, or be an end of the way. */
static bool would_show(const struct ways *ways, size_t f, size_t r)
{
	bool near = f > 0 && r > 0 && shows_links(ways, f - 1, r - 1);
	bool far = f + 1 < ways->forward_count && r + 1 < back_count(ways) && shows_links(ways, f + 1, r + 1);
	return near || far;
}

/* Do other routers stand on the two sides of the stretch? One pair in two networks may be a border router
 * whose links are numbered by two neighbours. Silent hops and, where no address plan shows, plain inequality
 * of addresses leave it open: both could be two faces of one router. `closed`: a shared router or the far end
 * follows on both sides, so that the number of hops counts. */
static bool stretch_differs(const struct ways *ways, const struct stretch *stretch, bool closed)
{
	size_t there_count = stretch->f_end - stretch->f, back_hops = stretch->r_end - stretch->r;
	if (closed && there_count != back_hops && any_known(ways, stretch))
		return true;
	unsigned conflicts = 0;
	for (size_t i = 0; i < MIN(there_count, back_hops); i++) {
		size_t f = stretch->f + i, r = stretch->r + i;
		conflicts += as_conflict(there(ways, f), back(ways, r));
		if (conflicts == 2)
			return true;
		if (both_known(ways, f, r) && ways->plan_visible && would_show(ways, f, r))
			return true;
	}
	return false;
}

static void set_divergence(
	struct alignment *alignment, const struct ways *ways, const struct stretch *stretch)
{
	alignment->diverges = true;
	alignment->divergence_forward_ttl = alignment->divergence_reverse_ttl = -1;
	if (stretch->f < stretch->f_end)
		alignment->divergence_forward_ttl = path_hop_number(ways->forward, stretch->f);
	if (stretch->r < stretch->r_end)
		alignment->divergence_reverse_ttl = path_hop_number(
			ways->reverse, ways->reverse->hop_count - 1 - ways->reverse_first - stretch->r);
}

/* Some methods do not see every router, and leave their hops without a number: then nobody can tell which of
 * them stand side by side. */
static bool counts_hops(const struct path *path)
{
	for (size_t i = 0; i < path->hop_count; i++)
		if (path->hops[i].ttl < 0)
			return false;
	return true;
}

/* Where answers get lost, an end behind silent hops may be nearer than it seems. */
static bool length_is_sure(const struct path *path)
{
	size_t count = path->hop_count;
	bool lossy = false;
	for (size_t i = 0; i < count; i++)
		lossy |= path->hops[i].received > 0 && path->hops[i].received < path->hops[i].sent;
	return !lossy || count < 2 || hop_known(&path->hops[count - 2]);
}

/* Walk the stretches between the shared routers from our end outwards. */
static void judge_routers(struct alignment *alignment, const struct ways *ways)
{
	bool near_anchored = ways->reverse->reached, far_anchored = ways->forward->reached;
	bool counted = counts_hops(ways->forward) && counts_hops(ways->reverse);
	bool all_matched = near_anchored && far_anchored && ways->pair_count > 0;
	struct stretch stretch = {0};
	for (size_t i = 0; i <= ways->pair_count; i++) {
		bool first = i == 0, last = i == ways->pair_count;
		stretch.f_end = last ? ways->forward_count : ways->pairs[i].forward;
		stretch.r_end = last
			? back_count(ways)
			: ways->reverse->hop_count - 1 - ways->reverse_first - ways->pairs[i].reverse;
		if (stretch.f != stretch.f_end || stretch.r != stretch.r_end)
			all_matched = false;
		/* A way back that breaks off on its way to us says nothing about the stretch at our end. */
		bool comparable = (!first || near_anchored) && counted;
		bool closed = (!last || (far_anchored && length_is_sure(ways->forward))) &&
			(!first || length_is_sure(ways->reverse));
		if (!alignment->diverges && comparable && stretch_differs(ways, &stretch, closed))
			set_divergence(alignment, ways, &stretch);
		stretch.f = stretch.f_end + 1;
		stretch.r = stretch.r_end + 1;
	}
	alignment->router_symmetric = alignment->diverges ? TERNARY_FALSE
		: all_matched				  ? TERNARY_TRUE
							  : TERNARY_UNKNOWN;
}

static uint32_t *as_path(const struct path *path, size_t *count)
{
	uint32_t *list = calloc(path->hop_count + 1, sizeof(*list));
	*count = 0;
	for (size_t i = 0; list && i < path->hop_count; i++) {
		uint32_t asn = path->hops[i].asn;
		if (asn != 0 && (*count == 0 || list[*count - 1] != asn))
			list[(*count)++] = asn;
	}
	return list;
}

/* An unknown hop between two of one network belongs to it as far as anybody can tell; elsewhere it leaves the
 * networks of the way open. */
static bool as_complete(const struct path *path, size_t count)
{
	uint32_t before = 0;
	bool gap = false;
	for (size_t i = 0; i < count; i++) {
		uint32_t asn = path->hops[i].asn;
		if (asn == 0) {
			gap = true;
			continue;
		}
		if (gap && asn != before)
			return false;
		before = asn;
		gap = false;
	}
	return path->reached && count > 0 && !gap;
}

static bool as_on_path(uint32_t asn, const struct path *path)
{
	for (size_t i = 0; i < path->hop_count; i++)
		if (path->hops[i].asn == asn)
			return true;
	return false;
}

/* The networks of the two ends, which both ways cross, even where no router shows an address of theirs. 0 =
 * not known. */
static uint32_t end_as(const struct path *path)
{
	return ends_at_destination(path) ? path->hops[path->hop_count - 1].asn : 0;
}

static bool is_end_as(const struct ways *ways, uint32_t asn)
{
	return asn == end_as(ways->forward) || asn == end_as(ways->reverse);
}

/* A network on one way that is certainly not on the other. */
static bool as_missing(const struct ways *ways, const struct path *from, size_t count, const struct path *in)
{
	for (size_t i = 0; i < count; i++)
		if (from->hops[i].asn != 0 && !is_end_as(ways, from->hops[i].asn) &&
			!as_on_path(from->hops[i].asn, in))
			return true;
	return false;
}

/* From one end to the other: the next network that is neither unknown nor the one before. 0 = there is none.
 */
static uint32_t next_as(const struct ways *ways, bool forward, size_t *index, uint32_t before)
{
	size_t count = forward ? ways->forward_count : back_count(ways);
	for (; *index < count; (*index)++) {
		uint32_t asn = (forward ? there(ways, *index) : back(ways, *index))->asn;
		if (asn != 0 && asn != before)
			return asn;
	}
	uint32_t end = end_as(ways->forward);
	return end != before ? end : 0;
}

/* Same networks in opposite order, those of the two ends included. */
static bool as_same_order(const struct ways *ways)
{
	size_t f = 0, r = 0;
	uint32_t asn = end_as(ways->reverse);
	for (;;) {
		uint32_t next_there = next_as(ways, true, &f, asn), next_back = next_as(ways, false, &r, asn);
		if (next_there != next_back || next_there == 0)
			return next_there == next_back;
		asn = next_there;
	}
}

static void judge_networks(struct alignment *alignment, const struct ways *ways)
{
	bool there_complete = as_complete(ways->forward, ways->forward_count);
	bool back_complete = as_complete(ways->reverse, back_count(ways));
	alignment->as_symmetric = TERNARY_UNKNOWN;
	if (there_complete && back_complete)
		alignment->as_symmetric = as_same_order(ways) ? TERNARY_TRUE : TERNARY_FALSE;
	else if ((back_complete && as_missing(ways, ways->forward, ways->forward_count, ways->reverse)) ||
		(there_complete && as_missing(ways, ways->reverse, back_count(ways), ways->forward)))
		alignment->as_symmetric = TERNARY_FALSE;
}

static void set_shared(
	struct alignment *alignment, const struct ways *ways, const struct pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		alignment->shared[i] = (struct shared_hop){
			.forward_ttl = path_hop_number(ways->forward, pairs[i].forward),
			.reverse_ttl = path_hop_number(ways->reverse, pairs[i].reverse),
			.by = pairs[i].by,
		};
	alignment->shared_count = count;
}

static void judge(struct alignment *alignment, struct ways *ways, struct pair *pairs, size_t count)
{
	set_shared(alignment, ways, pairs, count);
	/* From here on only routers count. */
	size_t routers = 0;
	for (size_t i = 0; i < count; i++)
		if (pairs[i].by != SHARED_BY_AS && pairs[i].forward < ways->forward_count)
			pairs[routers++] = pairs[i];
	ways->pairs = pairs;
	ways->pair_count = routers;
	ways->plan_visible = routers > 0;
	alignment->divergence_forward_ttl = alignment->divergence_reverse_ttl = -1;
	judge_routers(alignment, ways);
	judge_networks(alignment, ways);
	/* The same routers are in the same networks, whoever numbered the links between them. */
	if (alignment->router_symmetric == TERNARY_TRUE)
		alignment->as_symmetric = TERNARY_TRUE;
}

struct alignment *align_paths(const struct path *whole, const struct path *reverse)
{
	/* A target may answer from another of its addresses than it was asked by. Who refuses to pass packets
	 * on stands there twice, and counts once. */
	bool has_target = whole->hop_count > 0 && (whole->reached || ends_at_destination(whole));
	struct path once = *whole;
	once.hop_count -= !has_target && ends_twice(whole);
	const struct path *forward = &once;
	struct ways ways = {.forward = forward, .reverse = reverse};
	ways.forward_count = forward->hop_count - has_target;
	ways.reverse_first = ends_at_destination(reverse);
	size_t room = MIN(forward->hop_count, reverse->hop_count) + 1, count = 0;
	struct alignment *alignment = calloc(1, sizeof(*alignment));
	struct pair *pairs = calloc(room, sizeof(*pairs));
	bool ok = alignment && pairs && chain_find(forward, reverse, pairs, &count) == 0;
	if (ok) {
		alignment->shared = calloc(room, sizeof(*alignment->shared));
		alignment->as_path_forward = as_path(forward, &alignment->as_path_forward_count);
		alignment->as_path_reverse = as_path(reverse, &alignment->as_path_reverse_count);
		ok = alignment->shared && alignment->as_path_forward && alignment->as_path_reverse;
	}
	if (ok)
		judge(alignment, &ways, pairs, count);
	free(pairs);
	if (ok)
		return alignment;
	alignment_free(alignment);
	return NULL;
}
