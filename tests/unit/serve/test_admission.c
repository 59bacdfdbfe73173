/* How much the responder sends, on whose word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "bench.h"
#include "serve/admission.h"
#include "serve/limits.h"

#define VICTIM addr_v4(0xcb007105)

static void bucket_refills(void **state UNUSED)
{
	struct limit limit = limit_per_second(10, 5);
	struct token_bucket bucket = {0};
	int64_t now_ns = START_NS;
	for (int i = 0; i < 5; i++)
		assert_true(bucket_take(&bucket, &limit, now_ns, 1));
	assert_false(bucket_take(&bucket, &limit, now_ns, 1));
	assert_false(bucket_take(&bucket, &limit, now_ns + 99 * NS_PER_MS, 1));
	assert_true(bucket_take(&bucket, &limit, now_ns + 100 * NS_PER_MS, 1));
	assert_false(bucket_take(&bucket, &limit, now_ns + 100 * NS_PER_MS, 1));
	assert_false(bucket_take(&bucket, &limit, now_ns + 10 * NS_PER_S, 6)); /* never more than it holds */
	assert_true(bucket_take(&bucket, &limit, now_ns + 10 * NS_PER_S, 5));
}

static void prefixes_are_apart(void **state UNUSED)
{
	struct limit limit = limit_per_second(1, 1);
	struct bucket_table table;
	assert_int_equal(bucket_table_init(&table, (struct hash_key){1, 2}), 0);
	assert_true(bucket_table_take(&table, &limit, addr_v4(0x01020304), START_NS, 1));
	assert_false(bucket_table_take(&table, &limit, addr_v4(0x010203fe), START_NS, 1));
	assert_true(bucket_table_take(&table, &limit, addr_v4(0x01020404), START_NS, 1));
	assert_true(bucket_table_take(&table, &limit, addr_v6(0x20010db800010000, 1), START_NS, 1));
	assert_false(bucket_table_take(&table, &limit, addr_v6(0x20010db80001ffff, 9), START_NS, 1));
	assert_true(bucket_table_take(&table, &limit, addr_v6(0x20010db800020000, 1), START_NS, 1));
	bucket_table_deinit(&table);
}

static void cookie_life(void **state UNUSED)
{
	struct admission admission;
	assert_int_equal(admission_init(&admission, (struct hash_key){1, 2}, 1000, 100), 0);
	int64_t epoch_ns = INT64_C(1) << 36;
	int64_t now_ns = 20 * epoch_ns + 5;
	uint64_t cookie = admission_cookie(&admission, VICTIM, now_ns);
	assert_true(cookie != 0);
	assert_true(admission_cookie_valid(&admission, VICTIM, now_ns, cookie));
	assert_true(admission_cookie_valid(&admission, VICTIM, now_ns + epoch_ns, cookie));
	assert_false(admission_cookie_valid(&admission, VICTIM, now_ns + 2 * epoch_ns, cookie));
	assert_false(admission_cookie_valid(&admission, addr_add(VICTIM, 1), now_ns, cookie));
	assert_false(admission_cookie_valid(&admission, VICTIM, now_ns, cookie ^ 2));
	admission_deinit(&admission);
}

/* The price covers the dearest probe and its response: IP bytes, counted from real packets. */
static void price_covers_everything(void **state UNUSED)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct addr host = family == 4 ? VICTIM : addr_v6(0x20010db800010000, 5);
		struct addr router = family == 4 ? addr_v4(0x0a630501) : addr_v6(0x20010db800990000, 1);
		static const uint8_t protocols[] = {0, PROTOCOL_UDP, PROTOCOL_TCP};
		assert_int_equal(admission_price(family), family == 4 ? 100 : 140);
		for (size_t i = 0; i < 3; i++) {
			struct bench bench;
			uint8_t quote[1500];
			bench_init(&bench, NULL);
			bench_ask(&bench, host, 1,
				(struct responder_request){.ttl = 1, .protocol = protocols[i]}, 200);
			struct packet_spec answer = bench_expired(&bench, router, quote, SIZE_MAX);
			assert_int_equal(bench_feed_spec(&bench, &answer), 1);
			assert_int_equal(bench.out_count, 2);
			assert_true(bench.out_bytes <= admission_price(family));
			bench_deinit(&bench);
		}
	}
}

/* One byte less than the price, and the request draws on the small budget of first contact. */
static void one_byte_short(void **state UNUSED)
{
	static const struct responder_request request = {.ttl = 1, .protocol = 17};
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct addr host = family == 4 ? VICTIM : addr_v6(0x20010db800010000, 5);
		size_t price = family == 4 ? 100 : 140;
		struct bench bench;
		bench_init(&bench, NULL);
		for (int i = 0; i < 300; i++)
			assert_int_equal(bench_ask(&bench, host, (uint16_t)i, request, price), 1);
		assert_int_equal(responder_counters(bench.responder).over_first_contact, 0);
		unsigned served = 0;
		for (int i = 0; i < 300; i++)
			served += bench_ask(&bench, host, (uint16_t)i, request, price - 1);
		assert_in_range(served * price, 1, 12000);
		bench_deinit(&bench);
	}
}

static uint64_t cookie_from(const struct bench *bench)
{
	struct responder_response response;
	struct cursor body = cursor_init(bench->sent.transport.payload, bench->sent.transport.payload_length);
	assert_int_equal(responder_response_read(&body, &response), 0);
	return response.cookie;
}

/* A cookie makes the response longer: it is given only where the request was longer still. */
static void cookies_cost_nothing(void **state UNUSED)
{
	for (size_t size = 32; size < 120; size++) {
		struct bench bench;
		bench_init(&bench, NULL);
		assert_int_equal(bench_ask(&bench, VICTIM, 1, (struct responder_request){0}, size), 1);
		assert_true(bench.out.length <= size);
		assert_int_equal(cookie_from(&bench) != 0, size >= 44);
		bench_deinit(&bench);
	}
}

/* Random requests from random strangers: outside the first-contact budget no address gets back more bytes
 * than came in its name. */
static void never_more_bytes_out_than_in(void **state UNUSED)
{
	struct rng rng = rng_seed(11);
	struct bench bench;
	uint8_t quote[1500];
	size_t in[16] = {0}, out[16] = {0}, unpaid = 0;
	bench_init(&bench, NULL);
	for (int i = 0; i < 50000; i++) {
		size_t who = rng_below(&rng, 16);
		bool v4 = who % 2;
		struct addr from =
			v4 ? addr_v4(0x0b000001 + ((uint32_t)who << 12)) : addr_v6(0x20010db8000a0000, who);
		struct responder_request request = {
			.ttl = (uint8_t)rng_below(&rng, 40),
			.protocol = (uint8_t)(rng_below(&rng, 2) ? rng_u64(&rng)
								 : (uint8_t[]){0, 6, 17}[rng_below(&rng, 3)]),
			.flow = (uint16_t)rng_u64(&rng),
			.cookie = rng_below(&rng, 2) ? rng_u64(&rng) : 0, /* invented */
		};
		bench.now_ns += (int64_t)rng_below(&rng, 10 * NS_PER_MS);
		uint64_t refused = responder_counters(bench.responder).over_first_contact;
		size_t size = 32 + 20 * !v4 + rng_below(&rng, 130);
		size_t bytes = bench.out_bytes;
		unsigned count = bench_ask(&bench, from, (uint16_t)i, request, size);
		assert_true(count <= 1);
		if (request.cookie)
			size = MAX(size, (v4 ? 32u : 52u) + RESPONDER_COOKIE_BLOCK);
		bool probe = count && bench.sent.transport.icmp_kind != ICMP_ECHO_REPLY;
		if (probe || (count && bench.sent.transport.icmp_code == 0)) {
			struct packet_spec answer = bench_expired(&bench,
				v4 ? addr_v4(0x0a630501) : addr_v6(0x20010db800990000, 1), quote, SIZE_MAX);
			assert_true(bench_feed_spec(&bench, &answer) <= 1);
		}
		if (probe && size < (v4 ? 100u : 140u)) {
			unpaid += bench.out_bytes - bytes; /* first contact: its own small budget */
			continue;
		}
		assert_true(responder_counters(bench.responder).over_first_contact >= refused);
		in[who] += size;
		out[who] += bench.out_bytes - bytes;
	}
	for (size_t who = 0; who < 16; who++)
		assert_true(out[who] <= in[who]);
	assert_true(unpaid > 0);
	bench_deinit(&bench);
}

/* The budget for strangers who do not pay: bounded for one prefix and in total, whatever the flood. */
static void first_contact_is_bounded(void **state UNUSED)
{
	static const struct responder_request request = {.ttl = 1, .protocol = 17};
	struct rng rng = rng_seed(12);
	struct bench bench;
	bench_init(&bench, NULL);
	for (int i = 0; i < 200000; i++) { /* 20,000/s for ten seconds in one victim's name */
		bench.now_ns += NS_PER_S / 20000;
		bench_ask(&bench, VICTIM, (uint16_t)i, request, 0);
	}
	assert_true(bench.out_bytes / 10 < 32 * 20000 / 100);
	assert_true(bench.out_count >= 40 * 10); /* and a stock client alone, ten a second, is served */
	size_t before = bench.out_bytes;
	for (int i = 0; i < 200000; i++) { /* and from everywhere */
		bench.now_ns += NS_PER_S / 20000;
		bench_ask(&bench, addr_v4(0x0b000000 + (uint32_t)rng_below(&rng, 0x7000000)), (uint16_t)i,
			request, 0);
	}
	/* Fewer bytes than the flood brought in: 44 of the budgeted 100 leave when no answer comes. */
	assert_true(bench.out_bytes - before < 1200000);
	bench_deinit(&bench);
}

/* 100,000 forged requests a second, padded ones among them, while one honest client asks. */
static void honest_client_under_flood(void **state UNUSED)
{
	struct rng rng = rng_seed(13);
	struct bench bench;
	bench_init(&bench, NULL);
	uint64_t cookie = 0;
	unsigned asked = 0, served = 0, hellos = 0;
	for (int i = 0; i < 300000; i++) {
		bench.now_ns += NS_PER_S / 100000;
		struct addr forged = addr_v4(0x0b000000 + (uint32_t)rng_below(&rng, 0x7000000));
		struct responder_request request = {.ttl = (uint8_t)rng_below(&rng, 3), .protocol = 17};
		bench_ask(&bench, forged, (uint16_t)i, request, rng_below(&rng, 2) ? 100 : 0);
		if (i < 1000 || i % 1000) /* the flood is on; then 100 honest requests a second */
			continue;
		if (!cookie) {
			hellos++;
			if (bench_ask(&bench, VICTIM, 1, (struct responder_request){0}, 100))
				cookie = cookie_from(&bench);
			continue;
		}
		request = (struct responder_request){.ttl = 1, .protocol = 17, .cookie = cookie};
		asked++;
		served += bench_ask(&bench, VICTIM, 1, request, 100);
	}
	assert_int_equal(hellos, 1);
	assert_true(asked > 290);
	assert_int_equal(served, asked);
	bench_deinit(&bench);
}

/* Forging the honest client's own neighbours does not shut it out either. */
static void flood_from_the_same_prefix(void **state UNUSED)
{
	struct bench bench;
	bench_init(&bench, NULL);
	struct responder_request request = {.ttl = 1, .protocol = 17};
	assert_int_equal(bench_ask(&bench, VICTIM, 1, (struct responder_request){0}, 100), 1);
	uint64_t cookie = cookie_from(&bench);
	for (int i = 0; i < 100000; i++) {
		bench.now_ns += NS_PER_S / 100000;
		bench_ask(&bench, addr_add(VICTIM, 1 + (uint64_t)i % 100), 1, request, 100);
	}
	request.cookie = cookie;
	assert_int_equal(bench_ask(&bench, VICTIM, 1, request, 100), 1);
	bench_deinit(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bucket_refills),
		cmocka_unit_test(prefixes_are_apart),
		cmocka_unit_test(cookie_life),
		cmocka_unit_test(price_covers_everything),
		cmocka_unit_test(one_byte_short),
		cmocka_unit_test(cookies_cost_nothing),
		cmocka_unit_test(never_more_bytes_out_than_in),
		cmocka_unit_test(first_contact_is_bounded),
		cmocka_unit_test(honest_client_under_flood),
		cmocka_unit_test(flood_from_the_same_prefix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
