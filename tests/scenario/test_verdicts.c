/* What is said of faults of known kind and place, in worlds out of seeds: every finding is held against the
 * truth. A finding that names a place, a way or a cause that is not so is wrong: none that is certain may be,
 * and few others.
 *
 * RETOUR_VERDICTS=WORLDS,FIRST_SEED tries more worlds for each fault; wrong verdicts are printed. */
#include "faulty.h"

#include "insight/insight.h"
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

static struct campaign campaign;

/* ---- a world */

static void load(struct campaign *c, const struct fault_place *place)
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

static struct trace_config plain_trace(struct addr from, struct addr to)
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
static void ask_all(struct campaign *c, int way, bool answers[static TTLS])
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
static void learn_hits(struct campaign *c)
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

static const char *name_of(const struct campaign *c, const struct truth *truth, unsigned index)
{
	return c->world->nodes[truth->hops[index].node].name;
}

static void draw_size(struct campaign *c)
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
static void draw(struct campaign *c, enum fault fault, int way)
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

static enum machine_want handing_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
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

static void handing_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct machine inner = automatic_machine(((struct handing *)self)->trace);
	inner.ops->sent(inner.self, token, sent_ns, error);
}

static void handing_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct machine inner = automatic_machine(((struct handing *)self)->trace);
	inner.ops->packet(inner.self, received_ns, packet);
}

static void annotate(const struct campaign *c, struct path *path)
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

static void start(const struct campaign *c, struct measurement *m, const char *command)
{
	measurement_init(m);
	m->command = command;
	m->started_wall_ns = 1800000000 * NS_PER_S;
	m->source = c->from;
	m->target = c->to;
}

/* What narrows the way, as `--mtu` asks after the trace. */
static void ask_sizes(const struct campaign *c, struct path *path)
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

static void measure_both(const struct campaign *c, bool helped, struct measurement *m)
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

static void measure_watch(const struct campaign *c, struct rounds *rounds, struct measurement *m)
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

/* ---- the judge */

static const struct truth_hop *true_hop(const struct campaign *c, int way, int ttl)
{
	const struct truth *truth = way == WAY_THERE ? &c->there : &c->back;
	for (unsigned i = 0; i < truth->hop_count; i++)
		if (truth->hops[i].ttl == ttl)
			return &truth->hops[i];
	return NULL;
}

static int hop_at(const struct campaign *c, int way, const char *name)
{
	const struct truth *truth = way == WAY_THERE ? &c->there : &c->back;
	if (strcmp(name, way == WAY_THERE ? "client" : "server") == 0)
		return 0;
	for (unsigned i = 0; i < truth->hop_count; i++)
		if (strcmp(name_of(c, truth, i), name) == 0)
			return truth->hops[i].ttl;
	return -1;
}

/* The hop behind which it starts, as the summary has it; 0 = this host. */
static int named_before(const struct finding *finding, const struct path *path, int ttl)
{
	const char *words = strstr(finding->summary, "between ");
	char address[ADDR_TEXT_SIZE + 2];
	for (size_t i = 0; words && i < path->hop_count && path->hops[i].ttl < ttl; i++) {
		const char *and = strstr(words, " and ");
		addr_format(path->hops[i].address, address);
		strcat(address, ")");
		const char *at = path->hops[i].received > 0 ? strstr(words, address) : NULL;
		if (at && at < and)
			return path->hops[i].ttl;
	}
	return 0;
}

static bool end_is_hit(const struct campaign *c, int way)
{
	const struct truth *truth = way == WAY_THERE ? &c->there : &c->back;
	return c->hit[way][truth->hop_count];
}

static bool is_limited(const struct campaign *c, int way, int ttl)
{
	const struct truth_hop *hop = true_hop(c, way, ttl);
	if (!hop)
		return false;
	const struct world_node *node = &c->world->nodes[hop->node];
	return node->is_host || node->behaviour.limit_given || node->behaviour.limits == LIMITS_LINUX;
}

enum verdict { BESIDE, RIGHT, WRONG };

static bool may_be_lost(const struct campaign *c, int way, int ttl)
{
	/* What a responder reports crosses both ways whole. */
	return c->place.fault == FAULT_LOSS && way == WAY_BACK
		? true
		: c->place.fault == FAULT_LOSS && ttl > 0 && ttl < TTLS && c->hit[way][ttl];
}

/* Its answers are late: it takes its time, or they come a longer way than those of a hop behind it. */
static enum verdict is_slower(const struct campaign *c, int way, int ttl)
{
	const struct truth *truth = way == WAY_THERE ? &c->there : &c->back;
	struct addr asker = way == WAY_THERE ? c->from : c->to;
	const struct truth_hop *hop = true_hop(c, way, ttl);
	struct sim *sim = sim_new(c->world, 1);
	bool slower = c->place.fault == FAULT_SLOW_REPLY && hop_at(c, way, c->place.at) == ttl;
	for (unsigned i = 0; hop && !slower && i < truth->hop_count; i++)
		slower = truth->hops[i].ttl > ttl &&
			hop->delay_ns + sim_delay(sim, hop->node, asker) >
				truth->hops[i].delay_ns + sim_delay(sim, truth->hops[i].node, asker);
	sim_free(sim);
	return slower ? c->place.fault == FAULT_SLOW_REPLY ? RIGHT : BESIDE : WRONG;
}

static enum verdict is(bool right)
{
	return right ? RIGHT : WRONG;
}

static bool is_kind(const struct finding *finding, const char *id)
{
	return strcmp(finding->id, id) == 0;
}

static enum verdict judge_loss(
	const struct campaign *c, const struct finding *finding, const struct path *path, int way)
{
	int from = finding->hop_count > 0 ? finding->hops[0] : 0, before = named_before(finding, path, from);
	if (c->place.fault != FAULT_LOSS || from <= 0 || from >= TTLS)
		return WRONG;
	if (is_kind(finding, "loss-forward") && c->place.way != WAY_THERE)
		return WRONG;
	if (is_kind(finding, "loss-reverse") && c->place.way != WAY_BACK)
		return WRONG;
	if (strstr(finding->summary, "is not known"))
		return BESIDE;
	return is(c->hit[way][from] && !c->hit[way][before]);
}

static enum verdict judge_size(const struct campaign *c, const struct finding *finding)
{
	bool silent = is_kind(finding, "mtu-black-hole");
	int first = finding->hop_count == 0 ? 0 : finding->hops[0], last = first + 1;
	int at = hop_at(c, WAY_THERE, c->place.at), next = hop_at(c, WAY_THERE, c->place.next);
	bool narrow = c->place.fault == FAULT_MTU || c->place.fault == FAULT_MTU_SILENT;
	/* A link on both ways is narrow on both. */
	int place = at < next ? at : next;
	bool deaf = at > 0 && !c->answers[WAY_THERE][at];
	if (!narrow || at < 0 || next < 0 ||
		(silent && c->place.fault != FAULT_MTU_SILENT && c->place.way == WAY_THERE && !deaf))
		return WRONG;
	/* Hops that never answer leave a stretch. */
	while (silent && last < TTLS && !c->answers[WAY_THERE][last])
		last++;
	return is(first <= place && place < last);
}

static bool is_on(const struct truth *truth, uint32_t node)
{
	for (unsigned i = 0; i < truth->hop_count; i++)
		if (truth->hops[i].node == node)
			return true;
	return false;
}

/* The first router that only one way has is on no other. */
static bool parts_there(const struct campaign *c, const struct measurement *m, const char *summary)
{
	const struct alignment *a = m->alignment;
	const struct truth_hop *there = true_hop(c, WAY_THERE, a->divergence_forward_ttl);
	const struct truth_hop *back = true_hop(c, WAY_BACK, a->divergence_reverse_ttl);
	if (!a->diverges || strstr(summary, " near "))
		return true;
	return (there && !is_on(&c->back, there->node)) || (back && !is_on(&c->there, back->node));
}

static uint32_t node_of_hop(const struct campaign *c, const struct path *path, int number)
{
	for (size_t i = 0; i < path->hop_count; i++) {
		const struct hop *hop = &path->hops[i];
		const struct world_address *at = world_find_address(c->world, hop->address);
		const struct truth_hop *truth = true_hop(c, path->direction == DIRECTION_REVERSE, hop->ttl);
		if (path_hop_number(path, i) == number)
			return at ? at->node : truth ? truth->node : WORLD_NONE;
	}
	return WORLD_NONE;
}

/* What is said to be measured of the way back is on it. */
static unsigned false_hops(const struct campaign *c, const struct measurement *m)
{
	unsigned count = 0;
	for (size_t i = 0; m->reverse && i < m->reverse->hop_count; i++) {
		const struct hop *hop = &m->reverse->hops[i];
		const struct world_address *at = world_find_address(c->world, hop->address);
		count += hop->certainty == CERTAINTY_MEASURED && addr_is_set(hop->address) &&
			!(at && is_on(&c->back, at->node));
	}
	return count;
}

/* Routers that are said to be on both ways, and are not. */
static unsigned false_routers(const struct campaign *c, const struct measurement *m)
{
	const struct alignment *a = m->alignment;
	unsigned count = 0;
	for (size_t i = 0; a && i < a->shared_count; i++)
		count += a->shared[i].by != SHARED_BY_AS &&
			node_of_hop(c, m->forward, a->shared[i].forward_ttl) !=
				node_of_hop(c, m->reverse, a->shared[i].reverse_ttl);
	return count;
}

static enum verdict judge(
	const struct campaign *c, const struct measurement *m, const struct finding *finding)
{
	int way = finding->direction == DIRECTION_REVERSE ? WAY_BACK : WAY_THERE;
	const struct path *path = way == WAY_BACK ? m->reverse : m->forward;
	enum fault fault = c->place.fault;
	int first = finding->hop_count > 0 ? finding->hops[0] : -1;
	if (strncmp(finding->id, "loss-", 5) == 0)
		return judge_loss(c, finding, path, way);
	if (strncmp(finding->id, "mtu-", 4) == 0)
		return judge_size(c, finding);
	if (is_kind(finding, "loop"))
		return is(fault == FAULT_LOOP && way == c->place.way);
	if (is_kind(finding, "refused"))
		return is(fault == FAULT_HOLE || fault == FAULT_REFUSES_UDP);
	if (is_kind(finding, "filtered"))
		return is((fault == FAULT_DROPS_UDP || fault == FAULT_REFUSES_UDP) && way == c->place.way);
	if (is_kind(finding, "black-hole"))
		return is(end_is_hit(c, way));
	if (is_kind(finding, "reply-rate-limited"))
		return is(is_limited(c, way, first) ||
			(strstr(finding->summary, " lost") && may_be_lost(c, way, first)));
	if (is_kind(finding, "silent-hop")) {
		/* That none comes is true of whose answers the fault takes. */
		if (fault == FAULT_ANSWERS_HOLE || fault == FAULT_LOSS || fault == FAULT_LOOP)
			return BESIDE;
		for (size_t i = 0; i < finding->hop_count; i++)
			if (c->answers[way][finding->hops[i]])
				return WRONG;
		return BESIDE;
	}
	if (is_kind(finding, "replies-lost"))
		return is(may_be_lost(c, way, first) ||
			(strstr(finding->summary, "limits") && is_limited(c, way, first)));
	if (is_kind(finding, "slow-reply"))
		return is_slower(c, way, first);
	if (is_kind(finding, "paths-differ"))
		return c->faulty.asymmetric && parts_there(c, m, finding->summary) ? BESIDE : WRONG;
	if (is_kind(finding, "paths-same"))
		return c->faulty.asymmetric ? WRONG : BESIDE;
	if (is_kind(finding, "latency-step"))
		return BESIDE;
	return WRONG;
}

static void show_ways(const struct campaign *c, const struct measurement *m)
{
	const struct path *paths[] = {m->forward, m->reverse};
	for (unsigned p = 0; p < 2; p++) {
		printf("#     %s:", p ? "back" : "there");
		for (size_t i = 0; paths[p] && i < paths[p]->hop_count; i++) {
			const struct hop *hop = &paths[p]->hops[i];
			const struct world_address *at = world_find_address(c->world, hop->address);
			char address[ADDR_TEXT_SIZE];
			printf(" %d:%s %s AS%u (%u/%u %.0f)", hop->ttl,
				at ? c->world->nodes[at->node].name : "*", addr_format(hop->address, address),
				hop->asn, hop->received, hop->sent,
				hop->rtt_min_ns == RTT_NONE ? -1 : (double)hop->rtt_min_ns / 1e6);
		}
		printf("  truth");
		const struct truth *truth = p ? &c->back : &c->there;
		for (unsigned i = 0; i < truth->hop_count; i++)
			printf(" %s%s", name_of(c, truth, i), c->hit[p][truth->hops[i].ttl] ? "!" : "");
		printf("\n");
	}
}

static void judge_all(struct campaign *c, const struct measurement *m, enum command command)
{
	struct tally *tally = &c->tallies[c->place.fault][c->place.way][command];
	bool right = false, wrong = false;
	for (size_t i = 0; i < m->finding_count; i++) {
		const struct finding *finding = &m->findings[i];
		enum verdict verdict = judge(c, m, finding);
		right |= verdict == RIGHT;
		if (verdict != WRONG)
			continue;
		wrong = true;
		tally->wrong_by[finding->confidence]++;
		printf("# WRONG %s, seed %llu IPv%u%s%s: %s %s at %s-%s (%g)\n#   %s (%s): %s\n",
			command_words[command], (unsigned long long)c->seed, c->faulty.family,
			c->faulty.asymmetric ? " asymmetric" : "", c->faulty.bent ? " bent" : "",
			fault_words[c->place.fault], c->place.way ? "back" : "there", c->place.at,
			c->place.next, c->place.size, finding->id, confidence_word(finding->confidence),
			finding->summary);
		show_ways(c, m);
	}
	unsigned untrue = false_hops(c, m);
	tally->false_hops += untrue;
	tally->false_routers += false_routers(c, m);
	tally->shared += m->alignment ? (unsigned)m->alignment->shared_count : 0;
	if (untrue > 0) {
		printf("# UNTRUE %u, %s, seed %llu%s: %s %s at %s-%s\n", untrue, command_words[command],
			(unsigned long long)c->seed, c->faulty.asymmetric ? " asymmetric" : "",
			fault_words[c->place.fault], c->place.way ? "back" : "there", c->place.at,
			c->place.next);
		show_ways(c, m);
	}
	tally->worlds++;
	tally->right += right;
	tally->wrong += wrong;
	tally->silent += !right && !wrong;
}

static void try_world(struct campaign *c, enum fault fault, int way, uint64_t seed)
{
	c->seed = seed;
	draw(c, fault, way);
	for (enum command command = 0; command < COMMANDS; command++) {
		struct rounds *rounds = calloc(1, sizeof(*rounds));
		struct measurement m;
		if (command == COMMAND_WATCH)
			measure_watch(c, rounds, &m);
		else
			measure_both(c, command == COMMAND_HELPED, &m);
		annotate(c, m.forward);
		annotate(c, m.reverse);
		assert_int_equal(insight_run(&m), 0);
		judge_all(c, &m, command);
		measurement_deinit(&m);
		if (command == COMMAND_WATCH)
			rounds_deinit(rounds);
		free(rounds);
	}
}

static void print_table(const struct campaign *c)
{
	printf("# %-22s %-6s %-17s %6s %6s %6s %6s  wrong: certain likely possible\n", "fault", "way",
		"command", "worlds", "right", "wrong", "silent");
	for (enum fault fault = 0; fault < FAULTS; fault++)
		for (int way = WAY_THERE; way <= WAY_BACK; way++)
			for (enum command command = 0; command < COMMANDS; command++) {
				const struct tally *t = &c->tallies[fault][way][command];
				printf("# %-22s %-6s %-17s %6u %6u %6u %6u  %14u %6u %8u\n",
					fault_words[fault], way ? "back" : "there", command_words[command],
					t->worlds, t->right, t->wrong, t->silent,
					t->wrong_by[CONFIDENCE_CERTAIN], t->wrong_by[CONFIDENCE_LIKELY],
					t->wrong_by[CONFIDENCE_POSSIBLE]);
			}
}

static struct tally sum_of(const struct campaign *c)
{
	struct tally sum = {0};
	const struct tally *tallies = &c->tallies[0][0][0];
	for (unsigned i = 0; i < FAULTS * 2 * COMMANDS; i++) {
		sum.worlds += tallies[i].worlds;
		sum.right += tallies[i].right;
		sum.false_routers += tallies[i].false_routers;
		sum.false_hops += tallies[i].false_hops;
		sum.shared += tallies[i].shared;
		for (unsigned j = 0; j < ARRAY_LEN(sum.wrong_by); j++)
			sum.wrong_by[j] += tallies[i].wrong_by[j];
	}
	return sum;
}

static void test_verdicts(void **state)
{
	(void)state;
	unsigned worlds = 4;
	unsigned long long first = 700001;
	const char *wish = getenv("RETOUR_VERDICTS");
	if (wish)
		sscanf(wish, "%u,%llu", &worlds, &first);
	for (enum fault fault = 0; fault < FAULTS; fault++)
		for (int way = WAY_THERE; way <= WAY_BACK; way++)
			for (unsigned i = 0; i < worlds; i++)
				try_world(&campaign, fault, way, first + i);
	print_table(&campaign);
	world_free(campaign.world);
	struct tally sum = sum_of(&campaign);
	printf("# of %u: wrong and certain %u, likely %u, possible %u; right %u\n", sum.worlds,
		sum.wrong_by[CONFIDENCE_CERTAIN], sum.wrong_by[CONFIDENCE_LIKELY],
		sum.wrong_by[CONFIDENCE_POSSIBLE], sum.right);
	printf("# %u hops back are none; of %u routers on both ways %u are not\n", sum.false_hops, sum.shared,
		sum.false_routers);
	assert_int_equal(sum.false_hops, 0);
	assert_true(sum.false_routers * 50 <= sum.shared);
	assert_int_equal(sum.wrong_by[CONFIDENCE_CERTAIN], 0);
	assert_true(sum.wrong_by[CONFIDENCE_LIKELY] * 200 <= sum.worlds);
	assert_true(sum.wrong_by[CONFIDENCE_POSSIBLE] * 50 <= sum.worlds);
	/* Saying nothing is no way out. */
	assert_true(sum.right * 5 >= sum.worlds * 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
