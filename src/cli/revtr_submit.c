/* Batches: handed in, shown, watched, cancelled. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/hash.h"
#include "cli/exit.h"
#include "cli/revtr_inside.h"
#include "net/route.h"

#define PART	    2000 /* measurements; a longer list is a batch of several parts */
#define LINE_SIZE   65536
#define PROGRESS_NS (500 * NS_PER_MS)
#define TRIES_MAX   10 /* a second each, to find the coordinator again */

/* ---- following a batch */

struct following {
	bool json, whole_line_lost, ended;
	char line[LINE_SIZE];
	size_t length;
	size_t done, total, reached, cancelled;
	int64_t shown_ns;
};

static void show_progress(struct following *f, bool last)
{
	if (!isatty(STDERR_FILENO) || (f->total < 2) ||
		(!last && clock_monotonic_ns() - f->shown_ns < PROGRESS_NS))
		return;
	f->shown_ns = clock_monotonic_ns();
	fprintf(stderr, "\r%zu of %zu done, %zu whole%s", f->done, f->total, f->reached, last ? "\n" : " ");
}

/* " for agent home, which stands at 198.51.100.77 and is not connected, until ...". */
static char *awaited_text(const json_t *awaited, char *text, size_t size)
{
	char agent[80], source[60], until[40];
	snprintf(text, size, "for agent %s, which stands at %s and is not connected, until %s",
		revtr_text_of(awaited, "agent", agent, sizeof(agent)),
		revtr_text_of(awaited, "source", source, sizeof(source)),
		revtr_text_of(awaited, "until", until, sizeof(until)));
	return text;
}

static void take_line(struct following *f)
{
	json_t *record = json_loadb(f->line, f->length, 0, NULL);
	const char *status = json_string_value(json_object_get(record, "status"));
	const json_t *awaited = json_object_get(record, "awaits");
	char text[300];
	if (!json_is_object(record)) {
		json_decref(record);
		return;
	}
	if (json_is_true(json_object_get(record, "end"))) {
		f->ended = true;
		f->cancelled = (size_t)json_integer_value(json_object_get(record, "cancelled"));
	} else if (awaited) {
		fprintf(stderr, "%sretour revtr: waiting %s; what has not begun by then is given up\n",
			f->done > 0 && isatty(STDERR_FILENO) ? "\n" : "",
			awaited_text(awaited, text, sizeof(text)));
	} else {
		f->done++;
		f->reached += status && strcmp(status, "reached") == 0;
		revtr_print_record(record, f->json);
		show_progress(f, false);
	}
	json_decref(record);
}

static void on_bytes(void *context, const char *bytes, size_t length)
{
	struct following *f = context;
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] != '\n' && f->length < sizeof(f->line)) {
			f->line[f->length++] = bytes[i];
		} else if (bytes[i] == '\n') {
			take_line(f);
			f->length = 0;
		}
	}
}

/* Until the end, also when the coordinator goes and comes back: what was told is not told again. */
static int follow_on(struct revtr_client *client, int64_t batch, struct following *f, struct error *error)
{
	char path[100];
	int result = 0;
	bool began = false;
	for (int tries = 0; tries < TRIES_MAX && !f->ended; tries++) {
		size_t before = f->done;
		f->length = 0;
		snprintf(path, sizeof(path), "/api/v2/batches/%lld/stream?after=%zu", (long long)batch,
			f->done);
		result = revtr_client_follow(client, path, on_bytes, f, error);
		if (f->ended || result == -EINTR || (result < 0 && !began))
			return result;
		began = true;
		if (f->done > before)
			tries = 0;
		sleep(1);
	}
	if (!f->ended)
		return error_set(error, -EPIPE,
			"the coordinator went away; what it took is not lost: `retour revtr watch %lld` goes "
			"on",
			(long long)batch);
	return result;
}

/* The exit status: all whole, or not. */
static int follow(struct revtr_client *client, int64_t batch, size_t total, bool json, struct error *error)
{
	struct following *f = calloc(1, sizeof(*f));
	if (!f) {
		(void)error_set(error, -ENOMEM, "out of memory");
		return revtr_complain(error);
	}
	f->json = json;
	f->total = total;
	int result = follow_on(client, batch, f, error);
	show_progress(f, true);
	bool all = f->reached == f->done && f->done > 0 && f->cancelled == 0;
	int status = result < 0 ? revtr_complain(error) : all ? EXIT_OK : EXIT_NOT_REACHED;
	free(f);
	return status;
}

/* ---- submitting */

struct submission {
	struct revtr_client client;
	const struct revtr_command *command;
	char source[ADDR_TEXT_SIZE], request[260];
	json_t *list; /* the part that is being made */
	unsigned part;
	size_t sent, skip; /* skip: so many of those that come are there already */
	long long batch;
	bool complete;
	int64_t shown_ns;
};

static int add(struct submission *s, const char *word, struct error *error)
{
	struct addr address;
	char text[ADDR_TEXT_SIZE];
	if (!addr_parse(word, &address)) {
		int result = route_resolve(word, 4, &address, error);
		if (result < 0)
			return result;
	}
	const char *label = s->command->label ? s->command->label : word;
	json_array_append_new(s->list,
		json_pack("{s:s, s:s, s:s}", "source", s->source, "destination", addr_format(address, text),
			"label", label));
	return 0;
}

/* What is sent in parts has a name, so that it can be gone on with. */
static void name_it(struct submission *s)
{
	if (*s->request)
		return;
	snprintf(s->request, sizeof(s->request), "list-%016llx", (unsigned long long)hash_key_random().k0);
	fprintf(stderr,
		"retour revtr: a long list, sent in parts; if that is cut off, the same command with "
		"--request %s goes on\n",
		s->request);
}

static void show_sent(struct submission *s, bool last)
{
	if (!isatty(STDERR_FILENO) || s->part < 2 ||
		(!last && clock_monotonic_ns() - s->shown_ns < PROGRESS_NS))
		return;
	s->shown_ns = clock_monotonic_ns();
	fprintf(stderr, "\r%zu handed in%s", s->sent, last ? "\n" : " ");
}

/* How far the coordinator is: it may know more of this batch than has been sent now. */
static void note_state(struct submission *s, const json_t *answer)
{
	size_t total = (size_t)json_integer_value(json_object_get(answer, "total"));
	s->batch = json_integer_value(json_object_get(answer, "batch"));
	s->part =
		(unsigned)MAX(json_integer_value(json_object_get(answer, "parts")), (json_int_t)s->part + 1);
	s->complete = !json_is_true(json_object_get(answer, "open"));
	s->skip = total > s->sent ? total - s->sent : 0;
}

static int send_part(struct submission *s, bool more, struct error *error)
{
	json_t *answer = NULL;
	if (more)
		name_it(s);
	json_t *body = json_pack("{s:O, s:b, s:i, s:b, s:s*}", "measurements", s->list, "interactive",
		s->command->interactive, "part", (int)s->part, "more", more, "request",
		*s->request ? s->request : NULL);
	int result = revtr_client_ask(&s->client, "POST", "/api/v2/batches", body, &answer, error);
	if (result == 0) {
		s->sent += json_array_size(s->list);
		note_state(s, answer);
	}
	json_array_clear(s->list);
	json_decref(answer);
	show_sent(s, !more);
	return result;
}

/* One is kept back, so that the last part is known to be the last. */
static int add_and_send(struct submission *s, const char *word, struct error *error)
{
	int result = 0;
	if (s->skip > 0) {
		s->skip--;
		s->sent++;
		return 0;
	}
	if (json_array_size(s->list) == PART)
		result = send_part(s, true, error);
	if (result < 0 || s->complete)
		return result;
	return s->skip > 0 ? add_and_send(s, word, error) : add(s, word, error);
}

static int add_file(struct submission *s, struct error *error)
{
	char line[300];
	bool standard = strcmp(s->command->file, "-") == 0;
	FILE *file = standard ? stdin : fopen(s->command->file, "re");
	int result = 0;
	if (!file)
		return error_set(error, -errno, "cannot open %s: %s", s->command->file, strerror(errno));
	while (result == 0 && !s->complete && fgets(line, sizeof(line), file)) {
		line[strcspn(line, " \t\r\n#")] = '\0';
		if (*line)
			result = add_and_send(s, line, error);
	}
	if (!standard)
		fclose(file);
	return result;
}

static int submit_all(struct submission *s, struct error *error)
{
	struct addr source;
	const struct revtr_command *command = s->command;
	if (!addr_parse(command->arguments[0], &source) &&
		route_resolve(command->arguments[0], 4, &source, error) < 0)
		return error->code;
	addr_format(source, s->source);
	snprintf(s->request, sizeof(s->request), "%.200s", command->request ? command->request : "");
	int result = revtr_client_open(&s->client, command, error);
	for (int i = 1; i < command->argument_count && result == 0 && !s->complete; i++)
		result = add_and_send(s, command->arguments[i], error);
	if (result == 0 && command->file)
		result = add_file(s, error);
	if (result == 0 && !s->complete && json_array_size(s->list) > 0)
		result = send_part(s, false, error);
	if (result == 0 && s->batch == 0)
		result = error_set(error, -EINVAL, "there is nothing to measure: no destination was named");
	return result;
}

/* What became of it, in the coordinator's words. */
static int tell_batch(struct submission *s, struct error *error)
{
	json_t *answer = NULL;
	char path[100];
	snprintf(path, sizeof(path), "/api/v2/batches/%lld", s->batch);
	int result = revtr_client_ask(&s->client, "GET", path, NULL, &answer, error);
	size_t total = (size_t)json_integer_value(json_object_get(answer, "total"));
	if (result == 0 && s->command->wait) {
		json_decref(answer);
		return follow(&s->client, s->batch, total, s->command->json, error);
	}
	if (result == 0 && s->command->json)
		revtr_print_record(answer, true);
	else if (result == 0)
		printf("batch %lld: %zu measurements; `retour revtr watch %lld` shows them as they come\n",
			s->batch, total, s->batch);
	json_decref(answer);
	return result < 0 ? revtr_complain(error) : EXIT_OK;
}

int revtr_submit_run(const struct revtr_command *command)
{
	struct submission s = {.command = command, .list = json_array()};
	struct error error = {0};
	int result = s.list ? submit_all(&s, &error) : error_set(&error, -ENOMEM, "out of memory");
	int status = result < 0 ? revtr_complain(&error) : tell_batch(&s, &error);
	if (result < 0 && s.batch != 0)
		fprintf(stderr,
			"retour revtr: %zu of the list are in batch %lld; the same command with --request %s "
			"goes on from there\n",
			s.sent, s.batch, s.request);
	revtr_client_close(&s.client);
	json_decref(s.list);
	return status;
}

/* ---- one batch */

static bool read_batch(const struct revtr_command *command, long long *batch)
{
	char *end;
	errno = 0;
	*batch = strtoll(command->arguments[0], &end, 10);
	if (errno == 0 && *batch > 0 && *end == '\0')
		return true;
	fputs("retour revtr: expected the number of a batch\n", stderr);
	return false;
}

static int ask_batch(const struct revtr_command *command, const char *method, bool watch)
{
	struct revtr_client client = {0};
	struct error error = {0};
	json_t *answer = NULL;
	char path[100];
	long long batch;
	if (!read_batch(command, &batch))
		return EXIT_USAGE;
	snprintf(path, sizeof(path), "/api/v2/batches/%lld", batch);
	int result = revtr_client_open(&client, command, &error);
	if (result == 0)
		result = revtr_client_ask(&client, method, path, NULL, &answer, &error);
	int status = result < 0 ? revtr_complain(&error) : EXIT_OK;
	size_t total = (size_t)json_integer_value(json_object_get(answer, "total"));
	if (result == 0 && watch) {
		status = follow(&client, batch, total, command->json, &error);
	} else if (result == 0 && command->json) {
		revtr_print_record(answer, true);
	} else if (result == 0) {
		char state[30];
		char reason[200];
		revtr_text_of(answer, "reason", reason, sizeof(reason));
		const json_t *awaited = json_object_get(answer, "awaits");
		char waits[300];
		printf("batch %lld: %s%s%s; %lld of %zu done, %lld cancelled%s%s%s\n", batch,
			revtr_text_of(answer, "state", state, sizeof(state)), *reason ? ": " : "", reason,
			(long long)json_integer_value(json_object_get(answer, "done")), total,
			(long long)json_integer_value(json_object_get(answer, "cancelled")),
			json_is_true(json_object_get(answer, "open")) ? "; more parts are awaited" : "",
			json_is_object(awaited) ? "; waits " : "",
			json_is_object(awaited) ? awaited_text(awaited, waits, sizeof(waits)) : "");
	}
	json_decref(answer);
	revtr_client_close(&client);
	return status;
}

int revtr_watch_run(const struct revtr_command *command)
{
	return ask_batch(command, "GET", true);
}

int revtr_cancel_run(const struct revtr_command *command)
{
	return ask_batch(command, "DELETE", false);
}

/* All that is there, without waiting. */
static int show_pages(struct revtr_client *client, long long batch, const struct revtr_command *command,
	struct error *error)
{
	long long after = 0;
	do {
		char path[100];
		json_t *answer = NULL, *record;
		size_t i;
		snprintf(path, sizeof(path), "/api/v2/batches/%lld/results?after=%lld", batch, after);
		int result = revtr_client_ask(client, "GET", path, NULL, &answer, error);
		if (result < 0)
			return result;
		json_array_foreach(json_object_get(answer, "results"), i, record)
			revtr_print_record(record, command->json);
		after = json_integer_value(json_object_get(answer, "next"));
		json_decref(answer);
	} while (after > 0);
	return 0;
}

int revtr_show_run(const struct revtr_command *command)
{
	struct revtr_client client = {0};
	struct error error = {0};
	long long batch;
	if (!read_batch(command, &batch))
		return EXIT_USAGE;
	if (!command->json) {
		int status = ask_batch(command, "GET", false);
		if (status != EXIT_OK)
			return status;
	}
	int result = revtr_client_open(&client, command, &error);
	if (result == 0)
		result = show_pages(&client, batch, command, &error);
	revtr_client_close(&client);
	return result < 0 ? revtr_complain(&error) : EXIT_OK;
}
