/* A target that writes another address of its own into lists: with the alias set that somebody brought, its
 * list is read. */
#include "revtr_lab.h"

#include "revtr/aliases.h"

/* s - g1 - g2 - d - e; d answers, and stamps by the name of another interface. */
static const char world_text[] =
	"ases:\n"
	"  - {asn: 64496, name: S, country: DE, prefix: 198.51.100.0/24, prefix6: \"2001:db8:1::/48\"}\n"
	"  - {asn: 64510, name: D, country: DE, prefix: 203.0.113.0/24, prefix6: \"2001:db8:4::/48\"}\n"
	"hosts:\n"
	"  - {name: s, as: 64496}\n  - {name: c, as: 64510}\n"
	"routers:\n"
	"  - {name: g1, as: 64496}\n  - {name: g2, as: 64510}\n  - {name: d, as: 64510, behaviour: "
	"{own_stamps: alias}}\n"
	"  - {name: e, as: 64510}\n"
	"links:\n"
	"  - {from: s, to: g1}\n  - {from: g1, to: g2}\n  - {from: g2, to: d}\n  - {from: d, to: e}\n  - "
	"{from: e, to: c}\n";

/* Every address of the node. */
static unsigned addresses_of(const struct world *world, uint32_t node, uint32_t *addresses)
{
	unsigned count = 0;
	for (uint32_t address = 0xcb007100; address < 0xcb007200; address++)
		if (world_has_address(world, node, addr_v4(address)))
			addresses[count++] = address;
	return count;
}

/* By the published rules: no others could find the target in its list. */
static void measure(struct lab *lab, const struct aliases *aliases)
{
	*lab = (struct lab){.world = scene_world(world_text),
		.names = {"c", "s"},
		.site_count = 1,
		.options = revtr_options_published(),
		.aliases = aliases};
	lab_start(lab);
	lab_measure(lab, lab_address(lab, "d"));
}

static void test_without_aliases(void **state)
{
	struct lab lab;
	(void)state;
	measure(&lab, NULL);
	assert_int_not_equal(lab.result.stop, REVTR_REACHED);
	assert_int_equal(lab.result.hop_count, 0);
	lab_end(&lab);
}

static void test_alias_sets_are_used(void **state)
{
	static const char *const way[] = {"g2", "g1", "s"};
	struct world *world = scene_world(world_text);
	struct aliases aliases = {0};
	struct lab lab;
	uint32_t addresses[8];
	(void)state;
	unsigned count = addresses_of(world, world_find_node(world, "d"), addresses);
	assert_true(count >= 2);
	assert_int_equal(aliases_add(&aliases, addresses, count), 0);
	measure(&lab, &aliases);
	assert_int_equal(lab.result.stop, REVTR_REACHED);
	assert_int_equal(lab.result.hop_count, ARRAY_LEN(way));
	for (unsigned i = 0; i < ARRAY_LEN(way); i++) {
		assert_true(world_has_address(
			world, world_find_node(world, way[i]), addr_v4(lab.hops[i].address)));
		assert_int_equal(lab.hops[i].technique, TECHNIQUE_RECORD_ROUTE);
	}
	lab_end(&lab);
	aliases_deinit(&aliases);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_aliases),
		cmocka_unit_test(test_alias_sets_are_used),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
