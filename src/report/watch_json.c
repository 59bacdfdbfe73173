#include "report/watch_json.h"

#include <stdio.h>

#include "base/clock.h"
#include "path/json.h"

/* Whole microseconds are as exact as the stamps are. */
static json_t *ms(double ns)
{
	return ns < 0 ? json_null() : json_real((double)(int64_t)(ns / 1000 + 0.5) / 1000);
}

static json_t *address_of(struct addr address)
{
	char text[ADDR_TEXT_SIZE];
	return addr_is_set(address) ? json_string(addr_format(address, text)) : json_null();
}

static json_t *time_of(const struct watch_view *view, int64_t at_ns)
{
	char text[TIME_TEXT_SIZE];
	return json_string(clock_format(view->started_wall_ns + at_ns, text));
}

static json_t *path_id(uint64_t id)
{
	char text[20];
	snprintf(text, sizeof(text), "%016llx", (unsigned long long)id);
	return json_string(text);
}

static json_t *loss_json(const struct loss *loss)
{
	return json_pack("{s:i, s:i, s:i, s:o, s:o}", "sent", (int)loss->sent, "lost", (int)loss->lost,
		"skipped", (int)loss->skipped, "share",
		loss->sent ? json_real((double)loss->lost / loss->sent) : json_null(), "interval_95",
		json_pack("[f, f]", loss->share.low, loss->share.high));
}

static json_t *responder_json(const struct watch_view *view, const struct responder *responder)
{
	return json_pack("{s:o, s:b, s:i, s:o, s:o, s:o, s:o, s:o}", "address",
		address_of(responder->address), "present", responder->state != RESPONDER_OLD, "received",
		(int)responder->series.received, "first_at", time_of(view, responder->first_ns), "last_at",
		time_of(view, responder->last_ns), "rtt_best_ms", ms((double)responder->series.best_ns),
		"rtt_mean_ms", ms(responder->series.mean_ns), "rtt_worst_ms",
		ms((double)responder->series.worst_ns));
}

static const char *limit_word(enum limit_verdict verdict)
{
	static const char *const words[] = {NULL, "testing", "limits-replies", "loses-answers", "undecided"};
	return words[verdict];
}

/* By what each flow can be had again. */
static json_t *flows_json(const struct watch_view *view, unsigned flows)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < view->timeline->flow_count; i++) {
		const struct flow *flow = &view->timeline->flow_of[i];
		if (!(flows & 1u << i))
			continue;
		bool icmp = view->protocol == PROBE_ICMP;
		json_array_append_new(list,
			json_pack("{s:i}", icmp ? "icmp_checksum" : "source_port",
				icmp ? flow->icmp_checksum : flow->source_port));
	}
	return list;
}

static json_t *branches_json(const struct watch_view *view, unsigned ttl)
{
	struct timeline_branch branches[TIMELINE_FLOWS];
	unsigned count = timeline_branches(view->timeline, ttl, branches);
	json_t *list = json_array();
	for (unsigned i = 0; i < count; i++) {
		const struct timeline_branch *branch = &branches[i];
		const struct series *series = &branch->series;
		const char *limit = limit_word(branch->limit);
		json_array_append_new(list,
			json_pack("{s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "address",
				address_of(branch->address), "flows", flows_json(view, branch->flows),
				"received", (int)series->received, "loss", loss_json(&branch->loss),
				"last_ms", ms((double)series->last_ns), "best_ms",
				ms((double)series->best_ns), "mean_ms",
				ms(series->received > 0 ? series->mean_ns : -1), "median_ms",
				ms((double)branch->median_ns), "worst_ms", ms((double)series->worst_ns),
				"replies", limit ? json_string(limit) : json_null()));
	}
	return list;
}

static json_t *series_json(const struct watch_view *view, const struct timeline_hop *hop)
{
	const struct series *total = &hop->total, *now = &hop->now;
	struct loss loss = timeline_loss(view->timeline, hop->ttl);
	bool any = now->received > 0;
	json_t *responders = json_array();
	for (size_t i = 0; i < hop->responder_count; i++)
		json_array_append_new(responders, responder_json(view, &hop->responders[i]));
	const char *limit = limit_word(hop->limit);
	json_t *series = json_pack("{s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"sent", (int)(series_settled(total) + hop->in_flight), "received", (int)total->received,
		"in_flight", (int)hop->in_flight, "loss", loss_json(&loss), "last_ms",
		ms((double)now->last_ns), "best_ms", ms((double)now->best_ns), "mean_ms",
		ms(any ? now->mean_ns : -1), "median_ms", ms((double)timeline_quantile_ns(hop, 0.5)),
		"worst_ms", ms((double)now->worst_ns), "deviation_ms",
		ms(any ? series_deviation_ns(now) : -1), "jitter_ms", ms(any ? now->interarrival_ns : -1),
		"replies", limit ? json_string(limit) : json_null(), "responders", responders);
	if (series && hop->limit != LIMIT_UNKNOWN && hop->limit_asked > 0)
		json_object_set_new(series, "asked_slower",
			json_pack("{s:i, s:i}", "sent", (int)hop->limit_asked, "received",
				(int)hop->limit_answered));
	if (series && view->timeline->flow_count > 0)
		json_object_set_new(series, "branches", branches_json(view, hop->ttl));
	return series;
}

static json_t *changes_json(const struct watch_view *view)
{
	json_t *changes = json_array();
	for (size_t i = 0; i < view->timeline->change_count; i++) {
		const struct timeline_change *change = &view->timeline->changes[i];
		json_array_append_new(changes,
			json_pack("{s:o, s:o, s:i, s:i, s:o, s:o, s:i, s:i, s:o, s:o, s:o, s:o}", "at",
				time_of(view, change->at_ns), "noticed_at", time_of(view, change->noticed_ns),
				"first_ttl", change->first_ttl, "last_ttl", change->last_ttl, "before",
				address_of(change->before), "after", address_of(change->after), "end_before",
				(int)change->end_before, "end_after", (int)change->end_after, "path_before",
				path_id(change->path_before), "path_after", path_id(change->path_after),
				"rtt_before_ms", ms((double)change->rtt_before_ns), "rtt_after_ms",
				ms((double)change->rtt_after_ns)));
		if (change->flows)
			json_object_set_new(
				json_array_get(changes, i), "flows", flows_json(view, change->flows));
	}
	return changes;
}

static json_t *rounds_json(const struct watch_view *view)
{
	const struct timeline *timeline = view->timeline;
	json_t *rounds = json_pack("{s:i, s:o, s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "count",
		(int)timeline->rounds, "interval_ms", ms((double)view->interval_ns), "probes",
		(int)timeline->sent, "answers", (int)timeline->answered, "lost", (int)timeline->lost, "late",
		(int)timeline->late, "not_judged", (int)timeline->void_count, "changes",
		(int)timeline->changes_ever, "path_id", path_id(timeline_path_id(timeline)));
	if (rounds && timeline->flow_count > 0)
		json_object_set_new(rounds, "flows", flows_json(view, ~0u));
	return rounds;
}

json_t *watch_json(const struct watch_view *view, const struct measurement *measurement)
{
	json_t *document = measurement_to_json(measurement);
	json_t *hops = json_object_get(json_object_get(document, "forward"), "hops");
	json_t *hop;
	size_t index;
	if (!document)
		return NULL;
	json_array_foreach(hops, index, hop)
	{
		const struct timeline_hop *from = timeline_hop(
			view->timeline, (unsigned)json_integer_value(json_object_get(hop, "ttl")));
		if (from)
			json_object_set_new(hop, "series", series_json(view, from));
	}
	json_object_set_new(document, "rounds", rounds_json(view));
	json_object_set_new(document, "changes", changes_json(view));
	if (view->back && view->back->reverse)
		json_object_set_new(document, "reverse_measured_at", time_of(view, view->back_at_ns));
	return document;
}
