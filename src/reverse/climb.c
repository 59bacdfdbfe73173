#include "reverse/climb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "reverse/merge.h"
#include "reverse/settings.h"

/* Tokens of packets name the rung in the upper bits. */
#define TOKEN_BITS 24

/* How long a rung may hear nothing before a harmless one below it starts as well. */
#define SILENCE_NS     (250 * NS_PER_MS) /* while no round-trip time is known */
#define SILENCE_MIN_NS (50 * NS_PER_MS)

/* One rung: run is NULL until its turn comes. */
struct rung {
	const struct reverse_method *method;
	char *parameter; /* or NULL */
	void *run;
	bool failed_to_start;
	bool done;
	int64_t started_ns;
};

struct climb {
	struct reverse_task task;
	struct rung rungs[CLIMB_RUNGS_MAX];
	size_t count;
	struct path *forward; /* NULL = not known */
	bool complete;	      /* a whole path was found */
	bool named;	      /* somebody asked for these methods by name */
};

static int unknown_method(const char *name, size_t length, struct error *error)
{
	char text[64], shown[80], known[200] = "";
	snprintf(text, sizeof(text), "%.*s", (int)MIN(length, sizeof(text) - 1), name);
	size_t count, used = 0;
	const struct reverse_method *const *methods = ladder_methods(&count);
	for (size_t i = 0; i < count && used < sizeof(known); i++)
		used += (size_t)snprintf(
			known + used, sizeof(known) - used, "%s%s", i ? ", " : "", methods[i]->name);
	return error_set(error, -EINVAL, "no way back is called '%s'; known: %s",
		escape_text(text, shown, sizeof(shown)), known);
}

/* Is what stands behind the name's colon wanted, and there? */
static int check_parameter(const struct reverse_method *method, size_t length, struct error *error)
{
	if (!method->parameter)
		return error_set(error, -EINVAL, "nothing may follow --via %s: the way back takes no ':'",
			method->name);
	if (length == 0)
		return error_set(error, -EINVAL, "a value is missing after --via %s:, which is %s:%s",
			method->name, method->name, method->parameter);
	return 0;
}

/* NAME, or NAME:PARAMETER. */
static int add_named(struct climb *climb, const char *text, size_t length, struct error *error)
{
	char name[32];
	size_t name_length = MIN(length, strcspn(text, ":"));
	if (name_length == 0 || name_length >= sizeof(name) || climb->count == CLIMB_RUNGS_MAX)
		return unknown_method(text, name_length, error);
	memcpy(name, text, name_length);
	name[name_length] = '\0';
	const struct reverse_method *method = ladder_find(name);
	if (!method)
		return unknown_method(text, name_length, error);
	struct rung *rung = &climb->rungs[climb->count++];
	rung->method = method;
	if (name_length == length)
		return 0;
	int result = check_parameter(method, length - name_length - 1, error);
	if (result < 0)
		return result;
	rung->parameter = strndup(text + name_length + 1, length - name_length - 1);
	return rung->parameter ? 0 : error_set(error, -ENOMEM, "out of memory");
}

/* Without being named: what asks nobody else, and what the user has set up. */
static bool by_itself(const struct climb *climb, const struct reverse_method *method)
{
	if (method->on_request || (method->outside && !climb->task.outside))
		return false;
	return !method->configured || method->configured(&climb->task);
}

static int choose_named(struct climb *climb, const char *names, struct error *error)
{
	for (;;) {
		size_t length = strcspn(names, ",");
		int result = add_named(climb, names, length, error);
		if (result < 0 || names[length] == '\0')
			return result;
		names += length + 1;
	}
}

/* The user's own ladder. What stands there is asked for, but a bare name does not set up what is to be set
 * up. */
static int choose_listed(struct climb *climb, const struct settings *settings, struct error *error)
{
	int result = 0;
	for (size_t i = 0; i < settings->ladder_count && result == 0; i++) {
		result = choose_named(climb, settings->ladder[i], error);
		struct rung *rung = climb->count > 0 ? &climb->rungs[climb->count - 1] : NULL;
		if (result == 0 && !rung->parameter && rung->method->configured &&
			!rung->method->configured(&climb->task))
			climb->count--;
	}
	return result;
}

static int choose_methods(struct climb *climb, const char *names, struct error *error)
{
	const struct settings *settings = climb->task.outside ? climb->task.outside->settings : NULL;
	size_t count;
	const struct reverse_method *const *methods = ladder_methods(&count);
	if (names)
		return choose_named(climb, names, error);
	if (settings && settings->ladder_count > 0)
		return choose_listed(climb, settings, error);
	for (size_t i = 0; i < count && climb->count < CLIMB_RUNGS_MAX; i++)
		if (by_itself(climb, methods[i]))
			climb->rungs[climb->count++].method = methods[i];
	return 0;
}

static void free_rungs(struct climb *climb)
{
	for (size_t i = 0; i < climb->count; i++) {
		if (climb->rungs[i].run)
			climb->rungs[i].method->free(climb->rungs[i].run);
		free(climb->rungs[i].parameter);
	}
}

uint8_t climb_family(const char *names)
{
	bool four = false, six = false;
	for (; names && *names; names += strcspn(names, ","), names += *names == ',') {
		char name[32];
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(names, ":,"), names);
		const struct reverse_method *method = ladder_find(name);
		four |= method && method->ipv4;
		six |= method && method->ipv6;
	}
	return four == six ? 0 : four ? 4 : 6;
}

int climb_check(const char *names, struct error *error)
{
	struct climb climb = {0};
	int result = choose_methods(&climb, names, error);
	free_rungs(&climb);
	return result;
}

bool climb_needs_packets(const struct reverse_task *task, const char *names)
{
	struct climb climb = {.task = *task};
	bool needs = choose_methods(&climb, names, NULL) == 0;
	for (size_t i = 0; i < climb.count; i++)
		needs &= !climb.rungs[i].method->outside;
	free_rungs(&climb);
	return needs;
}

int climb_new(struct climb **out, const struct reverse_task *task, const char *names, struct error *error)
{
	struct climb *climb = calloc(1, sizeof(*climb));
	char address[ADDR_TEXT_SIZE];
	*out = NULL;
	if (!climb)
		return error_set(error, -ENOMEM, "out of memory");
	if (addr_is_set(task->public_address) && task->public_address.family != task->target.family) {
		free(climb);
		return error_set(error, -EINVAL,
			"the public address %s is not an IPv%u address, as the target's is; see -4, -6",
			addr_format(task->public_address, address), task->target.family);
	}
	climb->task = *task;
	climb->named = names != NULL;
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
	free_rungs(climb);
	path_free(climb->forward);
	free(climb);
}

/* NULL: it can be tried. Else why not, for a person. */
static const char *obstacle(const struct climb *climb, const struct reverse_method *method)
{
	if (!reverse_method_supports(method, climb->task.target.family))
		return climb->task.target.family == 4 ? "not for IPv4" : "not for IPv6";
	if (method->third_party && climb->task.spare_others)
		return "asked a short while ago, and not again so soon";
	if (method->outside)
		return climb->task.outside ? NULL : "not in a virtual world";
	return climb->task.no_packets ? "needs the cap_net_raw capability" : NULL;
}

static void tell_forward(struct rung *rung, const struct path *forward)
{
	if (rung->run && rung->method->known)
		rung->method->known(rung->run, forward);
}

static enum attempt_status status_of(const struct rung *rung)
{
	char detail[8];
	return rung->method->status(rung->run, detail, sizeof(detail));
}

/* ---- who may start */

static void start(struct climb *climb, struct rung *rung, int64_t now_ns)
{
	struct reverse_task task = climb->task;
	task.parameter = rung->parameter;
	rung->run = rung->method->start(&task);
	rung->started_ns = now_ns;
	rung->failed_to_start = rung->done = !rung->run;
	tell_forward(rung, climb->forward);
}

/* It has part of the way, or has it whole and makes sure. */
static bool at_work(const struct rung *rung)
{
	enum attempt_status status = status_of(rung);
	return status == ATTEMPT_PARTIAL || status == ATTEMPT_OK;
}

/* The time until which `rung`, which is still busy, keeps those below it waiting. */
static int64_t blocks_until(const struct climb *climb, const struct rung *rung)
{
	int64_t rtt_ns = climb->task.rtt_hint_ns;
	if (at_work(rung))
		return TIME_NEVER; /* and it is better */
	return rung->started_ns + (rtt_ns ? MAX(2 * rtt_ns, SILENCE_MIN_NS) : SILENCE_NS);
}

/* The time from which on the rung may start. */
static int64_t turn_of(const struct climb *climb, size_t index)
{
	int64_t turn_ns = 0;
	for (size_t i = 0; i < index; i++) {
		const struct rung *above = &climb->rungs[i];
		if (above->done)
			continue;
		bool wait = !climb->rungs[index].method->early || !above->run;
		turn_ns = MAX(turn_ns, wait ? TIME_NEVER : blocks_until(climb, above));
	}
	return turn_ns;
}

/* Somebody above is at work and may do better. */
static bool outdone(const struct climb *climb, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (!climb->rungs[i].done && at_work(&climb->rungs[i]))
			return true;
	return false;
}

/* ---- the machine */

static enum machine_want rung_next(
	struct climb *climb, size_t index, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct rung *rung = &climb->rungs[index];
	struct machine machine = rung->method->machine(rung->run);
	int64_t own_wake_ns = TIME_NEVER;
	enum machine_want want = machine.ops->next(machine.self, now_ns, outgoing, &own_wake_ns);
	if (want == MACHINE_SEND)
		outgoing->token |= (uint32_t)index << TOKEN_BITS;
	else if (want == MACHINE_WAIT)
		*wake_ns = MIN(*wake_ns, own_wake_ns);
	else
		rung->done = true;
	return want;
}

static enum machine_want climb_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct climb *climb = self;
	bool busy = false;
	*wake_ns = TIME_NEVER;
	for (size_t i = 0; i < climb->count && !climb->complete; i++) {
		struct rung *rung = &climb->rungs[i];
		if (!rung->run && !rung->done) {
			const char *reason = obstacle(climb, rung->method);
			int64_t turn_ns = reason ? 0 : turn_of(climb, i);
			if (turn_ns > now_ns) {
				*wake_ns = MIN(*wake_ns, turn_ns);
				break;
			}
			if (reason)
				rung->done = true;
			else
				start(climb, rung, now_ns);
		}
		if (!rung->done && rung_next(climb, i, now_ns, outgoing, wake_ns) == MACHINE_SEND)
			return MACHINE_SEND;
		busy |= !rung->done;
		if (rung->done && rung->run && status_of(rung) == ATTEMPT_OK && !outdone(climb, i))
			climb->complete = true;
	}
	return busy && !climb->complete ? MACHINE_WAIT : MACHINE_DONE;
}

static void climb_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct climb *climb = self;
	size_t index = token >> TOKEN_BITS;
	if (index >= climb->count || !climb->rungs[index].run)
		return;
	struct machine machine = climb->rungs[index].method->machine(climb->rungs[index].run);
	machine.ops->sent(machine.self, token & ((1u << TOKEN_BITS) - 1), sent_ns, error);
}

static void climb_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct climb *climb = self;
	for (size_t i = 0; i < climb->count; i++) {
		struct rung *rung = &climb->rungs[i];
		if (!rung->run || rung->done)
			continue;
		struct machine machine = rung->method->machine(rung->run);
		machine.ops->packet(machine.self, received_ns, packet);
	}
}

struct machine climb_machine(struct climb *climb)
{
	static const struct machine_ops ops = {
		.next = climb_next, .sent = climb_sent, .packet = climb_packet};
	return (struct machine){.ops = &ops, .self = climb};
}

void climb_hint(struct climb *climb, int64_t rtt_ns)
{
	climb->task.rtt_hint_ns = rtt_ns;
	for (size_t i = 0; i < climb->count; i++)
		if (climb->rungs[i].run)
			climb->rungs[i].method->hint(climb->rungs[i].run, rtt_ns);
}

void climb_known(struct climb *climb, struct path *forward)
{
	for (size_t i = 0; i < climb->count; i++)
		tell_forward(&climb->rungs[i], forward);
	path_free(climb->forward);
	climb->forward = forward;
}

/* ---- the result */

/* A better way was there first. */
static bool overtaken(const struct climb *climb, const struct rung *rung)
{
	for (const struct rung *above = climb->rungs; above < rung; above++)
		if (above->done && above->run && status_of(above) == ATTEMPT_OK)
			return !rung->done;
	return false;
}

static int collect_rung(const struct climb *climb, const struct rung *rung, struct measurement *measurement)
{
	char detail[300] = "";
	enum attempt_status status = ATTEMPT_FAILED;
	int64_t duration_ns = 0;
	if (rung->run && overtaken(climb, rung)) {
		status = ATTEMPT_UNAVAILABLE;
		snprintf(detail, sizeof(detail), "stopped: not needed any more");
	} else if (rung->run) {
		status = rung->method->status(rung->run, detail, sizeof(detail));
		duration_ns = rung->method->duration_ns(rung->run);
	} else if (rung->failed_to_start) {
		snprintf(detail, sizeof(detail), "could not be started: out of memory");
	} else if (rung->done && (climb->named || !climb->complete)) {
		status = ATTEMPT_UNAVAILABLE;
		snprintf(detail, sizeof(detail), "%s", obstacle(climb, rung->method));
	} else {
		return 0; /* its turn never came, or it could not have come */
	}
	struct attempt *attempt = measurement_add_attempt(measurement, rung->method->name, status, detail);
	if (!attempt)
		return -ENOMEM;
	attempt->duration_ns = duration_ns;
	return 0;
}

/* What is measured is better than what is not, and then what is whole. Among equals the first one stands. */
static int worth(const struct path *path)
{
	bool measured = false;
	for (size_t i = 0; path && i < path->hop_count; i++)
		measured |= path->hops[i].certainty == CERTAINTY_MEASURED;
	return path ? 1 + 2 * measured + path->reached : 0;
}

/* The path of each rung, and its attempt. */
struct harvest {
	struct path *paths[CLIMB_RUNGS_MAX]; /* NULL = none, or handed on */
	size_t attempts[CLIMB_RUNGS_MAX];
	size_t count;
};

static void add_path(struct harvest *harvest, const struct rung *rung, const struct measurement *measurement)
{
	struct path *path = rung->run ? rung->method->path(rung->run, measurement->started_wall_ns) : NULL;
	if (!path)
		return;
	harvest->attempts[harvest->count] = measurement->attempt_count - 1;
	harvest->paths[harvest->count++] = path;
}

/* The attempt tells what became of its path. */
static void tell_merge(
	struct attempt *attempt, const struct path *path, const struct merge *merge, size_t hops)
{
	char address[ADDR_TEXT_SIZE], detail[400];
	if (merge->joined < hops)
		snprintf(detail, sizeof(detail), "%s; used behind %s, where the way back above breaks off",
			attempt->detail, addr_format(path->hops[merge->joined].address, address));
	else
		snprintf(detail, sizeof(detail), "%s; used for %zu hop%s that did not answer above",
			attempt->detail, merge->filled, merge->filled == 1 ? "" : "s");
	char *copy = strdup(detail);
	if (!copy)
		return;
	free(attempt->detail);
	attempt->detail = copy;
}

/* The best path, with what the others add to it: measured ones first. */
static void merge_all(struct harvest *harvest, struct measurement *measurement)
{
	for (unsigned pass = 0; pass < 2; pass++)
		for (size_t i = 0; measurement->reverse && i < harvest->count; i++) {
			struct merge merge;
			size_t hops = measurement->reverse->hop_count;
			bool measured = worth(harvest->paths[i]) > 2;
			if (!harvest->paths[i] || measured != (pass == 0))
				continue;
			struct path *merged = merge_paths(measurement->reverse, harvest->paths[i], &merge);
			if (!merged)
				continue;
			path_free(measurement->reverse);
			measurement->reverse = merged;
			tell_merge(&measurement->attempts[harvest->attempts[i]], merged, &merge, hops);
		}
}

static void take_best(struct harvest *harvest, struct measurement *measurement)
{
	size_t best = 0;
	for (size_t i = 1; i < harvest->count; i++)
		if (worth(harvest->paths[i]) > worth(harvest->paths[best]))
			best = i;
	if (harvest->count == 0)
		return;
	path_free(measurement->reverse);
	measurement->reverse = harvest->paths[best];
	harvest->paths[best] = NULL;
	merge_all(harvest, measurement);
	for (size_t i = 0; i < harvest->count; i++)
		path_free(harvest->paths[i]);
}

/* The user's word first. */
static void collect_address(
	const struct climb *climb, const struct rung *rung, struct measurement *measurement)
{
	if (addr_is_set(climb->task.public_address))
		measurement->public_address = climb->task.public_address;
	else if (!addr_is_set(measurement->public_address) && rung->run && rung->method->public_address)
		measurement->public_address = rung->method->public_address(rung->run);
}

int climb_collect(struct climb *climb, struct measurement *measurement)
{
	struct harvest harvest = {.count = 0};
	int result = 0;
	for (size_t i = 0; i < climb->count && result == 0; i++) {
		struct rung *rung = &climb->rungs[i];
		if (measurement->forward)
			tell_forward(rung, measurement->forward);
		result = collect_rung(climb, rung, measurement);
		if (result == 0)
			add_path(&harvest, rung, measurement);
		collect_address(climb, rung, measurement);
		tell_forward(rung, climb->forward);
	}
	take_best(&harvest, measurement);
	return result;
}
