/* Whose traceroutes are known, which are made anew, and what of others' is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "import/import.h"
#include "revtr/aliases.h"
#include "revtr/atlas.h"
#include "revtr/atlas_plan.h"

#define HOUR_NS	  (3600 * NS_PER_S)
#define DAY_NS	  (24 * HOUR_NS)
#define DAY_MS	  (24LL * 3600 * 1000)
#define SOURCE	  0xc6336409 /* 198.51.100.9 */
#define STARTED_S 1790000000LL

/* ---- the plan */

static void assert_plan(const struct atlas_candidate *candidates, unsigned count, unsigned budget,
	unsigned turn, const uint32_t *expected, unsigned expected_count)
{
	uint32_t chosen[16];
	assert_int_equal(atlas_plan(candidates, count, budget, turn, DAY_NS, chosen), expected_count);
	for (unsigned i = 0; i < expected_count; i++)
		assert_int_equal(chosen[i], expected[i]);
}

/* Of two equally old ones that of more use; of two of equal use the older; what nobody used, not for its use.
 */
static void test_spends_where_it_saves(void **state)
{
	const struct atlas_candidate candidates[] = {
		{1, true, 6 * HOUR_NS, 10, 6 * HOUR_NS},
		{2, true, 6 * HOUR_NS, 40, 6 * HOUR_NS},
		{3, true, 20 * HOUR_NS, 10, 20 * HOUR_NS},
		{4, true, 20 * HOUR_NS, 0, 20 * HOUR_NS},
	};
	(void)state;
	assert_plan(candidates, 4, 3, 0, (uint32_t[]){2, 3, 1}, 3);
	assert_plan(candidates, 4, 1, 0, (uint32_t[]){2}, 1);
}

/* A share goes to those that were left alone longest; the rest of what nobody needs is not spent. */
static void test_explores(void **state)
{
	const struct atlas_candidate candidates[] = {
		{1, true, 2 * HOUR_NS, 0, 2 * HOUR_NS},
		{2, true, 9 * HOUR_NS, 0, 9 * HOUR_NS},
		{3, false, 0, 0, 5 * HOUR_NS},
		{4, true, HOUR_NS / 2, 0, HOUR_NS / 2},
	};
	(void)state;
	assert_plan(candidates, 4, 8, 0, (uint32_t[]){2, 3}, 2);
	assert_plan(candidates, 4, 1, 3, (uint32_t[]){2}, 1);
	assert_plan(candidates, 4, 1, 0, NULL, 0);
}

/* Who never was asked comes first. Who was asked just now, not at all. What is about to be too old is urgent.
 */
static void test_urgency(void **state)
{
	const struct atlas_candidate candidates[] = {
		{1, true, 12 * HOUR_NS, 10, 12 * HOUR_NS},
		{2, true, 12 * HOUR_NS, 90, 60 * NS_PER_S},
		{3, false, 0, 0, ATLAS_NEVER},
		{4, true, 23 * HOUR_NS, 6, 23 * HOUR_NS},
	};
	(void)state;
	assert_plan(candidates, 4, 3, 0, (uint32_t[]){3, 4, 1}, 3);
}

/* So many a day, whatever happens: an hour of them at once at most. */
static void test_purse(void **state)
{
	struct atlas_purse purse = {0};
	unsigned spent = 0;
	(void)state;
	for (int64_t minute = 1; minute <= 24 * 60; minute++) {
		unsigned due = atlas_purse_fill(&purse, 240, minute * 60 * NS_PER_S);
		assert_true(due <= 10);
		if (minute % 30 == 0) {
			spent += due;
			purse.tokens -= due;
		}
	}
	assert_in_range(spent, 230, 250);
	assert_int_equal(atlas_purse_fill(&purse, 0, DAY_NS * 2), 0);
}

/* ---- origins */

static void test_origins(void **state)
{
	struct atlas atlas = {0};
	char name[20];
	(void)state;
	assert_null(atlas_find(&atlas, "vp1"));
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "vp%u", i);
		struct atlas_entry *entry = atlas_entry_of(&atlas, name, i % 2);
		assert_non_null(entry);
		entry->trace = i % 3 ? TREE_NONE : i;
	}
	assert_int_equal(atlas.count, 1000);
	assert_ptr_equal(atlas_entry_of(&atlas, "vp7", false), atlas_find(&atlas, "vp7"));
	/* Of imports only those with a traceroute are remembered. */
	atlas_compact(&atlas);
	assert_int_equal(atlas.count, 500 + 167);
	assert_non_null(atlas_find(&atlas, "vp8"));
	assert_null(atlas_find(&atlas, "vp7"));
	assert_non_null(atlas_find(&atlas, "vp9"));
	atlas_deinit(&atlas);
}

/* ---- what others traced */

/* As RIPE Atlas gives it: probe 1 is behind a NAT, one hop is silent, another one is left out; probe 2 did
 * not get there; probe 3 saw one router twice; the last is to somebody else. */
static const char results[] = "[{\"fw\":5080,\"type\":\"traceroute\",\"msm_id\":1,\"prb_id\":1,\"timestamp\":"
			      "1790000000,\"endtime\":1790000009,\"dst_addr\":"
			      "\"198.51.100.9\",\"src_addr\":\"192.168.1.7\",\"from\":\"192.0.2.7\","
			      "\"proto\":\"ICMP\",\"af\":4,\"result\":["
			      "{\"hop\":1,\"result\":[{\"from\":\"192.168.1.1\",\"ttl\":64,\"rtt\":0.5}]},{"
			      "\"hop\":2,\"result\":[{\"x\":\"*\"}]},"
			      "{\"hop\":3,\"result\":[{\"from\":\"203.0.113.1\",\"ttl\":253,\"rtt\":8.1}]},{"
			      "\"hop\":5,\"result\":[{\"from\":"
			      "\"203.0.113.5\",\"ttl\":251,\"rtt\":8.5}]},{\"hop\":6,\"result\":[{\"from\":"
			      "\"198.51.100.9\",\"ttl\":59,\"rtt\":9.1}]}]},"
			      "{\"fw\":5080,\"type\":\"traceroute\",\"msm_id\":1,\"prb_id\":2,\"timestamp\":"
			      "1790000000,\"dst_addr\":\"198.51.100.9\","
			      "\"from\":\"192.0.2.8\",\"proto\":\"ICMP\",\"af\":4,\"result\":[{\"hop\":1,"
			      "\"result\":[{\"from\":\"203.0.113.1\",\"ttl\":64,"
			      "\"rtt\":0.5}]},{\"hop\":2,\"result\":[{\"x\":\"*\"}]}]},"
			      "{\"fw\":5080,\"type\":\"traceroute\",\"msm_id\":1,\"prb_id\":3,\"timestamp\":"
			      "1790000000,\"dst_addr\":\"198.51.100.9\","
			      "\"from\":\"192.0.2.9\",\"proto\":\"ICMP\",\"af\":4,\"result\":[{\"hop\":1,"
			      "\"result\":[{\"from\":\"203.0.113.1\",\"ttl\":64,"
			      "\"rtt\":0.5}]},{\"hop\":2,\"result\":[{\"from\":\"203.0.113.5\",\"ttl\":63,"
			      "\"rtt\":0.5}]},{\"hop\":3,\"result\":[{\"from\":"
			      "\"203.0.113.1\",\"ttl\":62,\"rtt\":0.5}]},{\"hop\":4,\"result\":[{\"from\":"
			      "\"198.51.100.9\",\"ttl\":59,\"rtt\":9.1}]}]},"
			      "{\"fw\":5080,\"type\":\"traceroute\",\"msm_id\":1,\"prb_id\":4,\"timestamp\":"
			      "1790000000,\"dst_addr\":\"198.51.100.10\","
			      "\"from\":\"192.0.2.10\",\"proto\":\"ICMP\",\"af\":4,\"result\":[{\"hop\":1,"
			      "\"result\":[{\"from\":\"198.51.100.10\",\"ttl\":64,"
			      "\"rtt\":0.5}]}]}]";

static void test_ripe_atlas(void **state)
{
	static const uint32_t expected[] = {0xc0000207, 0, 0, 0xcb007101, 0, 0xcb007105};
	struct import import;
	struct atlas_trace trace;
	int64_t now_ms = STARTED_S * 1000 + 60000;
	(void)state;
	assert_int_equal(import_read(results, strlen(results), NULL, &import, NULL), 0);
	assert_int_equal(import.count, 4);
	assert_int_equal(
		atlas_from_measurement(&import.traces[0].measurement, addr_v4(SOURCE), &trace), ATLAS_TAKEN);
	assert_int_equal(atlas_check(&trace, addr_v4(SOURCE), now_ms, DAY_MS), ATLAS_TAKEN);
	assert_string_equal(trace.origin, "import:192.0.2.7");
	assert_int_equal(trace.seen_ms, STARTED_S * 1000);
	assert_int_equal(trace.count, ARRAY_LEN(expected));
	assert_memory_equal(trace.addresses, expected, sizeof(expected));
	assert_int_equal(atlas_from_measurement(&import.traces[1].measurement, addr_v4(SOURCE), &trace),
		ATLAS_NOT_REACHED);
	assert_int_equal(
		atlas_from_measurement(&import.traces[2].measurement, addr_v4(SOURCE), &trace), ATLAS_TAKEN);
	assert_int_equal(atlas_check(&trace, addr_v4(SOURCE), now_ms, DAY_MS), ATLAS_LOOP);
	assert_int_equal(atlas_from_measurement(&import.traces[3].measurement, addr_v4(SOURCE), &trace),
		ATLAS_OTHER_TARGET);
	import_deinit(&import);
}

static enum atlas_refusal check(
	const uint32_t *addresses, unsigned count, int64_t seen_ms, struct atlas_trace *trace)
{
	*trace = (struct atlas_trace){.count = count, .seen_ms = seen_ms};
	memcpy(trace->addresses, addresses, count * sizeof(*addresses));
	return atlas_check(trace, addr_v4(SOURCE), 10 * DAY_MS, DAY_MS);
}

static void test_refusals(void **state)
{
	const uint32_t good[] = {0, 0xcb007101, 0xcb007105};
	struct atlas_trace trace;
	(void)state;
	assert_int_equal(check(good, 3, 10 * DAY_MS, &trace), ATLAS_TAKEN);
	assert_string_equal(
		trace.origin, "import:203.0.113.1"); /* by its first router: nobody says who traced */
	assert_int_equal(check(good, 3, 9 * DAY_MS, &trace), ATLAS_TOO_OLD);
	assert_int_equal(check(good, 3, 9 * DAY_MS + 1, &trace), ATLAS_TAKEN);
	assert_int_equal(check(good, 3, 0, &trace), ATLAS_NO_TIME);
	assert_int_equal(check(good, 3, 10 * DAY_MS + 3600 * 1000, &trace), ATLAS_FUTURE);
	assert_int_equal(check(good, 3, 10 * DAY_MS + 1000, &trace), ATLAS_TAKEN); /* clocks differ */
	assert_int_equal(trace.seen_ms, 10 * DAY_MS);
	assert_int_equal(check((uint32_t[]){0xcb007101, 0, 0x0a000001}, 3, 10 * DAY_MS, &trace), ATLAS_EMPTY);
	assert_int_equal(
		check((uint32_t[]){0, 0xcb007101, SOURCE, 0xcb007105}, 4, 10 * DAY_MS, &trace), ATLAS_LOOP);
	/* Private and shared addresses, multicast: somebody, nobody knows who; and so no loop. */
	assert_int_equal(check((uint32_t[]){0, 0x0a000001, 0xcb007101, 0x0a000001, 0x64400001, 0xe0000001}, 6,
				 10 * DAY_MS, &trace),
		ATLAS_TAKEN);
	assert_memory_equal(trace.addresses, ((uint32_t[]){0, 0, 0xcb007101, 0, 0, 0}), 6 * sizeof(uint32_t));
	for (int i = 0; i < ATLAS_REFUSALS; i++)
		assert_true(strlen(atlas_refusal_word((enum atlas_refusal)i)) > 0);
}

/* ---- aliases */

static void assert_line(const char *line, int expected)
{
	uint32_t addresses[8];
	int count = aliases_parse(line, strlen(line), addresses, 8);
	assert_int_equal(count, expected);
	if (count > 1) {
		assert_int_equal(addresses[0], 0xcb007101);
		assert_int_equal(addresses[count - 1], 0xcb007105);
	}
}

static void test_alias_lines(void **state)
{
	(void)state;
	assert_line("203.0.113.1 203.0.113.5", 2);
	assert_line("node N17:  203.0.113.1 198.51.100.2\t203.0.113.5\r", 3);
	assert_line("# format: node <node_id>: <i1> <i2>", 0);
	assert_line("node N18: 203.0.113.1", 0);
	assert_line("node N19:", 0);
	assert_line("", 0);
	assert_line("203.0.113.1 2001:db8::1 203.0.113.5", 2);
	assert_line("203.0.113.1 nonsense", -22);
	assert_line("node N18 203.0.113.1", -22);
}

static void test_alias_sets(void **state)
{
	struct aliases aliases = {0};
	size_t count;
	(void)state;
	assert_false(aliases_same(NULL, 1, 1));
	assert_null(aliases_of(&aliases, 0xcb007101, &count));
	assert_int_equal(
		aliases_add(&aliases, (uint32_t[]){0xcb007101, 0xcb007105, 0x0a000001, 0xcb007101}, 4), 0);
	assert_int_equal(aliases_add(&aliases, (uint32_t[]){0xcb007109, 0xcb00710d, 0x0a000001}, 3), 0);
	assert_true(aliases_same(&aliases, 0xcb007101, 0xcb007105));
	assert_false(aliases_same(&aliases, 0xcb007101, 0xcb007109));
	assert_false(aliases_same(&aliases, 0x0a000001, 0xcb007109)); /* private: anybody's */
	assert_int_equal(aliases.count, 4);
	assert_int_equal(aliases.set_count, 2);
	assert_non_null(aliases_of(&aliases, 0xcb007105, &count));
	assert_int_equal(count, 2);
	/* The newest word stands. */
	assert_int_equal(aliases_add(&aliases, (uint32_t[]){0xcb007105, 0xcb007109}, 2), 0);
	assert_true(aliases_same(&aliases, 0xcb007105, 0xcb007109));
	assert_false(aliases_same(&aliases, 0xcb007101, 0xcb007105));
	assert_int_equal(aliases.set_count, 1);
	for (uint32_t i = 0; i < 20000; i++)
		assert_int_equal(
			aliases_add(&aliases, (uint32_t[]){0x0b000000 + 2 * i, 0x0b000001 + 2 * i}, 2), 0);
	assert_true(aliases_same(&aliases, 0x0b000000 + 1000, 0x0b000001 + 1000));
	assert_false(aliases_same(&aliases, 0x0b000001 + 1000, 0x0b000002 + 1000));
	aliases_deinit(&aliases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spends_where_it_saves),
		cmocka_unit_test(test_explores),
		cmocka_unit_test(test_urgency),
		cmocka_unit_test(test_purse),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_ripe_atlas),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_alias_lines),
		cmocka_unit_test(test_alias_sets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
