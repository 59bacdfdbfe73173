/* The way back inside a TCP connection: from b, which serves, to a, which asked, behind a translator and a
 * firewall that lets in only what belongs to connections from inside. Packets to a go by x, those to b do not:
 *
 *   a -- home -- wall -- r1 -- r2 -- r3 -- b
 *                          \-- x --/                                                                           */
#include "scene.h"

#include "trace/inband.h"

#define SERVICE	   443
#define ASKER_PORT 40123
#define ASKED	   0xfffff000u /* what the asker sends begins here: its numbers pass zero */
#define SERVED	   0xfffffd00u
#define SEGMENTS   3
#define SEGMENT	   1400
#define STAMPED	   500000u /* the timestamps of b */

static const uint8_t families[] = {4, 6};

static struct world *town(const char *x, const char *wires)
{
	char text[3000];
	snprintf(text, sizeof(text),
		"ases:\n"
		"  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: \"2001:db8:1::/48\"}\n"
		"hosts:\n"
		"  - {name: a, as: 64496, address: 192.168.1.2, address6: \"2001:db8:1:aa::2\"}\n"
		"  - {name: b, as: 64496}\n"
		"routers:\n"
		"  - {name: home, as: 64496, behaviour: {nat: {inside: 192.168.1.0/24}}}\n"
		"  - {name: wall, as: 64496, behaviour: {firewall: [{do: allow, established: true}, "
		"{do: allow, from: 192.0.2.64/26}, {do: allow, from: \"2001:db8:1:aa::/64\"}, {do: drop}]}}\n"
		"  - {name: r1, as: 64496}\n"
		"  - {name: r2, as: 64496}\n"
		"  - {name: x, as: 64496, behaviour: {%s}}\n"
		"  - {name: r3, as: 64496}\n"
		"links:\n"
		"  - {from: home, to: a, from_address: 192.168.1.1, to_address: 192.168.1.2, from_address6: "
		"\"2001:db8:1:aa::1\", to_address6: \"2001:db8:1:aa::2\"}\n"
		"  - {from: wall, to: home, delay_ms: 10, from_address: 192.0.2.65, to_address: 192.0.2.66}\n"
		"  - {from: r1, to: wall, delay_ms: 10%s}\n"
		"  - {from: r1, to: r2, delay_ms: 10}\n"
		"  - {from: r2, to: r3, delay_ms: 10}\n"
		"  - {from: r1, to: x, delay_ms: 10, cost: 500}\n"
		"  - {from: x, to: r3, delay_ms: 10, cost_back: 1}\n"
		"  - {from: r3, to: b}\n"
		"routes: [{at: r3, to: a, via: [x]}, {at: x, to: a, via: [r1]}, {at: r3, to: home, via: [x]}, "
		"{at: x, to: home, via: [r1]}]\n",
		x, wires);
	return scene_world(text);
}

/* One end of the connection as a kernel has it. */
struct end {
	uint32_t next_out, next_in;
	bool plain;	     /* it does not name duplicates */
	bool stamps;
	int64_t gone_ns;     /* from then on it is not there */
	uint32_t last_stamp;
};

struct stage {
	struct scene scene;
	uint8_t family;
	struct end asker, server;
	struct addr asker_seen; /* by b */
	uint16_t port_seen;
	struct inband inband;
	struct machine machine;
	int64_t wake_ns, started_ns, done_ns;
	bool running, mute;
	unsigned probes;
};

/* ---- packets of both kernels */

static void send_as(struct stage *stage, bool server, const struct packet_spec *spec)
{
	uint8_t bytes[2000];
	struct writer writer = writer_init(bytes, sizeof(bytes));
	assert_int_equal(packet_write(&writer, spec), 0);
	assert_int_equal(
		sim_send(stage->scene.sim, server ? stage->scene.b : stage->scene.a, bytes, writer.length), 0);
	struct packet packet;
	assert_int_equal(packet_read(bytes, writer.length, &packet), 0);
	if (server && stage->running) /* as a packet socket shows what leaves */
		stage->machine.ops->packet(stage->machine.self, sim_now(stage->scene.sim), &packet);
}

static struct packet_spec segment(const struct stage *stage, bool server, uint16_t length)
{
	static uint8_t text[SEGMENT];
	const struct end *end = server ? &stage->server : &stage->asker;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(end->next_out + i);
	return (struct packet_spec){
		.ip = {.source = server ? stage->scene.to[stage->family] : stage->scene.from[stage->family],
			.destination = server ? stage->asker_seen : stage->scene.to[stage->family],
			.ttl = 64,
			.tos = 0x2a, /* AF11 and ECT(0) */
			.protocol = PROTOCOL_TCP,
			.id = 7,
			.dont_fragment = stage->family == 4,
			.flow_label = stage->family == 6 ? 0x12345 : 0},
		.transport = {.source_port = server ? SERVICE : ASKER_PORT,
			.destination_port = server ? stage->port_seen : SERVICE,
			.tcp_sequence = end->next_out,
			.tcp_acknowledgement = end->next_in,
			.tcp_flags = TCP_ACK,
			.tcp_window = 501,
			.tcp_has_timestamps = end->stamps,
			.tcp_timestamp_value = STAMPED,
			.tcp_timestamp_echo = 77,
			.payload = text,
			.payload_length = length},
	};
}

static void say(struct stage *stage, bool server, uint16_t length)
{
	struct packet_spec spec = segment(stage, server, length);
	send_as(stage, server, &spec);
	(server ? &stage->server : &stage->asker)->next_out += length;
}

/* RFC 9293 3.10.7.4, RFC 2883, RFC 7323 5.3: old data is acknowledged, by its number where that is spoken. */
static void asker_hears(struct stage *stage, const struct packet *packet)
{
	const struct transport *tcp = &packet->transport;
	struct end *end = &stage->asker;
	if (packet->ip.protocol != PROTOCOL_TCP || (end->gone_ns && sim_now(stage->scene.sim) >= end->gone_ns))
		return;
	assert_true(packet->checksum_ok);
	assert_int_equal(tcp->tcp_flags & (TCP_RST | TCP_SYN | TCP_FIN), 0);
	assert_int_equal(packet->ip.flow_label, stage->family == 6 ? 0x12345 : 0);
	assert_true(!end->stamps || (tcp->tcp_has_timestamps && tcp->tcp_timestamp_value >= end->last_stamp));
	end->last_stamp = tcp->tcp_timestamp_value;
	if (tcp->payload_length == 0)
		return;
	struct packet_spec spec = segment(stage, false, 0);
	if (tcp->tcp_sequence == end->next_in) {
		end->next_in += (uint32_t)tcp->payload_length;
	} else if ((int32_t)(tcp->tcp_sequence - end->next_in) < 0) {
		assert_true(end->next_in - tcp->tcp_sequence <= INBAND_PROBES_MAX);
		assert_int_equal(tcp->payload_length, 1);
		assert_int_equal(tcp->payload[0], (uint8_t)tcp->tcp_sequence); /* what was there before */
		assert_int_equal(packet->ip.tos, 0x28);
		assert_int_equal(tcp->tcp_window, 501);
		spec.transport.tcp_has_sack = !end->plain;
		spec.transport.tcp_sack_left = tcp->tcp_sequence;
		spec.transport.tcp_sack_right = tcp->tcp_sequence + 1;
	}
	spec.transport.tcp_acknowledgement = end->next_in;
	send_as(stage, false, &spec);
}

static void server_hears(struct stage *stage, const struct packet *packet)
{
	bool first = stage->server.next_in == ASKED;
	if (packet->ip.protocol == PROTOCOL_TCP && packet->transport.payload_length > 0) {
		stage->server.next_in = packet->transport.tcp_sequence + (uint32_t)packet->transport.payload_length;
		stage->asker_seen = packet->ip.source;
		stage->port_seen = packet->transport.source_port;
	}
	if (!first || packet->ip.protocol != PROTOCOL_TCP)
		return;
	struct inband_config config = {.local = stage->scene.to[stage->family],
		.remote = stage->asker_seen,
		.local_port = SERVICE,
		.remote_port = stage->port_seen,
		.key = {3, 4}};
	inband_init(&stage->inband, &config);
	stage->machine = inband_machine(&stage->inband);
	stage->running = true;
	stage->started_ns = stage->wake_ns = sim_now(stage->scene.sim);
	for (unsigned i = 0; i < SEGMENTS && !stage->mute; i++)
		say(stage, true, SEGMENT);
}

static bool deliver(void *context, uint32_t host, const uint8_t *bytes, size_t length)
{
	struct stage *stage = context;
	struct packet packet;
	assert_int_equal(packet_read(bytes, length, &packet), 0);
	if (host == stage->scene.a) {
		asker_hears(stage, &packet);
	} else if (host == stage->scene.b) {
		server_hears(stage, &packet);
		stage->machine.ops->packet(stage->machine.self, sim_now(stage->scene.sim), &packet);
		stage->wake_ns = sim_now(stage->scene.sim);
	}
	return true;
}

/* ---- the run */

static void pump(struct stage *stage)
{
	static struct outgoing outgoing;
	const struct machine_ops *ops = stage->machine.ops;
	int64_t now_ns = sim_now(stage->scene.sim);
	for (;;) {
		enum machine_want want = ops->next(stage->machine.self, now_ns, &outgoing, &stage->wake_ns);
		if (want == MACHINE_WAIT)
			return;
		if (want == MACHINE_DONE) {
			stage->done_ns = now_ns;
			stage->running = false;
			return;
		}
		struct packet packet;
		assert_int_equal(sim_send(stage->scene.sim, stage->scene.b, outgoing.bytes, outgoing.length), 0);
		assert_int_equal(packet_read(outgoing.bytes, outgoing.length, &packet), 0);
		ops->sent(stage->machine.self, outgoing.token, now_ns, 0);
		ops->packet(stage->machine.self, now_ns, &packet);
		stage->probes++;
	}
}

static struct stage *stage_of(struct world *world, uint8_t family)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	stage->scene = scene_of(world);
	stage->family = family;
	stage->asker = (struct end){.next_out = ASKED, .next_in = SERVED, .stamps = true};
	stage->server = (struct end){.next_out = SERVED, .next_in = ASKED, .stamps = true};
	sim_set_deliver(stage->scene.sim, deliver, stage);
	return stage;
}

static void run_until(struct stage *stage, int64_t end_ns)
{
	while (sim_now(stage->scene.sim) < end_ns && !stage->done_ns) {
		int64_t next_ns = sim_next(stage->scene.sim);
		sim_advance(stage->scene.sim, MIN(end_ns, MIN(next_ns, stage->running ? stage->wake_ns : TIME_NEVER)));
		if (stage->running && stage->wake_ns <= sim_now(stage->scene.sim))
			pump(stage);
	}
}

static struct path *run(struct stage *stage)
{
	say(stage, false, 200);
	run_until(stage, 60 * NS_PER_S);
	assert_true(stage->done_ns > 0);
	return inband_path(&stage->inband, 0, stage->done_ns);
}

static void stage_end(struct stage *stage, struct path *path)
{
	path_free(path);
	inband_deinit(&stage->inband);
	scene_end(&stage->scene);
	free(stage);
}

/* ---- what must have been found */

static const char *const nodes[] = {"r3", "x", "r1", "wall", "home"};
static const char *const before[] = {"b", "r3", "x", "r1", "wall"};

static void assert_way(const struct stage *stage, const struct path *path, int silent)
{
	assert_non_null(path);
	assert_true(path->reached);
	assert_int_equal(path->direction, DIRECTION_REVERSE);
	assert_string_equal(path->method, "inband");
	assert_int_equal(path->hop_count, 6);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(path->hops[i].technique, TECHNIQUE_INBAND);
		assert_int_equal(path->hops[i].certainty, CERTAINTY_MEASURED);
		assert_int_equal(path->hops[i].ttl, i + 1);
		assert_addr(path->hops[i].address,
			i == silent ? ADDR_NONE
				    : interface_address(stage->scene.world, nodes[i], before[i], stage->family));
	}
	assert_addr(path->hops[5].address, stage->family == 4 ? addr_v4(0xc0000242) : stage->scene.from[6]);
	assert_addr(path->destination, path->hops[5].address);
	assert_addr(path->source, stage->scene.to[stage->family]);
	assert_int_equal(path->flow.source_port, SERVICE);
	assert_int_equal(path->flow.destination_port, stage->port_seen);
}

/* r3-b 1, x 10, r1 10, wall 10, home 10, a 1 and back by r2, not x */
#define ROUND_TRIP_NS ((1 + 10 + 10 + 10 + 10 + 1) * 2 * NS_PER_MS)

static void test_behind_nat_and_firewall(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families) * 2; i++) {
		struct stage *stage = stage_of(town("silent: false", ""), families[i % 2]);
		stage->asker.stamps = stage->server.stamps = i < 2;
		struct path *path = run(stage);
		assert_way(stage, path, -1);
		/* One for the bytes to be acknowledged, one for all hops. */
		assert_true(stage->done_ns - stage->started_ns <= 2 * ROUND_TRIP_NS);
		for (size_t hop = 0; hop < 6; hop++) {
			assert_int_equal(path->hops[hop].received, 3);
			assert_true(path->hops[hop].rtt_min_ns > 0 && path->hops[hop].rtt_max_ns <= ROUND_TRIP_NS);
		}
		assert_true(path->hops[5].rtt_min_ns == ROUND_TRIP_NS);
		assert_int_equal(stage->probes, path->probes_sent);
		assert_true(stage->probes <= 30);
		assert_null(inband_trouble(&stage->inband));
		stage_end(stage, path);
	}
}

static void test_silent_hop(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct stage *stage = stage_of(town("silent: true", ""), families[i]);
		struct path *path = run(stage);
		assert_way(stage, path, 1);
		assert_true(path->hops[1].sent >= 3);
		assert_int_equal(path->hops[1].received, 0);
		assert_true(stage->done_ns - stage->started_ns <= 10 * ROUND_TRIP_NS);
		stage_end(stage, path);
	}
}

/* One answer a second: the hop is there, and what it did not say is missing. */
static void test_rate_limited_hop(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct stage *stage =
			stage_of(town("error_limit: {burst: 1, per_second: 1}", ""), families[i]);
		struct path *path = run(stage);
		assert_way(stage, path, -1);
		assert_true(path->hops[1].received >= 1 && path->hops[1].received < path->hops[1].sent);
		stage_end(stage, path);
	}
}

/* A link that loses a fifth in each direction, the connection's own segments too: what b said is acknowledged in
 * part, or said again. */
static void test_loss(void **state)
{
	(void)state;
	unsigned whole = 0, reached = 0;
	for (unsigned i = 0; i < 40; i++) {
		struct stage *stage = stage_of(town("silent: false", ", loss: 0.2"), families[i % 2]);
		sim_free(stage->scene.sim);
		stage->scene.sim = sim_new(stage->scene.world, i);
		sim_set_deliver(stage->scene.sim, deliver, stage);
		struct path *path = run(stage);
		for (size_t hop = 0; path && hop < path->hop_count; hop++)
			if (hop < 5 && addr_is_set(path->hops[hop].address))
				assert_addr(path->hops[hop].address,
					interface_address(stage->scene.world, nodes[hop], before[hop], stage->family));
		reached += path && path->reached;
		whole += path && path->reached && path->hop_count == 6;
		stage_end(stage, path);
	}
	/* The question itself is lost in a fifth of the runs, and then the stage stays dark. */
	assert_true(reached >= 25);
	assert_true(whole >= reached - 1);
}

/* An end that does not say which byte came twice. */
static void test_end_without_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families) * 2; i++) {
		struct stage *stage =
			stage_of(town(i < 2 ? "silent: false" : "silent: true", ""), families[i % 2]);
		stage->asker.plain = true;
		struct path *path = run(stage);
		assert_way(stage, path, i < 2 ? -1 : 1);
		stage_end(stage, path);
	}
}

static void test_end_vanishes(void **state)
{
	(void)state;
	struct stage *stage = stage_of(town("silent: false", ""), 4);
	stage->asker.gone_ns = 2 * ROUND_TRIP_NS; /* the bytes are acknowledged by then */
	struct path *path = run(stage);
	assert_non_null(path);
	assert_false(path->reached);
	for (int i = 0; i < 5; i++)
		assert_addr(path->hops[i].address, interface_address(stage->scene.world, nodes[i], before[i], 4));
	assert_true(stage->done_ns - stage->started_ns <= 3 * NS_PER_S);
	assert_true(stage->probes <= 70);
	stage_end(stage, path);
}

/* A reset or a FIN from the far end: nothing more is sent. */
static void test_end_closes(void **state)
{
	static const uint8_t flags[] = {TCP_RST, TCP_FIN | TCP_ACK};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		struct stage *stage = stage_of(town("silent: true", ""), 4);
		say(stage, false, 200);
		run_until(stage, 3 * ROUND_TRIP_NS);
		assert_false(stage->done_ns);
		struct packet_spec spec = segment(stage, false, 0);
		spec.transport.tcp_flags = flags[i];
		send_as(stage, false, &spec);
		run_until(stage, 3 * ROUND_TRIP_NS + ROUND_TRIP_NS / 2 + 1);
		assert_true(stage->done_ns > 0);
		assert_non_null(strstr(inband_trouble(&stage->inband), "closed"));
		stage_end(stage, inband_path(&stage->inband, 0, stage->done_ns));
	}
}

/* Nothing was sent that could be repeated, or nothing of it is acknowledged. */
static void test_nothing_to_repeat(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct stage *stage = stage_of(town("silent: false", ""), 4);
		stage->mute = i == 0;
		stage->asker.gone_ns = 1;
		struct path *path = run(stage);
		assert_null(path);
		assert_non_null(inband_trouble(&stage->inband));
		assert_int_equal(stage->probes, 0);
		stage_end(stage, path);
	}
}

/* ---- somebody else's errors about packets of the connection */

static void forge(struct stage *stage, int32_t sequence_off, uint16_t id, int32_t acknowledgement_off, bool whole)
{
	struct packet_spec about = segment(stage, true, 1);
	about.ip.ttl = 1;
	about.ip.id = id;
	about.transport.tcp_sequence = stage->inband.anchor + (uint32_t)sequence_off;
	about.transport.tcp_acknowledgement += (uint32_t)acknowledgement_off;
	uint8_t quote[200], bytes[300];
	struct writer writer = writer_init(quote, sizeof(quote));
	assert_int_equal(packet_write(&writer, &about), 0);
	size_t quoted = stage->family == 4 && !whole ? 28 : writer.length;
	bool v4 = stage->family == 4;
	struct packet_spec error = {
		.ip = {.source = v4 ? addr_v4(0x06060606) : addr_v6(0x2001066600000000, 6),
			.destination = stage->scene.to[stage->family],
			.ttl = 60,
			.protocol = v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6},
		.transport = {.icmp_type = v4 ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED,
			.payload = quote,
			.payload_length = quoted},
	};
	struct packet packet;
	writer = writer_init(bytes, sizeof(bytes));
	assert_int_equal(packet_write(&writer, &error), 0);
	assert_int_equal(packet_read(bytes, writer.length, &packet), 0);
	assert_true(packet.has_quote);
	stage->machine.ops->packet(stage->machine.self, sim_now(stage->scene.sim), &packet);
}

/* Wrong numbers; for IPv4 right ones with a wrong ID; right ones with another acknowledgement. */
static void test_forged_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct stage *stage = stage_of(town("silent: true", ""), families[i]);
		say(stage, false, 200);
		run_until(stage, 3 * ROUND_TRIP_NS); /* probes are underway */
		assert_int_equal(stage->inband.phase, INBAND_TRACING);
		unsigned known = stage->inband.trace.replies_received;
		for (uint16_t id = 0; id < 200; id++) {
			forge(stage, 1 + id, id, 0, false);
			forge(stage, -600, id, 0, false);
		}
		for (int number = -1; number >= -30; number--) {
			forge(stage, number, 7, 1, true);
			if (families[i] == 4)
				forge(stage, number, 7, 0, false);
		}
		assert_int_equal(stage->inband.trace.replies_received, known);
		run_until(stage, 60 * NS_PER_S);
		struct path *path = inband_path(&stage->inband, 0, stage->done_ns);
		assert_way(stage, path, 1);
		stage_end(stage, path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_behind_nat_and_firewall),
		cmocka_unit_test(test_silent_hop),
		cmocka_unit_test(test_rate_limited_hop),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_end_without_names),
		cmocka_unit_test(test_end_vanishes),
		cmocka_unit_test(test_end_closes),
		cmocka_unit_test(test_nothing_to_repeat),
		cmocka_unit_test(test_forged_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
