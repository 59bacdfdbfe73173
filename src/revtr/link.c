#include "revtr/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/clock.h"

struct agent_link {
	uv_check_t check; /* after whatever the agent may have heard */
	struct bus *bus;
	struct agent *agent;
	struct agent_status status;
	struct agent_link_counters counters;
	void (*wake)(void *context);
	void *context;
	char name[AGENT_NAME_SIZE];
};

static void say(struct agent_link *link, const char *kind, char *text, bool keep)
{
	char topic[TOPIC_SIZE];
	if (!text || bus_publish(link->bus, topic_of(topic, link->name, kind), text, strlen(text), keep) < 0)
		link->counters.unsaid++;
	free(text);
}

static void on_task(void *context, const char *topic, const char *payload, size_t length)
{
	struct agent_link *link = context;
	struct agent_order order;
	(void)topic;
	if (!order_from_json(payload, length, &order)) {
		link->counters.bad++;
		return;
	}
	enum agent_verdict verdict = agent_do(link->agent, &order, clock_monotonic_ns());
	if (verdict == AGENT_TAKEN)
		link->wake(link->context);
	else
		say(link, "answer", refusal_to_json(order.task.id, verdict), false);
}

static void on_key(void *context, const char *topic, const char *payload, size_t length)
{
	struct agent_link *link = context;
	struct agent_keys keys;
	(void)topic;
	if (keys_from_json(payload, length, &keys))
		link->counters.keys = agent_set_keys(link->agent, keys.keys, keys.sources, keys.count);
	else
		link->counters.bad++;
}

static void on_check(uv_check_t *check)
{
	struct agent_link *link = check->data;
	struct revtr_answer answer;
	while (agent_answer(link->agent, &answer))
		say(link, "answer", answer_to_json(&answer), false);
}

void agent_link_online(struct agent_link *link)
{
	say(link, "status", status_to_json(&link->status), true);
}

void agent_link_set_status(struct agent_link *link, const struct agent_status *status)
{
	link->status = *status;
	agent_link_online(link);
}

struct agent_status agent_link_status(const struct agent_link *link)
{
	return link->status;
}

struct agent_link_counters agent_link_counters(const struct agent_link *link)
{
	return link->counters;
}

char *agent_link_will(void)
{
	const struct agent_status gone = {.online = false};
	return status_to_json(&gone);
}

static int hear(struct agent_link *link)
{
	char topic[TOPIC_SIZE];
	int result = bus_subscribe(link->bus, topic_of(topic, link->name, "task"), on_task, link);
	return result < 0 ? result
			  : bus_subscribe(link->bus, topic_of(topic, link->name, "key"), on_key, link);
}

struct agent_link *agent_link_new(
	struct uv_loop_s *loop, struct bus *bus, const struct agent_link_options *options)
{
	struct agent_link *link = calloc(1, sizeof(*link));
	if (!link)
		return NULL;
	link->bus = bus;
	link->agent = options->agent;
	link->status = options->status;
	link->wake = options->wake;
	link->context = options->context;
	snprintf(link->name, sizeof(link->name), "%s", options->name);
	uv_check_init(loop, &link->check);
	link->check.data = link;
	uv_check_start(&link->check, on_check);
	uv_unref((uv_handle_t *)&link->check);
	if (hear(link) < 0) {
		agent_link_free(link);
		return NULL;
	}
	agent_link_online(link);
	return link;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void agent_link_free(struct agent_link *link)
{
	if (!link)
		return;
	bus_unsubscribe(link->bus, link);
	uv_close((uv_handle_t *)&link->check, on_closed);
}
