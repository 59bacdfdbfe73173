/* What to ask next: a pure function of what is known, made anew whenever something was learned. */
#include <limits.h>
#include <string.h>

#include "base/clock.h"
#include "trace/multipath_inside.h"

#define WINDOW	    6 /* hop limits of the first flow before anything is known */
#define AHEAD	    4 /* questions of the first flow beyond the last answer, while the distance is unknown */
#define SILENT_ASKS 3 /* without any answer, until a hop limit counts as silent */
#define END_ANSWERS 2 /* A router that delivers has a connected route, and does not balance over it. */
#define SHARE_INSIDE                                                                                         \
	0.6 /* of the flows of a hop: a router with more stands for the hop, not inside a diamond */
#define LOST_MAX	 2		    /* missing answers behind a router that count as loss */
#define STEER_AT_ONCE	 32		    /* flows asked to find those of one router */
#define LIMITER_PAUSE_NS (1100 * NS_PER_MS) /* longer than the second in which Linux refills one reply */
#define SLOW_FIRST	 8		    /* questions after the first pause */
#define SLOW_ROUNDS_MAX	 3

static unsigned before_first(const struct multipath *mp)
{
	return mp->config.first_ttl - 1;
}

static bool has_ended(const struct multipath *mp, unsigned ttl, unsigned flow)
{
	return mp->flows[flow].end != 0 && ttl >= mp->flows[flow].end;
}

/* ---- gathering ---- */

static uint16_t class_seen(const struct multipath *mp, unsigned ttl, unsigned flow)
{
	const struct cell *cell = mp_cell(mp, ttl, flow);
	if (cell->state != CELL_KNOWN && cell->state != CELL_SILENT)
		return NO_CLASS;
	return mp_class(mp, cell->vertex);
}

uint16_t mp_class_at(const struct multipath *mp, unsigned ttl, unsigned flow)
{
	if (ttl == before_first(mp))
		return SOURCE;
	if (mp->flows[flow].end != 0 && ttl > mp->flows[flow].end)
		return NO_CLASS;
	uint16_t class = class_seen(mp, ttl, flow);
	if (class != NO_CLASS)
		return class;
	return mp->only[ttl] == MANY ? NO_CLASS : mp->only[ttl];
}

/* No answer to this flow at this hop limit, for good. */
static void silence(struct multipath *mp, unsigned ttl, unsigned flow)
{
	struct cell *cell = mp_cell(mp, ttl, flow);
	uint16_t vertex = mp_silence(mp, ttl);
	if (vertex == NO_CLASS)
		return;
	cell->state = CELL_SILENT;
	cell->wanted = false;
	cell->vertex = cell->other = vertex;
}

static void silence_hop(struct multipath *mp, unsigned ttl)
{
	for (unsigned flow = 0; flow < mp->flows_used; flow++)
		if (mp_cell(mp, ttl, flow)->state == CELL_MISSED)
			silence(mp, ttl, flow);
}

static bool is_waiting_at(const struct multipath *mp, unsigned ttl)
{
	for (unsigned flow = 0; flow < mp->flows_used; flow++)
		if (mp_cell(mp, ttl, flow)->waiting)
			return true;
	return false;
}

/* Which class stands alone at a hop limit, and how many flows were seen there. */
static void survey_hop(struct multipath *mp, unsigned ttl)
{
	const struct mp_hop *hop = &mp->hops[ttl];
	if (hop->answered == 0 && hop->asked >= SILENT_ASKS && ttl < mp_limit(mp) && !is_waiting_at(mp, ttl))
		silence_hop(mp, ttl);
	mp->only[ttl] = NO_CLASS;
	mp->known_at[ttl] = 0;
	for (unsigned flow = 0; flow < mp->flows_used; flow++) {
		uint16_t class = class_seen(mp, ttl, flow);
		mp_cell(mp, ttl, flow)->wanted = false;
		if (class == NO_CLASS || (mp->flows[flow].end != 0 && ttl > mp->flows[flow].end))
			continue;
		mp->known_at[ttl]++;
		mp->only[ttl] = mp->only[ttl] == NO_CLASS || mp->only[ttl] == class ? class : MANY;
	}
}

static void add_successor(struct multipath *mp, struct class_view *view, uint16_t class, uint16_t vertex)
{
	uint16_t of = mp_class(mp, vertex);
	/* Silence is no branch; who shows twice in a row is not behind itself. */
	if (!addr_is_set(mp->vertices[vertex].address) || of == class)
		return;
	for (unsigned i = 0; i < view->successor_count; i++) {
		view->branches |= mp_class(mp, view->successors[i]) != of;
		if (view->successors[i] == vertex)
			return;
	}
	if (view->successor_count == STOPPING_SEEN_MAX)
		return;
	view->ends_only = (view->successor_count == 0 || view->ends_only) && mp->vertices[vertex].end;
	view->successors[view->successor_count++] = vertex;
}

/* What the answer (or its lack) of one flow at the next hop limit says about the class it comes from. */
static void gather_next(
	struct multipath *mp, struct class_view *view, uint16_t class, unsigned ttl, unsigned flow)
{
	const struct cell *next = mp_cell(mp, ttl, flow);
	switch ((enum cell_state)next->state) {
	case CELL_UNASKED: return;
	case CELL_PENDING: view->pending++; return;
	case CELL_MISSED:
		view->missed++;
		view->gave_up |= mp->hops[ttl].gave_up;
		return;
	case CELL_SILENT:
	case CELL_KNOWN: break;
	}
	bool dealt_out = mp->vertices[mp_class(mp, next->vertex)].class_size > 1;
	/* Where packets are dealt out, every answer is a draw of its own. */
	view->answers += dealt_out ? next->answered : 1;
	view->repeats += (next->answered > 0 ? next->answered - 1u : 0) + next->waiting;
	view->repeats_asked += next->asked > next->answered ? next->asked - 1u : 0;
	view->deals |= next->vertex != next->other;
	add_successor(mp, view, class, next->vertex);
	add_successor(mp, view, class, next->other);
}

static void gather(struct multipath *mp)
{
	unsigned limit = mp_limit(mp);
	memset(mp->views, 0, mp->vertex_count * sizeof(mp->views[0]));
	for (unsigned ttl = mp->config.first_ttl; ttl <= limit; ttl++)
		survey_hop(mp, ttl);
	for (unsigned ttl = before_first(mp); ttl < limit; ttl++)
		for (unsigned flow = 0; flow < mp->flows_used; flow++) {
			uint16_t class = mp_class_at(mp, ttl, flow);
			if (class == NO_CLASS)
				continue;
			struct class_view *view = &mp->views[class];
			if (view->first_ttl == 0)
				view->first_ttl = ttl + 1;
			if (view->first_ttl == ttl + 1)
				view->flows += ttl == before_first(mp) || class_seen(mp, ttl, flow) == class;
			if (!has_ended(mp, ttl, flow))
				gather_next(mp, view, class, ttl + 1, flow);
		}
}

/* All next hops of a router that deals out packets become one class. Returns whether that changed anything.
 */
static bool join_dealt(struct multipath *mp)
{
	bool changed = false;
	for (unsigned class = 0; class < mp->vertex_count; class ++) {
		const struct class_view *view = &mp->views[class];
		if (!view->deals || !view->branches)
			continue;
		for (unsigned i = 1; i < view->successor_count; i++)
			mp_join(mp, view->successors[0], view->successors[i]);
		changed = true;
	}
	return changed;
}

/* Hops inside a diamond one of whose routers balances once more: there, and up to the hop where all ways
 * join, every router gets its full number of answers. */
static void find_strict(struct multipath *mp)
{
	unsigned limit = mp_limit(mp);
	mp->strict[before_first(mp)] = false;
	for (unsigned ttl = mp->config.first_ttl; ttl < limit; ttl++) {
		mp->strict[ttl] = false;
		if (mp->only[ttl] != MANY)
			continue;
		mp->strict[ttl] = mp->strict[ttl - 1];
		for (unsigned flow = 0; flow < mp->flows_used; flow++) {
			uint16_t class = class_seen(mp, ttl, flow);
			if (class != NO_CLASS && mp->views[class].successor_count > 1)
				mp->strict[ttl] = true;
		}
	}
}

/* ---- asking ---- */

/* The first flow goes ahead: at once as far as the distance is known, else a few hops beyond the last answer.
 */
static void explore(struct multipath *mp, int64_t now_ns)
{
	unsigned before = before_first(mp), end = mp->flows[0].end;
	unsigned last = MIN(mp->config.max_ttl, before + WINDOW);
	unsigned waiting = 0;
	(void)now_ns;
	if (mp->distance)
		last = MIN(mp->config.max_ttl, MAX(mp->distance, mp->highest + 1));
	else if (mp->distance_answered || mp->explored > before + WINDOW)
		last = MIN(mp->config.max_ttl, MAX(mp->highest, before) + mp->config.gap_limit);
	for (unsigned ttl = mp->highest + 1; ttl <= mp->explored; ttl++)
		waiting += mp_cell(mp, ttl, 0)->waiting;
	while (mp->explored < last && (end == 0 || mp->explored < end)) {
		if (mp->explored >= before + WINDOW && !mp->distance && waiting >= AHEAD)
			return;
		bool asked = mp_cell(mp, mp->explored + 1, 0)->state != CELL_UNASKED;
		if (!asked && !mp_ask(mp, mp->explored + 1, 0))
			return;
		mp->explored++;
		waiting += !asked;
	}
}

/* How many answers behind a class settle what its next hops are. */
static unsigned required(const struct multipath *mp, const struct class_view *view)
{
	const struct stopping *stopping = &mp->stopping;
	unsigned ttl = view->first_ttl - 1;
	if (view->successor_count == 0) /* one flow first; where that meets silence, some more */
		return view->missed > 0 || view->answers > 0 ? SILENT_ASKS : 1;
	/* Which router we send to is our own choice; if it varies, the next hop shows it, and confirming
	 * finds it. */
	if (view->successor_count == 1 && (view->ends_only || view == &mp->views[SOURCE]))
		return view->missed > 0 ? 1 : MIN(END_ANSWERS, stopping->answers[1]);
	bool inside = ttl >= mp->config.first_ttl && mp->only[ttl] == MANY && !mp->strict[ttl] &&
		view->flows <= SHARE_INSIDE * mp->known_at[ttl];
	if (view->successor_count == 1 && inside)
		return stopping->inside;
	return stopping->answers[view->successor_count];
}

/* Flows known to pass the class are asked behind it. Returns how many more there should be. */
static unsigned ask_known(struct multipath *mp, uint16_t class, unsigned wanted)
{
	unsigned limit = mp_limit(mp);
	for (unsigned ttl = before_first(mp); wanted > 0 && ttl < limit; ttl++) {
		bool all = ttl == before_first(mp) || mp->only[ttl] == class;
		unsigned flows = all ? mp->config.flow_count : mp->flows_used;
		for (unsigned flow = 0; wanted > 0 && flow < flows; flow++) {
			if (mp_cell(mp, ttl + 1, flow)->state != CELL_UNASKED || has_ended(mp, ttl, flow) ||
				mp_class_at(mp, ttl, flow) != class)
				continue;
			if (!mp_ask(mp, ttl + 1, flow))
				return 0;
			wanted--;
		}
	}
	return wanted;
}

/* The chance that a flow passes a router of the class at this hop limit, by what is known of the hop before.
 */
static double chance_of(const struct multipath *mp, uint16_t class, unsigned ttl, unsigned flow)
{
	const struct class_view *view = &mp->views[class];
	uint16_t before = mp_class_at(mp, ttl - 1, flow);
	if (has_ended(mp, ttl - 1, flow))
		return 0;
	if (before == NO_CLASS || mp->views[before].successor_count == 0)
		return (double)view->flows / mp->known_at[ttl];
	const struct class_view *left = &mp->views[before];
	for (unsigned i = 0; i < left->successor_count; i++)
		if (mp_class(mp, left->successors[i]) == class)
			return 1.0 / left->successor_count;
	return 0;
}

/* Other flows are asked at the class's own hop limit, to find `wanted` that pass it: first those that were
 * asked behind it already, since one answer then settles both, then those that are likely to. */
static void steer(struct multipath *mp, uint16_t class, unsigned wanted)
{
	static const double at_least[] = {0.5, 0.01};
	const struct class_view *view = &mp->views[class];
	unsigned ttl = view->first_ttl - 1, asked = 0;
	double expected = 0;
	if (class == SOURCE || view->flows == 0 || ttl < mp->config.first_ttl)
		return;
	/* The answers of the last attempt come first. */
	for (unsigned flow = 0; flow < mp->flows_used; flow++)
		if (mp_cell(mp, ttl, flow)->state == CELL_PENDING)
			return;
	for (unsigned pass = 0; pass < 4; pass++)
		for (unsigned flow = 0; flow < mp->config.flow_count; flow++) {
			bool asked_behind = mp_cell(mp, ttl + 1, flow)->state == CELL_KNOWN;
			double chance = chance_of(mp, class, ttl, flow);
			if (mp_cell(mp, ttl, flow)->state != CELL_UNASKED ||
				asked_behind != (pass % 2 == 0) || chance < at_least[pass / 2])
				continue;
			if (expected >= wanted || asked == STEER_AT_ONCE || !mp_ask(mp, ttl, flow))
				return;
			expected += chance;
			asked++;
		}
}

/* The missing answers behind a class are worth a slow question. */
static void want_slowly(struct multipath *mp, uint16_t class, unsigned wanted)
{
	unsigned limit = mp_limit(mp);
	for (unsigned ttl = before_first(mp); wanted > 0 && ttl < limit; ttl++)
		for (unsigned flow = 0; wanted > 0 && flow < mp->flows_used; flow++) {
			struct cell *next = mp_cell(mp, ttl + 1, flow);
			if (next->state != CELL_MISSED || has_ended(mp, ttl, flow) ||
				mp_class_at(mp, ttl, flow) != class)
				continue;
			next->wanted = true;
			wanted--;
		}
}

static unsigned repeats_missing(const struct multipath *mp, const struct class_view *view)
{
	unsigned wanted = mp->stopping.repeats[view->successor_count], ttl = view->first_ttl - 1;
	/* Who balances inside a diamond is either a mesh or the shadow of packets dealt out before. */
	if (view->first_ttl > mp->config.first_ttl && mp->only[ttl] == MANY)
		wanted *= 2;
	if (!view->branches || view->repeats >= wanted || view->repeats_asked >= 2 * wanted + 2)
		return 0;
	return wanted - view->repeats;
}

/* Some flows once more: does each keep to its next hop? Two packets of a flow leave in a row: who deals out
 * in turns sends them different ways. The flows are taken at random, so that nothing falls into step with
 * them. */
static void repeat(struct multipath *mp, uint16_t class)
{
	unsigned limit = mp_limit(mp), wanted = repeats_missing(mp, &mp->views[class]);
	for (unsigned attempt = 0; wanted > 0 && attempt < 8 * mp->flows_used; attempt++) {
		unsigned flow = (unsigned)rng_below(&mp->rng, mp->flows_used);
		for (unsigned ttl = before_first(mp); ttl < limit; ttl++) {
			const struct cell *next = mp_cell(mp, ttl + 1, flow);
			if (next->state != CELL_KNOWN || next->waiting || has_ended(mp, ttl, flow) ||
				next->asked > 1 + attempt / (2 * mp->flows_used) ||
				mp_class_at(mp, ttl, flow) != class)
				continue;
			if (!mp_ask(mp, ttl + 1, flow) || --wanted == 0 || !mp_ask(mp, ttl + 1, flow))
				return;
			wanted--;
			break;
		}
	}
}

static void satisfy(struct multipath *mp, uint16_t class, bool may_steer)
{
	struct class_view *view = &mp->views[class];
	if (view->first_ttl == 0 || mp->vertices[class].end)
		return;
	unsigned need = required(mp, view), have = view->answers + view->pending;
	/* Half-way already: where no flow is stable, nothing must be multiplied. */
	if (view->answers >= MIN(need, mp->stopping.answers[2]))
		repeat(mp, class);
	/* A few answers that were lost twice are made up for by other flows; many are a limiter, or silence.
	 */
	unsigned missed = view->missed > LOST_MAX ? view->missed : 0;
	if (have >= need || view->gave_up)
		return;
	if (missed > 0)
		want_slowly(mp, class, need - have);
	if (have + missed >= need)
		return;
	unsigned rest = ask_known(mp, class, need - have - missed);
	if (rest > 0 && may_steer)
		steer(mp, class, rest);
}

/* Every router is followed at every hop limit it was seen at, by one flow at least. */
static void follow(struct multipath *mp)
{
	unsigned limit = mp_limit(mp);
	for (unsigned ttl = mp->config.first_ttl; ttl < limit; ttl++)
		for (unsigned flow = 0; flow < mp->flows_used; flow++) {
			uint16_t class = class_seen(mp, ttl, flow);
			bool followed = false;
			if (class == NO_CLASS || has_ended(mp, ttl, flow))
				continue;
			for (unsigned other = 0; other < mp->flows_used && !followed; other++)
				followed = class_seen(mp, ttl, other) == class &&
					mp_cell(mp, ttl + 1, other)->state != CELL_UNASKED;
			if (!followed && !mp_ask(mp, ttl + 1, flow))
				return;
		}
}

/* Was any flow seen both at this router and at the hop before? `flow`: one that could be. */
static bool is_linked(const struct multipath *mp, unsigned ttl, uint16_t vertex, unsigned *flow)
{
	*flow = UINT_MAX;
	for (unsigned i = 0; i < mp->flows_used; i++) {
		const struct cell *cell = mp_cell(mp, ttl, i), *before = mp_cell(mp, ttl - 1, i);
		if (cell->state != CELL_KNOWN || cell->vertex != vertex)
			continue;
		if (before->state != CELL_UNASKED && before->state != CELL_MISSED)
			return true;
		if (before->state == CELL_UNASKED)
			*flow = MIN(*flow, i);
	}
	return false;
}

static void confirm(struct multipath *mp)
{
	unsigned limit = mp_limit(mp), flow;
	for (unsigned ttl = mp->config.first_ttl + 1; ttl <= limit; ttl++)
		for (unsigned i = 0; i < mp->flows_used; i++) {
			const struct cell *cell = mp_cell(mp, ttl, i);
			bool beyond = mp->flows[i].end != 0 && ttl > mp->flows[i].end;
			if (cell->state != CELL_KNOWN || beyond || is_linked(mp, ttl, cell->vertex, &flow))
				continue;
			if (flow != UINT_MAX && !mp_ask(mp, ttl - 1, flow))
				return;
		}
}

/* ---- limits ---- */

static void ask_slowly(struct multipath *mp, unsigned ttl, unsigned allowance)
{
	struct mp_hop *hop = &mp->hops[ttl];
	hop->slow_rounds++;
	hop->slow_asked = hop->slow_answered = 0;
	for (unsigned flow = 0; flow < mp->flows_used && hop->slow_asked < allowance; flow++)
		if (mp_cell(mp, ttl, flow)->wanted && mp_ask(mp, ttl, flow))
			hop->slow_asked++;
}

/* A hop limit with missing answers that matter, at which nothing is under way. */
static void slow_hop(struct multipath *mp, unsigned ttl, int64_t now_ns)
{
	struct mp_hop *hop = &mp->hops[ttl];
	int64_t due_ns = hop->last_sent_ns + LIMITER_PAUSE_NS;
	if (hop->slow_asked > 0 && hop->slow_answered == 0 && (hop->slow_asked > 1 || hop->slow_rounds > 1)) {
		silence_hop(mp, ttl);
		hop->slow_asked = 0;
		mp->dirty = true;
		return;
	}
	if (hop->slow_rounds == SLOW_ROUNDS_MAX) {
		hop->gave_up = true;
		return;
	}
	if (due_ns > now_ns) {
		mp->slow_ns = MIN(mp->slow_ns, due_ns);
		return;
	}
	ask_slowly(mp, ttl, hop->slow_rounds == 0 ? SLOW_FIRST : hop->slow_answered + 1);
}

static void slow_hops(struct multipath *mp, int64_t now_ns)
{
	unsigned limit = mp_limit(mp);
	for (unsigned ttl = mp->config.first_ttl; ttl <= limit; ttl++) {
		bool wanted = false;
		for (unsigned flow = 0; flow < mp->flows_used; flow++)
			wanted |= mp_cell(mp, ttl, flow)->wanted;
		if (wanted && !mp->hops[ttl].gave_up && !is_waiting_at(mp, ttl))
			slow_hop(mp, ttl, now_ns);
	}
}

void mp_plan(struct multipath *mp, int64_t now_ns)
{
	mp->dirty = false;
	mp->slow_ns = TIME_NEVER;
	mp->flows_used = MAX(mp->flows_used, 1u);
	do
		gather(mp);
	while (join_dealt(mp));
	find_strict(mp);
	explore(mp, now_ns);
	if (mp->full)
		return;
	bool stable = true;
	for (unsigned class = 0; class < mp->vertex_count; class ++)
		stable &= repeats_missing(mp, &mp->views[class]) == 0;
	for (unsigned class = 0; class < mp->vertex_count; class ++)
		if (mp_class(mp, (uint16_t) class) == class)
			satisfy(mp, (uint16_t) class, stable);
	follow(mp);
	for (unsigned class = 0; mp->waiting == 0 && class < mp->vertex_count; class ++)
		repeat(mp, (uint16_t) class);
	if (mp->waiting == 0)
		confirm(mp);
	slow_hops(mp, now_ns);
}
