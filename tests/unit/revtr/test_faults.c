/* What goes wrong around a coordinator: clocks that are set, a full disk, a source that moves or does not consent any
 * more, a store that is damaged while it is used. See lab.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lab.h"

#define HOUR_S 3600

/* Somebody sets the clock of the day: this stands before the C library's. */
static time_t stepped_s;

int clock_gettime(clockid_t id, struct timespec *now)
{
	long result = syscall(SYS_clock_gettime, id, now);
	if (id == CLOCK_REALTIME)
		now->tv_sec += stepped_s;
	return (int)result;
}

static void turns(struct lab *lab, int count)
{
	while (count-- > 0)
		turn(lab);
}

static struct store_batch state_of(const struct lab *lab, int64_t batch)
{
	struct store_batch found;
	assert_int_equal(store_find_batch(lab->store, batch, &found, NULL), 0);
	return found;
}

static struct coordinator_listener *begin(struct lab *lab, int64_t *batch)
{
	struct error error = {0};
	lab->last = false;
	lab->told = 0;
	if (submit(lab, lab->source, lab->target, NULL, batch, &error) < 0)
		fail_msg("%s", error.text);
	return coordinator_listen(lab->coordinator, *batch, on_told, lab);
}

static void assert_ages_are_sane(const struct lab *lab, double most_s)
{
	struct path *path = revtr_result_path(lab->result, strlen(lab->result));
	assert_non_null(path);
	for (size_t i = 0; i < path->hop_count; i++)
		assert_true(path->hops[i].age_s >= 0 && path->hops[i].age_s < most_s);
	path_free(path);
}

/* An hour forward and two back while it is measured, and after a restart: nothing expires by that, and nothing is of the
 * future. */
static void test_the_clock_is_set(void **state)
{
	static const time_t steps[] = {HOUR_S, -HOUR_S, 0};
	struct lab lab;
	int64_t batch;
	(void)state;
	stepped_s = 0;
	lab_init(&lab, true);
	turns(&lab, 50);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct coordinator_listener *listener = begin(&lab, &batch);
		turn(&lab);
		stepped_s = steps[i];
		wait_for_result(&lab);
		assert_int_equal(lab.told, 1);
		assert_true_way(&lab);
		/* What an earlier run left is as old as the clock of the day says: there is no other. */
		assert_ages_are_sane(&lab, i == 0 ? 600 : 600 + HOUR_S);
		coordinator_unlisten(listener);
		struct coordinator_health health = coordinator_health(lab.coordinator);
		assert_int_equal(health.agents_online, AGENTS);
		assert_true(clock_monotonic_ns() - health.last_finished_ns < PATIENCE_NS);
		stop(&lab);
		start(&lab);
		all_online(&lab, true);
		turns(&lab, 20);
	}
	lab_deinit(&lab);
}

static void one_a_day(struct coordinator_options *options)
{
	options->per_network = 1;
}

static void count_network(void *context, const struct coordinator_network *network)
{
	(void)network;
	++*(unsigned *)context;
}

static unsigned networks_that_are_spent(struct lab *lab)
{
	unsigned count = 0;
	coordinator_each_network(lab->coordinator, count_network, &count);
	return count;
}

/* The clock goes to the next day and comes back: what was spent on this one is not given back. */
static void test_days_keep_what_was_spent(void **state)
{
	struct lab lab;
	int64_t batch;
	(void)state;
	stepped_s = 0;
	adjust = one_a_day;
	lab_init(&lab, true);
	struct coordinator_listener *listener = begin(&lab, &batch);
	wait_for_result(&lab);
	coordinator_unlisten(listener);
	unsigned spent = networks_that_are_spent(&lab);
	assert_true(spent > 0);
	stepped_s = 24 * HOUR_S;
	assert_int_equal(networks_that_are_spent(&lab), 0);
	stepped_s = 0;
	assert_int_equal(networks_that_are_spent(&lab), spent);
	adjust = NULL;
	lab_deinit(&lab);
}

/* ---- sources */

static void tell_status(struct lab *lab, const char *agent, bool online)
{
	struct agent_status status = {.online = online, .address = lab->source};
	say(lab, agent, "status", status_to_json(&status));
}

/* Its agent has another name from now on, in the middle of a measurement: the new one is asked. */
static void test_the_source_moves(void **state)
{
	struct lab lab;
	struct store_source source;
	int64_t batch;
	(void)state;
	stepped_s = 0;
	lab_init(&lab, true);
	lab.mute = true;
	struct coordinator_listener *listener = begin(&lab, &batch);
	turns(&lab, 3);
	assert_true(lab.orders > 0);
	lab.home = "elsewhere";
	lab.own_orders = 0;
	source = (struct store_source){.address = lab.source, .name = "home", .agent = "elsewhere", .key = {4}, .consents = true};
	assert_int_equal(store_put_source(lab.store, &source, NULL), 0);
	assert_int_equal(coordinator_add_source(lab.coordinator, &source), 0);
	tell_status(&lab, "client", false);
	tell_status(&lab, "elsewhere", true);
	lab.mute = false;
	wait_for_result(&lab);
	assert_int_equal(lab.told, 1);
	assert_true_way(&lab);
	assert_true(lab.own_orders > 0); /* the new one, that has had none before, is asked itself, too */
	coordinator_unlisten(listener);
	lab_deinit(&lab);
}

/* No packet more in its name, and the batch says why it ended. */
static void test_the_owner_withdraws(void **state)
{
	struct lab lab;
	struct coordinator_ask asks[300];
	struct coordinator_batch wanted = {.key = "campaign"};
	struct error error = {0};
	struct store_source source;
	int64_t batch;
	(void)state;
	stepped_s = 0;
	lab_init(&lab, true);
	for (uint32_t i = 0; i < ARRAY_LEN(asks); i++)
		asks[i] = (struct coordinator_ask){lab.source, addr_v4(0x10000007 + i * 256), NULL};
	assert_int_equal(coordinator_submit(lab.coordinator, &wanted, asks, ARRAY_LEN(asks), &batch, &error), 0);
	struct coordinator_listener *listener = coordinator_listen(lab.coordinator, batch, on_told, &lab);
	turns(&lab, 100);
	assert_true(lab.campaign_orders > 0);
	source = (struct store_source){.address = lab.source, .name = "home", .agent = "client", .key = {3}};
	assert_int_equal(store_put_source(lab.store, &source, NULL), 0);
	assert_true(coordinator_health(lab.coordinator).busy > 0);
	assert_int_equal(coordinator_add_source(lab.coordinator, &source), 0);
	assert_int_equal(coordinator_health(lab.coordinator).busy, 0);
	turns(&lab, 2); /* what was on its way */
	unsigned before = lab.orders;
	wait_for_result(&lab);
	struct store_batch found = state_of(&lab, batch);
	assert_int_equal(found.waiting, 0);
	assert_true(found.cancelled > 200);
	assert_non_null(strstr(found.reason, "does not consent"));
	turns(&lab, 300);
	assert_int_equal(lab.orders, before);
	assert_int_equal(coordinator_health(lab.coordinator).busy, 0);
	coordinator_unlisten(listener);
	lab_deinit(&lab);
}

/* ---- the disk */

/* A small disk of this process's own instead of /tmp. */
static bool small_disk(void)
{
	if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return false;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && mount("tmpfs", "/tmp", "tmpfs", 0, "size=4m") == 0;
}

static void fill_disk(void)
{
	static const char noise[4096];
	int fd = open("/tmp/filler", O_WRONLY | O_CREAT | O_APPEND, 0600);
	assert_true(fd >= 0);
	while (write(fd, noise, sizeof(noise)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

static char said[2][200];
static size_t said_count;

static void note_said(const char *text)
{
	if (strstr(text, "store") || strstr(text, "kept"))
		snprintf(said[said_count++ % 2], sizeof(said[0]), "%s", text);
}

static void listen_to_it(struct coordinator_options *options)
{
	options->tell = note_said;
}

/* What ends meanwhile is kept here and told as soon as there is room; nothing new is taken, with a clear word. */
static void test_the_disk_is_full(void **state)
{
	struct lab lab;
	struct error error = {0};
	int64_t batch, other;
	(void)state;
	stepped_s = 0;
	if (!small_disk()) {
		print_message("no right to mount a small disk\n");
		skip();
	}
	adjust = listen_to_it;
	lab_init(&lab, true);
	lab.mute = true;
	struct coordinator_listener *listener = begin(&lab, &batch);
	turn(&lab);
	fill_disk();
	assert_int_equal(submit(&lab, lab.source, lab.target, "more", &other, &error), -ENOSPC);
	assert_non_null(strstr(error.text, "the disk is full"));
	lab.mute = false;
	int64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
	while (!(coordinator_health(lab.coordinator).busy == 0 && coordinator_health(lab.coordinator).store_failed) &&
		clock_monotonic_ns() < until_ns)
		turn(&lab);
	turns(&lab, 50);
	assert_int_equal(lab.told, 0);
	assert_int_equal(state_of(&lab, batch).waiting, 1);
	assert_int_equal(unlink("/tmp/filler"), 0);
	wait_for_result(&lab);
	assert_int_equal(lab.told, 1);
	assert_int_equal(state_of(&lab, batch).done, 1);
	assert_false(coordinator_health(lab.coordinator).store_failed);
	assert_int_equal(submit(&lab, lab.source, lab.target, "more", &other, &error), 0);
	/* Once each, however often it was tried. */
	assert_int_equal(said_count, 2);
	assert_non_null(strstr(said[0], "the disk is full"));
	assert_non_null(strstr(said[1], "again"));
	adjust = NULL;
	coordinator_unlisten(listener);
	lab_deinit(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_clock_is_set),
		cmocka_unit_test(test_days_keep_what_was_spent),
		cmocka_unit_test(test_the_source_moves),
		cmocka_unit_test(test_the_owner_withdraws),
		cmocka_unit_test(test_the_disk_is_full), /* the last: /tmp is another one then */
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
