/* Routing between ASes: small worlds whose ways were worked out by hand, and random ones that are compared
 * with a plain path-vector protocol, run until nobody changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "sim/truth.h"

/* ASes 1 to `ases`, with a router r1... and a host h1... each */
struct draft {
	char text[60000];
	size_t used;
};

static void PRINTF_LIKE(2, 3) add(struct draft *draft, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	draft->used += (size_t)vsnprintf(
		draft->text + draft->used, sizeof(draft->text) - draft->used, format, arguments);
	va_end(arguments);
	assert_true(draft->used < sizeof(draft->text));
}

static void add_ases(struct draft *draft, unsigned ases)
{
	add(draft, "ases:\n");
	for (unsigned i = 1; i <= ases; i++)
		add(draft,
			"  - {asn: %u, name: AS %u, country: DE, prefix: 198.18.%u.0/24, prefix6: "
			"\"2001:db8:%x::/48\"}\n",
			i, i, i, i);
}

static void add_hosts(struct draft *draft, unsigned ases)
{
	add(draft, "hosts:\n");
	for (unsigned i = 1; i <= ases; i++)
		add(draft, "  - {name: h%u, as: %u, router: r%u}\n", i, i, i);
}

/* One router an AS; relations and links from pairs: "provider>customer" or "peer=peer". */
static struct draft stars(unsigned ases, const char *relations)
{
	struct draft draft = {0}, links = {0};
	unsigned a, b;
	char kind;
	int length;
	add_ases(&draft, ases);
	add_hosts(&draft, ases);
	add(&draft, "routers:\n");
	for (unsigned i = 1; i <= ases; i++)
		add(&draft, "  - {name: r%u, as: %u}\n", i, i);
	add(&draft, "relations:\n");
	add(&links, "links:\n");
	for (; sscanf(relations, "%u%c%u%n", &a, &kind, &b, &length) == 3; relations += length) {
		add(&draft, kind == '>' ? "  - {provider: %u, customer: %u}\n" : "  - {peers: [%u, %u]}\n", a,
			b);
		add(&links, "  - {from: r%u, to: r%u}\n", a, b);
	}
	add(&draft, "%s", links.text);
	return draft;
}

static struct world *load(const struct draft *draft)
{
	struct world *world;
	struct error error = {0};
	if (world_parse("test", draft->text, &world, &error) < 0)
		fail_msg("%s\n%s", error.text, draft->text);
	return world;
}

static struct truth way(struct sim *sim, const char *from, const char *to, uint8_t family)
{
	struct truth truth;
	const struct world *world = sim_world(sim);
	uint32_t target = world_find_node(world, to);
	assert_true(target != WORLD_NONE);
	assert_int_equal(sim_truths(sim, world_find_node(world, from),
				 world_node_address(world, target, family), &truth, 1),
		1);
	return truth;
}

/* The nodes on the way, and how it ends unless it is the target. */
static void assert_way(struct sim *sim, const char *from, const char *to, const char *expected)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct truth truth = way(sim, from, to, family);
		char text[500] = "";
		size_t used = 0;
		for (unsigned i = 0; i < truth.hop_count; i++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "",
				sim_world(sim)->nodes[truth.hops[i].node].name);
		if (truth.end != TRUTH_REACHED)
			snprintf(text + used, sizeof(text) - used, " %s", truth_end_word(truth.end));
		if (strcmp(text, expected) != 0)
			fail_msg("%s to %s, IPv%d: '%s', expected '%s'", from, to, family, text, expected);
	}
}

/* `expected`: from, to, nodes; triples, the last NULL */
static void check(const struct draft *draft, const char *const *expected)
{
	struct world *world = load(draft);
	struct sim *sim = sim_new(world, 1);
	for (; *expected; expected += 3)
		assert_way(sim, expected[0], expected[1], expected[2]);
	sim_free(sim);
	world_free(world);
}

static void test_no_valleys(void **state)
{
	(void)state;
	/* a customer of two providers is no way between them; nor is a peer's peer */
	struct draft draft = stars(3, "1>3 2>3");
	check(&draft, (const char *[]){"h1", "h3", "r1 r3 h3", "h1", "h2", "r1 refused", NULL});
	draft = stars(3, "1=2 2=3");
	check(&draft, (const char *[]){"h1", "h2", "r1 r2 h2", "h1", "h3", "r1 refused", NULL});
	/* nor does a provider hear from its customer what that heard from a peer */
	draft = stars(3, "1>2 2=3");
	check(&draft, (const char *[]){"h1", "h3", "r1 refused", "h3", "h2", "r3 r2 h2", NULL});
}

static void test_preference(void **state)
{
	(void)state;
	/* AS1 to AS4: a peer next door, but customers all the way round; back, up to the next provider, too
	 */
	struct draft draft = stars(4, "1>2 2>3 3>4 1=4");
	check(&draft, (const char *[]){"h1", "h4", "r1 r2 r3 r4 h4", "h4", "h1", "r4 r1 h1", NULL});
	/* AS1 to AS3: a provider next door, but a peer over whose customer it is two away */
	draft = stars(4, "3>1 1=2 2>4 4>3");
	check(&draft, (const char *[]){"h1", "h3", "r1 r2 r4 r3 h3", "h3", "h1", "r3 r1 h1", NULL});
}

static void test_shortest_then_lowest(void **state)
{
	(void)state;
	/* from AS1 down to AS5: by 2 and 4, or by 3 */
	struct draft draft = stars(5, "1>2 2>4 4>5 1>3 3>5");
	check(&draft, (const char *[]){"h1", "h5", "r1 r3 r5 h5", "h5", "h1", "r5 r3 r1 h1", NULL});
	/* as long by 2 as by 3: the lower number, wherever it stands in the file */
	draft = stars(4, "1>3 3>4 1>2 2>4");
	check(&draft, (const char *[]){"h1", "h4", "r1 r2 r4 h4", "h4", "h1", "r4 r2 r1 h1", NULL});
}

static void test_prepending(void **state)
{
	(void)state;
	struct draft draft = stars(4, "1>3 3>4 1>2 2>4");
	add(&draft, "policies:\n  - {as: 4, neighbour: 2, prepend: 1}\n");
	/* only what AS4 announces looks longer */
	check(&draft,
		(const char *[]){
			"h1", "h4", "r1 r3 r4 h4", "h4", "h1", "r4 r2 r1 h1", "h2", "h4", "r2 r4 h4", NULL});
	/* by family */
	draft = stars(4, "1>3 3>4 1>2 2>4");
	add(&draft, "policies:\n  - {as: 4, neighbour: 2, prepend: 1, family: 6}\n");
	struct world *world = load(&draft);
	struct sim *sim = sim_new(world, 1);
	assert_string_equal(world->nodes[way(sim, "h1", "h4", 4).hops[1].node].name, "r2");
	assert_string_equal(world->nodes[way(sim, "h1", "h4", 6).hops[1].node].name, "r3");
	sim_free(sim);
	world_free(world);
}

static void test_local_preference(void **state)
{
	(void)state;
	struct draft draft = stars(4, "1>3 3>4 1>2 2>4");
	add(&draft, "policies:\n  - {as: 4, neighbour: 3, local_preference: 150}\n");
	check(&draft,
		(const char *[]){"h4", "h1", "r4 r3 r1 h1", "h1", "h4", "r1 r2 r4 h4", "h4", "h2",
			"r4 r3 r1 r2 h2", NULL});
	/* AS1 likes its peer 4 better than its customer 2; whom it told of the customer's route, it no longer
	 * does */
	draft = stars(5, "1>2 2>4 1=4 1=5");
	add(&draft, "policies:\n  - {as: 1, neighbour: 4, local_preference: 400}\n");
	check(&draft,
		(const char *[]){
			"h1", "h4", "r1 r4 h4", "h5", "h2", "r5 r1 r2 h2", "h5", "h4", "r5 refused", NULL});
}

static void test_export(void **state)
{
	(void)state;
	/* AS4 hides one half of its addresses from AS2 */
	struct draft draft = stars(4, "1>3 3>4 1>2 2>4");
	add(&draft, "policies:\n  - {as: 4, neighbour: 2, prefix: 198.18.4.128/25, export: false}\n");
	struct world *world = load(&draft);
	struct sim *sim = sim_new(world, 1);
	struct truth truth;
	struct addr low = ADDR_NONE, high = ADDR_NONE;
	uint32_t h1 = world_find_node(world, "h1");
	assert_true(addr_parse("198.18.4.100", &low) && addr_parse("198.18.4.200", &high));
	(void)sim_truths(sim, h1, low, &truth, 1);
	assert_string_equal(world->nodes[truth.hops[1].node].name, "r2");
	(void)sim_truths(sim, h1, high, &truth, 1);
	assert_string_equal(world->nodes[truth.hops[1].node].name, "r3");
	/* the longer prefix wins even where the shorter one is next door: AS2 heard of it from AS1 */
	(void)sim_truths(sim, world_find_node(world, "h2"), high, &truth, 1);
	assert_string_equal(world->nodes[truth.hops[1].node].name, "r1");
	sim_free(sim);
	world_free(world);
	/* nothing at all */
	draft = stars(3, "1>2 1>3");
	add(&draft, "policies:\n  - {as: 2, neighbour: 1, export: false}\n");
	check(&draft, (const char *[]){"h3", "h2", "r3 refused", "h2", "h3", "r2 r1 r3 h3", NULL});
}

/* AS1 in the west and the east, AS2 as well; they meet in both places. */
#define TWO_COASTS                                                                                           \
	"hosts:\n"                                                                                           \
	"  - {name: h1, as: 1, router: w1}\n"                                                                \
	"  - {name: h2, as: 2, router: e2}\n"                                                                \
	"routers:\n"                                                                                         \
	"  - {name: w1, as: 1}\n"                                                                            \
	"  - {name: e1, as: 1}\n"                                                                            \
	"  - {name: w2, as: 2}\n"                                                                            \
	"  - {name: e2, as: 2}\n"                                                                            \
	"relations:\n"                                                                                       \
	"  - {peers: [1, 2]}\n"                                                                              \
	"links:\n"                                                                                           \
	"  - {from: w1, to: e1, delay_ms: 30}\n"                                                             \
	"  - {from: w2, to: e2, delay_ms: 30}\n"                                                             \
	"  - {from: w1, to: w2}\n"                                                                           \
	"  - {from: e2, to: e1%s}\n"

static void test_hot_potato(void **state)
{
	struct draft draft = {0};
	(void)state;
	add_ases(&draft, 2);
	add(&draft, TWO_COASTS, "");
	/* each hands over at once, and lets the other carry */
	check(&draft, (const char *[]){"h1", "h2", "w1 w2 e2 h2", "h2", "h1", "e2 e1 w1 h1", NULL});
	/* unless the border costs more than the way to the other one */
	draft.used = 0;
	add_ases(&draft, 2);
	add(&draft, TWO_COASTS, ", cost: 30");
	check(&draft, (const char *[]){"h1", "h2", "w1 w2 e2 h2", "h2", "h1", "e2 w2 w1 h1", NULL});
	/* a broken border is routed around, inside and outside */
	draft.used = 0;
	add_ases(&draft, 2);
	add(&draft, TWO_COASTS, "");
	add(&draft, "faults:\n  - {link: [w1, w2], down: true, reroute: true, until_s: 5}\n");
	struct world *world = load(&draft);
	struct sim *sim = sim_new(world, 1);
	assert_way(sim, "h1", "h2", "w1 e1 e2 h2");
	sim_advance(sim, 5 * NS_PER_S);
	assert_way(sim, "h1", "h2", "w1 w2 e2 h2");
	sim_free(sim);
	world_free(world);
}

/* When the last link to a neighbour goes, ASes choose again. */
static void test_lost_session(void **state)
{
	struct draft draft = stars(4, "1>3 3>4 1>2 2>4");
	(void)state;
	add(&draft, "faults:\n  - {link: [r2, r4], down: true, reroute: true, after_s: 1}\n");
	struct world *world = load(&draft);
	struct sim *sim = sim_new(world, 1);
	assert_way(sim, "h1", "h4", "r1 r2 r4 h4");
	sim_advance(sim, 2 * NS_PER_S);
	assert_way(sim, "h1", "h4", "r1 r3 r4 h4");
	assert_way(sim, "h2", "h4", "r2 r1 r3 r4 h4");
	sim_free(sim);
	world_free(world);
}

static void test_equal_ways_inside(void **state)
{
	struct draft draft = {0};
	(void)state;
	add_ases(&draft, 2);
	add(&draft,
		"hosts:\n  - {name: h1, as: 1, router: a}\n  - {name: h2, as: 2, router: r2}\n"
		"routers:\n  - {name: a, as: 1, behaviour: {balance: flow}}\n  - {name: b, as: 1}\n"
		"  - {name: c, as: 1}\n  - {name: d, as: 1}\n  - {name: r2, as: 2}\n"
		"relations:\n  - {provider: 1, customer: 2}\n"
		"links:\n  - {from: a, to: b}\n  - {from: a, to: c}\n  - {from: b, to: d}\n  - {from: c, to: "
		"d}\n"
		"  - {from: d, to: r2}\n");
	struct world *world = load(&draft);
	struct sim *sim = sim_new(world, 1);
	struct truth truths[4];
	struct addr to = world_node_address(world, world_find_node(world, "h2"), 4);
	assert_int_equal(sim_truths(sim, world_find_node(world, "h1"), to, truths, 4), 2);
	assert_string_equal(world->nodes[truths[0].hops[1].node].name, "b");
	assert_string_equal(world->nodes[truths[1].hops[1].node].name, "c");
	sim_free(sim);
	world_free(world);
}

static void assert_address(struct addr address, const char *expected)
{
	char text[ADDR_TEXT_SIZE];
	assert_string_equal(addr_format(address, text), expected);
}

static void test_exchange(void **state)
{
	struct draft draft = {0};
	(void)state;
	add_ases(&draft, 3);
	add_hosts(&draft, 3);
	add(&draft,
		"routers:\n  - {name: r1, as: 1}\n  - {name: r2, as: 2}\n  - {name: r3, as: 3}\n"
		"links: []\n"
		"ixps:\n  - {name: TEST-IX, country: DE, prefix: 192.0.2.0/24, prefix6: "
		"\"2001:db8:fff::/64\", "
		"members: [r1, r2, r3], delay_ms: 0.5}\n"
		"relations:\n  - {peers: [1, 2], ixp: TEST-IX}\n  - {peers: [3, 1], ixp: TEST-IX}\n");
	check(&draft,
		(const char *[]){
			"h1", "h2", "r1 r2 h2", "h3", "h1", "r3 r1 h1", "h2", "h3", "r2 refused", NULL});
	struct world *world = load(&draft);
	struct sim *sim = sim_new(world, 1);
	/* who comes in over the LAN shows its address there; members are numbered in their order */
	struct truth truth = way(sim, "h1", "h2", 4);
	assert_address(truth.hops[1].address, "192.0.2.2");
	assert_int_equal(truth.hops[1].delay_ns, 1500000);
	assert_address(way(sim, "h3", "h1", 4).hops[1].address, "192.0.2.1");
	assert_address(way(sim, "h3", "h1", 6).hops[1].address, "2001:db8:fff::1");
	/* nobody announces the LAN: only who is on it, and meets the member, gets there */
	struct addr lan;
	assert_true(addr_parse("192.0.2.1", &lan));
	(void)sim_truths(sim, world_find_node(world, "h2"), lan, &truth, 1);
	assert_int_equal(truth.end, TRUTH_REACHED);
	assert_true(addr_parse("192.0.2.3", &lan));
	(void)sim_truths(sim, world_find_node(world, "h2"), lan, &truth, 1);
	assert_int_equal(truth.end, TRUTH_REFUSED);
	sim_free(sim);
	world_free(world);
}

/* Borders are numbered from the provider's space, so the customer shows an address of the provider; who sends
 * to that comes by the provider. */
static void test_border_addresses(void **state)
{
	struct draft draft = stars(3, "1>2 1>3");
	(void)state;
	struct world *world = load(&draft);
	struct sim *sim = sim_new(world, 1);
	struct truth truth = way(sim, "h3", "h2", 4);
	assert_int_equal(truth.hop_count, 4);
	assert_string_equal(world->nodes[truth.hops[2].node].name, "r2");
	assert_int_equal(truth.hops[2].address.low >> 8, 198 << 16 | 18 << 8 | 1);
	(void)sim_truths(sim, world_find_node(world, "h3"), truth.hops[2].address, &truth, 1);
	assert_int_equal(truth.end, TRUTH_REACHED);
	assert_int_equal(truth.hop_count, 3);
	sim_free(sim);
	world_free(world);
}

static void test_anycast(void **state)
{
	struct draft draft = {0};
	(void)state;
	add_ases(&draft, 5);
	add(&draft,
		"hosts:\n  - {name: x, as: 2, router: r2, address: 192.0.2.53, address6: "
		"\"2001:db8:53::53\"}\n"
		"  - {name: y, as: 5, router: r5, address: 192.0.2.53, address6: \"2001:db8:53::53\"}\n"
		"  - {name: h3, as: 3, router: r3}\n  - {name: h4, as: 4, router: r4}\n"
		"routers:\n  - {name: r1, as: 1}\n  - {name: r2, as: 2}\n  - {name: r3, as: 3}\n"
		"  - {name: r4, as: 4}\n  - {name: r5, as: 5}\n"
		"relations:\n  - {provider: 1, customer: 2}\n  - {provider: 1, customer: 3}\n"
		"  - {provider: 4, customer: 1}\n  - {provider: 4, customer: 5}\n"
		"links:\n  - {from: r1, to: r2}\n  - {from: r1, to: r3}\n  - {from: r4, to: r1}\n"
		"  - {from: r4, to: r5}\n");
	check(&draft,
		(const char *[]){"h3", "x", "r3 r1 r2 x", "h3", "y", "r3 r1 r2 x", "h4", "x", "r4 r5 y", "x",
			"y", "", NULL});
}

/* ---- random worlds ---- */

#define ASES_MAX 24

enum kinship { STRANGER, CUSTOMER, PEER, PROVIDER }; /* what the other is */

struct vector {
	unsigned length; /* 0: none */
	unsigned path[ASES_MAX + 1];
};

/* Numbers rise down the hierarchy, so nobody is his own provider's provider. */
static void draw(struct rng *rng, unsigned ases, enum kinship kin[ASES_MAX + 1][ASES_MAX + 1])
{
	memset(kin, 0, sizeof(enum kinship[ASES_MAX + 1][ASES_MAX + 1]));
	for (unsigned a = 1; a <= ases; a++)
		for (unsigned b = a + 1; b <= ases; b++) {
			unsigned die = (unsigned)rng_below(rng, 10);
			if (die >= 4)
				continue;
			bool peers = die == 0 || (a <= 3 && b <= 3);
			kin[a][b] = peers ? PEER : CUSTOMER;
			kin[b][a] = peers ? PEER : PROVIDER;
		}
}

static bool holds(const struct vector *vector, unsigned as)
{
	for (unsigned i = 0; i < vector->length; i++)
		if (vector->path[i] == as)
			return true;
	return false;
}

/* Everybody looks at what the neighbours have and takes the best, until nobody changes. */
static void settle(
	unsigned ases, enum kinship kin[ASES_MAX + 1][ASES_MAX + 1], unsigned origin, struct vector *best)
{
	bool changed = true;
	memset(best, 0, sizeof(*best) * (ASES_MAX + 1));
	best[origin] = (struct vector){.length = 1, .path = {origin}};
	for (unsigned round = 0; changed; round++) {
		changed = false;
		assert_true(round < 1000);
		for (unsigned a = 1; a <= ases; a++) {
			struct vector now = {0};
			for (unsigned b = 1; b <= ases && a != origin; b++) {
				const struct vector *offer = &best[b];
				if (kin[a][b] == STRANGER || offer->length == 0 || holds(offer, a))
					continue;
				enum kinship from = offer->length == 1 ? CUSTOMER : kin[b][offer->path[1]];
				if (kin[b][a] != CUSTOMER && from != CUSTOMER)
					continue;
				enum kinship had = now.length ? kin[a][now.path[1]] : STRANGER;
				if (now.length &&
					(had < kin[a][b] ||
						(had == kin[a][b] && now.length <= offer->length + 1)))
					continue;
				now.length = offer->length + 1;
				now.path[0] = a;
				memcpy(now.path + 1, offer->path, offer->length * sizeof(unsigned));
			}
			if (a == origin ||
				(now.length == best[a].length &&
					memcmp(now.path, best[a].path, sizeof(now.path)) == 0))
				continue;
			best[a] = now;
			changed = true;
		}
	}
}

static void assert_valley_free(
	enum kinship kin[ASES_MAX + 1][ASES_MAX + 1], const unsigned *path, unsigned length)
{
	bool climbing = true;
	for (unsigned i = 0; i + 1 < length; i++) {
		enum kinship step = kin[path[i]][path[i + 1]];
		assert_int_not_equal(step, STRANGER);
		assert_true(step == CUSTOMER || climbing);
		climbing = step == PROVIDER;
		for (unsigned k = 0; k <= i; k++)
			assert_int_not_equal(path[k], path[i + 1]);
	}
}

static void compare_pair(struct sim *sim, enum kinship kin[ASES_MAX + 1][ASES_MAX + 1], unsigned a,
	unsigned b, const struct vector *expected)
{
	const struct world *world = sim_world(sim);
	char from[16], to[16];
	snprintf(from, sizeof(from), "h%u", a);
	snprintf(to, sizeof(to), "h%u", b);
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct truth truth = way(sim, from, to, family);
		unsigned path[TRUTH_HOPS_MAX], length = 0;
		for (unsigned i = 0; i < truth.hop_count; i++) {
			unsigned asn = world->ases[world->nodes[truth.hops[i].node].as].asn;
			if (length == 0 || path[length - 1] != asn)
				path[length++] = asn;
		}
		assert_valley_free(kin, path, length);
		assert_int_equal(truth.end, expected->length ? TRUTH_REACHED : TRUTH_REFUSED);
		if (expected->length == 0)
			continue;
		assert_int_equal(length, expected->length);
		assert_memory_equal(path, expected->path, length * sizeof(*path));
	}
}

/* Each AS is two routers; each relation has a link or two, at either. */
static struct draft draft_of(struct rng *rng, unsigned ases, enum kinship kin[ASES_MAX + 1][ASES_MAX + 1])
{
	struct draft draft = {0};
	add_ases(&draft, ases);
	add_hosts(&draft, ases);
	add(&draft, "routers:\n");
	for (unsigned i = 1; i <= ases; i++)
		add(&draft, "  - {name: r%u, as: %u}\n  - {name: s%u, as: %u}\n", i, i, i, i);
	add(&draft, "relations: %s\n", ases > 1 ? "" : "[]");
	for (unsigned a = 1; a <= ases; a++)
		for (unsigned b = a + 1; b <= ases; b++)
			if (kin[a][b] != STRANGER)
				add(&draft,
					kin[a][b] == PEER ? "  - {peers: [%u, %u]}\n"
							  : "  - {provider: %u, customer: %u}\n",
					a, b);
	add(&draft, "links:\n");
	for (unsigned i = 1; i <= ases; i++)
		add(&draft, "  - {from: r%u, to: s%u, cost: %d}\n", i, i, 1 + (int)rng_below(rng, 20));
	for (unsigned a = 1; a <= ases; a++)
		for (unsigned b = a + 1; b <= ases; b++)
			for (unsigned links = kin[a][b] == STRANGER ? 0 : 1 + (unsigned)rng_below(rng, 2);
				links > 0; links--)
				add(&draft, "  - {from: %c%u, to: %c%u}\n", rng_below(rng, 2) ? 'r' : 's', a,
					rng_below(rng, 2) ? 'r' : 's', b);
	return draft;
}

static void test_random_worlds(void **state)
{
	static enum kinship kin[ASES_MAX + 1][ASES_MAX + 1];
	static struct vector best[ASES_MAX + 1];
	unsigned reached = 0;
	(void)state;
	for (unsigned seed = 1; seed <= 30; seed++) {
		struct rng rng = rng_seed(seed);
		unsigned ases = 5 + (unsigned)rng_below(&rng, ASES_MAX - 4);
		draw(&rng, ases, kin);
		kin[1][2] = kin[2][1] = PEER; /* at least one relation */
		struct draft draft = draft_of(&rng, ases, kin);
		struct world *world = load(&draft);
		struct sim *sim = sim_new(world, seed);
		for (unsigned b = 1; b <= ases; b++) {
			settle(ases, kin, b, best);
			for (unsigned a = 1; a <= ases; a++) {
				reached += a != b && best[a].length > 0;
				if (a != b)
					compare_pair(sim, kin, a, b, &best[a]);
			}
		}
		sim_free(sim);
		world_free(world);
	}
	assert_true(reached > 2000); /* else this tests nothing */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_valleys),
		cmocka_unit_test(test_preference),
		cmocka_unit_test(test_shortest_then_lowest),
		cmocka_unit_test(test_prepending),
		cmocka_unit_test(test_local_preference),
		cmocka_unit_test(test_export),
		cmocka_unit_test(test_hot_potato),
		cmocka_unit_test(test_lost_session),
		cmocka_unit_test(test_equal_ways_inside),
		cmocka_unit_test(test_exchange),
		cmocka_unit_test(test_border_addresses),
		cmocka_unit_test(test_anycast),
		cmocka_unit_test(test_random_worlds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
