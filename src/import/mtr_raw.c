/* mtr's raw events: x sent, h host, d name, m label, p answer. Hops count from 0; the host of an answer is
 * the one named last for that hop, and its labels follow it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "import/dialect.h"

#define SENT_MAX 16384

/* Which probe a sequence number is. */
struct sent {
	uint32_t sequence;
	uint16_t ttl, probe;
};

struct raw {
	struct build *build;
	struct sent *sent;
	size_t sent_count;
	struct {
		struct addr address;
		struct mpls_entry labels[MPLS_STACK_MAX];
		uint8_t label_count;
	} hosts[256]; /* by hop limit */
};

/* "x 3 33004": letter and hop, then up to four numbers or a word. */
static bool is_event(const char *line, int *ttl, const char **rest)
{
	if (!line[0] || !strchr("xhdpmt", line[0]) || line[1] != ' ')
		return false;
	const char *at = line + 2;
	int hop = text_count(&at);
	if (hop < 0 || hop > 254 || *at != ' ')
		return false;
	*ttl = hop + 1;
	*rest = text_skip(at);
	return **rest != '\0';
}

int mtr_raw_score(const struct source *source, const char *dialect)
{
	unsigned events = 0, others = 0;
	(void)dialect;
	for (size_t i = 0; i < source->text.count; i++) {
		const char *rest;
		int ttl;
		bool event = is_event(source->text.lines[i], &ttl, &rest);
		events += event;
		others += !event && source->text.lines[i][0];
	}
	return events > 0 && events >= others ? 70 : 0;
}

static void take_sent(struct raw *raw, int ttl, uint32_t sequence)
{
	struct hop *hop = build_hop(raw->build, ttl);
	if (raw->sent_count == SENT_MAX || !build_probe(raw->build, hop, ADDR_NONE, RTT_NONE))
		return;
	raw->sent[raw->sent_count++] =
		(struct sent){sequence, (uint16_t)ttl, (uint16_t)(hop->probe_count - 1)};
}

/* The probe with this number, or, in releases that print none, another one. */
static struct probe_result *find_probe(struct raw *raw, int ttl, uint32_t sequence)
{
	struct hop *hop = build_hop(raw->build, ttl);
	for (size_t i = raw->sent_count; hop && i > 0; i--) {
		const struct sent *sent = &raw->sent[i - 1];
		if (sent->sequence == sequence && sent->ttl == ttl)
			return &hop->probes[sent->probe];
	}
	return build_probe(raw->build, hop, ADDR_NONE, RTT_NONE);
}

static void take_answer(struct raw *raw, int ttl, const char *rest)
{
	char *end;
	unsigned long micros = strtoul(rest, &end, 10);
	struct probe_result *probe = find_probe(raw, ttl, (uint32_t)strtoul(end, NULL, 10));
	if (!probe)
		return;
	probe->rtt_ns = micros < 1000000000 ? (int64_t)micros * NS_PER_US : RTT_NONE;
	probe->address = raw->hosts[ttl].address;
	probe->mpls_count = raw->hosts[ttl].label_count;
	memcpy(probe->mpls, raw->hosts[ttl].labels, sizeof(probe->mpls));
}

static void take_host(struct raw *raw, int ttl, const char *rest)
{
	struct addr address;
	if (lex_address(rest, strcspn(rest, " "), &address)) {
		raw->hosts[ttl].address = address;
		raw->hosts[ttl].label_count = 0;
	}
}

static void take_label(struct raw *raw, int ttl, const char *rest)
{
	unsigned long values[4] = {0};
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		char *end;
		values[i] = strtoul(rest, &end, 10);
		rest = end;
	}
	if (raw->hosts[ttl].label_count == MPLS_STACK_MAX)
		return;
	raw->hosts[ttl].labels[raw->hosts[ttl].label_count++] = (struct mpls_entry){
		.label = values[0] & 0xfffff,
		.traffic_class = values[1] & 7,
		.bottom = values[2] == 1,
		.ttl = values[3] & 0xff,
	};
}

static void take(struct raw *raw, const char *line)
{
	const char *rest;
	int ttl;
	if (!is_event(line, &ttl, &rest))
		return;
	switch (line[0]) {
	case 'x': take_sent(raw, ttl, (uint32_t)strtoul(rest, NULL, 10)); break;
	case 'h': take_host(raw, ttl, rest); break;
	case 'd': build_name(raw->build, raw->hosts[ttl].address, rest); break;
	case 'm': take_label(raw, ttl, rest); break;
	case 'p': take_answer(raw, ttl, rest); break;
	default: break;
	}
}

static bool only(const struct hop *hop, struct addr address)
{
	bool any = false;
	for (size_t i = 0; i < hop->probe_count; i++) {
		if (!probe_answered(&hop->probes[i]))
			continue;
		any = true;
		if (!addr_equal(hop->probes[i].address, address))
			return false;
	}
	return any;
}

/* Beyond the target it is the target that answers again and again, until mtr knows how far it is. */
static void drop_beyond(struct path *path)
{
	while (path->hop_count > 1) {
		struct hop *last = &path->hops[path->hop_count - 1], *before = last - 1;
		struct addr address = ADDR_NONE;
		for (size_t i = 0; i < last->probe_count && !addr_is_set(address); i++)
			address = last->probes[i].address;
		if (!addr_is_set(address) || last->ttl != before->ttl + 1 || !only(last, address) ||
			!only(before, address))
			return;
		free(last->probes);
		path->hop_count--;
	}
}

void mtr_raw_read(struct build *build, const struct source *source)
{
	struct raw raw = {.build = build, .sent = calloc(SENT_MAX, sizeof(*raw.sent))};
	if (!raw.sent) {
		build->status = -ENOMEM;
		return;
	}
	build_trace(build, PROBE_ICMP);
	for (size_t i = 0; i < source->text.count; i++)
		take(&raw, source->text.lines[i]);
	if (build->path)
		drop_beyond(build->path);
	build_end(build);
	free(raw.sent);
}
