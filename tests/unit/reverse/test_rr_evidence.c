/* Which stamps are the way back: lists made by hand, one for each rule and each way in which it could be
 * fooled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reverse/rr_evidence.h"

static struct addr address(const char *text)
{
	struct addr addr;
	if (!addr_parse(text, &addr))
		fail_msg("%s", text);
	return addr;
}

/* Addresses separated by blanks; nine slots. */
static struct route_option list_of(const char *text)
{
	struct route_option list = {.present = true, .type = 7, .slots = RECORD_ROUTE_SLOTS_MAX};
	char copy[400], *state = NULL;
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state))
		list.addrs[list.used++] = address(word);
	return list;
}

/* A way there with these routers and the target. */
static struct path *way_there(const char *text, struct addr target)
{
	struct route_option list = list_of(text);
	struct path *path = path_new(DIRECTION_FORWARD, "ttl");
	list.addrs[list.used++] = target;
	for (int i = 0; i < list.used; i++)
		path_add_hop(path, i + 1, TECHNIQUE_TTL)->address = list.addrs[i];
	path->reached = true;
	return path;
}

struct question {
	const char *reply, *quote, *expired, *alias, *there;
	int ttl;
};

/* One letter a stamp: f there, t target, u undecided, ~ inferred and ! measured of the way back. */
static struct rr_verdict judge(const struct question *question, const char *expected)
{
	struct addr target = address("203.0.113.9"), alias = ADDR_NONE;
	struct route_option reply = list_of(question->reply);
	struct route_option quote = list_of(question->quote ? question->quote : "");
	struct route_option expired = list_of(question->expired ? question->expired : "");
	struct path *there = question->there ? way_there(question->there, target) : NULL;
	struct rr_verdict verdict;
	char found[RECORD_ROUTE_SLOTS_MAX + 1] = "";
	if (question->alias)
		alias = address(question->alias);
	struct rr_known known = {
		.target = target,
		.source = address("198.51.100.7"),
		.reply = &reply,
		.reply_ttl = question->ttl,
		.quote = question->quote ? &quote : NULL,
		.expired = question->expired ? &expired : NULL,
		.aliases = &alias,
		.alias_count = question->alias != NULL,
		.forward = there,
	};
	rr_judge(&known, &verdict);
	for (unsigned i = 0; i < verdict.count; i++) {
		const struct rr_stamp *s = &verdict.stamps[i];
		found[i] = "ftu!"[s->side];
		if (s->side == RR_BACK && s->certainty != CERTAINTY_MEASURED)
			found[i] = '~';
	}
	path_free(there);
	if (strcmp(found, expected) != 0)
		fail_msg("%s: %s, expected %s (%s)", question->reply, found, expected,
			rr_rule_text(verdict.rule));
	return verdict;
}

#define T "203.0.113.9 "

static void test_target(void **state)
{
	(void)state;
	struct rr_verdict v = judge(
		&(struct question){.reply = "192.0.2.1 192.0.2.5 " T T "192.0.2.70 192.0.2.80"}, "fftt!!");
	assert_int_equal(v.rule, RR_RULE_TARGET);
	assert_true(v.ends_here);
	assert_int_equal(v.back_stamps, 2);
	judge(&(struct question){.reply = "192.0.2.1 192.0.2.5 " T "192.0.2.70"}, "fft!");
	/* As the first stamp: a neighbour. */
	judge(&(struct question){.reply = T T "192.0.2.70"}, "tt!");
}

static void test_full(void **state)
{
	(void)state;
	const char *eight = "192.0.2.1 192.0.2.5 192.0.2.9 192.0.2.13 192.0.2.17 192.0.2.21 ";
	char reply[300];
	snprintf(reply, sizeof(reply), "%s" T T "192.0.2.70", eight);
	struct rr_verdict v = judge(&(struct question){.reply = reply, .ttl = 50}, "fffffftt!");
	assert_true(v.full);
	assert_false(v.ends_here);
	/* Only that one router passed the reply on. */
	assert_true(judge(&(struct question){.reply = reply, .ttl = 63}, "fffffftt!").ends_here);
	/* It is the router that our first packets meet. */
	v = judge(
		&(struct question){.reply = reply, .ttl = 50, .there = "192.0.2.70 192.0.2.4"}, "fffffftt!");
	assert_true(v.ends_here);
	snprintf(reply, sizeof(reply), "%s192.0.2.30 192.0.2.40 " T, eight);
	v = judge(&(struct question){.reply = reply}, "fffffffft");
	assert_true(v.beyond);
	assert_int_equal(v.back_stamps, 0);
}

/* Linux writes down the host that gets the reply. */
static void test_ourselves(void **state)
{
	(void)state;
	struct rr_verdict v =
		judge(&(struct question){.reply = "192.0.2.1 192.0.2.5 192.0.2.9 192.0.2.13 192.0.2.17 " T T
						  "192.0.2.70 198.51.100.7"},
			"ffffftt!");
	assert_true(v.ends_here);
	assert_int_equal(v.count, 8);
}

static void test_alias(void **state)
{
	(void)state;
	struct rr_verdict v = judge(&(struct question){.reply = "192.0.2.1 192.0.2.5 192.0.2.90 192.0.2.70",
					    .alias = "192.0.2.90"},
		"fft!");
	assert_int_equal(v.rule, RR_RULE_ALIAS);
}

static void test_quote(void **state)
{
	(void)state;
	const char *reply = "192.0.2.1 192.0.2.5 192.0.2.70 192.0.2.80 192.0.2.88";
	/* Three routers passed the reply on: all of them wrote. */
	struct rr_verdict v =
		judge(&(struct question){.reply = reply, .quote = "192.0.2.1 192.0.2.5", .ttl = 61}, "ff!!!");
	assert_int_equal(v.rule, RR_RULE_QUOTE);
	/* Two: the first stamp after the quote is the target's. */
	judge(&(struct question){.reply = reply, .quote = "192.0.2.1 192.0.2.5", .ttl = 62}, "ffu!!");
	/* Nobody knows how many: it may be the target's. */
	judge(&(struct question){.reply = reply, .quote = "192.0.2.1 192.0.2.5"}, "ff~!!");
	/* It answers on the way there: no target. */
	judge(
		&(struct question){
			.reply = reply, .quote = "192.0.2.1 192.0.2.5", .there = "192.0.2.7 192.0.2.70"},
		"ff!!!");
	/* Linux had written itself down by then. */
	judge(&(struct question){.reply = reply, .quote = "192.0.2.1 192.0.2.5 " T, .ttl = 61}, "ff!!!");
	/* The UDP packet went another way: it tells nothing. */
	v = judge(&(struct question){.reply = reply, .quote = "192.0.2.1 192.0.2.6"}, "uuuuu");
	assert_int_equal(v.rule, RR_RULE_NONE);
	/* An inner address of the target. */
	judge(&(struct question){.reply = "192.0.2.1 10.0.0.5 192.0.2.70 192.0.2.80", .quote = "192.0.2.1"},
		"fu!!");
}

static void test_quote_full(void **state)
{
	(void)state;
	const char *nine =
		"192.0.2.1 192.0.2.5 192.0.2.9 192.0.2.13 192.0.2.17 192.0.2.21 192.0.2.25 192.0.2.29 "
		"192.0.2.33";
	struct rr_verdict v = judge(&(struct question){.reply = nine, .quote = nine}, "fffffffff");
	assert_true(v.beyond);
}

/* 192.0.2.5 - 192.0.2.4 is one link, there and back; 192.0.2.9 is in between. */
static void test_passed_twice(void **state)
{
	(void)state;
	struct rr_verdict v =
		judge(&(struct question){.reply = "192.0.2.1 192.0.2.5 192.0.2.9 192.0.2.4 192.0.2.20",
			      .there = "192.0.2.77 192.0.2.79 192.0.2.82"},
			"ffu!!");
	assert_int_equal(v.rule, RR_RULE_PASSED);
	/* Without the length of the way there it could be a tunnel's doing. */
	judge(&(struct question){.reply = "192.0.2.1 192.0.2.5 192.0.2.9 192.0.2.4 192.0.2.20"}, "uuu~~");
	/* Right after one another: one link that was crossed once, or the target in between. */
	judge(&(struct question){.reply = "192.0.2.1 192.0.2.5 192.0.2.4 192.0.2.20"}, "uuuu");
	/* The way there is much longer than that. */
	judge(&(struct question){.reply = "192.0.2.1 192.0.2.5 192.0.2.9 192.0.2.4 192.0.2.20",
		      .there = "192.0.2.77 192.0.2.79 192.0.2.82 192.0.2.84 192.0.2.86 192.0.2.98"},
		"uuuuu");
	/* Two /31 that were numbered in a row, not a /30. */
	judge(&(struct question){.reply = "192.0.2.5 192.0.2.9 192.0.2.6 192.0.2.20"}, "uuuu");
	/* Equal private addresses may be two routers. */
	judge(&(struct question){.reply = "10.0.0.1 192.0.2.9 10.0.0.1 192.0.2.20"}, "uuuu");
}

static void test_double(void **state)
{
	(void)state;
	struct rr_verdict v =
		judge(&(struct question){.reply = "192.0.2.1 192.0.2.90 192.0.2.90 192.0.2.20"}, "fuu~");
	assert_int_equal(v.rule, RR_RULE_DOUBLE);
}

static void test_order(void **state)
{
	(void)state;
	struct rr_verdict v = judge(&(struct question){.reply = "192.0.2.44 192.0.2.50 192.0.2.54 192.0.2.41",
					    .there = "192.0.2.41 192.0.2.45 192.0.2.51"},
		"uuu~");
	assert_int_equal(v.rule, RR_RULE_ORDER);
}

static void test_counts(void **state)
{
	(void)state;
	/* Three routers there, two back, and one stamp more: the target's. */
	struct rr_verdict v =
		judge(&(struct question){.reply = "192.0.2.1 192.0.2.5 192.0.2.9 192.0.2.90 192.0.2.70 "
						  "192.0.2.80",
			      .there = "192.0.2.101 192.0.2.105 192.0.2.109",
			      .ttl = 62},
			"uuuu~~");
	assert_int_equal(v.rule, RR_RULE_COUNT);
}

static void test_expired(void **state)
{
	(void)state;
	struct rr_verdict v =
		judge(&(struct question){.reply = "192.0.2.1 192.0.2.5 192.0.2.9 192.0.2.70 192.0.2.80",
			      .expired = "192.0.2.1 192.0.2.5"},
			"ffuu!");
	assert_int_equal(v.rule, RR_RULE_EXPIRED);
}

static void test_odd_lists(void **state)
{
	(void)state;
	assert_int_equal(judge(&(struct question){.reply = ""}, "").rule, RR_RULE_NONE);
	/* A slot with nothing in it counts, and is no address. */
	struct rr_verdict v = judge(&(struct question){.reply = "192.0.2.1 " T "0.0.0.0 192.0.2.80"}, "ft!!");
	assert_false(addr_is_set(v.stamps[2].address));
	/* Fields that a stranger made up. */
	struct route_option mad = {.present = true, .slots = 255, .used = 255};
	struct rr_known known = {.target = address("203.0.113.9"),
		.source = address("198.51.100.7"),
		.reply = &mad,
		.quote = &mad,
		.expired = &mad};
	rr_judge(&known, &v);
	assert_int_equal(v.count, RECORD_ROUTE_SLOTS_MAX);
}

static void test_hops_passed(void **state)
{
	(void)state;
	assert_int_equal(rr_hops_passed(64), 0);
	assert_int_equal(rr_hops_passed(55), 9);
	assert_int_equal(rr_hops_passed(65), 63);
	assert_int_equal(rr_hops_passed(250), 5);
	assert_int_equal(rr_hops_passed(0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_ourselves),
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_quote_full),
		cmocka_unit_test(test_passed_twice),
		cmocka_unit_test(test_double),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_odd_lists),
		cmocka_unit_test(test_hops_passed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
