/* Results as they come.
 *
 * A stream tells what the store has, in the order in which it came, as fast as its client reads. So a client
 * that reads slowly costs nothing more, and gets all of them. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "serve/revtr_api_inside.h"

#define PUMP_MS	     10
#define UNSENT_MAX   24576 /* bytes; with a step of records there is room left in the server's buffer */
#define STEP	     2	   /* records read at a time: 16 KiB at most each */
#define HEARTBEAT_NS (10 * NS_PER_S)
#define AWAITS_NS    NS_PER_S	    /* how often it is seen whether somebody is waited for */
#define KEEP_NS	     (5 * NS_PER_S) /* how often who reads is given time again */

struct revtr_stream {
	struct revtr_api *api;
	struct revtr_stream *next;
	struct httpd_exchange *exchange;
	enum revtr_form form;
	int64_t batch;	/* 0 = all that the client may see */
	int64_t cursor; /* told from the store up to here: places of results; numbers of measurements, as
			   published */
	int64_t cursor_batch; /* where the cursor is, of all batches */
	char *label;	      /* NULL = whatever; as published only */
	char *key;	      /* whose; NULL = anybody's */
	bool ended;
	bool caught_up;
	bool look; /* it may have ended */
	bool told_any, failed;
	size_t unsent; /* when it was looked at last */
	bool awaits;   /* and the client knows */
	int64_t written_ns, kept_ns, awaits_ns;
};

/* ---- writing */

static void put(struct revtr_stream *stream, const char *text, size_t length)
{
	stream->failed |= httpd_write(stream->exchange, text, length) < 0;
	stream->written_ns = clock_monotonic_ns();
}

static void put_text(struct revtr_stream *stream, const char *text)
{
	put(stream, text, strlen(text));
}

static void put_record(struct revtr_stream *stream, const struct store_measurement *m)
{
	bool published = stream->form == REVTR_PUBLISHED;
	char *record = published ? revtr_published_record(stream->api, m) : revtr_record(stream->api, m),
	     head[80];
	if (!record) {
		stream->failed = true;
		return;
	}
	if (stream->form == REVTR_EVENTS) {
		snprintf(head, sizeof(head), "event: result\nid: %lld\ndata: ", (long long)m->place);
		put_text(stream, head);
	} else if (published && stream->told_any) {
		put_text(stream, ",");
	}
	stream->told_any = true;
	put_text(stream, record);
	put_text(stream, stream->form == REVTR_EVENTS ? "\n\n" : "\n");
	free(record);
}

static void put_end(struct revtr_stream *stream, const struct store_batch *batch)
{
	char text[200];
	snprintf(text, sizeof(text),
		"{\"end\":true,\"batch\":%lld,\"total\":%zu,\"done\":%zu,\"cancelled\":%zu}",
		(long long)batch->id, batch->done + batch->cancelled, batch->done, batch->cancelled);
	if (stream->form == REVTR_EVENTS)
		put_text(stream, "event: end\ndata: ");
	put_text(stream, text);
	put_text(stream, stream->form == REVTR_EVENTS ? "\n\n" : "\n");
}

/* ---- going on */

struct step {
	struct revtr_stream *stream;
	size_t count;
};

static void take_one(void *context, const struct store_measurement *m)
{
	struct step *step = context;
	step->count++;
	step->stream->cursor = step->stream->form == REVTR_PUBLISHED ? m->id : m->place;
	step->stream->cursor_batch = m->batch;
	put_record(step->stream, m);
}

static void read_store(struct revtr_stream *stream)
{
	struct step step = {.stream = stream};
	struct error error;
	struct store *store = stream->api->config.store;
	int result;
	if (stream->form != REVTR_PUBLISHED)
		result = store_each_result(
			store, stream->batch, stream->cursor, STEP, take_one, &step, &error);
	else if (!stream->label)
		result = store_each_measurement(
			store, stream->batch, stream->cursor, STEP, take_one, &step, &error);
	else if (stream->batch)
		result = store_each_labelled(
			store, stream->batch, stream->label, stream->cursor, STEP, take_one, &step, &error);
	else
		result = store_each_labelled_of(store, stream->key, stream->label, stream->cursor_batch,
			stream->cursor, STEP, take_one, &step, &error);
	stream->failed |= result < 0;
	stream->caught_up = step.count < STEP;
}

static void finish(struct revtr_stream *stream)
{
	stream->ended = true;
	httpd_end(stream->exchange);
}

static void look(struct revtr_stream *stream)
{
	struct store_batch batch;
	struct error error;
	stream->look = false;
	/* What is not kept any more may be a half of it. */
	if (stream->batch && store_find_batch(stream->api->config.store, stream->batch, &batch, &error) < 0) {
		stream->failed = true;
	} else if (stream->form == REVTR_PUBLISHED) {
		put_text(stream, "]}\n");
		finish(stream);
	} else if (batch.waiting == 0 && !batch.open) {
		put_end(stream, &batch);
		finish(stream);
	}
}

/* Who takes what he is sent may stay; who does not is let go after the time of any answer. */
static void keep(struct revtr_stream *stream)
{
	int64_t now_ns = clock_monotonic_ns();
	size_t unsent = httpd_unsent(stream->exchange);
	if ((unsent > 0 && unsent >= stream->unsent) || now_ns - stream->kept_ns < KEEP_NS)
		return;
	stream->kept_ns = now_ns;
	httpd_keep(stream->exchange);
}

/* Said once for each time that its agent is away. */
static void tell_awaited(struct revtr_stream *stream)
{
	struct coordinator_awaited awaited;
	int64_t now_ns = clock_monotonic_ns();
	if (stream->form == REVTR_PUBLISHED || !stream->caught_up || now_ns - stream->awaits_ns < AWAITS_NS)
		return;
	bool known = stream->awaits;
	stream->awaits_ns = now_ns;
	stream->awaits = coordinator_awaits(stream->api->config.coordinator, stream->batch, &awaited);
	json_t *line =
		stream->awaits && !known ? json_pack("{s:o}", "awaits", revtr_awaited_json(&awaited)) : NULL;
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	if (text && stream->form == REVTR_EVENTS)
		put_text(stream, "event: awaits\ndata: ");
	if (text) {
		put_text(stream, text);
		put_text(stream, stream->form == REVTR_EVENTS ? "\n\n" : "\n");
	}
	free(text);
	json_decref(line);
}

static void show_life(struct revtr_stream *stream)
{
	if (httpd_unsent(stream->exchange) == 0 && clock_monotonic_ns() - stream->written_ns >= HEARTBEAT_NS)
		put_text(stream, stream->form == REVTR_EVENTS ? ": still here\n\n" : "\n");
}

static void go_on(struct revtr_stream *stream)
{
	if (stream->ended)
		return;
	keep(stream);
	while (!stream->ended && !stream->failed && httpd_unsent(stream->exchange) < UNSENT_MAX) {
		if (!stream->caught_up)
			read_store(stream);
		else if (stream->look)
			look(stream);
		else
			break;
	}
	if (!stream->ended && !stream->failed) {
		tell_awaited(stream);
		show_life(stream);
	}
	/* The client sees an end without its last line, and asks again. */
	if (!stream->ended && stream->failed)
		finish(stream);
	stream->unsent = httpd_unsent(stream->exchange);
}

static void on_timer(uv_timer_t *timer)
{
	struct revtr_api *api = timer->data;
	for (struct revtr_stream *stream = api->streams; stream; stream = stream->next)
		go_on(stream);
	if (!api->streams)
		uv_timer_stop(timer);
}

void revtr_stream_told(struct revtr_api *api, int64_t batch)
{
	for (struct revtr_stream *stream = api->streams; stream; stream = stream->next) {
		if (stream->batch != batch || stream->form == REVTR_PUBLISHED)
			continue;
		stream->caught_up = false;
		stream->look = true;
	}
}

void revtr_stream_all_on(struct revtr_api *api, int64_t batch)
{
	for (struct revtr_stream *stream = api->streams; stream; stream = stream->next)
		stream->look |= stream->batch == batch;
}

/* ---- begin and end */

static void on_end(void *context)
{
	struct revtr_stream *stream = context;
	struct revtr_stream **place = &stream->api->streams;
	while (*place != stream)
		place = &(*place)->next;
	*place = stream->next;
	free(stream->label);
	free(stream->key);
	free(stream);
}

static char *copy(const char *text, bool *failed)
{
	char *copied = text ? strdup(text) : NULL;
	*failed |= text && !copied;
	return copied;
}

void revtr_stream_begin(
	const struct revtr_ask *ask, int64_t batch, enum revtr_form form, int64_t after, const char *label)
{
	static const char *const types[] = {"application/x-ndjson", "text/event-stream", "application/json"};
	struct revtr_stream *stream = calloc(1, sizeof(*stream));
	if (!stream) {
		api_send_text(ask->exchange, STATUS_SERVER_ERROR, NULL, NULL);
		return;
	}
	int64_t now_ns = clock_monotonic_ns();
	*stream = (struct revtr_stream){.api = ask->api,
		.next = ask->api->streams,
		.exchange = ask->exchange,
		.form = form,
		.batch = batch,
		.cursor = after,
		.look = true,
		.written_ns = now_ns,
		.kept_ns = now_ns};
	stream->label = copy(label, &stream->failed);
	stream->key = copy(ask->key.admin ? NULL : ask->key.name, &stream->failed);
	ask->api->streams = stream;
	httpd_on_end(ask->exchange, on_end, stream);
	httpd_stream(ask->exchange, types[form]);
	if (form == REVTR_PUBLISHED)
		put_text(stream, "{\"revtrs\":[");
	go_on(stream);
	uv_timer_start(&ask->api->timer, on_timer, PUMP_MS, PUMP_MS);
}

/* Where an earlier stream was cut off: so many results were told. */
void revtr_stream_get(const struct revtr_ask *ask)
{
	struct store_batch batch;
	const char *accept = httpd_header(ask->exchange, "Accept"),
		   *after = httpd_parameter(ask->exchange, "after");
	if (!after)
		after = httpd_header(ask->exchange, "Last-Event-ID");
	if (after && revtr_number(after) == 0 && strcmp(after, "0") != 0)
		revtr_bad(ask, "after, Last-Event-ID: expected how many results are known");
	else if (revtr_batch(ask, ask->argument, &batch))
		revtr_stream_begin(ask, batch.id,
			accept && strstr(accept, "text/event-stream") ? REVTR_EVENTS : REVTR_LINES,
			revtr_number(after), NULL);
}
