/* One question to one looking glass that the user has configured. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "annotate/annotate.h"
#include "base/clock.h"
#include "base/escape.h"
#include "cli/exit.h"
#include "cli/lg_inside.h"
#include "cli/terminal.h"
#include "path/json.h"
#include "report/text.h"
#include "reverse/lg_run.h"

#define USUAL_WIDTH 80

struct question {
	uv_loop_t loop;
	uv_signal_t signal;
	struct lg_run *run;
	struct measurement measurement;
	enum attempt_status status;
	char detail[LG_DETAIL_SIZE];
	bool interrupted;
};

static void stop(struct question *question)
{
	if (question->run)
		lg_run_free(question->run, NULL, NULL);
	question->run = NULL;
	if (!uv_is_closing((uv_handle_t *)&question->signal))
		uv_close((uv_handle_t *)&question->signal, NULL);
}

static void on_signal(uv_signal_t *signal, int number)
{
	struct question *question = signal->data;
	(void)number;
	question->interrupted = true;
	stop(question);
}

static void on_result(void *context, struct lg_result *result)
{
	struct question *question = context;
	question->status = result->status;
	escape_text(result->path && !*result->detail ? "it answered" : result->detail, question->detail,
		sizeof(question->detail));
	question->measurement.reverse = result->path;
	result->path = NULL;
	stop(question);
}

static const struct settings_looking_glass *find(
	const struct settings *settings, const char *name, struct error *error)
{
	char shown[100];
	for (size_t i = 0; i < settings->looking_glass_count; i++)
		if (strcmp(settings->looking_glasses[i].name, name) == 0)
			return &settings->looking_glasses[i];
	error_set(error, -EINVAL,
		"no looking glass of the settings is called '%s'; `retour lg list` tells them",
		escape_text(name, shown, sizeof(shown)));
	return NULL;
}

static int ask(struct question *question, const struct lg_ask *ask, struct error *error)
{
	int result = uv_loop_init(&question->loop);
	if (result < 0)
		return error_set(error, result, "cannot wait for answers: %s", uv_strerror(result));
	uv_signal_init(&question->loop, &question->signal);
	question->signal.data = question;
	uv_signal_start(&question->signal, on_signal, SIGINT);
	question->run = lg_run_new(&question->loop, ask, on_result, question, error);
	if (!question->run)
		stop(question);
	uv_run(&question->loop, UV_RUN_DEFAULT);
	uv_loop_close(&question->loop);
	return error->code;
}

static int fill(struct measurement *m, const struct settings_looking_glass *glass, struct addr to)
{
	m->command = "back";
	m->finished_wall_ns = clock_wall_ns();
	m->source = to;
	if (glass->address && !addr_parse(glass->address, &m->target))
		m->target = ADDR_NONE;
	if (m->reverse && m->reverse->vantage && addr_is_set(m->reverse->vantage->address))
		m->target = m->reverse->vantage->address;
	m->target_name = strdup(glass->name);
	return m->target_name ? 0 : -ENOMEM;
}

static int print(const struct question *question, bool json)
{
	const struct measurement *m = &question->measurement;
	if (json) {
		char *text = measurement_to_text(m);
		int result = text && fputs(text, stdout) >= 0 && putchar('\n') >= 0 ? 0 : -EIO;
		free(text);
		return result;
	}
	return report_text(stdout, m, &(struct report_options){.width = terminal_width(USUAL_WIDTH)});
}

static int conclude(struct question *question, const struct lg_options *options,
	const struct settings_looking_glass *glass, struct addr to)
{
	struct measurement *m = &question->measurement;
	if (question->interrupted)
		return EXIT_INTERRUPTED;
	if (fill(m, glass, to) < 0 || !measurement_add_attempt(m, "lg", question->status, question->detail)) {
		fputs("retour: out of memory\n", stderr);
		return EXIT_CANNOT_MEASURE;
	}
	annotate_measurement(m, &(struct annotate_options){.data_dir = options->data_dir});
	if (!m->reverse)
		fprintf(stderr, "retour: %s: %s\n", glass->name, question->detail);
	if ((m->reverse || options->json) && print(question, options->json) < 0) {
		fputs("retour: cannot write the result\n", stderr);
		return EXIT_CANNOT_MEASURE;
	}
	return m->reverse ? EXIT_OK : EXIT_NOT_REACHED;
}

static int run(struct question *question, const struct lg_options *options, const struct settings *settings,
	struct error *error)
{
	struct addr to;
	if (!addr_parse(options->arguments[1], &to) || !addr_is_unicast(to)) {
		error_set(error, -EINVAL, "expected an address to trace to; names are not looked up");
		return EXIT_USAGE;
	}
	const struct settings_looking_glass *glass = find(settings, options->arguments[0], error);
	if (!glass)
		return EXIT_USAGE;
	struct lg_ask what = {.glass = glass, .to = to};
	/* Here it is the far host, not somebody near that. */
	if (glass->address && !addr_parse(glass->address, &what.target))
		what.target = ADDR_NONE;
	question->measurement.started_wall_ns = clock_wall_ns();
	if (ask(question, &what, error) < 0)
		return EXIT_CANNOT_MEASURE;
	return conclude(question, options, glass, to);
}

int lg_ask_run(const struct lg_options *options)
{
	struct question *question = calloc(1, sizeof(*question));
	struct settings *settings = NULL;
	struct error error = {0};
	int status = EXIT_CANNOT_MEASURE;
	if (!question)
		error_set(&error, -ENOMEM, "out of memory");
	else if (settings_load(&settings, options->config, &error) == 0) {
		measurement_init(&question->measurement);
		status = run(question, options, settings, &error);
		measurement_deinit(&question->measurement);
	}
	if (error.code < 0)
		fprintf(stderr, "retour: %s\n", error.text);
	settings_free(settings);
	free(question);
	return status;
}
