/* What the answers of the way there tell about the way back, when nothing else works: how long it is, and
 * from which hop on it is another one. Sends nothing. Pure.
 *
 * Theory of operation
 *
 * Hosts and routers send their answers with a TTL of 64, 128 or 255, and every router on the way back takes
 * one off. So the TTL of an answer tells how many routers it passed. On a way back that is the way there, the
 * answer of the hop with number n passes n - 1. Where the difference changes by three or more from some hop
 * on, and stays, the answers from there probably come another way. Two other things look the same:
 *
 *   label switching  Answers of routers inside a tunnel of labels go on to its end before they turn round:
 *                    hops that show labels, or a quoted TTL above 1, are left out. A hidden tunnel on the way
 *                    back takes as many off answers that began with 255 as it has routers, and nothing off
 *                    answers that began with 64: so the change must show in the target's answer as well,
 *                    where that began with 64 or 128.
 *   another start    A host that begins with another TTL, as 60 or 200, seems closer or farther than it is.
 */
#ifndef RETOUR_REVERSE_INFERRED_H
#define RETOUR_REVERSE_INFERRED_H

#include <stdbool.h>

#include "path/model.h"
#include "reverse/ladder.h"

struct inferred {
	bool heard;	 /* the target answered, and its answer's TTL is known */
	int there_hops;	 /* routers on the way there; -1 = not known */
	int back_hops;	 /* that the target's answer passed; -1 = not known */
	int initial_ttl; /* that it is taken to have left with */
	int changes_at;	 /* hop of the way there from which on the way back differs; 0 = none is seen */
	int change;	 /* by so many routers it is longer from there (negative: shorter) */
	bool tunnel;	 /* such a change was seen, and is a hidden tunnel's doing */
	int64_t step_ns; /* by which the least round trip grows at that hop and stays so; 0 = it does not */
};

void infer(const struct path *forward, struct inferred *inferred);

/* Tells a path of unknown routers, all inferred, where their number is known. */
extern const struct reverse_method inferred_method;

#endif
