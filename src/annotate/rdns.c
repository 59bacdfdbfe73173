#include "annotate/rdns.h"

#include <ares.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"

#define QUERY_TIMEOUT_MS 400
#define QUERY_TRIES      2

struct question {
	char **name;
	size_t *open;
};

static void on_answer(void *argument, int status, int timeouts, struct hostent *host)
{
	struct question *question = argument;
	(void)timeouts;
	(*question->open)--;
	if (status == ARES_SUCCESS && host->h_name && host->h_name[0])
		*question->name = strdup(host->h_name);
}

/* Wait for the resolver's sockets at most until `deadline_ns`, and let it work. */
static void step(ares_channel channel, int64_t deadline_ns)
{
	ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
	struct pollfd fds[ARES_GETSOCK_MAXNUM];
	int bits = ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
	nfds_t count = 0;
	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		short events = (short)((ARES_GETSOCK_READABLE(bits, i) ? POLLIN : 0) |
			(ARES_GETSOCK_WRITABLE(bits, i) ? POLLOUT : 0));
		if (events)
			fds[count++] = (struct pollfd){.fd = sockets[i], .events = events};
	}
	int64_t left_ms = MAX(0, deadline_ns - clock_monotonic_ns()) / NS_PER_MS + 1;
	struct timeval most = {.tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000}, next;
	struct timeval *wait = ares_timeout(channel, &most, &next);
	poll(fds, count, (int)(wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1));
	for (nfds_t i = 0; i < count; i++)
		ares_process_fd(channel, fds[i].revents & (POLLIN | POLLERR | POLLHUP) ? fds[i].fd : ARES_SOCKET_BAD,
			fds[i].revents & POLLOUT ? fds[i].fd : ARES_SOCKET_BAD);
	if (count == 0)
		ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void ask(ares_channel channel, struct addr addr, struct question *question)
{
	uint8_t bytes[16];
	addr_to_bytes(addr, bytes);
	ares_gethostbyaddr(channel, bytes, addr.family == 4 ? 4 : 16, addr.family == 4 ? AF_INET : AF_INET6, on_answer,
		question);
}

int rdns_names(const struct addr *addrs, size_t count, char **names, int64_t budget_ns, struct error *error)
{
	struct ares_options options = {.timeout = QUERY_TIMEOUT_MS, .tries = QUERY_TRIES};
	ares_channel channel;
	size_t open = count;
	memset(names, 0, count * sizeof(*names));
	struct question *questions = calloc(count + 1, sizeof(*questions));
	if (!questions)
		return error_set(error, -ENOMEM, "out of memory");
	int status = ares_library_init(ARES_LIB_INIT_ALL);
	if (status == ARES_SUCCESS)
		status = ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
	if (status != ARES_SUCCESS) {
		free(questions);
		return error_set(error, -EIO, "cannot start the resolver: %s", ares_strerror(status));
	}
	int64_t deadline_ns = clock_monotonic_ns() + budget_ns;
	for (size_t i = 0; i < count; i++) {
		questions[i] = (struct question){.name = &names[i], .open = &open};
		ask(channel, addrs[i], &questions[i]);
	}
	while (open > 0 && clock_monotonic_ns() < deadline_ns)
		step(channel, deadline_ns);
	ares_destroy(channel); /* calls back for what is still open */
	ares_library_cleanup();
	free(questions);
	return 0;
}
