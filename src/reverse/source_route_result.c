/* What a source route measurement tells: the path, and how it went. */
#include <stdio.h>
#include <string.h>

#include "reverse/source_route_run.h"

#define POINTER_ROUTING_TYPE  42 /* right behind the IPv6 header, its third byte (RFC 8200 4.4) */
#define POINTER_SEGMENTS_LEFT 43

static const char *const header_names[] = {
	[SOURCE_ROUTE_SEGMENTS] = "a segment routing header",
	[SOURCE_ROUTE_TYPE0] = "a type 0 routing header",
	[SOURCE_ROUTE_LOOSE] = "a loose source route",
};

static bool far_is_sure(const struct sr_view *view)
{
	return view->far > 0 && view->far_low == view->far;
}

/* ---- the path */

/* The last hop of the way back that can be listed, by hop limit; 0 = none. */
static unsigned last_router(const struct source_route *run, const struct sr_view *view)
{
	unsigned last = view->end ? view->end - 1 : view->highest;
	return last > view->far && (view->end || run->slots[last].beyond) ? last : 0;
}

static bool add_router(struct path *path, const struct sr_slot *slot, int ttl)
{
	struct hop *hop = path_add_hop(path, ttl, TECHNIQUE_SOURCE_ROUTE);
	if (!hop)
		return false;
	hop->certainty = CERTAINTY_MEASURED;
	hop->sent = slot->sent;
	hop->received = slot->received;
	if (!slot->beyond || !addr_is_set(slot->from))
		return true;
	hop->address = slot->from;
	return hop_add_address(hop, slot->from) == 0;
}

static bool add_self(const struct source_route *run, struct path *path, int ttl)
{
	struct hop *hop = path_add_hop(path, ttl, TECHNIQUE_SOURCE_ROUTE);
	if (!hop)
		return false;
	hop->certainty = CERTAINTY_MEASURED;
	hop->address = run->task.source;
	return hop_add_address(hop, run->task.source) == 0;
}

/* Hops are numbered only from where the far host certainly is. */
static bool fill_hops(const struct source_route *run, const struct sr_view *view, struct path *path)
{
	bool numbered = far_is_sure(view);
	unsigned last = last_router(run, view);
	for (unsigned ttl = view->far + 1; last && ttl <= last; ttl++)
		if (!add_router(path, &run->slots[ttl], numbered ? (int)(ttl - view->far) : -1))
			return false;
	return !view->end || add_self(run, path, numbered ? (int)(view->end - view->far) : -1);
}

static bool whole(const struct sr_view *view)
{
	return view->end > 0 && far_is_sure(view);
}

struct path *source_route_path(const void *self, int64_t started_wall_ns)
{
	const struct source_route *run = self;
	struct sr_view view;
	source_route_look(run, &view);
	if (!view.proof || view.far == 0 || (!view.end && !last_router(run, &view)))
		return NULL;
	struct path *path = path_new(DIRECTION_REVERSE, "source-route");
	if (!path)
		return NULL;
	path->protocol = PROBE_ICMP;
	path->source = run->task.target;
	path->destination = run->task.source;
	path->flow = run->flow;
	path->reached = whole(&view);
	path->stop_reason = path->reached ? STOP_REACHED : STOP_PARTIAL;
	path->started_wall_ns = started_wall_ns;
	path->duration_ns = source_route_duration_ns(run);
	path->probes_sent = run->sent;
	path->replies_received = run->replies;
	if (fill_hops(run, &view, path))
		return path;
	path_free(path);
	return NULL;
}

int64_t source_route_duration_ns(const void *self)
{
	const struct source_route *run = self;
	if (run->done)
		return run->ended_ns - run->started_ns;
	return run->sent ? run->burst_sent_ns - run->started_ns : 0;
}

/* ---- how it went */

static const char *refusal_reason(const struct source_route *run)
{
	const struct sr_refusal *refusal = &run->refusal;
	const char *word = icmp_code_word(run->task.target.family, refusal->type, refusal->code);
	if (refusal->kind != ICMP_PARAMETER_PROBLEM)
		return word ? word : "unreachable";
	if (run->kind == SOURCE_ROUTE_TYPE0 && refusal->pointer == POINTER_ROUTING_TYPE)
		return "parameter problem at the routing type, as RFC 5095 demands: type 0 is no longer in "
		       "use";
	if (refusal->pointer == POINTER_ROUTING_TYPE)
		return "parameter problem at the routing type: it does not know segment routing";
	if (refusal->pointer == POINTER_SEGMENTS_LEFT)
		return "parameter problem at the segments left: it does not send on";
	if (run->kind == SOURCE_ROUTE_LOOSE)
		return "parameter problem: options of this kind are not wanted, as RFC 7126 4.3 advises";
	return word ? word : "parameter problem";
}

static enum attempt_status describe_refusal(const struct source_route *run, char *detail, size_t size)
{
	char from[ADDR_TEXT_SIZE];
	bool far = addr_equal(run->refusal.from, run->task.target);
	addr_format(run->refusal.from, from);
	snprintf(detail, size, "%s%s refuses packets with %s: %s", far ? "the far host " : "", from,
		header_names[run->kind], refusal_reason(run));
	return ATTEMPT_REFUSED;
}

static const char *silence_reason(enum source_route_kind kind)
{
	switch (kind) {
	case SOURCE_ROUTE_SEGMENTS:
		return "the far host does not send them on (Linux does with seg6_enabled and forwarding)";
	case SOURCE_ROUTE_TYPE0: return "the far host takes them and says nothing (RFC 5095)";
	case SOURCE_ROUTE_LOOSE: break;
	}
	return "the far host does not send them on, as RFC 7126 4.3 advises";
}

/* No packet was seen beyond the far host. */
static enum attempt_status describe_silence(
	const struct source_route *run, const struct sr_view *view, char *detail, size_t size)
{
	char from[ADDR_TEXT_SIZE];
	unsigned last = view->last_there;
	const char *header = header_names[run->kind];
	addr_format(run->slots[last].from, from);
	if (run->sent > 0 && run->probes[run->sent - 1].error) {
		snprintf(detail, size, "cannot send packets with %s: %s", header,
			strerror(-run->probes[run->sent - 1].error));
		return ATTEMPT_UNAVAILABLE;
	}
	if (last == 0 && run->forward_length != 1) {
		snprintf(detail, size, "no answer to packets with %s: they are dropped on the way%s", header,
			run->kind == SOURCE_ROUTE_LOOSE ? ", as RFC 7126 4.3 advises" : "");
		return ATTEMPT_TIMEOUT;
	}
	/* Hosts that take a packet for themselves do not look at its hop limit. */
	if (addr_equal(run->slots[last].from, run->task.target)) {
		snprintf(detail, size,
			"the far host looks at packets with %s, and nothing comes from beyond: it does not "
			"send them on, or its network drops them for our address as their source (BCP 38)",
			header);
		return ATTEMPT_UNSUPPORTED;
	}
	if (run->forward_length == 0) {
		snprintf(detail, size,
			"packets with %s get to hop %u (%s), and no further: %s, or they are filtered there",
			header, last, from, silence_reason(run->kind));
		return ATTEMPT_TIMEOUT;
	}
	if (last + 1 < run->forward_length) {
		snprintf(detail, size, "packets with %s are dropped after hop %u (%s)", header, last, from);
		return ATTEMPT_TIMEOUT;
	}
	snprintf(detail, size,
		"packets with %s get as far as the far host, and nothing comes from beyond: %s, or they are "
		"filtered right before it",
		header, silence_reason(run->kind));
	return ATTEMPT_UNSUPPORTED;
}

static enum attempt_status describe_proof(
	const struct source_route *run, const struct sr_view *view, char *detail, size_t size)
{
	unsigned routers = 0, silent = 0, last = last_router(run, view);
	char extra[40] = "";
	for (unsigned ttl = view->far + 1; last && ttl <= last; ttl++, routers++)
		silent += !addr_is_set(run->slots[ttl].from);
	if (silent)
		snprintf(extra, sizeof(extra), ", %u of them silent", silent);
	snprintf(detail, size, "the far host sent packets with %s on to us: %u router%s back%s%s%s",
		header_names[run->kind], routers, routers == 1 ? "" : "s", extra,
		view->end
			? ""
			: "; none came home: packets with our address as their source are dropped on the way "
			  "(BCP 38), or by our own firewall",
		far_is_sure(view)
			? ""
			: "; the first of them may be missing, as it is not known how far the far host is");
	return whole(view) ? ATTEMPT_OK : view->end || routers ? ATTEMPT_PARTIAL : ATTEMPT_TIMEOUT;
}

enum attempt_status source_route_status(const void *self, char *detail, size_t size)
{
	const struct source_route *run = self;
	struct sr_view view;
	source_route_look(run, &view);
	if (view.proof)
		return describe_proof(run, &view, detail, size);
	if (addr_is_set(run->refusal.from))
		return describe_refusal(run, detail, size);
	if (run->echoed) {
		snprintf(detail, size,
			"the far host answers packets with %s itself: it does not look at the header",
			header_names[run->kind]);
		return ATTEMPT_UNSUPPORTED;
	}
	return describe_silence(run, &view, detail, size);
}
