#include "cli/ping.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/exit.h"
#include "cli/ping_options.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "insight/insight.h"
#include "net/driver.h"
#include "report/ping.h"
#include "trace/ping.h"
#include "trace/stamp.h"

#define USUAL_WIDTH	100
#define STAMP_ASKS	3 /* packets without an answer after which it is not asked any more */
#define IPV4_HEADER	20
#define IPV6_HEADER	40
#define ICMP_HEADER	8
#define PATIENCE_MIN_NS (200 * NS_PER_MS)

struct run {
	const struct ping_options *options;
	struct session session;
	struct driver driver;
	bool driving;
	struct pinger ping;
	struct stamp stamp;
	bool asks; /* for directions */
	struct directions directions;
	int64_t started_wall_ns;
	bool failed; /* to write */
};

static struct ping_view view_of(const struct run *run)
{
	return (struct ping_view){
		.ping = &run->ping,
		.directions = run->asks ? &run->directions : NULL,
		.target_name = run->session.host,
		.source = run->session.source,
		.target = run->session.target,
		.size = run->options->size,
		.started_wall_ns = run->started_wall_ns,
		.now_wall_ns = clock_wall_ns(),
		.numeric = run->options->probe.numeric,
	};
}

/* ---- events ---- */

static void check_output(struct run *run, int result)
{
	if (result == 0 && !ferror(stdout))
		return;
	if (!run->failed)
		fprintf(stderr, "retour: cannot write: %s\n", strerror(errno));
	run->failed = true;
	uv_stop(&run->driver.loop);
}

static void on_event(void *context, const struct ping_event *event)
{
	struct run *run = context;
	struct ping_view view = view_of(run);
	if (run->options->probe.jsonl)
		check_output(run, ping_jsonl_event(stdout, &view, event));
	else if (!run->options->probe.json && !run->options->quiet)
		ping_line(stdout, &view, event);
	check_output(run, 0);
}

static void on_reflected(void *context, const struct stamp_sample *sample)
{
	struct run *run = context;
	struct ping_view view = view_of(run);
	if (run->options->probe.jsonl)
		check_output(run, ping_jsonl_reflected(stdout, &view, sample));
}

/* The round trips are over: a reflector that has not answered so far does not hold up the result. */
static void on_done(void *context, unsigned machine)
{
	struct run *run = context;
	int64_t rtt_ns = run->ping.rtt_max_ns;
	if (machine != 0 || !run->asks)
		return;
	if (!run->stamp.answered && rtt_ns != RTT_NONE)
		stamp_hurry(&run->stamp, MAX(2 * rtt_ns, rtt_ns + PATIENCE_MIN_NS));
	driver_wake(&run->driver);
}

/* ---- set-up ---- */

static struct engine_config way_of(const struct run *run, const struct trace_config *trace,
	enum probe_protocol protocol, struct flow flow)
{
	unsigned headers = (trace->destination.family == 4 ? IPV4_HEADER : IPV6_HEADER) + ICMP_HEADER;
	if (run->options->port)
		flow.destination_port = run->options->port;
	return (struct engine_config){
		.protocol = protocol,
		.source = trace->source,
		.destination = trace->destination,
		.flow = flow,
		.tos = trace->tos,
		/* UDP has a header of that size, too. */
		.size = protocol == PROBE_TCP ? 0 : (uint16_t)(headers + run->options->size),
		.key = trace->key,
	};
}

/* Echo, TCP, UDP, as far as they can be sent and are wanted. */
static int plan_ways(struct run *run, const struct trace_config *trace, const struct automatic_other *others,
	unsigned other_count, struct ping_config *config, struct error *error)
{
	const struct ping_options *options = run->options;
	for (unsigned i = 0; i < other_count; i++)
		if (!options->only || options->protocol == others[i].protocol)
			config->ways[config->way_count++] =
				way_of(run, trace, others[i].protocol, others[i].flow);
	if (options->only && options->port)
		config->way_count = MIN(config->way_count, 1u);
	if ((!options->only || options->protocol == PROBE_UDP) &&
		run->session.channel.protocols & CHANNEL_PROTOCOL(PROBE_UDP))
		config->ways[config->way_count++] = way_of(run, trace, PROBE_UDP, trace->flow);
	return config->way_count > 0 ? 0
				     : error_set(error, -EPERM,
					       "cannot send such probes from here: run as root, or see "
					       "net.ipv4.ping_group_range and retour doctor");
}

static void plan_stamp(struct run *run, const struct trace_config *trace)
{
	const struct ping_options *options = run->options;
	struct stamp_config config = stamp_defaults();
	if (options->stamp_port == 0 || !(run->session.channel.protocols & CHANNEL_PROTOCOL(PROBE_UDP)))
		return;
	config.source = trace->source;
	config.destination = trace->destination;
	config.source_port = trace->flow.source_port;
	config.destination_port = options->stamp_port;
	config.flow_label = trace->flow.flow_label;
	config.tos = trace->tos;
	config.size = options->size_given ? (uint16_t)options->size : 0;
	config.asks = options->count ? MIN(options->count, (unsigned)STAMP_ASKS) : STAMP_ASKS;
	config.count = options->count;
	config.interval_ns = (int64_t)(options->interval_s * (double)NS_PER_S);
	config.wait_ns = (int64_t)(options->wait_s * (double)NS_PER_S);
	config.wall_offset_ns = clock_wall_ns() - clock_monotonic_ns();
	config.synchronised = clock_synchronised(&config.clock_error_ns);
	config.key = hash_key_random();
	stamp_init(&run->stamp, &config);
	stamp_observe(&run->stamp, on_reflected, run);
	run->asks = true;
}

static int plan(struct run *run, struct hash_key key, struct error *error)
{
	const struct ping_options *options = run->options;
	struct trace_config trace;
	struct automatic_other others[AUTOMATIC_OTHERS_MAX];
	unsigned count;
	const struct session *session = &run->session;
	struct ping_config config = {
		.ttl = (uint8_t)options->probe.max_ttl,
		.count = options->count,
		.interval_ns = (int64_t)(options->interval_s * (double)NS_PER_S),
		.wait_ns = (int64_t)(options->wait_s * (double)NS_PER_S),
	};
	int result =
		session_plan(session, session->source, session->target, key, &trace, others, &count, error);
	if (result == 0)
		result = plan_ways(run, &trace, others, count, &config, error);
	if (result < 0)
		return result;
	ping_init(&run->ping, &config, on_event, run);
	plan_stamp(run, &trace);
	return 0;
}

static int measure_all(struct run *run, struct error *error)
{
	int result = driver_init(&run->driver, &run->session.channel, error);
	if (result < 0)
		return result;
	run->driving = true;
	driver_set_done(&run->driver, on_done, run);
	result = driver_add(&run->driver, ping_machine(&run->ping));
	if (result == 0 && run->asks)
		result = driver_add(&run->driver, stamp_machine(&run->stamp));
	if (result == 0)
		result = driver_run(&run->driver, error);
	return result;
}

static int prepare(struct run *run, struct error *error)
{
	struct hash_key key = hash_key_random();
	session_init(&run->session, &run->options->probe);
	int result = session_find(&run->session, run->options->probe.host, error);
	if (result == 0)
		result = session_open(&run->session, key, NULL, error);
	return result == 0 ? plan(run, key, error) : result;
}

/* ---- result ---- */

static void begin_output(struct run *run)
{
	struct ping_view view = view_of(run);
	if (run->options->probe.jsonl)
		check_output(run, ping_jsonl_start(stdout, &view));
	else if (!run->options->probe.json)
		ping_head(stdout, &view);
}

static int print_text(const struct ping_view *view, const struct ping_options *options)
{
	setlocale(LC_CTYPE, "");
	struct report_options report = {
		.width = options->probe.width ? (int)options->probe.width : terminal_width(USUAL_WIDTH),
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.colour = terminal_wants_colour(),
		.numeric = options->probe.numeric,
	};
	return ping_statistics(stdout, view, &report);
}

static int end_output(struct run *run)
{
	struct measurement measurement;
	if (run->asks)
		run->directions = stamp_directions(&run->stamp);
	struct ping_view view = view_of(run);
	if (!run->options->probe.json && !run->options->probe.jsonl)
		return print_text(&view, run->options);
	int result = ping_measurement(&measurement, &view);
	if (result == 0)
		result = insight_directions(&measurement);
	if (result == 0)
		result = run->options->probe.json ? ping_json(stdout, &view, &measurement)
						  : ping_jsonl_done(stdout, &view, &measurement);
	measurement_deinit(&measurement);
	return result;
}

/* Without -c an interrupt is how it ends. */
static int status_of(const struct run *run)
{
	if (run->failed)
		return EXIT_CANNOT_MEASURE;
	if (run->driver.signal && run->options->count > 0)
		return EXIT_INTERRUPTED;
	return run->ping.series.received > 0 ? EXIT_OK : EXIT_NOT_REACHED;
}

int cli_ping(int argc, char **argv)
{
	struct ping_options options;
	struct error error = {0};
	int status = ping_options_parse(&options, argc, argv);
	if (status >= 0)
		return status;
	struct run *run = calloc(1, sizeof(*run));
	if (!run) {
		fputs("retour: out of memory\n", stderr);
		return EXIT_CANNOT_MEASURE;
	}
	run->options = &options;
	int result = prepare(run, &error);
	run->started_wall_ns = clock_wall_ns();
	if (result == 0) {
		begin_output(run);
		result = measure_all(run, &error);
	}
	const struct pinger *ping = &run->ping;
	if (result == 0 && ping->send_errors > 0 && ping->sent == 0)
		result = error_set(&error, ping->send_error, "cannot send to %s: %s", run->session.host,
			strerror(-ping->send_error));
	if (result == 0 && end_output(run) < 0)
		check_output(run, -EIO);
	if (result < 0)
		fprintf(stderr, "retour: %s\n", error.text);
	status = result < 0 ? EXIT_CANNOT_MEASURE : status_of(run);
	session_say_drops(&run->session);
	if (run->driving)
		driver_deinit(&run->driver);
	ping_deinit(&run->ping);
	session_deinit(&run->session);
	free(run);
	return status;
}
