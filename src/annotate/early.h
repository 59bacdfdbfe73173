/* Names that are asked for while a measurement still runs, so that they are there when it ends.
 *
 * A machine that sends nothing: it hears the answers of routers and asks for the name of each that is new.
 * The resolver's own answers wait in its socket until annotation reads them. */
#ifndef RETOUR_ANNOTATE_EARLY_H
#define RETOUR_ANNOTATE_EARLY_H

#include "annotate/resolver.h"
#include "probe/machine.h"

struct early;

/* For packets about `target`. */
int early_new(struct early **early, struct addr target, struct error *error) MUST_USE;
void early_free(struct early *early);
struct machine early_machine(struct early *early);
/* Nobody else has anything to do: the machine is DONE when it is asked next. */
void early_stop(struct early *early);

struct resolver *early_resolver(struct early *early);
/* Ask for a name, unless that was done. */
void early_ask(struct early *early, struct addr addr);
/* The name, or NULL: not asked for, not there, or not yet. */
const char *early_name(const struct early *early, struct addr addr);

#endif
