/* Kernel stamps are wall-clock time; what comes out is monotonic, and sane when the wall clock jumps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include <time.h>
#include <linux/errqueue.h>

#include "base/clock.h"
#include "net/stamp.h"

static int64_t read_stamp(const struct stamp_clock *clock, int64_t wall_ns)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof(struct scm_timestamping))];
	} control = {0};
	struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	struct scm_timestamping stamps = {0};
	stamps.ts[0].tv_sec = wall_ns / NS_PER_S;
	stamps.ts[0].tv_nsec = wall_ns % NS_PER_S;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_TIMESTAMPING;
	c->cmsg_len = CMSG_LEN(sizeof(stamps));
	memcpy(CMSG_DATA(c), &stamps, sizeof(stamps));
	return clock ? stamp_since(clock, &message) : stamp_of(&message);
}

static int64_t stamp_with(int64_t wall_ns)
{
	return read_stamp(NULL, wall_ns);
}

static void assert_ago(int64_t stamp_ns, int64_t ago_ns)
{
	int64_t error_ns = clock_monotonic_ns() - ago_ns - stamp_ns;
	assert_true(error_ns >= -5 * NS_PER_MS && error_ns <= 50 * NS_PER_MS);
}

static void test_stamp_becomes_monotonic(void **state)
{
	(void)state;
	assert_ago(stamp_with(clock_wall_ns() - 300 * NS_PER_MS), 300 * NS_PER_MS);
}

static void test_jumped_clock_falls_back_to_now(void **state)
{
	(void)state;
	assert_ago(stamp_with(clock_wall_ns() + 3600 * NS_PER_S), 0);
	assert_ago(stamp_with(clock_wall_ns() - 3600 * NS_PER_S), 0);
	assert_ago(stamp_with(0), 0);
}

static void test_no_stamp_is_now(void **state)
{
	(void)state;
	struct msghdr message = {0};
	assert_ago(stamp_of(&message), 0);
}

/* What was known when everything had been read, so long ago, by a wall clock that was then `behind_ns` less. */
static struct stamp_clock clock_then(int64_t ago_ns, int64_t behind_ns)
{
	return (struct stamp_clock){
		.drained_ns = clock_monotonic_ns() - ago_ns,
		.offset_ns = clock_wall_ns() - clock_monotonic_ns() - behind_ns,
	};
}

/* The process slept for a minute; the answer came in the first second of it. */
static void test_suspended(void **state)
{
	(void)state;
	struct stamp_clock clock = clock_then(60 * NS_PER_S, 0);
	assert_ago(read_stamp(&clock, clock_wall_ns() - 59 * NS_PER_S), 59 * NS_PER_S);
	/* Before everything was read nothing can have come. */
	assert_ago(read_stamp(&clock, clock_wall_ns() - 61 * NS_PER_S), 0);
}

/* The wall clock was set between two readings, by an hour or by less than what lies between them: stamps from before
 * and from after come out right. */
static void test_clock_was_set(void **state)
{
	(void)state;
	static const int64_t steps_ns[] = {3600 * NS_PER_S, -3600 * NS_PER_S, 300 * NS_PER_MS, -300 * NS_PER_MS};
	for (size_t i = 0; i < 4; i++) {
		struct stamp_clock clock = clock_then(NS_PER_S, steps_ns[i]);
		assert_ago(read_stamp(&clock, clock_wall_ns() - steps_ns[i] - 800 * NS_PER_MS), 800 * NS_PER_MS);
	}
	for (size_t i = 0; i < 2; i++) {
		struct stamp_clock clock = clock_then(NS_PER_S, steps_ns[i]);
		assert_ago(read_stamp(&clock, clock_wall_ns() - 100 * NS_PER_MS), 100 * NS_PER_MS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stamp_becomes_monotonic),
		cmocka_unit_test(test_jumped_clock_falls_back_to_now),
		cmocka_unit_test(test_no_stamp_is_now),
		cmocka_unit_test(test_suspended),
		cmocka_unit_test(test_clock_was_set),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
