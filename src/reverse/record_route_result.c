/* What a Record Route measurement tells: the path, and how it went. */
#include <stdio.h>
#include <string.h>

#include "reverse/record_route_run.h"

static unsigned answers(const struct record_route *run)
{
	unsigned count = 0;
	for (unsigned i = 0; i < run->count; i++)
		count += run->probes[i].answered;
	return count;
}

/* Nothing lies between the target and us: the reply came with the TTL that it left with, and nobody wrote. */
static bool direct(const struct rr_verdict *verdict)
{
	return verdict->rule != RR_RULE_NONE && verdict->back_stamps == 0 && verdict->ends_here &&
		verdict->back_hops == 0;
}

/* The first routers on the way back may be hidden among stamps that no rule places. */
static bool begins_at_target(const struct rr_verdict *verdict)
{
	for (unsigned i = verdict->there_end; i < verdict->back_likely; i++)
		if (verdict->stamps[i].side == RR_UNDECIDED && verdict->rule > RR_RULE_QUOTE)
			return false;
	return true;
}

/* Routers that did not write themselves down, where the reply's TTL tells. */
static int missing(const struct rr_verdict *verdict)
{
	return MAX(verdict->back_hops - (int)verdict->back_stamps, 0);
}

/* One router may be missing: which way it is remains clear. */
static bool complete(const struct rr_verdict *verdict)
{
	return direct(verdict) ||
		(verdict->back_stamps > 0 && verdict->ends_here && begins_at_target(verdict) &&
			missing(verdict) <= 1);
}

static bool add_hop(struct path *path, int ttl, struct addr address, enum certainty certainty)
{
	struct hop *hop = path_add_hop(path, ttl, TECHNIQUE_RECORD_ROUTE);
	if (!hop)
		return false;
	hop->certainty = certainty;
	hop->address = address;
	return !addr_is_set(address) || hop_add_address(hop, address) == 0;
}

static bool fill_hops(const struct record_route *run, const struct rr_verdict *verdict, struct path *path)
{
	/* Hops are numbered only when none is missing. */
	bool numbered = path->reached && verdict->back_hops == (int)verdict->back_stamps;
	int ttl = 0;
	for (unsigned i = verdict->back_likely; i < verdict->count; i++) {
		const struct rr_stamp *stamp = &verdict->stamps[i];
		if (!add_hop(path, numbered ? ++ttl : -1, stamp->address, stamp->certainty))
			return false;
	}
	/* The reply came here. */
	return !verdict->ends_here ||
		add_hop(path, numbered ? ++ttl : -1, run->task.source, CERTAINTY_MEASURED);
}

struct path *record_route_path(const void *self, int64_t started_wall_ns)
{
	const struct record_route *run = self;
	struct rr_verdict verdict;
	if (!record_route_verdict(run, &verdict) || (verdict.back_stamps == 0 && !direct(&verdict)))
		return NULL;
	struct path *path = path_new(DIRECTION_REVERSE, "record-route");
	if (!path)
		return NULL;
	path->protocol = PROBE_ICMP;
	path->source = run->task.target;
	path->destination = run->task.source;
	path->flow.icmp_id = run->icmp_id;
	path->flow.icmp_checksum = run->source_port; /* of the requests */
	path->reached = complete(&verdict);
	path->stop_reason = path->reached ? STOP_REACHED : STOP_PARTIAL;
	path->started_wall_ns = started_wall_ns;
	path->duration_ns = record_route_duration_ns(run);
	path->probes_sent = run->count;
	path->replies_received = answers(run);
	if (fill_hops(run, &verdict, path))
		return path;
	path_free(path);
	return NULL;
}

int64_t record_route_duration_ns(const void *self)
{
	const struct record_route *run = self;
	if (run->done)
		return run->ended_ns - run->started_ns;
	return run->count ? run->probes[run->count - 1].sent_ns - run->started_ns : 0;
}

/* ---- how it went */

static enum attempt_status describe_silence(const struct record_route *run, char *detail, size_t size)
{
	const struct rr_probe *echo = record_route_answer(run, RR_ECHO);
	char from[ADDR_TEXT_SIZE];
	if (echo && echo->kind != ICMP_ECHO_REPLY) {
		snprintf(detail, size, "%s refuses packets with the option", addr_format(echo->from, from));
		return ATTEMPT_REFUSED;
	}
	if (echo) {
		snprintf(detail, size,
			"the echo came back without the list: something on the way, or the target, "
			"takes the option off");
		return ATTEMPT_UNSUPPORTED;
	}
	if (run->count > 0 && run->probes[run->count - 1].error) {
		snprintf(detail, size, "cannot send packets with the option: %s",
			strerror(-run->probes[run->count - 1].error));
		return ATTEMPT_UNAVAILABLE;
	}
	snprintf(detail, size,
		"no answer to echo requests with the option: it is dropped on the way, or the target "
		"answers no echo");
	return ATTEMPT_TIMEOUT;
}

static enum attempt_status describe_none(const struct rr_verdict *verdict, char *detail, size_t size)
{
	if (verdict->beyond)
		snprintf(detail, size, "too far: the list of %d is full before the way back begins",
			RECORD_ROUTE_SLOTS_MAX);
	else if (verdict->rule != RR_RULE_NONE)
		snprintf(detail, size, "no router on the way back wrote itself down");
	else
		snprintf(detail, size, "%u addresses came back, but %s%s", verdict->count,
			rr_rule_text(RR_RULE_NONE), verdict->full ? ", if it is in there at all" : "");
	return ATTEMPT_UNSUPPORTED;
}

static unsigned count_unrouted(const struct rr_verdict *verdict)
{
	unsigned count = 0;
	for (unsigned i = verdict->back_likely; i < verdict->count; i++)
		count += verdict->stamps[i].unrouted;
	return count;
}

/* How many routers there are by the reply's TTL, where that is more than are known. */
static void say_missing(const struct rr_verdict *verdict, char *text, size_t size)
{
	text[0] = '\0';
	if (missing(verdict) > 0)
		snprintf(text, size,
			verdict->ends_here ? " of about %d: the others did not write, and are not shown"
					   : " of about %d by the TTL of the reply",
			verdict->back_hops);
}

static const char *why_partial(const struct rr_verdict *verdict)
{
	if (complete(verdict))
		return "";
	if (!verdict->ends_here)
		return "; then the list was full";
	return begins_at_target(verdict) ? "" : "; the beginning of the way back is not known";
}

enum attempt_status record_route_status(const void *self, char *detail, size_t size)
{
	const struct record_route *run = self;
	struct rr_verdict verdict;
	if (!record_route_verdict(run, &verdict))
		return describe_silence(run, detail, size);
	if (verdict.back_stamps == 0 && !direct(&verdict))
		return describe_none(&verdict, detail, size);
	if (verdict.back_stamps == 0) {
		snprintf(detail, size, "no router is between the target and this host: %s",
			rr_rule_text(verdict.rule));
		return ATTEMPT_OK;
	}
	unsigned unrouted = count_unrouted(&verdict);
	char others[80], extra[60] = "";
	say_missing(&verdict, others, sizeof(others));
	if (unrouted)
		snprintf(extra, sizeof(extra), "; %u with an address that is not routed", unrouted);
	snprintf(detail, size, "%u router%s back%s: %s%s%s", verdict.back_stamps,
		verdict.back_stamps == 1 ? "" : "s", others, rr_rule_text(verdict.rule), extra,
		why_partial(&verdict));
	return complete(&verdict) ? ATTEMPT_OK : ATTEMPT_PARTIAL;
}
