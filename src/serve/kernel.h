/* The responder on this host's network. */
#ifndef RETOUR_SERVE_KERNEL_H
#define RETOUR_SERVE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/error.h"
#include "serve/responder.h"

struct serve_options {
	bool ipv4, ipv6;
	unsigned rate, prefix_rate; /* 0 = default */
	const struct prefix *allow; /* borrowed */
	size_t allow_count;
};

struct serve;

/* Opens everything, then gives up all privilege. `warning` is filled, with code 0 otherwise, when the
 * responder will work but not for everybody. NULL and `error` when it cannot start. */
struct serve *serve_start(const struct serve_options *options, struct error *warning, struct error *error);
uint16_t serve_port(const struct serve *serve);
/* Until SIGINT or SIGTERM; `report` is called on SIGUSR1. */
int serve_run(struct serve *serve, void (*report)(const struct responder_counters *counters),
	struct error *error) MUST_USE;
struct responder_counters serve_counters(const struct serve *serve);
void serve_stop(struct serve *serve);

#endif
