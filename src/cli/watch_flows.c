/* Before the first round of `--multipath`: which ways there are, and a few flows that together take all of
 * them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/explore.h"
#include "cli/watch_inside.h"

struct search {
	struct watch *watch;
	struct explore explore;
	bool progress_shown;
};

static void show_progress(void *context, double elapsed_s)
{
	struct search *search = context;
	struct multipath_status status = multipath_status(search->explore.multipath);
	fprintf(stderr, "\rretour: %.0f s, looking for ways, %u routers so far\033[K", elapsed_s,
		status.routers);
	search->progress_shown = true;
}

static int look(struct search *search, struct hash_key key, struct error *error)
{
	struct watch *watch = search->watch;
	int result = driver_init(&watch->driver, &watch->session.channel, error);
	if (result < 0)
		return result;
	if (isatty(STDERR_FILENO))
		driver_set_progress(&watch->driver, show_progress, search);
	result = explore_add(&search->explore, &watch->session, &watch->driver, key, error);
	if (result == 0)
		result = driver_run(&watch->driver, error);
	if (search->progress_shown)
		fputs("\r\033[K", stderr);
	watch->signal = watch->driver.signal;
	driver_deinit(&watch->driver);
	return result;
}

/* Where nothing could be sent the rounds will find the same, and say so. */
static int choose(struct search *search, struct error *error)
{
	struct watch *watch = search->watch;
	struct flow flows[TIMELINE_FLOWS];
	unsigned missed = 0;
	int count = multipath_choose(search->explore.multipath, flows, watch->options->flows, &missed);
	if (count < 0 || rounds_take_flows(&watch->rounds, flows, (unsigned)count) < 0)
		return error_set(error, -ENOMEM, "out of memory");
	watch->rounds.config.engine.flow = watch->rounds.engine.config.flow = flows[0];
	if (count == 1)
		fputs("retour: flows were found to take one way: one flow is enough\n", stderr);
	if (missed > 0)
		fprintf(stderr, "retour: %u of the routers found are not on the way of these %d flows\n",
			missed, count);
	explore_keep_ports(&search->explore, flows, (unsigned)count, watch->port_fds);
	return 0;
}

int watch_choose_flows(struct watch *watch, struct hash_key key, struct error *error)
{
	struct search search = {.watch = watch};
	/* Probes of another key: late answers to them are not taken for those of the rounds. */
	int result = look(&search, (struct hash_key){~key.k0, ~key.k1}, error);
	if (result == 0)
		result = choose(&search, error);
	explore_deinit(&search.explore);
	return result;
}
