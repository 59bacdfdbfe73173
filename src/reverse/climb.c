#include "reverse/climb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

#define METHODS_MAX 16

/* One rung: run is NULL until its turn comes. */
struct rung {
	const struct reverse_method *method;
	void *run;
	bool failed_to_start;
};

struct climb {
	struct reverse_task task;
	struct rung rungs[METHODS_MAX];
	size_t count, current;
};

static int unknown_method(const char *name, size_t length, struct error *error)
{
	char text[64], shown[80];
	snprintf(text, sizeof(text), "%.*s", (int)MIN(length, sizeof(text) - 1), name);
	size_t count;
	const struct reverse_method *methods = ladder_methods(&count);
	return error_set(error, -EINVAL, "no way back is called '%s'; known: %s%s",
		escape_text(text, shown, sizeof(shown)), methods[0].name, count > 1 ? ", ..." : "");
}

static int add_named(struct climb *climb, const char *name, size_t length, struct error *error)
{
	char copy[32];
	if (length == 0 || length >= sizeof(copy) || climb->count == METHODS_MAX)
		return unknown_method(name, length, error);
	memcpy(copy, name, length);
	copy[length] = '\0';
	const struct reverse_method *method = ladder_find(copy);
	if (!method)
		return unknown_method(name, length, error);
	climb->rungs[climb->count++].method = method;
	return 0;
}

static int choose_methods(struct climb *climb, const char *names, struct error *error)
{
	if (!names) {
		size_t count;
		const struct reverse_method *methods = ladder_methods(&count);
		for (size_t i = 0; i < MIN(count, METHODS_MAX); i++)
			climb->rungs[climb->count++].method = &methods[i];
		return 0;
	}
	for (;;) {
		size_t length = strcspn(names, ",");
		int result = add_named(climb, names, length, error);
		if (result < 0 || names[length] == '\0')
			return result;
		names += length + 1;
	}
}

int climb_check(const char *names, struct error *error)
{
	struct climb climb = {0};
	return choose_methods(&climb, names, error);
}

int climb_new(struct climb **out, const struct reverse_task *task, const char *names, struct error *error)
{
	struct climb *climb = calloc(1, sizeof(*climb));
	*out = NULL;
	if (!climb)
		return error_set(error, -ENOMEM, "out of memory");
	climb->task = *task;
	int result = choose_methods(climb, names, error);
	if (result < 0) {
		climb_free(climb);
		return result;
	}
	*out = climb;
	return 0;
}

void climb_free(struct climb *climb)
{
	if (!climb)
		return;
	for (size_t i = 0; i < climb->count; i++)
		if (climb->rungs[i].run)
			climb->rungs[i].method->free(climb->rungs[i].run);
	free(climb);
}

static bool supports(const struct climb *climb, const struct rung *rung)
{
	return reverse_method_supports(rung->method, climb->task.target.family);
}

/* The rung to stand on now, started; NULL when none is left. */
static struct rung *standing(struct climb *climb)
{
	for (; climb->current < climb->count; climb->current++) {
		struct rung *rung = &climb->rungs[climb->current];
		if (!supports(climb, rung))
			continue;
		if (!rung->run)
			rung->run = rung->method->start(&climb->task);
		if (rung->run)
			return rung;
		rung->failed_to_start = true;
	}
	return NULL;
}

static enum attempt_status status_of(const struct rung *rung)
{
	char detail[8];
	return rung->method->status(rung->run, detail, sizeof(detail));
}

static enum machine_want climb_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct climb *climb = self;
	struct rung *rung;
	while ((rung = standing(climb))) {
		struct machine machine = rung->method->machine(rung->run);
		enum machine_want want = machine.ops->next(machine.self, now_ns, outgoing, wake_ns);
		if (want != MACHINE_DONE)
			return want;
		if (status_of(rung) == ATTEMPT_OK)
			return MACHINE_DONE;
		climb->current++;
	}
	return MACHINE_DONE;
}

static void climb_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct rung *rung = standing(self);
	if (!rung)
		return;
	struct machine machine = rung->method->machine(rung->run);
	machine.ops->sent(machine.self, token, sent_ns, error);
}

static void climb_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct rung *rung = standing(self);
	if (!rung)
		return;
	struct machine machine = rung->method->machine(rung->run);
	machine.ops->packet(machine.self, received_ns, packet);
}

struct machine climb_machine(struct climb *climb)
{
	static const struct machine_ops ops = {.next = climb_next, .sent = climb_sent, .packet = climb_packet};
	return (struct machine){.ops = &ops, .self = climb};
}

void climb_hint(struct climb *climb, int64_t rtt_ns)
{
	struct rung *rung = standing(climb);
	climb->task.rtt_hint_ns = rtt_ns;
	if (rung)
		rung->method->hint(rung->run, rtt_ns);
}

static int collect_rung(const struct climb *climb, const struct rung *rung, struct measurement *measurement)
{
	char detail[200] = "";
	enum attempt_status status = ATTEMPT_FAILED;
	int64_t duration_ns = 0;
	if (rung->run) {
		status = rung->method->status(rung->run, detail, sizeof(detail));
		duration_ns = rung->method->duration_ns(rung->run);
	} else if (rung->failed_to_start) {
		snprintf(detail, sizeof(detail), "could not be started: out of memory");
	} else if (!supports(climb, rung)) {
		status = ATTEMPT_UNAVAILABLE;
		snprintf(detail, sizeof(detail), "not for IPv%u", climb->task.target.family);
	} else {
		return 0; /* its turn never came */
	}
	struct attempt *attempt = measurement_add_attempt(measurement, rung->method->name, status, detail);
	if (!attempt)
		return -ENOMEM;
	attempt->duration_ns = duration_ns;
	return 0;
}

int climb_collect(struct climb *climb, struct measurement *measurement)
{
	for (size_t i = 0; i < climb->count; i++) {
		const struct rung *rung = &climb->rungs[i];
		if (collect_rung(climb, rung, measurement) < 0)
			return -ENOMEM;
		/* A complete path is the last one found; a partial one stands until something better comes. */
		struct path *path = rung->run ? rung->method->path(rung->run, measurement->started_wall_ns) : NULL;
		if (!path)
			continue;
		bool better = !measurement->reverse || (path->reached && !measurement->reverse->reached);
		path_free(better ? measurement->reverse : path);
		if (better)
			measurement->reverse = path;
	}
	return 0;
}
