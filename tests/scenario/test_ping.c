/* retour ping's machine in small worlds: round trips, loss, a host that does not answer echoes, one that is not there. */
#include "scene.h"

#include "trace/ping.h"

struct events {
	unsigned answers, refusals, lost, others, late;
	uint32_t last_number;
};

static void on_event(void *context, const struct ping_event *event)
{
	struct events *events = context;
	events->answers += event->kind == PING_ANSWER;
	events->refusals += event->kind == PING_REFUSAL;
	events->lost += event->kind == PING_LOST;
	events->others += event->kind == PING_OTHER;
	events->late += event->late;
	events->last_number = event->number;
}

static struct engine_config way_of(const struct scene *scene, uint8_t family, enum probe_protocol protocol, uint16_t port)
{
	return (struct engine_config){
		.protocol = protocol,
		.source = scene->from[family],
		.destination = scene->to[family],
		.flow = {.source_port = protocol == PROBE_ICMP ? 0 : 40000,
			.destination_port = port,
			.icmp_id = protocol == PROBE_ICMP ? 77 : 0,
			.icmp_checksum = protocol == PROBE_ICMP ? 0x1234 : 0},
		.key = {5, 6},
	};
}

static struct pinger *run(struct scene *scene, uint8_t family, unsigned count, unsigned ways, struct events *events)
{
	struct ping_config config = {
		.ways = {way_of(scene, family, PROBE_ICMP, 0), way_of(scene, family, PROBE_TCP, 443),
			way_of(scene, family, PROBE_UDP, 33434)},
		.way_count = ways,
		.ttl = 64,
		.count = count,
		.interval_ns = NS_PER_S / 5,
		.wait_ns = 2 * NS_PER_S,
	};
	struct pinger *ping = malloc(sizeof(*ping));
	assert_non_null(ping);
	*events = (struct events){0};
	ping_init(ping, &config, on_event, events);
	struct machine machine = ping_machine(ping);
	assert_int_equal(sim_attach(scene->sim, scene->a, &machine, 0), 0);
	assert_true(sim_run(scene->sim, sim_now(scene->sim) + 3600 * NS_PER_S));
	return ping;
}

static void end(struct scene *scene, struct pinger *ping)
{
	ping_deinit(ping);
	free(ping);
	scene_end(scene);
}

static void test_answers(void **state)
{
	(void)state;
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct scene scene = scene_of(chain("", ""));
		struct events events;
		struct pinger *ping = run(&scene, family, 10, 3, &events);
		assert_int_equal(events.answers, 10);
		assert_int_equal(events.lost + events.refusals + events.others + events.late, 0);
		assert_int_equal(ping->series.received, 10);
		assert_int_equal(ping_way(ping)->protocol, PROBE_ICMP);
		/* Ten at intervals of a fifth of a second take 1.8 s, and no wait for answers that are there. */
		assert_true(sim_now(scene.sim) < 2 * NS_PER_S);
		end(&scene, ping);
	}
}

static void test_loss(void **state)
{
	(void)state;
	struct world *world = scene_world(WORLD_HEAD "routers:\n"
						    "  - {name: r1, as: 64496}\n"
						    "links:\n"
						    "  - {from: a, to: r1}\n"
						    "  - {from: r1, to: b, loss: 0.3, loss_back: 0}\n");
	struct scene scene = scene_of(world);
	struct events events;
	struct pinger *ping = run(&scene, 4, 200, 1, &events);
	struct sim_counts counts = sim_counts(scene.sim);
	assert_int_equal(events.lost, counts.lost);
	assert_int_equal(events.answers, 200 - counts.lost);
	assert_int_equal(ping->series.lost, counts.lost);
	assert_in_range(counts.lost, 30, 90);
	end(&scene, ping);
}

/* b leaves echoes alone: two of them, and then TCP, whose reset is an answer. */
static void test_no_echo(void **state)
{
	(void)state;
	struct world *world = scene_world("ases:\n"
					  "  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: "
					  "\"2001:db8:1::/48\"}\n"
					  "hosts:\n"
					  "  - {name: a, as: 64496}\n"
					  "  - {name: b, as: 64496, behaviour: {ping: none}}\n"
					  "routers:\n"
					  "  - {name: r1, as: 64496}\n"
					  "links:\n"
					  "  - {from: a, to: r1}\n"
					  "  - {from: r1, to: b}\n");
	for (unsigned count = 1; count <= 20; count += 19) {
		struct scene scene = scene_of(world);
		struct events events;
		struct pinger *ping = run(&scene, 4, count, 3, &events);
		assert_int_equal(events.others, 1);
		assert_int_equal(ping_way(ping)->protocol, PROBE_TCP);
		assert_int_equal(ping->series.lost, 0);
		assert_int_equal(ping->series.received, events.answers);
		assert_true(events.answers > 0);
		assert_true(ping->earlier_sent >= 1 && ping->earlier_sent <= 14);
		ping_deinit(ping);
		free(ping);
		sim_free(scene.sim);
		free(scene.prober);
	}
	world_free(world);
}

/* Nobody there at all: all are lost, and it ends. */
static void test_nobody(void **state)
{
	(void)state;
	struct world *world = scene_world(WORLD_HEAD "routers:\n"
						    "  - {name: r1, as: 64496}\n"
						    "links:\n"
						    "  - {from: a, to: r1}\n"
						    "  - {from: r1, to: b, loss: 1, loss_back: 0}\n");
	struct scene scene = scene_of(world);
	struct events events;
	struct pinger *ping = run(&scene, 4, 3, 3, &events);
	assert_int_equal(events.lost, 3);
	assert_int_equal(events.answers + events.others, 0);
	/* Three echoes, and one packet of each other kind. */
	assert_int_equal(sim_counts(scene.sim).lost, 5);
	assert_true(sim_now(scene.sim) < 6 * NS_PER_S);
	end(&scene, ping);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_no_echo),
		cmocka_unit_test(test_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
