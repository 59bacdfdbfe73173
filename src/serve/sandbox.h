/* What the daemon may still do once everything is open. */
#ifndef RETOUR_SERVE_SANDBOX_H
#define RETOUR_SERVE_SANDBOX_H

#include "base/compiler.h"
#include "base/error.h"

/* Give up all capabilities for good and allow only the system calls that the event loop makes. */
int sandbox_enter(struct error *error) MUST_USE;

#endif
