/* Which addresses are one router's, as somebody found out. */
#include <errno.h>
#include <stdlib.h>

#include "revtr/coordinator_inside.h"

struct loading {
	struct coordinator *c;
	int64_t router;
	uint32_t addresses[ALIASES_SET_MAX];
	size_t count;
	int result;
};

static void add_set(struct loading *loading)
{
	if (loading->count > 1 && loading->result == 0)
		loading->result = aliases_add(&loading->c->aliases, loading->addresses, loading->count);
	loading->count = 0;
}

static void load_alias(void *context, int64_t router, uint32_t address)
{
	struct loading *loading = context;
	if (router != loading->router)
		add_set(loading);
	loading->router = router;
	if (loading->count < ALIASES_SET_MAX)
		loading->addresses[loading->count++] = address;
}

int coordinator_load_aliases(struct coordinator *c, struct error *error)
{
	struct loading *loading = calloc(1, sizeof(*loading));
	if (!loading)
		return error_set(error, -ENOMEM, "out of memory");
	loading->c = c;
	int result = store_each_alias(c->store, load_alias, loading, error);
	add_set(loading);
	if (result == 0 && loading->result == -ENOMEM)
		result = error_set(error, -ENOMEM, "out of memory");
	free(loading);
	return result;
}

int coordinator_import_aliases(struct coordinator *c, const uint32_t *addresses, const unsigned *counts,
	size_t count, struct error *error)
{
	size_t total = 0, at = 0;
	int result = 0;
	for (size_t i = 0; i < count; i++)
		total += counts[i];
	if (c->aliases.count + total > ALIASES_MAX)
		return error_set(error, -E2BIG, "more than %d addresses in alias sets", ALIASES_MAX);
	result = store_add_aliases(c->store, addresses, counts, count, error);
	for (size_t i = 0; i < count && result == 0; at += counts[i++])
		if (aliases_add(&c->aliases, addresses + at, counts[i]) < 0)
			result = error_set(error, -ENOMEM, "out of memory");
	return result;
}

void coordinator_count_aliases(const struct coordinator *c, size_t *sets, size_t *addresses)
{
	*sets = c->aliases.set_count;
	*addresses = c->aliases.count;
}
