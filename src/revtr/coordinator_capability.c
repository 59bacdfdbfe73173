/* Tests of agents with the help of the others: when an agent has come, now and then, and when somebody asks
 * for it. What is found is kept; who cannot send in others' names is not asked to, until a test finds that it
 * can. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/capability.h"
#include "revtr/coordinator_inside.h"
#include "store/capabilities.h"

#define TESTS_MAX  4 /* at once */
#define TICK_MS	   100
#define SETTLE_NS  (10 * NS_PER_S)  /* after it has come: its addresses, and others, may yet be registered */
#define SELDOM_NS  (300 * NS_PER_S) /* between two tests of one that comes and goes */
#define WELL_NS	   (24 * 3600 * NS_PER_S) /* what works is looked at again after that, */
#define TROUBLE_NS (3600 * NS_PER_S)	  /* and what does not */
#define UNKNOWN_NS (600 * NS_PER_S)

struct coordinator_tests {
	struct coordinator *c;
	uv_timer_t timer; /* the next step of those that go on, or the next that begins */
	struct capability_test *running[TESTS_MAX];
};

/* ---- whom it is done with */

/* An address whose owner lists it now, and whose agent can tell what comes to it. */
static bool is_partner(const struct coordinator *c, const struct source_entry *source)
{
	return source->stored.consents && source->listed && c->agents[source->agent].status.online;
}

static struct capability_partner partner_of(const struct source_entry *source)
{
	return (struct capability_partner){source->agent, source->stored.address, source->key};
}

static bool has_partner(const struct capability_test *test, uint32_t agent)
{
	for (unsigned i = 0; i < test->partner_count; i++)
		if (test->partners[i].agent == agent)
			return true;
	return false;
}

/* One address an agent, from anywhere in the list on; `sound`: nothing is known to be wrong with it. */
static void choose_partners(struct coordinator *c, struct capability_test *test, bool sound)
{
	for (uint32_t i = 0; i < c->source_count && test->partner_count < CAPABILITY_PARTNERS; i++) {
		const struct source_entry *source = &c->sources[(test->secret.k0 + i) % c->source_count];
		const struct capability *known = &c->agents[source->agent].capability;
		bool good = known->options.can != AGENT_CANNOT && known->receive.can != AGENT_CANNOT;
		if (is_partner(c, source) && source->agent != test->subject && good == sound &&
			!has_partner(test, source->agent))
			test->partners[test->partner_count++] = partner_of(source);
	}
}

static void choose_senders(struct coordinator *c, struct capability_test *test, enum agent_can can)
{
	for (uint32_t i = 0; i < c->agent_count && test->sender_count < CAPABILITY_SENDERS; i++) {
		uint32_t agent = (uint32_t)((test->secret.k1 + i) % c->agent_count);
		const struct agent_entry *entry = &c->agents[agent];
		if (agent != test->subject && entry->status.online && entry->status.may_spoof &&
			capability_may_spoof(&entry->capability) && entry->capability.spoof.can == can)
			test->senders[test->sender_count++] = agent;
	}
}

static unsigned count_partners(const struct coordinator *c, uint32_t subject)
{
	unsigned count = 0;
	for (uint32_t i = 0; i < c->source_count; i++)
		count += is_partner(c, &c->sources[i]) && c->sources[i].agent != subject;
	return count;
}

/* ---- what is found */

bool coordinator_may_spoof(const struct agent_entry *agent)
{
	return agent->status.online && agent->status.may_spoof && capability_may_spoof(&agent->capability);
}

static void use(struct coordinator *c, uint32_t agent)
{
	c->sites[agent].may_spoof = coordinator_may_spoof(&c->agents[agent]);
	for (uint32_t i = 0; i < c->source_count; i++)
		if (c->sources[i].agent == agent)
			revtr_engine_set_deaf(c->engine, c->sources[i].engine_index,
				c->agents[agent].capability.receive.can == AGENT_CANNOT);
}

static int64_t again_after_ns(const struct capability *found)
{
	const struct capability_finding *findings[] = {&found->options, &found->spoof, &found->receive};
	int64_t after_ns = WELL_NS;
	for (unsigned i = 0; i < ARRAY_LEN(findings); i++) {
		if (findings[i]->can == AGENT_CANNOT)
			after_ns = MIN(after_ns, TROUBLE_NS);
		else if (findings[i]->cause == CAUSE_UNSENT || findings[i]->cause == CAUSE_UNREACHED)
			after_ns = MIN(after_ns, UNKNOWN_NS);
	}
	return after_ns;
}

static void keep(struct coordinator *c, uint32_t agent)
{
	struct error error = {0};
	char *text = capability_to_json(&c->agents[agent].capability);
	if (!text || store_put_capability(c->store, c->agents[agent].name, text, &error) < 0)
		c->health.store_failed |= error.code != 0;
	free(text);
}

static void add_seen_to(struct capability_finding *finding, int64_t seen_ns)
{
	if (finding->can == AGENT_CAN_UNKNOWN && seen_ns > 0 && coordinator_now_ns() - seen_ns < WELL_NS)
		*finding = (struct capability_finding){.can = AGENT_CAN, .cause = CAUSE_SEEN};
}

/* What no test could tell, and measurements have shown. */
static void add_seen(struct agent_entry *agent)
{
	add_seen_to(&agent->capability.options, MAX(agent->sent_ns, agent->listed_ns));
	add_seen_to(&agent->capability.spoof, agent->sent_ns);
	add_seen_to(&agent->capability.receive, agent->heard_ns);
}

static void tell_change(const struct coordinator *c, const char *name, enum capability_aspect aspect,
	const struct capability_finding *before, const struct capability_finding *now)
{
	char text[CAPABILITY_TEXT_SIZE];
	bool worse = now->can == AGENT_CANNOT && before->can != AGENT_CANNOT;
	if (worse || (now->can == AGENT_CAN && before->can == AGENT_CANNOT))
		coordinator_tell(c, "agent %s: %s", name, capability_text(aspect, now, text));
}

static void tell_changes(
	const struct coordinator *c, const struct agent_entry *agent, const struct capability *before)
{
	const struct capability *now = &agent->capability;
	tell_change(c, agent->name, ASPECT_OPTIONS, &before->options, &now->options);
	tell_change(c, agent->name, ASPECT_SPOOF, &before->spoof, &now->spoof);
	tell_change(c, agent->name, ASPECT_RECEIVE, &before->receive, &now->receive);
}

static void finish(struct coordinator_tests *tests, unsigned place)
{
	struct coordinator *c = tests->c;
	struct capability_test *test = tests->running[place];
	struct agent_entry *agent = &c->agents[test->subject];
	struct capability before = agent->capability;
	agent->capability = capability_judge(test);
	agent->capability.tested_ms = coordinator_now_ms();
	if (!agent->settling) /* it has come again meanwhile */
		agent->test_at_ns = coordinator_now_ns() + again_after_ns(&agent->capability);
	agent->testing = false;
	add_seen(agent);
	tell_changes(c, agent, &before);
	keep(c, test->subject);
	use(c, test->subject);
	tests->running[place] = NULL;
	free(test);
}

static void load_one(void *context, const char *name, const char *text)
{
	struct coordinator *c = context;
	struct capability found;
	uint32_t agent;
	if (agent_name_good(name) && capability_from_json(text, &found) &&
		coordinator_now_ms() - found.tested_ms < 30 * WELL_NS / NS_PER_MS &&
		(agent = coordinator_agent(c, name)) != UINT32_MAX)
		c->agents[agent].capability = found;
}

/* ---- their course */

static void give(struct coordinator *c, const struct agent_order *order)
{
	struct agent_entry *agent = &c->agents[order->task.agent];
	char topic[TOPIC_SIZE], *text = agent->status.online ? order_to_json(order) : NULL;
	agent->tasks++;
	c->health.tasks++;
	if (text)
		(void)!bus_publish(c->bus, topic_of(topic, agent->name, "task"), text, strlen(text), false);
	free(text);
}

static void go_on(struct coordinator_tests *tests)
{
	for (unsigned i = 0; i < TESTS_MAX; i++) {
		struct agent_order order;
		int64_t wake_ns;
		enum capability_want want = CAPABILITY_DONE;
		/* A bus that fails may end it in the middle. */
		while (tests->running[i] &&
			(want = capability_next(tests->running[i], coordinator_now_ns(), &order, &wake_ns)) ==
				CAPABILITY_ORDER)
			give(tests->c, &order);
		if (tests->running[i] && want == CAPABILITY_DONE)
			finish(tests, i);
	}
}

static void on_timer(uv_timer_t *timer);

static void arm(struct coordinator_tests *tests)
{
	const struct coordinator *c = tests->c;
	int64_t wait_ns = INT64_MAX;
	for (unsigned i = 0; i < TESTS_MAX; i++)
		if (tests->running[i])
			wait_ns = TICK_MS * NS_PER_MS;
	for (uint32_t i = 0; i < c->agent_count; i++) {
		const struct agent_entry *agent = &c->agents[i];
		if (agent->status.online && !agent->testing && agent->test_at_ns > 0)
			wait_ns = MIN(
				wait_ns, MAX(agent->test_at_ns - coordinator_now_ns(), TICK_MS * NS_PER_MS));
	}
	uv_timer_stop(&tests->timer);
	uv_update_time(c->loop);
	if (wait_ns < INT64_MAX)
		uv_timer_start(&tests->timer, on_timer, (uint64_t)(wait_ns / NS_PER_MS) + 1, 0);
}

static void on_timer(uv_timer_t *timer)
{
	const struct coordinator_tests *tests = timer->data;
	coordinator_test_due(tests->c);
}

static bool start(struct coordinator_tests *tests, uint32_t agent)
{
	struct coordinator *c = tests->c;
	struct agent_entry *entry = &c->agents[agent];
	unsigned place = 0;
	while (place < TESTS_MAX && tests->running[place])
		place++;
	struct capability_test *test = place < TESTS_MAX ? calloc(1, sizeof(*test)) : NULL;
	if (!test)
		return false;
	test->subject = agent;
	test->own = entry->status.address;
	test->may_spoof = entry->status.may_spoof;
	test->secret = hash_key_random();
	for (uint32_t i = 0; i < c->source_count && !addr_is_set(test->source.address); i++)
		if (c->sources[i].agent == agent && is_partner(c, &c->sources[i]))
			test->source = partner_of(&c->sources[i]);
	choose_partners(c, test, true);
	choose_partners(c, test, false);
	choose_senders(c, test, AGENT_CAN);
	choose_senders(c, test, AGENT_CAN_UNKNOWN);
	entry->tested_with = count_partners(c, agent);
	entry->testing = true;
	entry->tested_ns = coordinator_now_ns();
	capability_start(test, coordinator_now_ns());
	tests->running[place] = test;
	return true;
}

/* Its time has come, or there are more to test it with than there were. */
static bool is_due(const struct coordinator *c, uint32_t agent)
{
	const struct agent_entry *entry = &c->agents[agent];
	if (!entry->status.online || entry->testing || entry->test_at_ns == 0 ||
		!addr_is_set(entry->status.address))
		return false;
	return coordinator_now_ns() >= entry->test_at_ns ||
		(entry->capability.tested_ms > 0 && entry->tested_with < CAPABILITY_PARTNERS &&
			!entry->settling && count_partners(c, agent) > entry->tested_with);
}

void coordinator_test_due(struct coordinator *c)
{
	if (!c->tests)
		return;
	for (uint32_t i = 0; i < c->agent_count; i++)
		if (is_due(c, i) && start(c->tests, i))
			c->agents[i].settling = false;
	go_on(c->tests);
	arm(c->tests);
}

/* ---- for the others */

static bool takes_part(const struct capability_test *test, uint32_t agent)
{
	bool part = test->subject == agent || has_partner(test, agent);
	for (unsigned i = 0; i < test->sender_count; i++)
		part |= test->senders[i] == agent;
	return part;
}

/* Those of which an agent is the subject, or in which it takes part at all: they begin anew. */
static void give_up(struct coordinator *c, uint32_t agent, bool any_part)
{
	for (unsigned i = 0; i < TESTS_MAX; i++) {
		struct capability_test *test = c->tests->running[i];
		if (!test || (test->subject != agent && !(any_part && takes_part(test, agent))))
			continue;
		c->agents[test->subject].testing = false;
		c->agents[test->subject].test_at_ns = coordinator_now_ns() + SETTLE_NS;
		c->tests->running[i] = NULL;
		free(test);
	}
}

void coordinator_test_status(struct coordinator *c, uint32_t agent, bool came)
{
	struct agent_entry *entry = &c->agents[agent];
	int64_t at_ns = coordinator_now_ns() + SETTLE_NS;
	use(c, agent);
	/* Whoever cannot tell what it saw would make others look as if they had sent nothing. */
	if (!entry->status.online)
		give_up(c, agent, true);
	if (!came)
		return;
	entry->test_at_ns = entry->tested_ns ? MAX(at_ns, entry->tested_ns + SELDOM_NS) : at_ns;
	entry->settling = true;
	arm(c->tests);
}

void coordinator_test_seen(struct coordinator *c, uint32_t sender, uint32_t receiver)
{
	if (sender == receiver)
		c->agents[sender].listed_ns = coordinator_now_ns();
	else
		c->agents[sender].sent_ns = c->agents[receiver].heard_ns = coordinator_now_ns();
	add_seen(&c->agents[sender]);
	add_seen(&c->agents[receiver]);
}

bool coordinator_trial_answer(struct coordinator *c, uint32_t agent, const struct revtr_answer *answer)
{
	for (unsigned i = 0; i < TESTS_MAX; i++) {
		struct capability_test *test = c->tests->running[i];
		if (!test || !capability_answer(test, agent, answer, coordinator_now_ns()))
			continue;
		c->agents[agent].answers++;
		c->health.answers++;
		c->health.last_answer_ms = coordinator_now_ms();
		return true;
	}
	return false;
}

int coordinator_test_agent(struct coordinator *c, const char *name, struct error *error)
{
	for (uint32_t i = 0; i < c->agent_count; i++) {
		struct agent_entry *entry = &c->agents[i];
		if (strcmp(entry->name, name) != 0)
			continue;
		if (!entry->status.online)
			return error_set(error, -EINVAL, "agent %s is not connected", name);
		if (!addr_is_set(entry->status.address))
			return error_set(
				error, -EINVAL, "agent %s has not said which address it sends from", name);
		give_up(c, i, false); /* whoever asks wants to know how it is from now on */
		entry->test_at_ns = 1;
		coordinator_test_due(c);
		return 0;
	}
	return error_set(error, -ENOENT, "no agent %s has been seen", name);
}

int coordinator_tests_new(struct coordinator *c, struct error *error)
{
	c->tests = calloc(1, sizeof(*c->tests));
	if (!c->tests)
		return error_set(error, -ENOMEM, "out of memory");
	c->tests->c = c;
	uv_timer_init(c->loop, &c->tests->timer);
	c->tests->timer.data = c->tests;
	return store_each_capability(c->store, load_one, c, error);
}

static void free_tests(uv_handle_t *handle)
{
	struct coordinator_tests *tests = handle->data;
	for (unsigned i = 0; i < TESTS_MAX; i++)
		free(tests->running[i]);
	free(tests);
}

void coordinator_tests_free(struct coordinator *c)
{
	if (c->tests)
		uv_close((uv_handle_t *)&c->tests->timer, free_tests);
	c->tests = NULL;
}
