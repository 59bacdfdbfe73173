#include "net/cares.h"

#include <errno.h>

#include "base/library.h"

int cares_load(struct cares *cares, struct error *error)
{
	const struct library_symbol symbols[] = {
		{"ares_library_init", &cares->library_init},
		{"ares_library_cleanup", &cares->library_cleanup},
		{"ares_init_options", &cares->init_options},
		{"ares_destroy", &cares->destroy},
		{"ares_cancel", &cares->cancel},
		{"ares_strerror", &cares->strerror},
		{"ares_getsock", &cares->getsock},
		{"ares_timeout", &cares->timeout},
		{"ares_process_fd", &cares->process_fd},
		{"ares_query", &cares->query},
		{"ares_gethostbyaddr", &cares->gethostbyaddr},
		{"ares_getaddrinfo", &cares->getaddrinfo},
		{"ares_freeaddrinfo", &cares->freeaddrinfo},
		{"ares_parse_txt_reply_ext", &cares->parse_txt_reply_ext},
		{"ares_free_data", &cares->free_data},
	};
	return library_load("libcares.so.2", "libc-ares2", symbols, ARRAY_LEN(symbols), error);
}

int cares_open(struct cares *cares, ares_channel *channel, int timeout_ms, int tries, struct error *error)
{
	struct ares_options options = {.timeout = timeout_ms, .tries = tries};
	int result = cares_load(cares, error);
	if (result < 0)
		return result;
	int status = cares->library_init(ARES_LIB_INIT_ALL);
	if (status == ARES_SUCCESS) {
		status = cares->init_options(channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
		if (status != ARES_SUCCESS)
			cares->library_cleanup();
	}
	if (status != ARES_SUCCESS)
		return error_set(error, -EIO, "cannot start the resolver: %s", cares->strerror(status));
	return 0;
}

void cares_close(const struct cares *cares, ares_channel channel)
{
	cares->destroy(channel);
	cares->library_cleanup();
}
