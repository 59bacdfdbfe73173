/* What agents and their coordinator hear from each other, and what others hear of results. What is taken is
 * within bounds, and said again it is taken again, with the same words. The first byte chooses what it is. */
#include <string.h>

#include "fuzz.h"
#include "reverse/revtr_result.h"
#include "revtr/message.h"

/* `said` is what came of the text, `again` what came of that. */
static void check_same(char *said, char *again)
{
	CHECK(said && again && strcmp(said, again) == 0);
	free(said);
	free(again);
}

static void try_order(const char *text, size_t size)
{
	struct agent_order order, again;
	if (!order_from_json(text, size, &order))
		return;
	CHECK(message_probe_word(order.task.probe));
	CHECK(addr_is_set(order.task.target) && addr_is_set(order.source));
	CHECK(order.task.listed_count <= REVTR_LISTED_MAX);
	CHECK(order.task.probe != REVTR_TS_PING || order.task.listed_count > 0);
	char *said = order_to_json(&order);
	CHECK(said && order_from_json(said, strlen(said), &again));
	check_same(said, order_to_json(&again));
}

static void try_answer(const char *text, size_t size)
{
	struct revtr_answer answer, again;
	if (!answer_from_json(text, size, &answer))
		return;
	CHECK(answer.task != 0);
	CHECK(answer.trace_count <= REVTR_TRACE_MAX);
	CHECK(answer.reply_ttl >= 0 && answer.reply_ttl <= 255);
	CHECK(answer.reply.used <= answer.reply.slots && answer.reply.slots <= RECORD_ROUTE_SLOTS_MAX);
	CHECK(answer.times.used <= answer.times.slots && answer.times.slots <= REVTR_LISTED_MAX);
	if (!answer.answered)
		return;
	char *said = answer_to_json(&answer);
	CHECK(said && answer_from_json(said, strlen(said), &again));
	check_same(said, answer_to_json(&again));
}

static void try_status(const char *text, size_t size)
{
	struct agent_status status, again;
	if (!status_from_json(text, size, &status))
		return;
	CHECK(status.source_count <= STATUS_SOURCES_MAX);
	for (size_t i = 0; i < status.source_count; i++)
		CHECK(addr_is_set(status.sources[i]));
	CHECK(memchr(status.trouble, '\0', sizeof(status.trouble)));
	/* Cut to its room, it may end within a character, which is no text any more. */
	if (strlen(status.trouble) == sizeof(status.trouble) - 1)
		return;
	char *said = status_to_json(&status);
	CHECK(said && status_from_json(said, strlen(said), &again));
	check_same(said, status_to_json(&again));
}

static void try_keys(const char *text, size_t size)
{
	struct agent_keys keys, again;
	if (!keys_from_json(text, size, &keys))
		return;
	CHECK(keys.count <= STATUS_SOURCES_MAX);
	char *said = keys_to_json(&keys);
	CHECK(said && keys_from_json(said, strlen(said), &again));
	check_same(said, keys_to_json(&again));
}

static void try_topic(const char *text, size_t size)
{
	char topic[400], name[AGENT_NAME_SIZE], again[TOPIC_SIZE];
	snprintf(topic, sizeof(topic), "%.*s", (int)size, text);
	if (!topic_agent(topic, name))
		return;
	CHECK(agent_name_good(name));
	topic_of(again, name, "task");
	CHECK(strncmp(topic, again, strlen(again) - strlen("task")) == 0);
}

static void try_result(const char *text, size_t size)
{
	struct path *path = revtr_result_path(text, size);
	if (!path)
		return;
	CHECK(path->direction == DIRECTION_REVERSE);
	for (size_t i = 0; i < path->hop_count; i++)
		CHECK(path->hops[i].probability >= 0 && path->hops[i].probability <= 1);
	path_free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(const char *, size_t) = {
		try_order, try_answer, try_status, try_keys, try_topic, try_result};
	if (size > 0)
		tries[data[0] % ARRAY_LEN(tries)]((const char *)data + 1, size - 1);
	return 0;
}
