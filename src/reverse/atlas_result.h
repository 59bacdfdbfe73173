/* What RIPE Atlas is asked for and answers. Everything in the answers is from outside. */
#ifndef RETOUR_REVERSE_ATLAS_RESULT_H
#define RETOUR_REVERSE_ATLAS_RESULT_H

#include <jansson.h>

#include "path/model.h"
#include "reverse/vantage.h"

#define ATLAS_TEXT_SIZE 160

/* Which probes: "asn=64500" (or "AS64500"), "prefix=192.0.2.0/24", "country=DE", "area=WW", "probes=1,2",
 * "msm=1000". A new "probes" entry that asks for `wanted` of them, or NULL with `why`. */
json_t *atlas_probes(const char *text, unsigned wanted, uint8_t family, char why[static ATLAS_TEXT_SIZE]);
/* The order for one traceroute to `to`; takes `probes` over. NULL: out of memory. */
json_t *atlas_order(struct addr to, enum probe_protocol protocol, json_t *probes);
/* The measurement's number in the answer to an order, 0 = none. */
json_int_t atlas_number(const json_t *created);
/* The words of an error, "" = none. */
const char *atlas_error(const json_t *error, char text[static ATLAS_TEXT_SIZE]);
/* Its status by name ("Ongoing", "No suitable probes", ...), "" = it does not say. */
const char *atlas_status(const json_t *measurement);
/* How many results are there. */
size_t atlas_count(const json_t *results);
/* The best path to `to`, as globalping_best(); `dir` is the folder of local data. */
struct path *atlas_best(
	const json_t *results, const struct vantage_scene *scene, struct addr to, const char *dir);

#endif
