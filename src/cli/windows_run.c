#include "cli/windows_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/rng.h"

#define DATA_BYTES 64 /* in an echo request */
#define ICMP_BYTES 8

int windows_run_fail(int code)
{
	printf("Unable to contact IP driver. %s.\n", strerror(-code));
	return WINDOWS_FAILED;
}

static int resolve(struct windows_run *run)
{
	char shown[256];
	const char *host = run->args->host;
	struct addr literal;
	if (persona_resolve(host, run->args->family, 0, &run->target) != 0) {
		printf("Unable to resolve target system name %s.\n", escape_text(host, shown, sizeof(shown)));
		return WINDOWS_FAILED;
	}
	if (!addr_parse(host, &literal))
		snprintf(run->target_name, sizeof(run->target_name), "%s", host);
	else
		windows_run_name(run, run->target, run->target_name);
	return -1;
}

static void describe(struct windows_run *run)
{
	struct engine_config *engine = &run->engine;
	*engine = (struct engine_config){
		.protocol = PROBE_ICMP,
		.destination = run->target,
		.size = (run->target.family == 4 ? 20 : 40) + ICMP_BYTES + DATA_BYTES,
		.key = hash_key_random(),
	};
	struct rng rng = rng_seed(engine->key.k1);
	engine->flow.icmp_id = (uint16_t)(rng_below(&rng, 0xfffe) + 1);
	engine->flow.icmp_checksum = (uint16_t)(rng_below(&rng, 0xfffe) + 1);
	if (run->target.family == 6)
		engine->flow.flow_label = (uint32_t)rng_below(&rng, 0xfffff) + 1;
}

int windows_run_open(struct windows_run *run, const struct windows_args *args)
{
	struct error error = {0};
	*run = (struct windows_run){
		.args = args, .session = {.port_fd = -1, .channel = {.fds = CHANNEL_NO_FDS}}};
	int status = resolve(run);
	if (status >= 0)
		return status;
	describe(run);
	struct persona_request request = {
		.protocol = PROBE_ICMP,
		.destination = run->target,
		.source = args->source,
		.icmp_id = run->engine.flow.icmp_id,
	};
	if (persona_open(&run->session, &request, &error) != PERSONA_READY)
		return windows_run_fail(error.code);
	run->engine.source = run->session.source;
	return -1;
}

void windows_run_close(struct windows_run *run)
{
	persona_close(&run->session);
}

int windows_run_trace(struct windows_run *run, unsigned per_hop, classic_tell *tell, void *context)
{
	struct classic_config config = {
		.engine = run->engine,
		.first_ttl = 1,
		.max_ttl = run->args->max_ttl,
		.per_hop = per_hop,
		.window = per_hop, /* a hop at once */
		.wait_max_ns = run->args->timeout_ms * NS_PER_MS,
	};
	struct classic *classic = malloc(sizeof(*classic));
	struct error error = {0};
	if (!classic)
		return windows_run_fail(-ENOMEM);
	classic_init(classic, &config, tell, context);
	int result = persona_run(&run->session, classic_machine(classic), &error);
	if (result == 0)
		result = classic->send_error;
	classic_deinit(classic);
	free(classic);
	return result < 0 ? windows_run_fail(result) : 0;
}

const char *windows_run_name(
	const struct windows_run *run, struct addr address, char name[static PERSONA_NAME_SIZE])
{
	name[0] = '\0';
	return !run->args->numeric && addr_is_set(address) && persona_name(address, name)[0] ? name : NULL;
}
