#include "report/ways.h"

#include <string.h>

#include "base/compiler.h"

#define ADDRESS_COLUMNS_MIN 15

static size_t count_from(const struct path *path, int ttl, struct addr from)
{
	size_t count = 0;
	for (size_t i = 0; i < path->edge_count; i++)
		count += path->edges[i].ttl == ttl && addr_equal(path->edges[i].from, from);
	return count;
}

/* The first edge of several that leave the same router. */
static bool is_first_from(const struct path *path, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (path->edges[i].ttl == path->edges[index].ttl &&
			addr_equal(path->edges[i].from, path->edges[index].from))
			return false;
	return true;
}

/* Flows of all edges that leave this router at this hop. */
static unsigned flows_from(const struct path *path, int ttl, struct addr from)
{
	unsigned flows = 0;
	for (size_t i = 0; i < path->edge_count; i++)
		if (path->edges[i].ttl == ttl && addr_equal(path->edges[i].from, from))
			flows += path->edges[i].flows;
	return flows;
}

static void format_time(int64_t ns, char *text, size_t size)
{
	double ms = (double)ns / 1e6;
	if (ns == RTT_NONE)
		snprintf(text, size, "-");
	else
		snprintf(text, size, "%.*f", ms < 10 ? 2 : 1, ms);
}

static int address_columns(const struct path *path)
{
	int columns = ADDRESS_COLUMNS_MIN;
	char text[ADDR_TEXT_SIZE];
	for (size_t i = 0; i < path->edge_count; i++)
		columns = MAX(columns, (int)strlen(addr_format(path->edges[i].to, text)));
	return columns;
}

static void print_edge(FILE *out, const struct path *path, const struct edge *edge, int columns,
	const struct report_options *options)
{
	char address[ADDR_TEXT_SIZE], share[32], lost[32], time[32], flow[16] = "", text[TEXT_MAX];
	addr_format(edge->to, address);
	snprintf(share, sizeof(share), "%u/%u", edge->flows, flows_from(path, edge->ttl, edge->from));
	snprintf(lost, sizeof(lost), "%u/%u", edge->sent - MIN(edge->received, edge->sent), edge->sent);
	format_time(edge->rtt_ns, time, sizeof(time));
	unsigned number = edge->source_port ? edge->source_port
		: edge->destination_port    ? edge->destination_port
					    : edge->icmp_checksum;
	if (number)
		snprintf(flow, sizeof(flow), "%u", number);
	snprintf(
		text, sizeof(text), "       %-*s %8s %8s %8s %9s", columns, address, share, lost, time, flow);
	paint(out, options, edge->received < edge->sent ? ROLE_WARNING : ROLE_PLAIN, text, 0);
	print_newline(out);
}

/* A router behind which ways part: each of them on a line. */
static void print_split(FILE *out, const struct path *path, size_t index, const struct hop *hop, int columns,
	const struct report_options *options)
{
	const struct edge *first = &path->edges[index];
	char address[ADDR_TEXT_SIZE], text[TEXT_MAX];
	snprintf(text, sizeof(text), "hop %-2d behind %s%s%s", first->ttl, addr_format(first->from, address),
		hop->by_packet ? ", packet by packet: no flow keeps to one" : "",
		hop->incomplete ? "; answers are limited, there may be more" : "");
	paint(out, options, ROLE_STRONG, text, 0);
	print_newline(out);
	for (size_t i = index; i < path->edge_count; i++)
		if (path->edges[i].ttl == first->ttl && addr_equal(path->edges[i].from, first->from))
			print_edge(out, path, &path->edges[i], columns, options);
}

/* Routers of a wide hop that go on in one way each. */
static void print_going_on(
	FILE *out, const struct path *path, const struct hop *hop, const struct report_options *options)
{
	char to[ADDR_TEXT_SIZE], from[ADDR_TEXT_SIZE], text[TEXT_MAX];
	for (size_t i = 0; i < hop->address_count; i++) {
		size_t used = 0;
		for (size_t j = 0; j < path->edge_count; j++) {
			const struct edge *edge = &path->edges[j];
			if (edge->ttl != hop->ttl || !addr_equal(edge->to, hop->addresses[i]) ||
				count_from(path, edge->ttl, edge->from) > 1 || used + 60 > sizeof(text))
				continue;
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? ", " : "",
				addr_format(edge->from, from));
		}
		if (used == 0)
			continue;
		char prefix[TEXT_MAX];
		snprintf(prefix, sizeof(prefix), "hop %-2d %s%s behind ", hop->ttl,
			addr_format(hop->addresses[i], to), hop->address_count == 1 ? " joins the ways" : "");
		print_wrapped(out, options, ROLE_PLAIN, prefix, 7, text);
	}
}

static bool is_wide(const struct path *path, size_t index)
{
	return index < path->hop_count && path->hops[index].address_count > 1;
}

static void print_heading(
	FILE *out, const struct path *path, int columns, const struct report_options *options)
{
	char text[TEXT_MAX];
	bool icmp = path->protocol == PROBE_ICMP, back = path->direction == DIRECTION_REVERSE;
	snprintf(text, sizeof(text), "%-*s %8s %8s %8s %9s", columns + 7, back ? "WAYS BACK" : "WAYS",
		"flows", "lost", "median",
		icmp	       ? "checksum"
			: back ? "to port"
			       : "from port");
	paint(out, options, ROLE_STRONG, text, 0);
	print_newline(out);
}

/* Some router stands beside others at its distance and shows one next hop: less is asked there
 * (trace/stopping.c). */
static bool any_inside(const struct path *path)
{
	for (size_t i = 0; i < path->edge_count; i++)
		for (size_t j = 0; j + 1 < path->hop_count; j++)
			if (path->hops[j].ttl == path->edges[i].ttl - 1 && is_wide(path, j) &&
				count_from(path, path->edges[i].ttl, path->edges[i].from) == 1)
				return true;
	return false;
}

/* How sure it is, and where less: there the rule of stopping is weaker than the one the percentage stands
 * for. */
static void print_sureness(
	FILE *out, const struct path *path, bool parts, const struct report_options *options)
{
	char text[TEXT_MAX];
	snprintf(text, sizeof(text),
		"%s%u flows were tried; %.4g %% sure that no next hop of a router was overlooked, less sure "
		"of the "
		"first hop and of routers right before the destination%s, where less is asked",
		parts ? "" : "All flows take one way. ", path->flow_count, 100 * path->confidence,
		any_inside(path) ? " or beside others" : "");
	print_wrapped(out, options, ROLE_DIM, "", 7, text);
}

void print_ways(FILE *out, const struct path *path, const struct report_options *options)
{
	bool any = false;
	int columns = address_columns(path);
	if (path->confidence <= 0)
		return;
	for (size_t i = 0; i < path->hop_count; i++)
		any |= is_wide(path, i);
	print_newline(out);
	if (any)
		print_heading(out, path, columns, options);
	for (size_t i = 0; i < path->hop_count; i++) {
		const struct hop *hop = &path->hops[i];
		if (!is_wide(path, i) && (i == 0 || !is_wide(path, i - 1)))
			continue;
		for (size_t j = 0; j < path->edge_count; j++)
			if (path->edges[j].ttl == hop->ttl && is_first_from(path, j) &&
				count_from(path, hop->ttl, path->edges[j].from) > 1)
				print_split(out, path, j, hop, columns, options);
		print_going_on(out, path, hop, options);
	}
	print_sureness(out, path, any, options);
}

/* "hop 4 (192.0.2.1)" */
static const char *place_of(const struct path *path, int ttl, char *text, size_t size)
{
	char address[ADDR_TEXT_SIZE] = "";
	for (size_t i = 0; i < path->hop_count; i++)
		if (path->hops[i].ttl == ttl)
			addr_format(path->hops[i].address, address);
	if (ttl < 0)
		snprintf(text, size, "a hop that is not known");
	else if (ttl == 0)
		snprintf(text, size, "this host");
	else
		snprintf(text, size, "hop %d%s%s%s", ttl, *address ? " (" : "", address, *address ? ")" : "");
	return text;
}

void print_mtu(FILE *out, const struct path *path, const struct report_options *options)
{
	const struct path_mtu *mtu = &path->mtu;
	char text[TEXT_MAX], place[100];
	if (!mtu->measured)
		return;
	if (mtu->bytes == 0) {
		print_wrapped(out, options, ROLE_STRONG, "size   ", 7,
			"not known: not even small packets were answered");
		return;
	}
	int used = snprintf(text, sizeof(text), "packets of up to %u bytes get through", mtu->bytes);
	for (size_t i = 0; i < mtu->step_count && used + 150 < (int)sizeof(text); i++) {
		const struct mtu_step *step = &mtu->steps[i];
		place_of(path, step->ttl, place, sizeof(place));
		if (addr_is_set(step->said_by))
			used += snprintf(text + used, sizeof(text) - (size_t)used, "; %s says %u", place,
				step->said_bytes);
		else
			used += snprintf(text + used, sizeof(text) - (size_t)used,
				"; larger ones VANISH behind %s, without a word", place);
	}
	print_wrapped(out, options, ROLE_STRONG, "size   ", 7, text);
}
