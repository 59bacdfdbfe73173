/* Customers' packets go on in a tunnel, the answers of their router do not: reverse traceroute says so of that router, and
 * of no other; without the tunnel, of none. */
#include "scene.h"

#include "revtr/virtual.h"
#include "sim/truth.h"

#define CUSTOMERS 5

/* s - gs - x - t - r - d1 ... d5, with v beside r; the tunnel leads from t to y, and t does not show then. */
static const char world_text[] =
	"ases:\n"
	"  - {asn: 64496, name: S, country: DE, prefix: 198.51.100.0/24, prefix6: \"2001:db8:1::/48\"}\n"
	"  - {asn: 64500, name: X, country: DE, prefix: 203.0.113.0/24, prefix6: \"2001:db8:2::/48\"}\n"
	"  - {asn: 64501, name: Y, country: DE, prefix: 192.0.2.0/24, prefix6: \"2001:db8:3::/48\"}\n"
	"  - {asn: 64510, name: D, country: DE, prefix: 198.18.16.0/22, prefix6: \"2001:db8:4::/48\"}\n"
	"  - {asn: 64521, name: V, country: DE, prefix: 198.18.21.0/24, prefix6: \"2001:db8:5::/48\"}\n"
	"hosts:\n"
	"  - {name: s, as: 64496}\n  - {name: v, as: 64521}\n"
	"  - {name: d1, as: 64510, address: 198.18.18.1}\n  - {name: d2, as: 64510, address: 198.18.18.2}\n"
	"  - {name: d3, as: 64510, address: 198.18.18.3}\n  - {name: d4, as: 64510, address: 198.18.18.4}\n"
	"  - {name: d5, as: 64510, address: 198.18.18.5}\n"
	"routers:\n"
	"  - {name: gs, as: 64496}\n  - {name: x, as: 64500}\n  - {name: y, as: 64501}\n  - {name: r, as: 64510}\n"
	"  - {name: t, as: 64510}\n"
	"  - {name: p, as: 64521}\n"
	"links:\n"
	"  - {from: s, to: gs}\n  - {from: gs, to: x}\n  - {from: gs, to: y}\n  - {from: x, to: t}\n"
	"  - {from: t, to: r}\n  - {from: y, to: t, cost: 100}\n  - {from: v, to: p}\n  - {from: p, to: r}\n"
	"  - {from: r, to: d1}\n  - {from: r, to: d2}\n  - {from: r, to: d3}\n  - {from: r, to: d4}\n  - {from: r, to: d5}\n";

static const char tunnel[] = "detours: [{at: t, to: y, prefix: 198.51.100.0/24, from: 198.18.18.0/24}]\n";

struct lab {
	struct world *world;
	struct sim *sim;
	struct virtual *virtual;
	struct ingress ingress;
	struct revtr_site site;
	struct revtr_engine *engine;
	struct addr source;
	struct revtr_result result;
	struct revtr_hop hops[REVTR_HOPS_MAX];
	bool done;
};

static uint32_t asn_of(void *context, uint32_t address)
{
	const struct lab *lab = context;
	uint32_t as = world_find_as(lab->world, addr_v4(address));
	return as == WORLD_NONE ? 0 : lab->world->ases[as].asn;
}

static struct addr of(const struct lab *lab, const char *node)
{
	return world_node_address(lab->world, world_find_node(lab->world, node), 4);
}

static void lab_init(struct lab *lab, const char *detours)
{
	char text[sizeof(world_text) + 100];
	struct revtr_options options = revtr_options_default();
	uint32_t index;
	memset(lab, 0, sizeof(*lab));
	snprintf(text, sizeof(text), "%s%s", world_text, detours);
	lab->world = scene_world(text);
	lab->sim = sim_new(lab->world, 1);
	uint32_t hosts[] = {world_find_node(lab->world, "v"), world_find_node(lab->world, "s")};
	lab->virtual = virtual_new(lab->sim, hosts, 2);
	lab->site = (struct revtr_site){0, true};
	lab->source = of(lab, "s");
	assert_int_equal(ingress_init(&lab->ingress, 1), 0);
	ingress_sort(&lab->ingress);
	struct revtr_environment environment = {
		.ingress = &lab->ingress, .sites = &lab->site, .site_count = 1, .asn = asn_of, .context = lab};
	lab->engine = revtr_engine_new(&options, &environment);
	assert_non_null(lab->engine);
	assert_int_equal(revtr_engine_add_source(lab->engine, lab->source, 1, &index), 0);
}

static void lab_deinit(struct lab *lab)
{
	revtr_engine_free(lab->engine);
	ingress_deinit(&lab->ingress);
	virtual_free(lab->virtual);
	sim_free(lab->sim);
	world_free(lab->world);
}

static void take(void *context, const struct revtr_result *result)
{
	struct lab *lab = context;
	lab->result = *result;
	memcpy(lab->hops, result->hops, result->hop_count * sizeof(*lab->hops));
	lab->done = true;
}

static void measure(struct lab *lab, struct addr target)
{
	uint32_t id;
	lab->done = false;
	assert_int_equal(revtr_engine_submit(lab->engine, 0, target, sim_now(lab->sim), &id), 0);
	virtual_run(lab->virtual, lab->engine, &lab->source, take, lab);
	assert_true(lab->done);
	assert_int_equal(lab->result.stop, REVTR_REACHED);
}

/* The node of a hop. */
static const char *name_of(const struct lab *lab, unsigned hop)
{
	const struct world_address *owner = world_find_address(lab->world, addr_v4(lab->hops[hop].address));
	return owner ? lab->world->nodes[owner->node].name : "";
}

static bool passes(const struct lab *lab, const char *node)
{
	for (unsigned i = 0; i < lab->result.hop_count; i++)
		if (strcmp(name_of(lab, i), node) == 0)
			return true;
	return false;
}

/* How many hops are said to forward by origin; all of them are r. */
static unsigned said(const struct lab *lab)
{
	unsigned count = 0;
	for (unsigned i = 0; i < lab->result.hop_count; i++)
		if (lab->hops[i].by_origin) {
			assert_string_equal(name_of(lab, i), "r");
			count++;
		}
	return count;
}

/* r is asked for its own way, by the address that it writes; then customers are measured. */
static void measure_router_and_customers(struct lab *lab)
{
	char name[8];
	measure(lab, interface_address(lab->world, "r", "t", 4));
	assert_true(passes(lab, "x"));
	assert_false(passes(lab, "y"));
	for (unsigned i = 1; i <= CUSTOMERS; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		measure(lab, of(lab, name));
		assert_string_equal(name_of(lab, 0), "r");
	}
}

static void test_a_tunnel_for_customers(void **state)
{
	struct lab lab;
	(void)state;
	lab_init(&lab, tunnel);
	measure_router_and_customers(&lab);
	assert_true(passes(&lab, "y"));
	assert_false(passes(&lab, "x"));
	assert_int_equal(said(&lab), 1);
	lab_deinit(&lab);
}

static void test_one_way_for_all(void **state)
{
	struct lab lab;
	(void)state;
	lab_init(&lab, "");
	measure_router_and_customers(&lab);
	assert_true(passes(&lab, "x"));
	assert_int_equal(said(&lab), 0);
	lab_deinit(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_tunnel_for_customers),
		cmocka_unit_test(test_one_way_for_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
