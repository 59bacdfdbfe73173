#include "cli/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/exit.h"
#include "cli/explore.h"
#include "cli/watch_inside.h"
#include "report/prometheus.h"
#include "report/watch_events.h"

#define TICK_MS		100
#define LOOK_UP_NS	(300 * NS_PER_US) /* that one tick gives to the resolver */
#define NAMES_AT_END_NS (500 * NS_PER_MS) /* for those that were asked for late, in a report */

void watch_view_of(const struct watch *watch, struct watch_view *view)
{
	const struct recheck *recheck = &watch->recheck;
	*view = (struct watch_view){
		.timeline = &watch->rounds.timeline,
		.book = &watch->book,
		.started_wall_ns = watch->started_wall_ns,
		.interval_ns = watch->rounds.config.interval_ns,
		.target_name = watch->session.options->host,
		.source = watch->session.source,
		.target = watch->session.target,
		.protocol = watch->rounds.config.engine.protocol,
		.flow = watch->rounds.config.engine.flow,
		.back = recheck->runs > 0 ? &recheck->latest : NULL,
		.back_at_ns = recheck->runs > 0 ? MAX(0, recheck->latest_ns - watch->rounds.started_ns) : 0,
		.back_running = recheck->climb || recheck->wanted,
		.directions = watch_directions(watch),
		.numeric = watch->options->probe.numeric,
	};
}

/* ---- names ---- */

static void note_address(struct watch *watch, struct addr address)
{
	struct book_entry *entry = book_entry(&watch->book, address);
	struct origin origin;
	if (!entry || entry->asked)
		return;
	entry->asked = true;
	if (data_origin(&watch->data, address, &origin) && origin.count > 0) {
		entry->asn = origin.asns[0];
		entry->as_name = origin.name[0] ? strdup(origin.name) : NULL;
	}
	if (watch->resolver)
		resolver_ask_name(watch->resolver, address, &entry->name);
}

void watch_look_up(struct watch *watch)
{
	if (watch->resolver)
		resolver_wait(watch->resolver, LOOK_UP_NS);
}

/* ---- outputs that follow the events ---- */

static void say_once(bool *failed, const char *what)
{
	if (!*failed)
		fprintf(stderr, "retour: cannot write %s: %s\n", what, strerror(errno));
	*failed = true;
}

static void write_event(struct watch *watch, const struct watch_event *event, bool changed)
{
	struct watch_view view;
	FILE *outs[] = {watch->record_failed ? NULL : watch->record,
		watch->options->probe.jsonl && !watch->jsonl_failed ? stdout : NULL};
	watch_view_of(watch, &view);
	for (int i = 0; i < 2; i++) {
		if (!outs[i])
			continue;
		int result = watch_events_event(outs[i], &view, event);
		if (result == 0 && changed)
			result = watch_events_changed(outs[i], &view);
		if (result < 0)
			say_once(i == 0 ? &watch->record_failed : &watch->jsonl_failed,
				i == 0 ? "the recording" : "events");
	}
	if (watch->jsonl_failed)
		uv_stop(&watch->driver.loop);
}

/* Once each, when something is known. */
static void record_names(struct watch *watch)
{
	struct watch_view view;
	watch_view_of(watch, &view);
	for (size_t i = 0; watch->record && !watch->record_failed && i < watch->book.count; i++) {
		struct book_entry *entry = watch->book.entries[i];
		if (entry->recorded || (!entry->name && (!entry->asn || (watch->resolver && !watch->over))))
			continue;
		entry->recorded = true;
		if (watch_events_name(watch->record, &view, entry) < 0)
			say_once(&watch->record_failed, "the recording");
	}
}

static void write_metrics(struct watch *watch)
{
	struct error error = {0};
	struct watch_view view;
	const char *path = watch->options->prometheus;
	watch_view_of(watch, &view);
	if (strcmp(path, "-") == 0 ? prometheus_write(stdout, &view) < 0
				   : prometheus_file(path, &view, &error) < 0) {
		fprintf(stderr, "retour: %s\n", error.text[0] ? error.text : "cannot write metrics");
		watch->metrics_failed = true;
		uv_stop(&watch->driver.loop);
	}
}

static void ask_for_way_back(struct watch *watch)
{
	if (!watch->session.raw)
		return;
	watch->back_round = watch->rounds.timeline.rounds;
	watch->back_blind = watch->rounds.timeline.end == 0;
	recheck_request(&watch->recheck);
}

static void on_round(struct watch *watch)
{
	const struct timeline *timeline = &watch->rounds.timeline;
	unsigned every = watch->options->back_every;
	const struct timeline_hop *end = timeline_hop(timeline, timeline_last(timeline));
	if (end && end->total.received > 0)
		recheck_hint(&watch->recheck, end->total.worst_ns);
	recheck_known(&watch->recheck);
	/* Asked before the way there was known, those who infer from it had nothing to infer from. */
	if (watch->back_blind && timeline->end && !watch->recheck.climb && !watch->recheck.latest.reverse)
		ask_for_way_back(watch);
	watch_directions_update(watch);
	if (every > 0 && timeline->rounds >= watch->back_round + every)
		ask_for_way_back(watch);
	if (watch->options->prometheus)
		write_metrics(watch);
}

static void on_event(void *context, const struct watch_event *event, bool changed)
{
	struct watch *watch = context;
	if (watch->has_screen)
		history_add(&watch->history, event);
	if (event->kind == WATCH_ANSWER)
		note_address(watch, event->answer->address);
	if (event->kind == WATCH_ANSWER && watch->has_screen)
		screen_news(&watch->screen);
	if (watch->record || watch->options->probe.jsonl)
		write_event(watch, event, changed);
	if (changed)
		ask_for_way_back(watch);
	if (event->kind == WATCH_ROUND)
		on_round(watch);
}

static void on_way_back(void *context)
{
	struct watch *watch = context;
	struct watch_view view;
	const struct path *path = watch->recheck.latest.reverse;
	for (size_t i = 0; path && i < path->hop_count; i++)
		note_address(watch, path->hops[i].address);
	watch_view_of(watch, &view);
	if (watch->record && !watch->record_failed && watch_events_back(watch->record, &view) < 0)
		say_once(&watch->record_failed, "the recording");
}

static void on_tick(uv_timer_t *timer)
{
	struct watch *watch = timer->data;
	watch_look_up(watch);
	record_names(watch);
	if (watch->has_screen)
		screen_news(&watch->screen);
}

static struct path *way_there(void *context)
{
	struct watch *watch = context;
	const struct rounds_config *config = &watch->rounds.config;
	struct path *path = timeline_path(&watch->rounds.timeline, watch->started_wall_ns);
	if (!path)
		return NULL;
	path->protocol = config->engine.protocol;
	path->source = config->engine.source;
	path->destination = config->engine.destination;
	path->flow = config->engine.flow;
	book_annotate(&watch->book, path);
	return path;
}

/* The rounds are over: the way back does not hold up the result. */
static void on_done(void *context, unsigned machine)
{
	struct watch *watch = context;
	bool rounds = machine == 0, directions = machine == 2;
	watch->rounds_over |= rounds;
	if ((rounds && !watch_directions_finish(watch)) || (directions && watch->rounds_over))
		uv_stop(&watch->driver.loop);
}

/* The terminal is gone: finish as if told to. */
static void on_hangup(uv_signal_t *handle, int number)
{
	struct watch *watch = handle->data;
	watch->signal = number;
	uv_stop(&watch->driver.loop);
}

/* ---- set-up ---- */

static int choose_protocol(struct watch *watch, struct options *probe, struct error *error)
{
	unsigned can = watch->session.channel.protocols;
	if (!probe->automatic)
		return 0;
	/* Hosts limit the errors that UDP calls forth, but not answers to echoes. Not all balancers look into
	 * ICMP. */
	bool ports = probe->destination_port || probe->source_port || watch->options->flows > 0;
	probe->protocol = can & CHANNEL_PROTOCOL(PROBE_ICMP) && !ports ? PROBE_ICMP : PROBE_UDP;
	probe->automatic = false;
	return can & CHANNEL_PROTOCOL(probe->protocol)
		? 0
		: error_set(error, -EPERM, "no probes can be sent from here");
}

static int plan(struct watch *watch, struct hash_key key, struct error *error)
{
	struct trace_config trace;
	struct automatic_other others[AUTOMATIC_OTHERS_MAX];
	unsigned count;
	const struct session *session = &watch->session;
	int result =
		session_plan(session, session->source, session->target, key, &trace, others, &count, error);
	if (result < 0)
		return result;
	struct rounds_config config = rounds_defaults();
	config.engine = (struct engine_config){
		.protocol = trace.protocol,
		.source = trace.source,
		.destination = trace.destination,
		.flow = trace.flow,
		.tos = trace.tos,
		.size = trace.size,
		.dont_fragment = trace.dont_fragment,
		.key = key,
	};
	config.first_ttl = trace.first_ttl;
	config.max_ttl = trace.max_ttl;
	config.gap_limit = trace.gap_limit;
	config.rounds = watch->options->rounds;
	config.interval_ns = (int64_t)(watch->options->interval_s * (double)NS_PER_S);
	rounds_init(&watch->rounds, &config);
	rounds_observe(&watch->rounds, on_event, watch);
	if (watch->options->flows > 0 && (result = watch_choose_flows(watch, key, error)) < 0)
		return result;
	struct reverse_task task = {
		.target = trace.destination,
		.source = trace.source,
		.protocol = trace.protocol,
		.flow = trace.protocol == PROBE_UDP ? trace.flow.destination_port : 0,
		.max_ttl = trace.max_ttl,
		.probes_per_hop = trace.probes_per_hop,
		.seed = key.k0,
		.target_name = session->host,
		.url = session->url,
		.public_address = watch->options->probe.public_address,
		.outside = &watch->outside,
		.no_packets = !session->raw,
	};
	recheck_init(&watch->recheck, &task, watch->options->probe.methods);
	watch->recheck.done = on_way_back;
	watch->recheck.forward = way_there;
	watch->recheck.context = watch;
	return 0;
}

static int open_record(struct watch *watch, struct error *error)
{
	const char *path = watch->options->record;
	struct watch_view view;
	watch_view_of(watch, &view);
	watch->record = path ? fopen(path, "we") : NULL;
	if (path && (!watch->record || watch_events_start(watch->record, &view) < 0))
		return error_set(error, errno ? -errno : -EIO, "cannot write %s: %s", path, strerror(errno));
	if (watch->options->probe.jsonl && watch_events_start(stdout, &view) < 0)
		return error_set(error, -EIO, "cannot write events: %s", strerror(errno));
	return 0;
}

static void wake(void *context)
{
	driver_wake(context);
}

static int prepare(struct watch *watch, struct options *probe, struct error *error)
{
	struct hash_key key = hash_key_random();
	session_init(&watch->session, probe);
	watch->outside =
		(struct outside){.loop = &watch->driver.loop, .wake = wake, .context = &watch->driver};
	int result = settings_load(&watch->settings, probe->config, error);
	watch->outside.settings = watch->settings;
	watch->outside.data_dir = watch->options->probe.data_dir;
	if (result == 0)
		result = session_find(&watch->session, probe->host, error);
	if (result == 0)
		result = session_open(&watch->session, key, explore_needs_raw(probe), error);
	if (result == 0)
		result = choose_protocol(watch, probe, error);
	if (result == 0)
		result = plan(watch, key, error);
	watch->started_wall_ns = clock_wall_ns();
	if (result == 0)
		result = open_record(watch, error);
	if (result < 0)
		return result;
	return 0;
}

/* While the first answers are on their way. Without names there is still something to see. */
static void open_lookups(struct watch *watch)
{
	const struct options *probe = &watch->options->probe;
	data_open(&watch->data, probe->data_dir);
	if (!probe->numeric && resolver_new(&watch->resolver, NULL) == 0)
		uv_timer_start(&watch->tick, on_tick, TICK_MS, TICK_MS);
}

static void start_handles(struct watch *watch)
{
	uv_timer_init(&watch->driver.loop, &watch->tick);
	watch->tick.data = watch;
	if (uv_signal_init(&watch->driver.loop, &watch->hangup) == 0) {
		watch->hangup.data = watch;
		uv_signal_start(&watch->hangup, on_hangup, SIGHUP);
	}
}

/* What the screen shows of the present, or of the moment in the past it stands at. */
static void view_for_screen(
	void *context, const struct timeline *timeline, int64_t at_ns, struct watch_view *view)
{
	(void)at_ns;
	const struct watch *watch = context;
	watch_view_of(watch, view);
	/* What is known of the directions is of the present only. */
	if (timeline != &watch->rounds.timeline)
		view->directions = NULL;
	view->timeline = timeline;
}

/* Is there a terminal that can show it? Nothing is sent for nobody. */
static int start_history(struct watch *watch, struct error *error)
{
	const struct timeline *timeline = &watch->rounds.timeline;
	int result = screen_check(error);
	if (result < 0)
		return result;
	history_init(&watch->history, watch->rounds.config.interval_ns, HISTORY_LIVE);
	watch->has_screen = true;
	result = timeline_take_flows(&watch->history.base, timeline->flow_of, timeline->flow_count);
	return result < 0 ? error_set(error, result, "out of memory") : 0;
}

static int start_screen(struct watch *watch, struct error *error)
{
	int result = screen_init(
		&watch->screen, &watch->driver.loop, &watch->history, &watch->rounds.timeline, 1, error);
	watch->screen.names = !watch->options->probe.numeric;
	watch->screen.view = view_for_screen;
	watch->screen.context = watch;
	return result;
}

/* A terminal that goes says so more than once, and without libuv's handler the next one would be our end,
 * before the recording has its own. */
static void close_driver(struct watch *watch)
{
	sigset_t hangup, before;
	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hangup, &before);
	driver_deinit(&watch->driver);
	signal(SIGHUP, SIG_IGN);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static int run(struct watch *watch, struct error *error)
{
	int result = driver_init(&watch->driver, &watch->session.channel, error);
	if (result < 0)
		return result;
	driver_set_done(&watch->driver, on_done, watch);
	start_handles(watch);
	bool metrics = watch->options->prometheus && strcmp(watch->options->prometheus, "-") == 0;
	bool screen = !watch->options->report && !watch->options->probe.jsonl && !metrics;
	if (screen)
		result = start_history(watch, error);
	watch->started_wall_ns = clock_wall_ns();
	ask_for_way_back(watch);
	if (result == 0)
		result = driver_add(&watch->driver, rounds_machine(&watch->rounds));
	if (result == 0)
		result = driver_add(&watch->driver, recheck_machine(&watch->recheck));
	if (result == 0)
		result = watch_directions_start(watch);
	if (result == 0) {
		driver_start(&watch->driver);
		open_lookups(watch);
		result = screen ? start_screen(watch, error) : 0;
	}
	if (result == 0)
		result = driver_run(&watch->driver, error);
	screen_deinit(&watch->screen);
	if (watch->screen.gone)
		watch->signal = SIGHUP;
	recheck_stop(&watch->recheck);
	if (watch->driver.signal)
		watch->signal = watch->driver.signal;
	close_driver(watch);
	const struct rounds *rounds = &watch->rounds;
	char to[ADDR_TEXT_SIZE];
	if (result == 0 && rounds->timeline.sent > 0 && rounds->timeline.send_errors == rounds->timeline.sent)
		result = error_set(error, rounds->send_error, "cannot send to %s: %s",
			addr_format(watch->session.target, to), strerror(-rounds->send_error));
	return result;
}

static int conclude(struct watch *watch)
{
	struct watch_view view;
	if (watch->resolver && !watch->signal)
		resolver_wait(watch->resolver, NAMES_AT_END_NS);
	watch->over = true;
	record_names(watch);
	watch_directions_update(watch);
	watch_view_of(watch, &view);
	if (watch->record && !watch->record_failed && watch_events_done(watch->record, &view) < 0)
		say_once(&watch->record_failed, "the recording");
	session_say_drops(&watch->session);
	/* With the terminal gone nobody reads it. */
	if (watch->signal == SIGHUP)
		return EXIT_INTERRUPTED;
	int status = watch_result(&view, watch->options, watch->signal, clock_wall_ns());
	return watch->record_failed || watch->jsonl_failed || watch->metrics_failed ? EXIT_CANNOT_MEASURE
										    : status;
}

static void deinit(struct watch *watch)
{
	for (unsigned i = 0; i < TIMELINE_FLOWS; i++)
		if (watch->port_fds[i] > 0)
			close(watch->port_fds[i]);
	if (watch->record)
		fclose(watch->record);
	resolver_free(watch->resolver);
	data_close(&watch->data);
	recheck_deinit(&watch->recheck);
	settings_free(watch->settings);
	rounds_deinit(&watch->rounds);
	history_deinit(&watch->history);
	book_deinit(&watch->book);
	session_deinit(&watch->session);
	free(watch);
}

int cli_watch(int argc, char **argv)
{
	struct watch_options options;
	struct error error = {0};
	int status = watch_options_parse(&options, argc, argv);
	if (status >= 0)
		return status;
	if (options.replay)
		return watch_replay(&options);
	struct watch *watch = calloc(1, sizeof(*watch));
	if (!watch) {
		fputs("retour: out of memory\n", stderr);
		return EXIT_CANNOT_MEASURE;
	}
	watch->options = &options;
	int result = prepare(watch, &options.probe, &error);
	bool began = result == 0 && !watch->signal;
	if (began)
		result = run(watch, &error);
	if (result < 0)
		fprintf(stderr, "retour: %s\n", error.text);
	status = result < 0 ? EXIT_CANNOT_MEASURE : began ? conclude(watch) : EXIT_INTERRUPTED;
	deinit(watch);
	return status;
}
