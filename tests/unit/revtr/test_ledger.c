/* What an owner can read of what his agent has sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "revtr/ledger.h"

#define SOURCE addr_v4(0xc6336407)
#define OTHER  addr_v4(0xc6336408)
#define TARGET addr_v4(0xc0000209)

static void test_kinds(void **state)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	(void)state;
	assert_non_null(ledger);
	for (int i = 0; i < 3; i++)
		ledger_note(ledger, REVTR_RR_PING, true, SOURCE, TARGET);
	ledger_note(ledger, REVTR_RR_PING, false, SOURCE, TARGET);
	ledger_note(ledger, REVTR_RR_PING, true, OTHER, TARGET);
	ledger_note(ledger, REVTR_TRACEROUTE, false, SOURCE, TARGET);
	assert_int_equal(ledger->kind_count, 4);
	assert_int_equal(ledger->kinds[0].packets, 3);
	assert_true(ledger->kinds[0].spoofed);
	assert_int_equal(ledger->kinds[1].packets, 1);
	for (uint32_t i = 0; i < 100; i++)
		ledger_note(ledger, REVTR_TRIAL, false, addr_add(SOURCE, i), TARGET);
	assert_int_equal(ledger->kind_count, LEDGER_KINDS);
	assert_int_equal(ledger->other_kinds, 100 - (LEDGER_KINDS - 4));
	free(ledger);
}

/* However many networks there are, no packet is lost from the sum, and the busiest one is the first. */
static void test_networks(void **state)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	struct ledger_network busiest[3];
	uint64_t sum = 0;
	(void)state;
	assert_non_null(ledger);
	for (uint32_t i = 0; i < 5000; i++) {
		ledger_note(ledger, REVTR_RR_PING, false, SOURCE, addr_v4(0x0b000001 + (i << 8)));
		ledger_note(ledger, REVTR_RR_PING, false, SOURCE, addr_add(TARGET, i & 15));
	}
	assert_int_equal(ledger_busiest(ledger, busiest, 3), LEDGER_NETWORKS);
	assert_int_equal(busiest[0].network, 0xc0000200);
	assert_int_equal(busiest[0].packets, 5000);
	assert_int_equal(busiest[1].packets, 1);
	for (unsigned i = 0; i < ledger->network_count; i++)
		sum += ledger->networks[i].packets;
	assert_int_equal(sum + ledger->elsewhere, 10000);
	free(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_networks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
