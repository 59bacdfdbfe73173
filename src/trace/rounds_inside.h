/* Between the files of the continuous measurement: rounds.c runs it, rounds_plan.c says what to probe when,
 * rounds_limit.c asks hops more slowly. */
#ifndef RETOUR_TRACE_ROUNDS_INSIDE_H
#define RETOUR_TRACE_ROUNDS_INSIDE_H

#include "trace/rounds.h"

struct next_probe {
	unsigned ttl;		  /* 0 = none before `at_ns` */
	int64_t at_ns;		  /* when, or when to ask again */
	struct rounds_test *test; /* a slower re-ask, or NULL */
};

/* The flow that a round takes, and what is known of its way. */
uint8_t rounds_flow(const struct rounds *rounds, uint32_t round);
const struct timeline *rounds_way(const struct rounds *rounds, unsigned flow);

/* What to send next; opens and closes rounds as time goes by. */
struct next_probe plan_next(struct rounds *rounds, int64_t now_ns);
void plan_sent(struct rounds *rounds, const struct next_probe *next, int64_t now_ns);
/* Every round was sent. */
bool plan_finished(const struct rounds *rounds);
/* The schedule starts anew: the driver was away. */
void plan_restart(struct rounds *rounds, int64_t now_ns);
/* How long the answer of a new hop is awaited before the next hops are tried. */
int64_t plan_patience_ns(const struct rounds *rounds);

struct rounds_test *limit_test_of(struct rounds *rounds, unsigned ttl);
/* After a round of this flow: are there hops to ask more slowly? */
void limit_consider(struct rounds *rounds, unsigned flow, int64_t now_ns);
/* A probe of a re-ask: WATCH_ANSWER, WATCH_LOST or WATCH_VOID. */
void limit_settled(struct rounds *rounds, unsigned ttl, enum watch_event_kind fate, int64_t now_ns);
struct next_probe limit_next(struct rounds *rounds);

void rounds_emit(struct rounds *rounds, struct watch_event *event, int64_t now_ns);

#endif
