/* Batches: taken, fed to the engine, told of. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/coordinator_inside.h"
#include "revtr/result.h"

#define DAY_MS	    (24LL * 3600 * 1000)
#define RESUME_STEP 1000

int queue_put(struct queue *queue, const struct waiting *waiting)
{
	if (queue->count == queue->room) {
		size_t room = queue->room ? 2 * queue->room : 64;
		struct waiting *list = malloc(room * sizeof(*list));
		if (!list)
			return -ENOMEM;
		for (size_t i = 0; i < queue->count; i++)
			list[i] = queue->list[(queue->first + i) % queue->room];
		free(queue->list);
		*queue = (struct queue){list, 0, queue->count, room};
	}
	queue->list[(queue->first + queue->count++) % queue->room] = *waiting;
	return 0;
}

static bool queue_take(struct queue *queue, struct waiting *waiting)
{
	if (queue->count == 0)
		return false;
	*waiting = queue->list[queue->first];
	queue->first = (queue->first + 1) % queue->room;
	queue->count--;
	return true;
}

/* ---- what a client asks for */

static int check_ask(const struct coordinator *c, const struct coordinator_ask *ask, uint32_t *source, struct error *error)
{
	char text[ADDR_TEXT_SIZE];
	*source = coordinator_source(c, ask->source);
	if (*source == UINT32_MAX)
		return error_set(error, -EPERM, "%s is not a registered source", addr_format(ask->source, text));
	if (!c->sources[*source].stored.consents)
		return error_set(error, -EPERM, "the owner of %s does not consent any more", addr_format(ask->source, text));
	if (ask->destination.family != 4)
		return error_set(error, -EINVAL, "%s: reverse traceroute without cooperation is for IPv4 hosts",
			addr_format(ask->destination, text));
	if (!addr_is_unicast(ask->destination) || addr_is_private(ask->destination))
		return error_set(error, -EINVAL, "%s is not the address of a host on the Internet",
			addr_format(ask->destination, text));
	for (size_t i = 0; i < c->options.opt_out_count; i++)
		if (prefix_contains(c->options.opt_out[i], ask->destination))
			return error_set(error, -EPERM, "the owner of %s does not want to be measured",
				addr_format(ask->destination, text));
	return 0;
}

static int enqueue(struct coordinator *c, int priority, const struct waiting *waiting)
{
	return queue_put(priority > 0 ? &c->interactive : &c->campaign, waiting);
}

static int keep_and_enqueue(struct coordinator *c, const struct coordinator_batch *batch,
	const struct coordinator_ask *asks, struct store_measurement *list, uint32_t *sources, size_t count, int64_t *id,
	struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		int result = check_ask(c, &asks[i], &sources[i], error);
		if (result < 0)
			return result;
		list[i] = (struct store_measurement){
			.source = c->sources[sources[i]].stored.id, .destination = asks[i].destination};
		snprintf(list[i].label, sizeof(list[i].label), "%s", asks[i].label ? asks[i].label : "");
	}
	int result = store_add_batch(
		c->store, batch->key, batch->request, batch->priority, list, count, coordinator_now_ms(), id, error);
	c->health.store_failed = result < 0;
	/* Sent twice: it is known already, and goes on. */
	for (size_t i = 0; i < count && result == 0 && list[i].id != 0; i++)
		result = enqueue(c, batch->priority,
			&(struct waiting){list[i].id, *id, sources[i], asks[i].destination});
	return result;
}

int coordinator_submit(struct coordinator *c, const struct coordinator_batch *batch, const struct coordinator_ask *asks,
	size_t count, int64_t *id, struct error *error)
{
	if (count == 0)
		return error_set(error, -EINVAL, "the batch is empty");
	struct store_measurement *list = calloc(count, sizeof(*list));
	uint32_t *sources = calloc(count, sizeof(*sources));
	int result = list && sources
		? keep_and_enqueue(c, batch, asks, list, sources, count, id, error)
		: error_set(error, -ENOMEM, "out of memory for a batch of %zu", count);
	free(list);
	free(sources);
	if (result == 0)
		coordinator_pump(c);
	return result;
}

/* Those that the engine has go on; their results are not kept. */
static void forget_batch(struct queue *queue, int64_t batch)
{
	size_t kept = 0;
	for (size_t i = 0; i < queue->count; i++) {
		struct waiting waiting = queue->list[(queue->first + i) % queue->room];
		if (waiting.batch != batch)
			queue->list[(queue->first + kept++) % queue->room] = waiting;
	}
	queue->count = kept;
}

int coordinator_cancel(struct coordinator *c, int64_t batch, struct error *error)
{
	size_t waiting, total;
	int result = store_count(c->store, batch, &waiting, &total, error);
	if (result == 0)
		result = store_cancel_batch(c->store, batch, coordinator_now_ms(), error);
	if (result < 0)
		return result;
	forget_batch(&c->interactive, batch);
	forget_batch(&c->campaign, batch);
	return 0;
}

/* ---- to the engine */

static bool note_running(struct coordinator *c, uint32_t number, const struct waiting *waiting)
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
	c->running[number] = (struct running){waiting->id, waiting->batch, coordinator_now_ms()};
	return true;
}

void coordinator_feed(struct coordinator *c)
{
	struct waiting waiting;
	while (revtr_engine_busy(c->engine) < c->options.busy_max &&
		(queue_take(&c->interactive, &waiting) || queue_take(&c->campaign, &waiting))) {
		uint32_t number;
		if (revtr_engine_submit(c->engine, c->sources[waiting.source].engine_index, waiting.destination,
			    coordinator_now_ns(), &number) < 0)
			break; /* out of memory: it is in the store, and its turn comes at the next start */
		if (!note_running(c, number, &waiting))
			break;
	}
}

struct resuming {
	struct coordinator *c;
	int64_t last;
	size_t count;
	int result;
};

static void resume_one(void *context, const struct store_measurement *m)
{
	struct resuming *r = context;
	r->last = m->id;
	r->count++;
	for (uint32_t i = 0; i < r->c->source_count; i++)
		if (r->c->sources[i].stored.id == m->source && r->result == 0)
			r->result = enqueue(r->c, m->priority, &(struct waiting){m->id, m->batch, i, m->destination});
}

int coordinator_resume(struct coordinator *c, struct error *error)
{
	struct resuming r = {.c = c};
	int result;
	do {
		r.count = 0;
		result = store_each_measurement(c->store, 0, r.last, true, RESUME_STEP, resume_one, &r, error);
	} while (result == 0 && r.result == 0 && r.count == RESUME_STEP);
	return r.result < 0 ? error_set(error, -ENOMEM, "out of memory") : result;
}

/* ---- results */

static void tell(struct coordinator *c, int64_t batch, int64_t id, const char *text)
{
	size_t waiting = 1, total;
	struct error error;
	struct coordinator_listener *next;
	bool wanted = false;
	for (struct coordinator_listener *l = c->listeners; l; l = l->next)
		wanted |= l->batch == batch;
	/* Counting takes longer the larger the batch: only for those who follow this one. */
	if (wanted && store_count(c->store, batch, &waiting, &total, &error) < 0)
		waiting = 1;
	for (struct coordinator_listener *l = c->listeners; l; l = next) {
		next = l->next; /* it may go */
		if (l->batch == 0 || l->batch == batch)
			l->told(l->context, batch, id, text, waiting == 0);
	}
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
		char *text = revtr_result_to_json(&result, of.id, of.batch, c->sources[result.source].stored.address, of.started_ms);
		struct error error;
		int kept = text ? store_finish(c->store, of.id, STORE_DONE, text, coordinator_now_ms(), &error) : -ENOMEM;
		c->health.store_failed = kept < 0;
		c->health.finished++;
		c->health.reached += result.stop == REVTR_REACHED;
		c->health.last_finished_ms = coordinator_now_ms();
		/* What could not be kept is not told: it waits in the store, and is measured again. */
		if (kept == 0)
			tell(c, of.batch, of.id, text);
		free(text);
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
	r->last = m->id;
	r->count++;
	if (m->state == STORE_DONE && m->result)
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
	size_t waiting = 1, total;
	do
		r.count = 0;
	while (batch != 0 && store_each_measurement(c->store, batch, r.last, false, RESUME_STEP, replay_one, &r, &error) == 0 &&
		r.count == RESUME_STEP);
	/* All of it was there already: that is the end. */
	if (batch != 0 && store_count(c->store, batch, &waiting, &total, &error) == 0 && waiting == 0)
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
