/* libmosquitto asks the C library for addresses, which waits for DNS and the whole loop with it. So a name is
 * asked for here first, without waiting (c-ares); where DNS does not answer, the library is not let at it.
 * Where it does, its second question is answered at once. */
#include "bus/name.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <uv.h>

#include "net/cares.h"

#define LOOK_MS	   20	/* while somebody waits for an answer */
#define TIMEOUT_MS 2000 /* of the first try; the second has twice as long */
#define TRIES	   2

struct name {
	uv_timer_t timer;
	struct cares cares;
	ares_channel channel;
	name_answered *answered;
	void *context;
	bool done;
	int result;
};

static void on_closed(uv_handle_t *handle)
{
	struct name *name = handle->data;
	cares_close(&name->cares, name->channel);
	free(name);
}

void name_give_up(struct name *name)
{
	if (!name)
		return;
	name->answered = NULL;
	uv_timer_stop(&name->timer);
	uv_close((uv_handle_t *)&name->timer, on_closed);
}

/* Also when the channel goes. */
static void on_addresses(void *context, int status, int timeouts, struct ares_addrinfo *addresses)
{
	struct name *name = context;
	(void)timeouts;
	name->done = true;
	name->result = status == ARES_ETIMEOUT || status == ARES_ECONNREFUSED ? -ETIMEDOUT : 0;
	if (addresses)
		name->cares.freeaddrinfo(addresses);
}

static void on_timer(uv_timer_t *timer)
{
	struct name *name = timer->data;
	ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
	unsigned bits = (unsigned)name->cares.getsock(name->channel, sockets, ARES_GETSOCK_MAXNUM);
	for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; i++)
		if (ARES_GETSOCK_READABLE(bits, i) || ARES_GETSOCK_WRITABLE(bits, i))
			name->cares.process_fd(name->channel,
				ARES_GETSOCK_READABLE(bits, i) ? sockets[i] : ARES_SOCKET_BAD,
				ARES_GETSOCK_WRITABLE(bits, i) ? sockets[i] : ARES_SOCKET_BAD);
	name->cares.process_fd(name->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* what has had its time */
	if (!name->done)
		return;
	name_answered *answered = name->answered;
	void *context = name->context;
	int result = name->result;
	name_give_up(name);
	answered(context, result);
}

struct name *name_ask(struct uv_loop_s *loop, const char *host, name_answered *answered, void *context)
{
	struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC};
	struct name *name = calloc(1, sizeof(*name));
	if (!name)
		return NULL;
	if (cares_open(&name->cares, &name->channel, TIMEOUT_MS, TRIES, NULL) < 0) {
		free(name);
		return NULL;
	}
	name->answered = answered;
	name->context = context;
	uv_timer_init(loop, &name->timer);
	name->timer.data = name;
	name->cares.getaddrinfo(name->channel, host, NULL, &hints, on_addresses, name);
	uv_update_time(loop);
	uv_timer_start(&name->timer, on_timer, LOOK_MS, LOOK_MS);
	return name;
}
