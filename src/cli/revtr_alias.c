/* Routers are asked which addresses they have: a round is begun, waited for and shown. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/addr.h"
#include "base/escape.h"
#include "cli/exit.h"
#include "cli/revtr_inside.h"

#define PATH	"/api/v2/aliases/probe"
#define POLL_MS 300
#define SHOWN	80

static const char *word(const json_t *object, const char *key, char out[static SHOWN])
{
	const char *text = json_string_value(json_object_get(object, key));
	return escape_text(text ? text : "", out, SHOWN);
}

/* ---- showing */

static void add_others(const json_t *others, char *text, size_t size)
{
	const json_t *other;
	char shown[SHOWN];
	size_t i;
	json_array_foreach(others, i, other)
	{
		const char *address = json_string_value(other);
		size_t used = strlen(text);
		snprintf(text + used, size - used, " %s",
			escape_text(address ? address : "", shown, sizeof(shown)));
	}
}

static void print_one(const json_t *one)
{
	char address[SHOWN], state[SHOWN], from[SHOWN], why[SHOWN], prefix[SHOWN + 8], text[600] = "";
	word(one, "state", state);
	word(one, "from", from);
	snprintf(prefix, sizeof(prefix), "%-15s  ", word(one, "address", address));
	if (strcmp(state, "alias") == 0) {
		snprintf(text, sizeof(text), "is one router's with");
		add_others(json_object_get(one, "others"), text, sizeof(text));
	} else if (strcmp(state, "itself") == 0) {
		snprintf(text, sizeof(text), "answers from itself: no other address shows");
	} else if (strcmp(state, "elsewhere") == 0) {
		snprintf(text, sizeof(text), "%s answers, which is not shown to be the same router's", from);
	} else if (strcmp(state, "silent") == 0) {
		snprintf(text, sizeof(text), "silent: nothing is known");
	} else {
		snprintf(text, sizeof(text), "not asked: %s", word(one, "why", why));
	}
	revtr_print_wrapped(prefix, text);
}

static void print_all(const json_t *answer)
{
	const json_t *one;
	size_t i;
	json_array_foreach(json_object_get(answer, "addresses"), i, one) print_one(one);
}

/* ---- asking */

static int add_address(json_t *list, const char *text, struct error *error)
{
	struct addr address;
	char shown[SHOWN];
	if (!addr_parse(text, &address) || address.family != 4)
		return error_set(
			error, -EINVAL, "%s is not an IPv4 address", escape_text(text, shown, sizeof(shown)));
	json_array_append_new(list, json_string(addr_format(address, shown)));
	return 0;
}

static int add_file(json_t *list, const char *name, struct error *error)
{
	char line[300], shown[SHOWN];
	bool standard = strcmp(name, "-") == 0;
	FILE *file = standard ? stdin : fopen(name, "re");
	int result = 0;
	if (!file)
		return error_set(error, -errno, "cannot open %s: %s", escape_text(name, shown, sizeof(shown)),
			strerror(errno));
	while (result == 0 && fgets(line, sizeof(line), file)) {
		line[strcspn(line, " \t\r\n#")] = '\0';
		if (*line)
			result = add_address(list, line, error);
	}
	if (result == 0 && ferror(file))
		result = error_set(error, -EIO, "cannot read %s", escape_text(name, shown, sizeof(shown)));
	if (!standard)
		fclose(file);
	return result;
}

/* Until nothing of the round waits. */
static int wait_for(struct revtr_client *client, json_int_t round, struct error *error)
{
	for (;;) {
		json_t *answer = NULL;
		struct timespec wait = {.tv_nsec = POLL_MS * 1000000L};
		int result = revtr_client_ask(client, "GET", PATH, NULL, &answer, error);
		if (result == 0 && json_integer_value(json_object_get(answer, "round")) != round)
			result = error_set(error, -ENOENT,
				"the coordinator does not know of this round any more; what it found is "
				"kept");
		bool done = json_is_true(json_object_get(answer, "done"));
		json_decref(answer);
		if (done || result < 0)
			return result;
		nanosleep(&wait, NULL);
	}
}

static int probe(const struct revtr_command *command, json_t *list, struct error *error)
{
	struct revtr_client client = {0};
	json_t *answer = NULL;
	int result = revtr_client_open(&client, command, error);
	if (result == 0)
		result = revtr_client_ask(
			&client, "POST", PATH, json_pack("{s:O}", "addresses", list), &answer, error);
	if (result == 0)
		result = wait_for(&client, json_integer_value(json_object_get(answer, "round")), error);
	json_decref(answer);
	revtr_client_close(&client);
	return result;
}

int revtr_aliases_probe_run(const struct revtr_command *command)
{
	struct error error = {0};
	json_t *list = json_array();
	int result = command->file ? add_file(list, command->file, &error) : 0;
	for (int i = 1; i < command->argument_count && result == 0; i++)
		result = add_address(list, command->arguments[i], &error);
	if (result == 0 && json_array_size(list) == 0)
		result = error_set(&error, -EINVAL, "aliases probe: expected addresses, or --file");
	if (result == 0)
		result = probe(command, list, &error);
	json_decref(list);
	return result < 0 ? revtr_complain(&error) : revtr_ask(command, "GET", PATH, NULL, print_all);
}
