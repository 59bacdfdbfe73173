/* Questions to DNS (c-ares), many at once and within a budget of time: what has not come by then is not
 * waited for, and when nobody answers anything at all, not even that long. Answers are as the network sent
 * them: escape before printing. */
#ifndef RETOUR_ANNOTATE_RESOLVER_H
#define RETOUR_ANNOTATE_RESOLVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

struct resolver;

/* One string of an answer, as bytes; may be called several times, and may ask more. */
typedef void resolver_text(void *context, const char *text, size_t length);

int resolver_new(struct resolver **resolver, struct error *error) MUST_USE;
/* What is still open is given up. */
void resolver_free(struct resolver *resolver);
/* *name becomes the heap name of the address, and stays as it is when there is none. */
void resolver_ask_name(struct resolver *resolver, struct addr addr, char **name);
/* TXT records: the strings of each are put together. */
void resolver_ask_text(struct resolver *resolver, const char *name, resolver_text *answer, void *context);
/* Until all is answered, or for `budget_ns`; what came before is read in any case. */
void resolver_wait(struct resolver *resolver, int64_t budget_ns);
/* Nothing more will be written for what is still open. */
void resolver_give_up(struct resolver *resolver);

#endif
