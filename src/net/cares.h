/* c-ares, loaded by those runs that ask for names. */
#ifndef RETOUR_NET_CARES_H
#define RETOUR_NET_CARES_H

#include <ares.h>

#include "base/compiler.h"
#include "base/error.h"

/* Its functions under their own names, without the prefix. */
struct cares {
	int (*library_init)(int flags);
	void (*library_cleanup)(void);
	int (*init_options)(ares_channel *channel, struct ares_options *options, int mask);
	void (*destroy)(ares_channel channel);
	void (*cancel)(ares_channel channel);
	const char *(*strerror)(int code);
	int (*getsock)(ares_channel channel, ares_socket_t *sockets, int count);
	struct timeval *(*timeout)(ares_channel channel, struct timeval *most, struct timeval *out);
	void (*process_fd)(ares_channel channel, ares_socket_t readable, ares_socket_t writable);
	void (*query)(ares_channel channel, const char *name, int class, int type, ares_callback callback,
		void *context);
	void (*gethostbyaddr)(ares_channel channel, const void *address, int length, int family,
		ares_host_callback callback, void *context);
	void (*getaddrinfo)(ares_channel channel, const char *node, const char *service,
		const struct ares_addrinfo_hints *hints, ares_addrinfo_callback callback, void *context);
	void (*freeaddrinfo)(struct ares_addrinfo *addresses);
	int (*parse_txt_reply_ext)(const unsigned char *bytes, int length, struct ares_txt_ext **out);
	void (*free_data)(void *data);
};

/* For those who ask later, when this process may open no files any more. */
int cares_load(struct cares *cares, struct error *error) MUST_USE;
/* Load the library and open a channel that gives each of `tries` that long; its first, later ones longer. */
int cares_open(
	struct cares *cares, ares_channel *channel, int timeout_ms, int tries, struct error *error) MUST_USE;
/* Calls back for what is still open. */
void cares_close(const struct cares *cares, ares_channel channel);

#endif
