/* An Internet out of a seed: the stages of the generator, one after the other. */
#include "sim/generate.h"

#include <errno.h>
#include <stdlib.h>

#include "sim/generate_inside.h"

void *generate_add(struct generator *g, struct gen_list *list, size_t size)
{
	if (list->count == list->capacity) {
		unsigned capacity = list->capacity ? 2 * list->capacity : 64;
		void *items = realloc(list->items, capacity * size);
		if (!items) {
			g->failed = true;
			return NULL;
		}
		list->items = items;
		list->capacity = capacity;
	}
	char *item = (char *)list->items + list->count++ * size;
	for (size_t i = 0; i < size; i++)
		item[i] = 0;
	return item;
}

static void run(struct generator *g)
{
	void (*const stages[])(struct generator *) = {generate_ases, generate_routers, generate_relations,
		generate_exchanges, generate_hosts, generate_addresses, generate_habits};
	for (size_t i = 0; i < ARRAY_LEN(stages) && !g->failed; i++)
		stages[i](g);
}

static void clear(struct generator *g)
{
	struct gen_list *const lists[] = {
		&g->routers, &g->links, &g->relations, &g->ixps, &g->hosts, &g->pairs};
	for (unsigned i = 0; i < g->as_count; i++)
		free(g->ases[i].pops);
	for (unsigned i = 0; i < g->ixps.count; i++)
		free(LIST_AT(struct gen_ixp, g->ixps, i)->members);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		free(lists[i]->items);
	for (unsigned i = 0; i < REGIONS; i++)
		free(g->urns[i].items);
	free(g->ases);
}

int generate_world(const struct generate_options *options, char **text, struct error *error)
{
	struct generator g = {
		.rng = rng_seed(options->seed), .as_total = options->ases, .profile = options->profile};
	size_t size;
	*text = NULL;
	if (options->ases < GENERATE_ASES_MIN || options->ases > GENERATE_ASES_MAX)
		return error_set(error, -EINVAL, "cannot make a world of %u ASes: expected %d to %d",
			options->ases, GENERATE_ASES_MIN, GENERATE_ASES_MAX);
	g.ases = calloc(options->ases, sizeof(*g.ases));
	g.failed = !g.ases;
	run(&g);
	FILE *out = g.failed ? NULL : open_memstream(text, &size);
	if (out)
		generate_write(&g, options, out);
	if (!out || fclose(out) != 0 || g.failed) {
		free(*text);
		*text = NULL;
		g.failed = true;
	}
	clear(&g);
	return g.failed ? error_set(error, -ENOMEM, "out of memory for a world of %u ASes", options->ases)
			: 0;
}
