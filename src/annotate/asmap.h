/* Which AS announces an address: a look-up in a text file in iptoasn's form, sorted by address,
 *
 *   first_address <tab> last_address <tab> AS number <tab> country <tab> AS description
 *
 * with IPv4 before IPv6. The file is mapped and searched by halves, so opening costs nothing whatever its size. */
#ifndef RETOUR_ANNOTATE_ASMAP_H
#define RETOUR_ANNOTATE_ASMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

struct asmap {
	const char *text;
	size_t length;
};

struct as_origin {
	uint32_t asn;
	char country[3]; /* "" = unknown */
	char name[128];
};

/* 0, or negative errno: -ENOENT when there is no such file. */
int asmap_open(struct asmap *map, const char *path, struct error *error) MUST_USE;
void asmap_close(struct asmap *map);
/* false: nobody announces it, as far as the file knows. A damaged or unsorted file loses answers, never lies. */
bool asmap_find(const struct asmap *map, struct addr addr, struct as_origin *origin);

#endif
