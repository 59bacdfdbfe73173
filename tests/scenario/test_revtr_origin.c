/* Customers' packets go on in a tunnel, the answers of their router do not: reverse traceroute says so of
 * that router, and of no other; without the tunnel, of none. */
#include "revtr_lab.h"

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
	"  - {name: gs, as: 64496}\n  - {name: x, as: 64500}\n  - {name: y, as: 64501}\n  - {name: r, as: "
	"64510}\n"
	"  - {name: t, as: 64510}\n"
	"  - {name: p, as: 64521}\n"
	"links:\n"
	"  - {from: s, to: gs}\n  - {from: gs, to: x}\n  - {from: gs, to: y}\n  - {from: x, to: t}\n"
	"  - {from: t, to: r}\n  - {from: y, to: t, cost: 100}\n  - {from: v, to: p}\n  - {from: p, to: r}\n"
	"  - {from: r, to: d1}\n  - {from: r, to: d2}\n  - {from: r, to: d3}\n  - {from: r, to: d4}\n  - "
	"{from: r, to: d5}\n";

static const char tunnel[] = "detours: [{at: t, to: y, prefix: 198.51.100.0/24, from: 198.18.18.0/24}]\n";

static void start(struct lab *lab, const char *detours)
{
	char text[sizeof(world_text) + 100];
	snprintf(text, sizeof(text), "%s%s", world_text, detours);
	*lab = (struct lab){.world = scene_world(text),
		.names = {"v", "s"},
		.site_count = 1,
		.spoofers = 1,
		.options = revtr_options_default()};
	lab_start(lab);
}

static void measure(struct lab *lab, struct addr target)
{
	lab_measure(lab, target);
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
		measure(lab, lab_address(lab, name));
		assert_string_equal(name_of(lab, 0), "r");
	}
}

static void test_a_tunnel_for_customers(void **state)
{
	struct lab lab;
	(void)state;
	start(&lab, tunnel);
	measure_router_and_customers(&lab);
	assert_true(passes(&lab, "y"));
	assert_false(passes(&lab, "x"));
	assert_int_equal(said(&lab), 1);
	lab_end(&lab);
}

static void test_one_way_for_all(void **state)
{
	struct lab lab;
	(void)state;
	start(&lab, "");
	measure_router_and_customers(&lab);
	assert_true(passes(&lab, "x"));
	assert_int_equal(said(&lab), 0);
	lab_end(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_tunnel_for_customers),
		cmocka_unit_test(test_one_way_for_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
