/* What is acknowledged is kept, also when the process dies at once; damaged and foreign files are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

static unsigned waiting_in(struct store *store, int64_t batch)
{
	unsigned count = 0;
	assert_int_equal(store_each_measurement(store, batch, 0, true, 1000, count_and_check, &count, NULL), 0);
	return count;
}

static int64_t add_three(struct store *store, const char *request)
{
	struct store_measurement list[3];
	int64_t batch;
	struct error error = {0};
	for (unsigned i = 0; i < 3; i++)
		list[i] = measurement_to(0xcb007100 + i);
	if (store_add_batch(store, "client", request, 0, list, 3, 1000, &batch, &error) < 0)
		fail_msg("%s", error.text);
	return batch;
}

static void test_batches(void **state)
{
	size_t waiting, total;
	(void)state;
	struct store *store = opened();
	int64_t batch = add_three(store, "one");
	/* The client sends it again, as it did not hear the answer. */
	assert_int_equal(add_three(store, "one"), batch);
	assert_int_not_equal(add_three(store, NULL), batch);
	assert_int_equal(waiting_in(store, batch), 3);
	assert_int_equal(store_count(store, batch, &waiting, &total, NULL), 0);
	assert_int_equal(waiting, 3);
	assert_int_equal(total, 3);
	assert_int_equal(store_count(store, 99, &waiting, &total, NULL), -ENOENT);
	assert_int_equal(store_cancel_batch(store, batch, 2000, NULL), 0);
	assert_int_equal(waiting_in(store, batch), 0);
	store_close(store);
}

static void see_result(void *context, const struct store_measurement *m)
{
	if (m->result)
		snprintf(context, 40, "%s %d", m->result, (int)m->state);
}

/* A result stands: it is not cancelled and not finished again. */
static void test_finished_stays(void **state)
{
	char seen[40] = "";
	(void)state;
	struct store *store = opened();
	int64_t batch = add_three(store, NULL), first = 0;
	assert_int_equal(store_each_measurement(store, batch, 0, true, 1, see_result, seen, NULL), 0);
	struct store_measurement one = measurement_to(1);
	int64_t other;
	assert_int_equal(store_add_batch(store, "client", "single", 0, &one, 1, 1, &other, NULL), 0);
	first = one.id;
	assert_int_equal(store_finish(store, first, STORE_DONE, "{1}", 5, NULL), 0);
	assert_int_equal(store_finish(store, first, STORE_CANCELLED, "{2}", 6, NULL), 0);
	assert_int_equal(store_cancel_batch(store, other, 7, NULL), 0);
	assert_int_equal(store_each_measurement(store, other, 0, false, 10, see_result, seen, NULL), 0);
	assert_string_equal(seen, "{1} 1");
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

static void see_trace(void *context, const uint32_t *addresses, size_t count, int64_t seen_ms)
{
	uint32_t *sum = context;
	assert_int_equal(seen_ms, 2000);
	for (size_t i = 0; i < count; i++)
		*sum += addresses[i];
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
	assert_int_equal(store_add_trace(store, id, (uint32_t[]){1, 2}, 2, "vp1", 1000, NULL), 0);
	assert_int_equal(store_add_trace(store, id, (uint32_t[]){3, 4, 5}, 3, "vp1", 2000, NULL), 0);
	assert_int_equal(store_each_trace(store, id, 1500, see_trace, &sum, NULL), 0);
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
		cmocka_unit_test(test_finished_stays),
		cmocka_unit_test(test_nothing_acknowledged_is_lost),
		cmocka_unit_test(test_only_one_has_it),
		cmocka_unit_test(test_what_is_not_ours),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_sources_atlas_survey_budget),
		cmocka_unit_test(test_keys),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
