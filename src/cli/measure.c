#include "cli/measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/explore.h"
#include "cli/live.h"
#include "cli/session.h"
#include "net/driver.h"
#include "reverse/climb.h"
#include "reverse/settings.h"
#include "trace/automatic.h"

/* Everything a run holds open. */
struct run {
	const struct options *options;
	struct session session;
	struct driver driver;
	struct automatic *trace;
	struct settings *settings;
	struct outside outside;
	struct climb *climb;
	struct explore explore;
	struct hash_key key;
	struct live watched;
	struct jsonl_live *live;      /* the caller's; NULL = nobody looks on */
	struct early *early;	      /* the caller's; NULL = no names are asked for */
	unsigned early_machine, done; /* its number; how many others are done */
	bool progress_shown;
};

/* How the forward part stands, whatever it is. */
struct standing {
	unsigned explored, sent, received, send_errors;
	int send_error;
	int64_t rtt_max_ns;
	bool finished;
};

static struct standing standing_of(const struct run *run)
{
	if (run->explore.multipath) {
		struct multipath_status status = multipath_status(run->explore.multipath);
		return (struct standing){.explored = status.explored,
			.sent = status.probes_sent,
			.received = status.replies_received,
			.send_errors = status.send_errors,
			.send_error = status.send_error,
			.rtt_max_ns = status.rtt_max_ns,
			.finished = status.finished};
	}
	if (!run->trace)
		return (struct standing){.rtt_max_ns = RTT_NONE};
	const struct trace *trace = &run->trace->first;
	return (struct standing){.explored = trace->explored,
		.sent = trace->probes_sent,
		.received = trace->replies_received,
		.send_errors = trace->send_errors,
		.send_error = trace->send_error,
		.rtt_max_ns = trace->rtt_max_ns,
		.finished = trace->finished_ns != TIME_NEVER};
}

static struct path *forward_path(const struct run *run, int64_t wall_ns)
{
	if (run->explore.multipath)
		return multipath_path(run->explore.multipath, wall_ns, clock_monotonic_ns());
	return automatic_path(run->trace, wall_ns, clock_monotonic_ns());
}

static bool has_forward(const struct run *run)
{
	return run->trace || run->explore.multipath;
}

/* Out of memory there is one event less. */
static void tell_answers(void *context)
{
	struct run *run = context;
	struct path *path = forward_path(run, clock_wall_ns());
	if (path)
		jsonl_live_answers(run->live, path);
	path_free(path);
}

static int add_trace(struct run *run, struct hash_key key, struct error *error)
{
	struct trace_config config;
	struct automatic_other others[AUTOMATIC_OTHERS_MAX];
	unsigned other_count;
	int result = session_plan(&run->session, run->session.source, run->session.target, key, &config,
		others, &other_count, error);
	if (result < 0)
		return result;
	run->trace = malloc(sizeof(*run->trace));
	if (!run->trace)
		return error_set(error, -ENOMEM, "out of memory");
	automatic_init(run->trace, &config, others, other_count);
	run->watched =
		(struct live){.inner = automatic_machine(run->trace), .heard = tell_answers, .context = run};
	return driver_add(&run->driver, run->live ? live_machine(&run->watched) : run->watched.inner);
}

static void wake(void *context)
{
	driver_wake(context);
}

static struct reverse_task reverse_task_of(const struct run *run, struct hash_key key)
{
	const struct options *options = run->options;
	struct reverse_task task = {
		.target = run->session.target,
		.source = run->session.source,
		.target_name = run->session.host,
		.url = run->session.url,
		.public_address = options->public_address,
		.outside = &run->outside,
		.no_packets = !run->session.raw,
		.protocol = options->protocol == PROBE_ICMP || options->protocol == PROBE_TCP
			? options->protocol
			: PROBE_UDP,
		.max_ttl = options->max_ttl,
		.probes_per_hop = options->probes_per_hop,
		.confidence = options->multipath,
		.seed = key.k0,
	};
	/* A port where nobody listens here, so that the last hop, this host, says so. */
	if (options->protocol == PROBE_UDP)
		task.flow = run->session.flow.destination_port;
	else if (options->protocol == PROBE_TCP)
		task.flow = options->destination_port;
	return task;
}

static int add_climb(struct run *run, struct hash_key key, struct error *error)
{
	struct reverse_task task = reverse_task_of(run, key);
	int result = climb_new(&run->climb, &task, run->options->methods, error);
	return result < 0 ? result : driver_add(&run->driver, climb_machine(run->climb));
}

/* Why there must be raw sockets, for a person; NULL = they need not be. */
static const char *needs_raw(const struct run *run, struct wanted wanted)
{
	struct reverse_task task = reverse_task_of(run, (struct hash_key){0});
	if (wanted.forward)
		return explore_needs_raw(run->options);
	return climb_needs_packets(&task, run->options->methods) ? "the ways back need" : NULL;
}

/* Nothing could be sent at all: that is not a measurement. */
static int check_sends(const struct run *run, struct error *error)
{
	char to[ADDR_TEXT_SIZE];
	struct standing standing = standing_of(run);
	int code = standing.send_error;
	if (code == 0 || standing.send_errors < standing.sent)
		return 0;
	addr_format(run->session.target, to);
	if (code == -EMSGSIZE)
		return error_set(error, -ERANGE,
			"packets of %u bytes do not fit through the interface towards %s", run->options->size,
			to);
	return error_set(error, code, "cannot send to %s: %s", to, strerror(-code));
}

static void show_progress(void *context, double elapsed_s)
{
	struct run *run = context;
	char target[ADDR_TEXT_SIZE];
	struct standing standing = standing_of(run);
	addr_format(run->session.target, target);
	fprintf(stderr, "\rretour: %.0f s, measuring %s", elapsed_s, target);
	if (has_forward(run))
		fprintf(stderr, ", hop %u, %u of %u probes answered", standing.explored, standing.received,
			standing.sent);
	fputs("\033[K", stderr);
	run->progress_shown = true;
}

static int collect(struct run *run, struct measurement *measurement, struct error *error)
{
	if (has_forward(run)) {
		measurement->forward = forward_path(run, measurement->started_wall_ns);
		if (!measurement->forward || explore_tell(&run->explore, measurement->forward) < 0)
			return error_set(error, -ENOMEM, "out of memory");
	}
	int result = run->climb ? climb_collect(run->climb, measurement) : 0;
	if (result < 0)
		return error_set(error, -ENOMEM, "out of memory");
	return 0;
}

/* What the forward trace saw spares the return method long waits for a host that will not answer, and tells
 * the search for the size of packets where to look. */
static void hand_on(struct run *run)
{
	struct standing standing = standing_of(run);
	if (!standing.finished)
		return;
	bool ask_again = run->explore.multipath && !run->explore.ways_known;
	struct path *path = ask_again || run->explore.mtu_wanted ? forward_path(run, clock_wall_ns()) : NULL;
	if (path && ask_again &&
		explore_ask_again(&run->explore, &run->driver, run->key, (uint8_t)run->options->tos, path) <
			0)
		run->explore.ways_known = true;
	if (path && explore_go_on(&run->explore, &run->session, &run->driver, run->key, path) < 0)
		run->explore.mtu_wanted = false;
	path_free(path);
	if (!run->climb)
		return;
	if (standing.rtt_max_ns != RTT_NONE)
		climb_hint(run->climb, standing.rtt_max_ns);
	climb_known(run->climb, forward_path(run, clock_wall_ns()));
}

static void on_done(void *context, unsigned machine)
{
	struct run *run = context;
	if (run->early && machine == run->early_machine)
		return;
	hand_on(run);
	/* Who asks for names has no end of its own. */
	run->done++;
	if (run->early && run->done + 1 == run->driver.machine_count)
		early_stop(run->early);
}

/* Without names there is a measurement all the same. */
static int add_early(struct run *run, struct wanted wanted)
{
	if (!wanted.early || run->driver.machine_count == 0 ||
		early_new(wanted.early, run->session.target, NULL) < 0)
		return 0;
	run->early = *wanted.early;
	run->early_machine = run->driver.machine_count;
	int result = driver_add(&run->driver, early_machine(run->early));
	if (run->done + 1 == run->driver.machine_count)
		early_stop(run->early);
	return result;
}

static int run_on_channel(struct run *run, struct measurement *measurement, struct wanted wanted,
	struct hash_key key, struct error *error)
{
	int result = driver_init(&run->driver, &run->session.channel, error);
	if (result < 0)
		return result;
	if (isatty(STDERR_FILENO))
		driver_set_progress(&run->driver, show_progress, run);
	driver_set_done(&run->driver, on_done, run);
	if (run->options->rate)
		driver_set_rate(&run->driver, run->options->rate);
	run->key = key;
	run->live = wanted.live;
	if (run->live)
		jsonl_live_start(run->live, measurement);
	run->explore.mtu_wanted = wanted.forward && run->options->mtu;
	if (wanted.forward)
		result = run->options->multipath > 0
			? explore_add(&run->explore, &run->session, &run->driver, key, error)
			: add_trace(run, key, error);
	if (wanted.reverse && result == 0)
		result = add_climb(run, key, error);
	if (result == 0) {
		/* What does not hold up the first packets. */
		driver_start(&run->driver);
		if (wanted.data)
			*wanted.data = data_new(run->options->data_dir);
		result = add_early(run, wanted);
	}
	if (result == 0)
		result = driver_run(&run->driver, error);
	if (run->progress_shown)
		fputs("\r\033[K", stderr);
	if (result == 0)
		result = check_sends(run, error);
	struct standing standing = standing_of(run);
	if (result == 0 && standing.send_errors > 0)
		fprintf(stderr,
			"retour: sending failed in mid-run: %s; the result is what was known by then\n",
			strerror(-standing.send_error));
	session_say_drops(&run->session);
	if (result == 0)
		result = collect(run, measurement, error);
	/* What it has open on the loop is closed there. */
	climb_free(run->climb);
	run->climb = NULL;
	driver_deinit(&run->driver);
	return result;
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
	*run = (struct run){.options = options};
	session_init(&run->session, options);
	run->outside = (struct outside){.loop = &run->driver.loop, .wake = wake, .context = &run->driver};
	int result = wanted.reverse ? settings_load(&run->settings, options->config, error) : 0;
	run->outside.settings = run->settings;
	run->outside.data_dir = options->data_dir;
	if (result == 0)
		result = session_find(&run->session, options->host, error);
	if (result == 0)
		result = session_open(&run->session, key, needs_raw(run, wanted), error);
	measurement->command = wanted.forward && wanted.reverse ? "both" : wanted.forward ? "trace" : "back";
	measurement->started_wall_ns = clock_wall_ns();
	measurement->source = run->session.source;
	measurement->target = run->session.target;
	measurement->target_name = strdup(run->session.host ? run->session.host : options->host);
	if (result == 0)
		result = run_on_channel(run, measurement, wanted, key, error);
	measurement->finished_wall_ns = clock_wall_ns();
	*signal = run->driver.signal;
	session_deinit(&run->session);
	settings_free(run->settings);
	explore_deinit(&run->explore);
	if (run->trace)
		automatic_deinit(run->trace);
	free(run->trace);
	free(run);
	return result;
}
