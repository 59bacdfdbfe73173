/* Boxes in the way: translators, firewalls, filters of false sources. */
#include "scene.h"

/* a and c behind a home router, which is behind a carrier's; `home` and `carrier` are their behaviours */
#define HOME                                                                                                 \
	"ases:\n"                                                                                            \
	"  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: \"2001:db8:1::/48\"}\n"     \
	"hosts:\n"                                                                                           \
	"  - {name: a, as: 64496, address: 192.168.1.2}\n"                                                   \
	"  - {name: c, as: 64496, address: 192.168.1.6}\n"                                                   \
	"  - {name: b, as: 64496}\n"                                                                         \
	"routers:\n"                                                                                         \
	"  - {name: home, as: 64496, behaviour: {%s}}\n"                                                     \
	"  - {name: carrier, as: 64496, behaviour: {%s}}\n"                                                  \
	"  - {name: r, as: 64496}\n"                                                                         \
	"links:\n"                                                                                           \
	"  - {from: home, to: a, from_address: 192.168.1.1, to_address: 192.168.1.2}\n"                      \
	"  - {from: home, to: c, from_address: 192.168.1.5, to_address: 192.168.1.6}\n"                      \
	"  - {from: carrier, to: home, from_address: 100.64.0.1, to_address: 100.64.0.2}\n"                  \
	"  - {from: carrier, to: r}\n"                                                                       \
	"  - {from: r, to: b}\n"

#define NAT "nat: {inside: 192.168.1.0/24}"
#define CGN "nat: {inside: 100.64.0.0/10}"

static struct scene behind(const char *home, const char *carrier)
{
	char text[3000];
	snprintf(text, sizeof(text), HOME, home, carrier);
	return scene_of(scene_world(text));
}

/* The addresses that the world outside sees, of a trace through both: RFC 3022 for the header, RFC 5508 for
 * what errors quote. */
static void test_double_translation(void **state)
{
	struct scene s = behind(NAT, CGN);
	struct watcher watcher;
	(void)state;
	watch(s.sim, s.b, &watcher);
	for (uint8_t ttl = 1; ttl <= 4; ttl++)
		(void)prober_add_udp(s.prober, ttl * NS_PER_MS, s.from[4], s.to[4], ttl, 1000, ttl);
	prober_run(s.sim, s.a, s.prober);
	const struct addr hops[] = {addr_v4(0xc0a80101), addr_v4(0x64400001),
		interface_address(s.world, "r", "carrier", 4), s.to[4]};
	for (unsigned i = 0; i < 4; i++) {
		const struct packet *answer = answer_to(&s, i);
		assert_addr(answer->ip.source, hops[i]);
		assert_addr(answer->ip.destination, s.from[4]);
		assert_addr(answer->quoted_ip.source, s.from[4]); /* put right again */
		assert_int_equal(answer->quoted.source_port, 1000);
		assert_true(answer->checksum_ok);
	}
	assert_int_equal(watcher.seen, 1);
	assert_addr(watcher.last.ip.source, interface_address(s.world, "carrier", "r", 4));
	assert_int_equal(watcher.last.transport.source_port, 1000);
	assert_true(watcher.last.checksum_ok);
	scene_end(&s);
}

/* The quoted checksum, too, is that of the packet as it was sent: nothing in the quote gives the box away. */
static void test_quote_is_whole(void **state)
{
	struct scene s = behind(NAT, "silent: false");
	struct packet sent;
	(void)state;
	const struct probe *probe = prober_add_udp(s.prober, 0, s.from[4], s.to[4], 3, 1000, 9);
	assert_int_equal(packet_read(probe->bytes, probe->length, &sent), 0);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(answer_to(&s, 0)->quoted.checksum, sent.transport.checksum);
	assert_int_equal(answer_to(&s, 0)->quoted.destination_port, sent.transport.destination_port);
	scene_end(&s);
}

/* Some translate the outer header only: then the quote shows their address. */
static void test_quotes_left_alone(void **state)
{
	struct scene s = behind("nat: {inside: 192.168.1.0/24, quotes: false}", "silent: false");
	(void)state;
	/* the length of a probe finds its answer, whatever the quote says */
	(void)prober_add_udp(s.prober, 0, s.from[4], s.to[4], 3, 1000, 9);
	prober_run(s.sim, s.a, s.prober);
	assert_addr(answer_to(&s, 0)->ip.destination, s.from[4]);
	assert_addr(answer_to(&s, 0)->quoted_ip.source, addr_v4(0x64400002));
	scene_end(&s);
}

/* Echo ids are translated like ports; two hosts with the same id, or the same port, both get their own
 * answers. */
static void test_shared_ports(void **state)
{
	struct scene s = behind(NAT, CGN);
	struct prober *other = calloc(1, sizeof(*other));
	struct addr c = world_node_address(s.world, world_find_node(s.world, "c"), 4);
	struct packet_spec from_a = echo_spec(s.from[4], s.to[4], 0, 1), from_c = echo_spec(c, s.to[4], 0, 1);
	(void)state;
	(void)prober_add(s.prober, 0, &from_a);
	(void)prober_add_udp(s.prober, 0, s.from[4], s.to[4], 9, 1000, 20);
	prober_run(s.sim, s.a, s.prober);
	(void)prober_add(other, 0, &from_c);
	(void)prober_add_udp(other, 0, c, s.to[4], 9, 1000, 20);
	prober_run(s.sim, world_find_node(s.world, "c"), other);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(s.prober->probes[i].answers, 1);
		assert_int_equal(other->probes[i].answers, 1);
	}
	assert_addr(other->probes[0].answer.ip.destination, c);
	assert_int_equal(other->probes[0].answer.transport.icmp_id, 77);
	assert_true(other->probes[0].answer.checksum_ok);
	assert_int_equal(other->probes[1].answer.quoted.source_port, 1000);
	free(other);
	scene_end(&s);
}

/* From outside: the box itself answers for its address, and nobody gets in. */
static void test_unasked(void **state)
{
	struct scene s = behind(NAT, CGN);
	struct addr outside = interface_address(s.world, "carrier", "r", 4);
	struct packet_spec box = echo_spec(s.to[4], outside, 0, 1), in = echo_spec(s.to[4], s.from[4], 0, 2);
	struct watcher watcher;
	(void)state;
	watch(s.sim, s.a, &watcher);
	(void)prober_add(s.prober, 0, &box);
	(void)prober_add(s.prober, 0, &in);
	prober_run(s.sim, s.b, s.prober);
	assert_int_equal(s.prober->probes[0].answers, 1);
	assert_int_equal(s.prober->probes[1].answers, 0);
	assert_int_equal(watcher.seen, 0);
	assert_int_equal(sim_counts(s.sim).filtered, 1);
	scene_end(&s);
}

/* A flow ends: 30 s after the last echo its answer would not find back (Linux: nf_conntrack_icmp_timeout). */
static void test_flows_expire(void **state)
{
	char text[3000];
	(void)state;
	snprintf(text, sizeof(text), HOME "faults: [{link: [b, r], delay_ms: %d, one_way: true}]\n", NAT,
		"silent: false", 31000);
	struct scene s = scene_of(scene_world(text));
	struct packet_spec spec = echo_spec(s.from[4], s.to[4], 0, 1);
	struct watcher watcher;
	watch(s.sim, s.a, &watcher);
	(void)prober_add(s.prober, 0, &spec);
	prober_run(s.sim, s.a, s.prober);
	sim_advance(s.sim, 100 * NS_PER_S);
	assert_int_equal(watcher.seen, 0);
	scene_end(&s);
}

/* UDP ports of traceroute are dropped behind r2, which still shows; ping passes. */
static void test_port_filter(void **state)
{
	struct scene s =
		scene_of(chain("firewall: [{do: drop, protocol: udp, port: 33400, port_end: 33500}]", ""));
	struct packet_spec spec = echo_spec(s.from[6], s.to[6], 0, 100);
	(void)state;
	(void)prober_add_udp(s.prober, 0, s.from[4], s.to[4], 2, 1000, 1);
	(void)prober_add_udp(s.prober, 0, s.from[4], s.to[4], 3, 1000, 2);
	(void)prober_add_udp(s.prober, 0, s.from[6], s.to[6], 9, 1000, 3);
	(void)prober_add(s.prober, 0, &spec);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(s.prober->probes[0].answers, 1);
	assert_int_equal(s.prober->probes[1].answers, 0);
	assert_int_equal(s.prober->probes[2].answers, 0);
	assert_int_equal(s.prober->probes[3].answers, 1);
	assert_int_equal(sim_counts(s.sim).filtered, 2);
	scene_end(&s);
}

static struct packet_spec syn(struct addr from, struct addr to, uint16_t port)
{
	return (struct packet_spec){
		.ip = {.source = from, .destination = to, .ttl = 64, .protocol = PROTOCOL_TCP},
		.transport = {.source_port = (uint16_t)(40000 + port),
			.destination_port = port,
			.tcp_flags = TCP_SYN,
			.tcp_sequence = 7},
	};
}

/* Refused: with a code, by reset in the name of the target. */
static void test_refusing_filter(void **state)
{
	struct scene s = scene_of(chain("firewall: [{do: refuse, refuse: host-admin, protocol: udp},"
					" {do: refuse, refuse: reset, protocol: tcp, port: 80},"
					" {do: refuse, refuse: port, protocol: icmp}]",
		""));
	struct addr r2 = interface_address(s.world, "r2", "r1", 4);
	struct packet_spec to_80 = syn(s.from[4], s.to[4], 80), to_81 = syn(s.from[4], s.to[4], 81);
	struct packet_spec echo = echo_spec(s.from[6], s.to[6], 0, 100);
	(void)state;
	(void)prober_add_udp(s.prober, 0, s.from[4], s.to[4], 9, 1000, 1);
	(void)prober_add(s.prober, 0, &to_80);
	(void)prober_add(s.prober, 0, &to_81);
	(void)prober_add(s.prober, 0, &echo);
	prober_run(s.sim, s.a, s.prober);
	assert_addr(answer_to(&s, 0)->ip.source, r2);
	assert_int_equal(answer_to(&s, 0)->transport.icmp_code, 10);
	assert_addr(answer_to(&s, 1)->ip.source, s.to[4]);
	assert_int_equal(answer_to(&s, 1)->transport.tcp_flags, TCP_RST | TCP_ACK);
	assert_int_equal(answer_to(&s, 1)->ip.ttl, 254); /* from two hops away, not from four */
	assert_int_equal(answer_to(&s, 2)->ip.ttl, 61);
	assert_int_equal(answer_to(&s, 3)->transport.icmp_code, 4);
	scene_end(&s);
}

#define STATEFUL "firewall: [{do: allow, established: true}, {do: allow, from: 192.0.2.64/26}, {do: drop}]"

/* What began inside goes on, with the errors about it; nothing begins outside. */
static void test_stateful(void **state)
{
	static const char world[] =
		"ases:\n"
		"  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: "
		"\"2001:db8:1::/48\"}\n"
		"hosts: [{name: a, as: 64496, address: 192.0.2.65}, {name: b, as: 64496}]\n"
		"routers:\n"
		"  - {name: r1, as: 64496, behaviour: {" STATEFUL "}}\n"
		"  - {name: r2, as: 64496}\n"
		"links: [{from: a, to: r1}, {from: r1, to: r2}, {from: r2, to: b}]\n";
	struct scene s = scene_of(scene_world(world));
	struct prober *from_b = calloc(1, sizeof(*from_b));
	struct packet_spec out = echo_spec(s.from[4], s.to[4], 0, 100),
			   in = echo_spec(s.to[4], s.from[4], 0, 100);
	(void)state;
	(void)prober_add(s.prober, 0, &out);
	(void)prober_add_udp(s.prober, 0, s.from[4], s.to[4], 2, 1000, 1);
	(void)prober_add_udp(s.prober, 0, s.from[4], s.to[4], 3, 1000, 2);
	prober_run(s.sim, s.a, s.prober);
	in.transport.icmp_id = 78;
	(void)prober_add(from_b, 0, &in);
	prober_run(s.sim, s.b, from_b);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(s.prober->probes[i].answers, 1);
	assert_int_equal(from_b->probes[0].answers, 0);
	free(from_b);
	scene_end(&s);
}

/* A host's own firewall. */
static void test_host_firewall(void **state)
{
	static const char world[] =
		"ases:\n"
		"  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: "
		"\"2001:db8:1::/48\"}\n"
		"hosts: [{name: a, as: 64496}, {name: b, as: 64496, behaviour: {firewall: "
		"[{do: drop, protocol: udp}]}}]\n"
		"routers: [{name: r1, as: 64496}]\n"
		"links: [{from: a, to: r1}, {from: r1, to: b}]\n";
	struct scene s = scene_of(scene_world(world));
	struct packet_spec echo = echo_spec(s.from[4], s.to[4], 0, 100);
	(void)state;
	(void)prober_add(s.prober, 0, &echo);
	(void)prober_add_udp(s.prober, 0, s.from[4], s.to[4], 9, 1000, 1);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(s.prober->probes[0].answers, 1);
	assert_int_equal(s.prober->probes[1].answers, 0);
	scene_end(&s);
}

/* How many packets of three sources reach b: a's own, one of b's network, one that nobody has. */
static unsigned pass_filter(const char *filter, unsigned *own, unsigned *inside)
{
	char text[2000];
	static const char world[] = "ases:\n"
				    "  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: "
				    "\"2001:db8:1::/48\"}\n"
				    "  - {asn: 64497, name: Two, country: DE, prefix: 198.51.100.0/24, "
				    "prefix6: \"2001:db8:2::/48\"}\n"
				    "hosts: [{name: a, as: 64496}, {name: b, as: 64497}]\n"
				    "routers:\n"
				    "  - {name: r1, as: 64496}\n"
				    "  - {name: r2, as: 64497, behaviour: {source_filter: %s}}\n"
				    "links: [{from: a, to: r1}, {from: r1, to: r2}, {from: r2, to: b}]\n";
	snprintf(text, sizeof(text), world, filter);
	struct scene s = scene_of(scene_world(text));
	struct watcher watcher;
	watch(s.sim, s.b, &watcher);
	const struct addr sources[] = {s.from[4], addr_v4(0xc63364c8), addr_v4(0xcb007107)};
	unsigned seen[3];
	for (unsigned i = 0; i < 3; i++) {
		struct packet_spec spec = echo_spec(sources[i], s.to[4], 0, 1);
		uint8_t bytes[100];
		struct writer writer = writer_init(bytes, sizeof(bytes));
		watcher.seen = 0;
		assert_int_equal(packet_write(&writer, &spec), 0);
		assert_int_equal(sim_send(s.sim, s.a, bytes, writer.length), 0);
		sim_advance(s.sim, sim_now(s.sim) + NS_PER_S);
		seen[i] = watcher.seen > 0; /* or refusals of its answer */
	}
	assert_int_equal(sim_counts(s.sim).filtered, 3 - seen[0] - seen[1] - seen[2]);
	scene_end(&s);
	*own = seen[0];
	*inside = seen[1];
	return seen[2];
}

static void check_filter(const char *filter, unsigned own, unsigned inside, unsigned nobody)
{
	unsigned got_own, got_inside, got_nobody = pass_filter(filter, &got_own, &got_inside);
	assert_int_equal(got_own, own);
	assert_int_equal(got_inside, inside);
	assert_int_equal(got_nobody, nobody);
}

/* RFC 2827, RFC 3704 2.2 to 2.4: none; only the neighbour's; not our own from outside; only what has a way.
 */
static void test_source_filters(void **state)
{
	(void)state;
	check_filter("none", 1, 1, 1);
	check_filter("strict", 1, 0, 0);
	check_filter("own", 1, 0, 1);
	check_filter("loose", 1, 0, 0);
	check_filter("hosts", 1, 1, 1); /* r1 is no host */
}

/* At the edge: a host sends only what has its own address. */
static void test_edge_filter(void **state)
{
	struct scene s = scene_of(chain("source_filter: hosts", "  - {from: a, to: r2, cost: 1}\n"));
	(void)state;
	(void)prober_add_udp(s.prober, 0, s.from[4], s.to[4], 9, 1000, 1);
	(void)prober_add_udp(s.prober, 0, addr_v4(0xcb007107), s.to[4], 9, 1000, 2);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(s.prober->probes[0].answers, 1);
	assert_int_equal(sim_counts(s.sim).filtered, 1);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_double_translation),
		cmocka_unit_test(test_quote_is_whole),
		cmocka_unit_test(test_quotes_left_alone),
		cmocka_unit_test(test_shared_ports),
		cmocka_unit_test(test_unasked),
		cmocka_unit_test(test_flows_expire),
		cmocka_unit_test(test_port_filter),
		cmocka_unit_test(test_refusing_filter),
		cmocka_unit_test(test_stateful),
		cmocka_unit_test(test_host_firewall),
		cmocka_unit_test(test_source_filters),
		cmocka_unit_test(test_edge_filter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
