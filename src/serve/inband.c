#include "serve/inband.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "net/driver.h"
#include "net/stamp.h"
#include "path/json.h"
#include "serve/inband_filter.h"
#include "trace/inband.h"

#define AT_ONCE	      8
#define SEGMENT_BYTES 65600 /* what the kernel hands to a card at once (GSO), with headers */
#define CONTROL_BYTES 256
#define READS_MAX     64
#define BLANKS	      4096 /* more than two full segments of Ethernet */
#define RETRY_AFTER_S 3
#define UNAVAILABLE   503
#define NO_PROTOCOL   ETH_P_802_EX1 /* for experiments (IEEE 802): such frames are not about */
#define LINGER_MS     60000

/* One trace and the socket that watches its connection. */
struct slot {
	struct inband_tracer *tracer;
	int fd;
	bool bound;
	uv_poll_t poll;
	struct httpd_exchange *exchange; /* NULL = free */
	int machine;			 /* number with the driver, -1 = none */
	int64_t started_wall_ns;
	struct inband inband;
};

struct inband_tracer {
	struct driver *driver;
	uv_timer_t linger;
	struct slot slots[AT_ONCE];
	uint8_t segment[SEGMENT_BYTES];
};

/* ---- watching */

/* To every interface; only with all protocols are those packets seen that leave. The kernel takes some
 * milliseconds to undo a binding, in which the daemon stands still: so it is left for a while, with a filter
 * that lets nothing through. */
static int bind_to(struct slot *slot, uint16_t protocol)
{
	struct sockaddr_ll where = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol)};
	if (bind(slot->fd, (struct sockaddr *)&where, sizeof(where)) < 0)
		return -errno;
	slot->bound = protocol == ETH_P_ALL;
	return 0;
}

static int watch(struct slot *slot, const struct inband_pair *pair)
{
	int code = inband_filter_set(slot->fd, pair);
	return code == 0 && !slot->bound ? bind_to(slot, ETH_P_ALL) : code;
}

/* Nobody has asked for a while. */
static void on_linger(uv_timer_t *timer)
{
	struct inband_tracer *tracer = timer->data;
	for (size_t i = 0; i < AT_ONCE; i++)
		if (tracer->slots[i].bound && !tracer->slots[i].exchange)
			(void)!bind_to(&tracer->slots[i], NO_PROTOCOL);
}

static void unwatch(struct slot *slot)
{
	(void)!inband_filter_set(slot->fd, NULL);
	uv_timer_start(&slot->tracer->linger, on_linger, LINGER_MS, 0);
}

static bool read_segment(struct slot *slot)
{
	struct inband_tracer *tracer = slot->tracer;
	_Alignas(struct cmsghdr) uint8_t control[CONTROL_BYTES];
	struct iovec vector = {.iov_base = tracer->segment, .iov_len = sizeof(tracer->segment)};
	struct msghdr message = {.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct packet packet;
	ssize_t length = recvmsg(slot->fd, &message, MSG_DONTWAIT);
	if (length < 0)
		return false;
	/* Checksums may be left to hardware that the packet has not met yet, or never will. */
	if (slot->exchange && packet_read(tracer->segment, (size_t)length, &packet) == 0) {
		struct machine machine = inband_machine(&slot->inband);
		machine.ops->packet(machine.self, stamp_of(&message), &packet);
	}
	return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct slot *slot = poll->data;
	(void)events;
	for (int reads = 0; reads < READS_MAX && read_segment(slot); reads++)
		;
	/* libuv stops to watch a socket that reports an error (an interface went down); reading has taken it
	 * away. */
	if (status < 0 && slot->exchange)
		uv_poll_start(poll, UV_READABLE, on_readable);
	driver_wake(slot->tracer->driver);
}

/* ---- a trace */

static struct path *path_of(const struct slot *slot)
{
	return inband_path(&slot->inband, slot->started_wall_ns, clock_monotonic_ns());
}

/* As the client would say it: from this host back to the client. NULL: out of memory. */
static char *document_of(const struct slot *slot)
{
	const struct inband_flow *flow = &slot->inband.flow;
	const char *trouble = inband_trouble(&slot->inband);
	struct measurement measurement;
	measurement_init(&measurement);
	measurement.command = "back";
	measurement.started_wall_ns = slot->started_wall_ns;
	measurement.finished_wall_ns = clock_wall_ns();
	measurement.source = measurement.public_address = flow->remote;
	measurement.target = flow->local;
	measurement.reverse = path_of(slot);
	bool reached = measurement.reverse && measurement.reverse->reached;
	struct attempt *attempt = measurement_add_attempt(&measurement, "inband",
		reached			      ? ATTEMPT_OK
			: measurement.reverse ? ATTEMPT_PARTIAL
					      : ATTEMPT_FAILED,
		trouble		  ? trouble
			: reached ? ""
				  : "the client did not answer");
	if (attempt)
		attempt->duration_ns = measurement.finished_wall_ns - measurement.started_wall_ns;
	char *text = attempt ? measurement_to_line(&measurement) : NULL;
	measurement_deinit(&measurement);
	return text;
}

static void release(struct slot *slot)
{
	if (slot->machine >= 0)
		driver_remove(slot->tracer->driver, (unsigned)slot->machine);
	uv_poll_stop(&slot->poll);
	unwatch(slot);
	inband_deinit(&slot->inband);
	slot->machine = -1;
	slot->exchange = NULL;
}

static void on_end(void *context)
{
	release(context);
}

bool inband_done(struct inband_tracer *tracer, unsigned machine)
{
	for (size_t i = 0; i < AT_ONCE; i++) {
		struct slot *slot = &tracer->slots[i];
		if (!slot->exchange || slot->machine != (int)machine)
			continue;
		char *text = document_of(slot);
		/* A stream that has ended, or a client that does not read, is told by the end of the
		 * exchange. */
		if (text)
			(void)!httpd_write(slot->exchange, text, strlen(text));
		free(text);
		httpd_end(slot->exchange);
		return true;
	}
	return false;
}

static struct slot *free_slot(struct inband_tracer *tracer)
{
	for (size_t i = 0; i < AT_ONCE; i++)
		if (!tracer->slots[i].exchange)
			return &tracer->slots[i];
	return NULL;
}

/* 0 or negative errno; then nothing is left behind. */
static int begin(struct slot *slot, struct httpd_exchange *exchange)
{
	const struct httpd_peer *peer = httpd_peer(exchange);
	struct inband_config config = {.local = peer->local,
		.remote = peer->address,
		.local_port = peer->local_port,
		.remote_port = peer->port,
		.key = hash_key_random()};
	struct inband_pair pair = {peer->local, peer->address, peer->local_port, peer->port};
	inband_init(&slot->inband, &config);
	slot->exchange = exchange;
	slot->started_wall_ns = clock_wall_ns();
	int code = watch(slot, &pair);
	if (code == 0)
		code = uv_poll_start(&slot->poll, UV_READABLE, on_readable);
	if (code == 0)
		slot->machine = code = driver_add_numbered(
			slot->tracer->driver, inband_machine(&slot->inband), peer->address);
	if (code < 0)
		release(slot);
	return MIN(code, 0);
}

static void refuse(struct httpd_exchange *exchange, const char *why)
{
	char *body = NULL;
	int length = asprintf(&body, "{\"error\": {\"code\": \"busy\", \"message\": \"%s\"}}\n", why);
	httpd_answer(exchange,
		(struct httpd_answer){.status = UNAVAILABLE,
			.body = length < 0 ? NULL : body,
			.length = length < 0 ? 0 : (size_t)length,
			.retry_after_s = RETRY_AFTER_S});
}

void inband_handle(void *context, struct httpd_exchange *exchange)
{
	struct inband_tracer *tracer = context;
	static char blanks[BLANKS];
	struct slot *slot = free_slot(tracer);
	if (!slot || httpd_peer(exchange)->port == 0 || begin(slot, exchange) < 0) {
		refuse(exchange, "no trace inside connections can begin now");
		return;
	}
	memset(blanks, ' ', sizeof(blanks) - 1);
	blanks[sizeof(blanks) - 1] = '\n';
	httpd_on_end(exchange, on_end, slot);
	httpd_stream(exchange, NULL);
	(void)!httpd_write(exchange, blanks, sizeof(blanks));
	driver_wake(tracer->driver);
}

/* ---- */

static int open_slot(struct inband_tracer *tracer, struct slot *slot)
{
	slot->tracer = tracer;
	slot->machine = -1;
	slot->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); /* 0: of nothing */
	int code = slot->fd < 0 ? -errno : stamp_enable(slot->fd, false);
	if (code == 0)
		code = uv_poll_init(tracer->driver->on, &slot->poll, slot->fd);
	slot->poll.data = slot;
	return code;
}

int inband_open(struct inband_tracer **made, struct driver *driver, struct error *error)
{
	struct inband_tracer *tracer = *made = calloc(1, sizeof(*tracer));
	if (!tracer)
		return error_set(error, -ENOMEM, "out of memory");
	tracer->driver = driver;
	for (size_t i = 0; i < AT_ONCE; i++)
		tracer->slots[i].fd = -1;
	int code = uv_timer_init(driver->on, &tracer->linger);
	tracer->linger.data = tracer;
	for (size_t i = 0; i < AT_ONCE && code == 0; i++)
		code = open_slot(tracer, &tracer->slots[i]);
	return code < 0 ? error_set(error, code, "cannot watch connections: %s", strerror(-code)) : 0;
}

void inband_free(struct inband_tracer *tracer)
{
	if (!tracer)
		return;
	for (size_t i = 0; i < AT_ONCE; i++)
		if (tracer->slots[i].fd >= 0)
			close(tracer->slots[i].fd);
	free(tracer);
}
