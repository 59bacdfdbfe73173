#include "insight/chain.h"

#include <errno.h>
#include <stdlib.h>

#include "insight/align.h"
#include "insight/router_name.h"

/* A router known by its address outweighs one known by its link; no number of networks outweighs a router. */
enum weight { WEIGHT_AS = 1, WEIGHT_ALIAS = 9000, WEIGHT_SUBNET = 10000, WEIGHT_ADDRESS = 10001 };

struct table {
	const struct path *forward, *reverse;
	int *evidence; /* rows: forward hops, columns: reverse hops from our end outwards */
	int *best;     /* best total of the first i rows and j columns; one row and column more */
	size_t rows, columns;
};

static int *evidence_at(struct table *table, size_t forward, size_t reverse)
{
	return &table->evidence[forward * table->columns + (table->columns - 1 - reverse)];
}

static int *best_at(struct table *table, size_t row, size_t column)
{
	return &table->best[row * (table->columns + 1) + column];
}

static void add_evidence(struct table *table, size_t forward, size_t reverse, int weight)
{
	int *slot = evidence_at(table, forward, reverse);
	*slot = MAX(*slot, weight);
}

static bool any_address_equal(const struct hop *a, const struct hop *b)
{
	for (size_t i = 0; i < a->address_count; i++)
		for (size_t j = 0; j < b->address_count; j++)
			if (addr_equal(a->addresses[i], b->addresses[j]))
				return true;
	return addr_is_set(a->address) && addr_equal(a->address, b->address);
}

/* The target on the way there and ourselves on the way back are ends, not routers on the other way. */
static bool is_end(const struct path *path, size_t index)
{
	return addr_is_set(path->hops[index].address) &&
		addr_equal(path->hops[index].address, path->destination);
}

/* Where links are /31s numbered in a row, .1 and .2 belong to two different links, though they would make a
 * /30. Addresses ending in binary 00 or 11, which no /30 gives to a host, betray such a plan. Looked for
 * among the neighbours: the same 256 addresses (IPv6: the same /112). */
static bool plan_has_pairs(const struct path *path, struct addr near)
{
	unsigned shift = near.family == 4 ? 8 : 16;
	for (size_t i = 0; i < path->hop_count; i++) {
		struct addr addr = path->hops[i].address;
		bool neighbour = addr.family == near.family && addr.high == near.high &&
			addr.low >> shift == near.low >> shift;
		if (neighbour && ((addr.low & 3) == 0 || (addr.low & 3) == 3))
			return true;
	}
	return false;
}

/* Only hops that answered from one address: with several, neighbours cannot be told. */
static bool has_mate(const struct hop *a, const struct hop *b, bool pairs)
{
	if (a->address_count > 1 || b->address_count > 1 || !addr_is_link_mate(a->address, b->address))
		return false;
	return !pairs || (a->address.low ^ b->address.low) == 1;
}

/* An address that both ways show is a router's, not that of a link's end: loopbacks are numbered in a row,
 * too. */
static bool is_shown(const struct path *path, struct addr address)
{
	for (size_t i = 0; i < path->hop_count; i++)
		if (addr_equal(path->hops[i].address, address))
			return true;
	return false;
}

/* Mates at the near end of one list speak of an end of the way: the link before the first hop there starts at
 * ourselves, the link before the first hop back at the target. Where the other hop is not that end, the two
 * addresses cannot be one link. */
static bool mates_contradict(const struct table *table, size_t i, size_t j)
{
	return (i == 0 && !is_end(table->reverse, j)) || (j == 0 && !is_end(table->forward, i));
}

static void gather(struct table *table)
{
	const struct path *forward = table->forward, *reverse = table->reverse;
	for (size_t i = 0; i < table->rows; i++) {
		struct addr near = forward->hops[i].address;
		bool pairs = plan_has_pairs(forward, near) || plan_has_pairs(reverse, near);
		for (size_t j = 0; j < table->columns; j++) {
			const struct hop *there = &forward->hops[i], *back = &reverse->hops[j];
			if (there->certainty == CERTAINTY_ASSUMED || back->certainty == CERTAINTY_ASSUMED)
				continue;
			bool ends = is_end(forward, i) || is_end(reverse, j);
			if (any_address_equal(there, back) && !ends)
				add_evidence(table, i, j, WEIGHT_ADDRESS);
			else if (there->asn != 0 && there->asn == back->asn && !ends)
				add_evidence(table, i, j, WEIGHT_AS);
			if (!ends && alias_by_name(there, back))
				add_evidence(table, i, j, WEIGHT_ALIAS);
			if (!has_mate(there, back, pairs) || mates_contradict(table, i, j) ||
				is_shown(reverse, near) || is_shown(forward, back->address))
				continue;
			/* See align.h: the mate is the neighbour. */
			if (i > 0 && !is_end(reverse, j) && !strangers_by_name(&forward->hops[i - 1], back))
				add_evidence(table, i - 1, j, WEIGHT_SUBNET);
			if (j > 0 && !is_end(forward, i) && !strangers_by_name(there, &reverse->hops[j - 1]))
				add_evidence(table, i, j - 1, WEIGHT_SUBNET);
		}
	}
}

static void fill(struct table *table)
{
	for (size_t i = 1; i <= table->rows; i++) {
		for (size_t j = 1; j <= table->columns; j++) {
			int weight = table->evidence[(i - 1) * table->columns + (j - 1)];
			int without = MAX(*best_at(table, i - 1, j), *best_at(table, i, j - 1));
			int with = weight > 0 ? *best_at(table, i - 1, j - 1) + weight : 0;
			*best_at(table, i, j) = MAX(with, without);
		}
	}
}

static enum shared_by by_weight(int weight)
{
	return weight == WEIGHT_ADDRESS	  ? SHARED_BY_ADDRESS
		: weight == WEIGHT_SUBNET ? SHARED_BY_SUBNET
		: weight == WEIGHT_ALIAS  ? SHARED_BY_ALIAS
					  : SHARED_BY_AS;
}

static size_t walk_back(struct table *table, struct pair *pairs)
{
	size_t count = 0, i = table->rows, j = table->columns;
	while (i > 0 && j > 0) {
		if (*best_at(table, i, j) == *best_at(table, i - 1, j)) {
			i--;
		} else if (*best_at(table, i, j) == *best_at(table, i, j - 1)) {
			j--;
		} else {
			int weight = table->evidence[(i - 1) * table->columns + (j - 1)];
			pairs[count++] = (struct pair){i - 1, table->columns - j, by_weight(weight)};
			i--;
			j--;
		}
	}
	for (size_t k = 0; k < count / 2; k++) {
		struct pair swapped = pairs[k];
		pairs[k] = pairs[count - 1 - k];
		pairs[count - 1 - k] = swapped;
	}
	return count;
}

int chain_find(const struct path *forward, const struct path *reverse, struct pair *pairs, size_t *count)
{
	struct table table = {forward, reverse, NULL, NULL, forward->hop_count, reverse->hop_count};
	*count = 0;
	if (table.rows == 0 || table.columns == 0)
		return 0;
	table.evidence = calloc(table.rows * table.columns, sizeof(int));
	table.best = calloc((table.rows + 1) * (table.columns + 1), sizeof(int));
	int status = -ENOMEM;
	if (table.evidence && table.best) {
		gather(&table);
		fill(&table);
		*count = walk_back(&table, pairs);
		status = 0;
	}
	free(table.evidence);
	free(table.best);
	return status;
}
