/* A measurement on standard output, in the form that the options ask for. */
#ifndef RETOUR_CLI_OUTPUT_H
#define RETOUR_CLI_OUTPUT_H

#include "cli/options.h"
#include "path/model.h"
#include "report/jsonl.h"

/* 0 or negative errno. Of several measurements in a row the first is to be printed with `first`: it has the
 * head line of a table. `live`: what was told of it as events already, NULL = nothing. */
int output_print(const struct measurement *measurement, const struct options *options, bool first,
	const struct jsonl_live *live);

#endif
