/* A campaign of faults: worlds out of seeds with a fault of known kind and place, what it can carry away, and the
 * measurements of them that commands make. Include cmocka.h before. */
#ifndef RETOUR_TESTS_SCENARIO_CAMPAIGN_H
#define RETOUR_TESTS_SCENARIO_CAMPAIGN_H

#include "faulty.h"

#include "reverse/climb.h"
#include "reverse/responder.h"
#include "serve/responder.h"
#include "sim/truth.h"
#include "trace/automatic.h"
#include "trace/mtu.h"
#include "trace/rounds.h"

#define PATIENCE_NS (3000 * NS_PER_S)
#define TTLS	    64

enum command { COMMAND_BOTH, COMMAND_HELPED, COMMAND_WATCH, COMMANDS };

static const char *const command_words[] = {"retour HOST", "with a responder", "watch"};

struct tally {
	unsigned worlds, right, wrong, silent;
	unsigned wrong_by[3]; /* by confidence */
	unsigned shared, false_routers, false_hops;
};

struct campaign {
	struct faulty faulty;
	struct fault_place place;
	struct text text;
	uint64_t seed;
	struct world *world;
	uint32_t client, server;
	struct addr from, to;
	struct truth there, back; /* of the world without the fault */
	bool hit[2][TTLS];	  /* by way and hop limit: answers there are affected by the fault */
	bool answers[2][TTLS];	  /* without the fault */
	struct tally tallies[FAULTS][2][COMMANDS];
};

/* ---- a world */

static inline void load(struct campaign *c, const struct fault_place *place)
{
	struct error error = {0};
	world_free(c->world);
	faulty_text(&c->faulty, c->seed, c->faulty.family, place, &c->text);
	if (world_parse("faulty", c->text.bytes, &c->world, &error) < 0)
		fail_msg("seed %llu: %s\n%s", (unsigned long long)c->seed, error.text, c->text.bytes);
	c->client = world_find_node(c->world, "client");
	c->server = world_find_node(c->world, "server");
	c->from = world_node_address(c->world, c->client, c->faulty.family);
	c->to = world_node_address(c->world, c->server, c->faulty.family);
}

static inline struct trace_config plain_trace(struct addr from, struct addr to)
{
	struct trace_config config = trace_defaults();
	config.protocol = PROBE_UDP;
	config.source = from;
	config.destination = to;
	config.flow = (struct flow){.source_port = 41000, .destination_port = 33434, .flow_label = 7};
	config.key = (struct hash_key){1, 2};
	return config;
}

/* Which hop limits are answered at all. */
static inline void ask_all(struct campaign *c, int way, bool answers[static TTLS])
{
	bool there = way == WAY_THERE;
	struct trace *trace = calloc(1, sizeof(*trace));
	struct sim *sim = sim_new(c->world, 1);
	struct trace_config config = plain_trace(there ? c->from : c->to, there ? c->to : c->from);
	config.max_ttl = (there ? &c->there : &c->back)->hop_count;
	config.gap_limit = TTLS;
	trace_init(trace, &config);
	struct machine machine = trace_machine(trace);
	assert_int_equal(sim_attach(sim, there ? c->client : c->server, &machine, 0), 0);
	assert_true(sim_run(sim, PATIENCE_NS));
	struct path *path = trace_path(trace, 0, sim_now(sim));
	memset(answers, 0, TTLS * sizeof(*answers));
	for (size_t i = 0; i < path->hop_count; i++)
		if (path->hops[i].ttl > 0 && path->hops[i].ttl < TTLS)
			answers[path->hops[i].ttl] = path->hops[i].received > 0;
	path_free(path);
	trace_deinit(trace);
	free(trace);
	sim_free(sim);
}

/* The same world with the fault at its worst shows whose answers it may carry away. */
static inline void learn_hits(struct campaign *c)
{
	struct fault_place worst = c->place;
	bool now[TTLS];
	if (worst.fault == FAULT_LOSS)
		worst.size = 1;
	load(c, &worst);
	for (int way = WAY_THERE; way <= WAY_BACK; way++) {
		ask_all(c, way, now);
		for (unsigned ttl = 0; ttl < TTLS; ttl++)
			c->hit[way][ttl] = c->answers[way][ttl] && !now[ttl];
	}
}

static inline const char *name_of(const struct campaign *c, const struct truth *truth, unsigned index)
{
	return c->world->nodes[truth->hops[index].node].name;
}

static inline void draw_size(struct campaign *c)
{
	struct faulty *faulty = &c->faulty;
	static const double losses[] = {0.02, 0.05, 0.1, 0.2, 0.5}, widths[] = {1280, 1400, 1476, 1492};
	switch (c->place.fault) {
	case FAULT_LOSS: c->place.size = losses[between(faulty, 0, 4)]; break;
	case FAULT_LIMIT: /* burst before the point, per second behind it */
		c->place.size = between(faulty, 1, 3) + 0.25 * between(faulty, 1, 3);
		break;
	case FAULT_MTU:
	case FAULT_MTU_SILENT: c->place.size = widths[between(faulty, 0, 3)]; break;
	default: c->place.size = between(faulty, 20, 90);
	}
}

/* A world without the fault, its ways, and then a place on one of them. */
static inline void draw(struct campaign *c, enum fault fault, int way)
{
	struct fault_place none = {.fault = FAULT_NONE};
	c->faulty.family = c->seed % 3 == 0 ? 6 : 4;
	load(c, &none);
	struct sim *sim = sim_new(c->world, 1);
	assert_int_equal(sim_truths(sim, c->client, c->to, &c->there, 1), 1);
	assert_int_equal(sim_truths(sim, c->server, c->from, &c->back, 1), 1);
	sim_free(sim);
	ask_all(c, WAY_THERE, c->answers[WAY_THERE]);
	ask_all(c, WAY_BACK, c->answers[WAY_BACK]);
	struct rng shape = c->faulty.rng;
	c->faulty.rng = rng_seed(c->seed * 31 + fault * 2 + (unsigned)way);
	const struct truth *truth = way == WAY_THERE || fault == FAULT_ANSWERS_HOLE ? &c->there : &c->back;
	/* A router that has one before it. */
	unsigned routers = truth->hop_count - 1, at = between(&c->faulty, routers > 1 ? 1 : 0, routers - 1);
	c->place = (struct fault_place){.fault = fault, .way = way};
	snprintf(c->place.at, sizeof(c->place.at), "%s", name_of(c, truth, at));
	snprintf(c->place.next, sizeof(c->place.next), "%s", name_of(c, truth, at + 1));
	snprintf(c->place.before, sizeof(c->place.before), "%s",
		at > 0 ? name_of(c, truth, at - 1) : c->place.next);
	draw_size(c);
	c->faulty.rng = shape;
	learn_hits(c);
	load(c, &c->place);
}

/* ---- the measurements */

/* As the command line does: what the way there shows is handed to the ways back. */
struct handing {
	struct automatic *trace;
	struct climb *climb;
	bool done;
	struct sim *sim;
};

static inline enum machine_want handing_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct handing *handing = self;
	struct machine inner = automatic_machine(handing->trace);
	enum machine_want want = inner.ops->next(inner.self, now_ns, outgoing, wake_ns);
	if (want == MACHINE_DONE && !handing->done) {
		handing->done = true;
		if (handing->trace->first.rtt_max_ns != RTT_NONE)
			climb_hint(handing->climb, handing->trace->first.rtt_max_ns);
		climb_known(handing->climb, automatic_path(handing->trace, 0, now_ns));
	}
	return want;
}

static inline void handing_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct machine inner = automatic_machine(((struct handing *)self)->trace);
	inner.ops->sent(inner.self, token, sent_ns, error);
}

static inline void handing_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct machine inner = automatic_machine(((struct handing *)self)->trace);
	inner.ops->packet(inner.self, received_ns, packet);
}

static inline void annotate(const struct campaign *c, struct path *path)
{
	for (size_t i = 0; path && i < path->hop_count; i++) {
		struct hop *hop = &path->hops[i];
		uint32_t as = world_find_as(c->world, hop->address);
		hop->asn = as == WORLD_NONE ? 0 : c->world->ases[as].asn;
		const struct world_address *at = world_find_address(c->world, hop->address);
		if (at && at->interface != WORLD_NONE && c->world->interfaces[at->interface].name)
			hop->name = strdup(c->world->interfaces[at->interface].name);
	}
}

static inline void start(const struct campaign *c, struct measurement *m, const char *command)
{
	measurement_init(m);
	m->command = command;
	m->started_wall_ns = 1800000000 * NS_PER_S;
	m->source = c->from;
	m->target = c->to;
}

/* What narrows the way, as `--mtu` asks after the trace. */
static inline void ask_sizes(const struct campaign *c, struct path *path)
{
	struct mtu *mtu = calloc(1, sizeof(*mtu));
	struct sim *sim = sim_new(c->world, c->seed + 9);
	struct mtu_config config = {
		.probe = {.protocol = PROBE_UDP,
			.source = c->from,
			.destination = c->to,
			.flow = path->flow,
			.key = {5, 6}},
		.rtt_ns = RTT_NONE,
	};
	for (size_t i = 0; i < path->hop_count; i++) {
		const struct hop *hop = &path->hops[i];
		config.answers[hop->ttl] = hop->received > 0;
		if (hop->received > 0)
			config.end_ttl = (unsigned)hop->ttl;
		config.rtt_ns = MAX(config.rtt_ns, hop->rtt_max_ns);
	}
	mtu_init(mtu, &config);
	struct machine machine = mtu_machine(mtu);
	assert_int_equal(sim_attach(sim, c->client, &machine, 0), 0);
	assert_true(sim_run(sim, PATIENCE_NS));
	assert_int_equal(mtu_tell(mtu, path), 0);
	mtu_deinit(mtu);
	free(mtu);
	sim_free(sim);
}

static inline void measure_both(const struct campaign *c, bool helped, struct measurement *m)
{
	struct responder_config serving = {.key = {3, 4}, .port = 50050, .icmp_prefix = 0x5a};
	struct responder *responder = responder_new(&serving);
	struct automatic_other others[] = {{PROBE_ICMP, {.icmp_id = 9, .icmp_checksum = 0x4242}},
		{PROBE_TCP, {.source_port = 41001, .destination_port = 443}},
		{PROBE_TCP, {.source_port = 41001, .destination_port = 80}}};
	struct handing handing = {
		.trace = calloc(1, sizeof(struct automatic)), .sim = sim_new(c->world, c->seed)};
	struct trace_config config = plain_trace(c->from, c->to);
	struct reverse_task task = {.target = c->to,
		.source = c->from,
		.seed = c->seed * 7919 + 1,
		.protocol = PROBE_UDP,
		.probes_per_hop = 3};
	static const struct machine_ops ops = {handing_next, handing_sent, handing_packet};
	automatic_init(handing.trace, &config, others, ARRAY_LEN(others));
	assert_int_equal(climb_new(&handing.climb, &task, NULL, NULL), 0);
	assert_int_equal(responder_set_addresses(responder, &c->to, 1), 0);
	struct machine machines[] = {
		{&ops, &handing}, climb_machine(handing.climb), responder_machine(responder)};
	if (helped)
		assert_int_equal(
			sim_attach(handing.sim, c->server, &machines[2], SIM_RESPONDER | SIM_BACKGROUND), 0);
	assert_int_equal(sim_attach(handing.sim, c->client, &machines[0], 0), 0);
	assert_int_equal(sim_attach(handing.sim, c->client, &machines[1], 0), 0);
	assert_true(sim_run(handing.sim, PATIENCE_NS));
	start(c, m, "both");
	m->forward = automatic_path(handing.trace, m->started_wall_ns, sim_now(handing.sim));
	if (c->place.fault == FAULT_MTU || c->place.fault == FAULT_MTU_SILENT)
		ask_sizes(c, m->forward);
	assert_int_equal(climb_collect(handing.climb, m), 0);
	climb_free(handing.climb);
	automatic_deinit(handing.trace);
	free(handing.trace);
	sim_free(handing.sim);
	responder_free(responder);
}

static inline void measure_watch(const struct campaign *c, struct rounds *rounds, struct measurement *m)
{
	struct rounds_config config = rounds_defaults();
	struct sim *sim = sim_new(c->world, c->seed);
	config.rounds = 120;
	config.engine.protocol = PROBE_UDP;
	config.engine.source = c->from;
	config.engine.destination = c->to;
	config.engine.flow = (struct flow){.source_port = 41000, .destination_port = 33434, .flow_label = 7};
	config.engine.key = (struct hash_key){5, 6};
	rounds_init(rounds, &config);
	struct machine machine = rounds_machine(rounds);
	assert_int_equal(sim_attach(sim, c->client, &machine, 0), 0);
	assert_true(sim_run(sim, PATIENCE_NS));
	start(c, m, "watch");
	m->forward = timeline_path(&rounds->timeline, m->started_wall_ns);
	m->forward->source = c->from;
	m->forward->destination = c->to;
	m->timeline = &rounds->timeline;
	sim_free(sim);
}

#endif
