#include "serve/tracing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "insight/insight.h"
#include "net/sockaddr.h"
#include "trace/forward.h"

#define UDP_PORT     33434
#define WEB_PORT     80
#define ICMP_FLOW    0xbeaf
#define PING_TTL     64
#define PING_PROBES  5
#define TRACE_MAX_NS (20 * NS_PER_S)
#define SWEEP_MS     500
#define DISCARD_PORT 9 /* any will do: nothing is sent */

/* One for each turn. */
struct job {
	struct trace *trace; /* NULL = free */
	struct trace_order order;
	unsigned machine;
	int64_t started_ns, started_wall_ns;
	tracing_done *done;
	void *context;
};

struct tracing {
	struct tracing_config config;
	struct hash_key key;
	struct job jobs[TURNS_AT_ONCE];
	int lookups[2]; /* IPv4, IPv6 */
	uv_timer_t sweep;
};

/* ---- sources */

static int open_lookups(struct tracing *tracing)
{
	for (int i = 0; i < 2 && tracing->config.find_source; i++) {
		tracing->lookups[i] =
			socket(i == 0 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (tracing->lookups[i] < 0 && errno != EAFNOSUPPORT)
			return -errno;
	}
	return 0;
}

/* Connecting a UDP socket sends nothing: the kernel looks up the route and says which address it would use.
 */
static struct addr look_up_source(const struct tracing *tracing, struct addr target)
{
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
	struct sockaddr_storage storage;
	int fd = tracing->lookups[target.family == 4 ? 0 : 1];
	socklen_t length = sockaddr_from(target, DISCARD_PORT, &storage);
	if (fd < 0 || connect(fd, (struct sockaddr *)&storage, length) < 0)
		return ADDR_NONE;
	length = sizeof(storage);
	struct addr source = ADDR_NONE;
	if (getsockname(fd, (struct sockaddr *)&storage, &length) == 0)
		source = sockaddr_read(&storage, NULL);
	(void)!connect(fd, &nobody, sizeof(nobody));
	return source;
}

const int *tracing_lookups(const struct tracing *tracing)
{
	return tracing->lookups;
}

/* ---- what to trace */

bool tracing_allows(const struct tracing *tracing, struct addr asker, struct addr target)
{
	if (!addr_is_unicast(target) || (target.high == 0 && target.low == 0))
		return false;
	bool allowed = addr_equal(asker, target);
	for (size_t i = 0; i < tracing->config.allow_count; i++)
		allowed = allowed || prefix_contains(tracing->config.allow[i], target);
	return allowed;
}

/* The same flow asked for again gets the same label, so that it is the same flow. */
static struct flow flow_of(const struct tracing *tracing, const struct trace_order *order)
{
	uint64_t hash = hash_addr(tracing->key, order->target) + order->flow;
	struct flow flow = {.flow_label = order->target.family == 6 ? (uint32_t)(hash & 0xfffff) | 1 : 0};
	if (order->protocol == PROBE_ICMP) {
		flow.icmp_id = (uint16_t)(hash >> 32) | 1;
		flow.icmp_checksum = order->flow ? order->flow : ICMP_FLOW;
		return flow;
	}
	flow.source_port = tracing->config.port;
	flow.destination_port = order->flow    ? order->flow
		: order->protocol == PROBE_TCP ? WEB_PORT
					       : UDP_PORT;
	return flow;
}

static struct trace_config plan(const struct tracing *tracing, const struct trace_order *order)
{
	struct trace_config config = trace_defaults();
	config.protocol = order->protocol;
	config.source = order->source;
	config.destination = order->target;
	config.flow = flow_of(tracing, order);
	config.key = hash_key_random();
	if (order->ping) {
		config.first_ttl = config.max_ttl = PING_TTL;
		config.probes_per_hop = PING_PROBES;
	}
	return config;
}

/* ---- jobs */

static void release(struct tracing *tracing, struct job *job)
{
	driver_remove(tracing->config.driver, job->machine);
	trace_deinit(job->trace);
	free(job->trace);
	job->trace = NULL;
	turns_give_back(tracing->config.turns, (int)(job - tracing->jobs));
}

static int tell(const struct job *job, struct measurement *measurement)
{
	char target[ADDR_TEXT_SIZE];
	measurement_init(measurement);
	measurement->command = "trace";
	measurement->started_wall_ns = job->started_wall_ns;
	measurement->finished_wall_ns = clock_wall_ns();
	measurement->source = job->order.source;
	measurement->target = job->order.target;
	measurement->target_name = strdup(addr_format(job->order.target, target));
	measurement->forward = trace_path(job->trace, job->started_wall_ns, clock_monotonic_ns());
	if (!measurement->target_name || !measurement->forward)
		return -ENOMEM;
	return job->order.ping ? 0 : insight_run(measurement);
}

static void finish(struct tracing *tracing, struct job *job)
{
	struct measurement measurement;
	tracing_done *done = job->done;
	void *context = job->context;
	int result = tell(job, &measurement);
	release(tracing, job);
	done(context, result < 0 ? NULL : &measurement);
	measurement_deinit(&measurement);
}

void tracing_machine_done(struct tracing *tracing, unsigned machine)
{
	for (size_t i = 0; i < TURNS_AT_ONCE; i++)
		if (tracing->jobs[i].trace && tracing->jobs[i].machine == machine)
			finish(tracing, &tracing->jobs[i]);
}

/* What takes too long is told as far as it got. */
static void on_sweep(uv_timer_t *timer)
{
	struct tracing *tracing = timer->data;
	for (size_t i = 0; i < TURNS_AT_ONCE; i++)
		if (tracing->jobs[i].trace &&
			clock_monotonic_ns() - tracing->jobs[i].started_ns > TRACE_MAX_NS)
			finish(tracing, &tracing->jobs[i]);
}

static int begin(struct tracing *tracing, struct job *job, const struct trace_order *order)
{
	struct trace_config config = plan(tracing, order);
	if (!(job->trace = malloc(sizeof(*job->trace))))
		return -ENOMEM;
	trace_init(job->trace, &config);
	job->order = *order;
	job->started_ns = clock_monotonic_ns();
	job->started_wall_ns = clock_wall_ns();
	int number = driver_add_numbered(tracing->config.driver, trace_machine(job->trace), order->target);
	if (number >= 0) {
		job->machine = (unsigned)number;
		return 0;
	}
	trace_deinit(job->trace);
	free(job->trace);
	job->trace = NULL;
	return number;
}

int tracing_start(struct tracing *tracing, const struct trace_order *order, tracing_done *done, void *context,
	unsigned *retry_after_s)
{
	struct trace_order filled = *order;
	if (!addr_is_set(filled.source) || filled.source.family != filled.target.family ||
		!addr_equal(filled.asker, filled.target))
		filled.source = look_up_source(tracing, filled.target);
	/* Our packets do not say by which interface. */
	if (!addr_is_set(filled.source) || addr_is_link_local(filled.target))
		return -ENETUNREACH;
	int turn = turns_take(
		tracing->config.turns, order->asker, order->target, clock_monotonic_ns(), retry_after_s);
	if (turn < 0)
		return turn;
	struct job *job = &tracing->jobs[turn];
	int result = begin(tracing, job, &filled);
	if (result < 0) {
		turns_give_back(tracing->config.turns, turn);
		return result;
	}
	job->done = done;
	job->context = context;
	return turn;
}

void tracing_cancel(struct tracing *tracing, int number)
{
	if (tracing->jobs[number].trace)
		release(tracing, &tracing->jobs[number]);
}

unsigned tracing_running(const struct tracing *tracing)
{
	unsigned running = 0;
	for (size_t i = 0; i < TURNS_AT_ONCE; i++)
		running += tracing->jobs[i].trace != NULL;
	return running;
}

struct tracing *tracing_new(const struct tracing_config *config, struct error *error)
{
	struct tracing *tracing = calloc(1, sizeof(*tracing));
	if (!tracing) {
		error_set(error, -ENOMEM, "out of memory");
		return NULL;
	}
	tracing->config = *config;
	tracing->key = hash_key_random();
	tracing->lookups[0] = tracing->lookups[1] = -1;
	int code = open_lookups(tracing);
	if (code < 0) {
		error_set(error, code, "cannot look up routes: %s", strerror(-code));
		tracing_free(tracing);
		return NULL;
	}
	tracing->sweep.data = tracing;
	uv_timer_init(config->driver->on, &tracing->sweep);
	uv_timer_start(&tracing->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	return tracing;
}

/* Once the loop has closed its handles. */
void tracing_free(struct tracing *tracing)
{
	if (!tracing)
		return;
	for (int i = 0; i < TURNS_AT_ONCE; i++)
		tracing_cancel(tracing, i);
	for (int i = 0; i < 2; i++)
		if (tracing->lookups[i] >= 0)
			close(tracing->lookups[i]);
	free(tracing);
}
