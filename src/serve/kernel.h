/* The daemon: the responder on this host's network, and HTTP beside it. */
#ifndef RETOUR_SERVE_KERNEL_H
#define RETOUR_SERVE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/error.h"
#include "serve/reflector_socket.h"
#include "serve/responder.h"
#include "serve/vantage.h"
#include "serve/web.h"

struct serve_options {
	bool responder; /* be one */
	bool ipv4, ipv6;
	unsigned rate, prefix_rate; /* 0 = default */
	const struct prefix *allow; /* borrowed */
	size_t allow_count;
	uint16_t stamp_port; /* reflect test packets there; 0 = do not */
	struct web_options web;
	struct vantage_options vantage;
};

struct serve;

/* Opens everything, then gives up all privilege; `options` are borrowed until serve_stop. `warning` is
 * filled, with code 0 otherwise, when the responder will work but not for everybody. NULL and `error` when it
 * cannot start. */
struct serve *serve_start(const struct serve_options *options, struct error *warning, struct error *error);
/* From which probes leave. */
uint16_t serve_port(const struct serve *serve);
/* Until SIGINT or SIGTERM; `report` is called on SIGUSR1. */
int serve_run(struct serve *serve, void (*report)(const struct serve *serve), struct error *error) MUST_USE;
bool serve_is_responder(const struct serve *serve);
struct responder_counters serve_counters(const struct serve *serve);
/* NULL = it is none. */
const struct reflector_socket *serve_reflector(const struct serve *serve);
/* NULL = it is none. */
const struct vantage_point *serve_vantage(const struct serve *serve);
void serve_stop(struct serve *serve);

#endif
