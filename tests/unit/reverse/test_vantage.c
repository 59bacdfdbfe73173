/* Who is how near, by what the way there and the local data say. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "reverse/vantage.h"

static struct addr addr(const char *text)
{
	struct addr addr;
	assert_true(addr_parse(text, &addr));
	return addr;
}

/* A way there with these ASes, 0 = not known; the last hop is the target. */
static struct path *way(const uint32_t *asns, size_t count, bool reached)
{
	struct path *path = path_new(DIRECTION_FORWARD, "ttl");
	assert_non_null(path);
	path->reached = reached;
	for (size_t i = 0; i < count; i++) {
		struct hop *hop = path_add_hop(path, (int)i + 1, TECHNIQUE_TTL);
		assert_non_null(hop);
		hop->asn = asns[i];
		hop->address = addr(i + 1 == count ? "198.18.18.80" : "203.0.113.1");
	}
	return path;
}

static struct vantage_scene scene_of(const uint32_t *asns, size_t count, bool reached)
{
	struct vantage_scene scene;
	struct path *path = way(asns, count, reached);
	vantage_scene_read(&scene, addr("198.18.18.80"), path, NULL);
	path_free(path);
	return scene;
}

static void test_ases_before_the_target(void **state)
{
	(void)state;
	const uint32_t asns[] = {64496, 64496, 64499, 64500, 0, 64501, 64501, 64510, 64510};
	struct vantage_scene scene = scene_of(asns, 9, true);
	assert_int_equal(scene.origin_count, 1);
	assert_int_equal(scene.origins[0], 64510);
	/* the nearest two, not our own */
	assert_int_equal(scene.upstream_count, 2);
	assert_int_equal(scene.upstreams[0], 64501);
	assert_int_equal(scene.upstreams[1], 64500);
}

static void test_distance(void **state)
{
	(void)state;
	const uint32_t asns[] = {64496, 64500, 64501, 64510};
	struct vantage_scene scene = scene_of(asns, 4, true);
	assert_int_equal(vantage_distance_of(&scene, ADDR_NONE, 64510), VANTAGE_SAME_AS);
	assert_int_equal(vantage_distance_of(&scene, ADDR_NONE, 64501), VANTAGE_UPSTREAM);
	assert_int_equal(vantage_distance_of(&scene, ADDR_NONE, 64496), VANTAGE_ELSEWHERE);
	assert_int_equal(vantage_distance_of(&scene, ADDR_NONE, 64499), VANTAGE_ELSEWHERE);
	assert_int_equal(vantage_distance_of(&scene, ADDR_NONE, 0), VANTAGE_UNKNOWN);
	scene.prefix = prefix_of(addr("198.18.16.0"), 22);
	assert_int_equal(vantage_distance_of(&scene, addr("198.18.19.1"), 0), VANTAGE_SAME_PREFIX);
	assert_int_equal(vantage_distance_of(&scene, addr("198.18.20.1"), 64510), VANTAGE_SAME_AS);
	assert_int_equal(vantage_distance_of(&scene, addr("2001:db8::1"), 0), VANTAGE_UNKNOWN);
}

static void test_what_is_not_known(void **state)
{
	(void)state;
	struct vantage_scene scene;
	vantage_scene_read(&scene, addr("198.18.18.80"), NULL, NULL);
	assert_int_equal(scene.origin_count + scene.upstream_count, 0);
	assert_int_equal(vantage_distance_of(&scene, ADDR_NONE, 64510), VANTAGE_UNKNOWN);
	/* The way there ends in front of it: the last hop's AS may be its own or the one before. */
	const uint32_t asns[] = {64496, 64500, 64501};
	scene = scene_of(asns, 3, false);
	assert_int_equal(scene.origin_count, 0);
	assert_int_equal(vantage_distance_of(&scene, ADDR_NONE, 64501), VANTAGE_UPSTREAM);
	assert_int_equal(vantage_distance_of(&scene, ADDR_NONE, 64510), VANTAGE_UNKNOWN);
}

/* A router at a border has the other AS's address; whose it is counts. */
static void test_operator_counts(void **state)
{
	(void)state;
	const uint32_t asns[] = {64496, 64500, 64501, 64510};
	struct vantage_scene scene;
	struct path *path = way(asns, 4, true);
	path->hops[2].operator_asn = 64502;
	vantage_scene_read(&scene, addr("198.18.18.80"), path, NULL);
	path_free(path);
	assert_int_equal(scene.upstreams[0], 64502);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ases_before_the_target),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_what_is_not_known),
		cmocka_unit_test(test_operator_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
