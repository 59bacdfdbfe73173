/* Aliases by asking, see lab.h: what is found is one router's in the world; what says nothing, and what answers in others'
 * stead, makes no set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "lab.h"

#define ASKED_MAX 200

struct findings {
	const struct world *world;
	size_t count[ALIAS_NOT_ASKED + 1], others;
	struct addr first; /* of the first address */
};

static void see(void *context, const struct coordinator_probed *probed)
{
	struct findings *findings = context;
	findings->count[probed->state]++;
	findings->others += probed->other_count;
	assert_true((probed->state == ALIAS_FOUND) == (probed->other_count > 0));
	assert_true((probed->state == ALIAS_NOT_ASKED) == (probed->why != NULL));
	for (unsigned i = 0; i < probed->other_count && findings->world; i++) {
		const struct world_address *owner = world_find_address(findings->world, probed->address);
		assert_non_null(owner);
		assert_true(world_has_address(findings->world, owner->node, addr_v4(probed->others[i])));
		assert_false(addr_equal(probed->address, addr_v4(probed->others[i])));
	}
}

static struct findings probe(struct lab *lab, const uint32_t *addresses, size_t count, const struct world *truth)
{
	struct findings findings = {0};
	struct error error = {0};
	unsigned number, again = 0;
	bool done = false;
	if (coordinator_probe_aliases(lab->coordinator, addresses, count, &number, &error) < 0)
		fail_msg("%s", error.text);
	for (int64_t until_ns = clock_monotonic_ns() + PATIENCE_NS; !done && clock_monotonic_ns() < until_ns;) {
		turn(lab);
		findings = (struct findings){.world = truth};
		again = coordinator_each_probed(lab->coordinator, see, &findings, &done);
	}
	assert_true(done);
	assert_int_equal(again, number);
	assert_int_equal(findings.count[ALIAS_WAITING], 0);
	return findings;
}

/* Every interface of every router; one at the source's side of the router answers for all of them. */
static void test_routers(void **state)
{
	struct lab lab;
	uint32_t addresses[ASKED_MAX];
	size_t count = 0, sets, known;
	(void)state;
	lab_init(&lab, true);
	for (uint32_t i = 0; i < lab.world->node_count; i++)
		for (unsigned j = 0; j < lab.world->nodes[i].interface_count && !lab.world->nodes[i].is_host; j++)
			addresses[count++] = (uint32_t)lab.world->interfaces[lab.world->nodes[i].interfaces[j]].address[0].low;
	assert_true(count > 40 && count < ASKED_MAX);
	struct findings findings = probe(&lab, addresses, count, lab.world);
	assert_int_equal(findings.count[ALIAS_FOUND] + findings.count[ALIAS_ITSELF], count);
	/* Each router has one interface that its answers to the source come from, and one or more others. */
	assert_int_equal(findings.count[ALIAS_ITSELF], 19);
	coordinator_count_aliases(lab.coordinator, &sets, &known);
	assert_int_equal(sets, 19);
	assert_int_equal(known, count);
	stop(&lab);
	start(&lab);
	coordinator_count_aliases(lab.coordinator, &sets, &known);
	assert_int_equal(sets, 19);
	assert_int_equal(known, count);
	lab_deinit(&lab);
}

/* As fast as can be. */
static void unlimited(struct coordinator_options *options)
{
	options->engine.target = options->engine.net = options->engine.source = options->engine.agent =
		(struct budget_rate){0};
}

static void opt_out(struct coordinator_options *options)
{
	static struct prefix prefixes[1];
	assert_true(prefix_parse("203.0.113.0/24", &prefixes[0]));
	unlimited(options);
	options->opt_out = prefixes;
	options->opt_out_count = 1;
}

static void count_udp(void *context, const char *topic, const char *payload, size_t length)
{
	struct agent_order order;
	(void)topic;
	assert_true(order_from_json(payload, length, &order));
	*(unsigned *)context += order.task.probe == REVTR_RR_UDP;
}

/* Silence is not an answer; and whom nothing is sent to. */
static void test_no_answer(void **state)
{
	struct lab lab;
	struct error error = {0};
	unsigned number;
	size_t sets, known;
	(void)state;
	adjust = opt_out;
	lab_init(&lab, true);
	adjust = unlimited;
	lab.mute = true;
	unsigned sent = 0;
	assert_int_equal(bus_subscribe(lab.bus, "retour/1/agent/+/task", count_udp, &sent), 0);
	/* private, nobody's, opted out, and one of Southline's that is asked twice */
	struct findings findings =
		probe(&lab, (uint32_t[]){0x0a000001, 0xe0000001, 0xcb007101, 0xc0000205, 0xc0000205}, 5, NULL);
	assert_int_equal(findings.count[ALIAS_NOT_ASKED], 3);
	assert_int_equal(findings.count[ALIAS_SILENT], 1);
	assert_int_equal(sent, 2); /* silence is asked once more */
	/* One round at a time, and of so many at most. */
	assert_int_equal(coordinator_probe_aliases(lab.coordinator, (uint32_t[]){0xc0000205}, 1, &number, &error), 0);
	assert_int_equal(coordinator_probe_aliases(lab.coordinator, (uint32_t[]){0xc0000206}, 1, &number, &error), -EBUSY);
	assert_int_equal(coordinator_probe_aliases(lab.coordinator, NULL, 0, &number, &error), -EINVAL);
	static uint32_t many[COORDINATOR_PROBED_MAX + 1];
	assert_int_equal(
		coordinator_probe_aliases(lab.coordinator, many, ARRAY_LEN(many), &number, &error), -E2BIG);
	/* Its agent goes while it is awaited: that is not silence. */
	for (int i = 0; i < 5; i++)
		turn(&lab);
	all_online(&lab, false);
	for (int i = 0; i < 5; i++)
		turn(&lab);
	bool done;
	findings = (struct findings){0};
	coordinator_each_probed(lab.coordinator, see, &findings, &done);
	assert_true(done);
	assert_int_equal(findings.count[ALIAS_NOT_ASKED], 1);
	assert_int_equal(coordinator_probe_aliases(lab.coordinator, (uint32_t[]){0xc0000205}, 1, &number, &error), -ENOTCONN);
	all_online(&lab, true);
	for (int i = 0; i < 5; i++)
		turn(&lab);
	lab.refuse = true;
	findings = probe(&lab, (uint32_t[]){0xc0000205}, 1, NULL);
	assert_int_equal(findings.count[ALIAS_NOT_ASKED], 1);
	coordinator_count_aliases(lab.coordinator, &sets, &known);
	assert_int_equal(sets, 0);
	bus_unsubscribe(lab.bus, &sent);
	lab_deinit(&lab);
}

/* What stands at an address, made up. */
static struct {
	struct lab *lab;
	struct addr refuser, to_others, stamps[3]; /* to_others: who refuses what other agents send; none = the same */
	unsigned stamp_count;
	int refusal_ttl, echo_ttl; /* echo_ttl 0: no echo replies */
} made_up;

static void on_alias_task(void *context, const char *topic, const char *payload, size_t length)
{
	struct agent_order order;
	char name[AGENT_NAME_SIZE];
	(void)context;
	assert_true(topic_agent(topic, name) && order_from_json(payload, length, &order));
	bool other = addr_is_set(made_up.to_others) && strcmp(name, made_up.lab->home) != 0;
	struct revtr_answer answer = {.task = order.task.id, .answered = true, .from = order.task.target,
		.reply = {.present = true, .type = 7, .slots = RECORD_ROUTE_SLOTS_MAX}, .reply_ttl = made_up.echo_ttl};
	for (unsigned i = 0; i < RECORD_ROUTE_SLOTS_MAX; i++)
		answer.reply.addrs[i] = addr_v4(0);
	if (order.task.probe == REVTR_RR_UDP) {
		answer.from = other ? made_up.to_others : made_up.refuser;
		answer.reply_ttl = made_up.refusal_ttl;
		answer.reply.used = (uint8_t)made_up.stamp_count;
		memcpy(answer.reply.addrs, made_up.stamps, made_up.stamp_count * sizeof(made_up.stamps[0]));
	} else if (order.task.probe != REVTR_RR_PING || made_up.echo_ttl == 0) {
		return;
	}
	say(made_up.lab, name, "answer", answer_to_json(&answer));
}

/* All that is asked from now on is answered by what the test makes up; pings are not, until it says so. */
static void make_up(struct lab *lab)
{
	lab_init(lab, true);
	for (int i = 0; i < 50; i++)
		turn(lab);
	lab->mute = true;
	memset(&made_up, 0, sizeof(made_up));
	made_up.lab = lab;
	made_up.refusal_ttl = 61;
	assert_int_equal(bus_subscribe(lab->bus, "retour/1/agent/+/task", on_alias_task, &made_up), 0);
}

#define TARGET	0xc6336401u /* 198.51.100.1 */
#define REFUSER 0xc6336405u
#define STAMPED 0xc6336409u
#define BEFORE	0xc633640du

/* A firewall in front of an address refuses in its stead, and is no alias of it: it is nearer. */
static void test_in_its_stead(void **state)
{
	struct lab lab;
	size_t sets, known;
	struct findings findings;
	(void)state;
	make_up(&lab);
	made_up.refuser = addr_v4(REFUSER);
	const int echo_ttls[] = {60, 0, 62}; /* one router farther, silent, nearer */
	for (size_t i = 0; i < ARRAY_LEN(echo_ttls); i++) {
		made_up.echo_ttl = echo_ttls[i];
		findings = probe(&lab, (uint32_t[]){TARGET}, 1, NULL);
		assert_int_equal(findings.count[ALIAS_ELSEWHERE], 1);
	}
	coordinator_count_aliases(lab.coordinator, &sets, &known);
	assert_int_equal(sets, 0);
	/* As many routers away, though it begins with another hop limit. */
	made_up.echo_ttl = 255 - 3;
	findings = probe(&lab, (uint32_t[]){TARGET}, 1, NULL);
	assert_int_equal(findings.count[ALIAS_FOUND], 1);
	coordinator_count_aliases(lab.coordinator, &sets, &known);
	assert_int_equal(known, 2);
	bus_unsubscribe(lab.bus, &made_up);
	lab_deinit(&lab);
}

/* What the router wrote into the packet before it refused is its own, what stands before that is not. */
static void test_stamps(void **state)
{
	struct lab lab;
	size_t sets, known;
	(void)state;
	make_up(&lab);
	made_up.refuser = addr_v4(TARGET);
	made_up.stamps[0] = addr_v4(BEFORE);
	made_up.stamps[1] = addr_v4(TARGET);
	made_up.stamps[2] = addr_v4(STAMPED);
	made_up.stamp_count = 2;
	struct findings findings = probe(&lab, (uint32_t[]){TARGET}, 1, NULL);
	assert_int_equal(findings.count[ALIAS_ITSELF], 1);
	made_up.stamp_count = 3;
	findings = probe(&lab, (uint32_t[]){TARGET}, 1, NULL);
	assert_int_equal(findings.count[ALIAS_FOUND], 1);
	assert_int_equal(findings.others, 1);
	/* Joined with what is known of the address. */
	made_up.refuser = addr_v4(REFUSER);
	findings = probe(&lab, (uint32_t[]){TARGET}, 1, NULL);
	assert_int_equal(findings.others, 2);
	coordinator_count_aliases(lab.coordinator, &sets, &known);
	assert_int_equal(sets, 1);
	assert_int_equal(known, 3);
	bus_unsubscribe(lab.bus, &made_up);
	lab_deinit(&lab);
}

/* Where the first source was answered from the address itself, another one may be from another. */
static void test_second_source(void **state)
{
	struct lab lab;
	struct store_source second = {.name = "second", .agent = "vp1", .key = {4}, .consents = true};
	(void)state;
	make_up(&lab);
	second.address = world_node_address(lab.world, lab.hosts[1], 4);
	made_up.refuser = addr_v4(TARGET);
	made_up.to_others = addr_v4(REFUSER);
	made_up.stamps[0] = addr_v4(TARGET);
	made_up.stamp_count = 1;
	struct findings findings = probe(&lab, (uint32_t[]){TARGET}, 1, NULL);
	assert_int_equal(findings.count[ALIAS_ITSELF], 1);
	assert_int_equal(store_put_source(lab.store, &second, NULL), 0);
	assert_int_equal(coordinator_add_source(lab.coordinator, &second), 0);
	made_up.refuser = addr_v4(REFUSER);
	made_up.to_others = addr_v4(TARGET);
	for (int round = 0; round < 2; round++) { /* whichever of them is asked first */
		findings = probe(&lab, (uint32_t[]){TARGET}, 1, NULL);
		assert_int_equal(findings.count[ALIAS_FOUND], 1);
		made_up.refuser = addr_v4(TARGET);
		made_up.to_others = addr_v4(REFUSER);
	}
	bus_unsubscribe(lab.bus, &made_up);
	lab_deinit(&lab);
}

int main(void)
{
	adjust = unlimited;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routers),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_in_its_stead),
		cmocka_unit_test(test_stamps),
		cmocka_unit_test(test_second_source),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
