/* What an answer says, as the result of its probe. */
#ifndef RETOUR_TRACE_RESULT_H
#define RETOUR_TRACE_RESULT_H

#include "path/model.h"
#include "probe/engine.h"

/* Fill in everything but when and with what the probe was sent; `family` is that of the target. */
void result_fill(struct probe_result *probe, uint8_t family, const struct reply *reply);
/* A guess how far a packet came that arrived with this hop limit. */
unsigned result_hops_travelled(int ttl);

/* A listening port took our SYN. The kernel resets the connection, since no socket of it knows of that; but
 * we see the answer before it does, and whatever leaves before the reset is swallowed. */
#define RESET_LEAVES_NS (1 * NS_PER_MS)
bool result_accepts(const struct probe_result *result);

#endif
