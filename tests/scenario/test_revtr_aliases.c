/* A target that writes another address of its own into lists: with the alias set that somebody brought, its
 * list is read. */
#include "scene.h"

#include "revtr/aliases.h"
#include "revtr/virtual.h"

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

struct lab {
	struct world *world;
	struct revtr_result result;
	struct revtr_hop hops[REVTR_HOPS_MAX];
	bool done;
};

static uint32_t no_asn(void *context, uint32_t address)
{
	(void)context, (void)address;
	return 0;
}

static void take(void *context, const struct revtr_result *result)
{
	struct lab *lab = context;
	lab->result = *result;
	memcpy(lab->hops, result->hops, result->hop_count * sizeof(*lab->hops));
	lab->done = true;
}

/* Every address of the node. */
static unsigned addresses_of(const struct world *world, uint32_t node, uint32_t *addresses)
{
	unsigned count = 0;
	for (uint32_t address = 0xcb007100; address < 0xcb007200; address++)
		if (world_has_address(world, node, addr_v4(address)))
			addresses[count++] = address;
	return count;
}

static void measure(struct lab *lab, const struct aliases *aliases)
{
	static const char *const way[] = {"g2", "g1", "s"};
	uint32_t index, id, host = world_find_node(lab->world, "s"), node = world_find_node(lab->world, "d");
	struct addr source = world_node_address(lab->world, host, 4);
	struct sim *sim = sim_new(lab->world, 1);
	struct virtual *virtual = virtual_new(sim, &host, 1);
	struct revtr_site site = {0, false};
	struct ingress ingress;
	assert_int_equal(ingress_init(&ingress, 1), 0);
	ingress_sort(&ingress);
	struct revtr_environment environment = {
		.ingress = &ingress, .sites = &site, .site_count = 1, .asn = no_asn, .aliases = aliases};
	struct revtr_options options =
		revtr_options_published(); /* no other rules that could find the target in its list */
	struct revtr_engine *engine = revtr_engine_new(&options, &environment);
	assert_int_equal(revtr_engine_add_source(engine, source, 0, &index), 0);
	assert_int_equal(
		revtr_engine_submit(engine, 0, world_node_address(lab->world, node, 4), sim_now(sim), &id),
		0);
	lab->done = false;
	virtual_run(virtual, engine, &source, take, lab);
	assert_true(lab->done);
	if (aliases) {
		assert_int_equal(lab->result.stop, REVTR_REACHED);
		assert_int_equal(lab->result.hop_count, ARRAY_LEN(way));
		for (unsigned i = 0; i < ARRAY_LEN(way); i++) {
			assert_true(world_has_address(lab->world, world_find_node(lab->world, way[i]),
				addr_v4(lab->hops[i].address)));
			assert_int_equal(lab->hops[i].technique, TECHNIQUE_RECORD_ROUTE);
		}
	}
	revtr_engine_free(engine);
	ingress_deinit(&ingress);
	virtual_free(virtual);
	sim_free(sim);
}

static void test_alias_sets_are_used(void **state)
{
	struct lab lab = {.world = scene_world(world_text)};
	struct aliases aliases = {0};
	uint32_t addresses[8];
	(void)state;
	measure(&lab, NULL);
	assert_int_not_equal(lab.result.stop, REVTR_REACHED);
	assert_int_equal(lab.result.hop_count, 0);
	unsigned count = addresses_of(lab.world, world_find_node(lab.world, "d"), addresses);
	assert_true(count >= 2);
	assert_int_equal(aliases_add(&aliases, addresses, count), 0);
	measure(&lab, &aliases);
	aliases_deinit(&aliases);
	world_free(lab.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_alias_sets_are_used)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
