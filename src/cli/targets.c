#include "cli/targets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "annotate/annotate.h"
#include "base/clock.h"
#include "cli/exit.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/target_list.h"
#include "insight/insight.h"
#include "net/driver.h"
#include "net/privilege.h"
#include "report/jsonl.h"

#define TARGETS_AT_ONCE 1000

struct target {
	const char *name;
	struct addr source, address;
	struct automatic *trace; /* while it runs */
};

struct targets {
	const struct options *options;
	struct session sessions[2]; /* IPv4, IPv6 */
	bool used[2];
	struct driver driver;
	struct hash_key key;
	struct data *data;	/* NULL: out of memory */
	struct target *targets; /* those with an address; machine n of the driver traces the nth */
	size_t count, started, finished, reached, failed, printed;
	bool problem;
	bool no_output; /* standard output went away: nothing is worth measuring any more */
	bool progress_shown;
};

static int family_index(struct addr addr)
{
	return addr.family == 4 ? 0 : 1;
}

/* ---- before the start ---- */

static void show_resolving(const struct targets *run, size_t done, size_t all)
{
	if (isatty(STDERR_FILENO) && (done % 16 == 0 || done == all))
		fprintf(stderr, "\rretour: looking up names, %zu of %zu%s", done, all,
			done == all ? "\r\033[K" : "\033[K");
	(void)run;
}

/* Who has no address is told of and left out. */
static int find_all(struct targets *run, const struct target_list *list)
{
	run->targets = calloc(list->count, sizeof(*run->targets));
	if (!run->targets)
		return -ENOMEM;
	for (size_t i = 0; i < list->count; i++) {
		struct session session;
		struct error error = {0};
		session_init(&session, run->options);
		show_resolving(run, i, list->count);
		int result = session_find(&session, list->names[i], &error);
		if (result == 0 && session.interface[0])
			result = error_set(&error, -EINVAL,
				"%s: addresses with a scope one at a time, please", list->names[i]);
		if (result < 0) {
			fprintf(stderr, "%sretour: %s\n", isatty(STDERR_FILENO) ? "\r\033[K" : "",
				error.text);
			run->failed++;
			continue;
		}
		run->targets[run->count++] = (struct target){
			.name = list->names[i], .source = session.source, .address = session.target};
		run->used[family_index(session.target)] = true;
	}
	show_resolving(run, list->count, list->count);
	return 0;
}

/* The sockets of a family serve all its targets: they belong to no address in particular. */
static int open_sockets(struct targets *run, struct error *error)
{
	int result = 0;
	for (int i = 0; i < 2 && result == 0; i++) {
		if (!run->used[i])
			continue;
		struct session *session = &run->sessions[i];
		session->source = (struct addr){.family = i == 0 ? 4 : 6};
		result = session_open_one(session, run->key, NULL, error);
		if (result == 0 && !session->raw && addr_is_set(run->options->source))
			result = error_set(
				error, -EPERM, "--targets with -s needs the cap_net_raw capability");
	}
	return result < 0 ? result : privilege_drop(error);
}

/* ---- while it runs ---- */

static int start_one(struct targets *run, struct error *error)
{
	struct target *target = &run->targets[run->started];
	struct trace_config config;
	struct automatic_other others[AUTOMATIC_OTHERS_MAX];
	struct hash_key key = run->key;
	unsigned other_count;
	key.k1 += 4 * run->started; /* each trace takes as many as it has protocols */
	int result = session_plan(&run->sessions[family_index(target->address)], target->source,
		target->address, key, &config, others, &other_count, error);
	if (result < 0)
		return result;
	target->trace = malloc(sizeof(*target->trace));
	if (!target->trace)
		return error_set(error, -ENOMEM, "out of memory");
	automatic_init(target->trace, &config, others, other_count);
	result = driver_add_for(&run->driver, automatic_machine(target->trace), target->address);
	if (result < 0)
		return error_set(error, result, "out of memory");
	run->started++;
	return 0;
}

static bool has_problem(const struct measurement *measurement)
{
	for (size_t i = 0; i < measurement->finding_count; i++)
		if (measurement->findings[i].severity == SEVERITY_PROBLEM)
			return true;
	return false;
}

static void print(struct targets *run, const struct measurement *measurement)
{
	const struct options *options = run->options;
	if (run->progress_shown)
		fputs("\r\033[K", stderr);
	run->progress_shown = false;
	bool text = !options->jsonl && !options->csv && !options->format;
	if (text && run->printed > 0)
		putchar('\n');
	int result = options->jsonl ? report_jsonl_whole(stdout, measurement)
				    : output_print(measurement, options, run->printed == 0, NULL);
	run->printed++;
	if (result < 0 || fflush(stdout) != 0)
		run->no_output = true;
}

static int measurement_of(const struct target *target, struct measurement *measurement)
{
	int64_t now_ns = clock_monotonic_ns(), wall_ns = clock_wall_ns();
	int64_t started_ns = target->trace->first.started_ns;
	measurement_init(measurement);
	measurement->command = "trace";
	measurement->started_wall_ns = started_ns == TIME_NEVER ? wall_ns : wall_ns - (now_ns - started_ns);
	measurement->finished_wall_ns = wall_ns;
	measurement->source = target->source;
	measurement->target = target->address;
	measurement->target_name = strdup(target->name);
	measurement->forward = automatic_path(target->trace, measurement->started_wall_ns, now_ns);
	return measurement->forward ? 0 : -ENOMEM;
}

/* Nothing left this host: that is no measurement. */
static bool was_sent(const struct target *target, char text[static ADDR_TEXT_SIZE])
{
	const struct trace *trace = &target->trace->first;
	if (trace->send_error == 0 || trace->send_errors < trace->probes_sent)
		return true;
	fprintf(stderr, "retour: cannot send to %s: %s\n", addr_format(target->address, text),
		strerror(-trace->send_error));
	return false;
}

/* Print what is known of it, and forget the rest. */
static void conclude(struct targets *run, struct target *target)
{
	struct measurement measurement;
	char text[ADDR_TEXT_SIZE];
	if (!was_sent(target, text)) {
		run->failed++;
	} else if (measurement_of(target, &measurement) < 0) {
		run->failed++;
		measurement_deinit(&measurement);
	} else {
		annotate_measurement(&measurement, &(struct annotate_options){.data = run->data});
		if (insight_run(&measurement) < 0)
			fputs("retour: out of memory: no findings\n", stderr);
		run->reached += measurement.forward->reached;
		run->problem |= has_problem(&measurement);
		print(run, &measurement);
		measurement_deinit(&measurement);
	}
	automatic_deinit(target->trace);
	free(target->trace);
	target->trace = NULL;
	run->finished++;
}

static void on_done(void *context, unsigned machine)
{
	struct targets *run = context;
	struct error error = {0};
	conclude(run, &run->targets[machine]);
	if (run->no_output) {
		uv_stop(&run->driver.loop);
		return;
	}
	if (run->started < run->count && start_one(run, &error) < 0)
		fprintf(stderr, "retour: %s\n", error.text);
}

static void show_progress(void *context, double elapsed_s)
{
	struct targets *run = context;
	fprintf(stderr, "\rretour: %.0f s, %zu of %zu targets done, %u packets sent\033[K", elapsed_s,
		run->finished, run->count, run->driver.send_count);
	run->progress_shown = true;
}

static int run_all(struct targets *run, struct error *error)
{
	int first = run->used[0] ? 0 : 1;
	int result = driver_init(&run->driver, &run->sessions[first].channel, error);
	if (result < 0)
		return result;
	if (run->used[0] && run->used[1])
		result = driver_add_channel(&run->driver, &run->sessions[1].channel, error);
	if (run->options->rate)
		driver_set_rate(&run->driver, run->options->rate);
	driver_set_done(&run->driver, on_done, run);
	if (isatty(STDERR_FILENO))
		driver_set_progress(&run->driver, show_progress, run);
	while (result == 0 && run->started < run->count && run->started < TARGETS_AT_ONCE)
		result = start_one(run, error);
	if (result == 0)
		result = driver_run(&run->driver, error);
	if (run->progress_shown)
		fputs("\r\033[K", stderr);
	driver_deinit(&run->driver);
	for (int i = 0; i < 2; i++)
		session_say_drops(&run->sessions[i]);
	return result;
}

/* ---- the whole ---- */

static int status_of(const struct targets *run, int result)
{
	if (run->no_output || result < 0)
		return result == -ERANGE ? EXIT_USAGE : EXIT_CANNOT_MEASURE;
	if (run->driver.signal)
		return EXIT_INTERRUPTED;
	if (run->printed == 0)
		return EXIT_CANNOT_MEASURE;
	if (run->reached < run->count || run->failed > 0)
		return EXIT_NOT_REACHED;
	return run->options->check && run->problem ? EXIT_PROBLEM : EXIT_OK;
}

/* Interrupted: what is known of those under way. */
static void conclude_rest(struct targets *run)
{
	for (size_t i = 0; i < run->started; i++) {
		if (!run->targets[i].trace)
			continue;
		if (!run->no_output && run->driver.signal) {
			conclude(run, &run->targets[i]);
			continue;
		}
		automatic_deinit(run->targets[i].trace);
		free(run->targets[i].trace);
	}
}

int targets_run(const struct options *options)
{
	struct target_list list;
	struct error error = {0};
	struct targets *run = calloc(1, sizeof(*run));
	int result = run ? target_list_read(&list, options->targets, &error) : -ENOMEM;
	if (result < 0) {
		fprintf(stderr, "retour: %s\n", run ? error.text : "out of memory");
		free(run);
		return EXIT_CANNOT_MEASURE;
	}
	run->options = options;
	run->key = hash_key_random();
	run->data = data_new(options->data_dir);
	for (int i = 0; i < 2; i++)
		session_init(&run->sessions[i], options);
	result = find_all(run, &list);
	if (result == 0 && run->count > 0)
		result = open_sockets(run, &error);
	if (result == 0 && run->count > 0)
		result = run_all(run, &error);
	if (result < 0)
		fprintf(stderr, "retour: %s\n", error.text);
	conclude_rest(run);
	if (run->no_output)
		fprintf(stderr, "retour: cannot write the result: %s\n", strerror(EPIPE));
	int status = status_of(run, result);
	for (int i = 0; i < 2; i++)
		session_deinit(&run->sessions[i]);
	data_free(run->data);
	free(run->targets);
	target_list_deinit(&list);
	free(run);
	return status;
}
