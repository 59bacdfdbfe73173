#include "bus/mqtt_library.h"

#include "base/library.h"

int mqtt_library_load(struct mqtt_library *library, struct error *error)
{
	const struct library_symbol symbols[] = {
		{"mosquitto_lib_init", &library->lib_init},
		{"mosquitto_new", &library->new},
		{"mosquitto_destroy", &library->destroy},
		{"mosquitto_int_option", &library->int_option},
		{"mosquitto_tls_set", &library->tls_set},
		{"mosquitto_will_set_v5", &library->will_set_v5},
		{"mosquitto_connect_bind_async", &library->connect_bind_async},
		{"mosquitto_reconnect_async", &library->reconnect_async},
		{"mosquitto_disconnect_v5", &library->disconnect_v5},
		{"mosquitto_publish_v5", &library->publish_v5},
		{"mosquitto_subscribe_v5", &library->subscribe_v5},
		{"mosquitto_socket", &library->socket},
		{"mosquitto_want_write", &library->want_write},
		{"mosquitto_loop_read", &library->loop_read},
		{"mosquitto_loop_write", &library->loop_write},
		{"mosquitto_loop_misc", &library->loop_misc},
		{"mosquitto_connect_v5_callback_set", &library->connect_v5_callback_set},
		{"mosquitto_disconnect_v5_callback_set", &library->disconnect_v5_callback_set},
		{"mosquitto_message_v5_callback_set", &library->message_v5_callback_set},
		{"mosquitto_publish_v5_callback_set", &library->publish_v5_callback_set},
		{"mosquitto_subscribe_v5_callback_set", &library->subscribe_v5_callback_set},
		{"mosquitto_log_callback_set", &library->log_callback_set},
		{"mosquitto_strerror", &library->strerror},
		{"mosquitto_reason_string", &library->reason_string},
	};
	int result = library_load("libmosquitto.so.1", "libmosquitto1", symbols, ARRAY_LEN(symbols), error);
	if (result == 0)
		library->lib_init();
	return result;
}
