/* How sources come to a coordinator: agents on a bus whose packets meet in a network of nothing but hosts, the proof
 * that they stand where they say, consent, and those who lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "revtr/coordinator.h"
#include "revtr/link.h"
#include "revtr/registration.h"

#define AGENTS 4

static const char *const names[AGENTS] = {"home", "vp1", "vp2", "liar"};

static struct addr address_of(unsigned i)
{
	return addr_v4(0xc6336401 + i);
}

struct net {
	char folder[40], file[60];
	uv_loop_t loop;
	struct store *store;
	struct bus *bus;
	struct coordinator *coordinator;
	struct agent *agents[AGENTS];
	struct agent_link *links[AGENTS];
	char note[300];
	bool deaf; /* packets get lost */
};

static void wake(void *context)
{
	(void)context;
}

/* `claims`: the source that it says stands there. */
static void join(struct net *net, unsigned i, struct addr claims)
{
	struct agent_rules rules = {.spoof = true};
	net->agents[i] = agent_new(&rules, address_of(i), NULL, &claims, addr_is_set(claims));
	struct agent_link_options options = {.name = names[i], .agent = net->agents[i], .wake = wake,
		.status = {.online = true, .address = address_of(i), .sources = {claims}, .source_count = addr_is_set(claims)}};
	net->links[i] = agent_link_new(&net->loop, net->bus, &options);
	assert_non_null(net->links[i]);
}

/* An echo request comes to the one who has the address; nobody else sees it. */
static void carry(struct net *net, const struct outgoing *out)
{
	struct packet packet;
	assert_int_equal(packet_read(out->bytes, out->length, &packet), 0);
	for (unsigned i = 0; i < AGENTS && !net->deaf; i++) {
		if (!net->agents[i] || !addr_equal(packet.ip.destination, address_of(i)))
			continue;
		struct machine machine = agent_machine(net->agents[i]);
		machine.ops->packet(machine.self, clock_monotonic_ns(), &packet);
	}
}

static void turn(struct net *net, unsigned count)
{
	struct outgoing out;
	int64_t wake_ns;
	for (; count > 0; count--) {
		uv_run(&net->loop, UV_RUN_NOWAIT);
		for (unsigned i = 0; i < AGENTS; i++) {
			if (!net->agents[i])
				continue;
			struct machine machine = agent_machine(net->agents[i]);
			while (machine.ops->next(machine.self, clock_monotonic_ns(), &out, &wake_ns) == MACHINE_SEND)
				carry(net, &out);
		}
		uv_sleep(1);
	}
}

static void start(struct net *net)
{
	struct coordinator_options options = {.engine = revtr_options_default()};
	struct error error = {0};
	memset(net, 0, sizeof(*net));
	snprintf(net->folder, sizeof(net->folder), "/tmp/retour-sources-XXXXXX");
	assert_non_null(mkdtemp(net->folder));
	snprintf(net->file, sizeof(net->file), "%s/store", net->folder);
	uv_loop_init(&net->loop);
	net->bus = bus_new_local(&net->loop);
	if (store_open(&net->store, net->file, &error) < 0)
		fail_msg("%s", error.text);
	net->coordinator = coordinator_new(&net->loop, net->store, net->bus, &options, &error);
	if (!net->coordinator)
		fail_msg("%s", error.text);
}

static void stop(struct net *net)
{
	char command[80];
	for (unsigned i = 0; i < AGENTS; i++)
		agent_link_free(net->links[i]);
	coordinator_free(net->coordinator, NULL, NULL);
	for (int i = 0; i < 5; i++)
		uv_run(&net->loop, UV_RUN_NOWAIT);
	bus_free(net->bus, NULL, NULL);
	uv_run(&net->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&net->loop), 0);
	store_close(net->store);
	for (unsigned i = 0; i < AGENTS; i++)
		agent_free(net->agents[i]);
	snprintf(command, sizeof(command), "rm -rf %s", net->folder);
	assert_int_equal(system(command), 0);
}

static void take_note(void *context, const struct coordinator_agent *agent)
{
	struct net *net = context;
	if (agent->note[0])
		snprintf(net->note, sizeof(net->note), "%s: %s", agent->name, agent->note);
}

static const char *note_of(struct net *net)
{
	net->note[0] = '\0';
	coordinator_each_agent(net->coordinator, take_note, net);
	return net->note;
}

static int submit(struct net *net, struct addr source)
{
	struct coordinator_batch batch = {.key = "test"};
	struct coordinator_ask ask = {source, addr_v4(0xc0000209), NULL};
	struct error error = {0};
	int64_t id;
	return coordinator_submit(net->coordinator, &batch, &ask, 1, &id, &error);
}

static void test_proof(void **state)
{
	struct net net;
	(void)state;
	start(&net);
	join(&net, 0, address_of(0));
	turn(&net, 20);
	/* Nobody is there who could check. */
	assert_int_equal(coordinator_health(net.coordinator).sources, 0);
	assert_non_null(strstr(note_of(&net), "home: source 198.51.100.1 waits for another agent"));
	assert_true(submit(&net, address_of(0)) < 0);
	join(&net, 1, ADDR_NONE);
	turn(&net, 20);
	assert_int_equal(coordinator_health(net.coordinator).sources, 1);
	assert_string_equal(note_of(&net), "");
	assert_int_equal(agent_link_counters(net.links[0]).keys, 1);
	assert_int_equal(submit(&net, address_of(0)), 0);
	stop(&net);
}

/* One says that he stands where another one does; one that nothing comes to him. */
static void test_lies(void **state)
{
	struct net net;
	(void)state;
	start(&net);
	join(&net, 1, ADDR_NONE);
	join(&net, 2, ADDR_NONE);
	join(&net, 3, address_of(0));
	turn(&net, 20);
	assert_int_equal(coordinator_health(net.coordinator).sources, 0);
	/* He makes numbers up. */
	for (uint32_t task = 1; task < 20; task++) {
		char text[100];
		snprintf(text, sizeof(text), "{\"task\":%u,\"nonce\":\"%016x\"}", 0x80000000u + task, task);
		assert_int_equal(bus_publish(net.bus, "retour/1/agent/liar/answer", text, strlen(text), false), 0);
	}
	turn(&net, 20);
	assert_int_equal(coordinator_health(net.coordinator).sources, 0);
	assert_non_null(strstr(note_of(&net), "liar: source 198.51.100.1 is being checked"));
	stop(&net);
}

/* Its owner takes the address from the list: it is not measured any more, and proves itself anew when it is back. */
static void test_consent(void **state)
{
	struct net net;
	(void)state;
	start(&net);
	join(&net, 1, ADDR_NONE);
	join(&net, 2, ADDR_NONE);
	join(&net, 0, address_of(0));
	turn(&net, 20);
	assert_int_equal(submit(&net, address_of(0)), 0);
	struct agent_status status = agent_link_status(net.links[0]), none = status;
	none.source_count = 0;
	agent_link_set_status(net.links[0], &none);
	turn(&net, 20);
	assert_true(submit(&net, address_of(0)) < 0);
	assert_int_equal(agent_link_counters(net.links[0]).keys, 0);
	net.deaf = true;
	agent_link_set_status(net.links[0], &status);
	turn(&net, 20);
	assert_true(submit(&net, address_of(0)) < 0);
	stop(&net);
}

/* Two of three are enough, one is not; each number counts once. */
static void test_numbers(void **state)
{
	struct registration r;
	uint32_t provers[3] = {1, 2, 5};
	(void)state;
	registration_start(&r, address_of(0), 0, provers, 3, 100, (struct hash_key){1, 2}, 0);
	struct agent_order first = registration_order(&r, 0), second = registration_order(&r, 1);
	assert_int_equal(first.task.agent, 1);
	assert_int_equal(second.task.id, 101);
	assert_true(first.tag != second.tag);
	assert_false(registration_answer(&r, 0, 100, first.tag));
	assert_false(registration_answer(&r, 0, 100, first.tag));
	assert_false(registration_answer(&r, 0, 101, first.tag));
	assert_false(registration_answer(&r, 1, 101, second.tag)); /* the prover itself */
	assert_true(registration_answer(&r, 0, 101, second.tag));
	assert_false(registration_expired(&r, 9 * NS_PER_S));
	assert_true(registration_expired(&r, 11 * NS_PER_S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proof),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_consent),
		cmocka_unit_test(test_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
