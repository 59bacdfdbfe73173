/* From the store to the engine. What waits is in the store, a page of each client's lane is here, and a
 * window of it is in the engine: a million that wait cost no more memory than a thousand.
 *
 * Who comes next: what somebody waits for before campaigns, and within either the client of whom the engine
 * has least. A campaign is let in only while the packets of its source leave almost at once, so that who
 * overtakes it in here does not stand behind its packets in there. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/coordinator_inside.h"

#define PAGE	      256
#define TURN_MAX      1000		/* taken in one turn of the loop */
#define CANCEL_STEP   20000		/* given up in one turn */
#define LEAD_NS	      (250 * NS_PER_MS) /* packets of campaigns wait so long at most when another one is let in */
#define LEAD_FIRST_NS (2 * NS_PER_S) /* and those of who overtakes */

/* ---- lanes */

static uint32_t source_of(const struct coordinator *c, int64_t stored)
{
	for (uint32_t i = 0; i < c->source_count; i++)
		if (c->sources[i].stored.id == stored)
			return i;
	return UINT32_MAX;
}

/* UINT32_MAX: out of memory. */
static uint32_t client_of(struct coordinator *c, const char *key)
{
	for (uint32_t i = 0; i < c->client_count; i++)
		if (strcmp(c->clients[i].key, key) == 0)
			return i;
	struct client *longer = realloc(c->clients, (c->client_count + 1) * sizeof(*longer));
	if (!longer)
		return UINT32_MAX;
	c->clients = longer;
	c->clients[c->client_count] = (struct client){0};
	snprintf(c->clients[c->client_count].key, sizeof(c->clients->key), "%s", key);
	return c->client_count++;
}

/* What there is no memory for is in the store, and its turn comes at the next start. */
static void add_lane(void *context, const struct store_lane *stored)
{
	struct coordinator *c = context;
	uint32_t client = client_of(c, stored->key);
	for (size_t i = 0; i < c->lane_count; i++)
		if (c->lanes[i].id == stored->id)
			return;
	struct lane *longer = realloc(c->lanes, (c->lane_count + 1) * sizeof(*longer));
	if (longer)
		c->lanes = longer;
	if (!longer || client == UINT32_MAX)
		return;
	c->lanes[c->lane_count++] = (struct lane){.id = stored->id,
		.client = client,
		.source = source_of(c, stored->source),
		.interactive = stored->priority > 0};
}

unsigned *coordinator_running_of(struct coordinator *c, uint32_t lane)
{
	return &c->clients[c->lanes[lane].client].running[c->lanes[lane].interactive];
}

void coordinator_wake_lanes(struct coordinator *c, const char *key, bool interactive)
{
	struct error error;
	/* There may be a new one for a source that he has not asked for before. */
	if (store_each_lane(c->store, add_lane, c, &error) < 0)
		c->health.store_failed = true;
	for (size_t i = 0; i < c->lane_count; i++)
		if (c->lanes[i].interactive == interactive &&
			strcmp(c->clients[c->lanes[i].client].key, key) == 0)
			c->lanes[i].empty = false;
}

int coordinator_resume(struct coordinator *c, struct error *error)
{
	int result = store_each_lane(c->store, add_lane, c, error);
	return result == 0 ? store_waiting_of(c->store, NULL, &c->unfinished, error) : result;
}

/* ---- a page of what waits */

struct loading {
	struct coordinator *c;
	struct lane *lane;
	size_t seen;
};

static void note_cancelling(struct coordinator *c, int64_t batch)
{
	for (size_t i = 0; i < c->cancelling_count; i++)
		if (c->cancelling[i] == batch)
			return;
	/* More at once are found again at the next start; nothing of them is measured. */
	if (c->cancelling_count < ARRAY_LEN(c->cancelling))
		c->cancelling[c->cancelling_count++] = batch;
}

static void load_one(void *context, const struct store_measurement *m)
{
	struct loading *loading = context;
	struct lane *lane = loading->lane;
	loading->seen++;
	lane->cursor = m->id;
	if (m->reason)
		note_cancelling(loading->c, m->batch);
	else
		lane->page[lane->count++] = (struct waiting){m->id, m->batch, m->destination};
}

/* false: nothing waits, or it cannot be known now. */
static bool has_page(struct coordinator *c, struct lane *lane)
{
	struct loading loading = {.c = c, .lane = lane};
	struct error error;
	if (lane->empty || lane->first < lane->count)
		return !lane->empty;
	if (!lane->page)
		lane->page = malloc(PAGE * sizeof(*lane->page));
	lane->first = lane->count = 0;
	if (!lane->page)
		return false;
	if (store_each_waiting(c->store, lane->id, lane->cursor, PAGE, load_one, &loading, &error) < 0) {
		c->health.store_failed = true;
		return false;
	}
	if (loading.seen == 0) {
		lane->empty = true;
		free(lane->page);
		lane->page = NULL;
	}
	return lane->count > 0;
}

/* ---- cancelling */

static void forget_batch(struct coordinator *c, int64_t batch)
{
	coordinator_forget_again(c, batch);
	for (size_t i = 0; i < c->lane_count; i++) {
		struct lane *lane = &c->lanes[i];
		size_t kept = lane->first;
		for (size_t j = lane->first; j < lane->count; j++)
			if (lane->page[j].batch != batch)
				lane->page[kept++] = lane->page[j];
		lane->count = kept;
	}
	for (uint32_t i = 0; i < c->running_room; i++)
		if (c->running[i].id != 0 && c->running[i].batch == batch)
			coordinator_stop_running(c, i);
}

int coordinator_cancel(struct coordinator *c, int64_t batch, struct error *error)
{
	size_t left = 0;
	struct store_batch before = {0};
	int result = coordinator_flush(c, error);
	if (result == 0)
		result = store_find_batch(c->store, batch, &before, error);
	if (result == 0)
		result = store_cancel_batch(c->store, batch, "cancelled by its client", CANCEL_STEP,
			coordinator_now_ms(), &left, error);
	if (result < 0)
		return result;
	c->unfinished -= before.waiting - left;
	forget_batch(c, batch);
	if (left > 0)
		note_cancelling(c, batch);
	coordinator_pump(c);
	return 0;
}

/* The rest of large batches, step by step. false: there is none. */
bool coordinator_cancel_some(struct coordinator *c)
{
	size_t left = 0;
	struct error error;
	struct store_batch before;
	if (c->cancelling_count == 0)
		return false;
	int64_t batch = c->cancelling[0];
	if (store_find_batch(c->store, batch, &before, &error) < 0 ||
		store_cancel_batch(c->store, batch, before.reason, CANCEL_STEP, coordinator_now_ms(), &left,
			&error) < 0) {
		c->health.store_failed = true;
		return false;
	}
	c->unfinished -= before.waiting - left;
	if (left == 0) {
		memmove(c->cancelling, c->cancelling + 1, --c->cancelling_count * sizeof(*c->cancelling));
		coordinator_announce(c, batch, 0, NULL, true);
	}
	return true;
}

/* ---- to the engine */

static bool note_running(struct coordinator *c, uint32_t number, const struct running *running)
{
	if (number >= c->running_room) {
		uint32_t room = MAX(2 * c->running_room, number + 64);
		struct running *longer = realloc(c->running, room * sizeof(*longer));
		if (!longer)
			return false;
		memset(longer + c->running_room, 0, (room - c->running_room) * sizeof(*longer));
		c->running = longer;
		c->running_room = room;
	}
	c->running[number] = *running;
	return true;
}

const char *coordinator_cannot_be(
	const struct coordinator *c, uint32_t source, bool interactive, int64_t *wait_ns)
{
	*wait_ns = 0;
	if (source == UINT32_MAX)
		return "its source is not registered any more";
	if (!c->sources[source].stored.consents)
		return "the owner of its source does not consent any more";
	return coordinator_waits(c, source, interactive, wait_ns);
}

bool coordinator_start(struct coordinator *c, const struct running *of, struct addr destination)
{
	uint32_t number;
	survey_want(&c->survey, (uint32_t)destination.low);
	if (revtr_engine_submit(c->engine, c->sources[c->lanes[of->lane].source].engine_index, destination,
		    coordinator_now_ns(), &number) < 0)
		return false;
	if (note_running(c, number, of))
		++*coordinator_running_of(c, of->lane);
	return true;
}

/* false: out of memory; it is tried again. */
static bool start_one(struct coordinator *c, struct lane *lane)
{
	const struct waiting *waiting = &lane->page[lane->first];
	int64_t wait_ns;
	const char *reason = coordinator_cannot_be(c, lane->source, lane->interactive, &wait_ns);
	const struct running of = {
		waiting->id, waiting->batch, coordinator_now_ms(), (uint32_t)(lane - c->lanes), 0};
	bool begun = reason ? coordinator_keep_end(c, waiting->id, waiting->batch, NULL, reason) == 0
			    : coordinator_start(c, &of, waiting->destination);
	lane->first += begun;
	return begun;
}

/* So long until the lane's next one may come in; 0 = now. */
static int64_t wait_of(const struct coordinator *c, const struct lane *lane)
{
	int64_t wait_ns;
	if (coordinator_cannot_be(c, lane->source, lane->interactive, &wait_ns) || wait_ns > 0)
		return wait_ns;
	int64_t backlog_ns = revtr_engine_backlog(c->engine, c->sources[lane->source].engine_index);
	return MAX(backlog_ns - (lane->interactive ? LEAD_FIRST_NS : LEAD_NS), 0);
}

static struct lane *choose(struct coordinator *c, bool interactive, int64_t *wait_ns)
{
	struct lane *best = NULL;
	unsigned best_running = UINT_MAX;
	for (size_t i = 0; i < c->lane_count; i++) {
		struct lane *lane = &c->lanes[(c->lane_turn + i) % c->lane_count];
		unsigned running = c->clients[lane->client].running[interactive];
		if (lane->interactive != interactive || running >= best_running || !has_page(c, lane))
			continue;
		int64_t lane_wait_ns = wait_of(c, lane);
		if (lane_wait_ns > 0) {
			*wait_ns = MIN(*wait_ns, lane_wait_ns);
			continue;
		}
		best = lane;
		best_running = running;
	}
	return best;
}

bool coordinator_feed(struct coordinator *c, int64_t *wait_ns)
{
	*wait_ns = TIME_NEVER;
	coordinator_feed_again(c, wait_ns);
	for (unsigned turn = 0; turn < TURN_MAX; turn++) {
		unsigned busy = revtr_engine_busy(c->engine);
		struct lane *lane = NULL;
		if (coordinator_is_held_up(c))
			return false;
		if (busy < c->options.busy_max)
			lane = choose(c, true, wait_ns);
		/* There is always room for who overtakes. */
		if (!lane && busy < c->options.busy_max - c->options.busy_max / 10)
			lane = choose(c, false, wait_ns);
		if (!lane || !start_one(c, lane))
			return false;
		c->lane_turn = (size_t)(lane - c->lanes) + 1;
	}
	return true;
}

void coordinator_free_lanes(struct coordinator *c)
{
	for (size_t i = 0; i < c->lane_count; i++)
		free(c->lanes[i].page);
	free(c->lanes);
	free(c->clients);
}
