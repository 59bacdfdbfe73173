/* The atlas of a source: shown, refreshed, filled from files of other programs, forgotten. And alias sets. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "cli/exit.h"
#include "cli/revtr_inside.h"
#include "import/import.h"
#include "revtr/aliases.h"
#include "revtr/atlas.h"

#define SHOWN		  80
#define FILE_BYTES	  (1u << 30)
#define TRACES_AT_ONCE	  500
#define SETS_AT_ONCE	  5000
#define ADDRESSES_AT_ONCE 50000

static const char *word(const json_t *object, const char *key, char out[static SHOWN])
{
	const char *text = json_string_value(json_object_get(object, key));
	return escape_text(text ? text : "-", out, SHOWN);
}

/* To the second. */
static const char *moment(const json_t *object, const char *key, char out[static SHOWN])
{
	word(object, key, out);
	if (strlen(out) > strlen("2026-01-31T12:00:00"))
		memcpy(out + strlen("2026-01-31T12:00:00"), "Z", 2);
	return out;
}

static long long number(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

static bool plain_address(const char *text)
{
	return *text && strspn(text, "0123456789.") == strlen(text) && strlen(text) < 40;
}

/* ---- showing */

static void print_traces(const json_t *answer)
{
	const json_t *trace;
	size_t i;
	char origin[SHOWN], seen[SHOWN], used[SHOWN];
	json_array_foreach(json_object_get(answer, "list"), i, trace)
	{
		if (i == 0)
			printf("  %-26s %4s  %-20s %6s %7s  %s\n", "origin", "hops", "seen", "uses", "saved",
				"last used");
		printf("  %-26s %4lld  %-20s %6lld %7.1f  %s%s\n", word(trace, "origin", origin),
			number(trace, "hops"), moment(trace, "seen_at", seen), number(trace, "uses"),
			json_number_value(json_object_get(trace, "hops_saved")),
			moment(trace, "used_at", used),
			json_is_true(json_object_get(trace, "doubted")) ? "  in doubt" : "");
	}
}

static void print_atlas(const json_t *answer)
{
	char source[SHOWN], oldest[SHOWN], newest[SHOWN];
	const char *state = json_string_value(json_object_get(answer, "state"));
	word(answer, "source", source);
	if (state && strcmp(state, "clean") == 0)
		printf("%s: its traceroutes are forgotten\n", source);
	else if (state)
		printf("%s: the agents have been asked for traceroutes to it\n", source);
	else if (number(answer, "traceroutes") == 0)
		printf("%s: no traceroutes to it are known\n", source);
	else {
		printf("%s: %lld traceroutes, %lld imported, %lld used since they were made, %lld in doubt\n "
		       "   the oldest of %s, the newest of "
		       "%s\n",
			source, number(answer, "traceroutes"), number(answer, "imported"),
			number(answer, "used"), number(answer, "doubted"),
			moment(answer, "oldest_at", oldest), moment(answer, "newest_at", newest));
		print_traces(answer);
	}
}

/* ---- files */

/* All of a file, "-" is standard input; NULL with `error`. */
static char *read_file(const char *name, size_t *length, struct error *error)
{
	FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "rbe");
	size_t room = 0;
	char *bytes = NULL, shown[200];
	int code = file ? 0 : -errno;
	*length = 0;
	while (code == 0) {
		if (*length == room) {
			char *longer = room < FILE_BYTES ? realloc(bytes, room ? 2 * room : 65536) : NULL;
			code = longer ? 0 : -ENOMEM;
			bytes = longer ? longer : bytes;
			room = longer ? room ? 2 * room : 65536 : room;
		}
		size_t got = code == 0 ? fread(bytes + *length, 1, room - *length, file) : 0;
		*length += got;
		if (code == 0 && got == 0) {
			code = ferror(file) ? -EIO : 0;
			break;
		}
	}
	if (file && file != stdin)
		fclose(file);
	if (code == 0)
		return bytes;
	free(bytes);
	error_set(
		error, code, "cannot read %s: %s", escape_text(name, shown, sizeof(shown)), strerror(-code));
	return NULL;
}

struct importing {
	struct revtr_client client;
	struct addr source;
	const char *file;
	json_t *list;  /* that waits to be sent */
	json_t *total; /* of all answers, and what was refused here */
	size_t found, addresses;
};

static void add_to(json_t *object, const char *key, long long value)
{
	json_object_set_new(
		object, key, json_integer(json_integer_value(json_object_get(object, key)) + value));
}

static int send_traces(struct importing *importing, struct error *error)
{
	char path[100], text[ADDR_TEXT_SIZE];
	json_t *answer = NULL, *body = json_pack("{s:o}", "traceroutes", importing->list), *value;
	const char *key;
	importing->list = json_array();
	snprintf(path, sizeof(path), "/api/v2/atlas/%s/traceroutes", addr_format(importing->source, text));
	int result = revtr_client_ask(&importing->client, "POST", path, body, &answer, error);
	add_to(importing->total, "taken", number(answer, "taken"));
	json_object_foreach(json_object_get(answer, "refused"), key, value) add_to(
		json_object_get(importing->total, "refused"), key, (long long)json_integer_value(value));
	json_decref(answer);
	return result;
}

static json_t *hop_json(uint32_t address)
{
	char text[ADDR_TEXT_SIZE];
	return address ? json_string(addr_format(addr_v4(address), text)) : json_null();
}

static int take_trace(struct importing *importing, const struct measurement *measurement, struct error *error)
{
	struct atlas_trace trace;
	enum atlas_refusal refusal = atlas_from_measurement(measurement, importing->source, &trace);
	json_t *hops = json_array();
	importing->found++;
	if (refusal != ATLAS_TAKEN) {
		json_decref(hops);
		add_to(json_object_get(importing->total, "refused"), atlas_refusal_word(refusal), 1);
		return 0;
	}
	for (unsigned i = 1; i < trace.count; i++)
		json_array_append_new(hops, hop_json(trace.addresses[i]));
	json_array_append_new(importing->list,
		json_pack("{s:o, s:I, s:o}", "from", hop_json(trace.addresses[0]), "seen_ms",
			(json_int_t)trace.seen_ms, "hops", hops));
	return json_array_size(importing->list) < TRACES_AT_ONCE ? 0 : send_traces(importing, error);
}

static int take_piece(struct importing *importing, const char *bytes, size_t length, struct error *error)
{
	struct import_hints hints = {.destination = importing->source};
	struct import import;
	int result = import_read(bytes, length, &hints, &import, error);
	if (result < 0)
		return result;
	for (size_t i = 0; i < import.count && result == 0; i++)
		result = take_trace(importing, &import.traces[i].measurement, error);
	import_deinit(&import);
	return result;
}

/* Files of one result a line are read piece by piece, however long they are. */
static int take_file(struct importing *importing, const char *bytes, size_t length, struct error *error)
{
	char shown[200];
	size_t at = 0, before = importing->found;
	int result = 0;
	while (at < length && result == 0) {
		size_t piece = MIN(length - at, (size_t)IMPORT_DATA_MAX);
		const char *end =
			piece < length - at && bytes[0] == '{' ? memrchr(bytes + at, '\n', piece) : NULL;
		if (piece < length - at && !end)
			return error_set(error, -E2BIG,
				"%s: more than %d MiB that are not one result a line; of RIPE Atlas take "
				"format=txt, of scamper several files",
				escape_text(importing->file, shown, sizeof(shown)), IMPORT_DATA_MAX >> 20);
		if (end)
			piece = (size_t)(end - bytes) - at + 1;
		result = take_piece(importing, bytes + at, piece, error);
		at += piece;
	}
	if (result == 0 && importing->found == before)
		result = error_set(error, -EINVAL, "%s: no traceroute was recognised in it",
			escape_text(importing->file, shown, sizeof(shown)));
	return result;
}

static int each_file(struct importing *importing, const struct revtr_command *command, int first,
	int (*take)(struct importing *importing, const char *bytes, size_t length, struct error *error),
	struct error *error)
{
	int result = revtr_client_open(&importing->client, command, error);
	for (int i = first; i < command->argument_count && result == 0; i++) {
		size_t length;
		importing->file = command->arguments[i];
		char *bytes = read_file(importing->file, &length, error);
		result = bytes ? take(importing, bytes, length, error) : error->code;
		free(bytes);
	}
	return result;
}

static void print_json(const json_t *json)
{
	char *text = json_dumps(json, JSON_INDENT(2));
	puts(text ? text : "");
	free(text);
}

/* What `word` of a refusal means, in words. */
static const char *refusal_text(const char *refusal)
{
	static const char *const texts[][2] = {
		{"other-target", "to another address"},
		{"not-reached", "did not reach the source"},
		{"loop", "with a router twice"},
		{"no-time", "do not say when they were made"},
		{"too-old", "too old to be believed"},
		{"future", "from the future"},
		{"empty", "without a known router"},
		{"too-long", "too long"},
		{"not-newer", "no newer than what is known from there"},
		{"no-room", "more than a source may have"},
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (strcmp(texts[i][0], refusal) == 0)
			return texts[i][1];
	return "refused by the coordinator";
}

static void print_import(const struct importing *importing)
{
	const json_t *value;
	const char *key;
	bool first = true;
	printf("%lld of %zu traceroutes taken", number(importing->total, "taken"), importing->found);
	json_object_foreach(json_object_get(importing->total, "refused"), key, value)
	{
		printf("%s %lld %s", first ? "; not taken:" : ",", (long long)json_integer_value(value),
			refusal_text(key));
		first = false;
	}
	putchar('\n');
}

static int import_traces(const struct revtr_command *command)
{
	struct importing importing = {
		.list = json_array(), .total = json_pack("{s:i, s:{}}", "taken", 0, "refused")};
	struct error error = {0};
	if (!addr_parse(command->arguments[1], &importing.source) || importing.source.family != 4) {
		fputs("retour revtr atlas import: expected the address of a source, and files\n", stderr);
		return EXIT_USAGE;
	}
	int result = each_file(&importing, command, 2, take_file, &error);
	if (result == 0 && json_array_size(importing.list) > 0)
		result = send_traces(&importing, &error);
	if (result == 0 && command->json)
		print_json(importing.total);
	else if (result == 0)
		print_import(&importing);
	long long taken = number(importing.total, "taken");
	json_decref(importing.list);
	json_decref(importing.total);
	revtr_client_close(&importing.client);
	if (result < 0)
		return revtr_complain(&error);
	return taken > 0 ? EXIT_OK : EXIT_CANNOT_MEASURE;
}

int revtr_atlas_run(const struct revtr_command *command)
{
	static const struct {
		const char *name, *method;
	} verbs[] = {{"show", "GET"}, {"refresh", "POST"}, {"clean", "DELETE"}};
	const char *method = "GET", *verb = command->arguments[0];
	char path[100];
	if (strcmp(verb, "import") == 0 && command->argument_count > 2)
		return import_traces(command);
	bool named = false;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, verb) == 0) {
			named = true;
			method = verbs[i].method;
		}
	const char *source = named && command->argument_count == 2 ? command->arguments[1] : verb;
	if (!plain_address(source) || command->argument_count != 1 + named) {
		fputs("retour revtr atlas: expected [show], refresh or clean, and the address of a source; "
		      "or import, a source and "
		      "files\n",
			stderr);
		return EXIT_USAGE;
	}
	snprintf(path, sizeof(path), "/api/v2/atlas/%s", source);
	return revtr_ask(command, method, path, NULL, print_atlas);
}

/* ---- aliases */

static void print_aliases(const json_t *answer)
{
	long long sets = number(answer, "sets");
	printf("%lld addresses of %lld router%s\n", number(answer, "addresses"), sets, sets == 1 ? "" : "s");
}

static int send_sets(struct importing *importing, struct error *error)
{
	json_t *body = json_pack("{s:o}", "sets", importing->list);
	json_decref(importing->total);
	importing->list = json_array();
	importing->total = NULL;
	importing->addresses = 0;
	return revtr_client_ask(
		&importing->client, "POST", "/api/v2/aliases", body, &importing->total, error);
}

static int take_line(struct importing *importing, const char *line, size_t length, struct error *error)
{
	uint32_t addresses[ALIASES_SET_MAX];
	int count = aliases_parse(line, length, addresses, ARRAY_LEN(addresses));
	if (count <= 0)
		return count;
	json_t *set = json_array();
	for (int i = 0; i < count; i++)
		json_array_append_new(set, hop_json(addresses[i]));
	json_array_append_new(importing->list, set);
	importing->addresses += (size_t)count;
	importing->found++;
	bool enough =
		json_array_size(importing->list) >= SETS_AT_ONCE || importing->addresses >= ADDRESSES_AT_ONCE;
	return enough ? send_sets(importing, error) : 0;
}

static int take_sets(struct importing *importing, const char *bytes, size_t length, struct error *error)
{
	unsigned long lines = 0;
	char shown[200];
	for (size_t at = 0; at < length;) {
		const char *end = memchr(bytes + at, '\n', length - at);
		size_t line = end ? (size_t)(end - bytes) - at : length - at;
		int result = take_line(importing, bytes + at, line, error);
		lines++;
		if (result == -EINVAL && error->code == 0)
			return error_set(error, result,
				"%s, line %lu: expected addresses separated by blanks, or \"node NAME: "
				"ADDRESS ...\"",
				escape_text(importing->file, shown, sizeof(shown)), lines);
		if (result < 0)
			return result;
		at += line + 1;
	}
	return 0;
}

int revtr_aliases_run(const struct revtr_command *command)
{
	if (command->argument_count == 0)
		return revtr_ask(command, "GET", "/api/v2/aliases", NULL, print_aliases);
	if (strcmp(command->arguments[0], "probe") == 0)
		return revtr_aliases_probe_run(command);
	if (strcmp(command->arguments[0], "import") != 0 || command->argument_count < 2) {
		fputs("retour revtr aliases: expected import and files, probe and addresses, or nothing\n",
			stderr);
		return EXIT_USAGE;
	}
	struct importing importing = {.list = json_array()};
	struct error error = {0};
	int result = each_file(&importing, command, 1, take_sets, &error);
	if (result == 0 && json_array_size(importing.list) > 0)
		result = send_sets(&importing, &error);
	if (result == 0 && !importing.total)
		result = error_set(&error, -EINVAL, "there is no set of two or more IPv4 addresses in it");
	if (result == 0 && command->json)
		print_json(importing.total);
	else if (result == 0)
		print_aliases(importing.total);
	json_decref(importing.list);
	json_decref(importing.total);
	revtr_client_close(&importing.client);
	return result < 0 ? revtr_complain(&error) : EXIT_OK;
}
