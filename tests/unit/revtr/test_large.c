/* Many that wait: who overtakes whom, what a network may be asked in a day, and neighbours. See lab.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "lab.h"

#define MANY  20000 /* RETOUR_TEST_WAITING names another number */
#define FIRST 0x10000007u

static size_t how_many(void)
{
	const char *text = getenv("RETOUR_TEST_WAITING");
	return text ? strtoul(text, NULL, 10) : MANY;
}

/* Nobody answers there. */
static int64_t campaign(struct lab *lab, const char *key, uint32_t first, size_t count)
{
	enum { PART = 1000 };
	struct coordinator_ask *asks = calloc(PART, sizeof(*asks));
	struct error error = {0};
	int64_t batch = 0;
	assert_non_null(asks);
	for (size_t done = 0; done < count; done += PART) {
		size_t now = MIN((size_t)PART, count - done);
		struct coordinator_batch part = {.key = key, .request = "campaign", .part = (unsigned)(done / PART),
			.more = done + now < count};
		for (size_t i = 0; i < now; i++)
			asks[i] = (struct coordinator_ask){lab->source, addr_v4(first + (uint32_t)(done + i) * 256), NULL};
		if (coordinator_submit(lab->coordinator, &part, asks, now, &batch, &error) < 0)
			fail_msg("%s", error.text);
	}
	free(asks);
	return batch;
}

static struct store_batch state_of(const struct lab *lab, int64_t batch)
{
	struct store_batch found;
	assert_int_equal(store_find_batch(lab->store, batch, &found, NULL), 0);
	return found;
}

/* The engine is full of a campaign's measurements whose packets wait for their turn. */
static void test_overtakes(void **state)
{
	struct lab lab;
	struct error error = {0};
	size_t count = how_many();
	int64_t batch;
	(void)state;
	lab_init(&lab, true);
	int64_t large = campaign(&lab, "large", FIRST, count);
	for (int i = 0; i < 1000; i++)
		turn(&lab);
	assert_true(coordinator_health(lab.coordinator).busy > 0);
	assert_int_equal(submit(&lab, lab.source, lab.target, NULL, &batch, &error), 0);
	struct coordinator_listener *listener = coordinator_listen(lab.coordinator, batch, on_told, &lab);
	int64_t begun_ns = clock_monotonic_ns();
	wait_for_result(&lab);
	print_message("with %zu waiting, %.1f s\n", count, (double)(clock_monotonic_ns() - begun_ns) / NS_PER_S);
	assert_int_equal(lab.told, 1);
	assert_true(state_of(&lab, large).waiting > count - count / 10);
	coordinator_unlisten(listener);
	lab_deinit(&lab);
}

static void fast(struct coordinator_options *options)
{
	options->engine.source = options->engine.agent = (struct budget_rate){500, 5};
}

/* Who has handed in little does not wait for who has handed in much. */
static void test_shares_alike(void **state)
{
	struct lab lab;
	struct store_batch small;
	(void)state;
	adjust = fast;
	lab_init(&lab, true);
	int64_t first = campaign(&lab, "large", FIRST, 5000), second = campaign(&lab, "small", FIRST + (1 << 24), 100);
	int64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
	do
		turn(&lab);
	while ((small = state_of(&lab, second)).waiting > 0 && clock_monotonic_ns() < until_ns);
	assert_int_equal(small.done, 100);
	assert_true(state_of(&lab, first).done < 1000);
	adjust = NULL;
	lab_deinit(&lab);
}

/* ---- a batch in parts, while some of it is measured */

static void test_parts(void **state)
{
	struct lab lab;
	struct error error = {0};
	struct coordinator_ask ask = {.label = "x"};
	struct coordinator_batch part = {.key = "parts", .more = true};
	int64_t batch, same;
	(void)state;
	lab_init(&lab, true);
	ask.source = lab.source;
	ask.destination = lab.target;
	assert_int_equal(coordinator_submit(lab.coordinator, &part, &ask, 1, &batch, &error), -EINVAL);
	part.request = "in parts";
	assert_int_equal(coordinator_submit(lab.coordinator, &part, &ask, 1, &batch, &error), 0);
	struct coordinator_listener *listener = coordinator_listen(lab.coordinator, batch, on_told, &lab);
	int64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
	while (lab.told == 0 && clock_monotonic_ns() < until_ns)
		turn(&lab);
	/* More may come: that was not the last. */
	assert_int_equal(lab.told, 1);
	assert_false(lab.last);
	part = (struct coordinator_batch){.key = "parts", .request = "in parts", .part = 1};
	assert_int_equal(coordinator_submit(lab.coordinator, &part, &ask, 1, &same, &error), 0);
	assert_int_equal(same, batch);
	assert_int_equal(coordinator_submit(lab.coordinator, &part, &ask, 1, &same, &error), 0);
	wait_for_result(&lab);
	assert_int_equal(lab.told, 2);
	assert_int_equal(state_of(&lab, batch).done, 2);
	coordinator_unlisten(listener);
	lab_deinit(&lab);
}

/* A large one ends at once, and no more is asked for it. */
static void test_cancelled(void **state)
{
	struct lab lab;
	struct error error = {0};
	(void)state;
	lab_init(&lab, true);
	int64_t batch = campaign(&lab, "large", FIRST, 50000); /* more than is given up at once */
	struct coordinator_listener *listener = coordinator_listen(lab.coordinator, batch, on_told, &lab);
	for (int i = 0; i < 200; i++)
		turn(&lab);
	assert_true(lab.campaign_orders > 0);
	assert_int_equal(coordinator_cancel(lab.coordinator, batch, &error), 0);
	wait_for_result(&lab);
	struct store_batch found = state_of(&lab, batch);
	assert_int_equal(found.waiting, 0);
	assert_int_equal(found.done + found.cancelled, 50000);
	assert_string_equal(found.reason, "cancelled by its client");
	for (int i = 0; i < 2000 && coordinator_health(lab.coordinator).busy > 0; i++)
		turn(&lab);
	assert_int_equal(coordinator_health(lab.coordinator).busy, 0);
	unsigned before = lab.campaign_orders;
	for (int i = 0; i < 500; i++)
		turn(&lab);
	assert_int_equal(lab.campaign_orders, before);
	coordinator_unlisten(listener);
	lab_deinit(&lab);
}

/* Killed while it gives up a large one: the next one goes on with that, and measures nothing of it. */
static void test_cancelled_and_ended(void **state)
{
	struct lab lab;
	struct error error = {0};
	(void)state;
	lab_init(&lab, true);
	lab.mute = true;
	int64_t batch = campaign(&lab, "large", FIRST, 50000);
	assert_int_equal(coordinator_cancel(lab.coordinator, batch, &error), 0);
	assert_true(state_of(&lab, batch).waiting > 0);
	stop(&lab);
	start(&lab);
	all_online(&lab, true);
	lab.campaign_orders = 0;
	int64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
	while (state_of(&lab, batch).waiting > 0 && clock_monotonic_ns() < until_ns)
		turn(&lab);
	assert_int_equal(state_of(&lab, batch).cancelled, 50000);
	assert_int_equal(lab.campaign_orders, 0);
	lab_deinit(&lab);
}

/* ---- networks */

static void one_a_day(struct coordinator_options *options)
{
	options->per_network = 1;
}

struct networks_seen {
	unsigned count;
	int64_t most;
};

static void see_network(void *context, const struct coordinator_network *network)
{
	struct networks_seen *seen = context;
	seen->count++;
	seen->most = MAX(seen->most, network->spent);
	assert_int_equal(network->per_day, 1);
	assert_true(strncmp(network->name, "AS", 2) == 0);
}

static void measure(struct lab *lab, struct addr target)
{
	struct error error = {0};
	int64_t batch;
	lab->last = false;
	lab->told = 0;
	if (submit(lab, lab->source, target, NULL, &batch, &error) < 0)
		fail_msg("%s", error.text);
	struct coordinator_listener *listener = coordinator_listen(lab->coordinator, batch, on_told, lab);
	wait_for_result(lab);
	coordinator_unlisten(listener);
}

/* Never more than it may have, also after a restart; and who is stopped by it is told. */
static void test_a_network_has_had_enough(void **state)
{
	struct lab lab;
	(void)state;
	adjust = one_a_day;
	lab_init(&lab, true);
	measure(&lab, lab.target); /* from the source it is too far, and others may not send then */
	assert_non_null(strstr(lab.result, "may not be asked"));
	struct networks_seen seen = {0};
	coordinator_each_network(lab.coordinator, see_network, &seen);
	assert_true(seen.count > 0);
	assert_int_equal(seen.most, 1);
	stop(&lab);
	start(&lab);
	all_online(&lab, true);
	for (int i = 0; i < 20; i++)
		turn(&lab);
	seen = (struct networks_seen){0};
	coordinator_each_network(lab.coordinator, see_network, &seen);
	assert_int_equal(seen.most, 1);
	measure(&lab, lab.target);
	assert_non_null(strstr(lab.result, "may not be asked"));
	adjust = NULL;
	lab_deinit(&lab);
}

/* What is known of a host that answers helps where its neighbour is silent; so it is after a restart. */
static void test_neighbours(void **state)
{
	struct lab lab;
	struct addr silent;
	(void)state;
	lab_init(&lab, true);
	silent = lab.target;
	silent.low += 7;
	measure(&lab, silent);
	assert_null(strstr(lab.result, "\"status\":\"reached\""));
	measure(&lab, lab.target);
	assert_non_null(strstr(lab.result, "\"status\":\"reached\""));
	stop(&lab);
	start(&lab);
	all_online(&lab, true);
	turn(&lab);
	silent.low += 1;
	measure(&lab, silent);
	assert_non_null(strstr(lab.result, "\"status\":\"reached\""));
	struct path *path = revtr_result_path(lab.result, strlen(lab.result));
	assert_non_null(path);
	assert_true(path->hops[1].probability < 0.99); /* it is another host's way */
	path_free(path);
	lab_deinit(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overtakes),
		cmocka_unit_test(test_shares_alike),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_cancelled_and_ended),
		cmocka_unit_test(test_a_network_has_had_enough),
		cmocka_unit_test(test_neighbours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
