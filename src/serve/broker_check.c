#include "serve/broker_check.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define STRANGER "stranger"

struct broker_check {
	uv_timer_t end; /* a bus is not freed from within its own call */
	struct bus *bus;
	void (*tell)(const char *text);
};

static void on_end(uv_timer_t *timer)
{
	struct broker_check *check = timer->data;
	bus_free(check->bus, NULL, NULL);
	check->bus = NULL;
}

static void on_presence(void *context, bool connected, const char *why)
{
	struct broker_check *check = context;
	(void)why; /* refused, as it should be; or not there, which others tell */
	if (connected)
		check->tell("WARNING: the broker lets in clients without a certificate, so that anybody may "
			    "be an agent: it needs "
			    "`require_certificate true` and the rest of what `retour revtr broker` prints");
	uv_timer_start(&check->end, on_end, 0, 0);
}

struct broker_check *broker_check_start(
	struct uv_loop_s *loop, const struct bus_mqtt_options *broker, void (*tell)(const char *text))
{
	struct error error = {0};
	if (!broker->ca_file || !tell)
		return NULL;
	struct broker_check *check = calloc(1, sizeof(*check));
	if (!check)
		return NULL;
	check->tell = tell;
	uv_timer_init(loop, &check->end);
	check->end.data = check;
	struct bus_mqtt_options stranger = {.host = broker->host,
		.port = broker->port,
		.name = STRANGER,
		.ca_file = broker->ca_file,
		.presence = on_presence,
		.context = check};
	check->bus = bus_new_mqtt(loop, &stranger, &error);
	return check;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void broker_check_free(struct broker_check *check)
{
	if (!check)
		return;
	bus_free(check->bus, NULL, NULL);
	uv_close((uv_handle_t *)&check->end, on_closed);
}
