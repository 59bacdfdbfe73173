#include "annotate/annotate.h"

#include <stdlib.h>
#include <string.h>

#include "annotate/border.h"
#include "annotate/data.h"
#include "annotate/rdns.h"
#include "base/clock.h"

#define NAME_BUDGET_NS (1200 * NS_PER_MS)

static void set_origin(struct hop *hop, const struct origin *origin)
{
	if (!hop->country[0])
		memcpy(hop->country, origin->country, sizeof(hop->country));
	if (hop->asn != 0 || origin->count == 0)
		return;
	hop->asn = origin->asns[0];
	if (origin->name[0])
		hop->as_name = strdup(origin->name);
	if (origin->count == 1)
		return;
	hop->origins = calloc(origin->count, sizeof(*hop->origins));
	if (!hop->origins)
		return;
	memcpy(hop->origins, origin->asns, origin->count * sizeof(*hop->origins));
	hop->origin_count = origin->count;
}

static void add_local(struct path *path, const struct data *data)
{
	for (size_t i = 0; path && i < path->hop_count; i++) {
		struct hop *hop = &path->hops[i];
		struct origin origin;
		if (!addr_is_set(hop->address))
			continue;
		if (data_origin(data, hop->address, &origin))
			set_origin(hop, &origin);
		if (!hop->ixp && data_exchange(data, hop->address, &origin)) {
			hop->ixp = strdup(origin.name);
			if (!hop->country[0])
				memcpy(hop->country, origin.country, sizeof(hop->country));
		}
	}
}

/* Addresses, and where their names go. */
struct name_list {
	char ***slots;
	struct addr *addrs;
	size_t count;
};

static void add_to_list(struct name_list *list, struct addr addr, char **slot)
{
	if (!addr_is_set(addr) || *slot)
		return;
	list->slots[list->count] = slot;
	list->addrs[list->count++] = addr;
}

static void list_hops(struct name_list *list, struct path *path)
{
	for (size_t i = 0; path && i < path->hop_count; i++)
		add_to_list(list, path->hops[i].address, &path->hops[i].name);
}

static void add_names(struct measurement *measurement)
{
	struct path *forward = measurement->forward, *reverse = measurement->reverse;
	size_t most = (forward ? forward->hop_count : 0) + (reverse ? reverse->hop_count : 0) + 1;
	struct name_list list = {calloc(most, sizeof(*list.slots)), calloc(most, sizeof(*list.addrs)), 0};
	char **names = calloc(most, sizeof(*names));
	if (list.slots && list.addrs && names) {
		add_to_list(&list, measurement->source, &measurement->source_name);
		list_hops(&list, forward);
		list_hops(&list, reverse);
		if (rdns_names(list.addrs, list.count, names, NAME_BUDGET_NS, NULL) == 0)
			for (size_t i = 0; i < list.count; i++)
				*list.slots[i] = names[i];
	}
	free(names);
	free(list.addrs);
	free(list.slots);
}

void annotate_measurement(struct measurement *measurement, const struct annotate_options *options)
{
	struct path *forward = measurement->forward, *reverse = measurement->reverse;
	struct data *data = malloc(sizeof(*data));
	if (data) {
		data_open(data, options->data_dir);
		add_local(forward, data);
		add_local(reverse, data);
		border_operators(forward, reverse, data);
		border_operators(reverse, forward, data);
		data_close(data);
		free(data);
	}
	if (options->names)
		add_names(measurement);
}
