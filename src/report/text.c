#include "report/text.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "report/lanes.h"
#include "report/techniques.h"
#include "report/ways.h"
#include "reverse/vantage.h"

static const char *end_name(const char *name, struct addr address, char *text, size_t size)
{
	char clean[TEXT_MAX], buffer[ADDR_TEXT_SIZE];
	addr_format(address, buffer);
	if (name && *name && strcmp(name, buffer) != 0)
		snprintf(text, size, "%s (%s)", escape_text(name, clean, sizeof(clean)),
			*buffer ? buffer : "?");
	else
		snprintf(text, size, "%s", *buffer ? buffer : "unknown");
	return text;
}

static void print_title(FILE *out, const struct measurement *m, const struct report_options *options)
{
	char when[TIME_TEXT_SIZE] = "", source[TEXT_MAX], target[TEXT_MAX], text[3 * TEXT_MAX],
	     public[ADDR_TEXT_SIZE];
	if (m->started_wall_ns != 0) {
		clock_format(m->started_wall_ns, when);
		memcpy(when + strlen("2026-01-31T12:00:00"), "Z", 2);
	}
	bool translated = addr_is_set(m->public_address) && !addr_equal(m->public_address, m->source);
	snprintf(text, sizeof(text), "%s%sfrom %s%s%s to %s", when, *when ? "  " : "",
		end_name(m->source_name, m->source, source, sizeof(source)), translated ? ", seen as " : "",
		translated ? addr_format(m->public_address, public) : "",
		end_name(m->target_name, m->target, target, sizeof(target)));
	print_wrapped(out, options, ROLE_STRONG, "retour " RETOUR_VERSION "  ", 7, text);
}

static const char *protocol_title(enum probe_protocol protocol)
{
	static const char *const titles[] = {"ICMP", "UDP", "TCP", "UDP-Lite", "bare IP"};
	return titles[protocol];
}

static void flow_text(const struct path *path, char *text, size_t size)
{
	const struct flow *flow = &path->flow;
	const char *protocol = protocol_title(path->protocol);
	if (path->protocol != PROBE_ICMP && !flow->source_port && flow->destination_port)
		snprintf(text, size, "%s to port %u", protocol, flow->destination_port);
	else if (path->protocol != PROBE_ICMP && (flow->source_port || flow->destination_port))
		snprintf(text, size, "%s port %u to %u", protocol, flow->source_port, flow->destination_port);
	else if (path->protocol == PROBE_ICMP && flow->icmp_id)
		snprintf(text, size, "%s id %u", protocol, flow->icmp_id);
	else
		snprintf(text, size, "%s", protocol);
}

/* Which protocols were tried, and which one got through. */
static void print_tries(FILE *out, const struct path *path, const struct report_options *options)
{
	for (size_t i = 0; i < path->try_count; i++) {
		const struct path_try *attempt = &path->tries[i];
		char text[TEXT_MAX], port[24] = "", hops[40] = "";
		if (attempt->destination_port)
			snprintf(port, sizeof(port), " to port %u", attempt->destination_port);
		if (attempt->first_ttl > 0)
			snprintf(
				hops, sizeof(hops), "; hops %d to %d", attempt->first_ttl, attempt->last_ttl);
		snprintf(text, sizeof(text), "%s%s: %s%s; %u probes, %u answers",
			protocol_title(attempt->protocol), port,
			attempt->reached ? "got through" : "no answer from the destination", hops,
			attempt->sent, attempt->received);
		print_wrapped(out, options, ROLE_PLAIN, "tried  ", 7, text);
	}
}

/* Who traced in the far host's stead: its way is not quite the same. */
static void print_vantage(FILE *out, const struct vantage *vantage, const struct report_options *options)
{
	char text[TEXT_MAX];
	snprintf(text, sizeof(text), "%.200s, %s: not the far host itself", vantage->name,
		vantage_phrase(vantage->distance));
	print_wrapped(out, options, ROLE_PLAIN, "traced by  ", 7, text);
}

static void print_path_line(FILE *out, const struct path *path, const struct report_options *options)
{
	char flow[80], text[TEXT_MAX], method[80] = "";
	flow_text(path, flow, sizeof(flow));
	bool forward = path->direction == DIRECTION_FORWARD;
	if (!forward)
		snprintf(method, sizeof(method), "by %.60s, ", path->method);
	/* Round trips on the way back are the far host's. */
	bool timed = false;
	for (size_t i = 0; i < path->hop_count; i++)
		timed |= path->hops[i].rtt_median_ns != RTT_NONE;
	char duration[40] = "", packets[200];
	if (techniques_composed(path))
		snprintf(packets, sizeof(packets), "%u packet%s with options by vantage points",
			path->probes_sent, path->probes_sent == 1 ? "" : "s");
	else
		snprintf(packets, sizeof(packets), "%s; %u probe%s, %u answer%s", flow, path->probes_sent,
			path->probes_sent == 1 ? "" : "s", path->replies_received,
			path->replies_received == 1 ? "" : "s");
	if (path->duration_ns > 0)
		snprintf(duration, sizeof(duration), " in %.2f s", (double)path->duration_ns / 1e9);
	snprintf(text, sizeof(text), "%s%zu hop%s, %s; %s%s%s", method, path->hop_count,
		path->hop_count == 1 ? "" : "s",
		path->reached ? (forward ? "reached" : "complete") : (forward ? "NOT REACHED" : "INCOMPLETE"),
		packets, duration,
		!timed || forward	? ""
			: path->vantage ? "; times as the vantage point sees them"
					: "; times as the far host sees them");
	print_wrapped(out, options, ROLE_STRONG, forward ? "there  " : "back   ", 7, text);
	if (path->vantage)
		print_vantage(out, path->vantage, options);
	print_tries(out, path, options);
	print_techniques(out, path, options);
}

/* Its hops did not answer us one by one: there is more to say about how they are known. */
static bool concluded(const struct path *path)
{
	for (size_t i = 0; path && i < path->hop_count; i++)
		if (path->hops[i].technique == TECHNIQUE_RECORD_ROUTE ||
			path->hops[i].technique == TECHNIQUE_REMOTE_TRACE)
			return true;
	return false;
}

static void print_attempts(FILE *out, const struct measurement *m, const struct report_options *options)
{
	for (size_t i = 0; i < m->attempt_count; i++) {
		const struct attempt *attempt = &m->attempts[i];
		bool worked = attempt->status == ATTEMPT_OK;
		/* The way that worked is the lane itself, unless a conclusion was needed. */
		if (worked && !(attempt->detail && concluded(m->reverse) && !techniques_composed(m->reverse)))
			continue;
		char text[TEXT_MAX];
		snprintf(text, sizeof(text), "by %s: %s%s%s", attempt->method,
			worked ? "" : attempt_status_word(attempt->status),
			attempt->detail && !worked ? ", " : "", attempt->detail ? attempt->detail : "");
		print_wrapped(out, options, ROLE_STRONG, worked ? "known  " : "tried  ", 7, text);
	}
	if (!m->reverse && m->attempt_count > 0)
		print_wrapped(out, options, ROLE_WARNING, "back   ", 7, "the way back is unknown");
}

static void print_findings(FILE *out, const struct measurement *m, const struct report_options *options)
{
	static const enum role roles[] = {ROLE_STRONG, ROLE_WARNING, ROLE_PROBLEM};
	static const char *const words[] = {"INFO", "WARNING", "PROBLEM"};
	if (m->finding_count > 0 || m->forward)
		print_newline(out);
	if (m->finding_count == 0 && m->forward)
		print_wrapped(out, options, ROLE_PLAIN, "", 0, "Nothing to remark.");
	for (size_t i = 0; i < m->finding_count; i++) {
		const struct finding *finding = &m->findings[i];
		char prefix[64];
		snprintf(prefix, sizeof(prefix), "%zu. %s (%s) ", i + 1, words[finding->severity],
			confidence_word(finding->confidence));
		print_wrapped(out, options, roles[finding->severity], prefix, 3, finding->summary);
	}
}

static void print_reasons(FILE *out, const struct measurement *m, const struct report_options *options)
{
	for (size_t i = 0; i < m->finding_count; i++) {
		const struct finding *finding = &m->findings[i];
		char title[160];
		snprintf(title, sizeof(title), "%zu. %.100s", i + 1, finding->id);
		print_newline(out);
		print_wrapped(out, options, ROLE_STRONG, "", 0, title);
		for (size_t j = 0; j < finding->evidence_count; j++)
			print_wrapped(out, options, ROLE_PLAIN, "   seen    ", 11, finding->evidence[j]);
		if (finding->disproof)
			print_wrapped(out, options, ROLE_PLAIN, "   unless  ", 11, finding->disproof);
		if (finding->advice)
			print_wrapped(out, options, ROLE_PLAIN, "   do      ", 11, finding->advice);
	}
}

static bool has_certainty(const struct path *path, enum certainty certainty)
{
	for (size_t i = 0; path && i < path->hop_count; i++)
		if (path->hops[i].certainty == certainty)
			return true;
	return false;
}

static bool has_shared(const struct measurement *m, enum shared_by by)
{
	for (size_t i = 0; m->alignment && i < m->alignment->shared_count; i++)
		if (m->alignment->shared[i].by == by)
			return true;
	return false;
}

/* Only the marks that were used. */
static void print_legend(FILE *out, const struct measurement *m, const struct report_options *options)
{
	const struct glyphs *glyphs = glyphs_of(options);
	char text[TEXT_MAX];
	static const char *const reasons[] = {
		"same address", "names of two interfaces of one router", "two ends of one link show it"};
	for (int by = SHARED_BY_ADDRESS; by <= SHARED_BY_SUBNET; by++) {
		if (!has_shared(m, (enum shared_by)by))
			continue;
		snprintf(
			text, sizeof(text), "%s same router on both ways: %s", glyphs->mark[by], reasons[by]);
		paint(out, options, ROLE_DIM, text, 0);
		print_newline(out);
	}
	if (has_certainty(m->forward, CERTAINTY_INFERRED) || has_certainty(m->reverse, CERTAINTY_INFERRED))
		print_wrapped(out, options, ROLE_DIM, "~ ", 2, "inferred, not measured");
	if (has_certainty(m->forward, CERTAINTY_ASSUMED) || has_certainty(m->reverse, CERTAINTY_ASSUMED))
		print_wrapped(out, options, ROLE_DIM, "? ", 2, "assumed, not measured");
}

static bool as_named_before(const struct measurement *m, const struct path *path, size_t index)
{
	uint32_t asn = path->hops[index].asn;
	for (size_t i = 0; path == m->reverse && m->forward && i < m->forward->hop_count; i++)
		if (m->forward->hops[i].asn == asn && m->forward->hops[i].as_name)
			return true;
	for (size_t i = 0; i < index; i++)
		if (path->hops[i].asn == asn && path->hops[i].as_name)
			return true;
	return false;
}

static void print_networks(
	FILE *out, const struct measurement *m, const struct path *path, const struct report_options *options)
{
	for (size_t i = 0; path && i < path->hop_count; i++) {
		const struct hop *hop = &path->hops[i];
		if (hop->asn == 0 || !hop->as_name || as_named_before(m, path, i))
			continue;
		char prefix[24];
		snprintf(prefix, sizeof(prefix), "AS%u ", hop->asn);
		print_wrapped(out, options, ROLE_DIM, prefix, 8, hop->as_name);
	}
}

int report_text(FILE *out, const struct measurement *measurement, const struct report_options *given)
{
	struct report_options options = *given;
	options.width = MAX(options.width, REPORT_WIDTH_MIN);
	print_title(out, measurement, &options);
	if (measurement->forward)
		print_path_line(out, measurement->forward, &options);
	if (measurement->forward)
		print_mtu(out, measurement->forward, &options);
	if (measurement->reverse)
		print_path_line(out, measurement->reverse, &options);
	print_attempts(out, measurement, &options);
	print_findings(out, measurement, &options);
	int status = 0;
	if (measurement->forward || measurement->reverse)
		print_newline(out);
	if (measurement->forward && measurement->reverse && options.width >= REPORT_WIDTH_TWO_LANES)
		status = lanes_side_by_side(out, measurement, &options);
	else
		lanes_stacked(out, measurement, &options);
	if (measurement->forward)
		print_ways(out, measurement->forward, &options);
	if (measurement->reverse)
		print_ways(out, measurement->reverse, &options);
	if (measurement->forward || measurement->reverse)
		print_newline(out);
	print_legend(out, measurement, &options);
	print_networks(out, measurement, measurement->forward, &options);
	print_networks(out, measurement, measurement->reverse, &options);
	print_reasons(out, measurement, &options);
	if (status == 0 && (fflush(out) != 0 || ferror(out)))
		status = -EIO;
	return status;
}
