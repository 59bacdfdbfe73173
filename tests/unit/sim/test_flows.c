#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "sim/flows.h"

static struct flow_key key(uint32_t number, uint8_t protocol)
{
	return (struct flow_key){
		.local = addr_v4(0x0a000000 + number / 60000),
		.remote = addr_v4(0xcb007101),
		.local_port = (uint16_t)(number % 60000),
		.remote_port = 53,
		.protocol = protocol,
	};
}

/* Every flow of many is found from both sides, as itself. */
static void test_many(void **state)
{
	struct flows *flows = flows_new();
	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		struct flow_key inside = key(i, PROTOCOL_UDP), outside = inside;
		outside.local = addr_v4(0xc6336401);
		outside.remote_port = (uint16_t)(i / 60000);
		assert_non_null(flows_add(flows, &inside, &outside, 0));
	}
	for (uint32_t i = 0; i < 100000; i++) {
		struct flow_key inside = key(i, PROTOCOL_UDP);
		const struct flow *flow = flows_by_inside(flows, &inside, 1);
		assert_non_null(flow);
		struct flow_key outside = flow->outside;
		assert_int_equal(outside.local_port, i % 60000);
		assert_ptr_equal(flows_by_outside(flows, &outside, 1), flow);
	}
	struct flow_key stranger = key(100000, PROTOCOL_UDP);
	assert_null(flows_by_inside(flows, &stranger, 1));
	flows_free(flows);
}

/* Two minutes of silence end a UDP flow, half of one an echo; every packet starts the time anew. */
static void test_expiry(void **state)
{
	static const struct {
		uint8_t protocol;
		int64_t lasts_s;
	} cases[] = {{PROTOCOL_UDP, 120}, {PROTOCOL_ICMP, 30}, {PROTOCOL_TCP, 7440}};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct flows *flows = flows_new();
		struct flow_key k = key(1, cases[i].protocol);
		int64_t last = cases[i].lasts_s * NS_PER_S;
		assert_null(flows_by_inside(flows, &k, 0));
		assert_non_null(flows_add(flows, &k, &k, 0));
		assert_non_null(flows_by_outside(flows, &k, last - 1));
		assert_non_null(flows_by_inside(flows, &k, 2 * last - 2));
		assert_null(flows_by_inside(flows, &k, 3 * last - 2));
		flows_free(flows);
	}
}

/* The room of those that ended is used again: a million flows, 64 at a time. */
static void test_reuse(void **state)
{
	struct flows *flows = flows_new();
	(void)state;
	for (uint32_t i = 0; i < 1000000; i++) {
		struct flow_key k = key(i, PROTOCOL_ICMP);
		assert_non_null(flows_add(flows, &k, &k, (int64_t)i * NS_PER_S));
		assert_non_null(flows_by_inside(flows, &k, (int64_t)i * NS_PER_S));
	}
	flows_free(flows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_reuse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
