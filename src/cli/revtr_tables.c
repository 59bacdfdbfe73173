/* Sources, keys and budgets of a coordinator. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "cli/exit.h"
#include "cli/revtr_inside.h"
#include "report/style.h"

int revtr_ask(const struct revtr_command *command, const char *method, const char *path, json_t *body,
	void (*print)(const json_t *answer))
{
	struct revtr_client client = {0};
	struct error error = {0};
	json_t *answer = NULL;
	int result = revtr_client_open(&client, command, &error);
	if (result == 0)
		result = revtr_client_ask(&client, method, path, body, &answer, &error);
	else
		json_decref(body);
	if (result == 0 && command->json) {
		char *text = json_dumps(answer, JSON_INDENT(2));
		puts(text ? text : "");
		free(text);
	} else if (result == 0) {
		print(answer);
	}
	json_decref(answer);
	revtr_client_close(&client);
	return result < 0 ? revtr_complain(&error) : EXIT_OK;
}

#define SHOWN 80
static const char *word(const json_t *object, const char *key, char out[static SHOWN])
{
	const char *text = json_string_value(json_object_get(object, key));
	return escape_text(text ? text : "-", out, SHOWN);
}

static long long number(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

void revtr_print_wrapped(const char *prefix, const char *text)
{
	static const struct report_options narrow = {.width = 80};
	print_wrapped(stdout, &narrow, ROLE_PLAIN, prefix, (int)strlen(prefix), text);
}

/* ---- sources */

static void print_sources(const json_t *answer)
{
	const json_t *source;
	size_t i;
	char address[SHOWN], name[SHOWN], agent[SHOWN], at[SHOWN];
	json_array_foreach(json_object_get(answer, "sources"), i, source)
	{
		printf("%-15s  agent %-14s  %-16s  since %.10s\n", word(source, "address", address),
			word(source, "agent", agent),
			json_is_true(json_object_get(source, "consents")) ? "consents" : "does not consent",
			word(source, "registered_at", at));
		if (strcmp(word(source, "name", name), agent) != 0)
			printf("    %s\n", name);
	}
	if (json_array_size(json_object_get(answer, "sources")) == 0)
		puts("no source is registered; `retour revtr source add ADDRESS --agent NAME` registers one");
}

int revtr_sources_run(const struct revtr_command *command)
{
	return revtr_ask(command, "GET", "/api/v2/sources", NULL, print_sources);
}

static void print_source(const json_t *answer)
{
	char address[SHOWN], agent[SHOWN], key[SHOWN];
	printf("%s is a source; agent %s, key %s\n", word(answer, "address", address),
		word(answer, "agent", agent), word(answer, "key", key));
}

int revtr_source_run(const struct revtr_command *command)
{
	if (strcmp(command->arguments[0], "add") != 0 || command->argument_count != 2 || !command->agent) {
		fputs("retour revtr source: expected add ADDRESS --agent NAME [--name TEXT]\n", stderr);
		return EXIT_USAGE;
	}
	return revtr_ask(command, "POST", "/api/v2/sources",
		json_pack("{s:s, s:s, s:s*, s:s*}", "address", command->arguments[1], "agent", command->agent,
			"name", command->name, "key", command->key),
		print_source);
}

/* ---- keys and budgets */

static void print_limit(const json_t *answer, const char *key)
{
	const json_t *limit = json_object_get(answer, key);
	if (json_is_integer(limit))
		printf(" of %lld", (long long)json_integer_value(limit));
	else
		printf(", no limit");
}

static void print_budget(const json_t *answer)
{
	const json_t *network;
	size_t i;
	char name[SHOWN];
	printf("key %s%s\n%9lld measurements today", word(answer, "key", name),
		json_is_true(json_object_get(answer, "admin")) ? ", an administrator's" : "",
		number(answer, "spent_today"));
	print_limit(answer, "per_day");
	printf("\n%9lld under way", number(answer, "waiting"));
	print_limit(answer, "parallel");
	putchar('\n');
	json_array_foreach(json_object_get(answer, "networks"), i, network) printf(
		"%-18s %lld of %lld packets with options today%s\n", word(network, "network", name),
		number(network, "spent_today"), number(network, "per_day"),
		number(network, "spent_today") >= number(network, "per_day") ? ": it is not asked any more"
									     : "");
}

int revtr_budget_run(const struct revtr_command *command)
{
	return revtr_ask(command, "GET", "/api/v2/budget", NULL, print_budget);
}

static void print_key(const json_t *answer)
{
	char name[SHOWN], key[SHOWN];
	fprintf(stderr, "The key of %s; it is shown this once:\n", word(answer, "name", name));
	puts(word(answer, "key", key));
}

int revtr_key_run(const struct revtr_command *command)
{
	if (strcmp(command->arguments[0], "add") != 0 || command->argument_count != 2) {
		fputs("retour revtr key: expected add NAME [--per-day N] [--parallel N] [--admin]\n", stderr);
		return EXIT_USAGE;
	}
	return revtr_ask(command, "POST", "/api/v2/keys",
		json_pack("{s:s, s:i, s:i, s:b}", "name", command->arguments[1], "per_day",
			(int)command->per_day, "parallel", (int)command->parallel, "admin", command->admin),
		print_key);
}
