#include "cli/measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "net/driver.h"
#include "net/privilege.h"
#include "net/route.h"
#include "reverse/climb.h"
#include "trace/forward.h"

#define DEFAULT_PORT 33434

/* Everything a run holds open. */
struct run {
	const struct options *options;
	struct addr source, target;
	struct flow flow;
	int port_fd; /* keeps the source port ours, -1 = none */
	struct channel channel;
	bool raw;
	struct driver driver;
	struct trace *trace;
	struct climb *climb;
	bool progress_shown;
};

static int find_addresses(struct run *run, struct error *error)
{
	int result = route_resolve(run->options->host, run->options->family, &run->target, error);
	if (result == 0 && !addr_is_unicast(run->target))
		result = error_set(error, -EINVAL, "%s is not the address of one host", run->options->host);
	return result < 0 ? result : route_source(run->target, run->options->source, &run->source, error);
}

static int choose_flow(struct run *run, const struct options *options, struct hash_key key, struct error *error)
{
	struct rng rng = rng_seed(key.k1);
	struct flow *flow = &run->flow;
	if (run->target.family == 6)
		flow->flow_label = (uint32_t)rng_below(&rng, 0xfffff) + 1;
	if (options->protocol == PROBE_ICMP) {
		flow->icmp_id = (uint16_t)(rng_below(&rng, 0xfffe) + 1);
		flow->icmp_checksum = (uint16_t)(rng_below(&rng, 0xfffe) + 1);
		return 0;
	}
	flow->destination_port = options->destination_port ? options->destination_port : DEFAULT_PORT;
	flow->source_port = options->source_port;
	return route_reserve_port(run->source, &run->port_fd, &flow->source_port, error);
}

/* Raw sockets where we may, the error queue where we may not; then no privilege is left. */
static int open_channel(struct run *run, struct wanted wanted, struct error *error)
{
	int result = channel_open_raw(&run->channel, run->target.family, error);
	run->raw = result == 0;
	if (result == -EPERM || result == -EACCES) {
		if (run->options->protocol != PROBE_UDP)
			return error_set(error, -EPERM, "ICMP probes need the cap_net_raw capability: run as root, "
				"or probe with UDP");
		if (!wanted.forward)
			return error_set(error, -EPERM, "the ways back need the cap_net_raw capability: run as root, "
				"or see `setcap` in retour(1)");
		close(run->port_fd); /* the channel's own socket takes the port over */
		run->port_fd = -1;
		result = channel_open_unprivileged(&run->channel, run->source, run->flow.source_port, error);
		if (result == 0)
			fputs("retour: no cap_net_raw: UDP probes through the error queue only; quoted headers, routers "
			      "that quote 8 bytes and the ways back stay unseen\n", stderr);
	}
	if (result < 0)
		return result;
	return privilege_drop(error);
}

static int add_trace(struct run *run, struct hash_key key, struct error *error)
{
	const struct options *options = run->options;
	struct trace_config config = trace_defaults();
	config.protocol = options->protocol;
	config.source = run->source;
	config.destination = run->target;
	config.flow = run->flow;
	config.tos = (uint8_t)options->tos;
	config.first_ttl = options->first_ttl;
	config.max_ttl = options->max_ttl;
	config.probes_per_hop = options->probes_per_hop;
	config.gap_limit = options->gap_limit;
	config.key = key;
	run->trace = malloc(sizeof(*run->trace));
	if (!run->trace)
		return error_set(error, -ENOMEM, "out of memory");
	trace_init(run->trace, &config);
	driver_add(&run->driver, trace_machine(run->trace));
	return 0;
}

static int add_climb(struct run *run, struct hash_key key, struct error *error)
{
	const struct options *options = run->options;
	struct reverse_task task = {
		.target = run->target,
		.source = run->source,
		.protocol = options->protocol,
		.max_ttl = options->max_ttl,
		.probes_per_hop = options->probes_per_hop,
		.seed = key.k0,
	};
	/* A port where nobody listens here, so that the last hop, this host, says so. */
	if (options->protocol == PROBE_UDP)
		task.flow = run->flow.destination_port;
	int result = climb_new(&run->climb, &task, options->methods, error);
	if (result == 0)
		driver_add(&run->driver, climb_machine(run->climb));
	return result;
}

/* Nothing could be sent at all: that is not a measurement. */
static int check_sends(const struct run *run, struct error *error)
{
	char to[ADDR_TEXT_SIZE];
	int code = run->trace ? run->trace->send_error : 0;
	if (code == 0 || run->trace->send_errors < run->trace->probes_sent)
		return 0;
	return error_set(error, code, "cannot send to %s: %s", addr_format(run->target, to), strerror(-code));
}

static void show_progress(void *context, double elapsed_s)
{
	struct run *run = context;
	char target[ADDR_TEXT_SIZE];
	const struct trace *trace = run->trace;
	addr_format(run->target, target);
	fprintf(stderr, "\rretour: %.0f s, measuring %s", elapsed_s, target);
	if (trace)
		fprintf(stderr, ", hop %u, %u of %u probes answered", trace->explored, trace->replies_received,
			trace->probes_sent);
	fputs("\033[K", stderr);
	run->progress_shown = true;
}

static int note_no_privilege(const struct run *run, struct measurement *measurement)
{
	size_t count;
	const struct reverse_method *methods = ladder_methods(&count);
	for (size_t i = 0; i < count; i++)
		if ((!run->options->methods || strstr(run->options->methods, methods[i].name)) &&
			!measurement_add_attempt(measurement, methods[i].name, ATTEMPT_UNAVAILABLE,
				"needs the cap_net_raw capability"))
			return -ENOMEM;
	return 0;
}

static int collect(struct run *run, struct measurement *measurement, struct wanted wanted, struct error *error)
{
	if (run->trace) {
		measurement->forward = trace_path(run->trace, measurement->started_wall_ns, clock_monotonic_ns());
		if (!measurement->forward)
			return error_set(error, -ENOMEM, "out of memory");
	}
	int result = run->climb ? climb_collect(run->climb, measurement) :
		wanted.reverse  ? note_no_privilege(run, measurement) :
				  0;
	if (result < 0)
		return error_set(error, -ENOMEM, "out of memory");
	return 0;
}

/* What the forward trace saw spares the return method long waits for a host that will not answer. */
static void on_done(void *context, unsigned machine)
{
	struct run *run = context;
	(void)machine;
	if (run->climb && run->trace && run->trace->finished_ns != TIME_NEVER && run->trace->rtt_max_ns != RTT_NONE)
		climb_hint(run->climb, run->trace->rtt_max_ns);
}

static int run_on_channel(struct run *run, struct measurement *measurement, struct wanted wanted, struct hash_key key,
	struct error *error)
{
	int result = driver_init(&run->driver, &run->channel, error);
	if (result < 0)
		return result;
	if (isatty(STDERR_FILENO))
		driver_set_progress(&run->driver, show_progress, run);
	driver_set_done(&run->driver, on_done, run);
	if (wanted.forward)
		result = add_trace(run, key, error);
	if (wanted.reverse && run->raw && result == 0)
		result = add_climb(run, key, error);
	if (result == 0)
		result = driver_run(&run->driver, error);
	if (run->progress_shown)
		fputs("\r\033[K", stderr);
	driver_deinit(&run->driver);
	if (result == 0)
		result = check_sends(run, error);
	if (result == 0 && run->trace && run->trace->send_errors > 0)
		fprintf(stderr, "retour: sending failed in mid-run: %s; the result is what was known by then\n",
			strerror(-run->trace->send_error));
	return result < 0 ? result : collect(run, measurement, wanted, error);
}

int measure(struct measurement *measurement, const struct options *options, struct wanted wanted, int *signal,
	struct error *error)
{
	struct run *run = calloc(1, sizeof(*run));
	struct hash_key key = hash_key_random();
	*signal = 0;
	measurement_init(measurement);
	if (!run)
		return error_set(error, -ENOMEM, "out of memory");
	*run = (struct run){.options = options, .port_fd = -1, .channel = {.fds = {-1, -1}}};
	int result = find_addresses(run, error);
	if (result == 0)
		result = choose_flow(run, options, key, error);
	if (result == 0)
		result = open_channel(run, wanted, error);
	measurement->command = wanted.forward && wanted.reverse ? "both" : wanted.forward ? "trace" : "back";
	measurement->started_wall_ns = clock_wall_ns();
	measurement->source = run->source;
	measurement->target = run->target;
	measurement->target_name = strdup(options->host);
	if (result == 0)
		result = run_on_channel(run, measurement, wanted, key, error);
	measurement->finished_wall_ns = clock_wall_ns();
	*signal = run->driver.signal;
	channel_close(&run->channel);
	if (run->port_fd >= 0)
		close(run->port_fd);
	climb_free(run->climb);
	if (run->trace)
		trace_deinit(run->trace);
	free(run->trace);
	free(run);
	return result;
}
