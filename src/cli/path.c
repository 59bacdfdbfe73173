#include "cli/path.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "annotate/annotate.h"
#include "cli/exit.h"
#include "cli/measure.h"
#include "cli/options.h"
#include "insight/insight.h"
#include "report/json.h"
#include "report/text.h"
#include "reverse/climb.h"

#define USUAL_WIDTH 80

static int width_of_terminal(void)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");
	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return columns && atoi(columns) > 0 ? atoi(columns) : USUAL_WIDTH;
}

/* Colour on a terminal that has it, unless the user does not want any (no-color.org). */
static bool wants_colour(void)
{
	const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
	return isatty(STDOUT_FILENO) && !(no_colour && *no_colour) && terminal && strcmp(terminal, "dumb") != 0;
}

static int print(const struct measurement *measurement, const struct options *options)
{
	if (options->json)
		return report_json(stdout, measurement);
	setlocale(LC_CTYPE, "");
	struct report_options report = {
		.width = options->width ? (int)options->width : width_of_terminal(),
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.colour = wants_colour(),
		.numeric = options->numeric,
	};
	return report_text(stdout, measurement, &report);
}

static bool has_problem(const struct measurement *measurement)
{
	for (size_t i = 0; i < measurement->finding_count; i++)
		if (measurement->findings[i].severity == SEVERITY_PROBLEM)
			return true;
	return false;
}

static int status_of(const struct measurement *measurement, const struct options *options, struct wanted wanted,
	int signal)
{
	const struct path *main_path = wanted.forward ? measurement->forward : measurement->reverse;
	if (signal)
		return EXIT_INTERRUPTED;
	if (!main_path || !(main_path->reached || (!wanted.forward && main_path->hop_count > 0)))
		return EXIT_NOT_REACHED;
	return options->check && has_problem(measurement) ? EXIT_PROBLEM : EXIT_OK;
}

static int run_command(const char *command, struct wanted wanted, int argc, char **argv)
{
	struct options options;
	struct measurement measurement;
	struct error error = {0};
	int signal;
	int status = options_parse(&options, command, argc, argv);
	if (status >= 0)
		return status;
	if (climb_check(options.methods, &error) < 0) {
		fprintf(stderr, "retour: %s\n", error.text);
		return EXIT_USAGE;
	}
	if (measure(&measurement, &options, wanted, &signal, &error) < 0) {
		fprintf(stderr, "retour: %s\n", error.text);
		measurement_deinit(&measurement);
		return EXIT_CANNOT_MEASURE;
	}
	annotate_measurement(&measurement,
		&(struct annotate_options){.names = !options.numeric && !signal, .data_dir = options.data_dir});
	if (insight_run(&measurement) < 0)
		fputs("retour: out of memory: no findings\n", stderr);
	status = status_of(&measurement, &options, wanted, signal);
	if (print(&measurement, &options) < 0 || fflush(stdout) != 0) {
		fprintf(stderr, "retour: cannot write the result: %s\n", strerror(errno));
		status = EXIT_CANNOT_MEASURE;
	}
	measurement_deinit(&measurement);
	return status;
}

int cli_both(int argc, char **argv)
{
	return run_command("", (struct wanted){.forward = true, .reverse = true}, argc, argv);
}

int cli_trace(int argc, char **argv)
{
	return run_command("trace", (struct wanted){.forward = true}, argc, argv);
}

int cli_back(int argc, char **argv)
{
	return run_command("back", (struct wanted){.reverse = true}, argc, argv);
}
