/* The name server: bytes in, bytes out (RFC 1035). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "sim/dns.h"
#include "sim/names.h"

/* A query for Server.LAB, A, IN, with recursion desired and an EDNS OPT record, as resolvers send them. */
static const uint8_t query_a[] = {
	0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 1,			  /* header */
	6, 'S', 'e', 'r', 'v', 'e', 'r', 3, 'L', 'A', 'B', 0, 0, 1, 0, 1, /* question */
	0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0,				  /* OPT */
};
static const uint8_t answer_a[] = {
	0x12, 0x34, 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, /* response, authoritative, recursion available */
	6, 's', 'e', 'r', 'v', 'e', 'r', 3, 'l', 'a', 'b', 0, 0, 1, 0, 1, /* the question */
	0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 18, 18, 80,	  /* the record */
};

static struct world *world;

static int load(void **state)
{
	(void)state;
	return world_load("demo", &world, NULL);
}

static int unload(void **state)
{
	(void)state;
	world_free(world);
	return 0;
}

static void test_golden(void **state)
{
	uint8_t out[512];
	struct cursor cursor = cursor_init(query_a, sizeof(query_a));
	struct writer writer = writer_init(out, sizeof(out));
	(void)state;
	assert_true(names_resolve(world, &cursor, &writer));
	assert_int_equal(writer.length, sizeof(answer_a));
	assert_memory_equal(out, answer_a, sizeof(answer_a));
}

/* Without its last part the question cannot be read; the OPT record does not matter. */
static void test_truncations(void **state)
{
	const size_t question_end = 12 + 12 + 4;
	(void)state;
	for (size_t length = 0; length <= sizeof(query_a); length++) {
		uint8_t *copy = malloc(length + 1);
		struct dns_query query;
		memcpy(copy, query_a, length);
		copy = realloc(copy, length > 0 ? length : 1);
		struct cursor cursor = cursor_init(copy, length);
		assert_int_equal(dns_query_read(&cursor, &query) == 0, length >= question_end);
		free(copy);
	}
}

static void refused(size_t offset, uint8_t value)
{
	uint8_t copy[sizeof(query_a)];
	struct dns_query query;
	memcpy(copy, query_a, sizeof(copy));
	copy[offset] = value;
	struct cursor cursor = cursor_init(copy, sizeof(copy));
	assert_int_not_equal(dns_query_read(&cursor, &query), 0);
}

static void test_nonsense(void **state)
{
	(void)state;
	refused(2, 0x81);  /* a response */
	refused(5, 2);	   /* two questions */
	refused(12, 0xc0); /* a pointer to itself */
	refused(12, 64);   /* a label longer than 63 */
	refused(13, '\n'); /* not a name of ours */
}

/* Ask by text; the answer's record data, or the code in the header. */
static int ask(const char *name, enum dns_type type, uint8_t *data, size_t *length)
{
	uint8_t in[512], out[512];
	struct writer writer = writer_init(in, sizeof(in));
	writer_u16(&writer, 1);
	writer_u16(&writer, 0);
	writer_u16(&writer, 1);
	writer_zeros(&writer, 6);
	while (*name) {
		size_t label = strcspn(name, ".");
		writer_u8(&writer, (uint8_t)label);
		writer_bytes(&writer, name, label);
		name += label + (name[label] == '.');
	}
	writer_u8(&writer, 0);
	writer_u16(&writer, (uint16_t)type);
	writer_u16(&writer, 1);
	struct cursor cursor = cursor_init(in, writer.length);
	struct writer answer = writer_init(out, sizeof(out));
	assert_true(names_resolve(world, &cursor, &answer));
	*length = 0;
	if (out[7] == 1) { /* one answer: after header, question and 12 bytes of record */
		size_t start = writer.length + 12;
		*length = answer.length - start;
		assert_int_equal(out[start - 2] << 8 | out[start - 1], *length);
		memcpy(data, out + start, *length);
	}
	return out[3] & 15;
}

static void test_names(void **state)
{
	uint8_t data[512];
	size_t length;
	(void)state;
	assert_int_equal(ask("client.lab", DNS_AAAA, data, &length), DNS_OK);
	assert_int_equal(length, 16);
	assert_memory_equal(data, "\x20\x01\x0d\xb8\x01\x00\xca\xfe\0\0\0\0\0\0\0\x77", 16);
	assert_int_equal(ask("ae0.gw.campus.lab", DNS_A, data, &length), DNS_OK);
	assert_memory_equal(data, "\xc6\x33\x64\x02", 4);
	/* the name is there, but not with that type */
	assert_int_equal(ask("client.lab", DNS_TXT, data, &length), DNS_OK);
	assert_int_equal(length, 0);
	assert_int_equal(ask("nobody.lab", DNS_A, data, &length), DNS_NO_NAME);
	assert_int_equal(ask("server.example", DNS_A, data, &length), DNS_NO_NAME);
}

static void test_reverse(void **state)
{
	uint8_t data[512];
	size_t length;
	(void)state;
	assert_int_equal(ask("2.100.51.198.in-addr.arpa", DNS_PTR, data, &length), DNS_OK);
	assert_memory_equal(data,
		"\x03"
		"ae0\x02"
		"gw\x06"
		"campus\x03"
		"lab",
		19);
	assert_int_equal(length, 19); /* with the root */
	assert_int_equal(ask("0.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.5.0.0.0.0.a.0.8.b.d.0.1.0.0.2.ip6.arpa",
				 DNS_PTR, data, &length),
		DNS_OK);
	assert_memory_equal(data,
		"\x06"
		"server\x03"
		"lab",
		12);
	assert_int_equal(ask("9.9.9.9.in-addr.arpa", DNS_PTR, data, &length), DNS_NO_NAME);
	assert_int_equal(ask("9.9.9.256.in-addr.arpa", DNS_PTR, data, &length), DNS_NO_NAME);
	assert_int_equal(ask("1.2.3.in-addr.arpa", DNS_PTR, data, &length), DNS_NO_NAME);
}

static void test_origins(void **state)
{
	static const char origin[] = "64500 | 203.0.113.0/24 | NL | lab | ";
	uint8_t data[512];
	size_t length;
	(void)state;
	assert_int_equal(ask("7.113.0.203.origin.asn.lab", DNS_TXT, data, &length), DNS_OK);
	assert_int_equal(data[0], sizeof(origin) - 1);
	assert_memory_equal(data + 1, origin, sizeof(origin) - 1);
	assert_int_equal(ask("AS64510.asn.lab", DNS_TXT, data, &length), DNS_OK);
	assert_memory_equal(data + 1, "64510 | GB", 10);
	assert_int_equal(ask("8.8.8.8.origin.asn.lab", DNS_TXT, data, &length), DNS_NO_NAME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_reverse),
		cmocka_unit_test(test_origins),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
