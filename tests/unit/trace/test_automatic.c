/* Several protocols on one path: what costs nothing while the first gets through, and what follows where it
 * does not. */
#include "chain.h"

#include "trace/automatic.h"

static struct automatic automatic;

static const struct automatic_other others[] = {
	{PROBE_ICMP, {.icmp_id = 9, .icmp_checksum = 0x4242}},
	{PROBE_TCP, {.source_port = 50000, .destination_port = 443}},
	{PROBE_TCP, {.source_port = 50000, .destination_port = 80}},
};

static int64_t run(struct chain *chain)
{
	struct trace_config config = trace_defaults();
	config.protocol = PROBE_UDP;
	config.source = chain->family == 4 ? source4 : source6;
	config.destination = chain->family == 4 ? target4 : target6;
	config.flow = (struct flow){.source_port = 50000, .destination_port = 33434};
	config.key = (struct hash_key){3, 4};
	automatic_deinit(&automatic);
	automatic_init(&automatic, &config, others, ARRAY_LEN(others));
	return chain_run(chain, automatic_machine(&automatic));
}

static struct path *path_of(void)
{
	struct path *path = automatic_path(&automatic, 0, 0);
	assert_non_null(path);
	return path;
}

static void assert_whole(const struct chain *chain, const struct path *path)
{
	assert_true(path->reached);
	assert_int_equal(path->stop_reason, STOP_REACHED);
	assert_int_equal(path->hop_count, chain->hops);
	for (unsigned ttl = 1; ttl <= chain->hops; ttl++) {
		assert_int_equal(path->hops[ttl - 1].ttl, ttl);
		assert_int_equal(path->hops[ttl - 1].received, 3);
		struct addr truth = ttl == chain->hops ? path->destination : router_addr(chain, ttl);
		assert_true(addr_equal(path->hops[ttl - 1].address, truth));
	}
}

static const uint8_t families[] = {4, 6};

static void test_first_gets_through(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct chain chain = {.family = families[i], .hops = 10, .rtt_ns = 20 * NS_PER_MS};
		int64_t took_ns = run(&chain);
		struct path *path = path_of();
		assert_whole(&chain, path);
		assert_int_equal(path->try_count, 0);
		assert_int_equal(path->hops[9].protocol, -1);
		assert_in_range(chain.packets, 30, 33);
		assert_true(took_ns <= 50 * NS_PER_MS);
		path_free(path);
	}
}

static void test_icmp_follows(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct chain chain = {.family = families[i],
			.hops = 10,
			.rtt_ns = 20 * NS_PER_MS,
			.deaf = 1 << PROTOCOL_UDP};
		int64_t took_ns = run(&chain);
		struct path *path = path_of();
		assert_whole(&chain, path);
		assert_int_equal(path->hops[8].protocol, -1);
		assert_int_equal(path->hops[9].protocol, PROBE_ICMP);
		assert_int_equal(path->try_count, 4);
		assert_int_equal(path->tries[0].protocol, PROBE_UDP);
		assert_false(path->tries[0].reached);
		assert_true(path->tries[1].reached);
		assert_int_equal(path->tries[1].first_ttl, 10);
		assert_int_equal(path->tries[1].last_ttl, 10);
		assert_int_equal(path->tries[2].first_ttl, 0);
		assert_int_equal(path->probes_sent, chain.packets);
		assert_true(chain.packets <= 60);
		assert_true(took_ns < 500 * NS_PER_MS);
		path_free(path);
	}
}

static void test_port_80_follows(void **state)
{
	(void)state;
	struct chain chain = {.family = 4,
		.hops = 10,
		.rtt_ns = 20 * NS_PER_MS,
		.deaf = 1 << PROTOCOL_UDP | 1 << PROTOCOL_ICMP | 1 << PROTOCOL_TCP,
		.deaf_port = 443};
	int64_t took_ns = run(&chain);
	struct path *path = path_of();
	assert_whole(&chain, path);
	assert_int_equal(path->hops[9].protocol, PROBE_TCP);
	assert_false(path->tries[1].reached || path->tries[2].reached);
	assert_int_equal(path->tries[3].destination_port, 80);
	assert_int_equal(path->tries[3].first_ttl, 10);
	assert_true(took_ns <= 2 * NS_PER_S && chain.packets <= 60);
	path_free(path);
}

static void test_black_hole(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 10, .rtt_ns = 20 * NS_PER_MS, .black_hole = 8};
	int64_t took_ns = run(&chain);
	struct path *path = path_of();
	assert_false(path->reached);
	assert_int_equal(path->stop_reason, STOP_GAP_LIMIT);
	assert_int_equal(path->try_count, 4);
	for (size_t i = 0; i < path->hop_count; i++)
		assert_int_equal(path->hops[i].protocol, -1);
	assert_true(took_ns <= 2 * NS_PER_S && chain.packets <= 60);
	path_free(path);
}

static void test_nothing_answers_at_all(void **state)
{
	(void)state;
	struct chain chain = {
		.family = 4, .hops = 200, .rtt_ns = 20 * NS_PER_MS, .black_hole = 1, .silent = 1};
	int64_t took_ns = run(&chain);
	struct path *path = path_of();
	assert_false(path->reached);
	assert_true(took_ns <= 3 * NS_PER_S);
	path_free(path);
}

/* A refusal is an answer: others would get the same one. */
static void test_refusal_is_final(void **state)
{
	(void)state;
	struct chain chain = {
		.family = 4, .hops = 10, .rtt_ns = 20 * NS_PER_MS, .refuses = 9, .answers_each = 3};
	int64_t took_ns = run(&chain);
	struct path *path = path_of();
	assert_int_equal(path->stop_reason, STOP_UNREACHABLE);
	assert_int_equal(path->try_count, 0);
	assert_true(took_ns <= 80 * NS_PER_MS);
	path_free(path);
}

/* One silent router in the middle is no reason to try others. */
static void test_silent_router(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 10, .rtt_ns = 20 * NS_PER_MS, .silent = 5};
	int64_t took_ns = run(&chain);
	struct path *path = path_of();
	assert_true(path->reached);
	assert_int_equal(path->try_count, 0);
	assert_true(took_ns <= 250 * NS_PER_MS);
	path_free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_gets_through),
		cmocka_unit_test(test_icmp_follows),
		cmocka_unit_test(test_port_80_follows),
		cmocka_unit_test(test_black_hole),
		cmocka_unit_test(test_nothing_answers_at_all),
		cmocka_unit_test(test_refusal_is_final),
		cmocka_unit_test(test_silent_router),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
