/* Agents that test each other in the virtual Internet: whatever the world does to them is found, and its
 * place is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/capability.h"
#include "sim/sim.h"

#define AGENTS	7
#define STEP_NS (5 * NS_PER_MS)
#define SEEDS	40

/* agent - agent-1 - agent-2 - core; the second router is the core's. */
enum { WHOLE, SECOND, THIRD, UNNAMED, UNLISTED, DEAF, INSIDE };
static const struct {
	const char *name, *first, *second; /* behaviour of its two routers */
} agents[AGENTS] = {
	{"whole", "limits: linux", "limits: linux"},
	{"second", "limits: linux", "limits: linux"},
	{"third", "limits: router", "limits: router"},
	{"unnamed", "limits: linux", "limits: linux, source_filter: strict"},
	{"unlisted", "limits: linux", "limits: linux, record_route: drop"},
	{"deaf",
		"limits: linux, firewall: [{do: allow, established: true}, {do: allow, from: 198.18.6.0/24}, "
		"{do: drop}]",
		"limits: linux"},
	{"inside", "limits: linux, nat: {inside: 192.168.1.0/24}", "limits: linux"},
};

struct scene {
	struct world *world;
	struct sim *sim;
	struct agent *agents[AGENTS];
	uint32_t hosts[AGENTS];
	struct addr addresses[AGENTS];
};

static void append(char *text, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
static void append(char *text, size_t size, const char *format, ...)
{
	va_list arguments;
	size_t length = strlen(text);
	va_start(arguments, format);
	assert_true(vsnprintf(text + length, size - length, format, arguments) < (int)(size - length));
	va_end(arguments);
}

static struct world *build(double loss)
{
	char text[8000] = "ases:\n  - {asn: 64500, name: Core, country: DE, prefix: 203.0.113.0/24, prefix6: "
			  "\"2001:db8:ff00::/40\"}\n";
	struct world *world = NULL;
	struct error error = {0};
	for (unsigned i = 0; i < AGENTS; i++)
		append(text, sizeof(text),
			"  - {asn: %u, name: A%u, country: DE, prefix: 198.18.%u.0/24, prefix6: "
			"\"2001:db8:%u00::/40\"}\n",
			64601 + i, i + 1, i + 1, i + 1);
	append(text, sizeof(text), "hosts:\n");
	for (unsigned i = 0; i < AGENTS; i++)
		append(text, sizeof(text), "  - {name: %s, as: %u%s}\n", agents[i].name, 64601 + i,
			i == INSIDE ? ", address: 192.168.1.2" : "");
	append(text, sizeof(text), "routers:\n  - {name: core, as: 64500}\n");
	for (unsigned i = 0; i < AGENTS; i++) {
		append(text, sizeof(text), "  - {name: %s-1, as: %u, behaviour: {%s}}\n", agents[i].name,
			64601 + i, agents[i].first);
		append(text, sizeof(text), "  - {name: %s-2, as: 64500, behaviour: {%s}}\n", agents[i].name,
			agents[i].second);
	}
	append(text, sizeof(text), "links:\n");
	for (unsigned i = 0; i < AGENTS; i++) {
		const char *name = agents[i].name;
		append(text, sizeof(text), "  - {from: %s-1, to: %s%s}\n", name, name,
			i == INSIDE ? ", from_address: 192.168.1.1, to_address: 192.168.1.2" : "");
		append(text, sizeof(text),
			"  - {from: %s-2, to: %s-1, delay_ms: 8, loss: %g}\n  - {from: core, to: %s-2, "
			"delay_ms: %u}\n",
			name, name, loss, name, 5 + 3 * i);
	}
	if (world_parse("agents", text, &world, &error) < 0)
		fail_msg("%s\n%s", error.text, text);
	return world;
}

static struct hash_key key_of(unsigned agent)
{
	return (struct hash_key){agent + 1, 77};
}

static bool deliver(void *context, uint32_t host, const uint8_t *bytes, size_t length)
{
	struct scene *scene = context;
	struct packet packet;
	for (unsigned i = 0; i < AGENTS; i++) {
		if (scene->hosts[i] != host || packet_read(bytes, length, &packet) < 0)
			continue;
		struct machine machine = agent_machine(scene->agents[i]);
		machine.ops->packet(machine.self, sim_now(scene->sim), &packet);
	}
	return false; /* the host answers pings by itself */
}

static void open_scene(struct scene *scene, double loss, uint64_t seed)
{
	*scene = (struct scene){.world = build(loss)};
	scene->sim = sim_new(scene->world, seed);
	assert_non_null(scene->sim);
	sim_set_deliver(scene->sim, deliver, scene);
	for (unsigned i = 0; i < AGENTS; i++) {
		struct agent_rules rules = {.spoof = true};
		struct hash_key key = key_of(i);
		scene->hosts[i] = world_find_node(scene->world, agents[i].name);
		scene->addresses[i] = world_node_address(scene->world, scene->hosts[i], 4);
		scene->agents[i] =
			agent_new(&rules, scene->addresses[i], &key, &scene->addresses[i], i != INSIDE);
		assert_non_null(scene->agents[i]);
	}
}

static void close_scene(struct scene *scene)
{
	for (unsigned i = 0; i < AGENTS; i++)
		agent_free(scene->agents[i]);
	sim_free(scene->sim);
	world_free(scene->world);
}

/* What agents send now, and what they tell of it. */
static void let_agents(struct scene *scene, struct capability_test *test)
{
	static struct outgoing out;
	struct revtr_answer answer;
	int64_t wake_ns, now_ns = sim_now(scene->sim);
	for (uint32_t i = 0; i < AGENTS; i++) {
		struct machine machine = agent_machine(scene->agents[i]);
		while (machine.ops->next(machine.self, now_ns, &out, &wake_ns) == MACHINE_SEND)
			machine.ops->sent(machine.self, out.token, now_ns,
				sim_send(scene->sim, scene->hosts[i], out.bytes, out.length));
		while (agent_answer(scene->agents[i], &answer))
			(void)capability_answer(test, i, &answer, now_ns);
	}
}

/* `partners` are three, `sender` may send in others' names. */
static struct capability found(
	struct scene *scene, uint32_t subject, const uint32_t partners[3], uint32_t sender)
{
	struct capability_test *test = calloc(1, sizeof(*test));
	enum capability_want want = CAPABILITY_WAIT;
	struct agent_order order;
	int64_t wake_ns;
	assert_non_null(test);
	test->subject = subject;
	test->own = scene->addresses[subject];
	test->may_spoof = true;
	if (subject != INSIDE)
		test->source =
			(struct capability_partner){subject, scene->addresses[subject], key_of(subject)};
	for (unsigned i = 0; i < 3; i++)
		test->partners[test->partner_count++] = (struct capability_partner){
			partners[i], scene->addresses[partners[i]], key_of(partners[i])};
	test->senders[test->sender_count++] = sender;
	test->secret = (struct hash_key){subject, 99};
	sim_advance(scene->sim, sim_now(scene->sim) + 60 * NS_PER_S); /* whatever was limited is full again */
	capability_start(test, sim_now(scene->sim));
	while (want != CAPABILITY_DONE) {
		while ((want = capability_next(test, sim_now(scene->sim), &order, &wake_ns)) ==
			CAPABILITY_ORDER)
			assert_int_equal(
				agent_do(scene->agents[order.task.agent], &order, sim_now(scene->sim)),
				AGENT_TAKEN);
		let_agents(scene, test);
		sim_advance(scene->sim, sim_now(scene->sim) + STEP_NS);
	}
	struct capability capability = capability_judge(test);
	free(test);
	return capability;
}

#define expect(finding, can_, cause_)                                                                        \
	do {                                                                                                 \
		assert_string_equal(capability_cause_word((finding).cause), cause_);                         \
		assert_int_equal((finding).can, can_);                                                       \
	} while (0)

static void expect_place(
	const struct scene *scene, struct capability_place place, unsigned hop, const char *router)
{
	assert_int_equal(place.hop, hop);
	assert_true(world_has_address(scene->world, world_find_node(scene->world, router), place.address));
}

static const uint32_t sound[3] = {SECOND, THIRD, WHOLE};

static void test_each_is_found(void **state)
{
	static const uint32_t others[3] = {SECOND, THIRD, UNNAMED};
	struct scene scene;
	(void)state;
	open_scene(&scene, 0, 1);
	struct capability whole = found(&scene, WHOLE, others, SECOND);
	expect(whole.options, AGENT_CAN, "none");
	expect(whole.spoof, AGENT_CAN, "none");
	expect(whole.receive, AGENT_CAN, "none");
	assert_int_equal(whole.behind_nat, AGENT_CANNOT);

	struct capability unnamed = found(&scene, UNNAMED, sound, SECOND);
	expect(unnamed.options, AGENT_CAN, "none");
	expect(unnamed.receive, AGENT_CAN, "none");
	expect(unnamed.spoof, AGENT_CANNOT, "filtered");
	expect_place(&scene, unnamed.spoof.last, 1, "unnamed-1");
	expect_place(&scene, unnamed.spoof.next, 2, "unnamed-2");

	struct capability unlisted = found(&scene, UNLISTED, sound, SECOND);
	expect(unlisted.spoof, AGENT_CAN, "none");
	expect(unlisted.options, AGENT_CANNOT, "filtered");
	bool named = unlisted.options.last.hop == 2 ||
		unlisted.options.next.hop == 2; /* it may look at them before or after */
	assert_true(named);

	struct capability deaf = found(&scene, DEAF, sound, SECOND);
	expect(deaf.options, AGENT_CAN, "none");
	expect(deaf.receive, AGENT_CANNOT, "unasked");

	struct capability inside = found(&scene, INSIDE, sound, SECOND);
	assert_int_equal(inside.behind_nat, AGENT_CAN);
	assert_true(world_has_address(scene.world, world_find_node(scene.world, "inside-1"), inside.seen_as));
	expect(inside.options, AGENT_CAN, "none");
	expect(inside.spoof, AGENT_CAN,
		"none"); /* this translator leaves alone what does not come from inside */
	expect(inside.receive, AGENT_CAN_UNKNOWN, "no-source");
	close_scene(&scene);
}

/* One packet in thirty is lost at either end, each way: nobody is said to be unable who is able, whoever is
 * not is not said to be able, and the place is nearly always the right one. */
static void test_loss(void **state)
{
	static const uint32_t others[3] = {SECOND, THIRD, UNNAMED};
	unsigned right = 0;
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct scene scene;
		open_scene(&scene, 1.0 / 30, seed);
		struct capability whole = found(&scene, WHOLE, others, SECOND),
				  unnamed = found(&scene, UNNAMED, sound, SECOND),
				  unlisted = found(&scene, UNLISTED, sound, SECOND);
		assert_int_equal(whole.spoof.can, AGENT_CAN);
		assert_int_equal(whole.options.can, AGENT_CAN);
		assert_int_not_equal(whole.receive.can, AGENT_CANNOT);
		assert_int_equal(unnamed.spoof.can, AGENT_CANNOT);
		assert_int_equal(unlisted.options.can, AGENT_CANNOT);
		right += unnamed.spoof.last.hop == 1 && unnamed.spoof.next.hop == 2;
		close_scene(&scene);
	}
	assert_in_range(right, SEEDS * 9 / 10, SEEDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_found),
		cmocka_unit_test(test_loss),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
