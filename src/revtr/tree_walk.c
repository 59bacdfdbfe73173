/* From a router to the source, by what is known. */
#include <math.h>

#include "base/clock.h"
#include "revtr/aliases.h"
#include "revtr/tree_inside.h"

#define HALF_NS (24 * 3600.0 * NS_PER_S)

struct walk {
	const struct tree *tree;
	int64_t now_ns;
	uint32_t from;
	struct tree_hop *hops;
	unsigned count;
	bool mixed; /* not all of it is of one trace: it may turn in a circle */
};

bool tree_fresh(const struct tree *tree, int64_t seen_ns, int64_t now_ns)
{
	return now_ns - seen_ns <= tree->age_max_ns;
}

const struct tree_trace *tree_trace_at(const struct tree *tree, uint32_t index, int64_t now_ns)
{
	if (index == TREE_NONE || !tree_fresh(tree, tree->traces[index].seen_ns, now_ns))
		return NULL;
	return &tree->traces[index];
}

const struct tree_trace *tree_believed(
	const struct tree *tree, const struct tree_entry *entry, int64_t now_ns)
{
	const struct tree_trace *trace = entry ? tree_trace_at(tree, entry->trace, now_ns) : NULL;
	return trace && trace->seen_ns > entry->doubt_ns ? trace : NULL;
}

const struct tree_entry *tree_far_end(const struct tree *tree, uint32_t address, int64_t now_ns)
{
	uint32_t mates[] = {tree_mate31(address), tree_mate30(tree, address)};
	for (unsigned i = 0; i < 2; i++) {
		const struct tree_entry *entry = mates[i] ? tree_find(tree, mates[i]) : NULL;
		if (entry && tree_trace_at(tree, entry->trace, now_ns) && entry->place > 0)
			return entry;
	}
	return NULL;
}

static bool seen_before(const struct walk *walk, uint32_t address)
{
	for (unsigned i = 0; i < walk->count; i++)
		if (walk->hops[i].address == address)
			return true;
	return address == walk->from;
}

/* Does anybody know better than this trace how it goes on from there? */
static bool overruled(const struct walk *walk, uint32_t address, uint32_t index)
{
	const struct tree *tree = walk->tree;
	const struct tree_entry *entry = tree_find(tree, address);
	int64_t seen_ns = tree->traces[index].seen_ns;
	if (!entry || entry->doubt_ns >= seen_ns)
		return entry;
	return entry->trace != index && entry->trace != TREE_NONE &&
		tree->traces[entry->trace].seen_ns > seen_ns;
}

/* Along a trace after `place`; hops up to `sure` may lie before the router that was asked about. Returns
 * where another knows better, or 0 at the end. */
static uint32_t follow(struct walk *walk, uint32_t index, unsigned place, unsigned sure)
{
	const struct tree_trace *trace = &walk->tree->traces[index];
	for (unsigned i = place + 1; i < trace->count && walk->count < TREE_WALK_MAX; i++) {
		uint32_t next = trace->addresses[i];
		if (walk->mixed && next && seen_before(walk, next))
			return 0;
		walk->hops[walk->count++] = (struct tree_hop){
			next, i <= sure ? TREE_SPAN : TREE_TRACE, trace->evidence, index, trace->seen_ns};
		if (i + 1 < trace->count && i > sure && next && overruled(walk, next, index)) {
			walk->mixed = true;
			return next;
		}
	}
	return 0;
}

/* An address of the same router, in a trace that is believed. */
static const struct tree_entry *alias_of(const struct tree *tree, uint32_t address, int64_t now_ns)
{
	size_t count;
	const uint32_t *others = aliases_of(tree->aliases, address, &count);
	for (size_t i = 0; i < count; i++) {
		const struct tree_entry *entry = tree_find(tree, others[i]);
		if (others[i] != address && tree_believed(tree, entry, now_ns))
			return entry;
	}
	return NULL;
}

/* What the chain of an address adds: where to go on, or 0. */
static uint32_t by_chain(struct walk *walk, const struct tree_entry *entry)
{
	if (!entry || !entry->next || !tree_fresh(walk->tree, entry->seen_ns, walk->now_ns))
		return 0;
	/* Whoever comes here passes it. */
	uint32_t next = tree_by_origin(walk->tree, entry->address, walk->now_ns) ? entry->passing.address
										 : entry->next;
	if (seen_before(walk, next))
		return 0;
	walk->mixed = true;
	walk->hops[walk->count++] = (struct tree_hop){next, entry->spoofed ? TREE_CHAIN_SPOOFED : TREE_CHAIN,
		entry->evidence, TREE_NONE, entry->seen_ns};
	return next;
}

/* One step or many: where to go on, or 0. */
static uint32_t step(struct walk *walk, uint32_t address)
{
	const struct tree *tree = walk->tree;
	const struct tree_entry *entry = tree_find(tree, address), *other;
	if (tree_believed(tree, entry, walk->now_ns))
		return follow(walk, entry->trace, entry->place, 0);
	if ((other = alias_of(tree, address, walk->now_ns)))
		return follow(walk, other->trace, other->place, 0);
	if ((other = tree_far_end(tree, address, walk->now_ns)))
		return follow(walk, other->trace, other->place - 1, 0);
	uint32_t next = by_chain(walk, entry);
	if (!next && entry && tree_trace_at(tree, entry->span_trace, walk->now_ns) &&
		tree->traces[entry->span_trace].seen_ns > entry->doubt_ns)
		return follow(walk, entry->span_trace, entry->span_start, entry->span_end);
	return next;
}

unsigned tree_walk(
	const struct tree *tree, uint32_t address, int64_t now_ns, struct tree_hop *hops, bool *reached)
{
	struct walk walk = {.tree = tree, .now_ns = now_ns, .from = address, .hops = hops};
	*reached = address == tree->source;
	while (!*reached && address != 0 && walk.count < TREE_WALK_MAX) {
		address = step(&walk, address);
		*reached = walk.count > 0 && hops[walk.count - 1].address == tree->source;
	}
	return walk.count;
}

double tree_saved(const struct tree_trace *trace, int64_t now_ns)
{
	return trace->used_ns == TREE_NEVER
		? 0
		: trace->saved * exp2(-(double)(now_ns - trace->used_ns) / HALF_NS);
}

void tree_note_use(struct tree *tree, const struct tree_hop *hops, unsigned count, int64_t now_ns)
{
	for (unsigned i = 0, end; i < count; i = end) {
		for (end = i + 1; end < count && hops[end].trace == hops[i].trace;)
			end++;
		if (hops[i].trace == TREE_NONE)
			continue;
		struct tree_trace *trace = &tree->traces[hops[i].trace];
		trace->saved = tree_saved(trace, now_ns) + (end - i);
		trace->used_ns = now_ns;
		trace->uses++;
	}
}
