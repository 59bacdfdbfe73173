/* The responder's client against the responder over a way of known length, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "base/rng.h"
#include "reverse/responder.h"
#include "way.h"

static void *make_client(struct way *way, enum probe_protocol protocol, uint16_t flow)
{
	struct reverse_task task = {
		.target = way->server_addr,
		.source = way->client_addr,
		.protocol = protocol,
		.flow = flow,
		.seed = 0xfff8, /* ids wrap around in mid-run */
	};
	void *client = responder_method.start(&task);
	assert_non_null(client);
	way->client = responder_method.machine(client);
	return client;
}

/* Every hop is the true one, but for those in `silent`, and times are within `slack`. */
static void expect_truth(const struct way *way, const struct path *path, int64_t slack_ns)
{
	assert_non_null(path);
	assert_int_equal(path->direction, DIRECTION_REVERSE);
	assert_string_equal(path->method, "responder");
	assert_true(addr_equal(path->source, way->server_addr));
	assert_true(addr_equal(path->destination, way->client_addr));
	assert_true(path->reached);
	assert_int_equal(path->stop_reason, STOP_REACHED);
	assert_int_equal(path->hop_count, way->routers + 1);
	for (unsigned ttl = 1; ttl <= way->routers + 1; ttl++) {
		const struct hop *hop = &path->hops[ttl - 1];
		assert_int_equal(hop->ttl, ttl);
		assert_int_equal(hop->technique, TECHNIQUE_RESPONDER);
		if (way->silent >> ttl & 1) {
			assert_false(addr_is_set(hop->address));
			continue;
		}
		struct addr truth = ttl <= way->routers ? router_addr(way, ttl) : seen_client(way);
		assert_true(addr_equal(hop->address, truth));
		assert_true(hop->received > 0);
		int64_t true_ns = 2 * ttl * way->hop_delay_ns;
		assert_true(llabs(hop->rtt_median_ns - true_ns) <= slack_ns);
	}
}

static void expect_status(const void *client, enum attempt_status want)
{
	char detail[200] = "";
	assert_int_equal(responder_method.status(client, detail, sizeof(detail)), want);
	assert_true(detail[0] != '\0');
}

static void run_to_truth(struct way *way, enum probe_protocol protocol, uint16_t flow, int64_t slack_ns)
{
	void *client = make_client(way, protocol, flow);
	way_run(way, 20 * NS_PER_S);
	struct path *path = responder_method.path(client, 1);
	expect_truth(way, path, slack_ns);
	expect_status(client, ATTEMPT_OK);
	path_free(path);
	responder_method.free(client);
}

#define TICK_NS (INT64_C(1) << 18)

static void every_protocol_family_and_flow(void **state UNUSED)
{
	static const uint16_t flows[] = {0, 1, 40000, 0xffff};
	for (uint8_t family = 4; family <= 6; family += 2)
		for (enum probe_protocol protocol = PROBE_ICMP; protocol <= PROBE_TCP; protocol++)
			for (size_t i = 0; i < ARRAY_LEN(flows); i++) {
				struct way way;
				way_init(&way, family);
				/* A direct TCP answer knows the time to half a tick. */
				run_to_truth(
					&way, protocol, flows[i], protocol == PROBE_TCP ? TICK_NS / 2 : 0);
				way_deinit(&way);
			}
}

static void eight_byte_quotes(void **state UNUSED)
{
	for (enum probe_protocol protocol = PROBE_ICMP; protocol <= PROBE_TCP; protocol++)
		for (int padded = 0; padded <= 1; padded++) {
			struct way way;
			way_init(&way, 4);
			way.quote = 8;
			way.zero_padded = padded;
			run_to_truth(&way, protocol, 0, TICK_NS / 2);
			way_deinit(&way);
		}
}

/* The repetitions follow the hello's answer: a round trip, and what the last router's answer takes. */
static void healthy_path_takes_two_rounds(void **state UNUSED)
{
	struct way way;
	way_init(&way, 4);
	void *client = make_client(&way, PROBE_UDP, 0);
	int64_t start_ns = way.now_ns;
	int64_t rtt_ns = way.there_delay_ns + 6 * way.hop_delay_ns;
	way_run(&way, 20 * NS_PER_S);
	/* To ask the last router: there, probe to it and its answer, back. */
	assert_true(way.now_ns - start_ns <= rtt_ns + (rtt_ns + 2 * 5 * way.hop_delay_ns));
	assert_true(responder_method.duration_ns(client) == way.now_ns - start_ns);
	struct path *path = responder_method.path(client, 1);
	for (size_t i = 0; i < path->hop_count; i++) {
		assert_int_equal(path->hops[i].sent, 3);
		assert_int_equal(path->hops[i].received, 3);
	}
	path_free(path);
	responder_method.free(client);
	way_deinit(&way);
}

static void path_longer_than_the_first_burst(void **state UNUSED)
{
	struct way way;
	way_init(&way, 6);
	way.routers = 25;
	run_to_truth(&way, PROBE_UDP, 0, 0);
	way_deinit(&way);
}

static void silent_hops(void **state UNUSED)
{
	struct way way;
	way_init(&way, 4);
	way.silent = 1 << 2 | 1 << 4;
	int64_t start_ns = way.now_ns;
	run_to_truth(&way, PROBE_UDP, 0, 0);
	/* A multiple of the round trip (24 ms with the last hop's), and a tenth of a second for routers that take
	 * their time. */
	assert_true(way.now_ns - start_ns < 230 * NS_PER_MS);
	way_deinit(&way);
}

static void a_hint_shortens_the_wait_for_nobody(void **state UNUSED)
{
	struct way way;
	way_init(&way, 4);
	way.mute = true;
	int64_t start_ns = way.now_ns;
	void *client = make_client(&way, PROBE_UDP, 0);
	responder_method.hint(client, 10 * NS_PER_MS);
	way_run(&way, 20 * NS_PER_S);
	expect_status(client, ATTEMPT_TIMEOUT);
	assert_true(way.now_ns - start_ns < NS_PER_S);
	responder_method.free(client);
	way_deinit(&way);
}

/* Our own host answers only a probe that went far beyond us: the rest was lost or over its limit. The way of the
 * responses tells where the end is. */
static void end_found_by_the_way_of_the_responses(void **state UNUSED)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct way way;
		way_init(&way, family);
		way.end_answers_from = way.routers + 5;
		void *client = make_client(&way, PROBE_UDP, 0);
		way_run(&way, 20 * NS_PER_S);
		struct path *path = responder_method.path(client, 1);
		assert_non_null(path);
		assert_true(path->reached);
		assert_int_equal(path->hop_count, way.routers + 1);
		const struct hop *last = &path->hops[way.routers];
		assert_true(addr_equal(last->address, way.client_addr));
		assert_int_equal(last->certainty, CERTAINTY_INFERRED);
		assert_int_equal(path->hops[0].certainty, CERTAINTY_MEASURED);
		path_free(path);
		responder_method.free(client);
		way_deinit(&way);
	}
}

static bool drop_every_third(struct way *way, bool to_server UNUSED, const struct packet *packet UNUSED)
{
	return way->counter++ % 3 == 0;
}

static void losses(void **state UNUSED)
{
	struct way way;
	way_init(&way, 4);
	way.drop = drop_every_third;
	void *client = make_client(&way, PROBE_ICMP, 0);
	way_run(&way, 20 * NS_PER_S);
	struct path *path = responder_method.path(client, 1);
	assert_non_null(path);
	assert_true(path->reached);
	for (unsigned ttl = 1; ttl <= path->hop_count; ttl++) {
		struct addr address = path->hops[ttl - 1].address;
		assert_true(!addr_is_set(address) ||
			addr_equal(address, ttl <= way.routers ? router_addr(&way, ttl) : way.client_addr));
	}
	path_free(path);
	responder_method.free(client);
	way_deinit(&way);
}

/* The hello is lost: the probes' responses prove a responder just as well. */
static bool drop_first(struct way *way, bool to_server UNUSED, const struct packet *packet UNUSED)
{
	return way->counter++ == 0;
}

static void hello_lost(void **state UNUSED)
{
	struct way way;
	way_init(&way, 4);
	way.drop = drop_first;
	run_to_truth(&way, PROBE_UDP, 0, 0);
	way_deinit(&way);
}

/* A responder so busy with strangers that it answers nothing but the hello, until it sees the cookie. */
static bool drop_without_cookie(struct way *way UNUSED, bool to_server, const struct packet *packet)
{
	struct responder_request request;
	struct cursor body = cursor_init(packet->transport.payload, packet->transport.payload_length);
	return to_server && packet->transport.icmp_kind == ICMP_ECHO_REQUEST &&
		responder_request_read(&body, &request) == 0 && request.ttl > 0 && request.cookie == 0;
}

static void strangers_crowd_the_first_burst(void **state UNUSED)
{
	struct way way;
	way_init(&way, 4);
	way.drop = drop_without_cookie;
	int64_t start_ns = way.now_ns;
	run_to_truth(&way, PROBE_UDP, 0, 0);
	/* The first burst is given up when 1.5 times what the slowest repetition took and 20 ms have gone by; then two
	 * bursts of 24 ms. */
	assert_true(way.now_ns - start_ns <= (20 + 36 + 2 * 24) * NS_PER_MS);
	way_deinit(&way);
}

static bool every_other_late(struct way *way)
{
	return way->counter++ % 2;
}

static void out_of_order(void **state UNUSED)
{
	struct way way;
	way_init(&way, 6);
	way.reorder = every_other_late;
	run_to_truth(&way, PROBE_UDP, 0, NS_PER_MS);
	way_deinit(&way);
}

/* The end of the path answers six probes and then falls silent (Linux: icmp_ratelimit). */
static bool limit_unreachables(struct way *way, bool to_server, const struct packet *packet)
{
	return to_server && packet->transport.icmp_kind == ICMP_UNREACHABLE && way->counter++ >= 6;
}

static void own_reply_limit_is_no_loss(void **state UNUSED)
{
	struct way way;
	way_init(&way, 4);
	way.drop = limit_unreachables;
	void *client = make_client(&way, PROBE_UDP, 0);
	way_run(&way, 20 * NS_PER_S);
	struct path *path = responder_method.path(client, 1);
	expect_truth(&way, path, 0);
	assert_int_equal(path->hops[5].sent, 3);
	assert_int_equal(path->hops[5].received, 3);
	path_free(path);
	responder_method.free(client);
	way_deinit(&way);
}

static void host_that_echoes(void **state UNUSED)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct way way;
		way_init(&way, family);
		responder_free(way.server);
		way.server = NULL;
		void *client = make_client(&way, PROBE_UDP, 0);
		int64_t start_ns = way.now_ns;
		way_run(&way, 20 * NS_PER_S);
		expect_status(client, ATTEMPT_UNSUPPORTED);
		assert_null(responder_method.path(client, 1));
		assert_true(way.now_ns - start_ns < 100 * NS_PER_MS);
		responder_method.free(client);
		way_deinit(&way);
	}
}

static void echo_beside_the_response(void **state UNUSED)
{
	struct way way;
	way_init(&way, 4);
	way.echo_too = true;
	run_to_truth(&way, PROBE_UDP, 0, 0);
	way_deinit(&way);
}

static void nobody_there(void **state UNUSED)
{
	struct way way;
	way_init(&way, 4);
	way.mute = true;
	void *client = make_client(&way, PROBE_UDP, 0);
	int64_t start_ns = way.now_ns;
	way_run(&way, 20 * NS_PER_S);
	expect_status(client, ATTEMPT_TIMEOUT);
	assert_null(responder_method.path(client, 1));
	assert_true(way.now_ns - start_ns <= 3 * NS_PER_S);
	assert_true(way.requests <= 20); /* no second burst at a host that says nothing */
	responder_method.free(client);
	way_deinit(&way);
}

static void behind_nat_of(bool stock)
{
	struct way way;
	way_init(&way, 4);
	way.stock = stock;
	way.client_addr = addr_v4(0xc0a80102);
	way.nat_addr = addr_v4(0xcb007163);
	void *client = make_client(&way, PROBE_UDP, 0);
	way_run(&way, 20 * NS_PER_S);
	struct path *path = responder_method.path(client, 1);
	expect_truth(&way, path, 0);
	char detail[200];
	assert_int_equal(responder_method.status(client, detail, sizeof(detail)), ATTEMPT_OK);
	assert_non_null(strstr(detail, "reached your NAT"));
	/* Only who was told is sure. */
	assert_int_equal(strstr(detail, "or a filter") != NULL, stock);
	assert_true(addr_equal(responder_method.public_address(client), way.nat_addr));
	path_free(path);
	responder_method.free(client);
	way_deinit(&way);
}

static void behind_nat(void **state UNUSED)
{
	behind_nat_of(false);
	behind_nat_of(true);
}

/* A filter before us answers for whatever is beyond it: that is no NAT of ours once our address is known. */
static void behind_a_filter(void **state UNUSED)
{
	struct way way;
	struct reverse_task task = {.protocol = PROBE_UDP, .seed = 3, .public_address = addr_v4(0xcb007199)};
	way_init(&way, 4);
	way.client_addr = addr_v4(0xc0a80102);
	way.nat_addr = addr_v4(0xcb007163);
	task.target = way.server_addr;
	task.source = way.client_addr;
	void *client = responder_method.start(&task);
	way.client = responder_method.machine(client);
	way_run(&way, 20 * NS_PER_S);
	struct path *path = responder_method.path(client, 1);
	expect_status(client, ATTEMPT_PARTIAL);
	assert_false(path->reached);
	assert_int_equal(path->stop_reason, STOP_UNREACHABLE);
	path_free(path);
	responder_method.free(client);
	way_deinit(&way);
}

/* Our own firewall swallows what reaches us: the routers are known, the end is not claimed. */
static bool drop_direct(struct way *way, bool to_server, const struct packet *packet)
{
	return to_server && addr_equal(packet->ip.source, way->client_addr) &&
		packet->transport.icmp_kind != ICMP_ECHO_REQUEST;
}

static void own_firewall(void **state UNUSED)
{
	struct way way;
	way_init(&way, 4);
	way.drop = drop_direct;
	void *client = make_client(&way, PROBE_UDP, 0);
	int64_t start_ns = way.now_ns;
	way_run(&way, 20 * NS_PER_S);
	expect_status(client, ATTEMPT_PARTIAL);
	struct path *path = responder_method.path(client, 1);
	assert_false(path->reached);
	assert_int_equal(path->stop_reason, STOP_GAP_LIMIT);
	assert_int_equal(path->hop_count, way.routers);
	assert_true(way.now_ns - start_ns < NS_PER_S);
	path_free(path);
	responder_method.free(client);
	way_deinit(&way);
}

static void interrupted(void **state UNUSED)
{
	struct way way;
	way_init(&way, 4);
	void *client = make_client(&way, PROBE_UDP, 0);
	assert_null(responder_method.path(client, 1));
	way_run(&way, 19 * NS_PER_MS); /* hello after 12 ms, hop 1 after 14, hop 2 after 16, hop 3 after 18 */
	struct path *path = responder_method.path(client, 1);
	assert_int_equal(path->hop_count, 3);
	assert_int_equal(path->stop_reason, STOP_INTERRUPTED);
	expect_status(client, ATTEMPT_PARTIAL);
	path_free(path);
	responder_method.free(client);
	way_deinit(&way);
}

static void no_route(void **state UNUSED)
{
	struct way way;
	way_init(&way, 4);
	void *client = make_client(&way, PROBE_UDP, 0);
	struct outgoing outgoing;
	int64_t wake_ns;
	enum machine_want want;
	while ((want = way.client.ops->next(way.client.self, way.now_ns, &outgoing, &wake_ns)) ==
		MACHINE_SEND)
		way.client.ops->sent(way.client.self, outgoing.token, way.now_ns, -ENETUNREACH);
	assert_int_equal(want, MACHINE_DONE);
	expect_status(client, ATTEMPT_UNAVAILABLE);
	responder_method.free(client);
	way_deinit(&way);
}

/* One response to the hello and one to the TTL-1 request, as a stranger might make them up or cut them off.
 */
static void offer(void *client, struct way *way, struct addr from, unsigned id_offset,
	const uint8_t *body, size_t length)
{
	struct packet_spec spec = {
		.ip = {.source = from, .destination = way->client_addr, .ttl = 60, .protocol = PROTOCOL_ICMP},
		.transport =
			{
				.icmp_kind = ICMP_ECHO_REPLY,
				.icmp_code = 1,
				.icmp_id = (uint16_t)(0xfff8 + id_offset),
				.payload = body,
				.payload_length = length,
			},
	};
	uint8_t bytes[1500];
	struct writer writer = writer_init(bytes, sizeof(bytes));
	assert_int_equal(packet_write(&writer, &spec), 0);
	struct packet packet;
	assert_int_equal(packet_read(bytes, writer.length, &packet), 0);
	(void)client;
	way->client.ops->packet(way->client.self, way->now_ns + NS_PER_MS, &packet);
}

static void forged_and_truncated(void **state UNUSED)
{
	static const uint8_t success[28] = {
		[14] = 0xff, [15] = 0xff, [16] = 10, [17] = 99, [18] = 0, [19] = 1, [21] = 1};
	struct way way;
	way_init(&way, 4);
	way.mute = true;
	void *client = make_client(&way, PROBE_UDP, 0);
	way_run(&way, NS_PER_MS);
	offer(client, &way, addr_v4(0x01020304), 1, success, sizeof(success)); /* another host */
	offer(client, &way, way.server_addr, 17, success, sizeof(success));    /* never asked */
	offer(client, &way, way.server_addr, 0, success, sizeof(success));     /* no answer to a hello */
	for (size_t length = 0; length < 28; length++)
		offer(client, &way, way.server_addr, 1, success, length);
	uint8_t bad[28];
	memcpy(bad, success, sizeof(bad));
	bad[16] = 224; /* a multicast hop */
	offer(client, &way, way.server_addr, 1, bad, sizeof(bad));
	assert_null(responder_method.path(client, 1));
	offer(client, &way, way.server_addr, 1, success, sizeof(success));
	bad[16] = 9; /* a second answer to the same request */
	offer(client, &way, way.server_addr, 1, bad, sizeof(bad));
	struct path *path = responder_method.path(client, 1);
	assert_int_equal(path->hop_count, 1);
	assert_true(addr_equal(path->hops[0].address, addr_v4(0x0a630001)));
	path_free(path);
	responder_method.free(client);
	way_deinit(&way);
}

/* Whatever comes in, nothing breaks and the run ends. */
static void noise(void **state UNUSED)
{
	struct rng rng = rng_seed(7);
	for (int round = 0; round < 200; round++) {
		struct way way;
		way_init(&way, 4);
		way.mute = true;
		void *client = make_client(&way, PROBE_TCP, 0);
		way_run(&way, NS_PER_MS);
		for (int i = 0; i < 100; i++) {
			uint8_t body[64];
			for (size_t j = 0; j < sizeof(body); j++)
				body[j] = rng_below(&rng, 3) ? 0 : (uint8_t)rng_u64(&rng);
			offer(client, &way, way.server_addr, (unsigned)rng_below(&rng, 20), body,
				rng_below(&rng, sizeof(body) + 1));
		}
		way_run(&way, 60 * NS_PER_S);
		struct outgoing outgoing;
		int64_t wake_ns;
		assert_int_equal(
			way.client.ops->next(way.client.self, way.now_ns, &outgoing, &wake_ns), MACHINE_DONE);
		path_free(responder_method.path(client, 1));
		responder_method.free(client);
		way_deinit(&way);
	}
}

static void protocol_refused(void **state UNUSED)
{
	static const uint8_t refusal[4] = {2};
	struct way way;
	way_init(&way, 4);
	way.mute = true;
	void *client = make_client(&way, PROBE_TCP, 0);
	way_run(&way, NS_PER_MS);
	offer(client, &way, way.server_addr, 3, refusal, sizeof(refusal));
	way_run(&way, NS_PER_S);
	expect_status(client, ATTEMPT_REFUSED);
	responder_method.free(client);
	way_deinit(&way);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_protocol_family_and_flow),
		cmocka_unit_test(eight_byte_quotes),
		cmocka_unit_test(healthy_path_takes_two_rounds),
		cmocka_unit_test(path_longer_than_the_first_burst),
		cmocka_unit_test(silent_hops),
		cmocka_unit_test(a_hint_shortens_the_wait_for_nobody),
		cmocka_unit_test(end_found_by_the_way_of_the_responses),
		cmocka_unit_test(losses),
		cmocka_unit_test(hello_lost),
		cmocka_unit_test(strangers_crowd_the_first_burst),
		cmocka_unit_test(out_of_order),
		cmocka_unit_test(own_reply_limit_is_no_loss),
		cmocka_unit_test(host_that_echoes),
		cmocka_unit_test(echo_beside_the_response),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(behind_nat),
		cmocka_unit_test(behind_a_filter),
		cmocka_unit_test(own_firewall),
		cmocka_unit_test(interrupted),
		cmocka_unit_test(no_route),
		cmocka_unit_test(forged_and_truncated),
		cmocka_unit_test(noise),
		cmocka_unit_test(protocol_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
