/* Looking glasses and route servers of networks, as the networks themselves say it in PeeringDB: a text file
 * sorted by AS number,
 *
 *   AS number <tab> name of the network <tab> looking glass <tab> route server
 *
 * Both are free text, mostly URLs; whoever shows them escapes them, and nobody follows them unasked. */
#ifndef RETOUR_ANNOTATE_GLASSES_H
#define RETOUR_ANNOTATE_GLASSES_H

#include <stdbool.h>
#include <stdint.h>

#include "annotate/lines.h"

struct glass {
	char network[128];
	char looking_glass[256], route_server[256]; /* "" = not said */
};

/* false: nothing is said of that AS. */
bool glasses_find(struct text file, uint32_t asn, struct glass *glass);

#endif
