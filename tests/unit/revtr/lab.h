/* The coordinator with everything around it in one process: a store on disk, a bus, and agents that do their tasks in
 * the world `revtr-demo`. Include cmocka.h before. */
#ifndef RETOUR_TESTS_REVTR_LAB_H
#define RETOUR_TESTS_REVTR_LAB_H

#include <string.h>

#include "base/clock.h"
#include "office.h"
#include "reverse/revtr_result.h"
#include "revtr/message.h"
#include "revtr/virtual.h"
#include "sim/truth.h"

#define AGENTS	    5 /* the first is the source's */
#define PATIENCE_NS (30 * NS_PER_S)

static const char *const names[AGENTS] = {"client", "vp1", "vp2", "vp3", "vp4"};

/* What a test wants otherwise. */
static void (*adjust)(struct coordinator_options *options);

struct lab {
	const char *home; /* the source's agent, by whatever name */
	char folder[40], file[60];
	uv_loop_t loop;
	struct store *store;
	struct bus *bus;
	struct coordinator *coordinator;
	struct world *world;
	struct sim *sim;
	struct virtual *virtual;
	uint32_t hosts[AGENTS];
	struct addr source, target;
	uint32_t senders[65536]; /* of traceroutes, by the lower half of the task's number */
	bool is_trace[65536], mute, refuse;
	unsigned orders, told, own_orders; /* own: for measurements, to the source's agent */
	unsigned campaign_orders; /* campaign: to addresses from 16.0.0.0 to 31.255.255.255 */
	bool last;
	char result[20000];
};

static inline uint32_t asn_of(void *context, uint32_t address)
{
	const struct lab *lab = context;
	uint32_t as = world_find_as(lab->world, addr_v4(address));
	return as == WORLD_NONE ? 0 : lab->world->ases[as].asn;
}

static inline void say(struct lab *lab, const char *agent, const char *kind, char *text)
{
	char topic[TOPIC_SIZE];
	assert_non_null(text);
	assert_int_equal(
		bus_publish(lab->bus, topic_of(topic, agent, kind), text, strlen(text), strcmp(kind, "status") == 0), 0);
	free(text);
}

static inline void on_task(void *context, const char *topic, const char *payload, size_t length)
{
	struct lab *lab = context;
	struct agent_order order;
	char name[AGENT_NAME_SIZE];
	assert_true(topic_agent(topic, name));
	assert_true(order_from_json(payload, length, &order));
	lab->orders++;
	lab->own_orders += strcmp(name, lab->home) == 0 && order.task.id < 0x80000000u;
	lab->campaign_orders += order.task.target.low >> 28 == 1;
	for (uint32_t i = 0; i < AGENTS; i++)
		if (strcmp(i == 0 ? lab->home : names[i], name) == 0)
			order.task.agent = i;
	lab->senders[order.task.id & 0xffff] = order.task.agent;
	lab->is_trace[order.task.id & 0xffff] = order.task.probe == REVTR_TRACEROUTE;
	if (lab->refuse)
		say(lab, name, "answer", refusal_to_json(order.task.id, AGENT_BUDGET));
	else if (!lab->mute)
		virtual_do(lab->virtual, &order.task, order.source);
}

static inline void all_online(struct lab *lab, bool online)
{
	for (unsigned i = 0; i < AGENTS; i++) {
		struct agent_status status = {.online = online, .may_spoof = i == 1 || i == 2,
			.address = world_node_address(lab->world, lab->hosts[i], 4)};
		say(lab, names[i], "status", status_to_json(&status));
	}
}

/* What came of tasks, told by whoever got it. */
static inline void answer_tasks(struct lab *lab)
{
	struct revtr_answer answer;
	while (virtual_answer(lab->virtual, sim_now(lab->sim) + NS_PER_S, &answer)) {
		uint32_t slot = answer.task & 0xffff;
		uint32_t teller = lab->is_trace[slot] ? lab->senders[slot] : 0;
		say(lab, teller == 0 ? lab->home : names[teller], "answer", answer_to_json(&answer));
	}
}

static inline void turn(struct lab *lab)
{
	uv_run(&lab->loop, UV_RUN_NOWAIT);
	answer_tasks(lab);
	uv_sleep(1);
}

static inline void start(struct lab *lab)
{
	struct coordinator_options options = {.engine = revtr_options_default(), .asn = asn_of, .asn_context = lab};
	options.patience_ns = NS_PER_S;
	options.engine.spoofed_wait_ns = options.engine.direct_wait_ns = 200 * NS_PER_MS;
	if (adjust)
		adjust(&options);
	lab->coordinator = open_coordinator(&lab->loop, lab->bus, lab->file, &options, &lab->store);
}

static inline void stop(struct lab *lab)
{
	close_coordinator(lab->coordinator, &lab->loop, lab->store);
}

static inline void lab_init(struct lab *lab, bool register_source)
{
	memset(lab, 0, sizeof(*lab));
	lab->home = names[0];
	make_folder(lab->folder, lab->file);
	uv_loop_init(&lab->loop);
	lab->bus = bus_new_local(&lab->loop);
	assert_int_equal(world_load("revtr-demo", &lab->world, NULL), 0);
	for (unsigned i = 0; i < AGENTS; i++)
		lab->hosts[i] = world_find_node(lab->world, names[i]);
	lab->source = world_node_address(lab->world, lab->hosts[0], 4);
	lab->target = world_node_address(lab->world, world_find_node(lab->world, "server"), 4);
	lab->sim = sim_new(lab->world, 1);
	lab->virtual = virtual_new(lab->sim, lab->hosts, AGENTS);
	assert_int_equal(bus_subscribe(lab->bus, "retour/1/agent/+/task", on_task, lab), 0);
	start(lab);
	struct store_source source = {.address = lab->source, .name = "home", .agent = "client", .key = {3}, .consents = true};
	if (register_source) {
		assert_int_equal(store_put_source(lab->store, &source, NULL), 0);
		assert_int_equal(coordinator_add_source(lab->coordinator, &source), 0);
	}
	all_online(lab, true);
	turn(lab);
}

static inline void lab_deinit(struct lab *lab)
{
	stop(lab);
	close_loop(&lab->loop, lab->bus);
	virtual_free(lab->virtual);
	sim_free(lab->sim);
	world_free(lab->world);
	remove_folder(lab->folder);
}

static inline void on_told(void *context, int64_t batch, int64_t measurement, const char *json, bool last)
{
	struct lab *lab = context;
	(void)batch, (void)measurement;
	lab->told += json != NULL;
	lab->last |= last;
	if (json)
		snprintf(lab->result, sizeof(lab->result), "%s", json);
}

static inline int submit(struct lab *lab, struct addr source, struct addr target, const char *request, int64_t *id, struct error *error)
{
	struct coordinator_batch batch = {.key = "test", .request = request, .priority = 1};
	struct coordinator_ask ask = {source, target, "a label"};
	return coordinator_submit(lab->coordinator, &batch, &ask, 1, id, error);
}

static inline void wait_for_result(struct lab *lab)
{
	int64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
	while (!lab->last && clock_monotonic_ns() < until_ns)
		turn(lab);
	assert_true(lab->last);
}

static inline void assert_true_way(struct lab *lab)
{
	static struct truth truth;
	struct path *path = revtr_result_path(lab->result, strlen(lab->result));
	assert_non_null(path);
	assert_int_equal(sim_truths(lab->sim, world_find_node(lab->world, "server"), lab->source, &truth, 1), 1);
	assert_true(path->reached);
	assert_int_equal(path->hop_count, truth.hop_count);
	for (unsigned i = 0; i < truth.hop_count; i++) {
		assert_true(world_has_address(lab->world, truth.hops[i].node, path->hops[i].address));
		assert_int_equal(path->hops[i].certainty, CERTAINTY_MEASURED);
		assert_true(path->hops[i].probability > 0.9);
	}
	path_free(path);
}

#endif
