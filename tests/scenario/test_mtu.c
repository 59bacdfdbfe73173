/* Path-MTU discovery in worlds with narrow links, whose routers say so, say nonsense, or say nothing. */
#include "scene.h"

#include "sim/truth.h"
#include "trace/mtu.h"

#define PATIENCE (300 * NS_PER_S)

struct outcome {
	struct path *path;
	double seconds;
	unsigned sent;
};

/* a - r1 - r2 - r3 - r4 - b: the links r2-r3 and r4-b carry so much; habits are r2's and r4's. */
static struct world *narrow(unsigned mtu23, unsigned mtu4b, const char *habits, const char *rest)
{
	char text[2000], first[40] = "", second[40] = "";
	if (mtu23)
		snprintf(first, sizeof(first), ", mtu: %u", mtu23);
	if (mtu4b)
		snprintf(second, sizeof(second), ", mtu: %u", mtu4b);
	snprintf(text, sizeof(text),
		WORLD_HEAD "routers:\n"
			   "  - {name: r1, as: 64496}\n"
			   "  - {name: r2, as: 64496, behaviour: {%s}}\n"
			   "  - {name: r3, as: 64496}\n"
			   "  - {name: r4, as: 64496, behaviour: {%s}}\n"
			   "links:\n"
			   "  - {from: a, to: r1}\n"
			   "  - {from: r1, to: r2, mtu: 1500}\n"
			   "  - {from: r2, to: r3%s}\n"
			   "  - {from: r3, to: r4, mtu: 1500}\n"
			   "  - {from: r4, to: b%s}\n"
			   "%s",
		habits, habits, first, second, rest);
	return scene_world(text);
}

static struct outcome discover(struct world *world, uint8_t family)
{
	struct scene scene = scene_of(world);
	struct mtu *mtu = calloc(1, sizeof(*mtu));
	struct mtu_config config = {
		.probe = {.protocol = PROBE_UDP, .source = scene.from[family], .destination = scene.to[family],
			.flow = {.source_port = 40000, .destination_port = 33434, .flow_label = 3}, .key = {5, 6}},
		.end_ttl = 5,
		.answers = {[1] = true, true, true, true, true},
		.rtt_ns = 12 * NS_PER_MS,
	};
	mtu_init(mtu, &config);
	struct machine machine = mtu_machine(mtu);
	assert_int_equal(sim_attach(scene.sim, scene.a, &machine, 0), 0);
	assert_true(sim_run(scene.sim, PATIENCE));
	struct outcome outcome = {.path = path_new(DIRECTION_FORWARD, "ttl"),
		.seconds = (double)sim_now(scene.sim) / 1e9, .sent = mtu->sent};
	assert_int_equal(mtu_tell(mtu, outcome.path), 0);
	mtu_deinit(mtu);
	free(mtu);
	scene_end(&scene);
	return outcome;
}

static const uint8_t families[] = {4, 6};

static struct outcome expect(const char *what, struct world *world, uint8_t family, unsigned bytes, size_t steps)
{
	struct outcome outcome = discover(world, family);
	print_message("# %s, IPv%u: %u bytes, %zu steps, %u packets, %.2f s\n", what, family, outcome.path->mtu.bytes,
		outcome.path->mtu.step_count, outcome.sent, outcome.seconds);
	assert_int_equal(outcome.path->mtu.bytes, bytes);
	assert_int_equal(outcome.path->mtu.step_count, steps);
	return outcome;
}

static void expect_step(const struct outcome *outcome, size_t index, int ttl, struct addr said_by, unsigned bytes)
{
	const struct mtu_step *step = &outcome->path->mtu.steps[index];
	assert_int_equal(step->ttl, ttl);
	assert_addr(step->said_by, said_by);
	assert_int_equal(step->bytes, bytes);
}

static void test_said(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct outcome plain = expect("nothing narrow", narrow(1500, 1500, "", ""), families[i], 1500, 1);
		path_free(plain.path);
		struct world *world = narrow(1400, 1500, "", "");
		struct addr r2 = interface_address(world, "r2", "r1", families[i]);
		struct outcome one = expect("1400 behind r2", world, families[i], 1400, 1);
		expect_step(&one, 0, 2, r2, 1400);
		path_free(one.path);
		world = narrow(1437, 1300, "", "");
		struct addr r4 = interface_address(world, "r4", "r3", families[i]);
		r2 = interface_address(world, "r2", "r1", families[i]);
		struct outcome two = expect("1437 behind r2, 1300 behind r4", world, families[i], 1300, 2);
		expect_step(&two, 0, 2, r2, 1437);
		expect_step(&two, 1, 4, r4, 1300);
		path_free(two.path);
		world = narrow(1413, 1500, "too_big: zero", "");
		struct outcome zero = expect("1413 behind r2, which names 0", world, families[i], 1413, 1);
		assert_int_equal(zero.path->mtu.steps[0].ttl, 2);
		path_free(zero.path);
	}
}

static void test_black_hole(void **state)
{
	(void)state;
	static const unsigned sizes[] = {1400, 1437, 1300, 1492};
	for (unsigned i = 0; i < 2; i++)
		for (unsigned j = 0; j < ARRAY_LEN(sizes); j++) {
			struct outcome hole = expect("silent r2", narrow(sizes[j], 0, "too_big: silent", ""),
				families[i], sizes[j], 1);
			expect_step(&hole, 0, 2, ADDR_NONE, sizes[j]);
			assert_true(hole.seconds < 6);
			path_free(hole.path);
		}
}

/* Ordinary loss is no black hole. */
static void test_loss(void **state)
{
	(void)state;
	unsigned wrong = 0;
	for (unsigned run = 0; run < 40; run++) {
		char rest[200];
		snprintf(rest, sizeof(rest), "faults:\n  - {link: [r1, r2], loss: 0.%02u}\n", 5 + run / 4);
		struct outcome outcome = discover(narrow(1500, 1500, "", rest), families[run % 2]);
		wrong += outcome.path->mtu.bytes != 1500;
		path_free(outcome.path);
	}
	print_message("# %u of 40 misled by loss\n", wrong);
	assert_int_equal(wrong, 0);
}

/* Limits on replies slow it down, and do not mislead it. */
static void test_limits(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct outcome hole = expect("silent r2, all limit", narrow(1400, 0, "too_big: silent, limits: linux",
			""), families[i], 1400, 1);
		expect_step(&hole, 0, 2, ADDR_NONE, 1400);
		path_free(hole.path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_said),
		cmocka_unit_test(test_black_hole),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
