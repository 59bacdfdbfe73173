/* The project's own machines in every shipped world: the forward trace, and the way back through a responder
 * on the far host, are compared with the truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "reverse/responder.h"
#include "serve/responder.h"
#include "sim/truth.h"
#include "trace/forward.h"

#define PATHS_MAX   16
#define PATIENCE_NS (300 * NS_PER_S)

static const struct hop *hop_with_ttl(const struct path *path, int ttl)
{
	for (size_t i = 0; i < path->hop_count; i++)
		if (path->hops[i].ttl == ttl)
			return &path->hops[i];
	return NULL;
}

/* How many hops of `truth` the path contradicts or lacks; what hides may be missing. `lossy`: so may others.
 */
static unsigned differences(const struct truth *truth, const struct path *path, bool lossy)
{
	unsigned count = 0;
	for (unsigned i = 0; i < truth->hop_count; i++) {
		const struct truth_hop *expected = &truth->hops[i];
		if (expected->ttl < 0)
			continue;
		const struct hop *hop = hop_with_ttl(path, expected->ttl);
		bool shown = hop && addr_is_set(hop->address);
		bool may_miss = lossy || expected->hidden != HIDDEN_NOT;
		if (shown ? !addr_equal(hop->address, expected->address) || expected->hidden == HIDDEN_SILENT
			  : !may_miss)
			count++;
	}
	return count;
}

static void check(
	const char *what, const struct truth *truths, unsigned count, const struct path *path, bool lossy)
{
	unsigned least = UINT32_MAX;
	for (unsigned i = 0; i < count; i++) {
		unsigned found = differences(&truths[i], path, lossy);
		least = found < least ? found : least;
	}
	if (least > 0)
		fail_msg("%s: %u hops differ from the truth", what, least);
	if (path->reached != (truths[0].end == TRUTH_REACHED))
		fail_msg("%s: reached is %d", what, path->reached);
}

static const uint8_t families[] = {4, 6};

struct scene {
	const char *name;
	struct world *world;
	struct sim *sim;
	uint32_t client, server;
	struct addr from, to;
	struct truth truths[PATHS_MAX];
};

static void scene_init(struct scene *scene, const char *name, uint8_t family)
{
	struct error error = {0};
	scene->name = name;
	if (world_load(name, &scene->world, &error) < 0)
		fail_msg("%s", error.text);
	scene->sim = sim_new(scene->world, 3);
	scene->client = world_find_node(scene->world, "client");
	scene->server = world_find_node(scene->world, "server");
	scene->from = world_node_address(scene->world, scene->client, family);
	scene->to = world_node_address(scene->world, scene->server, family);
}

static void scene_deinit(struct scene *scene)
{
	sim_free(scene->sim);
	world_free(scene->world);
}

static bool lossy(const struct scene *scene)
{
	return strcmp(scene->name, "lossy-return") == 0;
}

static void trace_in(const char *name, uint8_t family, enum probe_protocol protocol)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct trace *trace = calloc(1, sizeof(*trace));
	struct trace_config config = trace_defaults();
	char what[100];
	scene_init(scene, name, family);
	config.protocol = protocol;
	config.ip_protocol = 253; /* for experiments, RFC 3692 */
	config.source = scene->from;
	config.destination = scene->to;
	config.flow = (struct flow){.source_port = 41000,
		.destination_port = 33434,
		.flow_label = 7,
		.icmp_id = 99,
		.icmp_checksum = 0x4242};
	config.key = (struct hash_key){1, 2};
	trace_init(trace, &config);
	struct machine machine = trace_machine(trace);
	assert_int_equal(sim_attach(scene->sim, scene->client, &machine, 0), 0);
	snprintf(what, sizeof(what), "%s, IPv%u, %s there", name, family, protocol_word(protocol));
	if (!sim_run(scene->sim, PATIENCE_NS))
		fail_msg("%s: does not end", what);
	struct path *path = trace_path(trace, 0, sim_now(scene->sim));
	assert_non_null(path);
	unsigned count = sim_truths(scene->sim, scene->client, scene->to, scene->truths, PATHS_MAX);
	check(what, scene->truths, count, path, lossy(scene));
	path_free(path);
	trace_deinit(trace);
	free(trace);
	scene_deinit(scene);
	free(scene);
}

static void test_there(void **state)
{
	(void)state;
	for (const struct shipped_world *shipped = shipped_worlds; shipped->name; shipped++)
		for (unsigned i = 0; i < 2; i++) {
			trace_in(shipped->name, families[i], PROBE_UDP);
			trace_in(shipped->name, families[i], PROBE_ICMP);
			trace_in(shipped->name, families[i], PROBE_TCP);
			trace_in(shipped->name, families[i], PROBE_UDPLITE);
			trace_in(shipped->name, families[i], PROBE_IP);
		}
}

static void back_in(const char *name, uint8_t family)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct responder_config serving = {.key = {3, 4}, .port = 50050, .icmp_prefix = 0x5a};
	struct responder *responder = responder_new(&serving);
	char what[100], detail[200];
	scene_init(scene, name, family);
	assert_int_equal(responder_set_addresses(responder, &scene->to, 1), 0);
	struct reverse_task asking = {.target = scene->to, .source = scene->from, .seed = 5};
	void *client = responder_method.start(&asking);
	struct machine server_machine = responder_machine(responder),
		       client_machine = responder_method.machine(client);
	assert_int_equal(
		sim_attach(scene->sim, scene->server, &server_machine, SIM_RESPONDER | SIM_BACKGROUND), 0);
	assert_int_equal(sim_attach(scene->sim, scene->client, &client_machine, 0), 0);
	snprintf(what, sizeof(what), "%s, IPv%u, back", name, family);
	if (!sim_run(scene->sim, PATIENCE_NS))
		fail_msg("%s: does not end", what);
	assert_int_not_equal(sim_truths(scene->sim, scene->client, scene->to, scene->truths, 1), 0);
	bool heard = scene->truths[0].end == TRUTH_REACHED;
	struct path *path = responder_method.path(client, 0);
	if (heard && !path)
		fail_msg("%s: %d, %s", what, responder_method.status(client, detail, sizeof(detail)), detail);
	assert_int_equal(path != NULL, heard);
	unsigned count = sim_truths(scene->sim, scene->server, scene->from, scene->truths, PATHS_MAX);
	if (path)
		check(what, scene->truths, count, path, lossy(scene));
	path_free(path);
	responder_method.free(client);
	responder_free(responder);
	scene_deinit(scene);
	free(scene);
}

static void test_back(void **state)
{
	(void)state;
	for (const struct shipped_world *shipped = shipped_worlds; shipped->name; shipped++)
		for (unsigned i = 0; i < 2; i++)
			back_in(shipped->name, families[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there),
		cmocka_unit_test(test_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
