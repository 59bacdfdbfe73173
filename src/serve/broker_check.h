/* Is the broker as `retour revtr broker` sets it up? Who comes without a certificate must not be let in: its
 * access list would give nobody a name, and anybody could be an agent. */
#ifndef RETOUR_SERVE_BROKER_CHECK_H
#define RETOUR_SERVE_BROKER_CHECK_H

#include "bus/bus.h"

struct uv_loop_s;
struct broker_check;

/* Tries once to connect as a stranger, by `broker` without its certificate, and tells what is wrong, if
 * something is. NULL where there is nothing to check: without TLS anybody comes in. */
struct broker_check *broker_check_start(
	struct uv_loop_s *loop, const struct bus_mqtt_options *broker, void (*tell)(const char *text));
/* Its handles close on the loop. NULL is nothing. */
void broker_check_free(struct broker_check *check);

#endif
