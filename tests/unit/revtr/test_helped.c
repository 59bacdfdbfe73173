/* Agents that find out about each other by way of a coordinator, and what that makes of it: real agents on a
 * bus, whose packets meet in a network of hosts with two filters that are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "revtr/capability.h"
#include "revtr/coordinator.h"
#include "revtr/link.h"

#define AGENTS	    4
#define TRIAL	    0x72747674u
#define PATIENCE_NS (60 * NS_PER_S)
#define FAR	    addr_v4(0xcb007109) /* answers pings with options, but those of the first two agents */

enum { DEAF, WHOLE, UNNAMED, OTHER };
static const char *const names[AGENTS] = {"deaf", "whole", "unnamed", "other"};

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
	unsigned spoofed[AGENTS][AGENTS];  /* probes by one in the name of another, but trials */
	unsigned trials, trials_elsewhere; /* to addresses that nobody has listed */
	bool unlisted;			   /* the agents list nothing */
	struct capability found[AGENTS];
	bool testing[AGENTS];
};

/* ---- the network */

static int agent_with(struct addr address)
{
	for (int i = 0; i < AGENTS; i++)
		if (addr_equal(address, address_of((unsigned)i)))
			return i;
	return -1;
}

static void hand_to(struct net *net, int agent, const struct packet *packet)
{
	struct machine machine = agent_machine(net->agents[agent]);
	machine.ops->packet(machine.self, clock_monotonic_ns(), packet);
}

static void reply(struct net *net, unsigned sender, const struct packet *request)
{
	struct packet packet = *request;
	int name = agent_with(request->ip.source);
	packet.ip.source = request->ip.destination;
	packet.ip.destination = request->ip.source;
	packet.transport.icmp_type = ICMP4_ECHO_REPLY;
	packet.transport.icmp_kind = ICMP_ECHO_REPLY;
	if (packet.ip.route.present) {
		packet.ip.route.addrs[0] = packet.ip.source;
		packet.ip.route.used = 1;
	}
	if (name >= 0 && (name != DEAF || sender == DEAF))
		hand_to(net, name, &packet);
}

static void carry(struct net *net, unsigned sender, const struct outgoing *out)
{
	struct packet packet;
	assert_int_equal(packet_read(out->bytes, out->length, &packet), 0);
	struct cursor cursor = cursor_init(packet.transport.payload, packet.transport.payload_length);
	bool trial = cursor_u32(&cursor) == TRIAL;
	int target = agent_with(packet.ip.destination), name = agent_with(packet.ip.source);
	bool spoofed = name != (int)sender;
	if (spoofed && name >= 0 && !trial)
		net->spoofed[sender][name]++;
	net->trials += trial;
	net->trials_elsewhere += trial && (target < 0 || net->unlisted);
	if (spoofed && sender == UNNAMED)
		return;
	if (target >= 0)
		hand_to(net, target, &packet);
	if (target >= 0 || (addr_equal(packet.ip.destination, FAR) && sender > WHOLE))
		reply(net, sender, &packet);
}

static void turn(struct net *net)
{
	struct outgoing out;
	int64_t wake_ns;
	uv_run(&net->loop, UV_RUN_NOWAIT);
	for (unsigned i = 0; i < AGENTS; i++) {
		struct machine machine = agent_machine(net->agents[i]);
		while (machine.ops->next(machine.self, clock_monotonic_ns(), &out, &wake_ns) ==
			MACHINE_SEND) {
			machine.ops->sent(machine.self, out.token, clock_monotonic_ns(), 0);
			carry(net, i, &out);
		}
	}
	uv_sleep(1);
}

/* ---- the coordinator */

static void wake(void *context)
{
	(void)context;
}

static void start_coordinator(struct net *net)
{
	struct coordinator_options options = {.engine = revtr_options_default()};
	struct error error = {0};
	options.engine.spoofed_wait_ns = options.engine.direct_wait_ns = 100 * NS_PER_MS;
	if (store_open(&net->store, net->file, &error) < 0)
		fail_msg("%s", error.text);
	net->coordinator = coordinator_new(&net->loop, net->store, net->bus, &options, &error);
	if (!net->coordinator)
		fail_msg("%s", error.text);
}

static void note_closed(void *context)
{
	*(bool *)context = true;
}

static void stop_coordinator(struct net *net)
{
	bool closed = false;
	coordinator_free(net->coordinator, note_closed, &closed);
	while (!closed)
		uv_run(&net->loop, UV_RUN_ONCE);
	store_close(net->store);
}

static void start(struct net *net, bool unlisted)
{
	memset(net, 0, sizeof(*net));
	net->unlisted = unlisted;
	snprintf(net->folder, sizeof(net->folder), "/tmp/retour-helped-XXXXXX");
	assert_non_null(mkdtemp(net->folder));
	snprintf(net->file, sizeof(net->file), "%s/store", net->folder);
	uv_loop_init(&net->loop);
	net->bus = bus_new_local(&net->loop);
	start_coordinator(net);
	for (unsigned i = 0; i < AGENTS; i++) {
		struct agent_rules rules = {.spoof = true, .per_second = 1000};
		struct addr own = address_of(i);
		net->agents[i] = agent_new(&rules, own, NULL, &own, !unlisted);
		struct agent_link_options options = {.name = names[i],
			.agent = net->agents[i],
			.wake = wake,
			.status = {.online = true,
				.may_spoof = true,
				.address = own,
				.sources = {own},
				.source_count = !unlisted}};
		net->links[i] = agent_link_new(&net->loop, net->bus, &options);
		assert_non_null(net->links[i]);
	}
}

static void stop(struct net *net)
{
	char command[80];
	for (unsigned i = 0; i < AGENTS; i++)
		agent_link_free(net->links[i]);
	stop_coordinator(net);
	bus_free(net->bus, NULL, NULL);
	uv_run(&net->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&net->loop), 0);
	for (unsigned i = 0; i < AGENTS; i++)
		agent_free(net->agents[i]);
	snprintf(command, sizeof(command), "rm -rf %s", net->folder);
	assert_int_equal(system(command), 0);
}

static void note_agent(void *context, const struct coordinator_agent *agent)
{
	struct net *net = context;
	for (unsigned i = 0; i < AGENTS; i++)
		if (strcmp(agent->name, names[i]) == 0) {
			net->found[i] = *agent->capability;
			net->testing[i] = agent->testing;
		}
}

/* All have been tested, or what was asked has ended. */
static bool tested(struct net *net)
{
	bool all = true;
	coordinator_each_agent(net->coordinator, note_agent, net);
	for (unsigned i = 0; i < AGENTS; i++)
		all &= !net->testing[i] && net->found[i].tested_ms > 0;
	return all;
}

static void test_all(struct net *net)
{
	int64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
	struct error error = {0};
	for (unsigned i = 0; i < AGENTS; i++)
		assert_int_equal(coordinator_test_agent(net->coordinator, names[i], &error), 0);
	while (!tested(net) && clock_monotonic_ns() < until_ns)
		turn(net);
	assert_true(tested(net));
}

static void wait_for_sources(struct net *net)
{
	int64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
	while (coordinator_health(net->coordinator).sources < AGENTS && clock_monotonic_ns() < until_ns)
		turn(net);
	assert_int_equal(coordinator_health(net->coordinator).sources, AGENTS);
	for (int i = 0; i < 20; i++) /* their keys come to them */
		turn(net);
}

static void on_told(void *context, int64_t batch, int64_t measurement, const char *json, bool last)
{
	(void)batch, (void)measurement, (void)json;
	*(bool *)context |= last;
}

static void measure(struct net *net, unsigned source)
{
	struct coordinator_batch batch = {.key = "test", .priority = 1};
	struct coordinator_ask ask = {.source = address_of(source), .destination = FAR};
	struct error error = {0};
	int64_t id, until_ns = clock_monotonic_ns() + PATIENCE_NS;
	bool ended = false;
	memset(net->spoofed, 0, sizeof(net->spoofed));
	if (coordinator_submit(net->coordinator, &batch, &ask, 1, &id, &error) < 0)
		fail_msg("%s", error.text);
	struct coordinator_listener *listener = coordinator_listen(net->coordinator, id, on_told, &ended);
	while (!ended && clock_monotonic_ns() < until_ns)
		turn(net);
	assert_true(ended);
	coordinator_unlisten(listener);
}

/* ---- */

static void assert_found(struct net *net)
{
	assert_int_equal(net->found[WHOLE].spoof.can, AGENT_CAN);
	assert_int_equal(net->found[OTHER].spoof.can, AGENT_CAN);
	assert_int_equal(net->found[DEAF].spoof.can, AGENT_CAN);
	assert_int_equal(net->found[UNNAMED].spoof.can, AGENT_CANNOT);
	assert_string_equal(capability_cause_word(net->found[UNNAMED].spoof.cause), "filtered");
	for (unsigned i = 0; i < AGENTS; i++) {
		assert_int_equal(net->found[i].options.can, AGENT_CAN);
		assert_int_equal(net->found[i].behind_nat, AGENT_CANNOT);
	}
	assert_int_equal(net->found[DEAF].receive.can, AGENT_CANNOT);
	assert_string_equal(capability_cause_word(net->found[DEAF].receive.cause), "unasked");
	assert_int_equal(net->found[WHOLE].receive.can, AGENT_CAN);
}

static void test_found_and_used(void **state)
{
	struct net *net = calloc(1, sizeof(*net));
	struct error error = {0};
	(void)state;
	assert_non_null(net);
	start(net, false);
	wait_for_sources(net);
	/* Before anything is known all are asked who may. */
	measure(net, WHOLE);
	assert_true(net->spoofed[UNNAMED][WHOLE] > 0);
	test_all(net);
	assert_found(net);
	assert_true(net->trials > 0);
	assert_int_equal(net->trials_elsewhere, 0);
	/* It is kept, and the next coordinator makes use of it. */
	stop_coordinator(net);
	start_coordinator(net);
	for (unsigned i = 0; i < AGENTS; i++)
		agent_link_online(net->links[i]);
	for (int i = 0; i < 50; i++)
		turn(net);
	assert_true(tested(net));
	assert_found(net);
	measure(net, WHOLE);
	assert_int_equal(net->spoofed[UNNAMED][WHOLE], 0);
	assert_true(net->spoofed[OTHER][WHOLE] > 0);
	/* Nobody sends in the name of one that hears no answers to that. */
	measure(net, DEAF);
	for (unsigned i = 0; i < AGENTS; i++)
		assert_int_equal(net->spoofed[i][DEAF], 0);
	assert_int_equal(coordinator_test_agent(net->coordinator, "nobody", &error), -ENOENT);
	stop(net);
	free(net);
}

/* By an administrator's word they are sources; their owners have not said so, and so nobody is tested with
 * them. */
static void test_no_consent(void **state)
{
	struct net *net = calloc(1, sizeof(*net));
	(void)state;
	assert_non_null(net);
	start(net, true);
	for (unsigned i = 0; i < AGENTS; i++) {
		struct store_source source = {.address = address_of(i), .consents = true, .key = {3}};
		snprintf(source.agent, sizeof(source.agent), "%s", names[i]);
		assert_int_equal(store_put_source(net->store, &source, NULL), 0);
		assert_int_equal(coordinator_add_source(net->coordinator, &source), 0);
	}
	for (int i = 0; i < 50; i++)
		turn(net);
	test_all(net);
	for (unsigned i = 0; i < AGENTS; i++)
		assert_string_equal(capability_cause_word(net->found[i].options.cause), "no-partner");
	assert_int_equal(net->trials, 0);
	stop(net);
	free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_and_used),
		cmocka_unit_test(test_no_consent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
