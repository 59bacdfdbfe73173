#include "annotate/hop.h"

#include <stdlib.h>
#include <string.h>

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

void hop_set_country(struct hop *hop, const char country[static 3])
{
	if (is_letter(country[0]) && is_letter(country[1]) && !country[2])
		memcpy(hop->country, country, sizeof(hop->country));
}

void hop_set_origin(struct hop *hop, const struct origin *origin)
{
	if (!hop->country[0])
		hop_set_country(hop, origin->country);
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
