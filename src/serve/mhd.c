#include "serve/mhd.h"

#include "base/library.h"

int mhd_load(struct mhd *mhd, struct error *error)
{
	const struct library_symbol symbols[] = {
		{"MHD_start_daemon", &mhd->start},
		{"MHD_stop_daemon", &mhd->stop},
		{"MHD_quiesce_daemon", &mhd->quiesce},
		{"MHD_run", &mhd->run},
		{"MHD_get_timeout", &mhd->timeout},
		{"MHD_get_daemon_info", &mhd->daemon_info},
		{"MHD_get_connection_info", &mhd->connection_info},
		{"MHD_get_connection_values", &mhd->values},
		{"MHD_lookup_connection_value_n", &mhd->value_n},
		{"MHD_suspend_connection", &mhd->suspend},
		{"MHD_resume_connection", &mhd->resume},
		{"MHD_queue_response", &mhd->queue},
		{"MHD_create_response_from_buffer", &mhd->from_buffer},
		{"MHD_create_response_from_callback", &mhd->from_callback},
		{"MHD_add_response_header", &mhd->add_header},
		{"MHD_destroy_response", &mhd->destroy},
	};
	return library_load("libmicrohttpd.so.12", "libmicrohttpd12", symbols, ARRAY_LEN(symbols), error);
}
