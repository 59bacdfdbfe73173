/* Whose turn it is in the survey: worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "revtr/survey.h"

#define A 0xc0000201u /* three /24s */
#define B 0xc6336401u
#define C 0xcb007101u

struct scene {
	struct survey survey;
	struct ingress ingress;
};

static const uint32_t agents[] = {4, 2, 7, 1, 5};

static void scene_init(struct scene *s)
{
	assert_int_equal(survey_init(&s->survey, (const uint32_t[]){C, A, B}, 3), 0);
	assert_int_equal(ingress_init(&s->ingress, 8), 0);
}

static void scene_deinit(struct scene *s)
{
	survey_deinit(&s->survey);
	ingress_deinit(&s->ingress);
}

static void expect(struct scene *s, uint32_t address, uint32_t agent)
{
	uint32_t asked, by;
	assert_true(survey_next(&s->survey, &s->ingress, agents, ARRAY_LEN(agents), &asked, &by));
	assert_int_equal(asked, address);
	assert_int_equal(by, agent);
}

static void expect_end(struct scene *s)
{
	uint32_t asked, by;
	assert_false(survey_next(&s->survey, &s->ingress, agents, ARRAY_LEN(agents), &asked, &by));
}

static void answer(struct scene *s, uint32_t address, uint32_t agent, uint8_t distance)
{
	struct ingress_view view = {agent, distance, 0};
	assert_int_equal(ingress_add(&s->ingress, prefix_of(addr_v4(address), 24), &view), 0);
	ingress_sort(&s->ingress);
}

/* Each prefix once before any is asked twice; nobody answers, and the fourth agent is not troubled. */
static void test_silence(void **state)
{
	struct scene s;
	(void)state;
	scene_init(&s);
	for (unsigned turn = 0; turn < 3; turn++) {
		expect(&s, A, agents[turn]);
		expect(&s, B, agents[turn]);
		expect(&s, C, agents[turn]);
	}
	expect_end(&s);
	survey_again(&s.survey);
	expect(&s, A, 4);
	scene_deinit(&s);
}

/* Three that are near enough to see a hop are enough; those that are too far are not. */
static void test_enough(void **state)
{
	struct scene s;
	(void)state;
	scene_init(&s);
	answer(&s, A, 2, 3);
	answer(&s, A, 0, 7);
	answer(&s, A, 3, 8);
	answer(&s, A, 6, INGRESS_FAR);
	expect(&s, A, 4);
	answer(&s, A, 4, 5);
	expect(&s, B, 4);
	expect(&s, C, 4);
	expect(&s, B, 2);
	scene_deinit(&s);
}

/* What measurements ask for does not wait for its turn, and is done with before the others go on. */
static void test_wanted_first(void **state)
{
	struct scene s;
	(void)state;
	scene_init(&s);
	expect(&s, A, 4);
	survey_want(&s.survey, C + 77);
	survey_want(&s.survey, C + 78);
	survey_want(&s.survey, 0x01020304);
	expect(&s, C, 4);
	expect(&s, C, 2);
	expect(&s, C, 7);
	expect(&s, B, 4);
	scene_deinit(&s);
}

static void test_nothing_to_ask(void **state)
{
	struct survey survey;
	struct ingress ingress;
	uint32_t address, agent;
	(void)state;
	assert_int_equal(survey_init(&survey, NULL, 0), 0);
	assert_int_equal(ingress_init(&ingress, 1), 0);
	survey_want(&survey, A);
	assert_false(survey_next(&survey, &ingress, agents, 1, &address, &agent));
	survey_deinit(&survey);
	ingress_deinit(&ingress);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_enough),
		cmocka_unit_test(test_wanted_first),
		cmocka_unit_test(test_nothing_to_ask),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
