#include "reverse/ladder.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "reverse/inferred.h"
#include "reverse/record_route.h"
#include "reverse/responder.h"
#include "reverse/source_route.h"

/* ---- responder */

static void *responder_start(const struct reverse_task *task)
{
	struct responder_client_config config = {
		.target = task->target,
		.source = task->source,
		.protocol = task->protocol,
		.flow = task->flow,
		.max_ttl = task->max_ttl,
		.probes_per_hop = task->probes_per_hop,
		.rtt_hint_ns = task->rtt_hint_ns,
		.seed = task->seed,
	};
	return responder_client_new(&config);
}

static struct machine responder_run(void *run)
{
	return responder_client_machine(run);
}

static void responder_hint(void *run, int64_t rtt_ns)
{
	responder_client_hint(run, rtt_ns);
}

static struct path *responder_path(const void *run, int64_t started_wall_ns)
{
	return responder_client_path(run, started_wall_ns);
}

static enum attempt_status responder_status(const void *run, char *detail, size_t size)
{
	return responder_client_status(run, detail, size);
}

static int64_t responder_duration_ns(const void *run)
{
	return responder_client_duration_ns(run);
}

static void responder_free(void *run)
{
	responder_client_free(run);
}

/* ---- record-route */

static void *record_route_start(const struct reverse_task *task)
{
	return record_route_new(task);
}

static struct machine record_route_run(void *run)
{
	return record_route_machine(run);
}

static void record_route_on_hint(void *run, int64_t rtt_ns)
{
	record_route_hint(run, rtt_ns);
}

static void record_route_on_known(void *run, const struct path *forward)
{
	record_route_known(run, forward);
}

static struct path *record_route_result(const void *run, int64_t started_wall_ns)
{
	return record_route_path(run, started_wall_ns);
}

static enum attempt_status record_route_outcome(const void *run, char *detail, size_t size)
{
	return record_route_status(run, detail, size);
}

static int64_t record_route_duration(const void *run)
{
	return record_route_duration_ns(run);
}

static void record_route_end(void *run)
{
	record_route_free(run);
}

/* ---- source-route, and its two forms of old */

static void *source_route_start(const struct reverse_task *task)
{
	return source_route_new(task, SOURCE_ROUTE_SEGMENTS);
}

static void *source_route_start_rh0(const struct reverse_task *task)
{
	return source_route_new(task, SOURCE_ROUTE_TYPE0);
}

static void *source_route_start_lsrr(const struct reverse_task *task)
{
	return source_route_new(task, SOURCE_ROUTE_LOOSE);
}

static struct machine source_route_run(void *run)
{
	return source_route_machine(run);
}

static void source_route_on_hint(void *run, int64_t rtt_ns)
{
	source_route_hint(run, rtt_ns);
}

static void source_route_on_known(void *run, const struct path *forward)
{
	source_route_known(run, forward);
}

static struct path *source_route_result(const void *run, int64_t started_wall_ns)
{
	return source_route_path(run, started_wall_ns);
}

static enum attempt_status source_route_outcome(const void *run, char *detail, size_t size)
{
	return source_route_status(run, detail, size);
}

static int64_t source_route_duration(const void *run)
{
	return source_route_duration_ns(run);
}

static void source_route_end(void *run)
{
	source_route_free(run);
}

/* ---- inferred: sends nothing, reads the way there */

struct inference {
	const struct path *forward;
};

static void *inference_start(const struct reverse_task *task)
{
	(void)task;
	return calloc(1, sizeof(struct inference));
}

static enum machine_want inference_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	(void)self, (void)now_ns, (void)outgoing, (void)wake_ns;
	return MACHINE_DONE;
}

static void inference_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	(void)self, (void)token, (void)sent_ns, (void)error;
}

static void inference_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	(void)self, (void)received_ns, (void)packet;
}

static struct machine inference_machine(void *run)
{
	static const struct machine_ops ops = {inference_next, inference_sent, inference_packet};
	return (struct machine){.ops = &ops, .self = run};
}

static void inference_hint(void *run, int64_t rtt_ns)
{
	(void)run, (void)rtt_ns;
}

static void inference_known(void *run, const struct path *forward)
{
	struct inference *inference = run;
	inference->forward = forward;
}

static struct path *inference_path(const void *run, int64_t started_wall_ns)
{
	const struct inference *inference = run;
	(void)started_wall_ns;
	return inference->forward ? inferred_path(inference->forward) : NULL;
}

static enum attempt_status inference_status(const void *run, char *detail, size_t size)
{
	const struct inference *inference = run;
	return inferred_status(inference->forward, detail, size);
}

static int64_t inference_duration_ns(const void *run)
{
	(void)run;
	return 0;
}

/* ---- all of them */

static const struct reverse_method responder_method = {
	.name = "responder",
	.ipv4 = true,
	.ipv6 = true,
	.start = responder_start,
	.machine = responder_run,
	.hint = responder_hint,
	.path = responder_path,
	.status = responder_status,
	.duration_ns = responder_duration_ns,
	.free = responder_free,
};

static const struct reverse_method record_route_method = {
	.name = "record-route",
	.ipv4 = true,
	.early = true,
	.start = record_route_start,
	.machine = record_route_run,
	.hint = record_route_on_hint,
	.known = record_route_on_known,
	.path = record_route_result,
	.status = record_route_outcome,
	.duration_ns = record_route_duration,
	.free = record_route_end,
};

#define SOURCE_ROUTE \
	.machine = source_route_run, .hint = source_route_on_hint, .known = source_route_on_known, \
	.path = source_route_result, .status = source_route_outcome, .duration_ns = source_route_duration, \
	.free = source_route_end
static const struct reverse_method source_route_method = {
	.name = "source-route", .ipv6 = true, .early = true, .start = source_route_start, SOURCE_ROUTE};
static const struct reverse_method source_route_rh0_method = {
	.name = "source-route-rh0", .ipv6 = true, .on_request = true, .start = source_route_start_rh0, SOURCE_ROUTE};
static const struct reverse_method source_route_lsrr_method = {
	.name = "source-route-lsrr", .ipv4 = true, .on_request = true, .start = source_route_start_lsrr, SOURCE_ROUTE};
#undef SOURCE_ROUTE

static const struct reverse_method inferred_method = {
	.name = "inferred",
	.ipv4 = true,
	.ipv6 = true,
	.start = inference_start,
	.machine = inference_machine,
	.hint = inference_hint,
	.known = inference_known,
	.path = inference_path,
	.status = inference_status,
	.duration_ns = inference_duration_ns,
	.free = free,
};

static const struct reverse_method *const methods[] = {
	&responder_method,
	&record_route_method,
	&source_route_method,
	&source_route_rh0_method,
	&source_route_lsrr_method,
	&inferred_method,
};

const struct reverse_method *const *ladder_methods(size_t *count)
{
	*count = ARRAY_LEN(methods);
	return methods;
}

const struct reverse_method *ladder_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (strcmp(methods[i]->name, name) == 0)
			return methods[i];
	return NULL;
}

bool reverse_method_supports(const struct reverse_method *method, uint8_t family)
{
	return family == 4 ? method->ipv4 : method->ipv6;
}
