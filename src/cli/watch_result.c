/* What is left when a continuous measurement is over. */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/exit.h"
#include "cli/terminal.h"
#include "cli/watch_inside.h"
#include "insight/insight.h"
#include "path/json.h"
#include "report/watch_json.h"
#include "report/watch_text.h"

#define USUAL_WIDTH 100

static int copy_back(struct measurement *measurement, const struct watch_view *view)
{
	char *text = view->back ? measurement_to_text(view->back) : NULL;
	struct measurement copy;
	struct error error;
	if (!text)
		return 0;
	/* A copy by way of the document, which holds everything. */
	int result = measurement_from_text(text, strlen(text), &copy, &error);
	free(text);
	if (result < 0)
		return result;
	measurement->reverse = copy.reverse;
	measurement->attempts = copy.attempts;
	measurement->attempt_count = copy.attempt_count;
	copy.reverse = NULL;
	copy.attempts = NULL;
	copy.attempt_count = 0;
	measurement_deinit(&copy);
	return 0;
}

static int fill(struct measurement *measurement, const struct watch_view *view, int64_t finished_wall_ns)
{
	measurement_init(measurement);
	measurement->command = "watch";
	measurement->started_wall_ns = view->started_wall_ns;
	measurement->finished_wall_ns = finished_wall_ns;
	measurement->source = view->source;
	measurement->target = view->target;
	measurement->target_name = strdup(view->target_name);
	measurement->forward = timeline_path(view->timeline, view->started_wall_ns);
	if (!measurement->forward || copy_back(measurement, view) < 0)
		return -ENOMEM;
	measurement->forward->protocol = view->protocol;
	measurement->forward->source = view->source;
	measurement->forward->destination = view->target;
	measurement->forward->flow = view->flow;
	book_annotate(view->book, measurement->forward);
	book_annotate(view->book, measurement->reverse);
	measurement->timeline = view->timeline;
	measurement->directions = view->directions;
	return insight_run(measurement);
}

static int print_json(const struct watch_view *view, const struct measurement *measurement)
{
	json_t *document = watch_json(view, measurement);
	int result = document
		? json_dumpf(document, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15))
		: -1;
	json_decref(document);
	return result < 0 || putchar('\n') == EOF ? -EIO : 0;
}

static int print(const struct watch_view *view, const struct measurement *measurement,
	const struct watch_options *options)
{
	if (options->probe.json)
		return print_json(view, measurement);
	setlocale(LC_CTYPE, "");
	struct watch_text_options text = {
		.report =
			{
				.width = options->probe.width ? (int)options->probe.width
							      : terminal_width(USUAL_WIDTH),
				.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
				.colour = terminal_wants_colour(),
				.numeric = options->probe.numeric,
			},
		.wide = options->wide,
	};
	return watch_text(stdout, view, measurement, &text);
}

static bool has_problem(const struct measurement *measurement)
{
	for (size_t i = 0; i < measurement->finding_count; i++)
		if (measurement->findings[i].severity == SEVERITY_PROBLEM)
			return true;
	return false;
}

int watch_result(const struct watch_view *view, const struct watch_options *options, int signal,
	int64_t finished_wall_ns)
{
	struct measurement measurement;
	/* q is how a screen ends: only what ends a report early is an interruption. */
	int status = signal ? EXIT_INTERRUPTED : view->timeline->end ? EXIT_OK : EXIT_NOT_REACHED;
	if (fill(&measurement, view, finished_wall_ns) < 0) {
		fputs("retour: out of memory\n", stderr);
		status = EXIT_CANNOT_MEASURE;
	} else if (!options->probe.jsonl && !(options->prometheus && strcmp(options->prometheus, "-") == 0) &&
		(print(view, &measurement, options) < 0 || fflush(stdout) != 0)) {
		fprintf(stderr, "retour: cannot write the result: %s\n", strerror(errno));
		status = EXIT_CANNOT_MEASURE;
	}
	if (status == EXIT_OK && options->probe.check && has_problem(&measurement))
		status = EXIT_PROBLEM;
	measurement_deinit(&measurement);
	return status;
}
