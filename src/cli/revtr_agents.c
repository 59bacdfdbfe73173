/* The agents of a coordinator, what they can do, and a test of that. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/escape.h"
#include "cli/exit.h"
#include "cli/revtr_inside.h"

#define PATH	   "/api/v2/agents"
#define SHOWN	   600
#define POLLS_MAX  600 /* three minutes */
#define POLL_MS	   300
#define NAME_MAX_C 64

static const char *word(const json_t *object, const char *key, char out[static SHOWN])
{
	const char *text = json_string_value(json_object_get(object, key));
	return escape_text(text ? text : "-", out, SHOWN);
}

static long long number(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

/* ---- printing */

static void print_finding(const json_t *capability, const char *key, const char *what)
{
	char text[SHOWN], prefix[40];
	const json_t *finding = json_object_get(capability, key), *can = json_object_get(finding, "can");
	snprintf(prefix, sizeof(prefix), "    %-8s %-4s ", what,
		json_is_true(can)	     ? "yes"
			: json_is_false(can) ? "no"
					     : "?");
	revtr_print_wrapped(prefix, word(finding, "text", text));
}

static void print_nat(const json_t *capability)
{
	char address[SHOWN];
	const json_t *nat = json_object_get(capability, "behind_nat");
	if (json_is_true(nat))
		printf("    %-8s %-4s behind a NAT: others see it as %s\n", "NAT", "yes",
			word(capability, "seen_as", address));
	else
		printf("    %-8s %-4s %s\n", "NAT", json_is_false(nat) ? "no" : "?",
			json_is_false(nat) ? "others see its own address" : "not known");
}

static void print_capability(const json_t *agent)
{
	char at[SHOWN], note[SHOWN];
	const json_t *capability = json_object_get(agent, "capability");
	if (json_object_get(agent, "note"))
		revtr_print_wrapped("    note: ", word(agent, "note", note));
	if (!json_is_object(capability)) {
		puts(json_is_true(json_object_get(agent, "testing")) ? "    is being tested"
								     : "    not tested yet");
		return;
	}
	print_finding(capability, "options", "options");
	print_finding(capability, "spoof", "spoofing");
	print_finding(capability, "receive", "hearing");
	print_nat(capability);
	printf("    tested %.19sZ%s\n", word(capability, "tested_at", at),
		json_is_true(json_object_get(agent, "testing")) ? ", and again right now" : "");
}

static void print_agent(const json_t *agent)
{
	char name[SHOWN], address[SHOWN];
	printf("%-14s %-15s %-7s %-14s %lld tasks, %lld answers\n", word(agent, "name", name),
		word(agent, "address", address),
		json_is_true(json_object_get(agent, "online")) ? "online" : "offline",
		json_is_true(json_object_get(agent, "may_spoof")) ? "may spoof" : "does not spoof",
		number(agent, "tasks"), number(agent, "answers"));
	print_capability(agent);
}

static void print_json(const json_t *answer)
{
	char *text = json_dumps(answer, JSON_INDENT(2));
	puts(text ? text : "");
	free(text);
}

static void print_all(const json_t *answer)
{
	const json_t *agent;
	size_t i;
	json_array_foreach(json_object_get(answer, "agents"), i, agent) print_agent(agent);
	if (json_array_size(json_object_get(answer, "agents")) == 0)
		puts("no agent has been seen");
}

/* ---- asking */

static int list(struct revtr_client *client, const struct revtr_command *command, struct error *error)
{
	json_t *answer = NULL;
	int result = revtr_client_ask(client, "GET", PATH, NULL, &answer, error);
	if (result == 0 && command->json)
		print_json(answer);
	else if (result == 0)
		print_all(answer);
	json_decref(answer);
	return result;
}

static const char *tested_at(const json_t *agent)
{
	const char *at =
		json_string_value(json_object_get(json_object_get(agent, "capability"), "tested_at"));
	return at ? at : "";
}

/* The agent of that name once it has been tested since; NULL: not yet. */
static json_t *tested(const json_t *answer, const char *name, const char *before)
{
	json_t *agent;
	size_t i;
	json_array_foreach(json_object_get(answer, "agents"), i,
		agent) if (strcmp(name, json_string_value(json_object_get(agent, "name"))) == 0 &&
		!json_is_true(json_object_get(agent, "testing")) &&
		strcmp(tested_at(agent), before) != 0) return agent;
	return NULL;
}

static int wait_for_test(struct revtr_client *client, const struct revtr_command *command, const char *before,
	struct error *error)
{
	const char *name = command->arguments[1];
	for (int i = 0; i < POLLS_MAX; i++) {
		json_t *answer = NULL;
		struct timespec wait = {.tv_nsec = POLL_MS * 1000000L};
		int result = revtr_client_ask(client, "GET", PATH, NULL, &answer, error);
		json_t *agent = result == 0 ? tested(answer, name, before) : NULL;
		if (agent && command->json)
			print_json(agent);
		else if (agent)
			print_agent(agent);
		bool ended = agent || result < 0;
		json_decref(answer);
		if (ended)
			return result;
		nanosleep(&wait, NULL);
	}
	return error_set(error, -ETIMEDOUT,
		"the test of agent %s goes on; `retour revtr agents` tells what it finds", name);
}

static int test(struct revtr_client *client, const struct revtr_command *command, struct error *error)
{
	char path[sizeof(PATH) + NAME_MAX_C + sizeof("/test")], before[64];
	json_t *answer = NULL;
	snprintf(path, sizeof(path), PATH "/%s/test", command->arguments[1]);
	int result = revtr_client_ask(client, "POST", path, NULL, &answer, error);
	snprintf(before, sizeof(before), "%s", tested_at(answer));
	json_decref(answer);
	return result < 0 ? result : wait_for_test(client, command, before, error);
}

static bool plain_name(const char *name)
{
	return *name && strlen(name) < NAME_MAX_C &&
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
		strlen(name);
}

int revtr_agents_run(const struct revtr_command *command)
{
	struct revtr_client client = {0};
	struct error error = {0};
	bool all = command->argument_count == 0;
	if (!all &&
		(command->argument_count != 2 || strcmp(command->arguments[0], "test") != 0 ||
			!plain_name(command->arguments[1]))) {
		fputs("retour revtr agents: expected nothing, or test and the name of an agent\n", stderr);
		return EXIT_USAGE;
	}
	int result = revtr_client_open(&client, command, &error);
	if (result == 0)
		result = all ? list(&client, command, &error) : test(&client, command, &error);
	revtr_client_close(&client);
	return result < 0 ? revtr_complain(&error) : EXIT_OK;
}
