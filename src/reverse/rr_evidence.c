#include "reverse/rr_evidence.h"

#include "insight/align.h"

#define MISSING_MAX 2 /* routers on the way there that do not write, before a list looks odd */

const char *rr_rule_text(enum rr_rule rule)
{
	switch (rule) {
	case RR_RULE_TARGET: return "the target wrote its own address into the list";
	case RR_RULE_ALIAS: return "the target wrote another address of its own into the list";
	case RR_RULE_QUOTE: return "the target quoted the list as it arrived there";
	case RR_RULE_PASSED: return "the list shows a router or link that was passed there and back";
	case RR_RULE_ORDER: return "the list follows the way there and then turns round";
	case RR_RULE_EXPIRED: return "the list was fetched from the last router before the target";
	case RR_RULE_DOUBLE: return "one address stands twice in a row, which marks the target";
	case RR_RULE_COUNT: return "hop counts of both ways and of the list agree";
	case RR_RULE_NONE: break;
	}
	return "nothing tells where in the list the target is";
}

int rr_hops_passed(int ttl)
{
	static const int initial[] = {64, 128, 255};
	for (size_t i = 0; i < ARRAY_LEN(initial); i++)
		if (ttl > 0 && ttl <= initial[i])
			return initial[i] - ttl;
	return -1;
}

static unsigned stamps_in(const struct route_option *list)
{
	return MIN(MIN(list->used, list->slots), RECORD_ROUTE_SLOTS_MAX);
}

/* ---- bounds */

static void back_from(struct rr_verdict *verdict, unsigned index, bool sure, enum rr_rule rule)
{
	if (index < verdict->back_likely) {
		verdict->back_likely = index;
		verdict->rule = rule;
	}
	if (sure && index < verdict->back_sure)
		verdict->back_sure = index;
}

static void there_until(struct rr_verdict *verdict, unsigned end)
{
	verdict->there_end = MAX(verdict->there_end, end);
}

static struct addr stamp(const struct rr_verdict *verdict, unsigned index)
{
	return verdict->stamps[index].address;
}

/* Fit to tell one router from another. */
static bool telling(const struct rr_verdict *verdict, unsigned index)
{
	return addr_is_set(stamp(verdict, index)) && !verdict->stamps[index].unrouted;
}

/* ---- the target's own stamps */

static bool is_alias(const struct rr_known *known, struct addr address)
{
	for (size_t i = 0; i < known->alias_count; i++)
		if (addr_equal(known->aliases[i], address))
			return true;
	return false;
}

/* The last one counts: the target may have written twice, on receipt and on sending. */
static bool find_target(const struct rr_known *known, struct rr_verdict *verdict)
{
	unsigned first = verdict->count, end = 0;
	bool itself = false;
	for (unsigned i = 0; i < verdict->count; i++) {
		bool target = addr_equal(stamp(verdict, i), known->target);
		if (!target && !is_alias(known, stamp(verdict, i)))
			continue;
		first = MIN(first, i);
		end = i + 1;
		itself |= target;
	}
	if (end == 0)
		return false;
	there_until(verdict, first);
	back_from(verdict, end, true, itself ? RR_RULE_TARGET : RR_RULE_ALIAS);
	verdict->rule = itself ? RR_RULE_TARGET : RR_RULE_ALIAS;
	return true;
}

/* ---- beside the way there, as hop limits showed it */

static const struct hop *forward_hop(const struct rr_known *known, int ttl)
{
	const struct path *forward = known->forward;
	for (size_t i = 0; forward && i < forward->hop_count; i++)
		if (forward->hops[i].ttl == ttl)
			return &forward->hops[i];
	return NULL;
}

/* The hop limit at which this way's target answered; 0 = not known. */
static int forward_length(const struct rr_known *known)
{
	const struct path *forward = known->forward;
	if (!forward || !forward->reached || forward->hop_count == 0)
		return 0;
	return forward->hops[forward->hop_count - 1].ttl;
}

/* ---- routers and links that show twice */

enum sameness { DIFFERENT, PERHAPS_ONE_LINK, ONE_LINK, ONE_ROUTER };

/* The two ends of a /31 differ in the last bit alone, and cannot both be hosts of a /30. Those of a /30 could
 * also be of two /31 that were numbered in a row. */
static enum sameness compare(struct addr a, struct addr b)
{
	if (addr_equal(a, b))
		return ONE_ROUTER;
	if (!addr_is_link_mate(a, b))
		return DIFFERENT;
	return (a.low ^ b.low) == 1 ? ONE_LINK : PERHAPS_ONE_LINK;
}

/* Links seem to have a /30 each: every address is one of the two in the middle. With /31 that would be
 * chance, less than one in a hundred for seven. */
static bool numbered_by_30(const struct rr_verdict *verdict)
{
	unsigned count = 0;
	for (unsigned i = 0; i < verdict->count; i++) {
		if (!telling(verdict, i))
			continue;
		unsigned last = stamp(verdict, i).low & 3;
		if (last == 0 || last == 3)
			return false;
		count++;
	}
	return count >= 7;
}

/* Can stamp number `index` be of the way back at all? `sure`: even if every router on the way there wrote;
 * else up to two of them may not have. Where the way there is not known, it can, but nothing is sure. */
static bool late_enough(const struct rr_known *known, unsigned index, bool sure)
{
	int routers_there = forward_length(known) - 1;
	return routers_there < 0 ? !sure : (int)index + (sure ? 0 : MISSING_MAX) >= routers_there;
}

/* Sure only where the target must have been met by then: a packet that is sent through a tunnel may pass a
 * router twice on the way there. */
static void find_passed_twice(const struct rr_known *known, struct rr_verdict *verdict)
{
	bool by_30 = numbered_by_30(verdict);
	for (unsigned i = 0; i < verdict->count; i++)
		for (unsigned j = i + 2; j < verdict->count; j++) {
			enum sameness sameness = compare(stamp(verdict, i), stamp(verdict, j));
			if (sameness == DIFFERENT || !telling(verdict, i) || !telling(verdict, j) ||
				(sameness == PERHAPS_ONE_LINK && !by_30) || !late_enough(known, j, false))
				continue;
			bool sure = sameness != PERHAPS_ONE_LINK && late_enough(known, j, true);
			back_from(verdict, j, sure, RR_RULE_PASSED);
			if (sure)
				there_until(verdict, i + 1);
		}
}

/* X, X: the target wrote it twice; or a router always writes the same, and is the last there and the first
 * back. */
static void find_double(const struct rr_known *known, struct rr_verdict *verdict)
{
	for (unsigned i = 0; i + 1 < verdict->count; i++)
		if (addr_is_set(stamp(verdict, i)) && addr_equal(stamp(verdict, i), stamp(verdict, i + 1)) &&
			late_enough(known, i + 1, false)) {
			back_from(verdict, i + 2, false, RR_RULE_DOUBLE);
			there_until(verdict, i);
		}
}

/* Which router of the way there this is: the hop that answers from it, or the one before the hop that has the
 * other end of its link. 0: none. */
static int router_number(const struct rr_known *known, struct addr address)
{
	const struct path *forward = known->forward;
	int found = 0;
	for (size_t i = 0; forward && i < forward->hop_count; i++) {
		const struct hop *hop = &forward->hops[i];
		if (!addr_is_set(hop->address) || hop->ttl <= 0)
			continue;
		enum sameness sameness = compare(hop->address, address);
		if (sameness == ONE_ROUTER)
			return hop->ttl;
		if (sameness == ONE_LINK && hop->ttl > 1)
			found = hop->ttl - 1;
	}
	return found;
}

/* A router that follows one further on, or itself, is on the way back; unless balancers or tunnels led the
 * request another way than the trace. */
static void find_turn(const struct rr_known *known, struct rr_verdict *verdict)
{
	int furthest = 0;
	for (unsigned i = 0; i < verdict->count; i++) {
		int number = telling(verdict, i) ? router_number(known, stamp(verdict, i)) : 0;
		if (number == 0)
			continue;
		if (furthest > 0 && number <= furthest && late_enough(known, i, false)) {
			back_from(verdict, i, false, RR_RULE_ORDER);
			return;
		}
		furthest = number;
	}
}

/* ---- lists from elsewhere on the way there */

/* How many of the other list's stamps begin this one; -1: they went another way. */
static int common_start(const struct rr_verdict *verdict, const struct route_option *list, unsigned used)
{
	if (used > verdict->count)
		return -1;
	for (unsigned i = 0; i < used; i++)
		if (!addr_equal(stamp(verdict, i), list->addrs[i]))
			return -1;
	return (int)used;
}

/* May the stamp be the target's, by an address that nobody knows to be its own? Not when it is a router's of
 * the way there, or on a link with one; and not when without it there are too few for the reply's TTL. */
static bool may_be_targets(const struct rr_known *known, const struct rr_verdict *verdict, unsigned index)
{
	if (index >= verdict->count)
		return false;
	if (telling(verdict, index) && router_number(known, stamp(verdict, index)) > 0)
		return false;
	for (unsigned i = 0; i + 2 <= index; i++)
		if (telling(verdict, i) && compare(stamp(verdict, i), stamp(verdict, index)) == ONE_LINK)
			return false;
	return verdict->full || verdict->back_hops != (int)(verdict->count - index);
}

static bool surely_targets(const struct rr_verdict *verdict, unsigned index)
{
	return !verdict->full && verdict->back_hops >= 0 &&
		verdict->back_hops + 1 == (int)(verdict->count - index);
}

static void use_quote(const struct rr_known *known, struct rr_verdict *verdict)
{
	unsigned used = stamps_in(known->quote);
	/* Linux has written its own address by then. */
	if (used > 0 && addr_equal(known->quote->addrs[used - 1], known->target))
		used--;
	if (common_start(verdict, known->quote, used) < 0)
		return;
	there_until(verdict, used);
	if (used >= verdict->count) {
		verdict->beyond = verdict->full;
		verdict->rule = RR_RULE_QUOTE;
		return;
	}
	/* The target by another address: twice, or one stamp more than the way back has routers. An address
	 * that is not routed is rather one inside of it than a router's. */
	bool twice = used > 0 && addr_equal(stamp(verdict, used - 1), stamp(verdict, used));
	bool perhaps = !twice && may_be_targets(known, verdict, used);
	bool own = twice || surely_targets(verdict, used) || (perhaps && verdict->stamps[used].unrouted);
	perhaps &= !own;
	back_from(verdict, used + own, !perhaps, RR_RULE_QUOTE);
	back_from(verdict, used + own + perhaps, true, RR_RULE_QUOTE);
}

/* After that list come the stamp of the router where the request ran out, which may be in it already, and
 * perhaps one of the target; then the way back. */
static void use_expired(const struct rr_known *known, struct rr_verdict *verdict)
{
	unsigned used = stamps_in(known->expired);
	if (common_start(verdict, known->expired, used) < 0)
		return;
	there_until(verdict, used);
	if (used >= verdict->count)
		verdict->beyond = verdict->full;
	else
		back_from(
			verdict, MIN(used + 2, verdict->count), used + 2 <= verdict->count, RR_RULE_EXPIRED);
}

/* Every router writes once on either way, and the target not at all, once or twice: then the numbers must add
 * up. */
static void use_counts(const struct rr_known *known, struct rr_verdict *verdict)
{
	int there = forward_length(known) - 1, back = verdict->back_hops;
	if (there < 0 || back < 0 || verdict->full)
		return;
	int own = (int)verdict->count - there - back;
	if (own < 0 || own > 2)
		return;
	back_from(verdict, (unsigned)(there + own), false, RR_RULE_COUNT);
}

/* ---- the verdict */

static void read_list(const struct rr_known *known, struct rr_verdict *verdict)
{
	const struct route_option *list = known->reply;
	*verdict = (struct rr_verdict){
		.count = stamps_in(list),
		.full = list->used >= list->slots,
		.rule = RR_RULE_NONE,
		.back_hops = rr_hops_passed(known->reply_ttl),
	};
	for (unsigned i = 0; i < verdict->count; i++) {
		struct addr address = list->addrs[i];
		bool none = address.low == 0;
		/* Inside a private network private addresses are routed. */
		bool private = addr_is_private(address) && !addr_is_private(known->target);
		verdict->stamps[i].address = none ? ADDR_NONE : address;
		verdict->stamps[i].unrouted = none || private || !addr_is_unicast(address);
	}
	/* Linux writes down the host that gets the reply, too. */
	if (verdict->count > 0 && addr_equal(stamp(verdict, verdict->count - 1), known->source) &&
		!addr_equal(known->source, known->target)) {
		verdict->count--;
		verdict->full = false;
	}
	verdict->back_likely = verdict->back_sure = verdict->count;
}

/* The list is full, but its last stamp is the router that our first packets meet; or there are as many as the
 * reply has passed routers. */
static bool just_fits(const struct rr_known *known, const struct rr_verdict *verdict)
{
	const struct hop *gateway = forward_hop(known, 1);
	if (verdict->back_sure == verdict->count)
		return false;
	if (verdict->back_sure == verdict->back_likely && verdict->back_hops == (int)verdict->back_stamps)
		return true;
	return gateway && addr_is_set(gateway->address) &&
		addr_equal(gateway->address, stamp(verdict, verdict->count - 1));
}

static void name_sides(struct rr_verdict *verdict)
{
	bool placed = verdict->rule != RR_RULE_NONE;
	for (unsigned i = 0; i < verdict->count; i++) {
		struct rr_stamp *s = &verdict->stamps[i];
		s->side = i < verdict->there_end	      ? RR_THERE
			: placed && i >= verdict->back_likely ? RR_BACK
			: verdict->rule <= RR_RULE_ALIAS      ? RR_TARGET
							      : RR_UNDECIDED;
		s->certainty = i >= verdict->back_sure ? CERTAINTY_MEASURED : CERTAINTY_INFERRED;
	}
	verdict->back_stamps = placed ? verdict->count - verdict->back_likely : 0;
}

void rr_judge(const struct rr_known *known, struct rr_verdict *verdict)
{
	read_list(known, verdict);
	if (!find_target(known, verdict)) {
		if (known->quote)
			use_quote(known, verdict);
		find_passed_twice(known, verdict);
		find_turn(known, verdict);
		if (known->expired)
			use_expired(known, verdict);
		find_double(known, verdict);
		use_counts(known, verdict);
	}
	/* Rules that contradict each other: what some rule calls the way there is not given out as the way
	 * back. */
	verdict->back_likely = MAX(verdict->back_likely, verdict->there_end);
	verdict->back_sure = MAX(verdict->back_sure, verdict->there_end);
	name_sides(verdict);
	verdict->ends_here = !verdict->full || just_fits(known, verdict);
	verdict->beyond |= verdict->full && verdict->rule <= RR_RULE_ALIAS && verdict->back_stamps == 0;
}
