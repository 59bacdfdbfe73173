/* Loss and delay of each direction, as a far end that reflects test packets lets us tell them apart. Plain
 * data; unknown is RTT_NONE, or a count of packets that says so. */
#ifndef RETOUR_PATH_DIRECTIONS_H
#define RETOUR_PATH_DIRECTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "path/series.h"

enum directions_status {
	DIRECTIONS_NOT_ASKED,
	DIRECTIONS_ASKED,      /* no answer yet */
	DIRECTIONS_SILENT,     /* no answer in time */
	DIRECTIONS_REFUSED,    /* nobody listens at that port */
	DIRECTIONS_ROUND_TRIP, /* it reflects but keeps no count: what gets lost may be lost either way */
	DIRECTIONS_APART,      /* it reflects and counts */
};

/* Least, median and largest; RTT_NONE. */
struct spread {
	int64_t min_ns, median_ns, max_ns;
};

struct way {
	unsigned sent, lost; /* packets whose fate on this way is known */
	unsigned reordered;  /* came after one that was sent later (RFC 4737 3) */
	/* Delay above the least one on this way (RFC 5481 4.2); needs no clock to be right. */
	int64_t variation_median_ns, variation_p95_ns, variation_max_ns;
	int64_t jitter_ns;   /* mean difference of packets that follow each other (RFC 3393), without sign */
	struct spread delay; /* one way; only where both clocks are said to be right */
};

struct directions {
	enum directions_status status;
	uint16_t port;
	unsigned sent;	      /* packets that left, but for those that may still be answered */
	unsigned received;    /* of these answered, late ones too */
	unsigned undecided;   /* lost, nobody knows where */
	unsigned late;	      /* answered after they counted as lost */
	unsigned duplicates;  /* answers to what was answered before */
	unsigned restarts;    /* the reflector began to count anew */
	unsigned send_errors; /* packets that did not leave */
	uint8_t ttl;	      /* with which they reach it, 0 = not known */
	struct way forward, reverse;
	struct spread rtt;	/* without the time that the reflector took */
	int64_t residence_ns;	/* that time, median; RTT_NONE */
	unsigned delay_samples; /* answers that the delays above are made of, the latest ones */
	bool synchronised;	/* both sides say that they know the time */
	bool contradicted;	/* but delays come out below zero by more than the errors they state */
	int64_t clock_error_ns; /* of the one-way delays: both errors together; RTT_NONE = not synchronised */
	double drift;		/* of the far clock against ours, a ratio; taken out of the variation */
	bool drift_known;
};

struct directions directions_none(void);
/* "separate", "round-trip", "silent", "refused", "asked", "not-asked" */
const char *directions_word(enum directions_status status);

#endif
