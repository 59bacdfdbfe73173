#include "reverse/remote_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "import/import.h"

static bool answers_as(const struct hop *hop, struct addr address)
{
	for (size_t i = 0; i < hop->address_count; i++)
		if (addr_equal(hop->addresses[i], address))
			return true;
	return addr_equal(hop->address, address);
}

struct path *remote_path_turn(struct path *trace, const struct remote_view *view)
{
	char *method = strdup(view->method);
	if (!method) {
		path_free(trace);
		return NULL;
	}
	free(trace->method);
	trace->method = method;
	trace->direction = DIRECTION_REVERSE;
	trace->source = addr_is_set(view->from) ? view->from : trace->source;
	trace->destination = view->to;
	for (size_t i = 0; i < trace->hop_count; i++) {
		trace->hops[i].technique = TECHNIQUE_REMOTE_TRACE;
		trace->hops[i].certainty = view->far_host ? CERTAINTY_MEASURED : CERTAINTY_INFERRED;
	}
	/* What the other program calls reached is taken from the hops alone. */
	const struct hop *last = trace->hop_count > 0 ? &trace->hops[trace->hop_count - 1] : NULL;
	trace->reached = last && answers_as(last, view->to);
	if (trace->reached)
		trace->stop_reason = STOP_REACHED;
	else if (trace->stop_reason == STOP_REACHED)
		trace->stop_reason = STOP_PARTIAL;
	return trace;
}

static struct path *take_forward(struct imported *imported)
{
	struct path *path = imported->measurement.forward;
	imported->measurement.forward = NULL;
	return path;
}

struct path *remote_path(const void *bytes, size_t length, const struct remote_view *view, char *note)
{
	struct import_hints hints = {.dialect = view->dialect, .destination = view->to};
	struct import import;
	struct error error = {0};
	struct path *path = NULL;
	note[0] = '\0';
	if (import_read(bytes, length, &hints, &import, &error) < 0) {
		snprintf(note, IMPORT_NOTE_SIZE, "%.*s", IMPORT_NOTE_SIZE - 1, error.text);
		return NULL;
	}
	snprintf(note, IMPORT_NOTE_SIZE, "%s", import.count > 0 ? import.traces[0].note : import.note);
	if (import.count > 0)
		path = take_forward(&import.traces[0]);
	import_deinit(&import);
	return path && path->hop_count > 0 ? remote_path_turn(path, view) : (path_free(path), NULL);
}
