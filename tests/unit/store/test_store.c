/* What is acknowledged is kept, also when the process dies at once; damaged and foreign files are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/store.h"

static char folder[40], file[60];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/retour-store-XXXXXX");
	return mkdtemp(folder) ? snprintf(file, sizeof(file), "%s/store", folder) < 0 : -1;
}

static int remove_folder(void **state)
{
	char command[80];
	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static struct store *opened(void)
{
	struct store *store;
	struct error error = {0};
	if (store_open(&store, file, &error) < 0)
		fail_msg("%s", error.text);
	return store;
}

static struct store_measurement measurement_to(uint32_t address)
{
	return (struct store_measurement){.source = 1, .destination = addr_v4(address), .label = "test"};
}

static void count_and_check(void *context, const struct store_measurement *m)
{
	unsigned *count = context;
	assert_string_equal(m->label, "test");
	assert_int_equal(m->destination.low, 0xcb007100 + *count);
	(*count)++;
}

static void count_and_check_waiting(void *context, const struct store_measurement *m)
{
	if (m->state == STORE_WAITING)
		count_and_check(context, m);
}

static unsigned waiting_in(struct store *store, int64_t batch)
{
	unsigned count = 0;
	struct store_batch found;
	assert_int_equal(store_each_measurement(store, batch, 0, 1000, count_and_check_waiting, &count, NULL), 0);
	assert_int_equal(store_find_batch(store, batch, &found, NULL), 0);
	assert_int_equal(found.waiting, count);
	return count;
}

static int64_t add_three(struct store *store, const char *request)
{
	struct store_measurement list[3];
	int64_t batch;
	struct error error = {0};
	for (unsigned i = 0; i < 3; i++)
		list[i] = measurement_to(0xcb007100 + i);
	struct store_submission submission = {.key = "client", .request = request, .now_ms = 1000};
	if (store_add_batch(store, &submission, list, 3, &batch, &error) < 0)
		fail_msg("%s", error.text);
	return batch;
}

static void test_batches(void **state)
{
	struct store_batch found;
	size_t left, count;
	(void)state;
	struct store *store = opened();
	int64_t batch = add_three(store, "one");
	/* The client sends it again, as it did not hear the answer. */
	assert_int_equal(add_three(store, "one"), batch);
	assert_int_not_equal(add_three(store, NULL), batch);
	assert_int_equal(waiting_in(store, batch), 3);
	assert_int_equal(store_waiting_of(store, "client", &count, NULL), 0);
	assert_int_equal(count, 6);
	assert_int_equal(store_find_batch(store, 99, &found, NULL), -ENOENT);
	/* A few at a time. */
	assert_int_equal(store_cancel_batch(store, batch, "nobody wants it", 2, 2000, &left, NULL), 0);
	assert_int_equal(left, 1);
	assert_int_equal(store_cancel_batch(store, batch, "nobody wants it", 2, 2000, &left, NULL), 0);
	assert_int_equal(left, 0);
	assert_int_equal(store_cancel_batch(store, batch, "once more", 2, 2000, &left, NULL), 0);
	assert_int_equal(store_find_batch(store, batch, &found, NULL), 0);
	assert_int_equal(found.cancelled, 3);
	assert_string_equal(found.reason, "nobody wants it");
	assert_int_equal(waiting_in(store, batch), 0);
	assert_int_equal(store_cancel_batch(store, 99, "", 2, 2000, &left, NULL), -ENOENT);
	store_close(store);
}

static int add_part(struct store *store, unsigned part, bool more, int64_t *id, int64_t *batch, struct error *error)
{
	struct store_measurement one = measurement_to(part);
	struct store_submission submission = {.key = "parts", .request = "large", .part = part, .more = more, .now_ms = 5};
	int result = store_add_batch(store, &submission, &one, 1, batch, error);
	*id = one.id;
	return result;
}

static void test_parts(void **state)
{
	struct store_batch found;
	struct error error = {0};
	int64_t batch, same, id, again;
	(void)state;
	struct store *store = opened();
	assert_int_equal(add_part(store, 1, true, &id, &batch, &error), -EINVAL);
	assert_int_equal(add_part(store, 0, true, &id, &batch, &error), 0);
	assert_int_equal(add_part(store, 1, true, &id, &same, &error), 0);
	assert_int_equal(same, batch);
	/* Once more, as nobody heard that it was taken: nothing is added, and it says so. */
	assert_int_equal(add_part(store, 1, true, &again, &same, &error), 0);
	assert_int_equal(again, 0);
	assert_int_equal(add_part(store, 5, true, &again, &same, &error), -EINVAL);
	assert_non_null(strstr(error.text, "the next is part 2"));
	assert_int_equal(store_find_batch(store, batch, &found, NULL), 0);
	assert_true(found.open);
	assert_int_equal(found.parts, 2);
	assert_int_equal(found.waiting, 2);
	assert_int_equal(add_part(store, 2, false, &id, &same, &error), 0);
	assert_int_equal(store_find_batch(store, batch, &found, NULL), 0);
	assert_false(found.open);
	assert_int_equal(found.waiting, 3);
	assert_int_equal(add_part(store, 3, false, &id, &same, &error), -EINVAL);
	assert_non_null(strstr(error.text, "complete"));
	store_close(store);
}

struct seen {
	int64_t ids[8];
	unsigned count;
	char text[80];
};

static void see(void *context, const struct store_measurement *m)
{
	struct seen *seen = context;
	seen->ids[seen->count++ % 8] = m->id;
	if (m->result)
		snprintf(seen->text, sizeof(seen->text), "%s %d", m->result, (int)m->state);
}

static void see_lane(void *context, const struct store_lane *lane)
{
	if (strcmp(lane->key, "order") == 0)
		*(int64_t *)context = lane->id;
}

/* Results have the order in which they came, and what waits the order in which it was handed in. */
static void test_order(void **state)
{
	struct store_measurement list[3] = {measurement_to(1), measurement_to(2), measurement_to(3)};
	struct store_submission submission = {.key = "order", .now_ms = 5};
	struct seen results = {0}, rest = {0}, waiting = {0};
	int64_t batch, lane = 0;
	bool ended = true;
	(void)state;
	struct store *store = opened();
	assert_int_equal(store_add_batch(store, &submission, list, 3, &batch, NULL), 0);
	assert_int_equal(store_each_lane(store, see_lane, &lane, NULL), 0);
	assert_int_equal(store_finish(store, list[2].id, "{3}", 6, &ended, NULL), 0);
	assert_false(ended);
	assert_int_equal(store_each_waiting(store, lane, 0, 8, see, &waiting, NULL), 0);
	assert_int_equal(waiting.count, 2);
	assert_int_equal(waiting.ids[0], list[0].id);
	assert_int_equal(store_finish(store, list[0].id, "{1}", 7, &ended, NULL), 0);
	assert_false(ended);
	assert_int_equal(store_each_result(store, batch, 0, 8, see, &results, NULL), 0);
	assert_int_equal(results.count, 2);
	assert_int_equal(results.ids[0], list[2].id);
	assert_int_equal(results.ids[1], list[0].id);
	assert_int_equal(store_each_result(store, batch, 1, 8, see, &rest, NULL), 0);
	assert_int_equal(rest.count, 1);
	assert_int_equal(store_give_up(store, list[1].id, "no more", 8, &ended, NULL), 0);
	assert_true(ended);
	store_close(store);
}

/* Two batches of one client and one of another, "x" second in each. */
static void test_labels(void **state)
{
	static const char *const keys[] = {"mine", "others", "mine"};
	int64_t batches[3], ids[3];
	struct seen all = {0}, own = {0}, rest = {0}, one = {0}, none = {0};
	struct store *store = opened();
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct store_measurement list[3] = {measurement_to(1), measurement_to(2), measurement_to(3)};
		snprintf(list[1].label, sizeof(list[1].label), "x");
		assert_int_equal(store_add_batch(
			store, &(struct store_submission){.key = keys[i], .now_ms = 5}, list, 3, &batches[i], NULL), 0);
		ids[i] = list[1].id;
	}
	assert_int_equal(store_each_labelled_of(store, NULL, "x", 0, 0, 8, see, &all, NULL), 0);
	assert_int_equal(all.count, 3);
	assert_memory_equal(all.ids, ids, sizeof(ids));
	assert_int_equal(store_each_labelled_of(store, "mine", "x", 0, 0, 8, see, &own, NULL), 0);
	assert_int_equal(own.count, 2);
	assert_int_equal(own.ids[1], ids[2]);
	assert_int_equal(store_each_labelled_of(store, "mine", "x", batches[0], ids[0], 8, see, &rest, NULL), 0);
	assert_int_equal(rest.count, 1);
	assert_int_equal(rest.ids[0], ids[2]);
	assert_int_equal(store_each_labelled(store, batches[1], "x", 0, 8, see, &one, NULL), 0);
	assert_int_equal(one.count, 1);
	assert_int_equal(one.ids[0], ids[1]);
	assert_int_equal(store_each_labelled(store, batches[1], "x", ids[1], 8, see, &none, NULL), 0);
	assert_int_equal(store_each_labelled_of(store, "nobody", "x", 0, 0, 8, see, &none, NULL), 0);
	assert_int_equal(none.count, 0);
	store_close(store);
}

struct nested {
	struct store *store;
	int64_t batch;
	unsigned inside;
};

static void count_inside(void *context, const struct store_measurement *m)
{
	(void)m;
	++*(unsigned *)context;
}

static void see_nested(void *context, const struct store_measurement *m)
{
	struct nested *nested = context;
	(void)m;
	assert_int_equal(store_each_result(nested->store, nested->batch, 0, 8, count_inside, &nested->inside, NULL), 0);
}

/* The same question while it is being answered. */
static void test_within_itself(void **state)
{
	struct store_measurement list[3] = {measurement_to(1), measurement_to(2), measurement_to(3)};
	struct store_submission submission = {.key = "nested", .now_ms = 5};
	struct nested nested = {.store = opened()};
	bool ended;
	(void)state;
	assert_int_equal(store_add_batch(nested.store, &submission, list, 3, &nested.batch, NULL), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(store_finish(nested.store, list[i].id, "{}", 6, &ended, NULL), 0);
	for (int round = 1; round <= 2; round++) {
		assert_int_equal(store_each_result(nested.store, nested.batch, 0, 8, see_nested, &nested, NULL), 0);
		assert_int_equal(nested.inside, 9 * round);
	}
	store_close(nested.store);
}

/* A result stands: it is not cancelled and not finished again. */
static void test_finished_stays(void **state)
{
	struct seen seen = {0};
	struct store_measurement one = measurement_to(1);
	struct store_submission submission = {.key = "client", .request = "single", .priority = 1, .now_ms = 1};
	struct error error;
	int64_t other;
	size_t left;
	bool ended = false;
	(void)state;
	struct store *store = opened();
	assert_int_equal(store_add_batch(store, &submission, &one, 1, &other, NULL), 0);
	assert_int_equal(store_finish(store, one.id, "{1}", 5, &ended, NULL), 0);
	assert_true(ended);
	assert_int_equal(store_finish(store, one.id, "{2}", 6, &ended, &error), -ENOENT);
	assert_int_equal(store_give_up(store, one.id, "late", 6, &ended, &error), -ENOENT);
	assert_int_equal(store_cancel_batch(store, other, "late", 100, 7, &left, NULL), 0);
	assert_int_equal(store_each_measurement(store, other, 0, 10, see, &seen, NULL), 0);
	assert_string_equal(seen.text, "{1} 1");
	store_close(store);
}

/* All of it is there, or nothing. */
static void test_together(void **state)
{
	int64_t spent;
	(void)state;
	struct store *store = opened();
	assert_int_equal(store_begin(store, NULL), 0);
	assert_int_equal(store_spend(store, "together", 1, 5, &spent, NULL), 0);
	store_undo(store);
	assert_int_equal(store_begin(store, NULL), 0);
	assert_int_equal(store_spend(store, "together", 1, 2, &spent, NULL), 0);
	assert_int_equal(store_commit(store, NULL), 0);
	store_close(store);
	store = opened();
	assert_int_equal(store_spend(store, "together", 1, 0, &spent, NULL), 0);
	assert_int_equal(spent, 2);
	store_close(store);
}

/* A file of the first version, as it was written then. */
static const char version_1[] =
	"PRAGMA application_id = 1920235120; PRAGMA user_version = 1;"
	"CREATE TABLE source (id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE, name TEXT NOT NULL, agent TEXT NOT NULL,"
	" key BLOB NOT NULL, consents INTEGER NOT NULL, registered_ms INTEGER NOT NULL);"
	"CREATE TABLE batch (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, request TEXT, priority INTEGER NOT NULL,"
	" submitted_ms INTEGER NOT NULL, UNIQUE (key, request));"
	"CREATE TABLE measurement (id INTEGER PRIMARY KEY AUTOINCREMENT, batch INTEGER NOT NULL REFERENCES batch,"
	" source INTEGER NOT NULL, destination TEXT NOT NULL, label TEXT NOT NULL, state INTEGER NOT NULL, result TEXT,"
	" submitted_ms INTEGER NOT NULL, finished_ms INTEGER);"
	"CREATE INDEX measurement_batch ON measurement (batch, id);"
	"CREATE INDEX measurement_waiting ON measurement (id) WHERE state = 0;"
	"CREATE TABLE spent (what TEXT NOT NULL, day INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (what, day))"
	" WITHOUT ROWID;"
	"CREATE TABLE trace (id INTEGER PRIMARY KEY, source INTEGER NOT NULL, addresses BLOB NOT NULL, origin TEXT NOT NULL,"
	" seen_ms INTEGER NOT NULL);"
	"INSERT INTO trace (source, addresses, origin, seen_ms) VALUES (1, x'0100000002000000', 'vp1', 20),"
	" (1, x'03000000', 'vp1', 10);"
	"INSERT INTO batch (id, key, request, priority, submitted_ms) VALUES (1, 'order', 'old', 0, 5), (2, 'order', 'ended', 0, 5);"
	"INSERT INTO measurement (id, batch, source, destination, label, state, result, submitted_ms) VALUES"
	" (1, 1, 1, '192.0.2.1', 'a', 2, NULL, 5), (2, 1, 1, '192.0.2.2', 'b', 1, '{2}', 5),"
	" (3, 1, 1, '192.0.2.3', 'c', 0, NULL, 5), (4, 1, 1, '192.0.2.4', 'd', 1, '{4}', 5), (5, 2, 1, '192.0.2.5', 'e', 1, '{5}', 5);";

static void copy_trace(void *context, const struct store_trace *trace)
{
	*(struct store_trace *)context = *trace;
}

static void make_version_1(const char *name)
{
	int (*open_file)(const char *, void **), (*exec)(void *, const char *, void *, void *, void *), (*close_file)(void *);
	void *db, *library = dlopen("libsqlite3.so.0", RTLD_NOW);
	assert_non_null(library);
	*(void **)&open_file = dlsym(library, "sqlite3_open");
	*(void **)&exec = dlsym(library, "sqlite3_exec");
	*(void **)&close_file = dlsym(library, "sqlite3_close");
	assert_int_equal(open_file(name, &db), 0);
	assert_int_equal(exec(db, version_1, NULL, NULL, NULL), 0);
	assert_int_equal(close_file(db), 0);
	dlclose(library);
}

static void test_upgrade(void **state)
{
	char name[80];
	struct store *store;
	struct error error = {0};
	struct store_batch found;
	struct seen results = {0}, waiting = {0};
	struct store_trace trace = {0};
	int64_t lane = 0;
	bool ended = false, more;
	size_t removed;
	(void)state;
	snprintf(name, sizeof(name), "%s/old", folder);
	make_version_1(name);
	for (int round = 0; round < 2; round++) { /* the second time it is of this version */
		if (store_open(&store, name, &error) < 0)
			fail_msg("%s", error.text);
		assert_int_equal(store_find_batch(store, 1, &found, NULL), 0);
		assert_int_equal(found.waiting, 1);
		assert_int_equal(found.done, 2);
		assert_int_equal(found.cancelled, 1);
		assert_int_equal(found.parts, 1);
		assert_false(found.open);
		store_close(store);
	}
	assert_int_equal(store_open(&store, name, &error), 0);
	assert_int_equal(store_each_trace(store, 1, 0, copy_trace, &trace, NULL), 0);
	assert_int_equal(trace.count, 2);
	assert_int_equal(trace.seen_ms, 20);
	assert_int_equal(store_each_lane(store, see_lane, &lane, NULL), 0);
	assert_int_equal(store_each_waiting(store, lane, 0, 8, see, &waiting, NULL), 0);
	assert_int_equal(waiting.count, 1);
	assert_int_equal(waiting.ids[0], 3);
	assert_int_equal(store_finish(store, 3, "{3}", time(NULL) * 1000, &ended, NULL), 0);
	assert_true(ended);
	assert_int_equal(store_each_result(store, 1, 0, 8, see, &results, NULL), 0);
	assert_int_equal(results.count, 3);
	assert_int_equal(results.ids[2], 3);
	/* Whoever kept them had no reason to think that they would go: their time begins with the upgrade. */
	assert_int_equal(store_remove_old(store, (time(NULL) - 3600) * 1000, 10, &removed, &more, NULL), 0);
	assert_int_equal(removed, 0);
	assert_int_equal(store_find_batch(store, 2, &found, NULL), 0);
	assert_int_equal(store_remove_old(store, INT64_MAX, 10, &removed, &more, NULL), 0);
	assert_int_equal(store_find_batch(store, 2, &found, NULL), -ESTALE);
	store_close(store);
}

/* Killed right after the acknowledgement. */
static void test_nothing_acknowledged_is_lost(void **state)
{
	int told[2], status;
	int64_t batch = 0;
	(void)state;
	assert_int_equal(pipe(told), 0);
	pid_t child = fork();
	if (child == 0) {
		struct store *store = opened();
		batch = add_three(store, "killed");
		if (write(told[1], &batch, sizeof(batch)) == sizeof(batch))
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(read(told[0], &batch, sizeof(batch)), sizeof(batch));
	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status));
	struct store *store = opened();
	assert_int_equal(waiting_in(store, batch), 3);
	store_close(store);
	close(told[0]);
	close(told[1]);
}

static void test_only_one_has_it(void **state)
{
	struct store *second;
	struct error error = {0};
	(void)state;
	struct store *store = opened();
	assert_int_equal(store_open(&second, file, &error), -EBUSY);
	assert_non_null(strstr(error.text, "another coordinator"));
	store_close(store);
	store_close(opened());
}

static void write_file(const char *name, const void *bytes, size_t length)
{
	FILE *out = fopen(name, "w");
	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, length, out), length);
	fclose(out);
}

/* Refused, and not touched. */
static void test_what_is_not_ours(void **state)
{
	static const char text[] = "this is no database, but somebody's letter, long enough to look like something\n"
				   "this is no database, but somebody's letter, long enough to look like something\n";
	char name[80], again[sizeof(text)];
	struct store *store;
	struct error error = {0};
	(void)state;
	snprintf(name, sizeof(name), "%s/letter", folder);
	write_file(name, text, sizeof(text));
	assert_int_equal(store_open(&store, name, &error), -EBADMSG);
	FILE *in = fopen(name, "r");
	assert_non_null(in);
	assert_int_equal(fread(again, 1, sizeof(again), in), sizeof(again));
	fclose(in);
	assert_memory_equal(again, text, sizeof(text));
}

static void test_damaged(void **state)
{
	char name[80];
	struct store *store;
	struct error error = {0};
	struct stat stat_of;
	(void)state;
	snprintf(name, sizeof(name), "%s/damaged", folder);
	assert_int_equal(store_open(&store, name, &error), 0);
	for (unsigned i = 0; i < 50; i++)
		(void)add_three(store, NULL);
	store_close(store);
	assert_int_equal(stat(name, &stat_of), 0);
	int fd = open(name, O_RDWR);
	char noise[8192];
	memset(noise, 0xa5, sizeof(noise));
	assert_int_equal(pwrite(fd, noise, sizeof(noise), 4096), sizeof(noise));
	close(fd);
	assert_int_equal(store_open(&store, name, &error), -EBADMSG);
	assert_non_null(strstr(error.text, "damaged"));
}

static void see_source(void *context, const struct store_source *source)
{
	memcpy(context, source, sizeof(*source));
}

static void see_trace(void *context, const struct store_trace *trace)
{
	uint32_t *sum = context;
	assert_int_equal(trace->seen_ms, 2000);
	for (size_t i = 0; i < trace->count; i++)
		*sum += trace->addresses[i];
}

static void see_view(void *context, struct prefix prefix, const char *agent, unsigned distance, uint32_t ingress)
{
	assert_int_equal(prefix.length, 24);
	assert_string_equal(agent, "vp1");
	assert_int_equal(distance, 5);
	*(uint32_t *)context = ingress;
}

static void test_sources_atlas_survey_budget(void **state)
{
	struct store_source source = {.address = addr_v4(0xcb007101), .name = "home", .agent = "vp0", .key = {7},
		.consents = true, .registered_ms = 3}, seen = {0};
	uint32_t sum = 0, ingress = 0;
	int64_t spent, id;
	(void)state;
	struct store *store = opened();
	assert_int_equal(store_put_source(store, &source, NULL), 0);
	id = source.id;
	source.consents = false;
	assert_int_equal(store_put_source(store, &source, NULL), 0);
	assert_int_equal(source.id, id);
	assert_int_equal(store_each_source(store, see_source, &seen, NULL), 0);
	assert_int_equal(seen.id, id);
	assert_false(seen.consents);
	assert_int_equal(seen.key[0], 7);
	/* Of one origin the newest stays; of others what is young enough is told. */
	struct store_trace traces[] = {{.origin = "vp1", .addresses = {1, 2}, .count = 2, .seen_ms = 1700},
		{.origin = "vp2", .addresses = {7}, .count = 1, .seen_ms = 1000, .imported = true},
		{.origin = "vp1", .addresses = {3, 4, 5}, .count = 3, .seen_ms = 2000}}, trace = {0};
	assert_int_equal(store_put_traces(store, id, traces, 3, NULL), 0);
	assert_int_equal(store_each_trace(store, id, 1500, see_trace, &sum, NULL), 0);
	assert_int_equal(sum, 12);
	traces[2].uses = 4;
	traces[2].saved = 17;
	traces[2].used_ms = 2500;
	assert_int_equal(store_note_uses(store, &traces[2], 1, NULL), 0);
	assert_int_equal(store_each_trace(store, id, 1500, copy_trace, &trace, NULL), 0);
	assert_string_equal(trace.origin, "vp1");
	assert_int_equal(trace.uses, 4);
	assert_int_equal(trace.saved, 17);
	assert_int_equal(trace.used_ms, 2500);
	assert_false(trace.imported);
	assert_int_equal(store_drop_traces(store, id, 1000, NULL), 0);
	sum = 0;
	assert_int_equal(store_each_trace(store, id, 0, see_trace, &sum, NULL), 0);
	assert_int_equal(sum, 12);
	struct prefix prefix = prefix_of(addr_v4(0xcb007100), 24);
	assert_int_equal(store_add_view(store, prefix, "vp1", 7, 1, 1, NULL), 0);
	assert_int_equal(store_add_view(store, prefix, "vp1", 5, 9, 2, NULL), 0);
	assert_int_equal(store_each_view(store, see_view, &ingress, NULL), 0);
	assert_int_equal(ingress, 9);
	assert_int_equal(store_spend(store, "AS64500", 20000, 5, &spent, NULL), 0);
	assert_int_equal(store_spend(store, "AS64500", 20000, 6, &spent, NULL), 0);
	assert_int_equal(spent, 11);
	assert_int_equal(store_spend(store, "AS64500", 20001, 6, &spent, NULL), 0);
	assert_int_equal(spent, 6);
	assert_int_equal(store_forget_spent(store, 20001, NULL), 0);
	assert_int_equal(store_spend(store, "AS64500", 20000, 0, &spent, NULL), 0);
	assert_int_equal(spent, 0);
	store_close(store);
}

static void see_alias(void *context, int64_t router, uint32_t address)
{
	int64_t *routers = context;
	routers[address] = router;
}

/* The newest word on an address stands. */
static void test_aliases(void **state)
{
	int64_t routers[6] = {0};
	(void)state;
	struct store *store = opened();
	assert_int_equal(store_add_aliases(store, (uint32_t[]){1, 2, 3, 4}, (unsigned[]){2, 2}, 2, NULL), 0);
	assert_int_equal(store_add_aliases(store, (uint32_t[]){2, 5}, (unsigned[]){2}, 1, NULL), 0);
	store_close(store);
	store = opened();
	assert_int_equal(store_each_alias(store, see_alias, routers, NULL), 0);
	assert_int_equal(routers[3], routers[4]);
	assert_int_equal(routers[2], routers[5]);
	assert_true(routers[1] != 0 && routers[1] != routers[2] && routers[1] != routers[3] && routers[2] != routers[3]);
	store_close(store);
}

static void test_keys(void **state)
{
	struct store_key key = {.name = "me", .hash = {1, 2, 3}, .per_day = 100, .parallel = 5}, found;
	uint8_t other[32] = {9};
	struct error error = {0};
	(void)state;
	struct store *store = opened();
	assert_int_equal(store_put_key(store, &key, NULL), 0);
	assert_int_equal(store_find_key(store, key.hash, &found, &error), 0);
	assert_string_equal(found.name, "me");
	assert_int_equal(found.per_day, 100);
	assert_int_equal(store_find_key(store, other, &found, &error), -ENOENT);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_within_itself),
		cmocka_unit_test(test_finished_stays),
		cmocka_unit_test(test_together),
		cmocka_unit_test(test_upgrade),
		cmocka_unit_test(test_nothing_acknowledged_is_lost),
		cmocka_unit_test(test_only_one_has_it),
		cmocka_unit_test(test_what_is_not_ours),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_sources_atlas_survey_budget),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_keys),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
