/* When to stop looking for another next hop of a router that balances flows.
 *
 * The rule of the multipath detection algorithm (Augustin, Friedman, Teixeira: Multipath tracing with Paris
 * traceroute, E2EMON 2007; Veitch et al., INFOCOM 2009): when `seen` next hops are known, ask on until so
 * many probes have been answered that, were there one more, and did the router choose among all of them
 * evenly, all would have been seen with the wanted confidence. For 95 %: 6, 11, 16, 21, 27, 33, ... answers
 * for 1, 2, 3, ... next hops. Answers count, not probes: a router that does not answer says nothing. */
#ifndef RETOUR_TRACE_STOPPING_H
#define RETOUR_TRACE_STOPPING_H

#define STOPPING_SEEN_MAX	64
#define STOPPING_CONFIDENCE_MIN 0.5
#define STOPPING_CONFIDENCE_MAX 0.9999

/* The chance that `draws` even draws among `count` things miss at least one of them. */
double stopping_miss(unsigned count, unsigned draws);

struct stopping {
	unsigned answers[STOPPING_SEEN_MAX + 1]; /* by next hops seen; [0] as [1] */
	unsigned inside; /* for a router of a diamond that shows one next hop; see stopping.c */
	unsigned repeats[STOPPING_SEEN_MAX + 1]; /* that tell balancing by flow from balancing by packet */
};

void stopping_init(struct stopping *stopping, double confidence);

#endif
