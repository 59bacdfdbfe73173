#include "report/jsonl.h"

#include <errno.h>

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
		code = code < 0 || fputc('\n', out) < 0 || fflush(out) != 0 ? -EIO : 0;
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

int report_jsonl(FILE *out, const struct measurement *measurement)
{
	static const char *const start_keys[] = {"schema", "tool", "command", "started_at", "source", NULL};
	static const char *const done_keys[] = {"finished_at", NULL};
	struct stream stream = {.out = out, .target = measurement->target};
	json_t *document = measurement_to_json(measurement);
	if (!document)
		return -ENOMEM;
	json_t *start = copy_members(document, start_keys, true);
	if (start &&
		json_object_set(start, "target_name",
			json_object_get(json_object_get(document, "target"), "name")) < 0) {
		json_decref(start);
		start = NULL;
	}
	send(&stream, "start", start);
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
