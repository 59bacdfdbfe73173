#include "cli/output.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "report/csv.h"
#include "report/dot.h"
#include "report/json.h"
#include "report/jsonl.h"
#include "report/scamper.h"
#include "report/text.h"

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
	return isatty(STDOUT_FILENO) && !(no_colour && *no_colour) && terminal &&
		strcmp(terminal, "dumb") != 0;
}

static int print_csv(const struct measurement *measurement, bool first)
{
	int code = first ? report_csv_head(stdout) : 0;
	return code < 0 ? code : report_csv(stdout, measurement);
}

int output_print(const struct measurement *measurement, const struct options *options, bool first)
{
	if (options->json)
		return report_json(stdout, measurement);
	if (options->jsonl)
		return report_jsonl(stdout, measurement);
	if (options->csv)
		return print_csv(measurement, first);
	if (options->dot)
		return report_dot(stdout, measurement);
	if (options->format)
		return report_scamper(stdout, measurement,
			&(struct scamper_options){.tos = options->tos, .size = options->size});
	setlocale(LC_CTYPE, "");
	struct report_options report = {
		.width = options->width ? (int)options->width : width_of_terminal(),
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.colour = wants_colour(),
		.numeric = options->numeric,
	};
	return report_text(stdout, measurement, &report);
}
