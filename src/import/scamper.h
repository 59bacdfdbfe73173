/* What scamper's two formats have in common, inside import/: they list answers, and silence is what is
 * missing. */
#ifndef RETOUR_IMPORT_SCAMPER_H
#define RETOUR_IMPORT_SCAMPER_H

#include "import/build.h"

/* An answer to the attempt with this number, from 1 on; attempts before it that nobody answered were silent.
 * NULL: memory or bounds. */
struct probe_result *scamper_answer(
	struct build *build, int ttl, int attempt, struct addr address, int64_t rtt_ns);
/* Hops from `first` to `last` that nobody answered were tried `attempts` times. */
void scamper_fill(struct build *build, int first, int last, int attempts);
/* Why it ended, by scamper's number (scamper_trace.h: SCAMPER_TRACE_STOP_*). */
enum stop_reason scamper_stop(int code);
enum probe_protocol scamper_protocol(const char *method);

#endif
