#include "annotate/hop.h"

#include <stdlib.h>
#include <string.h>

void hop_set_origin(struct hop *hop, const struct origin *origin)
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
