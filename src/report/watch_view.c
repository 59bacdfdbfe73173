#include "report/watch_view.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/escape.h"

const char *watch_name(const struct watch_view *view, struct addr address, char *text, size_t size)
{
	char buffer[ADDR_TEXT_SIZE];
	const struct book_entry *entry = view->numeric ? NULL : book_find(view->book, address);
	if (!addr_is_set(address))
		snprintf(text, size, "???");
	else if (entry && entry->name)
		escape_text(entry->name, text, size);
	else
		snprintf(text, size, "%s", addr_format(address, buffer));
	return text;
}

const char *watch_as(const struct watch_view *view, struct addr address, char *text, size_t size)
{
	const struct book_entry *entry = book_find(view->book, address);
	text[0] = '\0';
	if (entry && entry->asn)
		snprintf(text, size, "AS%u", entry->asn);
	return text;
}

const char *watch_clock(const struct watch_view *view, int64_t at_ns, char *text, size_t size)
{
	time_t seconds = (time_t)((view->started_wall_ns + at_ns) / NS_PER_S);
	struct tm parts;
	if (size == 0 || !gmtime_r(&seconds, &parts) || strftime(text, size, "%H:%M:%S", &parts) == 0)
		snprintf(text, size, "?");
	return text;
}

const char *watch_flows(const struct watch_view *view, unsigned flows, char *text, size_t size)
{
	bool several = (flows & (flows - 1)) != 0;
	const char *word = view->protocol == PROBE_ICMP ? "checksum" : "port", *separator = " ";
	size_t used = (size_t)snprintf(text, size, "%s%s", word, several ? "s" : "");
	for (unsigned i = 0; i < view->timeline->flow_count && used < size; i++) {
		const struct flow *flow = &view->timeline->flow_of[i];
		if (!(flows & 1u << i))
			continue;
		used += (size_t)snprintf(text + used, size - used, "%s%u", separator,
			view->protocol == PROBE_ICMP ? flow->icmp_checksum : flow->source_port);
		separator = ", ";
	}
	return text;
}

const char *watch_together(const struct watch_view *view, unsigned ttl, char *text, size_t size)
{
	struct timeline_branch branches[TIMELINE_FLOWS];
	unsigned count = timeline_branches(view->timeline, ttl, branches), silent = 0, ends = 0;
	for (unsigned i = 0; i < count; i++) {
		silent += !addr_is_set(branches[i].address);
		ends += branches[i].reached;
	}
	text[0] = '\0';
	if (count > 1 && ends < count)
		snprintf(text, size, "%u routers%s", count - MAX(ends, 1u) + 1, silent ? ", one silent" : "");
	return text;
}

void watch_back_line(const struct watch_view *view, char *text, size_t size)
{
	char when[16];
	const struct path *path = view->back ? view->back->reverse : NULL;
	/* The best way first: why that one failed is worth most. */
	const struct attempt *attempt =
		view->back && view->back->attempt_count > 0 ? &view->back->attempts[0] : NULL;
	const char *again = view->back_running ? ", measuring again" : "";
	watch_clock(view, view->back_at_ns, when, sizeof(when));
	if (path)
		snprintf(text, size, "%zu hop%s by %s at %s, %s%s", path->hop_count,
			path->hop_count == 1 ? "" : "s", path->method, when,
			path->reached ? "complete" : "incomplete", again);
	else if (attempt)
		snprintf(text, size, "unknown: by %s %s%s%s, at %s%s", attempt->method,
			attempt_status_word(attempt->status), attempt->detail ? ", " : "",
			attempt->detail ? attempt->detail : "", when, again);
	else
		snprintf(text, size, view->back_running ? "being measured" : "not measured");
}

void watch_change_line(
	const struct watch_view *view, const struct timeline_change *change, char *text, size_t size)
{
	char when[16], before[120], after[120], delay[60] = "", length[60] = "", flows[120] = "";
	watch_clock(view, change->at_ns, when, sizeof(when));
	watch_name(view, change->before, before, sizeof(before));
	watch_name(view, change->after, after, sizeof(after));
	if (change->rtt_before_ns != RTT_NONE && change->rtt_after_ns != RTT_NONE)
		snprintf(delay, sizeof(delay), ", %+.1f ms",
			ns_to_ms(change->rtt_after_ns - change->rtt_before_ns));
	if (change->end_before != change->end_after && change->end_before)
		snprintf(length, sizeof(length), ", %u hops instead of %u", change->end_after,
			change->end_before);
	if (change->flows)
		watch_flows(view, change->flows, flows, sizeof(flows));
	snprintf(text, size, "%s from hop %u: %s -> %s%s%s%s%s", when, change->first_ttl, before, after,
		length, delay, *flows ? ", of " : "", flows);
}

static void limit_remark(const struct timeline_hop *hop, unsigned skipped, char *text, size_t size)
{
	switch (hop->limit) {
	case LIMIT_LIMITS:
		snprintf(text, size, "skips answers: limits replies (slower: %u of %u)", hop->limit_answered,
			hop->limit_asked);
		return;
	case LIMIT_LOSES:
		snprintf(text, size, "answers get lost at any pace (slower: %u of %u)", hop->limit_answered,
			hop->limit_asked);
		return;
	case LIMIT_TESTING: snprintf(text, size, "skips answers: asking it more slowly"); return;
	case LIMIT_UNKNOWN:
	case LIMIT_UNDECIDED: snprintf(text, size, "skips %u answers, traffic passes", skipped); return;
	}
}

void watch_remark(const struct watch_view *view, unsigned ttl, char *text, size_t size)
{
	const struct timeline_hop *hop = timeline_hop(view->timeline, ttl);
	const struct responder *shown = timeline_shown(hop);
	struct loss loss = timeline_loss(view->timeline, ttl);
	text[0] = '\0';
	if (!hop)
		return;
	if (shown && shown->mark[0])
		snprintf(text, size, "refuses: %s", shown->mark);
	else if (hop->total.received == 0 && series_settled(&hop->total) > 0 &&
		ttl < timeline_last(view->timeline))
		snprintf(text, size, "silent, traffic passes");
	else if (hop->limit != LIMIT_UNKNOWN || loss.skips)
		limit_remark(hop, loss.skipped, text, size);
}
