/* Agents that find out about each other by way of a coordinator, and what that makes of it: real agents on a
 * bus, whose packets meet in a network of hosts with two filters that are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "hosts.h"
#include "revtr/capability.h"

#define TRIAL	    0x72747674u
#define PATIENCE_NS (60 * NS_PER_S)
#define FAR	    addr_v4(0xcb007109) /* answers pings with options, but those of the first two agents */

enum { DEAF, WHOLE, UNNAMED, OTHER };
static const char *const names[HOSTS] = {"deaf", "whole", "unnamed", "other"};

struct net {
	struct hosts hosts;
	unsigned spoofed[HOSTS][HOSTS];	   /* probes by one in the name of another, but trials */
	unsigned trials, trials_elsewhere; /* to addresses that nobody has listed */
	bool unlisted;			   /* the agents list nothing */
	struct capability found[HOSTS];
	bool testing[HOSTS];
};

/* ---- the network */

static void reply(struct net *net, unsigned sender, const struct packet *request)
{
	struct packet packet = *request;
	int name = host_with(&net->hosts, request->ip.source);
	packet.ip.source = request->ip.destination;
	packet.ip.destination = request->ip.source;
	packet.transport.icmp_type = ICMP4_ECHO_REPLY;
	packet.transport.icmp_kind = ICMP_ECHO_REPLY;
	if (packet.ip.route.present) {
		packet.ip.route.addrs[0] = packet.ip.source;
		packet.ip.route.used = 1;
	}
	if (name >= 0 && (name != DEAF || sender == DEAF))
		hosts_hand(&net->hosts, name, &packet);
}

static void carry(void *context, unsigned sender, const struct packet *packet)
{
	struct net *net = context;
	struct cursor cursor = cursor_init(packet->transport.payload, packet->transport.payload_length);
	bool trial = cursor_u32(&cursor) == TRIAL;
	int target = host_with(&net->hosts, packet->ip.destination);
	int name = host_with(&net->hosts, packet->ip.source);
	bool spoofed = name != (int)sender;
	if (spoofed && name >= 0 && !trial)
		net->spoofed[sender][name]++;
	net->trials += trial;
	net->trials_elsewhere += trial && (target < 0 || net->unlisted);
	if (spoofed && sender == UNNAMED)
		return;
	if (target >= 0)
		hosts_hand(&net->hosts, target, packet);
	if (target >= 0 || (addr_equal(packet->ip.destination, FAR) && sender > WHOLE))
		reply(net, sender, packet);
}

/* ---- the coordinator */

static struct net *start(bool unlisted)
{
	struct net *net = calloc(1, sizeof(*net));
	assert_non_null(net);
	net->unlisted = unlisted;
	net->hosts.carry = carry;
	net->hosts.context = net;
	hosts_start(&net->hosts);
	for (unsigned i = 0; i < HOSTS; i++)
		hosts_join(&net->hosts, i, names[i], unlisted ? ADDR_NONE : address_of(i));
	return net;
}

static void stop(struct net *net)
{
	hosts_stop(&net->hosts);
	free(net);
}

static void note_agent(void *context, const struct coordinator_agent *agent)
{
	struct net *net = context;
	for (unsigned i = 0; i < HOSTS; i++)
		if (strcmp(agent->name, names[i]) == 0) {
			net->found[i] = *agent->capability;
			net->testing[i] = agent->testing;
		}
}

/* All have been tested, or what was asked has ended. */
static bool tested(struct net *net)
{
	bool all = true;
	coordinator_each_agent(net->hosts.coordinator, note_agent, net);
	for (unsigned i = 0; i < HOSTS; i++)
		all &= !net->testing[i] && net->found[i].tested_ms > 0;
	return all;
}

static void test_all(struct net *net)
{
	int64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
	struct error error = {0};
	for (unsigned i = 0; i < HOSTS; i++)
		assert_int_equal(coordinator_test_agent(net->hosts.coordinator, names[i], &error), 0);
	while (!tested(net) && clock_monotonic_ns() < until_ns)
		hosts_turn(&net->hosts, 1);
	assert_true(tested(net));
}

static void wait_for_sources(struct net *net)
{
	int64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
	while (coordinator_health(net->hosts.coordinator).sources < HOSTS && clock_monotonic_ns() < until_ns)
		hosts_turn(&net->hosts, 1);
	assert_int_equal(coordinator_health(net->hosts.coordinator).sources, HOSTS);
	hosts_turn(&net->hosts, 20); /* their keys come to them */
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
	if (coordinator_submit(net->hosts.coordinator, &batch, &ask, 1, &id, &error) < 0)
		fail_msg("%s", error.text);
	struct coordinator_listener *listener =
		coordinator_listen(net->hosts.coordinator, id, on_told, &ended);
	while (!ended && clock_monotonic_ns() < until_ns)
		hosts_turn(&net->hosts, 1);
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
	for (unsigned i = 0; i < HOSTS; i++) {
		assert_int_equal(net->found[i].options.can, AGENT_CAN);
		assert_int_equal(net->found[i].behind_nat, AGENT_CANNOT);
	}
	assert_int_equal(net->found[DEAF].receive.can, AGENT_CANNOT);
	assert_string_equal(capability_cause_word(net->found[DEAF].receive.cause), "unasked");
	assert_int_equal(net->found[WHOLE].receive.can, AGENT_CAN);
}

static void test_found_and_used(void **state)
{
	struct net *net = start(false);
	struct error error = {0};
	(void)state;
	wait_for_sources(net);
	/* Before anything is known all are asked who may. */
	measure(net, WHOLE);
	assert_true(net->spoofed[UNNAMED][WHOLE] > 0);
	test_all(net);
	assert_found(net);
	assert_true(net->trials > 0);
	assert_int_equal(net->trials_elsewhere, 0);
	/* It is kept, and the next coordinator makes use of it. */
	hosts_close(&net->hosts);
	hosts_open(&net->hosts);
	for (unsigned i = 0; i < HOSTS; i++)
		agent_link_online(net->hosts.links[i]);
	hosts_turn(&net->hosts, 50);
	assert_true(tested(net));
	assert_found(net);
	measure(net, WHOLE);
	assert_int_equal(net->spoofed[UNNAMED][WHOLE], 0);
	assert_true(net->spoofed[OTHER][WHOLE] > 0);
	/* Nobody sends in the name of one that hears no answers to that. */
	measure(net, DEAF);
	for (unsigned i = 0; i < HOSTS; i++)
		assert_int_equal(net->spoofed[i][DEAF], 0);
	assert_int_equal(coordinator_test_agent(net->hosts.coordinator, "nobody", &error), -ENOENT);
	stop(net);
}

/* By an administrator's word they are sources; their owners have not said so, and so nobody is tested with
 * them. */
static void test_no_consent(void **state)
{
	struct net *net = start(true);
	(void)state;
	for (unsigned i = 0; i < HOSTS; i++) {
		struct store_source source = {.address = address_of(i), .consents = true, .key = {3}};
		snprintf(source.agent, sizeof(source.agent), "%s", names[i]);
		assert_int_equal(store_put_source(net->hosts.store, &source, NULL), 0);
		assert_int_equal(coordinator_add_source(net->hosts.coordinator, &source), 0);
	}
	hosts_turn(&net->hosts, 50);
	test_all(net);
	for (unsigned i = 0; i < HOSTS; i++)
		assert_string_equal(capability_cause_word(net->found[i].options.cause), "no-partner");
	assert_int_equal(net->trials, 0);
	stop(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_and_used),
		cmocka_unit_test(test_no_consent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
