/* Generated worlds: the same for everybody, without clashes, as big and as well behaved as they were asked to
 * be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/hash.h"
#include "sim/generate.h"
#include "sim/world.h"

static char *generate(unsigned ases, uint64_t seed, const char *profile)
{
	struct generate_options options = {ases, seed, profile_find(profile)};
	struct error error = {0};
	char *text;
	assert_non_null(options.profile);
	if (generate_world(&options, &text, &error) < 0)
		fail_msg("%s", error.text);
	return text;
}

static uint64_t hash_of(unsigned ases, uint64_t seed, const char *profile)
{
	char *text = generate(ases, seed, profile);
	uint64_t hash = hash_bytes((struct hash_key){1, 2}, text, strlen(text));
	free(text);
	return hash;
}

/* Worked out with gcc -O2 and with clang -O0; a change of the generator changes them. */
static void test_same_everywhere(void **state)
{
	static const struct {
		unsigned ases;
		uint64_t seed;
		const char *profile;
		uint64_t hash;
	} worlds[] = {
		{20, 1, "today", 0x827ceee6958dd77a},
		{100, 1, "clean", 0x88b2a668cb76c864},
		{100, 2, "hostile", 0xf63965b81c0d8735},
		{1000, 7, "today", 0xe0e1e95ba1a28f28},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(worlds); i++) {
		uint64_t hash = hash_of(worlds[i].ases, worlds[i].seed, worlds[i].profile);
		if (hash != worlds[i].hash)
			fail_msg("%u ASes, seed %u, %s: 0x%016llx", worlds[i].ases, (unsigned)worlds[i].seed,
				worlds[i].profile, (unsigned long long)hash);
	}
}

static void test_seeds_and_sizes(void **state)
{
	struct generate_options options = {9, 1, profile_find("today")};
	struct error error = {0};
	char *text;
	(void)state;
	assert_int_not_equal(hash_of(50, 1, "today"), hash_of(50, 2, "today"));
	assert_int_not_equal(hash_of(50, 1, "today"), hash_of(51, 1, "today"));
	assert_int_equal(generate_world(&options, &text, &error), -22);
	assert_null(text);
	assert_non_null(strstr(error.text, "expected 10 to"));
	assert_null(profile_find("tomorrow"));
	free(generate(GENERATE_ASES_MIN, 1, "hostile"));
}

struct block {
	struct prefix prefix;
	unsigned line;
};

/* All prefixes of a line, with quotes or not, between `from` and the next ']' or '}'. */
static void read_blocks(
	const char *line, unsigned number, const char *from, struct block *blocks, unsigned *count)
{
	const char *at = strstr(line, from);
	char word[80];
	if (!at)
		return;
	at += strlen(from);
	size_t end = strcspn(at, "]}");
	for (const char *p = at; p < at + end;) {
		size_t skip = strspn(p, " ,\"["), length = strcspn(p + skip, " ,\"]}");
		snprintf(word, sizeof(word), "%.*s", (int)length, p + skip);
		if (strchr(word, '/')) {
			assert_true(prefix_parse(word, &blocks[*count].prefix));
			blocks[(*count)++].line = number;
		}
		p += skip + length + (skip + length == 0);
	}
}

static int compare_blocks(const void *a, const void *b)
{
	const struct block *x = a, *y = b;
	return addr_compare(x->prefix.addr, y->prefix.addr);
}

/* RFC 6890 and RFC 5737: nobody's unicast space. */
static const char *const reserved[] = {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
	"169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
	"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", "2001:db8::/32", "fc00::/7",
	"fe80::/10", "ff00::/8"};

static void check_block(const struct block *block, const struct block *before)
{
	char text[PREFIX_TEXT_SIZE];
	struct prefix other;
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
		assert_true(prefix_parse(reserved[i], &other));
		if (prefix_contains(other, block->prefix.addr) || prefix_contains(block->prefix, other.addr))
			fail_msg("%s is reserved", prefix_format(block->prefix, text));
	}
	if (before && prefix_contains(before->prefix, block->prefix.addr))
		fail_msg("line %u: %s is in the block of line %u", block->line,
			prefix_format(block->prefix, text), before->line);
}

static void test_address_plan(void **state)
{
	char *text = generate(10000, 3, "today"), *rest = text;
	struct block *blocks = calloc(200000, sizeof(*blocks));
	unsigned count = 0, number = 0, ases = 0;
	(void)state;
	assert_non_null(blocks);
	for (char *line; (line = strsep(&rest, "\n"));) {
		number++;
		ases += strncmp(line, "  - {asn: ", 10) == 0;
		read_blocks(line, number, "prefixes: ", blocks, &count);
		if (strncmp(line, "  - {name: IX", 13) == 0)
			read_blocks(line, number, "prefix: ", blocks, &count);
	}
	assert_int_equal(ases, 10000);
	assert_true(count > 3 * ases);
	qsort(blocks, count, sizeof(*blocks), compare_blocks);
	for (unsigned i = 0; i < count; i++)
		check_block(&blocks[i], i ? &blocks[i - 1] : NULL);
	free(blocks);
	free(text);
}

static unsigned count_of(const char *text, const char *word)
{
	unsigned count = 0;
	for (const char *at = text; (at = strstr(at, word)); at++)
		count++;
	return count;
}

static void test_clean_has_no_bad_habit(void **state)
{
	static const char *const habits[] = {"behaviour", "private_links", "dns: none", "policies", "tunnels",
		"detours", "faults", "cost_back", "queue", "queue_back", "mtu", "loss", "192.168.",
		"{inside: 100.64.0.0", "{name: any1-"};
	char *clean = generate(300, 1, "clean"), *hostile = generate(300, 1, "hostile");
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(habits); i++)
		if (strstr(clean, habits[i]))
			fail_msg("clean has '%s'", habits[i]);
	/* So the words above are the right ones. */
	for (size_t i = 0; i < ARRAY_LEN(habits); i++)
		if (!strstr(hostile, habits[i]) && strcmp(habits[i], "loss") != 0)
			fail_msg("hostile lacks '%s'", habits[i]);
	/* The same networks: a profile changes how they behave, not what there is. */
	assert_int_equal(count_of(clean, "\n  - {from: "), count_of(hostile, "\n  - {from: "));
	assert_int_equal(count_of(clean, "provider: "), count_of(hostile, "provider: "));
	free(clean);
	free(hostile);
}

/* Evening is 19 to 22 o'clock there: nine hours before Greenwich in Tokyo, eight after it in Los Angeles. */
static void check_evening(const char *text, const char *place, unsigned first, unsigned last)
{
	char *copy = strdup(text), *rest = copy;
	unsigned count = 0;
	assert_non_null(copy);
	for (char *line; (line = strsep(&rest, "\n"));) {
		const char *to = strstr(line, ", to: "), *end = to ? strchr(to + 1, ',') : NULL;
		const char *there = to ? strstr(to, place) : NULL, *hour = to ? strstr(to, "hour: ") : NULL;
		if (!there || there > end || !hour)
			continue;
		assert_in_range(strtoul(hour + 6, NULL, 10), first, last);
		count++;
	}
	assert_true(count > 0);
	free(copy);
}

static void test_evenings(void **state)
{
	char *text = generate(1000, 1, "hostile");
	(void)state;
	check_evening(text, "-tyo-", 10, 13);
	check_evening(text, "-lax-", 3, 6);
	check_evening(text, "-lon-", 19, 22);
	free(text);
}

static void test_size(void **state)
{
	char *text = generate(1000, 5, "today");
	unsigned routers = count_of(text, ", place: ");
	(void)state;
	assert_in_range(routers, 5 * 1000, 8 * 1000);
	assert_true(count_of(text, ", ixp: ") > 100);
	/* Names of routers: some missing, some of a place where they are not. */
	unsigned named = count_of(text, ", dns: ") - count_of(text, ", dns: none");
	assert_in_range(named * 100 / routers, 60, 90);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_everywhere),
		cmocka_unit_test(test_seeds_and_sizes),
		cmocka_unit_test(test_address_plan),
		cmocka_unit_test(test_clean_has_no_bad_habit),
		cmocka_unit_test(test_evenings),
		cmocka_unit_test(test_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
