/* Messages between a coordinator and its agents: in one process, or on one machine, by default, over MQTT
 * 5 when agents are other machines.
 *
 * A topic is words with slashes between them, as in MQTT: "retour/1/agent/NAME/task". A filter may have
 * `+` for one word and end in `#` for the rest. Delivery is at least once and in order for each sender
 * while both are connected; receivers tell doubles by the numbers in the messages. Payloads are bytes
 * (JSON in practice, one object each).
 *
 *   retour/1/agent/NAME/task     coordinator to agent
 *   retour/1/agent/NAME/answer   agent to coordinator
 *   retour/1/agent/NAME/status   agent to coordinator, kept by the broker: "online" with what it can do,
 *                                and its last will, "offline"
 *   retour/1/coordinator/status  the other way round */
#ifndef RETOUR_BUS_BUS_H
#define RETOUR_BUS_BUS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"

struct uv_loop_s;
struct bus;

typedef void bus_receive(void *context, const char *topic, const char *payload, size_t length);
/* The connection came (true) or went or could not be made, with the cause; also, connected, when the broker
 * refuses what we publish or subscribe to. Each is told once until something changes, possibly before
 * bus_new_mqtt returns. `why` NULL: all is well. */
typedef void bus_presence(void *context, bool connected, const char *why);

/* What a broker must not let us do is tried with each connection: to say something there, and to hear what is
 * kept or said there. */
struct bus_trial {
	const char *say, *hear; /* topics; with the rest of this borrowed for the life of the bus */
	void (*told)(void *context, bool may_say, bool may_hear);
	void *context;
};

struct bus_mqtt_options {
	const char *host;
	unsigned port;	  /* 0 = 8883 with TLS, 1883 without */
	const char *name; /* the client's: an agent's name, or "coordinator" */
	const char *ca_file, *certificate_file, *key_file; /* TLS with client certificates; NULL = without,
							      which is refused but for loopback */
	bool insecure;			       /* without TLS to other hosts, too: for closed laboratories */
	const char *will_topic, *will_payload; /* published, and kept, when the connection is lost */
	const struct bus_trial *trial;	       /* or NULL */
	bus_presence *presence;
	void *context;
};

/* Everybody in this process who has the same bus. NULL: out of memory. Messages are delivered from the loop,
 * never from within bus_publish. */
struct bus *bus_new_local(struct uv_loop_s *loop);

/* A door in a local bus for other processes of this machine: a Unix socket for its owner only. Who comes in
 * says one name, which nobody else there has; both lists are topics that he may use, with %u for that name,
 * and end with NULL. */
struct bus_door_options {
	const char *path;
	const char *own; /* a name that is used in this process; or NULL */
	const char *const *may_say, *const *may_hear;
};
struct bus_door;
/* Borrows bus and options. NULL with `error`. */
struct bus_door *bus_door_open(
	struct uv_loop_s *loop, struct bus *bus, const struct bus_door_options *options, struct error *error);
/* Before its bus is freed. NULL is nothing. */
void bus_door_close(struct bus_door *door);

/* From another process: through such a door. Tries again as bus_new_mqtt does. */
struct bus_socket_options {
	const char *path, *name;
	const char *will_topic, *will_payload;
	bus_presence *presence;
	void *context;
};
struct bus *bus_new_socket(
	struct uv_loop_s *loop, const struct bus_socket_options *options, struct error *error);

/* Connects, and connects again with growing pauses when it is lost; what is published meanwhile waits
 * (bounded), and subscriptions are made again. A name that stands for the host is looked up while everything
 * else goes on. NULL with `error`: files that cannot be read, no libmosquitto. */
struct bus *bus_new_mqtt(struct uv_loop_s *loop, const struct bus_mqtt_options *options, struct error *error);
/* What waits is handed over if there is a connection, and the will is published. Its handles close on the
 * loop; `closed` is called then (may be NULL). */
void bus_free(struct bus *bus, void (*closed)(void *context), void *context);
/* 0, -ENOMEM, or -ENOBUFS: too much waits already. `keep`: who subscribes later gets the last one. */
int bus_publish(struct bus *bus, const char *topic, const char *payload, size_t length, bool keep) MUST_USE;
/* 0 or -ENOMEM. */
int bus_subscribe(struct bus *bus, const char *filter, bus_receive *receive, void *context) MUST_USE;
/* Nothing is told to this context any more. */
void bus_unsubscribe(struct bus *bus, const void *context);

#endif
