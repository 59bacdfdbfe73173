/* What TTLs and times of the way there tell about the way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "reverse/inferred.h"

/* Hops that answered with these TTLs (0 = silent) and after these milliseconds; the last is the target. */
static struct path *way(const int *ttls, const int *ms, int count)
{
	struct path *path = path_new(DIRECTION_FORWARD, "ttl");
	for (int i = 0; i < count; i++) {
		struct hop *hop = path_add_hop(path, i + 1, TECHNIQUE_TTL);
		struct probe_result *probe = hop_add_probe(hop);
		if (ttls[i] == 0)
			continue;
		probe->address = hop->address = addr_v4(0xc0000200 + (uint32_t)i);
		probe->rtt_ns = hop->rtt_min_ns = ms[i] * NS_PER_MS;
		probe->reply.ttl = ttls[i];
		probe->quoted.ttl = 1;
	}
	path->reached = true;
	return path;
}

static enum attempt_status status_of(const struct path *forward, char *detail, size_t size)
{
	struct reverse_task task = {0};
	void *run = inferred_method.start(&task);
	inferred_method.known(run, forward);
	enum attempt_status status = inferred_method.status(run, detail, size);
	inferred_method.free(run);
	return status;
}

static struct path *path_of(const struct path *forward)
{
	struct reverse_task task = {0};
	void *run = inferred_method.start(&task);
	inferred_method.known(run, forward);
	struct path *path = inferred_method.path(run, 0);
	inferred_method.free(run);
	return path;
}

static const int flat[] = {1, 2, 3, 4, 5, 6, 7, 8};

static void test_symmetric(void **state)
{
	(void)state;
	static const int ttls[] = {255, 254, 253, 252, 60};
	struct path *path = way(ttls, flat, 5);
	struct inferred inferred;
	infer(path, &inferred);
	assert_true(inferred.heard);
	assert_int_equal(inferred.there_hops, 4);
	assert_int_equal(inferred.back_hops, 4);
	assert_int_equal(inferred.changes_at, 0);
	path_free(path);
}

/* From the fourth hop on the way back is four routers longer, and 40 ms. */
static void test_change(void **state)
{
	(void)state;
	static const int ttls[] = {255, 254, 253, 248, 247, 246, 54}, ms[] = {1, 2, 3, 43, 44, 45, 46};
	struct path *path = way(ttls, ms, 7);
	struct inferred inferred;
	char detail[300];
	infer(path, &inferred);
	assert_int_equal(inferred.changes_at, 4);
	assert_int_equal(inferred.change, 4);
	assert_int_equal(inferred.back_hops, 10);
	assert_int_equal(inferred.step_ns, 40 * NS_PER_MS);
	assert_int_equal(status_of(path, detail, sizeof(detail)), ATTEMPT_PARTIAL);
	assert_non_null(strstr(detail, "from hop 4 on"));
	struct path *back = path_of(path);
	assert_int_equal(back->hop_count, 10);
	for (size_t i = 0; i < back->hop_count; i++) {
		assert_false(addr_is_set(back->hops[i].address));
		assert_int_equal(back->hops[i].certainty, CERTAINTY_INFERRED);
		assert_int_equal(back->hops[i].ttl, (int)i + 1);
	}
	path_free(back);
	path_free(path);
}

/* A hidden tunnel on the way back takes from 255, not from 64. */
static void test_tunnel(void **state)
{
	(void)state;
	static const int ttls[] = {255, 254, 253, 248, 247, 246, 58};
	struct path *path = way(ttls, flat, 7);
	struct inferred inferred;
	infer(path, &inferred);
	assert_true(inferred.tunnel);
	assert_int_equal(inferred.changes_at, 0);
	assert_int_equal(inferred.back_hops, 6);
	path_free(path);
}

/* Routers inside a tunnel that shows: their answers take a turn. */
static void test_labels(void **state)
{
	(void)state;
	static const int ttls[] = {255, 254, 249, 248, 247, 250, 58};
	struct path *path = way(ttls, flat, 7);
	struct inferred inferred;
	for (int i = 2; i < 5; i++)
		path->hops[i].probes[0].mpls_count = 1;
	infer(path, &inferred);
	assert_int_equal(inferred.changes_at, 0);
	path_free(path);
}

/* One router that is farther away than those around it. */
static void test_one_alone(void **state)
{
	(void)state;
	static const int ttls[] = {255, 254, 246, 252, 251, 59};
	struct path *path = way(ttls, flat, 6);
	struct inferred inferred;
	infer(path, &inferred);
	assert_int_equal(inferred.changes_at, 0);
	path_free(path);
}

static void test_nothing(void **state)
{
	(void)state;
	static const int ttls[] = {0, 254, 0};
	struct inferred inferred;
	char detail[300];
	struct path *path = way(ttls, flat, 3);
	path->reached = false;
	infer(path, &inferred);
	assert_false(inferred.heard);
	assert_null(path_of(path));
	assert_int_equal(status_of(path, detail, sizeof(detail)), ATTEMPT_UNAVAILABLE);
	assert_int_equal(status_of(NULL, detail, sizeof(detail)), ATTEMPT_UNAVAILABLE);
	path_free(path);
	path = path_new(DIRECTION_FORWARD, "ttl");
	infer(path, &inferred);
	assert_false(inferred.heard);
	path_free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symmetric),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_tunnel),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_one_alone),
		cmocka_unit_test(test_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
