#include "report/watch_events.h"

#include <jansson.h>

#include "base/clock.h"
#include "path/json.h"
#include "path/words.h"
#include "report/jsonl.h"

static const char *const event_words[] = {
	[WATCH_SENT] = "sent",
	[WATCH_ANSWER] = "answer",
	[WATCH_LOST] = "lost",
	[WATCH_VOID] = "void",
	[WATCH_ROUND] = "round",
	[WATCH_LIMIT] = "limit",
};
static const char *const limit_words[] = {
	"unknown", "testing", "limits-replies", "loses-answers", "undecided"};

static json_t *address_of(struct addr address)
{
	char text[ADDR_TEXT_SIZE];
	return addr_is_set(address) ? json_string(addr_format(address, text)) : json_null();
}

/* Those that rounds take in turn. */
static json_t *flows_json(const struct timeline *timeline)
{
	json_t *flows = json_array();
	for (unsigned i = 0; i < timeline->flow_count; i++)
		json_array_append_new(flows,
			json_pack("{s:i, s:i, s:i, s:i, s:i}", "source_port",
				timeline->flow_of[i].source_port, "destination_port",
				timeline->flow_of[i].destination_port, "flow_label",
				(int)timeline->flow_of[i].flow_label, "icmp_id", timeline->flow_of[i].icmp_id,
				"icmp_checksum", timeline->flow_of[i].icmp_checksum));
	return flows;
}

int watch_events_start(FILE *out, const struct watch_view *view)
{
	char when[TIME_TEXT_SIZE];
	json_t *flow = json_pack("{s:i, s:i, s:i, s:i, s:i}", "source_port", view->flow.source_port,
		"destination_port", view->flow.destination_port, "flow_label", (int)view->flow.flow_label,
		"icmp_id", view->flow.icmp_id, "icmp_checksum", view->flow.icmp_checksum);
	/* A name that is not UTF-8 cannot be in JSON: the address is there. */
	json_t *name = json_string(view->target_name);
	json_t *body = json_pack("{s:s, s:{s:s, s:s}, s:s, s:o, s:o, s:s, s:I, s:o}", "schema",
		"retour-watch/1", "tool", "name", "retour", "version", RETOUR_VERSION, "started_at",
		clock_format(view->started_wall_ns, when), "source", address_of(view->source), "target_name",
		name ? name : json_null(), "protocol", protocol_word(view->protocol), "interval_ns",
		(json_int_t)view->interval_ns, "flow", flow);
	if (view->timeline->flow_count > 0)
		json_object_set_new(body, "flows", flows_json(view->timeline));
	return jsonl_event(out, "start", view->target, body);
}

static void add_answer(json_t *body, const struct watch_event *event)
{
	const struct probe_result *answer = event->answer;
	json_object_set_new(body, "sent_ns", json_integer(event->sent_ns));
	json_object_set_new(body, "rtt_ns", json_integer(answer->rtt_ns));
	json_object_set_new(body, "from", address_of(answer->address));
	if (answer->icmp_type >= 0)
		json_object_set_new(body, "icmp",
			json_pack("{s:i, s:i}", "type", answer->icmp_type, "code", answer->icmp_code));
	if (answer->mark[0])
		json_object_set_new(body, "mark", json_string(answer->mark));
	if (answer->reply.ttl >= 0)
		json_object_set_new(body, "reply_ttl", json_integer(answer->reply.ttl));
	json_t *mpls = answer->mpls_count > 0 ? json_array() : NULL;
	for (unsigned i = 0; i < answer->mpls_count; i++)
		json_array_append_new(mpls,
			json_pack("{s:i, s:i, s:i, s:i}", "label", (int)answer->mpls[i].label, "tc",
				answer->mpls[i].traffic_class, "s", answer->mpls[i].bottom, "ttl",
				answer->mpls[i].ttl));
	if (mpls)
		json_object_set_new(body, "mpls", mpls);
	if (event->reached)
		json_object_set_new(body, "reached", json_true());
	if (event->refused)
		json_object_set_new(body, "refused", json_true());
	if (event->late)
		json_object_set_new(body, "late", json_true());
}

static void add_probe(json_t *body, const struct watch_event *event)
{
	json_object_set_new(body, "probe", json_integer(event->probe));
	json_object_set_new(body, "round", json_integer(event->round));
	json_object_set_new(body, "ttl", json_integer(event->ttl));
	if (event->test)
		json_object_set_new(body, "test", json_true());
	if (event->kind == WATCH_ANSWER && event->answer)
		add_answer(body, event);
	if (event->kind == WATCH_LOST || event->kind == WATCH_VOID)
		json_object_set_new(body, "sent_ns", json_integer(event->sent_ns));
	if (event->error)
		json_object_set_new(body, "error", json_integer(event->error));
}

int watch_events_event(FILE *out, const struct watch_view *view, const struct watch_event *event)
{
	json_t *body = json_pack("{s:I}", "at_ns", (json_int_t)event->at_ns);
	if (view->timeline->flow_count > 0)
		json_object_set_new(body, "flow", json_integer(event->flow));
	if (event->kind == WATCH_ROUND) {
		json_object_set_new(body, "round", json_integer(event->round));
	} else if (event->kind == WATCH_LIMIT) {
		json_object_set_new(body, "ttl", json_integer(event->ttl));
		json_object_set_new(body, "replies", json_string(limit_words[event->limit]));
		json_object_set_new(body, "asked", json_integer(event->asked));
		json_object_set_new(body, "answered", json_integer(event->answered));
	} else {
		add_probe(body, event);
	}
	return jsonl_event(out, event_words[event->kind], view->target, body);
}

int watch_events_changed(FILE *out, const struct watch_view *view)
{
	const struct timeline *timeline = view->timeline;
	if (timeline->change_count == 0)
		return 0;
	const struct timeline_change *change = &timeline->changes[timeline->change_count - 1];
	json_t *body = json_pack("{s:I, s:i, s:o, s:o, s:i, s:i}", "at_ns", (json_int_t)change->at_ns,
		"first_ttl", change->first_ttl, "before", address_of(change->before), "after",
		address_of(change->after), "end_before", (int)change->end_before, "end_after",
		(int)change->end_after);
	if (change->flows)
		json_object_set_new(body, "flow", json_integer(change->flow));
	return jsonl_event(out, "changed", view->target, body);
}

int watch_events_name(FILE *out, const struct watch_view *view, const struct book_entry *entry)
{
	/* A name that is not UTF-8 is not worth keeping. */
	json_t *name = entry->name ? json_string(entry->name) : NULL;
	json_t *as_name = entry->as_name ? json_string(entry->as_name) : NULL;
	return jsonl_event(out, "name", view->target,
		json_pack("{s:o, s:o, s:o, s:o}", "address", address_of(entry->address), "name",
			name ? name : json_null(), "asn", entry->asn ? json_integer(entry->asn) : json_null(),
			"as_name", as_name ? as_name : json_null()));
}

int watch_events_back(FILE *out, const struct watch_view *view)
{
	json_t *document = measurement_to_json(view->back);
	return jsonl_event(out, "back", view->target,
		json_pack("{s:I, s:o}", "at_ns", (json_int_t)view->back_at_ns, "measurement", document));
}

int watch_events_done(FILE *out, const struct watch_view *view)
{
	json_t *body = json_pack("{s:I}", "at_ns", (json_int_t)view->timeline->now_ns);
	if (view->directions)
		json_object_set_new(body, "directions", directions_to_json(view->directions));
	return jsonl_event(out, "done", view->target, body);
}
