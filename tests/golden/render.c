/* render NAME json|WIDTH [utf8] [colour] [numeric]: a sample on standard output; render list: their names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "insight/insight.h"
#include "report/json.h"
#include "report/text.h"
#include "samples.h"

static int render(const struct sample *sample, int argc, char **argv)
{
	struct measurement m;
	measurement_init(&m);
	sample->build(&m);
	int status = m.forward ? path_summarise(m.forward) : 0;
	if (status == 0 && m.reverse)
		status = path_summarise(m.reverse);
	if (status == 0)
		status = insight_run(&m);
	struct report_options options = {.width = atoi(argv[2])};
	for (int i = 3; i < argc; i++) {
		options.utf8 |= strcmp(argv[i], "utf8") == 0;
		options.colour |= strcmp(argv[i], "colour") == 0;
		options.numeric |= strcmp(argv[i], "numeric") == 0;
	}
	if (status == 0)
		status = strcmp(argv[2], "json") == 0 ? report_json(stdout, &m)
						      : report_text(stdout, &m, &options);
	measurement_deinit(&m);
	return status == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	for (unsigned i = 0; i < sample_count; i++) {
		if (argc == 2 && strcmp(argv[1], "list") == 0)
			puts(samples[i].name);
		else if (argc >= 3 && strcmp(argv[1], samples[i].name) == 0)
			return render(&samples[i], argc, argv);
	}
	return argc == 2 ? 0 : 2;
}
