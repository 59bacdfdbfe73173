/* What the daemon may still do once everything is open. */
#ifndef RETOUR_SERVE_SANDBOX_H
#define RETOUR_SERVE_SANDBOX_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"

struct sandbox_needs {
	bool http;	    /* connections are accepted and served */
	bool agent;	    /* a broker is connected to, again and again */
	bool certificates;  /* and read again now and then */
	const char *folder; /* of files that are written; NULL = none are */
	int connecting[2];  /* sockets that may be connected, and no others; -1 = none */
};

/* Give up all capabilities for good and allow only the system calls that the event loop makes. */
int sandbox_enter(const struct sandbox_needs *needs, struct error *error) MUST_USE;

#endif
