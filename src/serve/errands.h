/* Probes to third parties on somebody's behalf: what cannot travel in the probe. Its destination is not the
 * requester, so who asked is kept here for as long as an answer is believed. A table of fixed size; a probe
 * names its place in it where others carry the request's id. */
#ifndef RETOUR_SERVE_ERRANDS_H
#define RETOUR_SERVE_ERRANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

#define ERRANDS 1024 /* under way at once */

struct errand {
	struct addr server, requester, target;
	uint16_t id;	 /* of the request */
	uint16_t number; /* of the probe: its place, and which use of it */
	int64_t until_ns;
};

struct errands {
	struct errand places[ERRANDS];
	unsigned next;
};

/* NULL: all places are taken. Its number is to be the id of the probe; the caller fills in the rest. */
struct errand *errands_add(struct errands *errands, int64_t now_ns);
/* The one that an answer to this probe belongs to, once; NULL: none. */
const struct errand *errands_take(
	struct errands *errands, uint16_t number, struct addr target, int64_t now_ns);

#endif
