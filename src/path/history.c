#include "path/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 1024

void history_init(struct history *history, int64_t interval_ns, size_t limit)
{
	*history = (struct history){.limit = MAX(limit, 2)};
	timeline_init(&history->base, interval_ns);
}

void history_deinit(struct history *history)
{
	timeline_deinit(&history->base);
	free(history->entries);
	*history = (struct history){0};
}

static void pack(struct history_entry *entry, const struct watch_event *event)
{
	*entry = (struct history_entry){
		.at_ns = event->at_ns,
		.sent_ns = event->sent_ns,
		.rtt_ns = RTT_NONE,
		.probe = event->probe,
		.round = event->round,
		.asked = (uint16_t)MIN(event->asked, UINT16_MAX),
		.answered = (uint16_t)MIN(event->answered, UINT16_MAX),
		.error = (int16_t)event->error,
		.kind = (uint8_t)event->kind,
		.ttl = event->ttl,
		.flow = event->flow,
		.limit = (uint8_t)event->limit,
		.test = event->test,
		.late = event->late,
		.reached = event->reached,
		.refused = event->refused,
	};
	if (!event->answer)
		return;
	entry->rtt_ns = event->answer->rtt_ns;
	entry->address = event->answer->address;
	entry->reply_ttl = (int16_t)event->answer->reply.ttl;
	entry->icmp_type = (int16_t)event->answer->icmp_type;
	entry->icmp_code = (int16_t)event->answer->icmp_code;
	memcpy(entry->mark, event->answer->mark, sizeof(entry->mark));
}

static void apply(struct timeline *timeline, const struct history_entry *entry)
{
	struct probe_result answer = probe_result_none();
	struct watch_event event = {
		.kind = (enum watch_event_kind)entry->kind,
		.at_ns = entry->at_ns,
		.sent_ns = entry->sent_ns,
		.probe = entry->probe,
		.round = entry->round,
		.asked = entry->asked,
		.answered = entry->answered,
		.error = entry->error,
		.ttl = entry->ttl,
		.flow = entry->flow,
		.limit = (enum limit_verdict)entry->limit,
		.test = entry->test,
		.late = entry->late,
		.reached = entry->reached,
		.refused = entry->refused,
	};
	if (event.kind == WATCH_ANSWER) {
		answer.rtt_ns = entry->rtt_ns;
		answer.address = entry->address;
		answer.reply.ttl = entry->reply_ttl;
		answer.icmp_type = entry->icmp_type;
		answer.icmp_code = entry->icmp_code;
		memcpy(answer.mark, entry->mark, sizeof(answer.mark));
		event.answer = &answer;
	}
	timeline_apply(timeline, &event);
}

static void fold(struct history *history, size_t count)
{
	for (size_t i = 0; i < count; i++)
		apply(&history->base, &history->entries[i]);
	history->count -= count;
	memmove(history->entries, history->entries + count, history->count * sizeof(*history->entries));
}

static void make_room(struct history *history)
{
	if (history->count < history->capacity)
		return;
	size_t capacity = MIN(history->limit, MAX(2 * history->capacity, CAPACITY_FIRST));
	struct history_entry *entries = NULL;
	if (capacity > history->capacity)
		entries = reallocarray(history->entries, capacity, sizeof(*entries));
	if (entries) {
		history->entries = entries;
		history->capacity = capacity;
	} else {
		fold(history, history->count - history->count / 2);
	}
}

void history_add(struct history *history, const struct watch_event *event)
{
	make_room(history);
	if (history->count < history->capacity)
		pack(&history->entries[history->count++], event);
	else if (history->count == 0)
		timeline_apply(&history->base, event);
}

int history_at(const struct history *history, int64_t at_ns, struct timeline *timeline)
{
	int result = timeline_copy(timeline, &history->base);
	if (result < 0)
		return result;
	for (size_t i = 0; i < history->count && history->entries[i].at_ns <= at_ns; i++)
		apply(timeline, &history->entries[i]);
	timeline->now_ns = MAX(timeline->now_ns, MIN(at_ns, history_last_ns(history)));
	return 0;
}

int64_t history_first_ns(const struct history *history)
{
	return history->count > 0 ? history->entries[0].at_ns : history->base.now_ns;
}

int64_t history_last_ns(const struct history *history)
{
	return history->count > 0 ? history->entries[history->count - 1].at_ns : history->base.now_ns;
}
