/* Agents: who they are, what they can do, and a test of that. */
#include <stdlib.h>
#include <string.h>

#include "revtr/capability.h"
#include "serve/revtr_api_inside.h"

static json_t *capability_json(const struct capability *capability)
{
	char *text = capability->tested_ms > 0 ? capability_to_json(capability) : NULL;
	json_t *json = text ? json_loads(text, 0, NULL) : NULL;
	free(text);
	if (!json)
		return json_null();
	json_object_del(json, "tested_ms");
	json_object_set_new(json, "tested_at", revtr_time(capability->tested_ms));
	return json;
}

static json_t *agent_json(const struct coordinator_agent *agent)
{
	return json_pack("{s:s, s:o, s:b, s:b, s:o, s:I, s:I, s:s*, s:b, s:o}", "name", agent->name,
		"address", revtr_address(agent->address), "online", agent->online, "may_spoof",
		agent->may_spoof, "since", revtr_time(agent->since_ms), "tasks", (json_int_t)agent->tasks,
		"answers", (json_int_t)agent->answers, "note", agent->note[0] ? agent->note : NULL, "testing",
		agent->testing, "capability", capability_json(agent->capability));
}

static void add_agent(void *context, const struct coordinator_agent *agent)
{
	json_array_append_new(context, agent_json(agent));
}

void revtr_agents_get(const struct revtr_ask *ask)
{
	json_t *list = json_array();
	coordinator_each_agent(ask->api->config.coordinator, add_agent, list);
	api_send_json(ask->exchange, STATUS_OK, json_pack("{s:o}", "agents", list), 0);
}

struct sought {
	const char *name;
	json_t *json;
};

static void find_agent(void *context, const struct coordinator_agent *agent)
{
	struct sought *sought = context;
	if (!sought->json && strcmp(agent->name, sought->name) == 0)
		sought->json = agent_json(agent);
}

/* As it was before: the client knows the new finding by its time. */
void revtr_agent_test_post(const struct revtr_ask *ask)
{
	struct sought sought = {.name = ask->argument};
	struct error error = {0};
	coordinator_each_agent(ask->api->config.coordinator, find_agent, &sought);
	if (coordinator_test_agent(ask->api->config.coordinator, ask->argument, &error) < 0)
		revtr_refuse(ask, &error);
	else
		api_send_json(ask->exchange, STATUS_ACCEPTED, json_incref(sought.json), 0);
	json_decref(sought.json);
}
