/* IPv4 packets that are cut at a narrow link and put together where they arrive; labels and wrappings that
 * make packets longer. */
#include "scene.h"

#define SEEN_MAX 32

/* a - r1 - r2 - r3 - b; the link between r2 and r3 takes so much. */
static struct scene narrow(const char *behaviour, unsigned mtu, const char *rest)
{
	char text[2000];
	snprintf(text, sizeof(text),
		WORLD_HEAD "routers:\n"
			   "  - {name: r1, as: 64496, behaviour: {%s}}\n"
			   "  - {name: r2, as: 64496}\n"
			   "  - {name: r3, as: 64496}\n"
			   "links: [{from: a, to: r1}, {from: r1, to: r2}, {from: r3, to: b},"
			   " {from: r2, to: r3, mtu: %u}]\n%s",
		behaviour, mtu, rest);
	return scene_of(scene_world(text));
}

/* What goes onto one interface. */
struct tap {
	uint32_t interface;
	unsigned count;
	struct packet packets[SEEN_MAX];
};

static void look(void *context, uint32_t interface, bool arrives, const uint8_t *bytes, size_t length)
{
	struct tap *tap = context;
	if (arrives || interface != tap->interface)
		return;
	assert_true(tap->count < SEEN_MAX);
	assert_int_equal(packet_read(bytes, length, &tap->packets[tap->count]), 0);
	tap->packets[tap->count++].transport.payload = NULL;
}

static void tap(struct scene *s, const char *from, const char *to, struct tap *tap)
{
	*tap = (struct tap){.interface = world_interface_to(s->world, world_find_node(s->world, from),
				    world_find_node(s->world, to))};
	sim_set_tap(s->sim, look, tap);
}

static struct packet_spec sized(const struct scene *s, uint16_t length)
{
	static const uint8_t zeros[300];
	struct packet_spec spec = echo_spec(s->from[4], s->to[4], 0, length);
	spec.transport.payload = zeros;
	spec.transport.payload_length = length - 28u;
	return spec;
}

/* 231 bytes after the header: 80, 80 and 71 of them fit into 100 each. The target and the source see one
 * packet. */
static void test_cut(void **state)
{
	struct scene s = narrow("silent: false", 100, "");
	struct tap there;
	struct watcher watcher;
	struct packet_spec spec = sized(&s, 251);
	const unsigned lengths[] = {100, 100, 91}, offsets[] = {0, 80, 160};
	(void)state;
	tap(&s, "r2", "r3", &there);
	watch(s.sim, s.b, &watcher);
	(void)prober_add(s.prober, 0, &spec);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(there.count, 3);
	for (unsigned i = 0; i < 3; i++) {
		const struct ip_header *ip = &there.packets[i].ip;
		assert_int_equal(ip->total_length, lengths[i]);
		assert_int_equal(ip->fragment_offset, offsets[i]);
		assert_int_equal(ip->more_fragments, i < 2);
		assert_int_equal(ip->id, there.packets[0].ip.id);
		assert_int_equal(ip->ttl, 62);
	}
	assert_int_equal(watcher.seen, 1);
	assert_int_equal(watcher.last.ip.total_length, 251);
	assert_true(watcher.last.checksum_ok);
	assert_int_equal(answer_to(&s, 0)->ip.total_length, 251); /* cut by r3 on its way, too */
	assert_true(answer_to(&s, 0)->checksum_ok);
	assert_int_equal(sim_counts(s.sim).too_big, 0);
	scene_end(&s);
}

/* RFC 791 3.1: Record Route is not copied. Its place is kept, as padding. */
static void test_options(void **state)
{
	struct scene s = narrow("silent: false", 100, "");
	struct tap there;
	struct packet_spec spec = record_route_spec(&s, 9);
	static const uint8_t zeros[60];
	(void)state;
	spec.transport.payload = zeros;
	spec.transport.payload_length = sizeof(zeros);
	tap(&s, "r2", "r3", &there);
	(void)prober_add(s.prober, 0, &spec);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(there.count, 2); /* 40 and 28 bytes of ICMP behind 60 of header */
	assert_int_equal(there.packets[0].ip.total_length, 100);
	assert_int_equal(there.packets[1].ip.total_length, 88);
	assert_true(there.packets[0].ip.route.present);
	assert_int_equal(there.packets[0].ip.route.used, 2);
	assert_false(there.packets[1].ip.route.present);
	assert_false(there.packets[1].ip.bad_options);
	assert_int_equal(there.packets[1].ip.header_length, 60);
	const struct route_option *route = &answer_to(&s, 0)->ip.route;
	assert_int_equal(route->used, 8); /* r1, r2, r3, b twice, r3, r2, r1 */
	assert_addr(route->addrs[1], interface_address(s.world, "r2", "r3", 4));
	assert_addr(route->addrs[3], s.to[4]);
	scene_end(&s);
}

/* RFC 1122 3.2.2: nothing is said about later fragments. */
static void test_errors(void **state)
{
	struct scene s = narrow("silent: false", 100, "");
	(void)state;
	(void)prober_add_udp(s.prober, 0, s.from[4], s.to[4], 3, 1000, 199); /* ends at r3, in three pieces */
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(sim_counts(s.sim).errors, 1);
	assert_int_equal(s.prober->strays, 1); /* it quotes a fragment */
	scene_end(&s);
}

static struct packet_spec piece(
	const struct scene *s, uint16_t id, uint16_t offset, uint16_t length, bool more)
{
	struct packet_spec spec = sized(s, (uint16_t)(28 + length));
	spec.ip.protocol = 253; /* RFC 3692: for experiments */
	spec.ip.id = id;
	spec.ip.fragment_offset = offset;
	spec.ip.more_fragments = more;
	return spec;
}

/* Many that never become whole, some that would be too long, pieces twice and the wrong way round: what is
 * whole arrives, once. */
static void test_bounds(void **state)
{
	struct scene s = narrow("silent: false", 1500, "");
	struct watcher watcher;
	struct packet_spec spec;
	(void)state;
	watch(s.sim, s.b, &watcher);
	for (uint16_t id = 1; id <= 40; id++) {
		spec = piece(&s, id, (uint16_t)(id > 20 ? 65528 - 80 : 80), 80, id % 2);
		(void)prober_add(s.prober, 0, &spec);
	}
	for (unsigned i = 0; i < 4; i++) {
		spec = piece(&s, 99, i < 2 ? 160 : i == 2 ? 80 : 0, i < 2 ? 33 : 80, i >= 2);
		(void)prober_add(s.prober, NS_PER_S, &spec);
	}
	/* The rest of one that waited for too long. */
	spec = piece(&s, 100, 80, 8, false);
	(void)prober_add(s.prober, 2 * NS_PER_S, &spec);
	spec = piece(&s, 100, 0, 80, true);
	(void)prober_add(s.prober, 33 * NS_PER_S, &spec);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(watcher.seen, 1);
	assert_int_equal(watcher.last.ip.total_length, 20 + 160 + 33);
	assert_int_equal(watcher.last.ip.id, 99);
	scene_end(&s);
}

/* Ports are in the first fragment only, so a translator puts packets together. r1 translates a; b asks
 * nothing. */
static void test_translator(void **state)
{
	static const char world[] =
		WORLD_HEAD "routers:\n"
			   "  - {name: r1, as: 64496}\n"
			   "  - {name: r2, as: 64496, behaviour: {nat: {inside: 192.0.2.64/26}}}\n"
			   "links: [{from: a, to: r1, from_address: 192.0.2.65, to_address: 192.0.2.64},"
			   " {from: r1, to: r2, mtu: 100, from_address: 192.0.2.66, to_address: 192.0.2.67}, "
			   "{from: r2, to: b}]\n";
	struct scene s = scene_of(scene_world(world));
	struct packet_spec spec = sized(&s, 251);
	struct watcher watcher;
	(void)state;
	watch(s.sim, s.b, &watcher);
	(void)prober_add(s.prober, 0, &spec);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(watcher.seen, 1);
	assert_addr(watcher.last.ip.source, interface_address(s.world, "r2", "b", 4));
	assert_int_equal(answer_to(&s, 0)->ip.total_length, 251);
	scene_end(&s);
}

/* a - r1 - r2 - r3 - r4 - b, labelled from r1 or r2 on; the link between r2 and r3 takes 200 bytes. */
static struct scene labelled(const char *routers)
{
	char text[2000];
	snprintf(text, sizeof(text),
		WORLD_HEAD "routers: [{name: r1, as: 64496}, {name: r2, as: 64496}, {name: r3, as: 64496},"
			   " {name: r4, as: 64496}]\n"
			   "links: [{from: a, to: r1}, {from: r1, to: r2}, {from: r2, to: r3, mtu: 200},"
			   " {from: r3, to: r4}, {from: r4, to: b}]\n"
			   "tunnels: [{routers: [%s]}]\n",
		routers);
	return scene_of(scene_world(text));
}

/* RFC 3032 2.1, 3.4, 3.5: a label is four bytes, which count, at the beginning of a tunnel and inside. */
static void test_label(void **state)
{
	static const char *const routers[] = {"r2, r3, r4", "r1, r2, r3, r4"};
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct scene s = labelled(routers[i]);
		struct tap there;
		tap(&s, "r2", "r3", &there);
		for (uint16_t length = 196; length <= 198; length++) {
			struct packet_spec spec = sized(&s, length);
			spec.ip.dont_fragment = length < 198;
			(void)prober_add(s.prober, 0, &spec);
		}
		prober_run(s.sim, s.a, s.prober);
		assert_addr(answer_to(&s, 0)->ip.source, s.to[4]);
		assert_addr(answer_to(&s, 1)->ip.source, interface_address(s.world, "r2", "r1", 4));
		assert_int_equal(answer_to(&s, 1)->transport.icmp_kind, ICMP_PACKET_TOO_BIG);
		assert_int_equal(answer_to(&s, 1)->transport.icmp_mtu, 196);
		assert_int_equal(
			answer_to(&s, 1)->extensions.mpls_count, i); /* it came with a label or without */
		assert_addr(answer_to(&s, 2)->ip.source, s.to[4]);
		assert_int_equal(
			there.count, 3 + i); /* one whole, one in two pieces; the error of inside goes on */
		assert_int_equal(there.packets[1].ip.total_length, 20 + 176);
		assert_int_equal(there.packets[2].ip.total_length, 20 + 2);
		scene_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_translator),
		cmocka_unit_test(test_label),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
