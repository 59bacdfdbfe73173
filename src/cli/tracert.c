#include <stdio.h>

#include "cli/windows.h"
#include "cli/windows_run.h"
#include "report/layout_windows.h"

#define PROBES 3

/* The line of a hop is told probe by probe; its end says who answered last. A refusal ends the line at once.
 */
struct display {
	const struct windows_run *run;
	bool refused;
};

static void tell(void *context, const struct classic *classic, unsigned index)
{
	struct display *display = context;
	char name[PERSONA_NAME_SIZE];
	unsigned ttl = classic_ttl(classic, index), place = index % PROBES;
	const struct probe_result *probe = &classic->probes[index].result;
	if (display->refused)
		return;
	if (windows_refusal(probe)) {
		layout_tracert_refusal(
			stdout, ttl, probe, place, windows_run_name(display->run, probe->address, name));
		display->refused = true;
		fflush(stdout);
		return;
	}
	layout_tracert_probe(stdout, ttl, probe, place);
	if (place == PROBES - 1) {
		struct addr from = ADDR_NONE;
		for (unsigned i = 0; i < PROBES && !addr_is_set(from); i++)
			from = classic->probes[index - i].result.address;
		layout_tracert_host(stdout, from, windows_run_name(display->run, from, name));
	}
	fflush(stdout);
}

int cli_tracert(int argc, char **argv)
{
	struct windows_args args;
	struct windows_run run;
	int status = windows_args_parse(&args, TRACERT, argc, argv);
	if (status >= 0)
		return status;
	status = windows_run_open(&run, &args);
	if (status < 0) {
		struct display display = {.run = &run};
		layout_tracert_heading(
			stdout, run.target, run.target_name[0] ? run.target_name : NULL, args.max_ttl);
		fflush(stdout);
		status = windows_run_trace(&run, PROBES, tell, &display);
		if (run.session.signal)
			status = 128 + run.session.signal;
		if (status == 0)
			layout_tracert_end(stdout);
	}
	windows_run_close(&run);
	return status;
}
