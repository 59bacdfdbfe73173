/* A large batch through the coordinator: how long it takes until every result is on disk and told, and in how
 * much memory. One agent that answers at once; no limits on packets, so that the coordinator is what is
 * measured.
 *
 *   revtr_batch MEASUREMENTS FOLDER */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "revtr/coordinator.h"
#include "revtr/message.h"

#define PART   2000
#define SOURCE 0xc633644du /* 198.51.100.77 */
#define FIRST  0x10000007u /* 16.0.0.7, then one in every /24 */

struct bench {
	uv_loop_t loop;
	struct bus *bus;
	struct coordinator *coordinator;
	size_t told, count;
};

static void check(int result, const struct error *error)
{
	if (result == 0)
		return;
	fprintf(stderr, "revtr_batch: %s\n", error->code ? error->text : strerror(-result));
	exit(1);
}

static uint32_t destination_of(size_t number)
{
	return FIRST + (uint32_t)number * 256;
}

/* Two routers between the target and the source. */
static void on_task(void *context, const char *topic, const char *payload, size_t length)
{
	struct bench *bench = context;
	struct agent_order order;
	char answer_topic[TOPIC_SIZE];
	(void)topic;
	if (!order_from_json(payload, length, &order))
		return;
	struct revtr_answer answer = {.task = order.task.id,
		.answered = true,
		.from = order.task.target,
		.reply_ttl = 60,
		.reply = {.present = true,
			.type = 7,
			.slots = 9,
			.used = 4,
			.addrs = {order.task.target, addr_v4((uint32_t)order.task.target.low - 6),
				addr_v4((uint32_t)order.task.target.low - 5), addr_v4(SOURCE)}}};
	char *text = answer_to_json(&answer);
	if (text &&
		bus_publish(bench->bus, topic_of(answer_topic, "here", "answer"), text, strlen(text), false) <
			0)
		fputs("revtr_batch: an answer is lost\n", stderr);
	free(text);
}

static void on_told(void *context, int64_t batch, int64_t measurement, const char *json, bool last)
{
	struct bench *bench = context;
	(void)batch, (void)measurement, (void)last;
	bench->told += json != NULL;
	if (bench->told == bench->count)
		uv_stop(&bench->loop);
}

static struct coordinator *start(struct bench *bench, struct store *store)
{
	struct coordinator_options options = {
		.engine = revtr_options_default(), .per_network = COORDINATOR_NO_LIMIT};
	struct error error = {0};
	options.engine.target = options.engine.net = options.engine.source = options.engine.agent =
		(struct budget_rate){0};
	options.engine.ask_again_ns =
		NS_PER_S; /* of real limits, so many targets are 600 s old when they are forgotten */
	bench->coordinator = coordinator_new(&bench->loop, store, bench->bus, &options, &error);
	check(bench->coordinator ? 0 : error.code, &error);
	struct store_source source = {
		.address = addr_v4(SOURCE), .name = "home", .agent = "here", .consents = true};
	check(store_put_source(store, &source, &error), &error);
	check(coordinator_add_source(bench->coordinator, &source), &error);
	return bench->coordinator;
}

static void hand_in(struct bench *bench, const char *name)
{
	struct coordinator_ask *asks = calloc(PART, sizeof(*asks));
	struct error error = {0};
	int64_t id;
	for (size_t done = 0; done < bench->count && asks; done += PART) {
		size_t count = MIN((size_t)PART, bench->count - done);
		struct coordinator_batch batch = {.key = "bench",
			.request = name,
			.part = (unsigned)(done / PART),
			.more = done + count < bench->count};
		for (size_t i = 0; i < count; i++)
			asks[i] = (struct coordinator_ask){
				addr_v4(SOURCE), addr_v4(destination_of(done + i)), NULL};
		check(coordinator_submit(bench->coordinator, &batch, asks, count, &id, &error), &error);
	}
	free(asks);
}

static void online(struct bench *bench)
{
	struct agent_status status = {.online = true, .address = addr_v4(SOURCE)};
	char topic[TOPIC_SIZE], *text = status_to_json(&status);
	if (!text || bus_publish(bench->bus, topic_of(topic, "here", "status"), text, strlen(text), true) < 0)
		exit(1);
	free(text);
}

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct bench bench = {.count = argc == 3 ? strtoul(argv[1], NULL, 10) : 0};
	struct store *store;
	struct error error = {0};
	struct rusage usage;
	char file[300];
	if (bench.count == 0) {
		fputs("usage: revtr_batch MEASUREMENTS FOLDER\n", stderr);
		return 3;
	}
	snprintf(file, sizeof(file), "%s/revtr_batch.db", argv[2]);
	uv_loop_init(&bench.loop);
	bench.bus = bus_new_local(&bench.loop);
	check(store_open(&store, file, &error), &error);
	start(&bench, store);
	/* Of an earlier run, that was killed, so many are done. */
	int64_t batch;
	struct store_batch known = {0};
	check(store_known_batch(store, "bench", "large", &batch, &error), &error);
	if (batch != 0)
		check(store_find_batch(store, batch, &known, &error), &error);
	bench.told = known.done;
	check(bus_subscribe(bench.bus, "retour/1/agent/+/task", on_task, &bench), &error);
	int64_t begun_ns = clock_monotonic_ns();
	hand_in(&bench, "large");
	int64_t taken_ns = clock_monotonic_ns();
	if (!coordinator_listen(bench.coordinator, 0, on_told, &bench))
		return 1;
	online(&bench);
	uv_run(&bench.loop, UV_RUN_DEFAULT);
	int64_t done_ns = clock_monotonic_ns();
	getrusage(RUSAGE_SELF, &usage);
	/* Seconds to hand in, seconds until all is told, of those on a processor, results a second, MiB. */
	printf("revtr_batch|%zu|%.1f|%.1f|%.1f|%.0f|%ld\n", bench.count,
		(double)(taken_ns - begun_ns) / NS_PER_S, (double)(done_ns - taken_ns) / NS_PER_S,
		seconds(usage.ru_utime) + seconds(usage.ru_stime),
		(double)bench.count * NS_PER_S / (double)(done_ns - taken_ns), usage.ru_maxrss / 1024);
	return 0;
}
