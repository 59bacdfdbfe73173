/* A sweep over the sorted ranges with a stack of those that are open: the one on top, which began last and is
 * the narrowest, has what is between here and the next beginning or end. */
#include "annotate/range_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "annotate/ranges.h"

#define ENTRIES_MAX    (8u << 20) /* the Internet's tables had 1.3 million in 2026 */
#define NAME_MAX_BYTES 120

int range_list_add(struct range_list *list, const struct range *range)
{
	if (list->count == ENTRIES_MAX)
		return -E2BIG;
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 1024;
		struct range *all = reallocarray(list->all, room, sizeof(*all));
		if (!all)
			return -ENOMEM;
		list->all = all;
		list->room = room;
	}
	list->all[list->count++] = *range;
	return 0;
}

void range_list_free(struct range_list *list)
{
	free(list->all);
	*list = (struct range_list){0};
}

struct addr prefix_last(struct prefix prefix)
{
	struct addr last = prefix.addr;
	unsigned host_bits = addr_bits(last) - prefix.length;
	last.low |= host_bits >= 64 ? UINT64_MAX : (1ULL << host_bits) - 1;
	if (host_bits > 64)
		last.high |= host_bits == 128 ? UINT64_MAX : (1ULL << (host_bits - 64)) - 1;
	return last;
}

/* Wider ones first, so that narrower ones come to lie on top of them; the rest makes the order one. */
static int compare(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	int order = addr_compare(x->first, y->first);
	if (order == 0)
		order = -addr_compare(x->last, y->last);
	if (order == 0)
		order = (int)x->length - (int)y->length;
	if (order == 0)
		order = memcmp(x->origins.start, y->origins.start, MIN(x->origins.length, y->origins.length));
	return order ? order : (int)x->origins.length - (int)y->origins.length;
}

struct sweep {
	const struct range **open;
	size_t depth;
	struct addr position; /* not yet written from here on */
	FILE *out;
	size_t written;
};

static void write_name(FILE *out, struct text name)
{
	for (size_t i = 0; i < MIN(name.length, NAME_MAX_BYTES); i++)
		fputc((unsigned char)name.start[i] < 0x20 ? ' ' : name.start[i], out);
}

static bool same_range(const struct range *a, const struct range *b)
{
	return addr_equal(a->first, b->first) && addr_equal(a->last, b->last) && a->length == b->length;
}

/* Of the one on top and its equals, each origin once. */
static void write_origins(const struct sweep *sweep)
{
	const struct range *top = sweep->open[sweep->depth - 1];
	uint32_t seen[ORIGINS_MAX], asns[ORIGINS_MAX];
	unsigned count = 0;
	size_t lowest = sweep->depth - 1;
	while (lowest > 0 && sweep->depth - lowest < ORIGINS_MAX && same_range(sweep->open[lowest - 1], top))
		lowest--;
	for (size_t i = lowest; i < sweep->depth; i++) {
		unsigned more = text_origins(sweep->open[i]->origins, asns, ORIGINS_MAX);
		for (unsigned k = 0; k < more && count < ORIGINS_MAX; k++) {
			unsigned j = 0;
			while (j < count && seen[j] != asns[k])
				j++;
			if (j == count)
				seen[count++] = asns[k];
		}
	}
	for (unsigned k = 0; k < count; k++)
		fprintf(sweep->out, "%s%u", k > 0 ? "_" : "", seen[k]);
}

static void write_until(struct sweep *sweep, struct addr last)
{
	char first_text[ADDR_TEXT_SIZE], last_text[ADDR_TEXT_SIZE];
	const struct range *top = sweep->open[sweep->depth - 1];
	fprintf(sweep->out, "%s\t%s\t", addr_format(sweep->position, first_text),
		addr_format(last, last_text));
	write_origins(sweep);
	fprintf(sweep->out, "\t%.2s\t", top->country);
	write_name(sweep->out, top->name);
	fprintf(sweep->out, "\t%u\n", top->length);
	sweep->written++;
}

static struct addr address_before(struct addr addr)
{
	return addr.family == 4 ? addr_v4((uint32_t)addr.low - 1)
				: addr_v6(addr.high - (addr.low == 0), addr.low - 1);
}

/* The one on top ends, and with it those under it that reach no further. */
static void close_top(struct sweep *sweep)
{
	struct addr last = sweep->open[sweep->depth - 1]->last;
	write_until(sweep, last);
	while (sweep->depth > 0 && addr_compare(sweep->open[sweep->depth - 1]->last, last) <= 0)
		sweep->depth--;
	sweep->position = addr_add(last, 1);
}

static void open_range(struct sweep *sweep, const struct range *range)
{
	while (sweep->depth > 0 && addr_compare(sweep->open[sweep->depth - 1]->last, range->first) < 0)
		close_top(sweep);
	if (sweep->depth > 0 && addr_compare(sweep->position, range->first) < 0)
		write_until(sweep, address_before(range->first));
	sweep->position = range->first;
	sweep->open[sweep->depth++] = range;
}

int range_list_write(struct range_list *list, FILE *out, size_t *written)
{
	struct sweep sweep = {.open = calloc(list->count + 1, sizeof(*sweep.open)), .out = out};
	if (!sweep.open)
		return -ENOMEM;
	if (list->count > 0)
		qsort(list->all, list->count, sizeof(*list->all), compare);
	for (size_t i = 0; i < list->count; i++)
		open_range(&sweep, &list->all[i]);
	while (sweep.depth > 0)
		close_top(&sweep);
	free(sweep.open);
	*written = sweep.written;
	return ferror(out) ? -EIO : 0;
}
