/* Routes between many ASes with preferences, prepending and silence of all kinds, beside a plain loop in
 * which everybody looks at what the neighbours have and takes the best, until nobody changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "sim/policy.h"

#define ASES 120

enum kinship { STRANGER, CUSTOMER, PEER, PROVIDER }; /* what the other is */

/* What the first AS does with the second, by number. */
struct terms {
	enum kinship is[ASES + 1][ASES + 1];
	unsigned preference[ASES + 1][ASES + 1], prepend[ASES + 1][ASES + 1];
	bool silent[ASES + 1][ASES + 1];
};

/* Few are high in the hierarchy; nobody is his own provider's provider, as numbers rise downwards. */
static void draw(struct rng *rng, struct terms *terms)
{
	memset(terms, 0, sizeof(*terms));
	for (unsigned b = 2; b <= ASES; b++) {
		unsigned sure = 1 + (unsigned)rng_below(rng, (b + 1) / 2);
		for (unsigned a = 1; a < b; a++) {
			bool peers = b <= 4 || (a != sure && rng_below(rng, 40) == 0);
			bool sells = a == sure || (a <= b / 2 && rng_below(rng, 1 + a) == 0);
			if (!peers && !sells)
				continue;
			terms->is[a][b] = peers ? PEER : CUSTOMER;
			terms->is[b][a] = peers ? PEER : PROVIDER;
			terms->preference[a][b] = peers ? 200 : 300;
			terms->preference[b][a] = peers ? 200 : 100;
		}
	}
}

/* An entry of 'policies' and what it means. `odd`: a preference that ignores who the neighbour is. */
static void override(
	FILE *out, struct rng *rng, struct terms *terms, unsigned a, unsigned b, bool odd, const char *rest)
{
	fprintf(out, "  - {as: %u, neighbour: %u%s", a, b, rest);
	unsigned what = (unsigned)rng_below(rng, odd ? 1 : 4);
	if (what <= 1) {
		terms->preference[a][b] = odd ? 50 + (unsigned)rng_below(rng, 300)
					      : 400 - 100 * terms->is[a][b] + (unsigned)rng_below(rng, 4);
		fprintf(out, ", local_preference: %u", terms->preference[a][b]);
	}
	if (what >= 1 && what <= 2) {
		terms->prepend[a][b] = (unsigned)rng_below(rng, 4);
		fprintf(out, ", prepend: %u", terms->prepend[a][b]);
	}
	terms->silent[a][b] |= what == 3;
	fprintf(out, "%s}\n", what == 3 ? ", export: false" : "");
}

static void write_world(FILE *out, const struct terms *terms)
{
	fprintf(out, "ases:\n");
	for (unsigned i = 1; i <= ASES; i++)
		fprintf(out,
			"  - {asn: %u, name: A, country: DE, prefix: 198.18.%u.0/24, prefix6: "
			"\"2001:db8:%x::/48\"}\n",
			i, i, i);
	fprintf(out, "hosts: []\nrouters:\n");
	for (unsigned i = 1; i <= ASES; i++)
		fprintf(out, "  - {name: r%u, as: %u}\n", i, i);
	fprintf(out, "links:\n");
	for (unsigned a = 1; a <= ASES; a++)
		for (unsigned b = a + 1; b <= ASES; b++)
			if (terms->is[a][b] != STRANGER)
				fprintf(out, "  - {from: r%u, to: r%u}\n", a, b);
	fprintf(out, "relations:\n");
	for (unsigned a = 1; a <= ASES; a++)
		for (unsigned b = a + 1; b <= ASES; b++)
			if (terms->is[a][b] != STRANGER)
				fprintf(out,
					terms->is[a][b] == PEER ? "  - {peers: [%u, %u]}\n"
								: "  - {provider: %u, customer: %u}\n",
					a, b);
	fprintf(out, "policies:\n");
}

/* How long is what b has, as a hears it? 0: it hears nothing, or its own number in it. */
static unsigned heard(
	const struct terms *terms, const unsigned *next, unsigned origin, unsigned a, unsigned b)
{
	unsigned length = 1 + terms->prepend[b][a];
	bool of_customer = b == origin || (next[b] && terms->is[b][next[b]] == CUSTOMER);
	if (terms->silent[b][a] || (b != origin && !next[b]) || (terms->is[b][a] != CUSTOMER && !of_customer))
		return 0;
	for (unsigned at = b; at != origin; at = next[at]) {
		if (at == a || next[at] == 0 || length > 100 * ASES)
			return 0;
		length += 1 + terms->prepend[next[at]][at];
	}
	return a == origin ? 0 : length;
}

static unsigned best_of(const struct terms *terms, const unsigned *next, unsigned origin, unsigned a)
{
	unsigned best = 0, best_length = 0;
	for (unsigned b = 1; b <= ASES; b++) {
		unsigned length = terms->is[a][b] == STRANGER ? 0 : heard(terms, next, origin, a, b);
		if (length > 0 &&
			(!best || terms->preference[a][b] > terms->preference[a][best] ||
				(terms->preference[a][b] == terms->preference[a][best] &&
					length < best_length))) {
			best = b;
			best_length = length;
		}
	}
	return best;
}

static void settle(const struct terms *terms, unsigned origin, unsigned *next)
{
	bool changed = true;
	memset(next, 0, (ASES + 1) * sizeof(*next));
	for (unsigned round = 0; changed; round++) {
		changed = false;
		assert_true(round < 1000);
		for (unsigned a = 1; a <= ASES; a++) {
			unsigned best = best_of(terms, next, origin, a);
			changed |= best != next[a];
			next[a] = best;
		}
	}
}

/* By number, as above. */
static void read_choices(const struct world *world, const struct policy_work *work, unsigned *next)
{
	memset(next, 0, (ASES + 1) * sizeof(*next));
	for (uint32_t as = 0; as < world->as_count; as++) {
		uint16_t choice = policy_choices(work)[as];
		if (choice == POLICY_NONE || choice == POLICY_OWN)
			continue;
		const struct world_edge *edge = &world->edges[world->ases[as].first_edge + choice];
		next[world->ases[as].asn] = world->ases[edge->neighbour].asn;
	}
}

/* The number of ASes that have a route. */
static unsigned compare(const struct world *world, struct policy_work *work, uint32_t class,
	const struct terms *terms, unsigned origin)
{
	unsigned expected[ASES + 1], next[ASES + 1], routes = 0;
	assert_true(policy_routes(work, class, NULL));
	read_choices(world, work, next);
	settle(terms, origin, expected);
	for (unsigned a = 1; a <= ASES; a++) {
		if (next[a] != expected[a])
			fail_msg("AS%u to AS%u: by AS%u, expected AS%u", a, origin, next[a], expected[a]);
		routes += next[a] != 0;
	}
	return routes;
}

static struct world *load(const char *text)
{
	struct world *world;
	struct error error = {0};
	if (world_parse("test", text, &world, &error) < 0)
		fail_msg("%s\n%s", error.text, text);
	return world;
}

/* Every relation has an override of one side or none; families differ. */
static void test_preferences_within_kinds(void **state)
{
	static struct terms terms[2];
	unsigned routes = 0;
	(void)state;
	for (unsigned seed = 1; seed <= 4; seed++) {
		struct rng rng = rng_seed(seed);
		char *text;
		size_t size;
		FILE *out = open_memstream(&text, &size);
		draw(&rng, &terms[0]);
		terms[1] = terms[0];
		write_world(out, &terms[0]);
		for (unsigned a = 1; a <= ASES; a++)
			for (unsigned b = 1; b <= ASES; b++)
				if (terms[0].is[a][b] != STRANGER && rng_below(&rng, 3) == 0) {
					bool six = rng_below(&rng, 2);
					override(out, &rng, &terms[six], a, b, false,
						six ? ", family: 6" : ", family: 4");
				}
		fclose(out);
		struct world *world = load(text);
		struct policy_work *work = policy_work_new(world);
		assert_non_null(work);
		for (unsigned origin = 1; origin <= ASES; origin++) {
			uint32_t class = world_find_asn(world, origin);
			routes += compare(world, work, class, &terms[0], origin);
			routes += compare(world, work, world->as_count + class, &terms[1], origin);
		}
		policy_work_free(work);
		world_free(world);
		free(text);
	}
	assert_true(routes > 50000); /* of 114,240; else this tests nothing */
}

/* What holds for one prefix holds for no other. */
static void test_prefixes_apart(void **state)
{
	static struct terms usual, apart;
	struct rng rng = rng_seed(7);
	char *text, rest[60];
	size_t size;
	FILE *out = open_memstream(&text, &size);
	unsigned differ = 0;
	(void)state;
	draw(&rng, &usual);
	apart = usual;
	write_world(out, &usual);
	snprintf(rest, sizeof(rest), ", prefix: 198.18.%u.128/25", ASES);
	for (unsigned a = 1; a <= ASES; a++)
		for (unsigned b = 1; b <= ASES; b++)
			if (usual.is[a][b] != STRANGER && rng_below(&rng, 3) == 0)
				override(out, &rng, &apart, a, b, false, rest);
	fclose(out);
	struct world *world = load(text);
	struct policy_work *work = policy_work_new(world);
	struct addr addr = ADDR_NONE;
	snprintf(rest, sizeof(rest), "198.18.%u.200", ASES);
	assert_non_null(work);
	assert_true(addr_parse(rest, &addr));
	uint32_t class = world->prefixes[world_find_prefix(world, addr)].class;
	assert_true(class >= 2 * world->as_count);
	for (unsigned run = 0; run < 2; run++) {
		unsigned before[ASES + 1], after[ASES + 1];
		(void)compare(world, work, class, &apart, ASES);
		read_choices(world, work, before);
		(void)compare(world, work, world_find_asn(world, ASES), &usual, ASES);
		read_choices(world, work, after);
		for (unsigned a = 1; a <= ASES; a++)
			differ += before[a] != after[a];
	}
	assert_true(differ > 10);
	policy_work_free(work);
	world_free(world);
	free(text);
}

/* Where some do not like customers best, routes need not be the only ones that last, but they must last. */
static void test_odd_preferences_last(void **state)
{
	static struct terms terms;
	unsigned lasting = 0;
	(void)state;
	for (unsigned seed = 1; seed <= 60; seed++) {
		struct rng rng = rng_seed(seed);
		char *text;
		size_t size;
		FILE *out = open_memstream(&text, &size);
		struct world *world;
		struct error error = {0};
		draw(&rng, &terms);
		write_world(out, &terms);
		for (unsigned a = 1; a <= ASES; a++)
			for (unsigned b = 1; b <= ASES; b++)
				if (terms.is[a][b] != STRANGER && rng_below(&rng, 40) == 0)
					override(out, &rng, &terms, a, b, true, "");
		fclose(out);
		int result = world_parse("test", text, &world, &error);
		free(text);
		if (result < 0) {
			if (!strstr(error.text, "contradict"))
				fail_msg("%s", error.text);
			continue;
		}
		struct policy_work *work = policy_work_new(world);
		assert_non_null(work);
		for (unsigned origin = 1; origin <= ASES; origin++) {
			unsigned next[ASES + 1];
			assert_true(policy_routes(work, world_find_asn(world, origin), NULL));
			read_choices(world, work, next);
			for (unsigned a = 1; a <= ASES; a++)
				assert_int_equal(next[a], best_of(&terms, next, origin, a));
		}
		policy_work_free(work);
		world_free(world);
		lasting++;
	}
	assert_true(lasting >= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_preferences_within_kinds),
		cmocka_unit_test(test_prefixes_apart),
		cmocka_unit_test(test_odd_preferences_last),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
