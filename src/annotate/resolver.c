#include "annotate/resolver.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/cares.h"

#define QUERY_TIMEOUT_MS 400
#define QUERY_TRIES	 2
/* A resolver that has said nothing at all for so long is not there. */
#define SILENCE_NS (600 * NS_PER_MS)
#define CLASS_IN   1
#define TYPE_TXT   16
#define TEXT_SIZE  1024

struct resolver {
	struct cares cares;
	ares_channel channel;
	unsigned open, answered;
	int64_t first_ns; /* when the first question was asked */
};

struct question {
	struct resolver *resolver;
	char **name;
	resolver_text *answer;
	void *context;
};

int resolver_new(struct resolver **out, struct error *error)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));
	*out = NULL;
	if (!resolver)
		return error_set(error, -ENOMEM, "out of memory");
	int result = cares_open(&resolver->cares, &resolver->channel, QUERY_TIMEOUT_MS, QUERY_TRIES, error);
	if (result < 0) {
		free(resolver);
		return result;
	}
	*out = resolver;
	return 0;
}

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	cares_close(&resolver->cares, resolver->channel);
	free(resolver);
}

/* NULL: no memory to ask with. */
static struct question *new_question(struct resolver *resolver)
{
	struct question *question = calloc(1, sizeof(*question));
	if (question) {
		question->resolver = resolver;
		resolver->open++;
		if (resolver->first_ns == 0)
			resolver->first_ns = clock_monotonic_ns();
	}
	return question;
}

static void close_question(struct question *question, int status)
{
	question->resolver->open--;
	/* That there is no such name is an answer, too. */
	question->resolver->answered += status != ARES_ETIMEOUT && status != ARES_ECONNREFUSED;
	free(question);
}

static void on_name(void *argument, int status, int timeouts, struct hostent *host)
{
	struct question *question = argument;
	(void)timeouts;
	if (status == ARES_SUCCESS && host->h_name && host->h_name[0] && !*question->name)
		*question->name = strdup(host->h_name);
	close_question(question, status);
}

void resolver_ask_name(struct resolver *resolver, struct addr addr, char **name)
{
	uint8_t bytes[16];
	struct question *question = new_question(resolver);
	if (!question)
		return;
	question->name = name;
	addr_to_bytes(addr, bytes);
	resolver->cares.gethostbyaddr(resolver->channel, bytes, addr.family == 4 ? 4 : 16,
		addr.family == 4 ? AF_INET : AF_INET6, on_name, question);
}

static void give_texts(const struct question *question, const struct ares_txt_ext *record)
{
	char text[TEXT_SIZE];
	size_t length = 0;
	for (; record; record = record->next) {
		size_t room = sizeof(text) - length, more = MIN(record->length, room);
		memcpy(text + length, record->txt, more);
		length += more;
		if (!record->next || record->next->record_start) {
			question->answer(question->context, text, length);
			length = 0;
		}
	}
}

static void on_text(void *argument, int status, int timeouts, unsigned char *bytes, int length)
{
	struct question *question = argument;
	const struct cares *cares = &question->resolver->cares;
	struct ares_txt_ext *records = NULL;
	(void)timeouts;
	if (status == ARES_SUCCESS && cares->parse_txt_reply_ext(bytes, length, &records) == ARES_SUCCESS)
		give_texts(question, records);
	if (records)
		cares->free_data(records);
	close_question(question, status);
}

void resolver_ask_text(struct resolver *resolver, const char *name, resolver_text *answer, void *context)
{
	struct question *question = new_question(resolver);
	if (!question)
		return;
	question->answer = answer;
	question->context = context;
	resolver->cares.query(resolver->channel, name, CLASS_IN, TYPE_TXT, on_text, question);
}

/* Wait for the sockets at most until `deadline_ns`, and let the resolver work. */
static void step(const struct cares *cares, ares_channel channel, int64_t deadline_ns)
{
	ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
	struct pollfd fds[ARES_GETSOCK_MAXNUM];
	/* Two bits a socket; c-ares' own macros for them shift a signed 1 into the sign. */
	unsigned bits = (unsigned)cares->getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
	nfds_t count = 0;
	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		bool readable = bits >> i & 1, writable = bits >> (i + ARES_GETSOCK_MAXNUM) & 1;
		short events = (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
		if (events)
			fds[count++] = (struct pollfd){.fd = sockets[i], .events = events};
	}
	int64_t left_ms = MAX(0, deadline_ns - clock_monotonic_ns()) / NS_PER_MS + 1;
	struct timeval most = {.tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000}, next;
	struct timeval *wait = cares->timeout(channel, &most, &next);
	poll(fds, count, (int)(wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1));
	for (nfds_t i = 0; i < count; i++)
		cares->process_fd(channel,
			fds[i].revents & (POLLIN | POLLERR | POLLHUP) ? fds[i].fd : ARES_SOCKET_BAD,
			fds[i].revents & POLLOUT ? fds[i].fd : ARES_SOCKET_BAD);
	if (count == 0)
		cares->process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

void resolver_wait(struct resolver *resolver, int64_t budget_ns)
{
	int64_t end_ns = clock_monotonic_ns() + budget_ns, silent_ns = resolver->first_ns + SILENCE_NS;
	while (resolver->open > 0) {
		int64_t until_ns = resolver->answered > 0 ? end_ns : MIN(end_ns, silent_ns);
		step(&resolver->cares, resolver->channel, until_ns);
		/* What was read just now may be the first answer. */
		until_ns = resolver->answered > 0 ? end_ns : MIN(end_ns, silent_ns);
		if (clock_monotonic_ns() >= until_ns)
			break;
	}
}

void resolver_give_up(struct resolver *resolver)
{
	resolver->cares.cancel(resolver->channel);
}
