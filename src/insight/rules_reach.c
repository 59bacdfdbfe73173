/* Does the way lead to its end, and if not, who or what stops it: loops, refusals, silence for good. */
#include "insight/rules.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* A cycle of `period` hops that starts at `start`: how many hops in a row equal the one a period later. */
static size_t cycle_matches(const struct path *path, size_t start, size_t period)
{
	size_t matches = 0;
	for (size_t i = start; i + period < path->hop_count; i++) {
		const struct hop *now = &path->hops[i], *later = &path->hops[i + period];
		bool known = addr_is_set(now->address) && addr_is_set(later->address);
		/* Several addresses at one hop are balancing, whose reshuffling looks like a loop. */
		if (now->address_count > 1 || later->address_count > 1)
			break;
		if (known && !addr_equal(now->address, later->address))
			break;
		matches += known;
	}
	return matches;
}

void rule_loop(struct view *view)
{
	const struct path *path = view->path;
	for (size_t start = 0; !path->reached && start < path->hop_count; start++) {
		for (size_t period = 2;
			addr_is_set(path->hops[start].address) && start + period < path->hop_count;
			period++) {
			/* The address itself must return; one return alone may be chance. */
			bool returns =
				addr_equal(path->hops[start].address, path->hops[start + period].address);
			size_t matches = returns ? cycle_matches(path, start, period) : 0;
			if (matches < 2)
				continue;
			char first[HOP_LABEL_SIZE], last[HOP_LABEL_SIZE];
			struct finding *finding = measurement_add_finding(view->measurement, "loop",
				SEVERITY_PROBLEM, matches > period ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY,
				path->direction,
				"Packets circle among %zu routers, from %s to %s and again, until their "
				"lifetime ends: "
				"a routing loop.",
				period, hop_label(path, start, first),
				hop_label(path, start + period - 1, last));
			if (!finding)
				return;
			finding_add_range(finding, path, start, path->hop_count - 1);
			finding_add_evidence(finding,
				"%zu answers repeat the one %zu hops earlier, in one constant flow", matches,
				period);
			finding_set_text(&finding->disproof,
				"A loop that is gone in the next round was a route settling.");
			finding_set_text(&finding->advice,
				"Compare the routes to %s on the routers of the circle.",
				path->direction == DIRECTION_REVERSE ? "the asking host" : "the target");
			view->broken = true;
			view->single = start;
			return;
		}
	}
}

enum refusal { REFUSAL_NONE, REFUSAL_UNREACHABLE, REFUSAL_FILTER };

/* RFC 792 and 1122 3.2.2.1, RFC 1812 5.2.7.1 (codes 9, 10, 13); RFC 4443 3.1 (codes 1, 5, 6). */
static enum refusal refusal_of(const struct path *path, const struct probe_result *probe)
{
	bool v4 = probe->address.family == 4;
	if (!addr_is_set(probe->address) || probe->icmp_type != (v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE))
		return REFUSAL_NONE;
	int code = probe->icmp_code;
	bool from_target = addr_equal(probe->address, path->destination);
	if (code == (v4 ? 3 : 4)) /* port: the target's own way to say that the probe arrived */
		return from_target || path->reached ? REFUSAL_NONE : REFUSAL_FILTER;
	if (v4 && code == 2 && from_target) /* the same of a protocol that it does not speak */
		return REFUSAL_NONE;
	if (v4 && code == 4) /* too big for the next link: a matter of size, not of reach */
		return REFUSAL_NONE;
	bool filter = v4 ? code == 9 || code == 10 || code == 13 : code == 1 || code == 5 || code == 6;
	return filter ? REFUSAL_FILTER : REFUSAL_UNREACHABLE;
}

static const char *refusal_words(const struct probe_result *probe)
{
	static const char *const v4[] = {"network unreachable", "host unreachable", "protocol unreachable",
		"port unreachable", "", "source route failed", "network unknown", "host unknown",
		"source isolated", "network prohibited", "host prohibited",
		"network unreachable for this class of service", "host unreachable for this class of service",
		"communication prohibited", "precedence violation", "precedence cut off"};
	static const char *const v6[] = {"no route to destination", "communication prohibited",
		"beyond scope of source address", "address unreachable", "port unreachable",
		"source address failed policy", "route rejected"};
	size_t code = (size_t)probe->icmp_code;
	if (probe->address.family == 4)
		return code < ARRAY_LEN(v4) ? v4[code] : "unreachable";
	return code < ARRAY_LEN(v6) ? v6[code] : "unreachable";
}

static void report_refusal(
	struct view *view, size_t index, const struct probe_result *probe, enum refusal refusal)
{
	const struct path *path = view->path;
	const struct hop *hop = &path->hops[index];
	unsigned marks = 0;
	for (size_t i = 0; i < hop->probe_count; i++)
		marks += refusal_of(path, &hop->probes[i]) != REFUSAL_NONE;
	char label[HOP_LABEL_SIZE], address[ADDR_TEXT_SIZE];
	struct finding *finding =
		measurement_add_finding(view->measurement, refusal == REFUSAL_FILTER ? "filtered" : "refused",
			path->reached ? SEVERITY_WARNING : SEVERITY_PROBLEM, CONFIDENCE_CERTAIN,
			path->direction, "%s says \"%s\": it does not pass the packets on.",
			hop_label(path, index, label), refusal_words(probe));
	if (!finding)
		return;
	finding->summary[0] = (char)toupper((unsigned char)finding->summary[0]);
	finding_add_hop(finding, path_hop_number(path, index));
	finding_add_evidence(finding,
		"%u of %u probes at this hop were answered with ICMP type %d code %d from %s", marks,
		hop->sent, probe->icmp_type, probe->icmp_code, addr_format(probe->address, address));
	if (marks < hop->sent)
		finding_add_evidence(
			finding, "routers limit how often they send this message; one is enough");
	finding_set_text(&finding->disproof,
		"A firewall may answer under a foreign address; a test with another protocol shows whether "
		"all is refused.");
	finding_set_text(&finding->advice, "%s",
		refusal == REFUSAL_FILTER
			? "Ask the operator of this router for its filter; try --tcp to an open port."
			: "Check that the target is up, and the route towards it on this router.");
	if (!path->reached)
		view->broken = true;
}

void rule_refused(struct view *view)
{
	for (size_t i = 0; i < view->path->hop_count; i++) {
		const struct hop *hop = &view->path->hops[i];
		for (size_t j = 0; j < hop->probe_count; j++) {
			enum refusal refusal = refusal_of(view->path, &hop->probes[j]);
			if (refusal == REFUSAL_NONE)
				continue;
			report_refusal(view, i, &hop->probes[j], refusal);
			return;
		}
	}
}

/* The far host answered on another way, so it is there and can be reached: then only these probes die. */
static bool target_is_alive(const struct view *view)
{
	const struct measurement *measurement = view->measurement;
	if (view->path != measurement->forward || !measurement->reverse)
		return false;
	return measurement->reverse->replies_received > 0 &&
		(strcmp(measurement->reverse->method, "responder") == 0 ||
			strcmp(measurement->reverse->method, "inband") == 0);
}

static void protocol_label(const struct path_try *attempt, char *text, size_t size)
{
	if (attempt->destination_port)
		snprintf(text, size, "%s to port %u", protocol_word(attempt->protocol),
			attempt->destination_port);
	else
		snprintf(text, size, "%s", protocol_word(attempt->protocol));
}

static bool loses_some(const struct path *path)
{
	for (size_t i = 0; i < path->hop_count; i++)
		if (path->hops[i].received > 0 && path->hops[i].received < path->hops[i].sent)
			return true;
	return false;
}

/* One protocol met silence where another got through: they were sent within the same second. */
static void report_filtered_protocol(struct view *view)
{
	const struct path *path = view->path;
	const struct path_try *silent = &path->tries[0], *through = NULL;
	char first[40], second[40];
	size_t hop = 0;
	for (size_t i = 1; i < path->try_count && !through; i++)
		if (path->tries[i].first_ttl > 0)
			through = &path->tries[i];
	if (!through)
		return;
	protocol_label(silent, first, sizeof(first));
	protocol_label(through, second, sizeof(second));
	while (hop + 1 < path->hop_count && path->hops[hop].ttl < through->first_ttl)
		hop++;
	struct finding *finding = measurement_add_finding(view->measurement, "filtered", SEVERITY_INFO,
		loses_some(path) ? CONFIDENCE_POSSIBLE : CONFIDENCE_LIKELY, path->direction,
		"From hop %d on nothing answers %s; %s gets through to the destination.", through->first_ttl,
		first, second);
	if (!finding)
		return;
	finding_add_range(finding, path, hop, path->hop_count - 1);
	finding_add_evidence(finding, "%s: %u probes, %u answers, none from the destination", first,
		silent->sent, silent->received);
	finding_add_evidence(finding, "%s: %u probes, %u answers, the destination among them", second,
		through->sent, through->received);
	if (loses_some(path))
		finding_add_evidence(finding,
			"but some hops left probes unanswered, so that all of these may be lost by chance");
	finding_set_text(&finding->disproof,
		"Routers and hosts that merely limit their answers look the same; a slower "
		"trace with --%s shows it.",
		protocol_word(silent->protocol));
}

/* The last that answers has answered before: packets came back to it, and then its limit on replies, or that
 * of the others in the circle, hides what they do. */
static bool report_return(struct view *view, size_t last)
{
	const struct path *path = view->path;
	char label[HOP_LABEL_SIZE];
	size_t first = last;
	for (size_t i = 0; i + 1 < last && first == last; i++)
		if (path->hops[i].address_count == 1 && path->hops[last].address_count == 1 &&
			addr_equal(path->hops[i].address, path->hops[last].address))
			first = i;
	/* Neighbours with one address are one router that shows twice. */
	if (last == path->hop_count || first == last ||
		addr_equal(path->hops[last - 1].address, path->hops[last].address))
		return false;
	struct finding *finding = measurement_add_finding(view->measurement, "loop", SEVERITY_PROBLEM,
		CONFIDENCE_POSSIBLE, path->direction,
		"Packets come back to %s, and nothing answers beyond: they may circle, or are lost there.",
		hop_label(path, last, label));
	if (!finding)
		return true;
	finding_add_hop(finding, path_hop_number(path, first));
	finding_add_hop(finding, path_hop_number(path, last));
	finding_add_evidence(finding,
		"the same address answers at hop %d and at hop %d, in one constant flow",
		path_hop_number(path, first), path_hop_number(path, last));
	finding_set_text(&finding->disproof,
		"A route that changed in between. In a loop, more hops repeat when asked slowly enough for "
		"limits on replies.");
	finding_set_text(&finding->advice, "Repeat it; then compare the routes to %s on these routers.",
		path->direction == DIRECTION_REVERSE ? "the asking host" : "the target");
	view->broken = true;
	view->single = first;
	return true;
}

void rule_black_hole(struct view *view)
{
	if (view->path->reached && view->path->try_count > 1)
		report_filtered_protocol(view);
	const struct path *path = view->path;
	bool gave_up = path->stop_reason == STOP_GAP_LIMIT || path->stop_reason == STOP_MAX_HOPS;
	size_t last = last_answering(path);
	if (view->broken || path->reached || !gave_up || path->hop_count == 0 || last + 1 == path->hop_count)
		return;
	if (report_return(view, last))
		return;
	const char *protocol = protocol_word(path->protocol);
	bool any = last < path->hop_count;
	char label[HOP_LABEL_SIZE] = "";
	if (any)
		hop_label(path, last, label);
	struct finding *finding;
	if (target_is_alive(view))
		finding = measurement_add_finding(view->measurement, "filtered", SEVERITY_WARNING,
			CONFIDENCE_LIKELY, path->direction,
			"%s%s%s probes stay without answer, yet the far host answers other packets: "
			"something "
			"filters these.",
			any ? "Beyond " : "All ", any ? label : "", any ? " the" : "");
	else
		finding = measurement_add_finding(view->measurement, "black-hole", SEVERITY_PROBLEM,
			CONFIDENCE_LIKELY, path->direction,
			"Nothing answers %s%s: the packets are lost or blocked there, or the answers are.",
			any ? "beyond " : "at all, not even the first hop", label);
	if (!finding)
		return;
	size_t first_silent = any ? last + 1 : 0;
	unsigned unanswered = 0;
	for (size_t i = first_silent; i < path->hop_count; i++)
		unanswered += path->hops[i].sent;
	finding_add_range(finding, path, first_silent, path->hop_count - 1);
	if (any)
		finding_add_evidence(finding, "the last answer came from %s", label);
	for (size_t i = 1; i < path->try_count; i++) {
		char other[40];
		protocol_label(&path->tries[i], other, sizeof(other));
		finding_add_evidence(finding, "%s was tried as well and met the same silence", other);
	}
	finding_add_evidence(
		finding, "%u %s probes with a longer reach stayed without answer", unanswered, protocol);
	finding_set_text(&finding->disproof,
		"An answer on another protocol would make it a filter; only %s %s tried.", protocol,
		path->try_count > 1 ? "and those above were" : "was");
	finding_set_text(&finding->advice, "%s",
		any && path->try_count > 1 ? "Ask the operator of the last router that answers."
			: any
			? "Try the other protocols; then ask the operator of the last router that answers."
			: "Check the own connection first: not even the nearest router answers.");
	view->broken = true;
	for (size_t i = first_silent; i < path->hop_count; i++)
		view->explained[i] = true;
}
