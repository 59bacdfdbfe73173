#include "build.h"

#include "insight/rules.h"

#define SOURCE	  "192.0.2.10"
#define TARGET	  "198.51.100.80"
#define HOPS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void begin(struct measurement *m, const char *const *there)
{
	measurement_init(m);
	m->forward = build_path(DIRECTION_FORWARD, SOURCE, TARGET, there);
}

static void add_back(struct measurement *m, const char *const *back)
{
	m->reverse = build_path(DIRECTION_REVERSE, TARGET, SOURCE, back);
}

static void run(struct measurement *m)
{
	build_finish(m->forward);
	build_finish(m->reverse);
	assert_int_equal(insight_run(m), 0);
}

/* Replace the probes of a hop: one letter each, 'a' answered. */
static void set_pattern(struct path *path, size_t index, const char *pattern)
{
	struct hop *hop = &path->hops[index];
	char address[ADDR_TEXT_SIZE];
	addr_format(hop->probes[0].address, address);
	hop->probe_count = 0;
	for (const char *p = pattern; *p; p++)
		build_probe(hop, *p == 'a' ? address : NULL, hop->ttl);
}

static void set_rtt(struct path *path, size_t index, double rtt_ms)
{
	for (size_t i = 0; i < path->hops[index].probe_count; i++)
		path->hops[index].probes[i].rtt_ns = (int64_t)(rtt_ms * 1e6);
}

static void set_icmp(struct path *path, size_t index, size_t probe, int type, int code)
{
	path->hops[index].probes[probe].icmp_type = type;
	path->hops[index].probes[probe].icmp_code = code;
}

static void test_interval(void **state)
{
	(void)state;
	/* Wilson (1927): 1 of 10 is 1.79 % to 40.42 %. */
	struct interval i = share_interval(1, 10);
	assert_true(i.low > 0.0178 && i.low < 0.0180 && i.high > 0.4041 && i.high < 0.4043);
	i = share_interval(0, 3);
	assert_true(i.low == 0 && i.high > 0.5);
	i = share_interval(0, 0);
	assert_true(i.low == 0 && i.high == 1);
}

static void test_clean_path_has_no_findings(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET));
	set_icmp(m.forward, 3, 0, 3, 3); /* the target's own "port unreachable" is an arrival */
	run(&m);
	assert_int_equal(m.finding_count, 0);
	measurement_deinit(&m);
}

static void test_silent_hop(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "*", "10.3.0.1", "*", "10.5.0.1", TARGET));
	run(&m);
	const struct finding *finding = the_finding(&m, "silent-hop");
	assert_int_equal(finding->severity, SEVERITY_INFO);
	assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
	assert_int_equal(finding->hop_count, 2);
	assert_int_equal(finding->hops[0], 2);
	assert_int_equal(finding->hops[1], 4);
	assert_int_equal(m.finding_count, 1);
	measurement_deinit(&m);
}

/* Where answers get lost anyway, three missing ones may be chance. */
static void test_silence_among_losses(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "*", "10.3.0.1", TARGET));
	set_pattern(m.forward, 2, ".a.");
	run(&m);
	assert_int_equal(the_finding(&m, "silent-hop")->confidence, CONFIDENCE_POSSIBLE);
	measurement_deinit(&m);
}

/* Directly before the end, it may be the end, nearer than it seems, that did not answer. */
static void test_silence_before_the_end(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "*", TARGET));
	run(&m);
	assert_int_equal(the_finding(&m, "silent-hop")->confidence, CONFIDENCE_LIKELY);
	measurement_deinit(&m);
}

static void test_black_hole(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "*", "10.3.0.1", "*", "*"));
	run(&m);
	const struct finding *finding = the_finding(&m, "black-hole");
	assert_int_equal(finding->severity, SEVERITY_PROBLEM);
	assert_int_equal(finding->hops[0], 4);
	assert_int_equal(finding->hop_count, 2);
	assert_non_null(strstr(finding->summary, "hop 3"));
	/* The silent hop before is not part of it. */
	assert_int_equal(the_finding(&m, "silent-hop")->hops[0], 2);
	assert_ptr_equal(finding, &m.findings[0]); /* the worst first */
	measurement_deinit(&m);
}

static void test_interruption_is_no_black_hole(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "*", "*"));
	build_finish(m.forward);
	m.forward->stop_reason = STOP_INTERRUPTED;
	assert_int_equal(insight_run(&m), 0);
	assert_int_equal(m.finding_count, 0);
	measurement_deinit(&m);
}

static void test_nothing_answers_at_all(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("*", "*", "*"));
	run(&m);
	assert_int_equal(the_finding(&m, "black-hole")->hop_count, 3);
	assert_int_equal(m.finding_count, 1);
	measurement_deinit(&m);
}

/* The far host answers the responder's client: it is not lost, it only does not answer these probes. */
static void test_filtered_when_the_target_lives(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "*", "*"));
	add_back(&m, HOPS("10.2.0.1", "10.1.0.1", SOURCE));
	run(&m);
	assert_int_equal(count_findings(&m, "black-hole"), 0);
	assert_int_equal(the_finding(&m, "filtered")->confidence, CONFIDENCE_LIKELY);
	measurement_deinit(&m);
}

static void test_refused(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "*", "*"));
	set_icmp(m.forward, 1, 1, 3, 1); /* one mark of three is enough */
	run(&m);
	const struct finding *finding = the_finding(&m, "refused");
	assert_int_equal(finding->severity, SEVERITY_PROBLEM);
	assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
	assert_int_equal(finding->hops[0], 2);
	assert_non_null(strstr(finding->summary, "host unreachable"));
	assert_int_equal(count_findings(&m, "black-hole"), 0);
	measurement_deinit(&m);
}

static void test_filtered_by_words(void **state)
{
	(void)state;
	static const struct {
		int code;
		const char *id;
	} cases[] = {{0, "refused"}, {1, "refused"}, {9, "filtered"}, {10, "filtered"}, {13, "filtered"},
		{3, "filtered"}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct measurement m;
		begin(&m, HOPS("10.1.0.1", "10.2.0.1"));
		set_icmp(m.forward, 1, 0, 3, cases[i].code);
		run(&m);
		the_finding(&m, cases[i].id);
		measurement_deinit(&m);
	}
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1"));
	set_icmp(m.forward, 1, 0, 3, 4); /* too big: not a refusal */
	run(&m);
	assert_int_equal(m.finding_count, 0);
	measurement_deinit(&m);
}

static void test_refused_ipv6(void **state)
{
	(void)state;
	struct measurement m;
	measurement_init(&m);
	m.forward = build_path(
		DIRECTION_FORWARD, "2001:db8::2", "2001:db8:9::2", HOPS("2001:db8::1", "2001:db8:1::1"));
	set_icmp(m.forward, 1, 0, 1, 3);
	run(&m);
	the_finding(&m, "refused");
	measurement_deinit(&m);
}

static void test_loop(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", "10.2.0.1", "10.3.0.1", "10.2.0.1", "10.3.0.1"));
	run(&m);
	const struct finding *finding = the_finding(&m, "loop");
	assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
	assert_int_equal(finding->hops[0], 2);
	assert_int_equal(count_findings(&m, "black-hole"), 0);
	measurement_deinit(&m);
}

static void test_loop_with_a_silent_member(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "*", "10.2.0.1", "*", "10.2.0.1", "*", "10.2.0.1"));
	run(&m);
	the_finding(&m, "loop");
	measurement_deinit(&m);
}

/* One return may be chance; but where nothing answers behind it, the circle's limits on replies may hide the rest. */
static void test_one_return_may_be_a_loop(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", "10.2.0.1", "*"));
	run(&m);
	assert_int_equal(the_finding(&m, "loop")->confidence, CONFIDENCE_POSSIBLE);
	assert_int_equal(count_findings(&m, "black-hole"), 0);
	measurement_deinit(&m);
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", "10.2.0.1", TARGET));
	run(&m);
	assert_int_equal(count_findings(&m, "loop"), 0);
	measurement_deinit(&m);
}

static void test_what_is_no_loop(void **state)
{
	(void)state;
	const char *const *const cases[] = {
		HOPS("10.1.0.1", "10.2.0.1", "10.2.0.1", "10.2.0.1",
			"*"), /* one hop repeated: zero-TTL or tunnel exit */
		HOPS("10.2.0.1", "10.3.0.1", "10.2.0.1", "10.3.0.1", TARGET), /* it arrived */
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct measurement m;
		begin(&m, cases[i]);
		run(&m);
		assert_int_equal(count_findings(&m, "loop"), 0);
		measurement_deinit(&m);
	}
	struct measurement m; /* balancing reshuffles */
	begin(&m, HOPS("10.2.0.1", "10.3.0.1", "10.2.0.1", "10.3.0.1", "*"));
	for (size_t i = 0; i < 4; i++)
		m.forward->hops[i].probes[2].address = build_address(i % 2 ? "10.2.0.1" : "10.3.0.1");
	run(&m);
	assert_int_equal(count_findings(&m, "loop"), 0);
	measurement_deinit(&m);
}

static void test_rate_limit(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET));
	set_pattern(m.forward, 1, "a..");
	run(&m);
	const struct finding *finding = the_finding(&m, "reply-rate-limited");
	assert_int_equal(finding->hops[0], 2);
	assert_int_equal(finding->confidence, CONFIDENCE_LIKELY);
	assert_int_equal(finding->severity, SEVERITY_INFO);
	assert_int_equal(m.finding_count, 1); /* and no loss */
	measurement_deinit(&m);
}

static void test_rate_limit_is_only_possible_for_one_gap(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET));
	set_pattern(m.forward, 1, "aa.");
	run(&m);
	assert_int_equal(the_finding(&m, "reply-rate-limited")->confidence, CONFIDENCE_POSSIBLE);
	measurement_deinit(&m);
}

/* The question that a trace asks once more after a second decides. */
static void ask_after_rest(struct measurement *m, size_t index, bool answered)
{
	struct hop *hop = &m->forward->hops[index];
	char address[ADDR_TEXT_SIZE];
	addr_format(hop->probes[0].address, address);
	build_probe(hop, answered ? address : NULL, hop->ttl);
	hop->probes[hop->probe_count - 1].sent_ns = 1500000000;
}

static void test_rate_limit_is_likely_when_a_rest_brings_answers_back(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET));
	set_pattern(m.forward, 1, "a--");
	ask_after_rest(&m, 1, true);
	run(&m);
	const struct finding *finding = the_finding(&m, "reply-rate-limited");
	assert_int_equal(finding->confidence, CONFIDENCE_LIKELY);
	assert_non_null(strstr(finding->disproof, "after one it answered"));
	assert_non_null(strstr(finding->evidence[0], "1 answered, then none, and again after a rest"));
	measurement_deinit(&m);
}

/* One answer that got lost by chance comes when it is asked for again, too. */
static void test_one_missing_answer_that_comes_later_proves_nothing(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET));
	set_pattern(m.forward, 1, "aa-");
	ask_after_rest(&m, 1, true);
	run(&m);
	const struct finding *finding = the_finding(&m, "reply-rate-limited");
	assert_int_equal(finding->confidence, CONFIDENCE_POSSIBLE);
	assert_non_null(strstr(finding->summary, "or they get lost"));
	assert_null(strstr(finding->disproof, "Tried"));
	measurement_deinit(&m);
}

static void test_rate_limit_is_only_possible_when_a_rest_does_not_help(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET));
	set_pattern(m.forward, 1, "a--");
	ask_after_rest(&m, 1, false);
	run(&m);
	assert_int_equal(the_finding(&m, "reply-rate-limited")->confidence, CONFIDENCE_POSSIBLE);
	measurement_deinit(&m);
}

static void test_rate_limit_needs_its_pattern(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET));
	set_pattern(m.forward, 1, ".aa"); /* a bucket does not start empty and then fill */
	run(&m);
	assert_int_equal(m.finding_count, 0);
	measurement_deinit(&m);
}

static void test_rate_limit_needs_clean_later_hops(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET));
	set_pattern(m.forward, 1, "a.a");
	set_pattern(m.forward, 2, ".aa");
	set_pattern(m.forward, 3, ".aa");
	run(&m);
	assert_int_equal(count_findings(&m, "reply-rate-limited"), 0);
	const struct finding *finding = the_finding(&m, "loss-undirected");
	assert_int_equal(finding->confidence, CONFIDENCE_POSSIBLE);
	assert_int_equal(finding->hops[0], 2);
	measurement_deinit(&m);
}

/* The pattern of a limit alone is not enough: behind it, packets get lost too. */
static void test_answers_that_stop_before_lossy_hops(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET));
	set_pattern(m.forward, 1, "a..");
	set_pattern(m.forward, 2, "a.a");
	set_pattern(m.forward, 3, ".aa");
	run(&m);
	assert_int_equal(count_findings(&m, "reply-rate-limited"), 0);
	assert_int_equal(the_finding(&m, "loss-undirected")->hops[0], 2);
	measurement_deinit(&m);
}

#define TEN_LOST_IN_FORTY "aaa.aaa.aaa.aaa.aaa.aaa.aaa.aaa.aaa.aaa."
#define FORTY		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_loss_that_carries_through(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET));
	set_pattern(m.forward, 0, FORTY);
	set_pattern(m.forward, 1, FORTY);
	set_pattern(m.forward, 2, TEN_LOST_IN_FORTY);
	set_pattern(m.forward, 3, TEN_LOST_IN_FORTY);
	run(&m);
	const struct finding *finding = the_finding(&m, "loss-undirected");
	assert_int_equal(finding->confidence, CONFIDENCE_LIKELY);
	assert_int_equal(finding->severity, SEVERITY_WARNING);
	assert_int_equal(finding->hops[0], 3);
	/* 10 of 40: Wilson 14.2 % to 40.2 %. */
	assert_non_null(strstr(finding->summary, "10 of 40"));
	assert_non_null(strstr(finding->summary, "14.2 to 40.2"));
	assert_int_equal(m.finding_count, 1);
	measurement_deinit(&m);
}

static void test_loss_at_one_hop_is_not_loss(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", TARGET));
	set_pattern(m.forward, 0, FORTY);
	set_pattern(m.forward, 1, TEN_LOST_IN_FORTY);
	set_pattern(m.forward, 2, FORTY);
	run(&m);
	assert_int_equal(count_findings(&m, "loss-undirected"), 0);
	/* Scattered, but with samples enough to set the intervals apart: it skips replies. */
	assert_int_equal(the_finding(&m, "reply-rate-limited")->hops[0], 2);
	measurement_deinit(&m);
}

static void test_loss_starts_behind_a_limited_hop(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET));
	set_pattern(m.forward, 0, "aaaaaa..................................");
	set_pattern(m.forward, 1, FORTY);
	set_pattern(m.forward, 2, TEN_LOST_IN_FORTY);
	set_pattern(m.forward, 3, TEN_LOST_IN_FORTY);
	run(&m);
	assert_int_equal(the_finding(&m, "reply-rate-limited")->hops[0], 1);
	assert_int_equal(the_finding(&m, "loss-undirected")->hops[0], 3);
	measurement_deinit(&m);
}

/* There 1-2-3, back 6-5 between the shared routers 1 and 4. */
static void begin_two_ways(struct measurement *m)
{
	begin(m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", "10.4.0.1", TARGET));
	add_back(m, HOPS("10.4.0.1", "10.5.0.1", "10.6.0.1", "10.1.0.1", SOURCE));
	for (size_t i = 0; i < 5; i++) {
		set_pattern(m->forward, i, FORTY);
		set_pattern(m->reverse, i, FORTY);
	}
}

static void test_loss_there(void **state)
{
	(void)state;
	struct measurement m;
	begin_two_ways(&m);
	for (size_t i = 1; i < 5; i++) /* the link 1-2 there loses */
		set_pattern(m.forward, i, TEN_LOST_IN_FORTY);
	for (size_t i = 3; i < 5; i++) /* router 1 and we answer the far host over it */
		set_pattern(m.reverse, i, TEN_LOST_IN_FORTY);
	run(&m);
	assert_int_equal(count_findings(&m, "loss-undirected"), 0);
	assert_int_equal(count_findings(&m, "loss-forward"), 2);
	assert_int_equal(m.findings[0].confidence, CONFIDENCE_POSSIBLE);
	measurement_deinit(&m);
}

static void test_loss_back(void **state)
{
	(void)state;
	struct measurement m;
	begin_two_ways(&m);
	for (size_t i = 3; i < 5; i++) /* router 4 and the target answer over the lossy link 4-5 */
		set_pattern(m.forward, i, TEN_LOST_IN_FORTY);
	for (size_t i = 1; i < 5; i++)
		set_pattern(m.reverse, i, TEN_LOST_IN_FORTY);
	run(&m);
	assert_int_equal(count_findings(&m, "loss-undirected"), 0);
	assert_int_equal(count_findings(&m, "loss-reverse"), 2);
	measurement_deinit(&m);
}

static void test_loss_on_a_shared_link_is_undirected(void **state)
{
	(void)state;
	struct measurement m;
	begin_two_ways(&m);
	for (size_t i = 0; i < 5; i++)
		set_pattern(m.forward, i, TEN_LOST_IN_FORTY);
	set_pattern(m.reverse, 4, TEN_LOST_IN_FORTY);
	run(&m);
	assert_int_equal(count_findings(&m, "loss-undirected"), 2);
	measurement_deinit(&m);
}

static void test_slow_reply(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET));
	set_rtt(m.forward, 1, 50);
	run(&m);
	const struct finding *finding = the_finding(&m, "slow-reply");
	assert_int_equal(finding->hops[0], 2);
	assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
	assert_int_equal(m.finding_count, 1); /* no step either */
	measurement_deinit(&m);
}

static void test_delay_that_stays_is_a_step(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET));
	set_rtt(m.forward, 1, 80);
	set_rtt(m.forward, 2, 79);
	set_rtt(m.forward, 3, 81);
	run(&m);
	const struct finding *finding = the_finding(&m, "latency-step");
	assert_int_equal(finding->hops[0], 1);
	assert_int_equal(finding->hops[1], 2);
	assert_non_null(strstr(finding->summary, "78.0 ms"));
	assert_int_equal(count_findings(&m, "slow-reply"), 0);
	measurement_deinit(&m);
}

static void test_even_growth_is_no_step(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", "10.4.0.1", TARGET));
	for (size_t i = 0; i < 5; i++)
		set_rtt(m.forward, i, 20.0 * ((double)i + 1));
	run(&m);
	assert_int_equal(m.finding_count, 0);
	measurement_deinit(&m);
}

static void set_label(struct path *path, size_t index, uint32_t label, uint8_t ttl)
{
	struct probe_result *probe = &path->hops[index].probes[0];
	probe->mpls_count = 1;
	probe->mpls[0] = (struct mpls_entry){.label = label, .ttl = ttl, .bottom = true};
}

static void test_mpls(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", "10.4.0.1", TARGET));
	set_label(m.forward, 1, 16001, 1);
	set_label(m.forward, 2, 16002, 1);
	run(&m);
	const struct finding *finding = the_finding(&m, "mpls-tunnel");
	assert_int_equal(finding->hop_count, 2);
	assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
	measurement_deinit(&m);
	/* A lone label that lost five of 255: five routers did not show. */
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET));
	set_label(m.forward, 1, 16001, 250);
	run(&m);
	finding = the_finding(&m, "mpls-tunnel");
	assert_int_equal(finding->confidence, CONFIDENCE_LIKELY);
	assert_non_null(strstr(finding->summary, "About 5 routers"));
	measurement_deinit(&m);
}

static void test_load_balancing(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET));
	m.forward->hops[1].probes[1].address = build_address("10.2.0.5"); /* a b a */
	run(&m);
	assert_int_equal(the_finding(&m, "load-balanced")->confidence, CONFIDENCE_LIKELY);
	measurement_deinit(&m);
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET));
	m.forward->hops[1].probes[2].address =
		build_address("10.2.0.5"); /* a a b: the route may just have moved */
	run(&m);
	assert_int_equal(the_finding(&m, "load-balanced")->confidence, CONFIDENCE_POSSIBLE);
	measurement_deinit(&m);
}

static void test_ways_differ(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1/1", "10.2.0.1/2", "10.3.0.1/2", "10.4.0.1/4", TARGET "/4"));
	add_back(&m, HOPS("10.4.0.1/4", "10.5.0.1/3", "10.6.0.1/3", "10.1.0.1/1", SOURCE "/1"));
	run(&m);
	const struct finding *finding = the_finding(&m, "paths-differ");
	assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
	assert_int_equal(finding->direction, DIRECTION_BOTH);
	assert_non_null(
		strstr(finding->summary, "part after hop 1 (10.1.0.1) and meet again at hop 4 (10.4.0.1)"));
	bool cost = false;
	for (size_t i = 0; i < finding->evidence_count; i++)
		cost |= strstr(finding->evidence[i], "3.0 ms of the round trip together") !=
			NULL; /* 4 ms - 1 ms */
	assert_true(cost);
	assert_int_equal(count_findings(&m, "paths-same"), 0);
	measurement_deinit(&m);
}

/* Other networks, by hops that nobody can count: it is not known where the ways part. */
static void test_ways_differ_somewhere(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1/1", "10.2.0.1/2", "10.3.0.1/2", "10.4.0.1/4", TARGET "/4"));
	add_back(&m, HOPS("10.4.0.1/4", "10.5.0.1/3", "10.6.0.1/3", "10.1.0.1/1", SOURCE "/1"));
	for (size_t i = 0; i < m.reverse->hop_count; i++)
		m.reverse->hops[i].ttl = -1;
	run(&m);
	assert_non_null(strstr(the_finding(&m, "paths-differ")->summary, "through other networks; where they part is not known"));
	measurement_deinit(&m);
}

/* Two of three answered at the end, one probe before: too few clean ones to say where it starts. */
static void test_few_samples_do_not_place_a_loss(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET));
	set_pattern(m.forward, 2, ".a.");
	set_pattern(m.forward, 3, ".aa");
	run(&m);
	assert_non_null(strstr(the_finding(&m, "loss-undirected")->summary, "between this host and"));
	measurement_deinit(&m);
}

/* Reports of the far host may be lost, too: a first hop that misses some places nothing. */
static void test_reported_loss_has_no_place(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", TARGET));
	add_back(&m, HOPS("10.4.0.1", "10.5.0.1", SOURCE));
	for (size_t i = 0; i < 3; i++)
		set_pattern(m.reverse, i, ".a.");
	run(&m);
	assert_non_null(strstr(the_finding(&m, "loss-undirected")->summary, "Where is not known"));
	measurement_deinit(&m);
}

/* The router beside the parting is silent: it may be on both ways. */
static void test_ways_part_near_a_silent_router(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1/1", "*", "10.2.0.1/2", "10.2.0.5/2", "10.4.0.1/4", TARGET "/4"));
	add_back(&m, HOPS("10.4.0.1/4", "10.5.0.1/3", "10.5.0.5/3", "10.5.0.9/3", "*", "10.1.0.1/1", SOURCE "/1"));
	run(&m);
	assert_non_null(strstr(the_finding(&m, "paths-differ")->summary,
		"part near hop 1 (10.1.0.1) and meet again at hop 5 (10.4.0.1)"));
	measurement_deinit(&m);
}

static void test_one_foreign_hop_is_only_possible(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1/1", "10.2.0.1/2", "10.4.0.1/4", TARGET "/4"));
	add_back(&m, HOPS("10.4.0.1/4", "10.5.0.1/1", "10.1.0.1/1", SOURCE "/1"));
	run(&m);
	assert_int_equal(the_finding(&m, "paths-differ")->confidence, CONFIDENCE_POSSIBLE);
	measurement_deinit(&m);
}

static void test_ways_same(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "10.2.0.1", TARGET));
	add_back(&m, HOPS("10.2.0.1", "10.1.0.1", SOURCE));
	run(&m);
	assert_int_equal(the_finding(&m, "paths-same")->confidence, CONFIDENCE_CERTAIN);
	measurement_deinit(&m);
}

static void test_ways_undecided(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "*", TARGET));
	add_back(&m, HOPS("10.2.0.1", "10.1.0.1", SOURCE));
	run(&m);
	assert_int_equal(count_findings(&m, "paths-same"), 0);
	assert_int_equal(count_findings(&m, "paths-differ"), 0);
	measurement_deinit(&m);
}

/* The same measurement, again and again, says the same; findings of before are kept. */
static void test_deterministic(void **state)
{
	(void)state;
	struct measurement m;
	begin(&m, HOPS("10.1.0.1", "*", "10.3.0.1", "*", "*"));
	run(&m);
	size_t count = m.finding_count;
	assert_int_equal(insight_run(&m), 0);
	assert_int_equal(m.finding_count, 2 * count);
	assert_string_equal(m.findings[0].summary, m.findings[1].summary);
	measurement_deinit(&m);
}

static void test_empty_measurement(void **state)
{
	(void)state;
	struct measurement m;
	measurement_init(&m);
	assert_int_equal(insight_run(&m), 0);
	m.forward = path_new(DIRECTION_FORWARD, "ttl");
	m.reverse = path_new(DIRECTION_REVERSE, "responder");
	assert_int_equal(insight_run(&m), 0);
	assert_int_equal(m.finding_count, 0);
	measurement_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interval),
		cmocka_unit_test(test_clean_path_has_no_findings),
		cmocka_unit_test(test_silent_hop),
		cmocka_unit_test(test_silence_among_losses),
		cmocka_unit_test(test_silence_before_the_end),
		cmocka_unit_test(test_black_hole),
		cmocka_unit_test(test_interruption_is_no_black_hole),
		cmocka_unit_test(test_nothing_answers_at_all),
		cmocka_unit_test(test_filtered_when_the_target_lives),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_filtered_by_words),
		cmocka_unit_test(test_refused_ipv6),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_loop_with_a_silent_member),
		cmocka_unit_test(test_one_return_may_be_a_loop),
		cmocka_unit_test(test_what_is_no_loop),
		cmocka_unit_test(test_rate_limit),
		cmocka_unit_test(test_rate_limit_is_only_possible_for_one_gap),
		cmocka_unit_test(test_rate_limit_is_likely_when_a_rest_brings_answers_back),
		cmocka_unit_test(test_one_missing_answer_that_comes_later_proves_nothing),
		cmocka_unit_test(test_rate_limit_is_only_possible_when_a_rest_does_not_help),
		cmocka_unit_test(test_rate_limit_needs_its_pattern),
		cmocka_unit_test(test_rate_limit_needs_clean_later_hops),
		cmocka_unit_test(test_answers_that_stop_before_lossy_hops),
		cmocka_unit_test(test_loss_that_carries_through),
		cmocka_unit_test(test_loss_at_one_hop_is_not_loss),
		cmocka_unit_test(test_loss_starts_behind_a_limited_hop),
		cmocka_unit_test(test_loss_there),
		cmocka_unit_test(test_loss_back),
		cmocka_unit_test(test_loss_on_a_shared_link_is_undirected),
		cmocka_unit_test(test_slow_reply),
		cmocka_unit_test(test_delay_that_stays_is_a_step),
		cmocka_unit_test(test_even_growth_is_no_step),
		cmocka_unit_test(test_mpls),
		cmocka_unit_test(test_load_balancing),
		cmocka_unit_test(test_ways_differ),
		cmocka_unit_test(test_ways_differ_somewhere),
		cmocka_unit_test(test_few_samples_do_not_place_a_loss),
		cmocka_unit_test(test_reported_loss_has_no_place),
		cmocka_unit_test(test_ways_part_near_a_silent_router),
		cmocka_unit_test(test_one_foreign_hop_is_only_possible),
		cmocka_unit_test(test_ways_same),
		cmocka_unit_test(test_ways_undecided),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_empty_measurement),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
