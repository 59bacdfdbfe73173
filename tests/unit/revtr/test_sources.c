/* How sources come to a coordinator: agents on a bus whose packets meet in a network of nothing but hosts,
 * the proof that they stand where they say, consent, and those who lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosts.h"
#include "revtr/registration.h"

static const char *const names[HOSTS] = {"home", "vp1", "vp2", "liar"};

struct net {
	struct hosts hosts;
	char note[600];
	bool deaf; /* packets get lost */
};

/* An echo request comes to the one who has the address; nobody else sees it. */
static void carry(void *context, unsigned sender, const struct packet *packet)
{
	struct net *net = context;
	int target = host_with(&net->hosts, packet->ip.destination);
	(void)sender;
	if (target >= 0 && !net->deaf)
		hosts_hand(&net->hosts, target, packet);
}

static void start(struct net *net)
{
	*net = (struct net){.hosts = {.carry = carry, .context = net}};
	hosts_start(&net->hosts);
}

static void join(struct net *net, unsigned i, struct addr claims)
{
	hosts_join(&net->hosts, i, names[i], claims);
}

static unsigned sources(const struct net *net)
{
	return coordinator_health(net->hosts.coordinator).sources;
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
	coordinator_each_agent(net->hosts.coordinator, take_note, net);
	return net->note;
}

static int submit(struct net *net, struct addr source)
{
	struct coordinator_batch batch = {.key = "test"};
	struct coordinator_ask ask = {source, addr_v4(0xc0000209), NULL};
	struct error error = {0};
	int64_t id;
	return coordinator_submit(net->hosts.coordinator, &batch, &ask, 1, &id, &error);
}

static void test_proof(void **state)
{
	struct net net;
	(void)state;
	start(&net);
	join(&net, 0, address_of(0));
	hosts_turn(&net.hosts, 20);
	/* Nobody is there who could check. */
	assert_int_equal(sources(&net), 0);
	assert_non_null(strstr(note_of(&net), "home: source 198.51.100.1 waits for another agent"));
	assert_true(submit(&net, address_of(0)) < 0);
	join(&net, 1, ADDR_NONE);
	hosts_turn(&net.hosts, 20);
	assert_int_equal(sources(&net), 1);
	assert_string_equal(note_of(&net), "");
	assert_int_equal(agent_link_counters(net.hosts.links[0]).keys, 1);
	assert_int_equal(submit(&net, address_of(0)), 0);
	hosts_stop(&net.hosts);
}

static void count_tasks(void *context, const struct coordinator_agent *agent)
{
	unsigned *count = context;
	if (strcmp(agent->name, "vp1") == 0)
		*count += (unsigned)agent->tasks;
}

/* An administrator vouches for an address that nobody could check: it waits for nobody any more, and who is there
 * already is asked for the way to it. */
static void test_vouched_for(void **state)
{
	struct net net;
	struct store_source source = {.address = address_of(0), .name = "home", .agent = "home", .consents = true};
	unsigned tasks = 0;
	(void)state;
	start(&net);
	net.deaf = true;
	join(&net, 0, address_of(0));
	hosts_turn(&net.hosts, 20);
	join(&net, 1, ADDR_NONE);
	hosts_turn(&net.hosts, 20);
	assert_int_equal(sources(&net), 0);
	assert_non_null(strstr(note_of(&net), "home: source 198.51.100.1 "));
	assert_int_equal(store_put_source(net.hosts.store, &source, NULL), 0);
	assert_int_equal(coordinator_add_source(net.hosts.coordinator, &source), 0);
	hosts_turn(&net.hosts, 20);
	assert_string_equal(note_of(&net), "");
	assert_int_equal(submit(&net, address_of(0)), 0);
	coordinator_each_agent(net.hosts.coordinator, count_tasks, &tasks);
	assert_int_equal(tasks, 1); /* a traceroute */
	hosts_stop(&net.hosts);
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
	hosts_turn(&net.hosts, 20);
	assert_int_equal(sources(&net), 0);
	/* He makes numbers up. */
	for (uint32_t task = 1; task < 20; task++) {
		char text[100];
		snprintf(text, sizeof(text), "{\"task\":%u,\"nonce\":\"%016x\"}", 0x80000000u + task, task);
		assert_int_equal(
			bus_publish(net.hosts.bus, "retour/1/agent/liar/answer", text, strlen(text), false),
			0);
	}
	hosts_turn(&net.hosts, 20);
	assert_int_equal(sources(&net), 0);
	assert_non_null(strstr(note_of(&net), "liar: source 198.51.100.1 is being checked"));
	hosts_stop(&net.hosts);
}

/* Its owner takes the address from the list: it is not measured any more, and proves itself anew when it is
 * back. */
static void test_consent(void **state)
{
	struct net net;
	(void)state;
	start(&net);
	join(&net, 1, ADDR_NONE);
	join(&net, 2, ADDR_NONE);
	join(&net, 0, address_of(0));
	hosts_turn(&net.hosts, 20);
	assert_int_equal(submit(&net, address_of(0)), 0);
	struct agent_status status = agent_link_status(net.hosts.links[0]), none = status;
	none.source_count = 0;
	agent_link_set_status(net.hosts.links[0], &none);
	hosts_turn(&net.hosts, 20);
	assert_true(submit(&net, address_of(0)) < 0);
	assert_int_equal(agent_link_counters(net.hosts.links[0]).keys, 0);
	net.deaf = true;
	agent_link_set_status(net.hosts.links[0], &status);
	hosts_turn(&net.hosts, 20);
	assert_true(submit(&net, address_of(0)) < 0);
	hosts_stop(&net.hosts);
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
		cmocka_unit_test(test_vouched_for),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_consent),
		cmocka_unit_test(test_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
