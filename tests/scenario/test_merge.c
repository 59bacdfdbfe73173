/* Partial ways back made one, and vantage points, against the truth of worlds. */
#include "asked.h"
#include "generated.h"

#include "reverse/merge.h"

struct merges {
	unsigned pairs, joined, hops, right, measured, measured_right;
};

/* The far host's way breaks off after three hops; a host of the same network knows its own way whole. What is
 * made of the two is compared with the true way of the far host. */
static void merge_pair(struct world *world, uint32_t near, uint32_t far, uint32_t vantage, unsigned seed,
	struct merges *merges)
{
	static struct truth truths[64];
	struct reverse_task task = {.seed = seed, .protocol = PROBE_UDP};
	struct run whole = ask(world, near, vantage, task, 0);
	task.max_ttl = 3;
	struct run part = ask(world, near, far, task, 0);
	struct path *first = part.measurement.reverse, *other = whole.measurement.reverse;
	struct addr home = addr_is_set(part.measurement.public_address) ? part.measurement.public_address
									: world_node_address(world, near, 4);
	struct merge merge;
	if (first && other && !first->reached && other->reached) {
		merges->pairs++;
		assert_int_equal(path_set_vantage(other, "elsewhere", other->source, 0, VANTAGE_UNKNOWN), 0);
		struct path *merged = merge_paths(first, other, &merge);
		struct sim *sim = sim_new(world, seed + 1);
		unsigned count = sim_truths(sim, far, home, truths, ARRAY_LEN(truths));
		merges->joined += merged != NULL;
		for (size_t i = 0; merged && i < merged->hop_count; i++) {
			const struct hop *hop = &merged->hops[i];
			bool right = false;
			for (unsigned j = 0; j < count && addr_is_set(hop->address); j++)
				for (unsigned k = 0; k < truths[j].hop_count; k++)
					right |= is_at(world, &truths[j].hops[k], hop->address);
			bool measured = hop->certainty == CERTAINTY_MEASURED;
			if (!addr_is_set(hop->address) || count == ARRAY_LEN(truths))
				continue;
			merges->hops += !measured;
			merges->right += !measured && right;
			merges->measured += measured;
			merges->measured_right += measured && right;
		}
		path_free(merged);
		sim_free(sim);
	}
	run_deinit(&whole);
	run_deinit(&part);
}

static uint32_t neighbour_of(const struct world *world, uint32_t host, struct rng *rng)
{
	for (unsigned tries = 0; tries < 200; tries++) {
		uint32_t other = (uint32_t)rng_below(rng, world->host_count);
		if (other != host && world->nodes[other].as == world->nodes[host].as)
			return other;
	}
	return host;
}

static void test_merged(void **state)
{
	struct merges merges = {0};
	(void)state;
	for (unsigned seed = 1; seed <= 3; seed++) {
		struct world *world = generated_world(60, seed, "today");
		struct rng rng = rng_seed(seed);
		for (unsigned i = 0; i < 150; i++) {
			uint32_t near = (uint32_t)rng_below(&rng, world->host_count),
				 far = (uint32_t)rng_below(&rng, world->host_count);
			uint32_t vantage = neighbour_of(world, far, &rng);
			if (near != far && vantage != far && vantage != near)
				merge_pair(world, near, far, vantage, i, &merges);
		}
		world_free(world);
	}
	print_message(
		"# %u pairs, %u joined; of hops joined %u of %u are on the way, of those measured %u of %u\n",
		merges.pairs, merges.joined, merges.right, merges.hops, merges.measured_right,
		merges.measured);
	assert_true(merges.joined > 20);
	assert_true(merges.right >= 0.95 * merges.hops);
	assert_true(merges.measured_right >= 0.99 * merges.measured);
}

/* a - r1 - ... - r5 - b, and v at r5: b helps nobody. Record Route tells the first routers, until its list is
 * full; v, which is a responder, the rest. */
static void test_vantage(void **state)
{
	static struct text text;
	struct error error = {0};
	struct measurement measurement;
	struct climb *climb;
	char names[100], address[ADDR_TEXT_SIZE];
	(void)state;
	text.used = 0;
	add(&text, WORLD_HEAD "  - {name: v, as: 64496}\nrouters:\n");
	for (unsigned i = 1; i <= 5; i++)
		add(&text, "  - {name: r%u, as: 64496}\n", i);
	add(&text, "links:\n  - {from: a, to: r1}\n  - {from: r5, to: b}\n  - {from: r5, to: v}\n");
	for (unsigned i = 1; i < 5; i++)
		add(&text, "  - {from: r%u, to: r%u}\n", i, i + 1);
	struct world *world = scene_world(text.bytes);
	struct sim *sim = sim_new(world, 5);
	uint32_t a = world_find_node(world, "a"), b = world_find_node(world, "b"),
		 v = world_find_node(world, "v");
	struct addr vantage = world_node_address(world, v, 4);
	struct reverse_task task = {.target = world_node_address(world, b, 4),
		.source = world_node_address(world, a, 4),
		.seed = 7,
		.protocol = PROBE_UDP};
	struct responder_config serving = {.key = {1, 4}, .port = 50050, .icmp_prefix = 0x5a};
	struct responder *responder = responder_new(&serving);
	assert_int_equal(responder_set_addresses(responder, &vantage, 1), 0);
	snprintf(names, sizeof(names), "record-route,responder:%s", addr_format(vantage, address));
	assert_int_equal(climb_new(&climb, &task, names, &error), 0);
	struct machine server = responder_machine(responder), client = climb_machine(climb);
	assert_int_equal(sim_attach(sim, v, &server, SIM_RESPONDER | SIM_BACKGROUND), 0);
	assert_int_equal(sim_attach(sim, a, &client, 0), 0);
	assert_true(sim_run(sim, PATIENCE));
	measurement_init(&measurement);
	assert_int_equal(climb_collect(climb, &measurement), 0);
	const struct path *path = measurement.reverse;
	struct truth truth;
	assert_int_equal(sim_truths(sim, b, task.source, &truth, 1), 1);
	assert_true(path->reached);
	assert_true(addr_equal(path->source, task.target));
	assert_int_equal(path->hop_count, truth.hop_count);
	unsigned measured = 0;
	for (size_t i = 0; i < path->hop_count; i++) {
		const struct hop *hop = &path->hops[i];
		assert_true(is_at(world, &truth.hops[i], hop->address));
		assert_int_equal(
			hop->certainty == CERTAINTY_MEASURED, hop->technique == TECHNIQUE_RECORD_ROUTE);
		assert_true(
			hop->technique == TECHNIQUE_RECORD_ROUTE || hop->technique == TECHNIQUE_RESPONDER);
		measured += hop->technique == TECHNIQUE_RECORD_ROUTE;
	}
	assert_true(measured >= 2 && measured < path->hop_count);
	assert_non_null(strstr(measurement.attempts[1].detail, "not from the far host"));
	assert_non_null(strstr(measurement.attempts[1].detail, "used behind"));
	measurement_deinit(&measurement);
	climb_free(climb);
	responder_free(responder);
	sim_free(sim);
	world_free(world);
}

/* A vantage point alone, and names that lead to none. */
static void test_vantage_names(void **state)
{
	static const struct {
		const char *names, *words;
	} cases[] = {
		{"responder:nobody.example", "expected an address"}, {"responder:2001:db8::1", "family"}};
	struct world *world = chain("silent: false", "");
	struct reverse_task task = {.target = world_node_address(world, world_find_node(world, "b"), 4),
		.source = world_node_address(world, world_find_node(world, "a"), 4),
		.seed = 7};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct measurement measurement;
		struct climb *climb;
		struct error error = {0};
		struct sim *sim = sim_new(world, 5);
		assert_int_equal(climb_new(&climb, &task, cases[i].names, &error), 0);
		struct machine client = climb_machine(climb);
		assert_int_equal(sim_attach(sim, world_find_node(world, "a"), &client, 0), 0);
		assert_true(sim_run(sim, PATIENCE));
		measurement_init(&measurement);
		assert_int_equal(climb_collect(climb, &measurement), 0);
		assert_null(measurement.reverse);
		assert_int_equal(measurement.attempts[0].status, ATTEMPT_FAILED);
		assert_non_null(strstr(measurement.attempts[0].detail, cases[i].words));
		measurement_deinit(&measurement);
		climb_free(climb);
		sim_free(sim);
	}
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merged),
		cmocka_unit_test(test_vantage),
		cmocka_unit_test(test_vantage_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
