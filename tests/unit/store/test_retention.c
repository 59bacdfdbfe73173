/* What is old goes, a few rows at a time, and nothing else does; its space is used again. The clock is the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"

static char folder[40], file[60];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/retour-retention-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[80];
	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static struct store *opened(const char *name)
{
	struct store *store;
	struct error error = {0};
	snprintf(file, sizeof(file), "%s/%s", folder, name);
	if (store_open(&store, file, &error) < 0)
		fail_msg("%s", error.text);
	return store;
}

#define MANY 40

struct made {
	int64_t batch, first; /* the measurements are numbered from the first on */
	unsigned count;
};

static struct made add(struct store *store, const char *request, unsigned count, int64_t now_ms, bool more)
{
	struct store_measurement list[MANY];
	struct error error = {0};
	struct made made = {.count = count};
	struct store_submission submission = {
		.key = "client", .request = request, .more = more, .now_ms = now_ms};
	for (unsigned i = 0; i < count; i++)
		list[i] = (struct store_measurement){
			.source = 1, .destination = addr_v4(0xcb007100 + i), .label = "test"};
	if (store_add_batch(store, &submission, list, count, &made.batch, &error) < 0)
		fail_msg("%s", error.text);
	made.first = list[0].id;
	return made;
}

static void finish(struct store *store, const struct made *made, unsigned from, unsigned to, int64_t now_ms)
{
	bool ended;
	for (unsigned i = from; i < to; i++)
		assert_int_equal(store_finish(store, made->first + i, "{}", now_ms, &ended, NULL), 0);
}

static struct made ended(struct store *store, const char *request, unsigned count, int64_t now_ms)
{
	struct made made = add(store, request, count, now_ms - 10, false);
	finish(store, &made, 0, count, now_ms);
	return made;
}

static int find(struct store *store, int64_t batch)
{
	struct store_batch found;
	return store_find_batch(store, batch, &found, NULL);
}

static void count_one(void *context, const struct store_measurement *m)
{
	(void)m;
	++*(unsigned *)context;
}

static unsigned rows(struct store *store, int64_t batch)
{
	unsigned count = 0;
	assert_int_equal(store_each_measurement(store, batch, 0, 1000, count_one, &count, NULL), 0);
	return count;
}

static unsigned labelled(struct store *store)
{
	unsigned count = 0;
	assert_int_equal(store_each_labelled_of(store, "client", "test", 0, 0, 1000, count_one, &count, NULL), 0);
	return count;
}

static size_t kept(struct store *store)
{
	size_t count;
	assert_int_equal(store_count_results(store, &count, NULL), 0);
	return count;
}

/* All steps; how many results went. */
static size_t remove_before(struct store *store, int64_t before_ms)
{
	size_t all = 0, results;
	bool more = true;
	while (more) {
		assert_int_equal(store_remove_old(store, before_ms, 10, &results, &more, NULL), 0);
		all += results;
	}
	return all;
}

static void test_only_what_is_old(void **state)
{
	int64_t oldest;
	size_t left;
	(void)state;
	struct store *store = opened("old");
	assert_int_equal(store_oldest_end(store, &oldest, NULL), 0);
	assert_int_equal(oldest, 0);
	struct made old = ended(store, "old", 3, 1000), new = ended(store, "new", 3, 5000);
	struct made under_way = add(store, "under way", 3, 10, false);
	finish(store, &under_way, 0, 2, 20); /* one waits still */
	struct made waiting = add(store, NULL, 3, 10, false);
	struct made open = add(store, "open", 2, 10, true);
	finish(store, &open, 0, 2, 3000); /* and nobody has sent another part */
	struct made cancelled = add(store, "cancelled", 3, 10, false);
	finish(store, &cancelled, 0, 1, 20);
	assert_int_equal(store_cancel_batch(store, cancelled.batch, "no", 10, 4000, &left, NULL), 0);
	assert_int_equal(kept(store), 3 + 3 + 2 + 2 + 1);

	assert_int_equal(remove_before(store, 1000), 0); /* not older than that */
	assert_int_equal(store_oldest_end(store, &oldest, NULL), 0);
	assert_int_equal(oldest, 1000);
	assert_int_equal(remove_before(store, 1001), 3);
	assert_int_equal(find(store, old.batch), -ESTALE);
	assert_int_equal(rows(store, old.batch), 0);
	assert_int_equal(remove_before(store, 3001), 2);
	assert_int_equal(find(store, open.batch), -ESTALE);
	assert_int_equal(find(store, cancelled.batch), 0);
	assert_int_equal(remove_before(store, 4001), 1);
	assert_int_equal(find(store, cancelled.batch), -ESTALE);
	assert_int_equal(rows(store, new.batch), 3);
	assert_int_equal(remove_before(store, INT64_MAX), 3);
	assert_int_equal(find(store, new.batch), -ESTALE);
	/* However old: it is not over. */
	assert_int_equal(rows(store, under_way.batch), 3);
	assert_int_equal(rows(store, waiting.batch), 3);
	assert_int_equal(kept(store), 2);
	finish(store, &under_way, 2, 3, 6000);
	assert_int_equal(remove_before(store, 6000), 0);
	assert_int_equal(remove_before(store, 6001), 3);
	assert_int_equal(find(store, waiting.batch), 0);
	assert_int_equal(find(store, 1000), -ENOENT); /* never was */
	assert_int_equal(find(store, -1), -ENOENT);
	store_close(store);
}

/* Nobody sees a half of it, also when the process ends between two steps. */
static void test_in_steps(void **state)
{
	size_t results;
	bool more;
	struct error error = {0};
	struct store_batch found;
	(void)state;
	struct store *store = opened("steps");
	struct made large = ended(store, "night", 25, 1000), other = ended(store, NULL, 2, 9000);
	assert_int_equal(labelled(store), 27);
	assert_int_equal(store_remove_old(store, 2000, 10, &results, &more, NULL), 0);
	assert_true(more);
	assert_int_equal(results, 25);
	assert_int_equal(rows(store, large.batch), 15);
	assert_int_equal(store_find_batch(store, large.batch, &found, &error), -ESTALE);
	assert_non_null(strstr(error.text, "not kept any more"));
	assert_int_equal(labelled(store), 2);
	assert_int_equal(kept(store), 2);
	store_close(store);

	store = opened("steps");
	assert_int_equal(kept(store), 2);
	/* Its name is free: under it something new is measured, with a number of its own. */
	struct made again = add(store, "night", 1, 9000, false);
	assert_true(again.batch > other.batch);
	assert_int_equal(store_remove_old(store, 2000, 10, &results, &more, NULL), 0);
	assert_true(more);
	assert_int_equal(results, 0); /* they have been told of */
	assert_int_equal(store_remove_old(store, 2000, 10, &results, &more, NULL), 0);
	assert_false(more);
	assert_int_equal(rows(store, large.batch), 0);
	assert_int_equal(find(store, large.batch), -ESTALE);
	assert_int_equal(rows(store, other.batch), 2);
	assert_int_equal(rows(store, again.batch), 1);
	store_close(store);
}

static off_t fill(const char *name, unsigned batches, int64_t now_ms)
{
	static char text[1500];
	struct store *store = opened(name);
	struct stat status;
	bool over;
	memset(text, 'x', sizeof(text) - 1);
	for (unsigned b = 0; b < batches; b++) {
		struct made made = add(store, NULL, MANY, now_ms, false);
		assert_int_equal(store_begin(store, NULL), 0);
		for (unsigned i = 0; i < MANY; i++)
			assert_int_equal(store_finish(store, made.first + i, text, now_ms, &over, NULL), 0);
		assert_int_equal(store_commit(store, NULL), 0);
	}
	store_close(store); /* and what was in the log is in the file */
	assert_int_equal(stat(file, &status), 0);
	return status.st_size;
}

static void test_space_is_used_again(void **state)
{
	(void)state;
	off_t once = fill("space", 20, 1000);
	assert_true(once > 20 * MANY * 1500);
	struct store *store = opened("space");
	assert_int_equal(remove_before(store, 2000), 20 * MANY);
	store_close(store);
	/* A page or two may be cut otherwise. */
	assert_true(fill("space", 20, 3000) <= once + once / 10);
	/* And without removing it would have grown. */
	assert_true(fill("space", 20, 3000) > once + once / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_what_is_old),
		cmocka_unit_test(test_in_steps),
		cmocka_unit_test(test_space_is_used_again),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
