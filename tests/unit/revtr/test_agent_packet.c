/* A UDP probe with Record Route, and what is quoted of it: octets as in the table of docs/protocol/revtr-agents.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "revtr/agent_packet.h"

#define OWN    addr_v4(0xcb007105)
#define SOURCE addr_v4(0xc6336407)
#define TARGET addr_v4(0xc0000209)
#define ROUTER addr_v4(0xcb007141)
#define TASK   0x5555aaaau /* bit 30 set; 0x2aab in bits 15 to 29, 0x2aaa below */
#define TAG    UINT64_C(0x0123456789abcdef)

#define HEADER	60
#define UNREACHABLE_CODE 3

static struct agent_order order(uint32_t task, uint64_t tag)
{
	return (struct agent_order){.task = {.id = task, .probe = REVTR_RR_UDP, .spoofed = true, .target = TARGET},
		.source = SOURCE, .tag = tag};
}

static unsigned word(const uint8_t *bytes)
{
	return (unsigned)bytes[0] << 8 | bytes[1];
}

static uint16_t sum(const uint8_t *bytes, size_t length, uint32_t start)
{
	for (size_t i = 0; i < length; i += 2)
		start += word(bytes + i);
	while (start >> 16)
		start = (start & 0xffff) + (start >> 16);
	return (uint16_t)start;
}

static void test_what_it_looks_like(void **state)
{
	struct agent_order task = order(TASK, TAG);
	uint8_t bytes[128];
	(void)state;
	assert_int_equal(agent_packet_write(&task, OWN, bytes, sizeof(bytes)), HEADER + 16);
	assert_int_equal(bytes[0], 0x4f);
	assert_int_equal(word(bytes + 4), 0x8000 | 1u << 14 | (0x89ab & 0x3fff));
	assert_int_equal(bytes[9], 17);
	assert_memory_equal(bytes + 12, ((uint8_t[]){198, 51, 100, 7, 192, 0, 2, 9}), 8);
	assert_memory_equal(bytes + 20, ((uint8_t[]){7, 39, 4, 0}), 4);
	assert_int_equal(word(bytes + HEADER), 0x8000 | 0x2aab);
	assert_int_equal(word(bytes + HEADER + 2), 0x8000 | 0x2aaa);
	assert_int_equal(word(bytes + HEADER + 4), 16);
	assert_int_equal(word(bytes + HEADER + 6), 0xcdef);
	assert_memory_equal(bytes + HEADER + 8, "rtvp", 4);
	/* RFC 768: with the pseudo header of addresses, protocol and length, all ones. */
	assert_int_equal(sum(bytes + HEADER, 16, sum(bytes + 12, 8, 17 + 16)), 0xffff);
	task.task.spoofed = false;
	assert_true(agent_packet_write(&task, OWN, bytes, sizeof(bytes)) > 0);
	assert_memory_equal(bytes + 12, ((uint8_t[]){203, 0, 113, 5}), 4);
	assert_int_equal(agent_packet_write(&task, OWN, bytes, HEADER + 15), 0);
}

/* RFC 792: header and eight octets of the packet, as it arrived: after one stamp of a router. */
static size_t refuse(const struct agent_order *task, unsigned code, size_t quoted, uint8_t *bytes)
{
	uint8_t probe[128];
	assert_int_equal(agent_packet_write(task, OWN, probe, sizeof(probe)), HEADER + 16);
	probe[22] = 8; /* the pointer, behind one address */
	memcpy(probe + 23, (uint8_t[]){203, 0, 113, 65}, 4);
	memset(bytes, 0, 28);
	memcpy(bytes, (uint8_t[]){0x45, 0, 0, 0, 0, 0, 0, 0, 60, 1}, 10);
	bytes[3] = (uint8_t)(28 + quoted);
	memcpy(bytes + 12, probe + 16, 4);
	memcpy(bytes + 16, probe + 12, 4);
	bytes[20] = 3;
	bytes[21] = (uint8_t)code;
	memcpy(bytes + 28, probe, quoted);
	return 28 + quoted;
}

static bool marked(const uint8_t *bytes, size_t length, struct packet *packet, struct agent_mark *mark)
{
	return packet_read(bytes, length, packet) == 0 && agent_packet_mark(packet, mark);
}

static void test_a_refusal_is_known(void **state)
{
	static const uint32_t tasks[] = {1, 0x7fff, 0x8000, TASK, AGENT_UDP_TASK_MAX};
	/* A tag whose lower half is zero: a checksum of zero would say "none". */
	static const uint64_t tags[] = {0, TAG, UINT64_MAX, 0x10000};
	uint8_t bytes[128];
	struct packet packet;
	struct agent_mark mark;
	(void)state;
	for (unsigned i = 0; i < sizeof(tasks) / sizeof(*tasks); i++)
		for (unsigned j = 0; j < sizeof(tags) / sizeof(*tags); j++) {
			struct agent_order task = order(tasks[i], tags[j]);
			assert_true(marked(bytes, refuse(&task, UNREACHABLE_CODE, HEADER + 8, bytes), &packet, &mark));
			assert_int_equal(mark.task, tasks[i]);
			assert_true(addr_equal(mark.target, TARGET));
			assert_true(agent_mark_true(&mark, tags[j]));
			for (unsigned bit = 16; bit < 30; bit++)
				assert_false(agent_mark_true(&mark, tags[j] ^ UINT64_C(1) << bit));
			assert_false(agent_mark_true(&mark, tags[j] ^ 0x40));
			assert_true(mark.list->present);
			assert_int_equal(mark.list->used, 1);
			assert_true(addr_equal(mark.list->addrs[0], ROUTER));
		}
}

static void test_what_is_none(void **state)
{
	struct agent_order task = order(TASK, TAG), ping = task;
	uint8_t bytes[128];
	struct packet packet;
	struct agent_mark mark;
	(void)state;
	/* A router that is not let through says who it is, not where the target is. */
	assert_false(marked(bytes, refuse(&task, 13, HEADER + 8, bytes), &packet, &mark));
	/* Cut before the end of the eight octets; on the heap, so that reading on is seen. */
	size_t whole = refuse(&task, UNREACHABLE_CODE, HEADER + 8, bytes);
	for (size_t length = 0; length < whole; length++) {
		uint8_t *cut = malloc(length + 1);
		assert_non_null(cut);
		memcpy(cut, bytes, length);
		assert_false(marked(cut, length, &packet, &mark));
		free(cut);
	}
	/* Ports, identification, length and the sender are its mark: a traceroute's are others. */
	static const size_t places[] = {28 + 4, 28 + HEADER, 28 + HEADER + 2, 28 + HEADER + 5, 28 + 12};
	for (unsigned i = 0; i < sizeof(places) / sizeof(*places); i++) {
		(void)refuse(&task, UNREACHABLE_CODE, HEADER + 8, bytes);
		bytes[places[i]] ^= 0x80;
		assert_false(marked(bytes, whole, &packet, &mark));
	}
	ping.task.probe = REVTR_RR_PING;
	assert_int_equal(agent_packet_write(&ping, OWN, bytes, sizeof(bytes)), HEADER + 8 + 24);
	assert_false(marked(bytes, HEADER + 8 + 24, &packet, &mark));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_it_looks_like),
		cmocka_unit_test(test_a_refusal_is_known),
		cmocka_unit_test(test_what_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
