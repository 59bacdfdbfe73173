/* How many errors nodes send, with which TTLs and codes. What Linux does was measured on Linux. */
#include "scene.h"

static unsigned answered(const struct scene *s, unsigned first, unsigned count)
{
	unsigned answers = 0;
	for (unsigned i = first; i < first + count; i++)
		answers += (unsigned)s->prober->probes[i].answers;
	return answers;
}

static void burst(struct scene *s, int64_t at_ns, uint8_t family, uint8_t ttl, uint8_t count)
{
	for (uint8_t i = 0; i < count; i++)
		(void)prober_add_udp(s->prober, at_ns, s->from[family], s->to[family], ttl, 1000,
			(uint8_t)s->prober->count);
}

/* Six at once for one destination; then one a second, in IPv6 ten. */
static void test_linux_limit(void **state)
{
	struct scene s = scene_of(chain("limits: linux", ""));
	(void)state;
	burst(&s, 0, 4, 2, 10);
	burst(&s, 2 * NS_PER_S, 4, 2, 10);
	burst(&s, 100 * NS_PER_S, 6, 2, 10);
	burst(&s, 100 * NS_PER_S + 450 * NS_PER_MS, 6, 2, 10);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(answered(&s, 0, 10), 6);
	assert_int_equal(answered(&s, 10, 10), 2);
	assert_int_equal(answered(&s, 20, 10), 6);
	assert_int_equal(answered(&s, 30, 10), 4);
	scene_end(&s);
}

/* A host is Linux unless told otherwise: of ten probes to closed ports six are answered, of ten pings all. */
static void test_host_limit(void **state)
{
	struct scene s = scene_of(chain("silent: false", ""));
	(void)state;
	burst(&s, 0, 4, 9, 10);
	for (uint16_t i = 0; i < 10; i++) {
		struct packet_spec spec = echo_spec(s.from[4], s.to[4], 0, (uint16_t)(100 + i));
		(void)prober_add(s.prober, 0, &spec);
	}
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(answered(&s, 0, 10), 6);
	assert_int_equal(answered(&s, 10, 10), 10);
	scene_end(&s);
}

/* Unreachables of the IPv4 routing table pass two limiters: of three probes two are answered. */
static void test_linux_refusals(void **state)
{
	struct scene s = scene_of(chain("limits: linux", "routes: [{at: r2, to: b, refuse: host}]\n"));
	(void)state;
	burst(&s, 0, 4, 9, 3);
	burst(&s, 0, 6, 9, 3);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(answered(&s, 0, 3), 2);
	assert_int_equal(answered(&s, 3, 3), 3);
	scene_end(&s);
}

/* 200 sources, one probe each: nobody's own limit is reached, that for all is: 50 tokens, of which each
 * answer takes none, one or two. 51 answers are likely; six standard deviations are 35. */
static void test_linux_global(void **state)
{
	struct scene s = scene_of(chain("limits: linux", ""));
	(void)state;
	for (uint8_t i = 0; i < 200; i++)
		(void)prober_add_udp(s.prober, 0, addr_v4(0xc6336400u + i), s.to[4], 2, 1000, i);
	prober_run(s.sim, s.a, s.prober);
	assert_in_range(sim_counts(s.sim).errors, 35, 86);
	assert_int_equal(sim_counts(s.sim).errors + sim_counts(s.sim).rate_limited, 200);
	scene_end(&s);
}

/* One bucket for all, exact, as routers have; both families drink from it. */
static void test_router_global(void **state)
{
	struct scene s = scene_of(chain("error_limit_all: {burst: 10, per_second: 5}", ""));
	(void)state;
	burst(&s, 0, 4, 2, 8);
	burst(&s, 0, 6, 2, 8);
	burst(&s, NS_PER_S, 4, 2, 8);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(answered(&s, 0, 16), 10);
	assert_int_equal(answered(&s, 16, 8), 5);
	scene_end(&s);
}

/* What each node puts in, less the routers on the way. */
static void test_initial_ttls(void **state)
{
	struct scene s = scene_of(chain("initial_ttl: {error: 64, echo: 128}", ""));
	struct addr r2 = interface_address(s.world, "r2", "r1", 4);
	struct packet_spec to_r2 = echo_spec(s.from[4], r2, 0, 100),
			   to_b = echo_spec(s.from[4], s.to[4], 0, 101);
	(void)state;
	burst(&s, 0, 4, 2, 1);
	burst(&s, 0, 4, 3, 1);
	(void)prober_add(s.prober, 0, &to_r2);
	(void)prober_add(s.prober, 0, &to_b);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(answer_to(&s, 0)->ip.ttl, 63);
	assert_int_equal(answer_to(&s, 1)->ip.ttl, 253); /* r3: what most routers do */
	assert_int_equal(answer_to(&s, 2)->ip.ttl, 127);
	assert_int_equal(answer_to(&s, 3)->ip.ttl, 61); /* a host */
	scene_end(&s);
}

/* A router that sends on what has TTL 1: it never shows, the next one does so twice, first about a packet of
 * TTL 0. */
static void test_zero_ttl(void **state)
{
	struct scene s = scene_of(chain("zero_ttl: true", ""));
	(void)state;
	for (uint8_t ttl = 1; ttl <= 4; ttl++)
		(void)prober_add_udp(s.prober, 0, s.from[4], s.to[4], ttl, 1000, ttl);
	prober_run(s.sim, s.a, s.prober);
	struct addr r3 = interface_address(s.world, "r3", "r2", 4);
	assert_addr(answer_to(&s, 0)->ip.source, interface_address(s.world, "r1", "a", 4));
	assert_addr(answer_to(&s, 1)->ip.source, r3);
	assert_int_equal(answer_to(&s, 1)->quoted_ip.ttl, 0);
	assert_addr(answer_to(&s, 2)->ip.source, r3);
	assert_int_equal(answer_to(&s, 2)->quoted_ip.ttl, 1);
	assert_addr(answer_to(&s, 3)->ip.source, s.to[4]);
	scene_end(&s);
}

/* Slow to answer, by up to 30 ms more or less; not slow to forward. */
static void test_jitter(void **state)
{
	struct scene s = scene_of(chain("reply_delay_ms: 10, reply_jitter_ms: 30", ""));
	int64_t least = INT64_MAX, most = 0;
	(void)state;
	for (uint8_t i = 0; i < 100; i++)
		(void)prober_add_udp(s.prober, i * NS_PER_S, s.from[4], s.to[4], i < 50 ? 2 : 3, 1000, i);
	prober_run(s.sim, s.a, s.prober);
	for (unsigned i = 0; i < 100; i++) {
		int64_t rtt = s.prober->probes[i].answered_ns - s.prober->probes[i].sent_ns;
		assert_int_equal(s.prober->probes[i].answers, 1);
		if (i >= 50)
			assert_int_equal(rtt, 6 * NS_PER_MS);
		else
			least = MIN(least, rtt), most = MAX(most, rtt);
	}
	assert_in_range(least, 14 * NS_PER_MS, 20 * NS_PER_MS);
	assert_in_range(most, 38 * NS_PER_MS, 44 * NS_PER_MS);
	scene_end(&s);
}

/* RFC 792, RFC 1812 5.2.7.1; RFC 4443 3.1. */
static void test_refusal_codes(void **state)
{
	static const struct {
		const char *word;
		int code4, code6;
	} words[] = {{"net", 0, 0}, {"host", 1, 3}, {"protocol", 2, -1}, {"port", 3, 4},
		{"source-route", 5, -1}, {"net-unknown", 6, -1}, {"host-unknown", 7, -1}, {"isolated", 8, -1},
		{"net-admin", 9, -1}, {"host-admin", 10, -1}, {"net-tos", 11, -1}, {"host-tos", 12, -1},
		{"admin", 13, 1}, {"precedence", 14, -1}, {"cutoff", 15, -1}, {"scope", -1, 2},
		{"policy", -1, 5}, {"reject", -1, 6}};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		char routes[100];
		snprintf(routes, sizeof(routes), "routes: [{at: r2, to: b, refuse: %s}]\n", words[i].word);
		struct scene s = scene_of(chain("silent: false", routes));
		burst(&s, 0, 4, 9, 1);
		burst(&s, 0, 6, 9, 1);
		prober_run(s.sim, s.a, s.prober);
		assert_int_equal(answer_to(&s, 0)->transport.icmp_type, 3);
		assert_int_equal(answer_to(&s, 1)->transport.icmp_type, 1);
		if (words[i].code4 >= 0)
			assert_int_equal(answer_to(&s, 0)->transport.icmp_code, words[i].code4);
		if (words[i].code6 >= 0)
			assert_int_equal(answer_to(&s, 1)->transport.icmp_code, words[i].code6);
		scene_end(&s);
	}
}

/* Dropped where they enter, and counted. */
static void test_malformed(void **state)
{
	struct scene s = scene_of(chain("silent: false", ""));
	struct packet_spec spec = echo_spec(s.from[4], s.to[4], 0, 1);
	const struct probe *probe = prober_add(s.prober, 0, &spec);
	uint8_t bytes[300];
	(void)state;
	memcpy(bytes, probe->bytes, probe->length);
	assert_int_equal(sim_send(s.sim, s.a, bytes, probe->length), 0);
	assert_true(sim_send(s.sim, s.a, bytes, probe->length - 1) < 0); /* shorter than it says */
	assert_true(sim_send(s.sim, s.a, bytes, 19) < 0);
	bytes[8]++; /* the TTL, without the checksum */
	assert_true(sim_send(s.sim, s.a, bytes, probe->length) < 0);
	bytes[0] = 0x54; /* IP version 5 */
	assert_true(sim_send(s.sim, s.a, bytes, probe->length) < 0);
	assert_int_equal(sim_counts(s.sim).malformed, 4);
	assert_int_equal(sim_counts(s.sim).sent, 1);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linux_limit),
		cmocka_unit_test(test_host_limit),
		cmocka_unit_test(test_linux_refusals),
		cmocka_unit_test(test_linux_global),
		cmocka_unit_test(test_router_global),
		cmocka_unit_test(test_initial_ttls),
		cmocka_unit_test(test_zero_ttl),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_refusal_codes),
		cmocka_unit_test(test_malformed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
