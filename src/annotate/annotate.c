#include "annotate/annotate.h"

#include <string.h>

#include "annotate/border.h"
#include "annotate/hop.h"
#include "annotate/online.h"
#include "base/clock.h"

#define ONLINE_BUDGET_NS (1200 * NS_PER_MS)

static void set_exchange(struct hop *hop, const struct origin *exchange)
{
	hop->ixp = strdup(exchange->name);
	/* Whose addresses they are says less about where they are than the exchange does. */
	hop_set_country(hop, exchange->country);
}

static void add_local(struct path *path, const struct data *data)
{
	for (size_t i = 0; path && i < path->hop_count; i++) {
		struct hop *hop = &path->hops[i];
		struct origin found;
		if (!addr_is_set(hop->address))
			continue;
		if (data_origin(data, hop->address, &found))
			hop_set_origin(hop, &found);
		if (!hop->ixp && data_exchange(data, hop->address, &found))
			set_exchange(hop, &found);
	}
}

static void annotate(
	struct measurement *measurement, const struct annotate_options *options, const struct data *data)
{
	struct path *forward = measurement->forward, *reverse = measurement->reverse;
	add_local(forward, data);
	add_local(reverse, data);
	if (options->names || options->as_zone)
		online_annotate(
			measurement, options->names, options->as_zone, options->early, ONLINE_BUDGET_NS);
	border_operators(forward, data);
	border_operators(reverse, data);
}

void annotate_measurement(struct measurement *measurement, const struct annotate_options *options)
{
	struct data *own = options->data ? NULL : data_new(options->data_dir);
	if (options->data || own)
		annotate(measurement, options, options->data ? options->data : own);
	data_free(own);
}
