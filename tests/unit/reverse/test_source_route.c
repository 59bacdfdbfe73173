/* The client of source routing, fed with events. Expectations come from RFC 8200, RFC 8754, RFC 5095, RFC
 * 791, and from scapy 2.5, which made the golden headers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../golden/bytes.h"
#include "base/clock.h"
#include "packet/forward.h"
#include "packet/packet.h"
#include "reverse/source_route.h"

#define HOME6	 addr_v6(0x20010db800010000, 5)
#define FAR6	 addr_v6(0x20010db800020000, 7)
#define HOME4	 addr_v4(0xcb007105)
#define FAR4	 addr_v4(0xc6336407)
#define HELLO	 64
#define SENT_MAX 400

struct scene {
	const struct reverse_method *method;
	void *run;
	struct machine machine;
	int64_t now_ns, wake_ns;
	bool done;
	unsigned sent;
	struct outgoing packets[SENT_MAX];
	char detail[300];
	struct path *path;
};

static struct addr router(unsigned number)
{
	return addr_v6(0x20010db800990000, number);
}

static void pump(struct scene *s)
{
	enum machine_want want;
	while ((want = s->machine.ops->next(s->machine.self, s->now_ns, &s->packets[s->sent], &s->wake_ns)) ==
		MACHINE_SEND) {
		s->machine.ops->sent(s->machine.self, s->packets[s->sent].token, s->now_ns, 0);
		s->sent++;
		assert_true(s->sent < SENT_MAX);
	}
	s->done = want == MACHINE_DONE;
}

static struct scene *scene_new(const struct reverse_method *method, unsigned distance)
{
	struct scene *s = calloc(1, sizeof(*s));
	bool v4 = method->ipv4;
	struct reverse_task task = {.target = v4 ? FAR4 : FAR6, .source = v4 ? HOME4 : HOME6, .seed = 12345};
	struct hop end = {.ttl = (int)distance};
	struct path forward = {.reached = true, .hops = &end, .hop_count = 1};
	assert_non_null(s);
	s->method = method;
	s->run = method->start(&task);
	assert_non_null(s->run);
	s->machine = method->machine(s->run);
	s->now_ns = 1000 * NS_PER_S;
	if (distance)
		method->known(s->run, &forward);
	pump(s);
	return s;
}

static void scene_free(struct scene *s)
{
	path_free(s->path);
	s->method->free(s->run);
	free(s);
}

static enum attempt_status status(struct scene *s)
{
	path_free(s->path);
	s->path = s->method->path(s->run, 0);
	return s->method->status(s->run, s->detail, sizeof(s->detail));
}

static void assert_says(struct scene *s, enum attempt_status expected, const char *words)
{
	if (status(s) != expected || !strstr(s->detail, words))
		fail_msg("%s: %s", attempt_status_word(status(s)), s->detail);
}

static struct packet sent_packet(const struct scene *s, unsigned index)
{
	struct packet packet;
	assert_int_equal(packet_read(s->packets[index].bytes, s->packets[index].length, &packet), 0);
	return packet;
}

/* The last packet with that hop limit; `plain`: without a routing header. */
static unsigned find(const struct scene *s, unsigned ttl, bool plain)
{
	for (unsigned i = s->sent; i-- > 0;) {
		struct packet packet = sent_packet(s, i);
		if (packet.ip.ttl == ttl && (packet.ip.routing.present || packet.ip.route.present) == !plain)
			return i;
	}
	fail_msg("nothing was sent with hop limit %u", ttl);
	return 0;
}

static unsigned count_sent(const struct scene *s, unsigned ttl)
{
	unsigned count = 0;
	for (unsigned i = 0; i < s->sent; i++)
		count += s->packets[i].bytes[7] == ttl; /* the IPv6 hop limit */
	return count;
}

static void receive(struct scene *s, const uint8_t *bytes, size_t length)
{
	struct packet packet;
	uint8_t *copy = malloc(length);
	memcpy(copy, bytes, length);
	assert_int_equal(packet_read(copy, length, &packet), 0);
	s->now_ns += NS_PER_MS;
	s->machine.ops->packet(s->machine.self, s->now_ns, &packet);
	free(copy);
}

struct complaint {
	uint8_t type, code;
	uint32_t pointer;
	size_t quote;	/* bytes of it, 0 = all */
	size_t damaged; /* this byte of the quote is another one */
};

/* An error about a packet that was sent, from that router; `beyond`: after the far host. */
static void complain(
	struct scene *s, unsigned index, struct addr from, bool beyond, struct complaint complaint)
{
	uint8_t quote[300], bytes[400];
	size_t length = s->packets[index].length;
	memcpy(quote, s->packets[index].bytes, length);
	if (beyond)
		assert_true(forward_next_segment(quote, length));
	quote[7] = 0;
	if (complaint.damaged)
		quote[complaint.damaged] ^= 1;
	struct packet_spec spec = {
		.ip = {.source = from, .destination = HOME6, .ttl = 60, .protocol = PROTOCOL_ICMPV6},
		.transport = {.icmp_type = complaint.type,
			.icmp_code = complaint.code,
			.icmp_pointer = complaint.pointer,
			.payload = quote,
			.payload_length = complaint.quote ? complaint.quote : length},
	};
	struct writer writer = writer_init(bytes, sizeof(bytes));
	assert_int_equal(packet_write(&writer, &spec), 0);
	receive(s, bytes, writer.length);
}

static void expire(struct scene *s, unsigned ttl, struct addr from, bool beyond)
{
	complain(s, find(s, ttl, false), from, beyond, (struct complaint){.type = ICMP6_TIME_EXCEEDED});
}

/* The packet itself, at our door. */
static void come_home(struct scene *s, unsigned ttl, unsigned routers)
{
	struct outgoing packet = s->packets[find(s, ttl, false)];
	assert_true(forward_next_segment(packet.bytes, packet.length));
	assert_true(forward_set_ttl(packet.bytes, packet.length, (uint8_t)(ttl - routers)));
	receive(s, packet.bytes, packet.length);
}

static void echo_reply(struct scene *s, unsigned index, struct addr from)
{
	uint8_t bytes[400];
	struct packet packet = sent_packet(s, index);
	struct packet_spec spec = {
		.ip = {.source = from,
			.destination = packet.ip.source,
			.ttl = 60,
			.protocol = packet.ip.protocol},
		.transport = packet.transport,
	};
	spec.transport.icmp_type = from.family == 4 ? (uint8_t)ICMP4_ECHO_REPLY : (uint8_t)ICMP6_ECHO_REPLY;
	struct writer writer = writer_init(bytes, sizeof(bytes));
	assert_int_equal(packet_write(&writer, &spec), 0);
	receive(s, bytes, writer.length);
}

/* Let all time pass that it wants to wait, without an answer. */
static void wait(struct scene *s)
{
	s->now_ns = MAX(s->wake_ns, s->now_ns);
	pump(s);
}

/* Far host at 4; routers 1 to 3 there, 5 to 7 back, home at 8. All of what is out is answered, but for
 * `silent`. */
static void answer_all(struct scene *s, unsigned from, unsigned silent)
{
	for (unsigned i = from; i < s->sent; i++) {
		unsigned ttl = sent_packet(s, i).ip.ttl;
		if (ttl >= 8)
			come_home(s, ttl, 7);
		else if (ttl != silent)
			expire(s, ttl, ttl == 4 ? FAR6 : router(ttl), ttl >= 4);
	}
}

/* ---- what is sent */

static void assert_bytes(const uint8_t *bytes, const char *hex)
{
	struct bytes golden = bytes_of_hex(hex);
	assert_memory_equal(bytes, golden.data, golden.length);
	free(golden.data);
}

/* The hop limit is HELLO, and the flow label is not compared. */
static void test_golden_headers(void **state)
{
	(void)state;
	struct scene *s = scene_new(&source_route_method, 4);
	unsigned hello = find(s, HELLO, false);
	assert_true(sent_packet(s, hello).ip.flow_label > 0);
	assert_true(sent_packet(s, hello).checksum_ok);
	memset(s->packets[hello].bytes + 1, 0, 3);
	assert_bytes(s->packets[hello].bytes,
		"60000000003a2b40 20010db8000100000000000000000005 20010db8000200000000000000000007"
		"3a04040101000000 20010db8000100000000000000000005 20010db8000200000000000000000007");
	scene_free(s);
	s = scene_new(&source_route_rh0_method, 4);
	hello = find(s, HELLO, false);
	memset(s->packets[hello].bytes + 1, 0, 3);
	assert_bytes(s->packets[hello].bytes,
		"60000000002a2b40 20010db8000100000000000000000005 20010db8000200000000000000000007"
		"3a02000100000000 20010db8000100000000000000000005");
	scene_free(s);
	s = scene_new(&source_route_lsrr_method, 4);
	assert_bytes(s->packets[find(s, HELLO, false)].bytes,
		"4700002e 00000000 4001854b cb007105 c6336407 83 07 04 cb007105 00");
	scene_free(s);
}

/* One flow: label, identifier and checksum are the same, so that balancers keep all packets together. */
static void test_one_flow(void **state)
{
	(void)state;
	struct scene *s = scene_new(&source_route_method, 0);
	struct packet first = sent_packet(s, 0);
	for (unsigned i = 1; i < s->sent; i++) {
		struct packet packet = sent_packet(s, i);
		assert_int_equal(packet.ip.flow_label, first.ip.flow_label);
		assert_int_equal(packet.transport.icmp_id, first.transport.icmp_id);
		assert_int_equal(packet.transport.checksum, first.transport.checksum);
		assert_int_not_equal(packet.transport.icmp_seq, first.transport.icmp_seq);
		assert_true(packet.checksum_ok);
	}
	scene_free(s);
}

static void test_families(void **state)
{
	(void)state;
	struct reverse_task six = {.target = FAR6, .source = HOME6}, four = {.target = FAR4, .source = HOME4};
	struct reverse_task mixed = {.target = FAR6, .source = HOME4};
	assert_null(source_route_method.start(&four));
	assert_null(source_route_rh0_method.start(&four));
	assert_null(source_route_lsrr_method.start(&six));
	assert_null(source_route_method.start(&mixed));
}

/* ---- what is understood */

static void assert_whole(struct scene *s)
{
	assert_says(s, ATTEMPT_OK, "3 routers back");
	assert_non_null(s->path);
	assert_true(s->path->reached);
	assert_int_equal(s->path->hop_count, 4);
	for (unsigned i = 0; i < 4; i++) {
		const struct hop *hop = &s->path->hops[i];
		assert_int_equal(hop->ttl, i + 1);
		assert_true(addr_equal(hop->address, i == 3 ? HOME6 : router(5 + i)));
		assert_int_equal(hop->technique, TECHNIQUE_SOURCE_ROUTE);
		assert_int_equal(hop->certainty, CERTAINTY_MEASURED);
	}
}

/* Two bursts: the hops next to the far host and the whole length come with the first. */
static void test_whole(void **state)
{
	(void)state;
	for (unsigned distance = 0; distance <= 4; distance += 4) {
		struct scene *s = scene_new(&source_route_method, distance);
		answer_all(s, 0, 0);
		pump(s);
		assert_true(s->done);
		assert_whole(s);
		assert_true(s->sent <= 17);
		scene_free(s);
	}
}

/* A lost packet is sent again, at most three times in all. */
static void test_silent(void **state)
{
	(void)state;
	struct scene *s = scene_new(&source_route_method, 4);
	answer_all(s, 0, 6);
	pump(s);
	for (unsigned i = 0; i < 20 && !s->done; i++)
		wait(s);
	assert_true(s->done);
	assert_int_equal(count_sent(s, 6), 3);
	assert_int_equal(count_sent(s, 5), 1);
	assert_says(s, ATTEMPT_OK, "3 routers back, 1 of them silent");
	assert_false(addr_is_set(s->path->hops[1].address));
	assert_int_equal(s->path->hops[1].sent, 3);
	assert_int_equal(s->path->hops[1].received, 0);
	scene_free(s);
}

static void test_lost_and_asked_again(void **state)
{
	(void)state;
	struct scene *s = scene_new(&source_route_method, 4);
	answer_all(s, 0, 6);
	pump(s);
	wait(s);
	expire(s, 6, router(6), true);
	pump(s);
	assert_true(s->done);
	assert_whole(s);
	scene_free(s);
}

/* The way back is longer than the first burst went. */
static void test_long(void **state)
{
	(void)state;
	struct scene *s = scene_new(&source_route_method, 4);
	come_home(s, HELLO, 29); /* home is at 30 */
	for (unsigned ttl = 2; ttl <= 8; ttl++)
		expire(s, ttl, ttl == 4 ? FAR6 : router(ttl), ttl >= 4);
	pump(s);
	for (unsigned ttl = 9; ttl <= 29; ttl++)
		expire(s, ttl, router(ttl), true);
	pump(s);
	assert_true(s->done);
	assert_int_equal(count_sent(s, 30), 0);
	assert_says(s, ATTEMPT_OK, "25 routers back");
	assert_int_equal(s->path->hop_count, 26);
	scene_free(s);
}

/* A kernel that takes segments answers the echo request: to itself. */
static void test_our_kernel_answers(void **state)
{
	(void)state;
	struct scene *s = scene_new(&source_route_method, 4);
	for (unsigned i = 0; i < s->sent; i++) {
		unsigned ttl = sent_packet(s, i).ip.ttl;
		if (ttl >= 8)
			echo_reply(s, i, HOME6);
		else
			expire(s, ttl, ttl == 4 ? FAR6 : router(ttl), ttl >= 4);
	}
	pump(s);
	assert_true(s->done);
	assert_whole(s);
	scene_free(s);
}

/* RFC 8754 4.3.1.1: the hop limit is looked at before the next segment is taken; and it answers by an address
 * that nobody asked for. Packets without the header tell that it is at 4 and not at 5. */
static void test_distance_is_asked_for(void **state)
{
	(void)state;
	for (int at_four = 0; at_four <= 1; at_four++) {
		struct scene *s = scene_new(&source_route_method, 0);
		unsigned first = s->sent;
		for (unsigned i = 0; i < first; i++) {
			unsigned ttl = sent_packet(s, i).ip.ttl;
			if (ttl >= 8)
				come_home(s, ttl, 7);
			else
				expire(s, ttl, router(ttl), ttl >= 5);
		}
		pump(s);
		assert_int_equal(s->sent, first + 1);
		assert_int_equal(sent_packet(s, first).ip.ttl, 4);
		assert_false(sent_packet(s, first).ip.routing.present);
		if (at_four)
			echo_reply(s, first, FAR6);
		else
			complain(s, first, router(4), false, (struct complaint){.type = ICMP6_TIME_EXCEEDED});
		pump(s);
		assert_true(s->done);
		assert_says(s, ATTEMPT_OK, at_four ? "3 routers back" : "2 routers back");
		assert_true(addr_equal(s->path->hops[0].address, router(at_four ? 5 : 6)));
		assert_int_equal(s->path->hops[0].ttl, 1);
		scene_free(s);
	}
}

/* ---- what is refused */

static void test_parameter_problem(void **state)
{
	(void)state;
	static const struct {
		struct complaint complaint;
		const char *words;
	} cases[] = {
		{{.type = 4, .code = 0, .pointer = 42}, "does not know segment routing"},
		{{.type = 4, .code = 0, .pointer = 43}, "segments left"},
		{{.type = 4, .code = 4, .pointer = 80}, "segment-routing-upper-layer"},
		{{.type = 1, .code = 7}, "source-route-failed"},
		{{.type = 1, .code = 1}, "admin-prohibited"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene *s = scene_new(&source_route_method, 4);
		unsigned first = s->sent;
		complain(s, find(s, HELLO, false), FAR6, false, cases[i].complaint);
		for (unsigned j = 0; j < 5 && !s->done; j++)
			wait(s);
		assert_true(s->done);
		assert_int_equal(s->sent, first); /* once is enough */
		assert_says(s, ATTEMPT_REFUSED, cases[i].words);
		assert_non_null(strstr(s->detail, "the far host 2001:db8:2::7"));
		scene_free(s);
	}
}

static void test_type_0(void **state)
{
	(void)state;
	struct scene *s = scene_new(&source_route_rh0_method, 4);
	complain(s, find(s, HELLO, false), router(2), false, (struct complaint){.type = 4, .pointer = 42});
	assert_says(s, ATTEMPT_REFUSED, "RFC 5095");
	assert_int_equal(strncmp(s->detail, "2001:db8:99::2 refuses", 22), 0);
	scene_free(s);
}

static void test_header_is_ignored(void **state)
{
	(void)state;
	struct scene *s = scene_new(&source_route_method, 4);
	echo_reply(s, find(s, HELLO, false), FAR6);
	assert_says(s, ATTEMPT_UNSUPPORTED, "answers packets with a segment routing header itself");
	scene_free(s);
	s = scene_new(&source_route_lsrr_method, 4);
	echo_reply(s, find(s, HELLO, false), FAR4);
	assert_says(s, ATTEMPT_UNSUPPORTED, "answers packets with a loose source route itself");
	scene_free(s);
}

/* Nothing at all, and how much that costs: two packets for each question. */
static void test_silence(void **state)
{
	(void)state;
	for (unsigned distance = 0; distance <= 4; distance += 4) {
		struct scene *s = scene_new(&source_route_method, distance);
		unsigned first = s->sent;
		for (unsigned i = 0; i < 5 && !s->done; i++)
			wait(s);
		assert_true(s->done);
		assert_int_equal(s->sent, 2 * first);
		assert_says(s, ATTEMPT_TIMEOUT, "dropped on the way");
		assert_null(s->path);
		assert_true(s->method->duration_ns(s->run) <= 3 * NS_PER_S);
		scene_free(s);
	}
}

static void test_send_fails(void **state)
{
	(void)state;
	struct scene *s = scene_new(&source_route_method, 4);
	for (unsigned i = 0; i < s->sent; i++)
		s->machine.ops->sent(s->machine.self, s->packets[i].token, s->now_ns, -1 /* EPERM */);
	assert_says(s, ATTEMPT_UNAVAILABLE, "cannot send");
	scene_free(s);
}

/* ---- forgeries */

/* Whoever did not see a packet does not know its tag, identifier and number. */
static void test_forged(void **state)
{
	(void)state;
	static const size_t damaged[] = {
		8 + 3,	/* another source */
		80,	/* no echo request */
		80 + 4, /* identifier */
		80 + 6, /* number, far out */
		80 + 8, /* tag */
		80 + 15,
	};
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		struct scene *s = scene_new(&source_route_method, 4);
		complain(s, find(s, 5, false), router(66), true,
			(struct complaint){.type = ICMP6_TIME_EXCEEDED, .damaged = damaged[i]});
		complain(s, find(s, HELLO, false), FAR6, false,
			(struct complaint){.type = 4, .pointer = 42, .damaged = damaged[i]});
		assert_says(s, ATTEMPT_TIMEOUT, "no answer");
		assert_null(s->path);
		scene_free(s);
	}
}

static void test_forged_arrivals(void **state)
{
	(void)state;
	struct scene *s = scene_new(&source_route_method, 4);
	unsigned hello = find(s, HELLO, false);
	echo_reply(s, hello, router(1));      /* neither the far host nor ourselves */
	s->packets[hello].bytes[80 + 8] ^= 1; /* and its checksum is wrong then */
	echo_reply(s, hello, HOME6);
	echo_reply(s, hello, FAR6);
	assert_says(s, ATTEMPT_TIMEOUT, "no answer");
	scene_free(s);
}

/* Routers that quote as little as RFC 792 asked for: 8 bytes behind the headers. */
static void test_short_quotes(void **state)
{
	(void)state;
	struct scene *s = scene_new(&source_route_method, 4);
	for (unsigned i = 0; i < s->sent; i++) {
		unsigned ttl = sent_packet(s, i).ip.ttl;
		if (ttl >= 8)
			come_home(s, ttl, 7);
		else
			complain(s, i, ttl == 4 ? FAR6 : router(ttl), ttl >= 4,
				(struct complaint){.type = ICMP6_TIME_EXCEEDED, .quote = 88});
	}
	pump(s);
	assert_whole(s);
	scene_free(s);
}

/* The first answer counts, and what comes later or twice does no harm. */
static void test_twice(void **state)
{
	(void)state;
	struct scene *s = scene_new(&source_route_method, 4);
	answer_all(s, 0, 0);
	answer_all(s, 0, 0);
	expire(s, 5, router(77), true);
	pump(s);
	assert_true(s->done);
	assert_whole(s);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_headers),
		cmocka_unit_test(test_one_flow),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_lost_and_asked_again),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_our_kernel_answers),
		cmocka_unit_test(test_distance_is_asked_for),
		cmocka_unit_test(test_parameter_problem),
		cmocka_unit_test(test_type_0),
		cmocka_unit_test(test_header_is_ignored),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_send_fails),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_forged_arrivals),
		cmocka_unit_test(test_short_quotes),
		cmocka_unit_test(test_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
