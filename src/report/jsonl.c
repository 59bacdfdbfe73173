#include "report/jsonl.h"

#include <errno.h>
#include <stdlib.h>

#include "path/json.h"

int jsonl_event(FILE *out, const char *event, struct addr target, json_t *body)
{
	char text[ADDR_TEXT_SIZE];
	json_t *line = json_object();
	json_t *address = addr_is_set(target) ? json_string(addr_format(target, text)) : json_null();
	int code = -ENOMEM;
	if (body && json_object_set_new(line, "event", json_string(event)) == 0 &&
		json_object_set(line, "target", address) == 0 &&
		json_object_update_missing(line, body) == 0) {
		code = json_dumpf(line, out, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
		code = code < 0 || fputc('\n', out) < 0 || fflush(out) != 0 ? -errno : 0;
	}
	json_decref(address);
	json_decref(line);
	json_decref(body);
	return code;
}

/* What the events are made from, and whether all went well so far. */
struct stream {
	FILE *out;
	struct addr target;
	int code;
};

static void send(struct stream *stream, const char *event, json_t *body)
{
	if (stream->code == 0)
		stream->code = jsonl_event(stream->out, event, stream->target, body);
	else
		json_decref(body);
}

/* A copy of an object with some of its members, or without them. */
static json_t *copy_members(const json_t *object, const char *const *keys, bool with)
{
	json_t *copy = with ? json_object() : json_copy((json_t *)object);
	for (; copy && *keys; keys++) {
		int failed = with ? json_object_set(copy, *keys, json_object_get(object, *keys)) : 0;
		if (!with)
			json_object_del(copy, *keys);
		if (failed < 0) {
			json_decref(copy);
			return NULL;
		}
	}
	return copy;
}

static void send_path(struct stream *stream, const json_t *path)
{
	static const char *const hops_key[] = {"hops", NULL};
	const json_t *hops = json_object_get(path, "hops");
	if (!json_is_object(path))
		return;
	send(stream, "path", copy_members(path, hops_key, false));
	for (size_t i = 0; i < json_array_size(hops); i++) {
		json_t *body = json_object();
		if (json_object_set(body, "direction", json_object_get(path, "direction")) < 0 ||
			json_object_update(body, json_array_get(hops, i)) < 0) {
			json_decref(body);
			body = NULL;
		}
		send(stream, "hop", body);
	}
}

static void send_each(struct stream *stream, const char *event, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		send(stream, event, json_incref(json_array_get(list, i)));
}

/* A reference to a new event body, or NULL. */
static json_t *start_body(const json_t *document)
{
	static const char *const keys[] = {"schema", "tool", "command", "started_at", "source", NULL};
	json_t *start = copy_members(document, keys, true);
	if (start &&
		json_object_set(start, "target_name",
			json_object_get(json_object_get(document, "target"), "name")) < 0) {
		json_decref(start);
		start = NULL;
	}
	return start;
}

int report_jsonl(FILE *out, const struct measurement *measurement, const struct jsonl_live *live)
{
	static const char *const done_keys[] = {"finished_at", NULL};
	struct stream stream = {.out = out, .target = measurement->target};
	if (live && live->code < 0)
		return live->code;
	json_t *document = measurement_to_json(measurement);
	if (!document)
		return -ENOMEM;
	if (!live || !live->started)
		send(&stream, "start", start_body(document));
	send_path(&stream, json_object_get(document, "forward"));
	send_path(&stream, json_object_get(document, "reverse"));
	send_each(&stream, "attempt", json_object_get(document, "reverse_attempts"));
	if (json_is_object(json_object_get(document, "alignment")))
		send(&stream, "alignment", json_incref(json_object_get(document, "alignment")));
	send_each(&stream, "finding", json_object_get(document, "findings"));
	send(&stream, "done", copy_members(document, done_keys, true));
	json_decref(document);
	return stream.code;
}

int report_jsonl_whole(FILE *out, const struct measurement *measurement)
{
	json_t *document = measurement_to_json(measurement);
	return jsonl_event(out, "measurement", measurement->target,
		document ? json_pack("{s:o}", "measurement", document) : NULL);
}

/* ---- while it is measured */

/* An answer that was told, by what it was the answer to. */
struct jsonl_told {
	int ttl;
	int64_t sent_ns;
};

void jsonl_live_start(struct jsonl_live *live, const struct measurement *measurement)
{
	json_t *document = measurement_to_json(measurement);
	live->target = measurement->target;
	live->started = true;
	live->code = jsonl_event(live->out, "start", live->target, document ? start_body(document) : NULL);
	json_decref(document);
}

static bool was_told(const struct jsonl_live *live, int ttl, int64_t sent_ns)
{
	for (size_t i = live->count; i-- > 0;)
		if (live->told[i].ttl == ttl && live->told[i].sent_ns == sent_ns)
			return true;
	return false;
}

static bool make_room(struct jsonl_live *live)
{
	if (live->count < live->room)
		return true;
	size_t room = live->room ? 2 * live->room : 64;
	struct jsonl_told *told = realloc(live->told, room * sizeof(*told));
	if (!told)
		return false;
	live->told = told;
	live->room = room;
	return true;
}

static void tell_answer(
	struct jsonl_live *live, const struct path *path, int ttl, const struct probe_result *probe)
{
	json_t *body = json_object(), *members = probe_result_to_json(probe);
	const char *direction = path->direction == DIRECTION_REVERSE ? "reverse" : "forward";
	if (!make_room(live) || !members ||
		json_object_set_new(body, "direction", json_string(direction)) < 0 ||
		json_object_set_new(body, "ttl", json_integer(ttl)) < 0 ||
		json_object_update(body, members) < 0) {
		json_decref(body);
		body = NULL;
	} else {
		live->told[live->count++] = (struct jsonl_told){.ttl = ttl, .sent_ns = probe->sent_ns};
	}
	json_decref(members);
	live->code = jsonl_event(live->out, "probe", live->target, body);
}

void jsonl_live_answers(struct jsonl_live *live, const struct path *path)
{
	for (size_t i = 0; i < path->hop_count; i++)
		for (size_t j = 0; j < path->hops[i].probe_count && live->code == 0; j++) {
			const struct probe_result *probe = &path->hops[i].probes[j];
			if (probe_answered(probe) && !was_told(live, path->hops[i].ttl, probe->sent_ns))
				tell_answer(live, path, path->hops[i].ttl, probe);
		}
}

void jsonl_live_deinit(struct jsonl_live *live)
{
	free(live->told);
	live->told = NULL;
	live->count = live->room = 0;
}
