/* A result as JSON: what is kept, streamed and polled.
 *
 * {"id":N,"batch":N,"source":A,"destination":A,"status":"reached|partial|nothing","stop":"why it ended",
 *  "hops":[{"address":A|null,"technique":W,"certainty":W,"probability":P,"type":N,"evidence":N,"age_s":S}],
 *  "suspected_gaps":[{"after":N,"before":N,"missing":N}],
 *  "packets":{"options":N,"traceroutes":N},"rounds":N,"started_at":T,"duration_ms":N}
 *
 * Gaps are between two hops, counted from 1: the destination is 0, a source that was not reached comes after
 * the last. Techniques and certainties are those of the retour/1 document; "type" is the code of the
 * published service. */
#ifndef RETOUR_REVTR_RESULT_H
#define RETOUR_REVTR_RESULT_H

#include "base/compiler.h"
#include "revtr/engine.h"

/* The caller frees it; NULL: out of memory. */
char *revtr_result_to_json(const struct revtr_result *result, int64_t id, int64_t batch, struct addr source,
	int64_t started_ms) MUST_USE;
/* The published code of a hop. */
int revtr_hop_code(const struct revtr_hop *hop);
/* reverse/revtr_result.h reads it. */

#endif
