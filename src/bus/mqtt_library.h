/* libmosquitto as far as we use it, loaded when it is needed. */
#ifndef RETOUR_BUS_MQTT_LIBRARY_H
#define RETOUR_BUS_MQTT_LIBRARY_H

#include <mosquitto.h>

#include "base/compiler.h"
#include "base/error.h"

/* The functions that are used, by the names they have in the library without "mosquitto_". */
struct mqtt_library {
	int (*lib_init)(void);
	struct mosquitto *(*new)(const char *, bool, void *);
	void (*destroy)(struct mosquitto *);
	int (*int_option)(struct mosquitto *, enum mosq_opt_t, int);
	int (*tls_set)(struct mosquitto *, const char *, const char *, const char *, const char *,
		int (*)(char *, int, int, void *));
	int (*will_set_v5)(
		struct mosquitto *, const char *, int, const void *, int, bool, mosquitto_property *);
	int (*connect_bind_async)(struct mosquitto *, const char *, int, int, const char *);
	int (*reconnect_async)(struct mosquitto *);
	int (*disconnect_v5)(struct mosquitto *, int, const mosquitto_property *);
	int (*publish_v5)(struct mosquitto *, int *, const char *, int, const void *, int, bool,
		const mosquitto_property *);
	int (*subscribe_v5)(struct mosquitto *, int *, const char *, int, int, const mosquitto_property *);
	int (*socket)(struct mosquitto *);
	bool (*want_write)(struct mosquitto *);
	int (*loop_read)(struct mosquitto *, int);
	int (*loop_write)(struct mosquitto *, int);
	int (*loop_misc)(struct mosquitto *);
	void (*connect_v5_callback_set)(struct mosquitto *,
		void (*)(struct mosquitto *, void *, int, int, const mosquitto_property *));
	void (*disconnect_v5_callback_set)(
		struct mosquitto *, void (*)(struct mosquitto *, void *, int, const mosquitto_property *));
	void (*message_v5_callback_set)(struct mosquitto *,
		void (*)(struct mosquitto *, void *, const struct mosquitto_message *,
			const mosquitto_property *));
	void (*publish_v5_callback_set)(struct mosquitto *,
		void (*)(struct mosquitto *, void *, int, int, const mosquitto_property *));
	void (*subscribe_v5_callback_set)(struct mosquitto *,
		void (*)(struct mosquitto *, void *, int, int, const int *, const mosquitto_property *));
	void (*log_callback_set)(struct mosquitto *, void (*)(struct mosquitto *, void *, int, const char *));
	const char *(*strerror)(int);
	const char *(*reason_string)(int);
};

int mqtt_library_load(struct mqtt_library *library, struct error *error) MUST_USE;

#endif
