#include "reverse/ladder.h"

#include <string.h>

#include "base/compiler.h"
#include "reverse/responder.h"

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

static const struct reverse_method methods[] = {
	{
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
	},
};

const struct reverse_method *ladder_methods(size_t *count)
{
	*count = ARRAY_LEN(methods);
	return methods;
}

const struct reverse_method *ladder_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

bool reverse_method_supports(const struct reverse_method *method, uint8_t family)
{
	return family == 4 ? method->ipv4 : method->ipv6;
}
