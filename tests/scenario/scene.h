/* Small worlds in which one thing is tried: two hosts, a and b, and a prober at a. */
#ifndef RETOUR_TESTS_SCENARIO_SCENE_H
#define RETOUR_TESTS_SCENARIO_SCENE_H

#include "prober.h"

#include <stdio.h>
#include <stdlib.h>

#define WORLD_HEAD                                                                                           \
	"ases:\n"                                                                                            \
	"  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: \"2001:db8:1::/48\"}\n"     \
	"hosts:\n"                                                                                           \
	"  - {name: a, as: 64496}\n"                                                                         \
	"  - {name: b, as: 64496}\n"

static inline struct world *scene_world(const char *text)
{
	struct world *world = NULL;
	struct error error = {0};
	if (world_parse("test", text, &world, &error) < 0)
		fail_msg("%s", error.text);
	return world;
}

/* a - r1 - r2 - r3 - b; `behaviour` is r2's */
static inline struct world *chain(const char *behaviour, const char *rest)
{
	char text[2000];
	snprintf(text, sizeof(text),
		WORLD_HEAD "routers:\n"
			   "  - {name: r1, as: 64496}\n"
			   "  - {name: r2, as: 64496, behaviour: {%s}}\n"
			   "  - {name: r3, as: 64496}\n"
			   "links:\n"
			   "  - {from: a, to: r1}\n"
			   "  - {from: r1, to: r2}\n"
			   "  - {from: r2, to: r3}\n"
			   "  - {from: r3, to: b}\n"
			   "%s",
		behaviour, rest);
	return scene_world(text);
}

/* a - r1, there by f, back by g2 and g1, r2 - b; what is given is the behaviour of each. */
static inline struct world *two_ways_world(
	const char *b, const char *r2, const char *g1, const char *f, const char *rest)
{
	char text[3000];
	snprintf(text, sizeof(text),
		"ases:\n"
		"  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: "
		"\"2001:db8:1::/48\"}\n"
		"hosts:\n"
		"  - {name: a, as: 64496}\n"
		"  - {name: b, as: 64496, behaviour: {%s}}\n"
		"routers:\n"
		"  - {name: r1, as: 64496}\n"
		"  - {name: f, as: 64496, behaviour: {%s}}\n"
		"  - {name: r2, as: 64496, behaviour: {%s}}\n"
		"  - {name: g1, as: 64496, behaviour: {%s}}\n"
		"  - {name: g2, as: 64496}\n"
		"links:\n"
		"  - {from: a, to: r1}\n"
		"  - {from: r1, to: f}\n"
		"  - {from: f, to: r2, cost: 10, cost_back: 100}\n"
		"  - {from: r2, to: b}\n"
		"  - {from: g1, to: r1, cost: 10, cost_back: 100}\n"
		"  - {from: g2, to: g1}\n"
		"  - {from: r2, to: g2}\n"
		"%s",
		b, f, r2, g1, rest);
	return scene_world(text);
}

struct scene {
	struct world *world;
	struct sim *sim;
	struct prober *prober;
	uint32_t a, b;
	struct addr from[7], to[7]; /* by family */
};

static inline struct scene scene_of(struct world *world)
{
	struct scene scene = {
		.world = world, .sim = sim_new(world, 42), .prober = calloc(1, sizeof(struct prober))};
	scene.a = world_find_node(world, "a");
	scene.b = world_find_node(world, "b");
	for (uint8_t family = 4; family <= 6; family += 2) {
		scene.from[family] = world_node_address(world, scene.a, family);
		scene.to[family] = world_node_address(world, scene.b, family);
	}
	return scene;
}

static inline void scene_end(struct scene *scene)
{
	sim_free(scene->sim);
	free(scene->prober);
	world_free(scene->world);
}

static inline struct addr interface_address(
	const struct world *world, const char *node, const char *towards, uint8_t family)
{
	uint32_t interface =
		world_interface_to(world, world_find_node(world, node), world_find_node(world, towards));
	assert_int_not_equal(interface, WORLD_NONE);
	return world->interfaces[interface].address[family_index(family)];
}

static inline void assert_addr(struct addr got, struct addr expected)
{
	char a[ADDR_TEXT_SIZE], b[ADDR_TEXT_SIZE];
	assert_string_equal(addr_format(got, a), addr_format(expected, b));
}

static inline const struct packet *answer_to(const struct scene *scene, unsigned index)
{
	assert_int_equal(scene->prober->probes[index].answers, 1);
	return &scene->prober->probes[index].answer;
}

static inline struct packet_spec record_route_spec(const struct scene *scene, uint8_t slots)
{
	struct packet_spec spec = echo_spec(scene->from[4], scene->to[4], 0, 1);
	spec.ip.route = (struct route_option){.present = true, .type = 7, .slots = slots};
	for (unsigned i = 0; i < slots; i++)
		spec.ip.route.addrs[i] = addr_v4(0);
	return spec;
}

/* A machine that only looks: how many packets came, and the last of them. */
struct watcher {
	unsigned seen;
	struct packet last;
};

static inline enum machine_want watcher_next(
	void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	(void)self, (void)now_ns, (void)outgoing;
	*wake_ns = TIME_NEVER;
	return MACHINE_WAIT;
}

static inline void watcher_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct watcher *watcher = self;
	(void)received_ns;
	watcher->seen++;
	watcher->last = *packet;
	watcher->last.transport.payload = NULL;
}

static inline void watch(struct sim *sim, uint32_t host, struct watcher *watcher)
{
	static const struct machine_ops ops = {watcher_next, NULL, watcher_packet};
	struct machine machine = {&ops, watcher};
	*watcher = (struct watcher){0};
	assert_int_equal(sim_attach(sim, host, &machine, SIM_BACKGROUND), 0);
}

#endif
