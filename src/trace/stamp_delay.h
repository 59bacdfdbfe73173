/* Delays of each direction, from four timestamps a packet: it left here, came there, left there, came here.
 *
 * Theory of operation
 *
 * Two of the stamps are of our clock and two of the far one, whose difference nobody knows. It drops out of
 * the round trip, (there - here) + (here - there), and is the same for all packets of one direction: what a
 * packet took longer than the fastest one is free of it (RFC 5481 4.2).
 *
 * Unless the clocks drift: then the least delays of one direction lie on a slope, and those of the other on
 * the opposite one. The slope is that of the lower convex hull at the mean time (the line below all points
 * that is nearest to them: Moon, Skelly, Towsley, 1999), taken of the direction whose points lie nearer to
 * their line. */
#ifndef RETOUR_TRACE_STAMP_DELAY_H
#define RETOUR_TRACE_STAMP_DELAY_H

#include "path/directions.h"

#define STAMP_SAMPLES 1024 /* kept */

struct stamp_sample {
	uint32_t place;
	int64_t at_ns;		     /* sent, monotonic */
	int64_t forward_ns, back_ns; /* clock offset included */
	int64_t residence_ns;
};

struct stamp_samples {
	struct stamp_sample ring[STAMP_SAMPLES];
	uint64_t count; /* ever added */
};

void stamp_samples_add(struct stamp_samples *samples, struct stamp_sample sample);
/* Fills the delays of `directions`, whose clock_error_ns is set where both clocks are said to be right. */
void stamp_samples_delays(const struct stamp_samples *samples, struct directions *directions);

#endif
