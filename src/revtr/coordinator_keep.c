/* How long results are kept: so many days after the last of their batch. They are removed a few at a time, so
 * that nobody waits for it who hands something in or reads a stream. */
#include "base/clock.h"
#include "revtr/coordinator_inside.h"

#define DAY_MS	  (24LL * 3600 * 1000)
#define STEP	  100 /* rows; some milliseconds */
#define STEP_MS	  50  /* and as many again for everything else, many times over */
#define MINUTE_MS 60000

/* The day's, but that it was set forward while this runs has made nothing older. */
static int64_t now_ms(const struct coordinator *c)
{
	return MIN(coordinator_now_ms(),
		c->keep.begun_ms + (coordinator_now_ns() - c->keep.begun_ns) / NS_PER_MS);
}

static void on_timer(uv_timer_t *timer)
{
	struct coordinator *c = timer->data;
	size_t results;
	bool more;
	struct error error;
	/* What cannot be removed now is removed later: the store itself says what is wrong with it. */
	(void)!store_remove_old(
		c->store, now_ms(c) - c->options.keep_days * DAY_MS, STEP, &results, &more, &error);
	c->health.results -= MIN((uint64_t)results, c->health.results);
	c->health.removed += results;
	uv_timer_start(timer, on_timer, more ? STEP_MS : MINUTE_MS, 0);
}

int coordinator_keep(struct coordinator *c, struct error *error)
{
	size_t count;
	int result = store_count_results(c->store, &count, error);
	c->health.results = result == 0 ? count : 0;
	c->keep.begun_ms = coordinator_now_ms();
	c->keep.begun_ns = coordinator_now_ns();
	if (result == 0 && c->options.keep_days > 0)
		uv_timer_start(&c->keep.timer, on_timer, STEP_MS, 0);
	return result;
}
