#include "cli/output.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cli/terminal.h"
#include "report/csv.h"
#include "report/dot.h"
#include "report/json.h"
#include "report/scamper.h"
#include "report/text.h"

#define USUAL_WIDTH 80

static int print_csv(const struct measurement *measurement, bool first)
{
	int code = first ? report_csv_head(stdout) : 0;
	return code < 0 ? code : report_csv(stdout, measurement);
}

int output_print(const struct measurement *measurement, const struct options *options, bool first,
	const struct jsonl_live *live)
{
	if (options->json)
		return report_json(stdout, measurement);
	if (options->jsonl)
		return report_jsonl(stdout, measurement, live);
	if (options->csv)
		return print_csv(measurement, first);
	if (options->dot)
		return report_dot(stdout, measurement);
	if (options->format)
		return report_scamper(stdout, measurement,
			&(struct scamper_options){.tos = options->tos, .size = options->size});
	setlocale(LC_CTYPE, "");
	struct report_options report = {
		.width = options->width ? (int)options->width : terminal_width(USUAL_WIDTH),
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.colour = terminal_wants_colour(),
		.numeric = options->numeric,
	};
	return report_text(stdout, measurement, &report);
}
