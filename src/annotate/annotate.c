#include "annotate/annotate.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annotate/asmap.h"
#include "annotate/rdns.h"
#include "base/clock.h"

#define AS_FILE        "ip2asn-combined.tsv"
#define NAME_BUDGET_NS (1200 * NS_PER_MS)

const char *annotate_data_dir(char *path, size_t size)
{
	const char *own = getenv("RETOUR_DATA");
	const char *xdg = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");
	if (own && *own)
		snprintf(path, size, "%s", own);
	else if (xdg && *xdg)
		snprintf(path, size, "%s/retour", xdg);
	else
		snprintf(path, size, "%s/.local/share/retour", home ? home : "");
	return path;
}

static void add_origin(const struct asmap *map, struct hop *hop)
{
	struct as_origin origin;
	if (hop->asn || !addr_is_set(hop->address) || !asmap_find(map, hop->address, &origin))
		return;
	hop->asn = origin.asn;
	memcpy(hop->country, origin.country, sizeof(hop->country));
	if (origin.name[0])
		hop->as_name = strdup(origin.name);
}

static void add_origins(struct path *path, const struct asmap *map)
{
	for (size_t i = 0; path && i < path->hop_count; i++)
		add_origin(map, &path->hops[i]);
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
	char dir[PATH_MAX], file[PATH_MAX + sizeof(AS_FILE)];
	struct asmap map;
	snprintf(file, sizeof(file), "%s/%s", options->data_dir ? options->data_dir : annotate_data_dir(dir, sizeof(dir)),
		AS_FILE);
	if (asmap_open(&map, file, NULL) == 0) {
		add_origins(measurement->forward, &map);
		add_origins(measurement->reverse, &map);
		asmap_close(&map);
	}
	if (options->names)
		add_names(measurement);
}
