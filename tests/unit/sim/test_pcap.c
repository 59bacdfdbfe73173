/* Recordings: bytes as draft-ietf-opsawg-pcap has them, and only packets of the place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "sim/pcap.h"

static const char text[] = "ases:\n"
			   "  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: "
			   "\"2001:db8:1::/48\"}\n"
			   "hosts:\n"
			   "  - {name: a, as: 64496}\n"
			   "  - {name: a-b, as: 64496}\n"
			   "routers:\n"
			   "  - {name: b, as: 64496}\n"
			   "  - {name: b-c, as: 64496}\n"
			   "links:\n"
			   "  - {from: a, to: b}\n"
			   "  - {from: b, to: b-c}\n"
			   "  - {from: b-c, to: a-b}\n";

struct file {
	uint8_t bytes[256];
	size_t length;
};

static void sink(void *context, const uint8_t *head, size_t head_length, const uint8_t *packet, size_t length)
{
	struct file *file = context;
	assert_true(file->length + head_length + length <= sizeof(file->bytes));
	memcpy(file->bytes + file->length, head, head_length);
	if (length > 0)
		memcpy(file->bytes + file->length + head_length, packet, length);
	file->length += head_length + length;
}

static struct world *world_of_test(void)
{
	struct world *world;
	struct error error = {0};
	if (world_parse("test", text, &world, &error) < 0)
		fail_msg("%s", error.text);
	return world;
}

static void places(void **state UNUSED)
{
	struct world *world = world_of_test();
	struct pcap pcap;
	struct error error = {0};
	assert_int_equal(pcap_place(&pcap, world, "b", NULL), 0);
	assert_int_equal(pcap.node, world_find_node(world, "b"));
	assert_int_equal(pcap.link, WORLD_NONE);
	/* a node before a link; a link by any of the dashes, in both directions */
	assert_int_equal(pcap_place(&pcap, world, "a-b", NULL), 0);
	assert_int_equal(pcap.node, world_find_node(world, "a-b"));
	assert_int_equal(pcap_place(&pcap, world, "b-b-c", NULL), 0);
	assert_int_equal(pcap.node, WORLD_NONE);
	assert_int_equal(pcap.link, 1);
	assert_int_equal(pcap_place(&pcap, world, "a-b-b-c", NULL), 0);
	assert_int_equal(pcap.link, 2);
	static const char *const wrong[] = {"", "-", "c", "a-b-c", "b-", "-b", "a--b"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(pcap_place(&pcap, world, wrong[i], &error), -EINVAL);
	assert_non_null(strstr(error.text, "a--b"));
	world_free(world);
}

static void header(void **state UNUSED)
{
	/* magic of nanoseconds in this order of bytes, version 2.4, two words reserved, snapshot length, raw
	 * IP */
	static const uint8_t expected[] = {
		0xa1, 0xb2, 0x3c, 0x4d, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 101};
	struct file file = {.length = 0};
	struct pcap pcap = {.sink = sink, .context = &file};
	pcap_begin(&pcap);
	assert_int_equal(file.length, sizeof(expected));
	assert_memory_equal(file.bytes, expected, sizeof(expected));
}

static void packet(void **state UNUSED)
{
	static const uint8_t bytes[] = {1, 2, 3};
	/* seconds, nanoseconds, length in the file, length on the wire, the packet */
	static const uint8_t expected[] = {0, 0, 0, 12, 0, 0, 0, 7, 0, 0, 0, 3, 0, 0, 0, 3, 1, 2, 3};
	struct world *world = world_of_test();
	struct file file = {.length = 0};
	struct pcap pcap = {.sink = sink, .context = &file, .epoch_ns = 10 * NS_PER_S};
	assert_int_equal(pcap_place(&pcap, world, "b", NULL), 0);
	pcap_packet(&pcap, 2 * NS_PER_S + 7, 1, true, bytes, sizeof(bytes));
	assert_int_equal(file.length, sizeof(expected));
	assert_memory_equal(file.bytes, expected, sizeof(expected));
	world_free(world);
}

static size_t kept(const struct world *world, const char *place, uint32_t interface, bool arrives)
{
	static const uint8_t byte = 0;
	struct file file = {.length = 0};
	struct pcap pcap = {.sink = sink, .context = &file};
	assert_int_equal(pcap_place(&pcap, world, place, NULL), 0);
	pcap_packet(&pcap, 0, interface, arrives, &byte, 1);
	return file.length;
}

static void only_of_the_place(void **state UNUSED)
{
	struct world *world = world_of_test();
	/* link 0 is a (interface 0) to b (1), link 1 is b (2) to b-c (3) */
	for (uint32_t interface = 0; interface < 6; interface++)
		for (int arrives = 0; arrives < 2; arrives++) {
			bool of_b = interface == 1 || interface == 2,
			     of_link = interface / 2 == 1 && !arrives;
			assert_int_equal(kept(world, "b", interface, arrives), of_b ? 17 : 0);
			assert_int_equal(kept(world, "b-b-c", interface, arrives), of_link ? 17 : 0);
		}
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(header),
		cmocka_unit_test(packet),
		cmocka_unit_test(only_of_the_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
