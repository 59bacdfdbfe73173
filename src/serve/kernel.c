#include "serve/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "net/message.h"
#include "net/stamp.h"
#include "serve/filter.h"
#include "serve/local.h"
#include "serve/ports.h"
#include "serve/rule.h"
#include "serve/sandbox.h"

#define BATCH		     64
#define ANSWER_BATCHES	     4
#define PACKET_BYTES	     2048 /* requests and errors are shorter (RFC 1812 4.3.2.3, RFC 4443 2.4) */
#define CONTROL_BYTES	     256
#define RECEIVE_BUFFER_BYTES (8 << 20)
#define SOCKETS		     4 /* answers and requests of both families */
#define SIGNALS		     4

/* Room for one recvmmsg. */
struct batch {
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];
	uint8_t data[BATCH][PACKET_BYTES];
	_Alignas(struct cmsghdr) uint8_t control[BATCH][CONTROL_BYTES];
};

struct serve {
	struct responder *responder; /* NULL = this daemon is none */
	struct machine machine;
	struct web *web;		    /* NULL = no HTTP */
	struct reflector_socket *reflector; /* NULL = no reflector */
	struct vantage_point *vantage;	    /* NULL = no agent */
	struct ports ports;
	struct rule rule;
	int receive_fds[SOCKETS]; /* answers first: they are worked off first */
	int send_fds[2];	  /* IPv4, IPv6 */
	int local_fd;
	struct batch batch;
	bool loop_open;
	uv_loop_t loop;
	uv_poll_t polls[SOCKETS];
	uv_poll_t local_poll;
	uv_signal_t signals[SIGNALS];
	void (*report)(const struct serve *serve);
};

/* Receives on every interface, of whatever link type. */
static int open_receiver(const struct serve *serve, uint8_t family, enum filter_kind kind,
	uint8_t icmp_prefix, struct error *error)
{
	int on = 1, size = RECEIVE_BUFFER_BYTES;
	struct sockaddr_ll everywhere = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(family == 4 ? ETH_P_IP : ETH_P_IPV6),
	};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(error, -errno, "cannot listen to packets: %s", strerror(errno));
	int code = filter_attach(fd, family, kind, serve->ports.port, icmp_prefix);
	if (code == 0)
		code = stamp_enable(fd, false);
	/* More than net.core.rmem_max only with cap_net_admin; less is no reason to give up. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	if (code == 0 && bind(fd, (struct sockaddr *)&everywhere, sizeof(everywhere)) < 0)
		code = -errno;
	if (code < 0) {
		close(fd);
		return error_set(error, code, "cannot listen to packets: %s", strerror(-code));
	}
	return fd;
}

/* Whole packets, through the host's routing: the way out need not be the way in. */
static int open_sender(uint8_t family, struct error *error)
{
	int on = 1;
	int fd = socket(
		family == 4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0)
		return error_set(error, -errno, "cannot open a raw socket: %s%s", strerror(errno),
			errno == EPERM ? " (run as root, or with cap_net_raw and cap_net_admin)" : "");
	if (family == 6 && setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof(on)) < 0) {
		int code = -errno;
		close(fd);
		return error_set(error, code, "cannot write IPv6 headers: %s", strerror(-code));
	}
	return fd;
}

static int open_family(struct serve *serve, uint8_t family, uint8_t icmp_prefix, struct error *error)
{
	size_t index = family == 4 ? 0 : 1;
	int *answers = &serve->receive_fds[index], *requests = &serve->receive_fds[2 + index];
	if ((serve->send_fds[index] = open_sender(family, error)) < 0)
		return serve->send_fds[index];
	if ((*answers = open_receiver(serve, family, FILTER_ANSWERS, icmp_prefix, error)) < 0)
		return *answers;
	*requests = open_receiver(serve, family, FILTER_REQUESTS, icmp_prefix, error);
	return MIN(*requests, 0);
}

static int refresh_addresses(struct serve *serve)
{
	struct addr *addresses = NULL;
	size_t count;
	int code = local_addresses(&addresses, &count);
	if (code == 0)
		code = responder_set_addresses(serve->responder, addresses, count);
	free(addresses);
	return code;
}

uint16_t serve_port(const struct serve *serve)
{
	return serve->ports.port;
}

struct responder_counters serve_counters(const struct serve *serve)
{
	return serve->responder ? responder_counters(serve->responder) : (struct responder_counters){0};
}

bool serve_is_responder(const struct serve *serve)
{
	return serve->responder;
}

const struct reflector_socket *serve_reflector(const struct serve *serve)
{
	return serve->reflector;
}

const struct vantage_point *serve_vantage(const struct serve *serve)
{
	return serve->vantage;
}

static int send_packet(const struct serve *serve, struct outgoing *outgoing)
{
	struct packet packet;
	int code = packet_read(outgoing->bytes, outgoing->length, &packet);
	if (code < 0)
		return code;
	return message_send_from(serve->send_fds[packet.ip.source.family == 4 ? 0 : 1], outgoing->bytes,
		outgoing->length, packet.ip.source, packet.ip.destination);
}

static void send_all(struct serve *serve)
{
	struct outgoing outgoing;
	int64_t wake_ns;
	int64_t now_ns = clock_monotonic_ns();
	while (serve->machine.ops->next(serve->machine.self, now_ns, &outgoing, &wake_ns) == MACHINE_SEND) {
		int code = send_packet(serve, &outgoing);
		serve->machine.ops->sent(serve->machine.self, outgoing.token, now_ns, code);
		now_ns = clock_monotonic_ns();
	}
}

/* One batch. True when there may be more. */
static bool receive_batch(struct serve *serve, int fd)
{
	struct batch *batch = &serve->batch;
	for (size_t i = 0; i < BATCH; i++)
		batch->messages[i].msg_hdr.msg_controllen = CONTROL_BYTES;
	int count = recvmmsg(fd, batch->messages, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++) {
		struct packet packet;
		if (packet_read(batch->data[i], batch->messages[i].msg_len, &packet) < 0)
			continue;
		int64_t received_ns = stamp_of(&batch->messages[i].msg_hdr);
		serve->machine.ops->packet(serve->machine.self, received_ns, &packet);
		send_all(serve);
	}
	return count == BATCH;
}

/* libuv stops to watch a socket that reports an error; reading has taken the error away (an interface went
 * down, messages were lost), and life goes on. */
static void watch_again(uv_poll_t *poll, int status, uv_poll_cb callback)
{
	if (status < 0)
		uv_poll_start(poll, UV_READABLE, callback);
}

/* Answers before requests, one batch of requests at a time, so that a flood of requests delays an answer by
 * one batch; but a flood of answers does not shut out requests either. */
static void on_readable(uv_poll_t *poll, int status, int events UNUSED)
{
	struct serve *serve = poll->data;
	for (size_t i = 0; i < SOCKETS; i++) {
		int batches = i < 2 ? ANSWER_BATCHES : 1;
		while (serve->receive_fds[i] >= 0 && batches-- > 0 &&
			receive_batch(serve, serve->receive_fds[i]))
			;
	}
	watch_again(poll, status, on_readable);
}

static void on_addresses_changed(uv_poll_t *poll, int status, int events UNUSED)
{
	struct serve *serve = poll->data;
	local_drain(serve->local_fd);
	(void)!refresh_addresses(serve); /* the old ones serve until the next change */
	watch_again(poll, status, on_addresses_changed);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct serve *serve = handle->data;
	if (number == SIGUSR1)
		serve->report(serve);
	else if (number == SIGHUP)
		web_reload(serve->web);
	else
		uv_stop(&serve->loop);
}

static int watch(struct serve *serve, uv_poll_t *poll, int fd, uv_poll_cb callback)
{
	int code = fd < 0 ? 0 : uv_poll_init(&serve->loop, poll, fd);
	poll->data = serve;
	if (fd >= 0 && code == 0)
		code = uv_poll_start(poll, UV_READABLE, callback);
	return code;
}

/* SIGHUP has a meaning with a certificate only: without one it ends the program, as it does others. */
static int watch_all(struct serve *serve, bool tls)
{
	static const int numbers[SIGNALS] = {SIGINT, SIGTERM, SIGUSR1, SIGHUP};
	/* A client that is gone is an error of the write, not the end. */
	signal(SIGPIPE, SIG_IGN);
	int code = uv_loop_init(&serve->loop);
	serve->loop_open = code == 0;
	for (size_t i = 0; i < SOCKETS && code == 0; i++)
		code = watch(serve, &serve->polls[i], serve->receive_fds[i], on_readable);
	if (code == 0)
		code = watch(serve, &serve->local_poll, serve->local_fd, on_addresses_changed);
	for (size_t i = 0; i < (tls ? SIGNALS : SIGNALS - 1) && code == 0; i++) {
		code = uv_signal_init(&serve->loop, &serve->signals[i]);
		serve->signals[i].data = serve;
		if (code == 0)
			code = uv_signal_start(&serve->signals[i], on_signal, numbers[i]);
	}
	return code;
}

static int set_up_responder(struct serve *serve, const struct serve_options *options, struct error *error)
{
	struct responder_config config = {
		.key = hash_key_random(),
		.port = serve->ports.port,
		.icmp_prefix = (uint8_t)hash_key_random().k0,
		.rate = options->rate,
		.prefix_rate = options->prefix_rate,
		.allow = options->allow,
		.allow_count = options->allow_count,
		.targets = options->web.targets,
		.target_count = options->web.target_count,
	};
	int code = options->ipv4 ? open_family(serve, 4, config.icmp_prefix, error) : 0;
	if (code == 0 && options->ipv6)
		code = open_family(serve, 6, config.icmp_prefix, error);
	if (code < 0)
		return code;
	if (!(serve->responder = responder_new(&config)))
		return error_set(error, -ENOMEM, "out of memory");
	serve->machine = responder_machine(serve->responder);
	if ((serve->local_fd = local_watch(error)) < 0)
		return serve->local_fd;
	if ((code = refresh_addresses(serve)) < 0)
		return error_set(error, code, "cannot read this host's addresses: %s", strerror(-code));
	return 0;
}

static int set_up_reflector(struct serve *serve, const struct serve_options *options, struct error *error)
{
	struct reflector_options reflector = {
		.port = options->stamp_port,
		.ipv4 = options->ipv4,
		.ipv6 = options->ipv6,
		.rate = options->rate,
		.prefix_rate = options->prefix_rate,
		.allow = options->allow,
		.allow_count = options->allow_count,
	};
	int code = reflector_open(&serve->reflector, &reflector, error);
	return code < 0 ? code : reflector_start(serve->reflector, &serve->loop, error);
}

static int set_up(
	struct serve *serve, const struct serve_options *options, struct error *warning, struct error *error)
{
	struct sandbox_needs needs = {.connecting = {-1, -1}};
	int code = ports_reserve(&serve->ports, options->ipv4, options->ipv6, error);
	if (code == 0 && options->responder)
		code = set_up_responder(serve, options, error);
	if (code < 0)
		return code;
	if ((code = watch_all(serve, options->web.tls_certificate)) < 0)
		return error_set(error, code, "cannot start an event loop: %s", uv_strerror(code));
	if (options->web.listen_count > 0) {
		code = web_start(
			&serve->web, &serve->loop, &options->web, serve->ports.port, serve->responder, error);
		if (code < 0)
			return code;
		web_needs(serve->web, &needs);
	}
	if ((code = set_up_reflector(serve, options, error)) < 0)
		return code;
	if ((code = vantage_start(&serve->vantage, &serve->loop, &options->vantage, error)) < 0)
		return code;
	vantage_needs(serve->vantage, &needs);
	if (options->responder)
		(void)!rule_install(&serve->rule, warning);
	return sandbox_enter(&needs, error);
}

static void init_batch(struct batch *batch)
{
	for (size_t i = 0; i < BATCH; i++) {
		batch->vectors[i] = (struct iovec){.iov_base = batch->data[i], .iov_len = PACKET_BYTES};
		batch->messages[i].msg_hdr.msg_iov = &batch->vectors[i];
		batch->messages[i].msg_hdr.msg_iovlen = 1;
		batch->messages[i].msg_hdr.msg_control = batch->control[i];
	}
}

struct serve *serve_start(const struct serve_options *options, struct error *warning, struct error *error)
{
	struct serve *serve = calloc(1, sizeof(*serve));
	if (!serve) {
		error_set(error, -ENOMEM, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < SOCKETS; i++)
		serve->receive_fds[i] = -1;
	serve->send_fds[0] = serve->send_fds[1] = serve->local_fd = -1;
	ports_init(&serve->ports);
	init_batch(&serve->batch);
	if (set_up(serve, options, warning, error) < 0) {
		serve_stop(serve);
		return NULL;
	}
	return serve;
}

int serve_run(struct serve *serve, void (*report)(const struct serve *serve), struct error *error)
{
	serve->report = report;
	int code = uv_run(&serve->loop, UV_RUN_DEFAULT);
	return code < 0 ? error_set(error, code, "the event loop failed: %s", uv_strerror(code)) : 0;
}

static void close_handle(uv_handle_t *handle, void *context UNUSED)
{
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void serve_stop(struct serve *serve)
{
	if (!serve)
		return;
	rule_remove(&serve->rule);
	web_stop(serve->web);
	vantage_stop(serve->vantage);
	if (serve->loop_open) {
		uv_walk(&serve->loop, close_handle, NULL);
		uv_run(&serve->loop, UV_RUN_DEFAULT);
		uv_loop_close(&serve->loop);
	}
	web_free(serve->web);
	reflector_close(serve->reflector);
	vantage_free(serve->vantage);
	for (size_t i = 0; i < SOCKETS; i++)
		if (serve->receive_fds[i] >= 0)
			close(serve->receive_fds[i]);
	for (size_t i = 0; i < 2; i++)
		if (serve->send_fds[i] >= 0)
			close(serve->send_fds[i]);
	if (serve->local_fd >= 0)
		close(serve->local_fd);
	ports_release(&serve->ports);
	responder_free(serve->responder);
	free(serve);
}
