/* Where the daemon listens for TCP connections. */
#ifndef RETOUR_SERVE_LISTENING_H
#define RETOUR_SERVE_LISTENING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/error.h"

struct listening {
	struct addr addr; /* ADDR_NONE = any, of both families */
	uint16_t port;
};

/* "192.0.2.1:80", "[2001:db8::1]:80", ":80". */
bool listening_parse(const char *text, struct listening *listening) MUST_USE;
/* One socket or two into `fds`, which has room for two; how many, or negative errno. */
int listening_open(const struct listening *listening, int fds[static 2], struct error *error) MUST_USE;

#endif
