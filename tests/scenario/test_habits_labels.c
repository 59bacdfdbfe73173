/* Label switching as it shows, or does not, in a trace: a - i - l1 - l2 - l3 - e - x - b, a tunnel from i to
 * e. Expectations: RFC 3032, 3443, 4950, and the taxonomy of Donnet et al. */
#include "scene.h"

#define CHAIN                                                                                                \
	WORLD_HEAD "routers:\n"                                                                              \
		   "  - {name: i, as: 64496}\n"                                                              \
		   "  - {name: l1, as: 64496}\n"                                                             \
		   "  - {name: l2, as: 64496}\n"                                                             \
		   "  - {name: l3, as: 64496}\n"                                                             \
		   "  - {name: e, as: 64496, behaviour: {initial_ttl: {error: 255, echo: 64}}}\n"            \
		   "  - {name: x, as: 64496}\n"                                                              \
		   "links: [{from: a, to: i}, {from: i, to: l1}, {from: l1, to: l2}, {from: l2, to: l3},"    \
		   " {from: l3, to: e}, {from: e, to: x}, {from: x, to: b}]\n"                               \
		   "tunnels:\n"                                                                              \
		   "  - {routers: [i, l1, l2, l3, e], labels: [101, 102, 103]%s}\n"                          \
		   "  - {routers: [e, l3, l2, l1, i], hidden: %s}\n"

static const char *const names[] = {"i", "l1", "l2", "l3", "e", "x", "b"};
enum { I, L1, L2, L3, E, X, B };

static struct scene tunnel(const char *keys, bool hidden_back)
{
	char text[3000];
	snprintf(text, sizeof(text), CHAIN, keys, hidden_back ? "true" : "false");
	return scene_of(scene_world(text));
}

/* The address a node shows to packets from a. */
static struct addr shown(const struct scene *s, int node, uint8_t family)
{
	if (node == B)
		return s->to[family];
	return interface_address(s->world, names[node], node == I ? "a" : names[node - 1], family);
}

static void trace(struct scene *s, uint8_t family, struct addr to, uint8_t hops)
{
	for (uint8_t ttl = 1; ttl <= hops; ttl++)
		(void)prober_add_udp(s->prober, 0, s->from[family], to, ttl, 1000, ttl);
	prober_run(s->sim, s->a, s->prober);
}

struct expected {
	int node;
	int label;     /* -1: no extension */
	int label_ttl; /* with a label */
	int quoted_ttl;
};

static void check_trace(const char *keys, const struct expected *expected, uint8_t count)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct scene s = tunnel(keys, true);
		trace(&s, family, s.to[family], count);
		for (unsigned i = 0; i < count; i++) {
			const struct packet *answer = answer_to(&s, i);
			assert_addr(answer->ip.source, shown(&s, expected[i].node, family));
			assert_int_equal(answer->quoted_ip.ttl, expected[i].quoted_ttl);
			assert_int_equal(answer->extensions.present, expected[i].label >= 0);
			if (expected[i].label < 0)
				continue;
			assert_true(answer->extensions.checksum_ok);
			assert_int_equal(answer->extensions.mpls[0].label, expected[i].label);
			assert_int_equal(answer->extensions.mpls[0].ttl, expected[i].label_ttl);
		}
		scene_end(&s);
	}
}

/* Labels shown; the header inside keeps the TTL it had at the entrance. */
static void test_explicit(void **state)
{
	static const struct expected hops[] = {{I, -1, 0, 1}, {L1, 101, 1, 1}, {L2, 102, 1, 2},
		{L3, 103, 1, 3}, {E, -1, 0, 1}, {X, -1, 0, 1}, {B, -1, 0, 1}};
	(void)state;
	check_trace("", hops, 7);
}

/* The same up to the last router, which gets label 0 (RFC 3032 2.1). */
static void test_explicit_ultimate(void **state)
{
	static const struct expected hops[] = {{I, -1, 0, 1}, {L1, 101, 1, 1}, {L2, 102, 1, 2},
		{L3, 103, 1, 3}, {E, 0, 1, 1}, {X, -1, 0, 1}, {B, -1, 0, 1}};
	(void)state;
	check_trace(", pop: ultimate", hops, 7);
}

/* No labels, but the quoted TTL climbs. */
static void test_implicit(void **state)
{
	static const struct expected hops[] = {{I, -1, 0, 1}, {L1, -1, 0, 1}, {L2, -1, 0, 2}, {L3, -1, 0, 3},
		{E, -1, 0, 1}, {X, -1, 0, 1}, {B, -1, 0, 1}};
	(void)state;
	check_trace(", unlabelled: true", hops, 7);
}

/* One labelled hop whose label's TTL is 255 less the routers that do not show. */
static void test_opaque(void **state)
{
	static const struct expected hops[] = {{I, -1, 0, 1}, {E, 104, 252, 1}, {X, -1, 0, 1}, {B, -1, 0, 1}};
	(void)state;
	check_trace(", hidden: true, pop: opaque", hops, 4);
}

static void test_invisible(void **state)
{
	static const struct expected hops[] = {{I, -1, 0, 1}, {E, -1, 0, 1}, {X, -1, 0, 1}, {B, -1, 0, 1}};
	(void)state;
	check_trace(", hidden: true", hops, 4);
}

/* The last router sends packets on whose time is up: it does not show, and the next one does so twice. */
static void test_invisible_ultimate(void **state)
{
	static const struct expected hops[] = {{I, -1, 0, 1}, {X, -1, 0, 1}, {X, -1, 0, 1}, {B, -1, 0, 1}};
	(void)state;
	check_trace(", hidden: true, pop: ultimate", hops, 4);
}

static unsigned back(unsigned initial, const struct packet *answer)
{
	return initial - answer->ip.ttl + 1u;
}

static const struct packet *ping(struct scene *s, int node)
{
	struct packet_spec spec = echo_spec(s->from[4], shown(s, node, 4), 0, (uint16_t)(500 + node));
	unsigned index = s->prober->count;
	(void)prober_add(s->prober, 0, &spec);
	prober_run(s->sim, s->a, s->prober);
	return answer_to(s, index);
}

/* Seen at the egress of an invisible tunnel whose way back is labelled as well: its errors, of TTL 255, count
 * the three routers inside, its echo replies, of 64, do not (RTLA); the way back seems 3 longer than there
 * (FRPLA). */
static void test_return_ttls(void **state)
{
	struct scene s = tunnel(", hidden: true", true);
	(void)state;
	trace(&s, 4, s.to[4], 3);
	unsigned te = back(255, answer_to(&s, 1)), er = back(64, ping(&s, E));
	assert_int_equal(te - er, 3);
	assert_int_equal(te - 2, 3);
	assert_int_equal(back(255, answer_to(&s, 0)), 1); /* before the tunnel there is nothing to see */
	scene_end(&s);
}

/* Routers inside send errors on to the egress before they turn back, echo replies at once: the difference
 * shrinks by 2 with each. */
static void test_u_turn(void **state)
{
	struct scene s = tunnel(", unlabelled: true", false);
	(void)state;
	trace(&s, 4, s.to[4], 5);
	for (unsigned i = 0; i < 3; i++) {
		unsigned te = back(255, answer_to(&s, 1 + i)), er = back(255, ping(&s, (int)(L1 + i)));
		assert_int_equal(te - er, 2 * (3 - i));
	}
	scene_end(&s);
}

/* The egress by its interface's address is not reached by a label: the inside shows at once (DPR). Its
 * loopback is. */
static void test_revelation(void **state)
{
	struct scene s = tunnel(", hidden: true", true);
	(void)state;
	trace(&s, 4, shown(&s, E, 4), 5);
	for (unsigned i = 0; i < 5; i++)
		assert_addr(answer_to(&s, i)->ip.source, shown(&s, (int)(I + i), 4));
	scene_end(&s);

	s = tunnel(", hidden: true", true);
	trace(&s, 4, world_node_address(s.world, world_find_node(s.world, "e"), 4), 2);
	assert_int_equal(answer_to(&s, 1)->transport.icmp_type, ICMP4_UNREACHABLE);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_explicit),
		cmocka_unit_test(test_explicit_ultimate),
		cmocka_unit_test(test_implicit),
		cmocka_unit_test(test_opaque),
		cmocka_unit_test(test_invisible),
		cmocka_unit_test(test_invisible_ultimate),
		cmocka_unit_test(test_return_ttls),
		cmocka_unit_test(test_u_turn),
		cmocka_unit_test(test_revelation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
