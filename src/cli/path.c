#include "cli/path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "annotate/annotate.h"
#include "cli/exit.h"
#include "cli/measure.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/targets.h"
#include "insight/insight.h"
#include "reverse/climb.h"

static bool has_problem(const struct measurement *measurement)
{
	for (size_t i = 0; i < measurement->finding_count; i++)
		if (measurement->findings[i].severity == SEVERITY_PROBLEM)
			return true;
	return false;
}

static int status_of(const struct measurement *measurement, const struct options *options,
	struct wanted wanted, int signal)
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
	struct early *early = NULL;
	struct data *data = NULL;
	int signal;
	int status = options_parse(&options, command, argc, argv);
	if (status >= 0)
		return status;
	if (options.targets)
		return targets_run(&options);
	if (climb_check(options.methods, &error) < 0) {
		fprintf(stderr, "retour: %s\n", error.text);
		return EXIT_USAGE;
	}
	struct jsonl_live live = {.out = stdout};
	wanted.live = options.jsonl ? &live : NULL;
	wanted.data = &data;
	wanted.early = options.numeric ? NULL : &early;
	int code = measure(&measurement, &options, wanted, &signal, &error);
	if (code < 0) {
		fprintf(stderr, "retour: %s\n", error.text);
		early_free(early);
		data_free(data);
		jsonl_live_deinit(&live);
		measurement_deinit(&measurement);
		return code == -ERANGE ? EXIT_USAGE : EXIT_CANNOT_MEASURE;
	}
	annotate_measurement(&measurement,
		&(struct annotate_options){.names = !options.numeric && !signal,
			.data = data,
			.data_dir = options.data_dir,
			.as_zone = signal ? NULL : options_as_zone(&options),
			.early = early});
	early_free(early);
	data_free(data);
	if (insight_run(&measurement) < 0)
		fputs("retour: out of memory: no findings\n", stderr);
	status = status_of(&measurement, &options, wanted, signal);
	code = output_print(&measurement, &options, true, wanted.live);
	if (code < 0 || fflush(stdout) != 0) {
		fprintf(stderr, "retour: cannot write the result: %s\n",
			strerror(code < 0 && code != -EIO ? -code : errno));
		status = EXIT_CANNOT_MEASURE;
	}
	jsonl_live_deinit(&live);
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
