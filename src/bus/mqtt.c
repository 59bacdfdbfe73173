/* A bus to other machines: MQTT 5 by libmosquitto, which has no thread here. Its socket is watched by the
 * loop, and it is given a turn whenever that can be read or written and once a second.
 *
 * Everything is published at least once (quality of service 1). What is published without a connection waits
 * here; what was handed to the library and not acknowledged is sent again by the library after it has
 * connected again. */
#include <errno.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/addr.h"
#include "base/hash.h"
#include "bus/bus_inside.h"
#include "bus/mqtt_library.h"
#include "bus/mqtt_trial.h"
#include "bus/name.h"
#include "bus/unsent.h"
#include "net/cares.h"

#define UNSENT_MAX	  65536 /* here and, not acknowledged, in the library */
#define HANDED_MAX	  1000	/* of those in the library */
#define PORT_PLAIN	  1883
#define PORT_TLS	  8883
#define KEEPALIVE_S	  20
#define TICK_MS		  1000
#define CONNECT_TICKS_MAX 15 /* from the first packet to the broker's welcome */
#define PAUSE_FIRST_MS	  250
#define PAUSE_MAX_MS	  30000
#define LAST_WRITES_MAX	  100
#define QOS		  1

/* The socket of one connection. It may be gone before the loop has closed this. */
struct watch {
	uv_poll_t poll;
	struct mqtt *mqtt;
};

struct mqtt {
	struct bus bus;
	struct mqtt_library library;
	struct mosquitto *client;
	uv_loop_t *loop;
	struct watch *watch;
	uv_timer_t tick, again;
	char *host;
	struct name *name; /* being looked up */
	unsigned port;
	bool opened, established, connected, closing, has_will, secure;
	unsigned ticks, pause_ms, closed_timers;
	struct unsent unsent;
	size_t handed;
	struct mqtt_trial trial;
	bus_presence *presence;
	void *context;
	bool told, told_connected;
	char told_why[200], why[200];
};

/* ---- what is told */

static void tell(struct mqtt *mqtt, bool connected, const char *why)
{
	if (!mqtt->presence || mqtt->closing)
		return;
	if (mqtt->told && mqtt->told_connected == connected && strcmp(mqtt->told_why, why ? why : "") == 0)
		return;
	mqtt->told = true;
	mqtt->told_connected = connected;
	snprintf(mqtt->told_why, sizeof(mqtt->told_why), "%s", why ? why : "");
	mqtt->presence(mqtt->context, connected, why);
}

/* The library tells the causes of failures of TLS in no other way. */
static void on_log(struct mosquitto *client, void *self, int level, const char *text)
{
	struct mqtt *mqtt = self;
	(void)client;
	if (level == MOSQ_LOG_ERR || level == MOSQ_LOG_WARNING)
		snprintf(mqtt->why, sizeof(mqtt->why), "%s", text);
}

/* ---- connecting */

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* Before the library closes the socket or at once after it, while its number cannot be another's yet. */
static void unwatch(struct mqtt *mqtt)
{
	if (!mqtt->watch)
		return;
	uv_poll_stop(&mqtt->watch->poll);
	uv_close((uv_handle_t *)&mqtt->watch->poll, on_closed);
	mqtt->watch = NULL;
}

static void on_again(uv_timer_t *timer);

static void lost(struct mqtt *mqtt, const char *why)
{
	if (mqtt->secure && mqtt->established && !mqtt->connected)
		why = "the broker ends the connection before it stands: does it accept our certificate?";
	unwatch(mqtt);
	mqtt->connected = mqtt->established = false;
	if (mqtt->closing)
		return;
	tell(mqtt, false, mqtt->why[0] ? mqtt->why : why);
	/* Not all at once when a broker comes back: from half of the pause to all of it. */
	unsigned pause_ms = mqtt->pause_ms / 2 + (unsigned)(hash_key_random().k0 % (mqtt->pause_ms / 2 + 1));
	mqtt->pause_ms = MIN(2 * mqtt->pause_ms, PAUSE_MAX_MS);
	uv_update_time(mqtt->loop);
	uv_timer_start(&mqtt->again, on_again, pause_ms, 0);
}

static void on_poll(uv_poll_t *poll, int status, int events);

/* After whatever may have opened, closed or filled the socket. */
static void watch_socket(struct mqtt *mqtt)
{
	if (!mqtt->watch)
		return;
	/* Until the connection stands, the library does not say that it waits for it. */
	int events = UV_READABLE |
		(mqtt->library.want_write(mqtt->client) || !mqtt->established ? UV_WRITABLE : 0);
	uv_poll_start(&mqtt->watch->poll, events, on_poll);
}

static int open_watch(struct mqtt *mqtt)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	int result = uv_poll_init(mqtt->loop, &watch->poll, mqtt->library.socket(mqtt->client));
	if (result < 0) {
		free(watch);
		return result;
	}
	watch->mqtt = mqtt;
	watch->poll.data = watch;
	mqtt->watch = watch;
	watch_socket(mqtt);
	return 0;
}

/* A connection that was refused: with TLS the library does not see it and would try for ever. Its own look
 * may have taken the cause away. 0: it stands. */
static int refusal(const struct mqtt *mqtt)
{
	struct sockaddr_storage peer;
	socklen_t peer_size = sizeof(peer);
	int error = 0, socket = mqtt->library.socket(mqtt->client);
	socklen_t size = sizeof(error);
	if (getpeername(socket, (struct sockaddr *)&peer, &peer_size) == 0)
		return 0;
	getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
	return error ? error : ECONNREFUSED;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	struct mqtt *mqtt = watch->mqtt;
	const struct mqtt_library *library = &mqtt->library;
	int result = MOSQ_ERR_SUCCESS;
	if (status < 0)
		events = UV_READABLE | UV_WRITABLE; /* the library shall find out what it is */
	int refused = mqtt->established ? 0 : refusal(mqtt);
	if (refused) {
		lost(mqtt, strerror(refused));
		return;
	}
	if (events & UV_WRITABLE) {
		mqtt->established = true;
		result = library->loop_write(mqtt->client, 1);
	}
	if (result == MOSQ_ERR_SUCCESS && events & UV_READABLE)
		result = library->loop_read(mqtt->client, 1);
	if (mqtt->watch != watch)
		return;
	if (result != MOSQ_ERR_SUCCESS || library->socket(mqtt->client) < 0)
		lost(mqtt, result == MOSQ_ERR_ERRNO ? strerror(errno) : library->strerror(result));
	else
		watch_socket(mqtt);
}

static void connect_now(struct mqtt *mqtt)
{
	const struct mqtt_library *library = &mqtt->library;
	errno = 0;
	int result = mqtt->opened
		? library->reconnect_async(mqtt->client)
		: library->connect_bind_async(mqtt->client, mqtt->host, (int)mqtt->port, KEEPALIVE_S, NULL);
	mqtt->opened = true;
	if (result == MOSQ_ERR_SUCCESS && library->socket(mqtt->client) >= 0 && open_watch(mqtt) == 0)
		return;
	lost(mqtt, result == MOSQ_ERR_ERRNO ? strerror(errno) : library->strerror(result));
}

static void on_name(void *context, int result)
{
	struct mqtt *mqtt = context;
	char why[200];
	mqtt->name = NULL;
	if (result == 0) {
		connect_now(mqtt);
		return;
	}
	snprintf(why, sizeof(why), "DNS does not answer for the broker's name, %.120s", mqtt->host);
	lost(mqtt, why);
}

static void try_to_connect(struct mqtt *mqtt)
{
	struct addr address;
	mqtt->why[0] = '\0';
	mqtt->ticks = 0;
	if (addr_parse(mqtt->host, &address) || strcmp(mqtt->host, "localhost") == 0) {
		connect_now(mqtt);
		return;
	}
	mqtt->name = name_ask(mqtt->loop, mqtt->host, on_name, mqtt);
	if (!mqtt->name)
		lost(mqtt, "out of memory");
}

static void on_again(uv_timer_t *timer)
{
	try_to_connect(timer->data);
}

static void on_tick(uv_timer_t *timer)
{
	struct mqtt *mqtt = timer->data;
	if (!mqtt->watch)
		return;
	int result = mqtt->library.loop_misc(mqtt->client);
	if (result != MOSQ_ERR_SUCCESS || mqtt->library.socket(mqtt->client) < 0)
		lost(mqtt, "the broker is silent");
	else if (!mqtt->connected && ++mqtt->ticks > CONNECT_TICKS_MAX)
		lost(mqtt, "the broker does not answer");
	else
		watch_socket(mqtt);
}

/* ---- messages */

static void hand_over(struct mqtt *mqtt)
{
	while (mqtt->unsent.first && mqtt->connected && mqtt->handed < HANDED_MAX) {
		const struct unsent_message *message = mqtt->unsent.first;
		int result = mqtt->library.publish_v5(mqtt->client, NULL, message->topic,
			(int)message->length, message->payload, QOS, message->keep, NULL);
		/* Anything else is in the library's hands, whatever became of the connection. */
		if (result == MOSQ_ERR_NOMEM)
			return;
		mqtt->handed += result != MOSQ_ERR_INVAL && result != MOSQ_ERR_OVERSIZE_PACKET;
		unsent_drop(&mqtt->unsent);
	}
}

static int publish(struct bus *bus, const char *topic, const char *payload, size_t length, bool keep)
{
	struct mqtt *mqtt = (struct mqtt *)bus;
	if (mqtt->unsent.count + mqtt->handed >= UNSENT_MAX || mqtt->closing)
		return -ENOBUFS;
	int result = unsent_put(&mqtt->unsent, topic, payload, length, keep);
	if (result < 0)
		return result;
	hand_over(mqtt);
	watch_socket(mqtt);
	return 0;
}

static int subscribe(struct bus *bus, const char *filter)
{
	struct mqtt *mqtt = (struct mqtt *)bus;
	if (!mqtt->connected)
		return 0; /* later, with the others */
	int result = mqtt->library.subscribe_v5(mqtt->client, NULL, filter, QOS, 0, NULL);
	watch_socket(mqtt);
	return result == MOSQ_ERR_NOMEM ? -ENOMEM : 0;
}

static void on_connect(
	struct mosquitto *client, void *self, int reason, int flags, const mosquitto_property *properties)
{
	struct mqtt *mqtt = self;
	(void)flags, (void)properties;
	if (reason != 0) {
		snprintf(mqtt->why, sizeof(mqtt->why), "the broker refuses us: %s",
			mqtt->library.reason_string(reason));
		return; /* it closes the connection now */
	}
	mqtt->connected = true;
	mqtt->why[0] = '\0';
	mqtt->pause_ms = PAUSE_FIRST_MS;
	for (size_t i = 0; i < mqtt->bus.subscription_count; i++)
		(void)!subscribe(&mqtt->bus, mqtt->bus.subscriptions[i].filter);
	tell(mqtt, true, NULL);
	mqtt_trial_begin(&mqtt->trial, &mqtt->library, client);
	hand_over(mqtt);
}

static void on_disconnect(
	struct mosquitto *client, void *self, int reason, const mosquitto_property *properties)
{
	struct mqtt *mqtt = self;
	(void)client, (void)properties;
	/* Above 128 they are the broker's words (MQTT 5, 2.4), below the library's. */
	if (!mqtt->why[0] && reason >= MQTT_RC_UNSPECIFIED)
		snprintf(mqtt->why, sizeof(mqtt->why), "the broker says: %s",
			mqtt->library.reason_string(reason));
}

static void on_message(struct mosquitto *client, void *self, const struct mosquitto_message *message,
	const mosquitto_property *properties)
{
	struct mqtt *mqtt = self;
	(void)client, (void)properties;
	if (!mqtt->closing && !mqtt_trial_heard(&mqtt->trial, message->topic))
		bus_deliver(&mqtt->bus, message->topic, message->payload ? message->payload : "",
			(size_t)message->payloadlen);
}

static void on_publish(
	struct mosquitto *client, void *self, int id, int reason, const mosquitto_property *properties)
{
	struct mqtt *mqtt = self;
	char text[120];
	(void)client, (void)properties;
	if (mqtt_trial_published(&mqtt->trial, id, reason >= MQTT_RC_UNSPECIFIED))
		return;
	mqtt->handed -= mqtt->handed > 0;
	if (reason >= MQTT_RC_UNSPECIFIED) {
		snprintf(text, sizeof(text), "the broker does not take what we publish: %s",
			mqtt->library.reason_string(reason));
		tell(mqtt, mqtt->connected, text);
	}
	hand_over(mqtt);
}

static void on_subscribe(struct mosquitto *client, void *self, int id, int count, const int *granted,
	const mosquitto_property *properties)
{
	struct mqtt *mqtt = self;
	char text[120];
	(void)client, (void)properties;
	if (mqtt_trial_subscribed(&mqtt->trial, id))
		return;
	for (int i = 0; i < count; i++)
		if (granted[i] >= MQTT_RC_UNSPECIFIED) {
			snprintf(text, sizeof(text), "the broker refuses a subscription: %s",
				mqtt->library.reason_string(granted[i]));
			tell(mqtt, mqtt->connected, text);
		}
}

/* ---- life */

static void free_rest(struct mqtt *mqtt)
{
	const struct mqtt_library *library = &mqtt->library;
	if (mqtt->connected) {
		hand_over(mqtt);
		/* "Disconnect with Will Message": who is gone shall be known to be gone. */
		library->disconnect_v5(mqtt->client,
			mqtt->has_will ? MQTT_RC_DISCONNECT_WITH_WILL_MSG : MQTT_RC_NORMAL_DISCONNECTION,
			NULL);
		for (int i = 0; i < LAST_WRITES_MAX && library->socket(mqtt->client) >= 0 &&
			library->want_write(mqtt->client);
			i++)
			library->loop_write(mqtt->client, 1);
	}
	if (mqtt->client)
		library->destroy(mqtt->client);
	unsent_deinit(&mqtt->unsent);
	free(mqtt->host);
	bus_closed(&mqtt->bus);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct mqtt *mqtt = handle->data;
	if (++mqtt->closed_timers == 2)
		free_rest(mqtt);
}

/* The library may be the caller: it is taken down from the loop. */
static void free_mqtt(struct bus *bus)
{
	struct mqtt *mqtt = (struct mqtt *)bus;
	mqtt->closing = true;
	name_give_up(mqtt->name);
	unwatch(mqtt);
	uv_close((uv_handle_t *)&mqtt->tick, on_timer_closed);
	uv_close((uv_handle_t *)&mqtt->again, on_timer_closed);
}

static bool is_loopback(const char *host)
{
	struct addr address;
	return strcmp(host, "localhost") == 0 || (addr_parse(host, &address) && addr_is_loopback(address));
}

/* A key that wants a passphrase is refused instead of asking the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer, (void)size, (void)writing, (void)context;
	return 0;
}

static int secure(struct mqtt *mqtt, const struct bus_mqtt_options *options, struct error *error)
{
	if (!options->certificate_file != !options->key_file ||
		(options->certificate_file && !options->ca_file))
		return error_set(error, -EINVAL,
			"broker %s: TLS needs three files, the authority's certificate, ours, and its key",
			options->host);
	if (!options->ca_file && !options->insecure && !is_loopback(options->host))
		return error_set(error, -EPERM,
			"broker %s: without TLS only on this machine; name ca, certificate and key",
			options->host);
	if (!options->ca_file)
		return 0;
	int result = mqtt->library.tls_set(mqtt->client, options->ca_file, NULL, options->certificate_file,
		options->key_file, no_passphrase);
	if (result == MOSQ_ERR_SUCCESS)
		return 0;
	return error_set(error, -EINVAL, "broker %s: cannot use %s%s%s%s%s: %s", options->host,
		options->ca_file, options->certificate_file ? ", " : "",
		options->certificate_file ? options->certificate_file : "", options->key_file ? ", " : "",
		options->key_file ? options->key_file : "",
		result == MOSQ_ERR_NOT_SUPPORTED ? "this libmosquitto has no TLS"
						 : "is one of them missing or unreadable?");
}

static int set_up(struct mqtt *mqtt, const struct bus_mqtt_options *options, struct error *error)
{
	const struct mqtt_library *library = &mqtt->library;
	mqtt->host = strdup(options->host);
	mqtt->client = mqtt->host ? library->new (options->name, true, mqtt) : NULL;
	if (!mqtt->client)
		return error_set(error, -ENOMEM, "out of memory");
	library->int_option(mqtt->client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	library->int_option(mqtt->client, MOSQ_OPT_TCP_NODELAY, 1);
	library->log_callback_set(mqtt->client, on_log);
	library->connect_v5_callback_set(mqtt->client, on_connect);
	library->disconnect_v5_callback_set(mqtt->client, on_disconnect);
	library->message_v5_callback_set(mqtt->client, on_message);
	library->publish_v5_callback_set(mqtt->client, on_publish);
	library->subscribe_v5_callback_set(mqtt->client, on_subscribe);
	const char *will = options->will_payload;
	if (options->will_topic &&
		library->will_set_v5(mqtt->client, options->will_topic, (int)strlen(will), will, QOS, true,
			NULL) != MOSQ_ERR_SUCCESS)
		return error_set(error, -EINVAL, "broker %s: the will cannot be set", options->host);
	return secure(mqtt, options, error);
}

struct bus *bus_new_mqtt(struct uv_loop_s *loop, const struct bus_mqtt_options *options, struct error *error)
{
	static const struct bus_ops ops = {publish, subscribe, free_mqtt};
	struct mqtt *mqtt = calloc(1, sizeof(*mqtt));
	if (!mqtt) {
		(void)error_set(error, -ENOMEM, "out of memory");
		return NULL;
	}
	mqtt->bus.ops = &ops;
	mqtt->loop = loop;
	unsent_init(&mqtt->unsent);
	mqtt->pause_ms = PAUSE_FIRST_MS;
	mqtt->port = options->port ? options->port : options->ca_file ? PORT_TLS : PORT_PLAIN;
	mqtt->presence = options->presence;
	mqtt->context = options->context;
	mqtt->trial.wanted = options->trial;
	mqtt->has_will = options->will_topic != NULL;
	mqtt->secure = options->ca_file != NULL;
	/* Names are asked for after the process has confined itself. */
	if (mqtt_library_load(&mqtt->library, error) < 0 || cares_load(&(struct cares){0}, error) < 0) {
		free(mqtt);
		return NULL;
	}
	uv_timer_init(loop, &mqtt->tick);
	uv_timer_init(loop, &mqtt->again);
	mqtt->tick.data = mqtt->again.data = mqtt;
	if (set_up(mqtt, options, error) < 0) {
		bus_free(&mqtt->bus, NULL, NULL);
		return NULL;
	}
	uv_timer_start(&mqtt->tick, on_tick, TICK_MS, TICK_MS);
	try_to_connect(mqtt);
	return &mqtt->bus;
}
