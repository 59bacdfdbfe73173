/* Agents in the virtual Internet: tasks of an engine are done by hosts of a world, in virtual time. Pure. */
#ifndef RETOUR_REVTR_VIRTUAL_H
#define RETOUR_REVTR_VIRTUAL_H

#include "revtr/engine.h"
#include "sim/sim.h"

struct virtual;

/* `hosts` are the nodes on which the agents 0, 1, ... stand. World and sim are borrowed. NULL: out of memory.
 */
struct virtual *virtual_new(struct sim *sim, const uint32_t *hosts, unsigned host_count);
void virtual_free(struct virtual *v);
/* Do a task; its answer comes by virtual_answer, if there is one. `source`: whose name a spoofed one carries.
 */
void virtual_do(struct virtual *v, const struct revtr_task *task, struct addr source);
/* Let time pass until there is an answer (true) or until `until_ns`. */
bool virtual_answer(struct virtual *v, int64_t until_ns, struct revtr_answer *answer);
/* Run an engine until nothing is going on; `done` is told each result. */
void virtual_run(struct virtual *v, struct revtr_engine *engine, const struct addr *sources,
	void (*done)(void *context, const struct revtr_result *result), void *context);

#endif
