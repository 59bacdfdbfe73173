/* What quotes of probes show: each finding on its evidence, and not on what looks like it. */
#include "build.h"

#include "insight/rules.h"

#define SOURCE	  "192.0.2.10"
#define TARGET	  "198.51.100.80"
#define HOPS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct measurement m;

/* Four routers and the target; every answer quotes the probe as it was sent. */
static void begin(void)
{
	measurement_init(&m);
	m.forward = build_path(DIRECTION_FORWARD, SOURCE, TARGET, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", "10.4.0.1", TARGET));
	for (size_t i = 0; i < m.forward->hop_count; i++)
		for (size_t j = 0; j < m.forward->hops[i].probe_count; j++) {
			struct quoted_header *quoted = &m.forward->hops[i].probes[j].quoted;
			quoted->ttl = 1;
			quoted->tos = 0;
			quoted->source = build_address(SOURCE);
			quoted->destination = build_address(TARGET);
			quoted->source_port = 40000;
			quoted->destination_port = 33434;
		}
	m.forward->hops[4].probes[0].icmp_type = 3;
	m.forward->hops[4].probes[0].icmp_code = 3;
}

static void end(void)
{
	measurement_deinit(&m);
}

static void run(void)
{
	build_finish(m.forward);
	assert_int_equal(insight_run(&m), 0);
}

/* All quotes from hop `first` on, counted from 1. */
static void quote_source(unsigned first, unsigned last, const char *source)
{
	for (unsigned i = first; i <= last; i++)
		for (size_t j = 0; j < m.forward->hops[i - 1].probe_count; j++)
			m.forward->hops[i - 1].probes[j].quoted.source = build_address(source);
}

static void quote_tos(unsigned first, unsigned last, int tos)
{
	for (unsigned i = first; i <= last; i++)
		for (size_t j = 0; j < m.forward->hops[i - 1].probe_count; j++)
			m.forward->hops[i - 1].probes[j].quoted.tos = tos;
}

static void test_unchanged(void **state)
{
	(void)state;
	begin();
	run();
	assert_int_equal(m.finding_count, 0);
	end();
}

static void test_nat(void **state)
{
	(void)state;
	begin();
	quote_source(3, 5, "203.0.113.5");
	run();
	const struct finding *finding = the_finding(&m, "nat");
	assert_int_equal(finding->hop_count, 1);
	assert_int_equal(finding->hops[0], 3);
	assert_null(strstr(finding->summary, "double"));
	end();

	begin();
	quote_source(2, 3, "100.64.7.1");
	quote_source(4, 5, "203.0.113.5");
	run();
	finding = the_finding(&m, "nat");
	assert_int_equal(finding->hop_count, 2);
	assert_int_equal(finding->hops[0], 2);
	assert_int_equal(finding->hops[1], 4);
	assert_non_null(strstr(finding->summary, "double NAT"));
	end();
}

/* The translator puts our own address back into most quotes: one that forgot is enough, going back is no second. */
static void test_nat_that_hides(void **state)
{
	(void)state;
	begin();
	quote_source(3, 3, "203.0.113.5");
	run();
	assert_int_equal(the_finding(&m, "nat")->hop_count, 1);
	end();
}

static void test_remarked(void **state)
{
	(void)state;
	begin();
	quote_tos(1, 2, 0xb9); /* EF, ECT(1) */
	quote_tos(3, 5, 0x01); /* the class is gone, ECN stays */
	run();
	const struct finding *finding = the_finding(&m, "dscp-remarked");
	assert_int_equal(finding->hops[0], 2);
	assert_int_equal(finding->hops[1], 3);
	assert_int_equal(count_findings(&m, "ecn-bleached"), 0);
	end();

	begin();
	quote_tos(1, 3, 0x02);
	run();
	assert_int_equal(the_finding(&m, "ecn-bleached")->hops[1], 4);
	end();

	begin();
	m.forward->tos = 0x02; /* and the first router sees nothing of it */
	run();
	finding = the_finding(&m, "ecn-bleached");
	assert_int_equal(finding->hop_count, 1);
	assert_int_equal(finding->hops[0], 1);
	assert_non_null(strstr(finding->summary, "this host"));
	end();
}

/* A value that comes back behind is one router's own way of quoting, and one hop that contradicts itself says nothing. */
static void test_not_remarked(void **state)
{
	(void)state;
	begin();
	quote_tos(1, 5, 0x02);
	quote_tos(3, 3, 0);
	run();
	assert_int_equal(count_findings(&m, "ecn-bleached"), 0);
	end();

	begin();
	quote_tos(1, 5, 0x02);
	m.forward->hops[4].probes[0].quoted.tos = 0;
	run();
	assert_int_equal(count_findings(&m, "ecn-bleached"), 0);
	end();
}

static void test_zero_ttl(void **state)
{
	(void)state;
	begin();
	m.forward->hops[2].probes[0].quoted.ttl = 0;
	run();
	assert_int_equal(the_finding(&m, "zero-ttl")->hops[0], 3);
	end();
	/* A label-switched path lets it climb; that is another matter. */
	begin();
	m.forward->hops[2].probes[0].quoted.ttl = 2;
	run();
	assert_int_equal(count_findings(&m, "zero-ttl"), 0);
	end();
}

static void add_step(unsigned bytes, int ttl, const char *said_by, unsigned said_bytes)
{
	struct mtu_step *step = path_add_mtu_step(m.forward);
	assert_non_null(step);
	step->bytes = bytes;
	step->ttl = ttl;
	step->said_by = said_by ? build_address(said_by) : ADDR_NONE;
	step->said_bytes = said_bytes;
}

static void test_size(void **state)
{
	(void)state;
	begin();
	m.forward->mtu.measured = true;
	m.forward->mtu.bytes = 1400;
	add_step(1400, 2, "10.2.0.1", 1400);
	run();
	const struct finding *finding = the_finding(&m, "mtu-narrowing");
	assert_int_equal(finding->hops[0], 2);
	assert_int_equal(finding->severity, SEVERITY_INFO);
	assert_int_equal(count_findings(&m, "mtu-black-hole"), 0);
	end();

	begin();
	m.forward->mtu.measured = true;
	m.forward->mtu.bytes = 1400;
	add_step(1400, 3, NULL, 0);
	run();
	finding = the_finding(&m, "mtu-black-hole");
	assert_int_equal(finding->severity, SEVERITY_PROBLEM);
	assert_int_equal(finding->hops[0], 3);
	assert_int_equal(count_findings(&m, "mtu-narrowing"), 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unchanged),
		cmocka_unit_test(test_nat),
		cmocka_unit_test(test_nat_that_hides),
		cmocka_unit_test(test_remarked),
		cmocka_unit_test(test_not_remarked),
		cmocka_unit_test(test_zero_ttl),
		cmocka_unit_test(test_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
