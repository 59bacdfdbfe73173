#include "report/replay.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "path/json.h"
#include "path/json_in.h"
#include "path/words.h"

#define LINE_MAX_SIZE (1 << 20)
#define AT_MAX_NS     (20LL * 365 * 86400 * NS_PER_S)
#define RTT_MAX_NS    (3600 * NS_PER_S)
#define BEGINNING     "retour-watch/1"

static const struct word_table event_words = {
	.words = (const char *const[]){"sent", "answer", "lost", "void", "round", "limit"}, .count = 6};
static const struct word_table limit_words = {
	.words = (const char *const[]){"unknown", "testing", "limits-replies", "loses-answers", "undecided"},
	.count = 5};

void replay_deinit(struct replay *replay)
{
	history_deinit(&replay->history);
	book_deinit(&replay->book);
	for (size_t i = 0; i < replay->back_count; i++)
		measurement_deinit(&replay->backs[i].measurement);
	free(replay->backs);
	free(replay->target_name);
}

const struct replay_back *replay_back_at(const struct replay *replay, int64_t at_ns)
{
	const struct replay_back *found = NULL;
	for (size_t i = 0; i < replay->back_count && replay->backs[i].at_ns <= at_ns; i++)
		found = &replay->backs[i];
	return found;
}

static void read_mpls(struct in *in, const json_t *object, struct probe_result *answer)
{
	size_t count;
	const json_t *mpls = in_array_member(in, object, "mpls", MPLS_STACK_MAX, &count);
	for (size_t i = 0; i < count; i++) {
		const json_t *entry = json_array_get(mpls, i);
		answer->mpls[i] = (struct mpls_entry){
			.label = (uint32_t)in_integer_member(in, entry, "label", 0xfffff, 0),
			.traffic_class = (uint8_t)in_integer_member(in, entry, "tc", 7, 0),
			.bottom = in_integer_member(in, entry, "s", 1, 0) != 0,
			.ttl = (uint8_t)in_integer_member(in, entry, "ttl", 255, 0),
		};
	}
	answer->mpls_count = (uint8_t)count;
}

static void read_answer(
	struct in *in, const json_t *object, struct probe_result *answer, struct watch_event *event)
{
	*answer = probe_result_none();
	answer->rtt_ns = in_integer_member(in, object, "rtt_ns", RTT_MAX_NS, RTT_NONE);
	answer->address = in_address_member(in, object, "from");
	answer->reply.ttl = (int)in_integer_member(in, object, "reply_ttl", 255, -1);
	const json_t *icmp = in_object_member(in, object, "icmp");
	if (icmp) {
		answer->icmp_type = (int)in_integer_member(in, icmp, "type", 255, -1);
		answer->icmp_code = (int)in_integer_member(in, icmp, "code", 255, -1);
	}
	in_fixed_member(in, object, "mark", answer->mark, sizeof(answer->mark));
	read_mpls(in, object, answer);
	event->reached = in_bool_member(in, object, "reached");
	event->refused = in_bool_member(in, object, "refused");
	event->late = in_bool_member(in, object, "late");
	event->answer = answer;
	if (answer->rtt_ns == RTT_NONE || !addr_is_set(answer->address))
		in_wrong(in, "answer", "a time and an address");
}

/* One of the timeline's events. */
static bool read_event(struct replay *replay, const json_t *object, enum watch_event_kind kind)
{
	struct error error;
	struct in in = {.error = &error};
	struct probe_result answer;
	struct watch_event event = {
		.kind = kind,
		.at_ns = in_integer_member(&in, object, "at_ns", AT_MAX_NS, 0),
		.sent_ns = in_integer_member(&in, object, "sent_ns", AT_MAX_NS, 0),
		.probe = (uint32_t)in_integer_member(&in, object, "probe", UINT32_MAX, 0),
		.round = (uint32_t)in_integer_member(&in, object, "round", UINT32_MAX, 0),
		.ttl = (uint8_t)in_integer_member(&in, object, "ttl", 255, 0),
		.flow = (uint8_t)in_integer_member(&in, object, "flow", TIMELINE_FLOWS - 1, 0),
		.test = in_bool_member(&in, object, "test"),
	};
	if (kind == WATCH_ANSWER)
		read_answer(&in, object, &answer, &event);
	if (kind == WATCH_VOID && json_is_integer(json_object_get(object, "error")))
		event.error = (int)MAX(-4095, MIN(0, json_integer_value(json_object_get(object, "error"))));
	if (kind == WATCH_LIMIT) {
		event.limit = (enum limit_verdict)in_word_member(
			&in, object, "replies", &limit_words, LIMIT_UNKNOWN);
		event.asked = (unsigned)in_integer_member(&in, object, "asked", UINT16_MAX, 0);
		event.answered = (unsigned)in_integer_member(&in, object, "answered", UINT16_MAX, 0);
	}
	if (in.status < 0 || (kind != WATCH_ROUND && event.ttl == 0))
		return false;
	/* Time does not run backwards. */
	event.at_ns = MAX(event.at_ns, history_last_ns(&replay->history));
	history_add(&replay->history, &event);
	return true;
}

static bool read_name(struct replay *replay, const json_t *object)
{
	struct error error;
	struct in in = {.error = &error};
	struct addr address = in_address_member(&in, object, "address");
	const char *name = in_string_member(&in, object, "name"),
		   *as_name = in_string_member(&in, object, "as_name");
	uint32_t asn = (uint32_t)in_integer_member(&in, object, "asn", UINT32_MAX, 0);
	struct book_entry *entry = in.status < 0 ? NULL : book_entry(&replay->book, address);
	if (!entry)
		return false;
	free(entry->name);
	free(entry->as_name);
	entry->name = name ? strdup(name) : NULL;
	entry->as_name = as_name ? strdup(as_name) : NULL;
	entry->asn = asn;
	return true;
}

static bool read_back(struct replay *replay, const json_t *object)
{
	struct error error;
	struct in in = {.error = &error};
	struct replay_back back = {.at_ns = in_integer_member(&in, object, "at_ns", AT_MAX_NS, 0)};
	if (in.status < 0 || replay->back_count == REPLAY_BACKS_MAX ||
		measurement_from_json(json_object_get(object, "measurement"), &back.measurement, &error) < 0)
		return false;
	struct replay_back *backs = reallocarray(replay->backs, replay->back_count + 1, sizeof(*backs));
	if (!backs) {
		measurement_deinit(&back.measurement);
		return false;
	}
	replay->backs = backs;
	backs[replay->back_count++] = back;
	return true;
}

static bool read_line(struct replay *replay, const json_t *object)
{
	const char *word = json_string_value(json_object_get(object, "event"));
	if (!word)
		return false;
	int kind = word_value(&event_words, word);
	if (kind >= 0)
		return read_event(replay, object, (enum watch_event_kind)kind);
	if (strcmp(word, "name") == 0)
		return read_name(replay, object);
	if (strcmp(word, "back") == 0)
		return read_back(replay, object);
	replay->complete |= strcmp(word, "done") == 0;
	/* Words of later versions are no mistake. */
	return true;
}

static struct flow read_flow(struct in *in, const json_t *flow)
{
	return (struct flow){
		.source_port = (uint16_t)in_integer_member(in, flow, "source_port", 65535, 0),
		.destination_port = (uint16_t)in_integer_member(in, flow, "destination_port", 65535, 0),
		.flow_label = (uint32_t)in_integer_member(in, flow, "flow_label", 0xfffff, 0),
		.icmp_id = (uint16_t)in_integer_member(in, flow, "icmp_id", 65535, 0),
		.icmp_checksum = (uint16_t)in_integer_member(in, flow, "icmp_checksum", 65535, 0),
	};
}

/* After the history's beginning. */
static int read_flows(struct replay *replay, struct in *in, const json_t *object)
{
	struct flow flows[TIMELINE_FLOWS];
	size_t count = 0;
	const json_t *list = json_object_get(object, "flows")
		? in_array_member(in, object, "flows", TIMELINE_FLOWS, &count)
		: NULL;
	for (size_t i = 0; list && i < count; i++)
		flows[i] = read_flow(in, json_array_get(list, i));
	return in->status < 0 ? in->status
			      : timeline_take_flows(&replay->history.base, flows, (unsigned)count);
}

static int read_start(struct replay *replay, const json_t *object, struct error *error)
{
	struct in in = {.error = error};
	const char *schema = in_string_member(&in, object, "schema");
	if (!schema || strcmp(schema, BEGINNING) != 0)
		return error_set(
			error, -EINVAL, "not a recording of retour watch: it does not begin with one");
	snprintf(in.where, sizeof(in.where), "start");
	const json_t *flow = in_object_member(&in, object, "flow");
	replay->target = in_address_member(&in, object, "target");
	replay->source = in_address_member(&in, object, "source");
	replay->target_name = in_copy_member(&in, object, "target_name");
	replay->protocol =
		(enum probe_protocol)in_word_member(&in, object, "protocol", &protocol_words, PROBE_UDP);
	replay->started_wall_ns = in_time_member(&in, object, "started_at");
	replay->interval_ns = in_integer_member(&in, object, "interval_ns", RTT_MAX_NS, NS_PER_S);
	if (flow)
		replay->flow = read_flow(&in, flow);
	history_init(&replay->history, MAX(replay->interval_ns, NS_PER_MS), HISTORY_REPLAY);
	return in.status < 0 ? in.status : read_flows(replay, &in, object);
}

/* A line without its end into `line`; false at the end of the file. One that is too long comes as "". */
static bool next_line(FILE *in, char *line)
{
	size_t length = 0;
	int c;
	while ((c = getc(in)) != EOF && c != '\n')
		if (length++ < LINE_MAX_SIZE)
			line[length - 1] = (char)c;
	line[length < LINE_MAX_SIZE ? length : 0] = '\0';
	return c != EOF || length > 0;
}

static int read_lines(struct replay *replay, FILE *in, char *line, struct error *error)
{
	while (next_line(in, line)) {
		json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		int result = 0;
		bool good = true;
		if (replay->lines++ == 0)
			result = read_start(replay, object, error);
		else
			good = json_is_object(object) && read_line(replay, object);
		json_decref(object);
		if (result < 0)
			return result;
		if (!good && replay->bad_lines++ == 0)
			replay->first_bad = replay->lines;
	}
	return replay->lines > 0 ? 0
				 : error_set(error, -EINVAL, "not a recording of retour watch: it is empty");
}

int replay_read(struct replay *replay, FILE *in, struct error *error)
{
	*replay = (struct replay){.interval_ns = NS_PER_S};
	char *line = malloc(LINE_MAX_SIZE + 1);
	if (!line)
		return error_set(error, -ENOMEM, "out of memory");
	int result = read_lines(replay, in, line, error);
	free(line);
	return result;
}
