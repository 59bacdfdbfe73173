#include "revtr/coordinator.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/coordinator_inside.h"

#define BUSY_MAX  10000
#define MINUTE_MS 60000
/* What was seen before this host was started has a time, too. */
#define BEFORE_BOOT_NS (1000LL * 24 * 3600 * NS_PER_S)

int64_t coordinator_now_ms(void)
{
	return clock_wall_ns() / NS_PER_MS;
}

int64_t coordinator_now_ns(void)
{
	return clock_monotonic_ns() + BEFORE_BOOT_NS;
}

/* ---- agents */

uint32_t coordinator_agent(struct coordinator *c, const char *name)
{
	for (uint32_t i = 0; i < c->agent_count; i++)
		if (strcmp(c->agents[i].name, name) == 0)
			return i;
	if (c->agent_count == AGENTS_MAX)
		return UINT32_MAX;
	snprintf(c->agents[c->agent_count].name, AGENT_NAME_SIZE, "%s", name);
	c->agents[c->agent_count].gone_ns = coordinator_now_ns();
	return c->agent_count++;
}

static void on_status(void *context, const char *topic, const char *payload, size_t length)
{
	struct coordinator *c = context;
	struct agent_status status;
	char name[AGENT_NAME_SIZE];
	if (!topic_agent(topic, name) || !status_from_json(payload, length, &status))
		return;
	uint32_t agent = coordinator_agent(c, name);
	if (agent == UINT32_MAX)
		return;
	bool was = c->agents[agent].status.online;
	if (was != status.online)
		c->agents[agent].since_ms = coordinator_now_ms();
	c->health.agents_online += (unsigned)status.online - (unsigned)was;
	c->agents[agent].status = status;
	/* Who is gone is not asked. */
	coordinator_test_status(c, agent, status.online && !was);
	if (was && !status.online)
		coordinator_agent_gone(c, agent);
	if (!was && status.online)
		coordinator_agent_back(c, agent);
	if (was != status.online)
		coordinator_tell_agent(c, agent);
	coordinator_tell_warning(c, agent);
	for (uint32_t i = 0; i < c->source_count && !was; i++)
		coordinator_fill_atlas(c, i, agent);
	if (status.online && !was && c->sites[agent].may_spoof)
		revtr_engine_more_agents(c->engine, coordinator_now_ns());
	if (status.online && !was)
		coordinator_check_all_sources(c);
	else
		coordinator_check_sources(c, agent);
	coordinator_pump(c);
}

void coordinator_disconnected(struct coordinator *c)
{
	for (uint32_t i = 0; i < c->agent_count; i++) {
		if (!c->agents[i].status.online)
			continue;
		c->agents[i].status.online = false;
		c->agents[i].since_ms = coordinator_now_ms();
		c->health.agents_online--;
		c->missed += !c->agents[i].missed;
		c->agents[i].missed = true;
		coordinator_test_status(c, i, false);
		coordinator_agent_gone(c, i);
	}
	c->missed_until_ns = TIME_NEVER;
	coordinator_pump(c);
}

void coordinator_each_agent(struct coordinator *c,
	void (*each)(void *context, const struct coordinator_agent *agent), void *context)
{
	for (uint32_t i = 0; i < c->agent_count; i++) {
		const struct agent_entry *entry = &c->agents[i];
		struct coordinator_agent agent = {.address = entry->status.address,
			.online = entry->status.online,
			.may_spoof = entry->status.may_spoof,
			.sends_options = entry->status.sends_options != AGENT_CANNOT,
			.since_ms = entry->since_ms,
			.asked_ns = entry->asked_ns,
			.worked_ns = entry->worked_ns,
			.capability = &entry->capability,
			.testing = entry->testing,
			.tasks = entry->tasks,
			.answers = entry->answers};
		snprintf(agent.name, sizeof(agent.name), "%s", entry->name);
		snprintf(agent.note, sizeof(agent.note), "%s%s%s", entry->note,
			entry->note[0] && entry->status.trouble[0] ? "; " : "", entry->status.trouble);
		each(context, &agent);
	}
}

/* ---- sources */

uint32_t coordinator_source(const struct coordinator *c, struct addr address)
{
	for (uint32_t i = 0; i < c->source_count; i++)
		if (addr_equal(c->sources[i].stored.address, address))
			return i;
	return UINT32_MAX;
}

int coordinator_add_source(struct coordinator *c, const struct store_source *stored)
{
	uint32_t index = coordinator_source(c, stored->address), agent = coordinator_agent(c, stored->agent);
	if (agent == UINT32_MAX)
		return -ENOSPC;
	if (index == UINT32_MAX) {
		struct source_entry *longer = realloc(c->sources, (c->source_count + 1) * sizeof(*longer));
		if (!longer)
			return -ENOMEM;
		c->sources = longer;
		index = c->source_count;
		longer[index] = (struct source_entry){0};
		if (revtr_engine_add_source(c->engine, stored->address, agent, &longer[index].engine_index) <
			0)
			return -ENOMEM;
		c->source_count++;
	}
	struct source_entry *entry = &c->sources[index];
	revtr_engine_move_source(c->engine, entry->engine_index, agent);
	entry->stored = *stored;
	entry->agent = agent;
	memcpy(&entry->key, stored->key, sizeof(entry->key));
	c->health.sources = c->source_count;
	coordinator_publish_keys(c, agent);
	if (stored->consents)
		coordinator_registered(c, index);
	else
		coordinator_withdraw(c, index);
	return 0;
}

/* ---- tasks and answers */

void coordinator_dispatch(struct coordinator *c, const struct revtr_task *task, struct expected expected)
{
	struct agent_entry *agent = &c->agents[task->agent];
	const struct source_entry *source = &c->sources[expected.source];
	struct agent_order order = {.task = *task,
		.source = source->stored.address,
		.tag = agent_tag(source->key, source->stored.address, task->target, task->id)};
	char topic[TOPIC_SIZE], *text;
	bool heard = c->agents[expected.receiver].status.online || task->probe == REVTR_TRACEROUTE;
	bool options = task->probe != REVTR_TRACEROUTE && task->probe != REVTR_PING;
	bool refused = !source->stored.consents || (options && !coordinator_may_spend(c, task->target));
	if (refused && task->id <= REVTR_TASK_MAX)
		revtr_engine_refused(c->engine, task->id, coordinator_now_ns());
	if (refused)
		return;
	if (!agent->status.online || !heard || !(text = order_to_json(&order))) {
		coordinator_lost(c, &expected);
		return;
	}
	if (options)
		coordinator_spend(c, task->target);
	expected.probe = task->probe;
	c->expected[task->id & (EXPECTED_MAX - 1)] = expected;
	agent->tasks++;
	agent->asked_ns = coordinator_now_ns();
	c->health.tasks++;
	if (bus_publish(c->bus, topic_of(topic, agent->name, "task"), text, strlen(text), false) < 0)
		c->expected[task->id & (EXPECTED_MAX - 1)].task = 0;
	free(text);
}

static void learn(struct coordinator *c, const struct expected *expected, const struct revtr_answer *answer)
{
	coordinator_learn_distance(c, expected, answer);
	coordinator_note_responder(c, expected, answer);
}

static void on_answer(void *context, const char *topic, const char *payload, size_t length)
{
	struct coordinator *c = context;
	struct revtr_answer answer;
	char name[AGENT_NAME_SIZE];
	if (!topic_agent(topic, name) || !answer_from_json(payload, length, &answer))
		return;
	uint32_t agent = coordinator_agent(c, name);
	if (agent != UINT32_MAX && answer.nonce) {
		coordinator_register_answer(c, agent, &answer);
		return;
	}
	bool trial = answer.seen != REVTR_SEEN_NOTHING || (!answer.answered && answer.task & OWN_TASK);
	if (agent != UINT32_MAX && trial && coordinator_trial_answer(c, agent, &answer))
		return;
	struct expected *slot = &c->expected[answer.task & (EXPECTED_MAX - 1)];
	/* Whoever is not where the answer goes cannot have it; only the sender can have refused. */
	uint32_t speaker = answer.answered && slot->probe != REVTR_TRACEROUTE ? slot->receiver : slot->sender;
	if (agent == UINT32_MAX || answer.seen != REVTR_SEEN_NOTHING || slot->task != answer.task ||
		speaker != agent) {
		c->health.foreign++;
		return;
	}
	struct expected expected = *slot;
	slot->task = 0;
	c->agents[agent].answers++;
	c->health.answers++;
	c->health.last_answer_ms = coordinator_now_ms();
	c->health.last_answer_ns = coordinator_now_ns();
	if (answer.answered)
		c->agents[expected.sender].worked_ns = coordinator_now_ns();
	if (answer.answered && expected.probe == REVTR_RR_PING)
		learn(c, &expected, &answer);
	if (answer.reply.present && expected.spoofed == (expected.sender != expected.receiver))
		coordinator_test_seen(c, expected.sender, expected.receiver);
	if (coordinator_alias_answer(c, &answer))
		; /* asked for that */
	else if (answer.task & OWN_TASK)
		coordinator_atlas_answer(c, &expected, &answer);
	else if (!answer.answered)
		revtr_engine_lost(
			c->engine, answer.task, coordinator_now_ns()); /* refused: nothing was sent */
	else
		revtr_engine_answer(c->engine, &answer, coordinator_now_ns());
	coordinator_heed(c, expected.source);
	coordinator_pump(c);
}

static void on_timer(uv_timer_t *timer)
{
	coordinator_pump(timer->data);
}

static void sleep_until(struct coordinator *c, int64_t wake_ns)
{
	uv_timer_stop(&c->timer);
	if (wake_ns == TIME_NEVER)
		return;
	int64_t wait_ns = wake_ns - coordinator_now_ns();
	uv_update_time(c->loop);
	uv_timer_start(&c->timer, on_timer, wait_ns > 0 ? (uint64_t)(wait_ns / NS_PER_MS) + 1 : 0, 0);
}

static void give_tasks(struct coordinator *c, int64_t *wake_ns)
{
	struct revtr_task task;
	while (revtr_engine_next(c->engine, coordinator_now_ns(), &task, wake_ns)) {
		uint32_t source = task.source;
		coordinator_dispatch(c, &task,
			(struct expected){.task = task.id,
				.receiver = c->sources[source].agent,
				.sender = task.agent,
				.source = source,
				.target = task.target,
				.trace = TREE_NONE,
				.spoofed = task.spoofed});
	}
}

void coordinator_pump(struct coordinator *c)
{
	int64_t wake_ns = TIME_NEVER, wait_ns;
	if (c->pumping)
		return;
	c->pumping = true;
	bool more = coordinator_cancel_some(c);
	more |= coordinator_feed(c, &wait_ns);
	give_tasks(c, &wake_ns);
	coordinator_take_results(c);
	/* Some ended at once: their places are free. */
	more |= revtr_engine_busy(c->engine) < c->options.busy_max && coordinator_feed(c, &wait_ns);
	give_tasks(c, &wake_ns);
	coordinator_take_results(c);
	if (more)
		wake_ns = coordinator_now_ns(); /* others on the loop have their turn, too */
	else if (wait_ns != TIME_NEVER)
		wake_ns = MIN(wake_ns, coordinator_now_ns() + wait_ns);
	wake_ns = MIN(wake_ns, coordinator_alias_due(c));
	wake_ns = MIN(wake_ns, coordinator_ask_hops(c));
	sleep_until(c, wake_ns);
	c->pumping = false;
}

/* ---- life */

static void on_minute(uv_timer_t *timer)
{
	struct coordinator *c = timer->data;
	if (c->ingress_changed)
		ingress_sort(&c->ingress);
	c->ingress_changed = false;
	if (c->unfinished == 0)
		c->health.idle_ns = coordinator_now_ns();
	coordinator_check_all_sources(c);
	coordinator_test_due(c);
	coordinator_tend_atlas(c);
	coordinator_refresh_all(c);
	coordinator_survey(c);
	coordinator_pump(c);
}

struct loading {
	struct coordinator *c;
	int result;
};

static void load_source(void *context, const struct store_source *source)
{
	struct loading *loading = context;
	if (loading->result == 0)
		loading->result = coordinator_add_source(loading->c, source);
}

static int load(struct coordinator *c, struct error *error)
{
	struct loading loading = {.c = c};
	int result = store_each_source(c->store, load_source, &loading, error);
	if (result == 0 && loading.result < 0)
		result = error_set(error, loading.result, "out of memory");
	for (uint32_t i = 0; i < c->source_count && result == 0; i++)
		result = coordinator_load_atlas(c, i, error);
	if (result == 0)
		result = coordinator_load_aliases(c, error);
	if (result == 0)
		result = coordinator_load_survey(c, error);
	if (result == 0)
		result = coordinator_tests_new(c, error);
	if (result == 0)
		result = coordinator_resume(c, error);
	return result == 0 ? coordinator_keep(c, error) : result;
}

static int set_up(struct coordinator *c, struct error *error)
{
	for (uint32_t i = 0; i < AGENTS_MAX; i++)
		c->sites[i].agent = i;
	coordinator_init_registrations(c);
	coordinator_init_hops(c);
	c->expected = calloc(EXPECTED_MAX, sizeof(*c->expected));
	struct revtr_environment environment = {.ingress = &c->ingress,
		.sites = c->sites,
		.site_count = AGENTS_MAX,
		.asn = coordinator_asn,
		.sibling = coordinator_sibling,
		.may_ask = coordinator_may_ask,
		.context = c};
	environment.aliases = &c->aliases;
	/* Answers to tasks of an earlier run are nobody's. */
	c->options.engine.first_task = (uint32_t)(hash_key_random().k0 & 0x3fffffff) + 1;
	c->engine = revtr_engine_new(&c->options.engine, &environment);
	if (!c->expected || !c->engine || ingress_init(&c->ingress, AGENTS_MAX) < 0)
		return error_set(error, -ENOMEM, "out of memory");
	int result = coordinator_load_networks(c, error);
	if (result == 0)
		result = coordinator_init_survey(c, error);
	if (result == 0)
		result = load(c, error);
	if (result == 0 &&
		(bus_subscribe(c->bus, "retour/1/agent/+/status", on_status, c) < 0 ||
			bus_subscribe(c->bus, "retour/1/agent/+/answer", on_answer, c) < 0))
		result = error_set(error, -ENOMEM, "out of memory");
	return result;
}

struct coordinator *coordinator_new(struct uv_loop_s *loop, struct store *store, struct bus *bus,
	const struct coordinator_options *options, struct error *error)
{
	struct coordinator *c = calloc(1, sizeof(*c));
	if (!c) {
		(void)error_set(error, -ENOMEM, "out of memory");
		return NULL;
	}
	c->loop = loop;
	c->store = store;
	c->bus = bus;
	c->options = *options;
	c->options.busy_max = options->busy_max ? options->busy_max : BUSY_MAX;
	uv_timer_init(loop, &c->timer);
	uv_timer_init(loop, &c->minute);
	uv_timer_init(loop, &c->flush);
	uv_timer_init(loop, &c->keep.timer);
	c->timer.data = c->minute.data = c->flush.data = c->keep.timer.data = c;
	if (set_up(c, error) < 0) {
		coordinator_free(c, NULL, NULL);
		return NULL;
	}
	uv_timer_start(&c->minute, on_minute, MINUTE_MS, MINUTE_MS);
	coordinator_pump(c);
	return c;
}

static void free_all(struct coordinator *c)
{
	void (*closed)(void *context) = c->closed;
	void *context = c->closed_context;
	coordinator_free_results(c);
	coordinator_free_lanes(c);
	free(c->absence);
	coordinator_free_networks(c);
	revtr_engine_free(c->engine);
	ingress_deinit(&c->ingress);
	survey_deinit(&c->survey);
	aliases_deinit(&c->aliases);
	coordinator_free_hops(c);
	free(c->alias_round);
	for (uint32_t i = 0; i < c->source_count; i++)
		atlas_deinit(&c->sources[i].atlas);
	free(c->sources);
	free(c->expected);
	free(c->running);
	free(c);
	if (closed)
		closed(context);
}

static void close_one(uv_handle_t *handle)
{
	struct coordinator *c = handle->data;
	if (--c->handles == 0)
		free_all(c);
}

void coordinator_free(struct coordinator *c, void (*closed)(void *context), void *context)
{
	if (!c)
		return;
	struct error error;
	if (c->engine)
		coordinator_tend_atlas(c);
	/* What cannot be kept now is measured again. */
	if (c->engine)
		(void)!coordinator_flush(c, &error);
	c->closed = closed;
	c->closed_context = context;
	coordinator_tests_free(c);
	bus_unsubscribe(c->bus, c);
	uv_timer_t *const handles[] = {&c->timer, &c->minute, &c->flush, &c->keep.timer};
	for (size_t i = 0; i < ARRAY_LEN(handles); i++, c->handles++)
		uv_close((uv_handle_t *)handles[i], close_one);
}

struct coordinator_health coordinator_health(const struct coordinator *c)
{
	struct coordinator_health health = c->health;
	health.busy = revtr_engine_busy(c->engine);
	health.waiting = (unsigned)(c->unfinished - MIN(c->unfinished, (size_t)health.busy));
	return health;
}
