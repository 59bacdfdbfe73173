/* Results: kept, and then told. What has come within a few milliseconds is written together, as to have it on
 * disk takes as long for a thousand as for one. Where the store does not take it, it stays here and is tried
 * again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/coordinator_inside.h"
#include "revtr/result.h"

#define TOGETHER_MS  5
#define LEARNED_MS   200 /* what nobody waits for */
#define AGAIN_MS     1000
#define TOGETHER_MAX 1000  /* written at once */
#define HELD_MAX     20000 /* while the store takes nothing: more are not begun then */

struct pending {
	int64_t id, batch;
	char *text;	    /* NULL: it was given up, */
	const char *reason; /* for that */
	bool kept, ended;
};

/* What was learned on the way. */
struct pending_view {
	struct prefix prefix;
	uint32_t agent, ingress;
	unsigned distance;
};

struct outbox {
	struct pending *list;
	size_t count, room;
	struct pending_view *views;
	size_t view_count, view_room;
	uint32_t *responders;
	size_t responder_count, responder_room;
};

/* One more of whatever it is. */
static void *longer(void *list, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return list;
	size_t more = MAX(2 * *room, (size_t)64);
	void *result = realloc(list, more * size);
	if (result)
		*room = more;
	return result;
}

static struct outbox *outbox(struct coordinator *c)
{
	if (!c->outbox)
		c->outbox = calloc(1, sizeof(*c->outbox));
	return c->outbox;
}

static void on_flush(uv_timer_t *timer)
{
	struct coordinator *c = timer->data;
	struct error error;
	/* What went wrong is in the health; it is tried again. */
	(void)!coordinator_flush(c, &error);
	coordinator_pump(c);
}

static void flush_within(struct coordinator *c, uint64_t wait_ms)
{
	bool active = uv_is_active((uv_handle_t *)&c->flush);
	/* While the store does not take it, it is tried now and then. */
	if (active && (c->health.store_failed || uv_timer_get_due_in(&c->flush) <= wait_ms))
		return;
	uv_update_time(c->loop);
	uv_timer_start(&c->flush, on_flush, wait_ms, 0);
}

bool coordinator_is_held_up(const struct coordinator *c)
{
	return c->outbox && c->outbox->count >= (c->health.store_failed ? HELD_MAX / 2 : HELD_MAX);
}

/* ---- what is to be written */

int coordinator_keep_end(struct coordinator *c, int64_t id, int64_t batch, char *text, const char *reason)
{
	struct outbox *out = outbox(c);
	struct pending *list = out ? longer(out->list, out->count, &out->room, sizeof(*list)) : NULL;
	if (!list)
		return -ENOMEM;
	out->list = list;
	out->list[out->count++] = (struct pending){.id = id, .batch = batch, .text = text, .reason = reason};
	flush_within(c, out->count < TOGETHER_MAX ? TOGETHER_MS : 0);
	return 0;
}

void coordinator_keep_view(
	struct coordinator *c, struct prefix prefix, uint32_t agent, unsigned distance, uint32_t ingress)
{
	struct outbox *out = outbox(c);
	struct pending_view *views =
		out ? longer(out->views, out->view_count, &out->view_room, sizeof(*views)) : NULL;
	if (!views || out->view_count >= HELD_MAX)
		return; /* what is not learned now is learned another time */
	out->views = views;
	out->views[out->view_count++] = (struct pending_view){prefix, agent, ingress, distance};
	flush_within(c, out->view_count < TOGETHER_MAX ? LEARNED_MS : 0);
}

void coordinator_keep_responder(struct coordinator *c, uint32_t address)
{
	struct outbox *out = outbox(c);
	uint32_t *list = out
		? longer(out->responders, out->responder_count, &out->responder_room, sizeof(*list))
		: NULL;
	if (!list || out->responder_count >= HELD_MAX)
		return;
	out->responders = list;
	out->responders[out->responder_count++] = address;
	flush_within(c, LEARNED_MS);
}

void coordinator_spent_something(struct coordinator *c)
{
	flush_within(c, LEARNED_MS);
}

/* ---- writing it */

static int write_end(struct coordinator *c, struct pending *pending, int64_t now_ms, struct error *error)
{
	int result = pending->text
		? store_finish(c->store, pending->id, pending->text, now_ms, &pending->ended, error)
		: store_give_up(c->store, pending->id, pending->reason, now_ms, &pending->ended, error);
	/* It was cancelled meanwhile. */
	pending->kept = result == 0;
	return result == -ENOENT ? 0 : result;
}

static int write_all(struct coordinator *c, struct error *error)
{
	struct outbox *out = c->outbox;
	int64_t now_ms = coordinator_now_ms();
	int result = store_begin(c->store, error);
	if (result < 0)
		return result;
	for (size_t i = 0; out && i < out->count && result == 0; i++)
		result = write_end(c, &out->list[i], now_ms, error);
	for (size_t i = 0; out && i < out->view_count && result == 0; i++) {
		const struct pending_view *view = &out->views[i];
		result = store_add_view(c->store, view->prefix, c->agents[view->agent].name, view->distance,
			view->ingress, now_ms, error);
	}
	for (size_t i = 0; out && i < out->responder_count && result == 0; i++)
		result = store_add_responder(c->store, out->responders[i], now_ms, error);
	if (result == 0)
		result = coordinator_write_spent(c, error);
	if (result == 0)
		result = store_commit(c->store, error);
	if (result < 0)
		store_undo(c->store);
	return result;
}

static void tell_all(struct coordinator *c)
{
	/* Whoever is told may ask for things that are kept: those wait in a list of their own. */
	struct outbox *out = c->outbox;
	struct pending *list = out->list;
	size_t count = out->count;
	out->list = NULL;
	out->count = out->room = out->view_count = out->responder_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (list[i].kept) {
			c->unfinished--;
			c->health.finished += list[i].text != NULL;
			c->health.results += list[i].text != NULL;
			coordinator_announce(c, list[i].batch, list[i].id, list[i].text, list[i].ended);
		}
		free(list[i].text);
	}
	free(list);
}

/* Said once, and again when it is over. */
static void note_store(struct coordinator *c, int result, const struct error *error)
{
	bool failed = result < 0;
	if (failed && !c->store_told)
		coordinator_tell(c, "results wait, as they cannot be kept: %s", error->text);
	else if (!failed && c->store_told)
		coordinator_tell(c, "the store takes what is written again");
	c->health.store_failed = c->store_told = failed;
}

int coordinator_flush(struct coordinator *c, struct error *error)
{
	const struct outbox *out = c->outbox;
	if ((!out || out->count + out->view_count + out->responder_count == 0) && !coordinator_has_spent(c))
		return 0;
	int result = write_all(c, error);
	note_store(c, result, error);
	if (result < 0) {
		uv_update_time(c->loop);
		uv_timer_start(&c->flush, on_flush, AGAIN_MS, 0);
		return result;
	}
	uv_timer_stop(&c->flush);
	coordinator_all_spent_kept(c);
	if (c->outbox)
		tell_all(c);
	return 0;
}

void coordinator_free_results(struct coordinator *c)
{
	struct outbox *out = c->outbox;
	for (size_t i = 0; out && i < out->count; i++)
		free(out->list[i].text);
	if (out) {
		free(out->list);
		free(out->views);
		free(out->responders);
	}
	free(out);
	while (c->listeners) {
		struct coordinator_listener *next = c->listeners->next;
		free(c->listeners);
		c->listeners = next;
	}
}

/* ---- out of the engine */

void coordinator_stop_running(struct coordinator *c, uint32_t number)
{
	struct running *running = &c->running[number];
	if (running->id != 0)
		--*coordinator_running_of(c, running->lane);
	running->id = 0;
	revtr_engine_cancel(c->engine, number, coordinator_now_ns());
}

void coordinator_withdraw(struct coordinator *c, uint32_t source)
{
	static const char reason[] = "the owner of its source does not consent any more";
	for (uint32_t i = 0; i < c->running_room; i++) {
		struct running of = c->running[i];
		if (of.id == 0 || c->lanes[of.lane].source != source)
			continue;
		/* What cannot be noted is given up at the next start. */
		if (coordinator_keep_end(c, of.id, of.batch, NULL, reason) == 0)
			coordinator_stop_running(c, i);
	}
	coordinator_pump(c);
}

void coordinator_take_results(struct coordinator *c)
{
	struct revtr_result result;
	while (revtr_engine_finished(c->engine, &result)) {
		struct running *running = result.id < c->running_room ? &c->running[result.id] : NULL;
		if (!running || running->id == 0)
			continue;
		struct running of = *running;
		running->id = 0;
		--*coordinator_running_of(c, of.lane);
		if (coordinator_again(c, &of, &result))
			continue;
		struct source_entry *source = &c->sources[c->lanes[of.lane].source];
		char *text =
			revtr_result_to_json(&result, of.id, of.batch, source->stored.address, of.started_ms);
		c->health.reached += result.stop == REVTR_REACHED;
		source->finished_ns = coordinator_now_ns();
		if (result.stop == REVTR_REACHED)
			source->reached_ns = source->finished_ns;
		c->health.last_finished_ms = coordinator_now_ms();
		c->health.last_finished_ns = coordinator_now_ns();
		/* Without memory it waits in the store, and is measured again after the next start. */
		if (!text || coordinator_keep_end(c, of.id, of.batch, text, NULL) < 0)
			free(text);
	}
}

/* ---- telling */

void coordinator_announce(struct coordinator *c, int64_t batch, int64_t id, const char *text, bool last)
{
	struct coordinator_listener *next;
	for (struct coordinator_listener *l = c->listeners; l; l = next) {
		next = l->next; /* it may go */
		if (l->batch == 0 || l->batch == batch)
			l->told(l->context, batch, id, text, last);
	}
}

struct replaying {
	struct coordinator_listener *listener;
	int64_t last;
	size_t count;
};

static void replay_one(void *context, const struct store_measurement *m)
{
	struct replaying *r = context;
	r->last = m->place;
	r->count++;
	r->listener->told(r->listener->context, m->batch, m->id, m->result, false);
}

struct coordinator_listener *coordinator_listen(
	struct coordinator *c, int64_t batch, coordinator_told *told, void *context)
{
	struct coordinator_listener *listener = calloc(1, sizeof(*listener));
	if (!listener)
		return NULL;
	*listener = (struct coordinator_listener){c, NULL, batch, told, context};
	struct replaying r = {.listener = listener};
	struct error error;
	struct store_batch found;
	do
		r.count = 0;
	while (batch != 0 &&
		store_each_result(c->store, batch, r.last, TOGETHER_MAX, replay_one, &r, &error) == 0 &&
		r.count == TOGETHER_MAX);
	/* All of it was there already: that is the end. */
	if (batch != 0 && store_find_batch(c->store, batch, &found, &error) == 0 && found.waiting == 0 &&
		!found.open)
		told(context, batch, 0, NULL, true);
	listener->next = c->listeners;
	c->listeners = listener;
	return listener;
}

void coordinator_unlisten(struct coordinator_listener *listener)
{
	if (!listener)
		return;
	struct coordinator_listener **place = &listener->coordinator->listeners;
	while (*place && *place != listener)
		place = &(*place)->next;
	if (*place)
		*place = listener->next;
	free(listener);
}
