#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/windows.h"
#include "cli/windows_run.h"
#include "report/layout_windows.h"
#include "trace/cycles.h"

#define PROBES 3 /* for a hop that does not answer */

/* The way, found first; then asked again and again. rows[0] is this host. */
struct pathping {
	struct windows_run run;
	struct pathping_row rows[CLASSIC_TTL_MAX + 1];
	char names[CLASSIC_TTL_MAX + 1][PERSONA_NAME_SIZE];
	size_t count;
	bool silent; /* a hop did not answer: the way is known up to there */
	struct cycles cycles;
};

static void add_row(struct pathping *pathping, struct addr address)
{
	size_t place = pathping->count++;
	char *name = pathping->names[place];
	pathping->rows[place] = (struct pathping_row){.address = address,
		.name = windows_run_name(&pathping->run, address, name),
		.rtt_ns = RTT_NONE};
	layout_pathping_hop(stdout, (unsigned)place, address, pathping->rows[place].name);
	fflush(stdout);
}

/* One line a hop, by the first probe that was answered. */
static void tell(void *context, const struct classic *classic, unsigned index)
{
	struct pathping *pathping = context;
	unsigned ttl = classic_ttl(classic, index);
	struct addr from = classic->probes[index].result.address;
	if (pathping->silent || pathping->count > ttl)
		return;
	if (addr_is_set(from)) {
		add_row(pathping, from);
	} else if (index % PROBES == PROBES - 1) {
		pathping->silent = true;
		layout_pathping_silent(stdout, ttl);
		fflush(stdout);
	}
}

static int ask(struct pathping *pathping)
{
	const struct windows_args *args = pathping->run.args;
	unsigned last = (unsigned)pathping->count - 1;
	struct cycles_config config = {
		.engine = pathping->run.engine,
		.first_ttl = 1,
		.max_ttl = last,
		.cycles = args->queries,
		.pause_ns = args->period_ms * NS_PER_MS,
		.grace_ns = args->timeout_ms * NS_PER_MS,
		.fixed = true,
	};
	struct error error = {0};
	uint64_t milliseconds = (uint64_t)last * args->queries * args->period_ms;
	layout_pathping_waiting(stdout, (unsigned)(milliseconds / 1000));
	fflush(stdout);
	/* What was probed before must not be taken for an answer now. */
	config.engine.key = hash_key_random();
	cycles_init(&pathping->cycles, &config, NULL, NULL);
	int result = persona_run(&pathping->run.session, cycles_machine(&pathping->cycles), &error);
	if (result == 0)
		result = pathping->cycles.send_error;
	for (unsigned ttl = 1; ttl <= last; ttl++) {
		const struct cycles_hop *hop = &pathping->cycles.hops[ttl];
		pathping->rows[ttl].sent = hop->sent;
		pathping->rows[ttl].lost = hop->sent - hop->series.received;
		if (hop->series.received > 0)
			pathping->rows[ttl].rtt_ns = (int64_t)hop->series.mean_ns;
	}
	cycles_deinit(&pathping->cycles);
	return result < 0 ? windows_run_fail(result) : 0;
}

/* This host by its own name. */
static void add_self(struct pathping *pathping)
{
	char *name = pathping->names[0];
	bool named = !pathping->run.args->numeric && gethostname(name, PERSONA_NAME_SIZE - 1) == 0;
	pathping->rows[0] = (struct pathping_row){
		.address = pathping->run.session.source, .name = named ? name : NULL, .rtt_ns = RTT_NONE};
	pathping->count = 1;
	layout_pathping_hop(stdout, 0, pathping->rows[0].address, pathping->rows[0].name);
}

static int run(struct pathping *pathping)
{
	struct windows_run *run = &pathping->run;
	layout_pathping_heading(
		stdout, run->target, run->target_name[0] ? run->target_name : NULL, run->args->max_ttl);
	add_self(pathping);
	fflush(stdout);
	int status = windows_run_trace(run, PROBES, tell, pathping);
	if (status == 0 && !run->session.signal && pathping->count > 1)
		status = ask(pathping);
	if (status != 0)
		return status;
	if (pathping->rows[pathping->count - 1].sent > 0)
		layout_pathping_table(stdout, pathping->rows, pathping->count);
	if (run->session.signal)
		return 128 + run->session.signal;
	layout_tracert_end(stdout);
	return 0;
}

int cli_pathping(int argc, char **argv)
{
	struct windows_args args;
	int status = windows_args_parse(&args, PATHPING, argc, argv);
	if (status >= 0)
		return status;
	struct pathping *pathping = calloc(1, sizeof(*pathping));
	if (!pathping)
		return windows_run_fail(-ENOMEM);
	status = windows_run_open(&pathping->run, &args);
	if (status < 0)
		status = run(pathping);
	windows_run_close(&pathping->run);
	free(pathping);
	return status;
}
