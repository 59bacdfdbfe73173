/* The way back by source routing against the truth: habits of far hosts and routers in a small world, and
 * generated worlds whose hosts all send segments on. */
#include "generated.h"

#include "reverse/source_route.h"

#define PATIENCE_NS (300 * NS_PER_S)

struct result {
	struct path *path;
	enum attempt_status status;
	char detail[300];
	uint64_t sent; /* packets of the whole world that left hosts' programs: all are ours */
	int64_t duration_ns;
};

/* `distance`: what the way there has told, 0 = nothing. */
static struct result measure(const struct world *world, uint32_t client, struct addr to,
	const struct reverse_method *method, unsigned distance, uint64_t seed)
{
	struct sim *sim = sim_new(world, seed);
	struct reverse_task task = {.target = to,
		.source = world_node_address(world, client, to.family),
		.seed = seed * 7919 + 1};
	void *run = method->start(&task);
	struct hop end = {.ttl = (int)distance};
	struct path forward = {.reached = true, .hops = &end, .hop_count = 1};
	struct machine machine = method->machine(run);
	struct result result = {0};
	method->known(run, distance ? &forward : NULL);
	assert_int_equal(sim_attach(sim, client, &machine, 0), 0);
	assert_true(sim_run(sim, sim_now(sim) + PATIENCE_NS));
	result.path = method->path(run, 0);
	result.status = method->status(run, result.detail, sizeof(result.detail));
	result.duration_ns = method->duration_ns(run);
	result.sent = sim_counts(sim).sent;
	method->free(run);
	sim_free(sim);
	return result;
}

/* ---- there by f, back by g2 and g1; the far host is at distance 4 */

static struct world *two_ways(const char *far, const char *gateway, const char *g1, const char *f)
{
	return two_ways_world(far, gateway, g1, f, "");
}

/* The nodes of the path with their numbers, "?" for nobody. */
static void assert_hops(const struct world *world, const struct result *result, const char *expected)
{
	char found[400] = "";
	for (size_t i = 0; result->path && i < result->path->hop_count; i++) {
		const struct hop *hop = &result->path->hops[i];
		const struct world_address *owner = world_find_address(world, hop->address);
		size_t used = strlen(found);
		snprintf(found + used, sizeof(found) - used, "%s%d:%s", used ? " " : "", hop->ttl,
			owner ? world->nodes[owner->node].name : "?");
		assert_int_equal(hop->technique, TECHNIQUE_SOURCE_ROUTE);
		assert_int_equal(hop->certainty, CERTAINTY_MEASURED);
	}
	if (strcmp(found, expected) != 0)
		fail_msg("hops '%s', expected '%s' (%s)", found, expected, result->detail);
}

static void assert_status(const struct result *result, enum attempt_status status, const char *words)
{
	if (result->status != status || !strstr(result->detail, words))
		fail_msg("%s: %s", attempt_status_word(result->status), result->detail);
	assert_int_equal(result->path && result->path->reached, status == ATTEMPT_OK);
}

struct case_of {
	struct world *world;
	struct result result;
};

static struct case_of case_of(
	struct world *world, const char *target, const struct reverse_method *method, unsigned distance)
{
	uint8_t family = method->ipv4 ? 4 : 6;
	struct addr to = world_node_address(world, world_find_node(world, target), family);
	return (struct case_of){world, measure(world, world_find_node(world, "a"), to, method, distance, 42)};
}

static void case_end(struct case_of *c)
{
	path_free(c->result.path);
	world_free(c->world);
}

#define WHOLE "1:r2 2:g2 3:g1 4:r1 5:a"

static void test_sent_on(void **state)
{
	(void)state;
	static const char *const habits[] = {"srv6: true", "srv6: strict"};
	for (size_t i = 0; i < ARRAY_LEN(habits); i++)
		for (unsigned distance = 0; distance <= 4; distance += 4) {
			struct case_of c = case_of(
				two_ways(habits[i], "", "", ""), "b", &source_route_method, distance);
			assert_hops(c.world, &c.result, WHOLE);
			assert_status(&c.result, ATTEMPT_OK, "4 routers back");
			case_end(&c);
		}
}

/* It answers by other addresses than the one that was asked, so they do not tell where it is. */
static void test_target_by_another_address(void **state)
{
	(void)state;
	static const char *const habits[] = {"srv6: true", "srv6: strict"};
	for (size_t i = 0; i < ARRAY_LEN(habits); i++)
		for (unsigned distance = 0; distance <= 3; distance += 3) {
			struct case_of c = case_of(
				two_ways("", habits[i], "", ""), "r2", &source_route_method, distance);
			assert_hops(c.world, &c.result, "1:g2 2:g1 3:r1 4:a");
			assert_status(&c.result, ATTEMPT_OK, "3 routers back");
			case_end(&c);
		}
}

/* It says nothing of what runs out, and does not answer echo either: the first router back cannot be told
 * from it. */
static void test_mute_target_of_unknown_distance(void **state)
{
	(void)state;
	const char *mute = "srv6: true, silent: true, ping: none";
	struct case_of c = case_of(two_ways("", mute, "", ""), "r2", &source_route_method, 0);
	assert_status(&c.result, ATTEMPT_PARTIAL, "not known how far");
	assert_hops(c.world, &c.result, "-1:g1 -1:r1 -1:a");
	case_end(&c);
	c = case_of(two_ways("", mute, "", ""), "r2", &source_route_method, 3);
	assert_status(&c.result, ATTEMPT_OK, "3 routers back");
	assert_hops(c.world, &c.result, "1:g2 2:g1 3:r1 4:a");
	case_end(&c);
}

static void test_silent_router(void **state)
{
	(void)state;
	struct case_of c =
		case_of(two_ways("srv6: true", "", "silent: true", ""), "b", &source_route_method, 4);
	assert_hops(c.world, &c.result, "1:r2 2:g2 3:? 4:r1 5:a");
	assert_status(&c.result, ATTEMPT_OK, "4 routers back, 1 of them silent");
	case_end(&c);
}

/* Most hosts: few packets, and a word that tells how far they got. */
static void test_off(void **state)
{
	(void)state;
	struct case_of c = case_of(two_ways("", "", "", ""), "b", &source_route_method, 4);
	assert_null(c.result.path);
	assert_status(&c.result, ATTEMPT_UNSUPPORTED, "does not send them on");
	assert_true(c.result.sent <= 14);
	assert_true(c.result.duration_ns <= 1500 * NS_PER_MS);
	case_end(&c);
	c = case_of(two_ways("", "", "", ""), "b", &source_route_method, 0);
	assert_status(&c.result, ATTEMPT_TIMEOUT, "get to hop 3");
	case_end(&c);
}

static void test_refused(void **state)
{
	(void)state;
	struct case_of c = case_of(two_ways("srv6: refuse", "", "", ""), "b", &source_route_method, 4);
	assert_null(c.result.path);
	assert_status(&c.result, ATTEMPT_REFUSED, "does not know segment routing");
	assert_non_null(strstr(c.result.detail, "the far host"));
	case_end(&c);
	c = case_of(two_ways("srv6: true", "", "", ""), "b", &source_route_rh0_method, 4);
	assert_status(&c.result, ATTEMPT_REFUSED, "RFC 5095");
	case_end(&c);
}

/* BCP 38 where the far host is: its router lets only its own customers' addresses in. */
static void test_sources_are_checked(void **state)
{
	(void)state;
	struct case_of c = case_of(
		two_ways("srv6: true", "source_filter: strict", "", ""), "b", &source_route_method, 4);
	assert_null(c.result.path);
	assert_status(&c.result, ATTEMPT_TIMEOUT, "none came home");
	case_end(&c);
	c = case_of(two_ways("srv6: strict", "source_filter: strict", "", ""), "b", &source_route_method, 4);
	assert_null(c.result.path);
	assert_status(&c.result, ATTEMPT_UNSUPPORTED, "BCP 38");
	case_end(&c);
}

static void test_filtered_on_the_way_home(void **state)
{
	(void)state;
	char rule[200], home[ADDR_TEXT_SIZE];
	struct world *same = two_ways("", "", "", "");
	addr_format(world_node_address(same, world_find_node(same, "a"), 6), home);
	snprintf(rule, sizeof(rule), "firewall: [{do: drop, from: \"%s/128\"}]", home);
	world_free(same);
	struct case_of c = case_of(two_ways("srv6: true", "", rule, ""), "b", &source_route_method, 4);
	assert_status(&c.result, ATTEMPT_PARTIAL, "none came home");
	assert_hops(c.world, &c.result, "1:r2 2:g2 3:g1");
	case_end(&c);
}

static void test_dropped_on_the_way_there(void **state)
{
	(void)state;
	struct case_of c =
		case_of(two_ways("srv6: true", "", "",
				"firewall: [{do: drop, from: \"2001:db8:1::/48\", protocol: icmp}]"),
			"b", &source_route_method, 4);
	assert_status(&c.result, ATTEMPT_TIMEOUT, "dropped after hop 2");
	case_end(&c);
}

/* The simulator's hosts, as nearly all others, take IPv4's loose source route for nothing: they answer. */
static void test_loose_is_ignored(void **state)
{
	(void)state;
	struct case_of c = case_of(two_ways("", "", "", ""), "b", &source_route_lsrr_method, 4);
	assert_null(c.result.path);
	assert_status(&c.result, ATTEMPT_UNSUPPORTED, "answers packets with a loose source route itself");
	case_end(&c);
	c = case_of(two_ways("", "record_route: drop", "", ""), "b", &source_route_lsrr_method, 4);
	assert_status(&c.result, ATTEMPT_TIMEOUT, "dropped after hop 2");
	case_end(&c);
}

/* ---- generated worlds */

struct tally {
	unsigned asked, part, whole, hops, hops_true;
	uint64_t packets;
};

/* Every host sends segments on; `checked`: sources are, where the world's networks do so. */
static void explore(struct tally *tally, struct world *world, bool checked, unsigned pairs, uint64_t seed)
{
	static struct nodes there, back;
	struct rng rng = rng_seed(seed);
	for (uint32_t node = 0; node < world->node_count && !checked; node++)
		world->nodes[node].behaviour.source_filter = SOURCE_ANY;
	for (uint32_t host = 0; host < world->host_count; host++)
		world->nodes[host].behaviour.srv6 = host % 2 ? SRV6_ON : SRV6_STRICT;
	for (unsigned i = 0; i < pairs; i++) {
		uint32_t client = (uint32_t)rng_below(&rng, world->host_count);
		uint32_t target = (uint32_t)rng_below(&rng, world->host_count);
		struct addr from = world_node_address(world, client, 6),
			    to = world_node_address(world, target, 6);
		if (!addr_is_set(from) || !addr_is_set(to) || client == target)
			continue;
		nodes_between(&there, world, client, to);
		nodes_between(&back, world, target, from);
		if (!there.reached || there.end != target || !back.reached || back.end != client)
			continue;
		struct result result = measure(world, client, to, &source_route_method, 0, seed + i);
		tally->asked++;
		tally->packets += result.sent;
		tally->part += result.path != NULL;
		tally->whole += result.path && result.path->reached;
		for (size_t j = 0; result.path && j < result.path->hop_count; j++) {
			struct addr address = result.path->hops[j].address;
			if (!addr_is_set(address) || addr_equal(address, from))
				continue;
			tally->hops++;
			tally->hops_true += on_way(world, &back, address);
		}
		path_free(result.path);
	}
}

static struct tally generated(bool checked)
{
	struct tally t = {0};
	for (uint64_t seed = 1; seed <= 2; seed++) {
		struct world *world = generated_world(200, seed, "today");
		explore(&t, world, checked, 60, seed);
		world_free(world);
	}
	fprintf(stderr, "asked %u, in part %u, whole %u, hops %u, true %u, packets %.1f\n", t.asked, t.part,
		t.whole, t.hops, t.hops_true, t.asked ? (double)t.packets / t.asked : 0);
	assert_true(t.asked >= 30);
	assert_int_equal(t.hops, t.hops_true);
	return t;
}

static void test_generated(void **state)
{
	(void)state;
	struct tally checked = generated(true), unchecked = generated(false);
	assert_true(checked.hops >= 100);
	assert_true(checked.whole < checked.asked);
	assert_int_equal(unchecked.whole, unchecked.asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sent_on),
		cmocka_unit_test(test_target_by_another_address),
		cmocka_unit_test(test_mute_target_of_unknown_distance),
		cmocka_unit_test(test_silent_router),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_sources_are_checked),
		cmocka_unit_test(test_filtered_on_the_way_home),
		cmocka_unit_test(test_dropped_on_the_way_there),
		cmocka_unit_test(test_loose_is_ignored),
		cmocka_unit_test(test_generated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
