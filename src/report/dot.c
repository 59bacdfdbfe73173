#include "report/dot.h"

#include <errno.h>
#include <string.h>

#include "base/escape.h"

/* Text inside quotes of the DOT language. */
static void print_quoted(FILE *out, const char *text)
{
	char clean[512];
	for (const char *s = escape_text(text, clean, sizeof(clean)); *s; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', out);
		fputc(*s, out);
	}
}

static bool is_new(const struct path *path, size_t hop_index, size_t address_index)
{
	struct addr address = path->hops[hop_index].addresses[address_index];
	for (size_t i = 0; i < hop_index; i++)
		for (size_t j = 0; j < path->hops[i].address_count; j++)
			if (addr_equal(path->hops[i].addresses[j], address))
				return false;
	return true;
}

static void print_node(FILE *out, const struct path *path, const struct hop *hop, struct addr address)
{
	char text[ADDR_TEXT_SIZE];
	addr_format(address, text);
	fprintf(out, "  \"%s\" [label=\"", text);
	if (hop->name && addr_equal(address, hop->address)) {
		print_quoted(out, hop->name);
		fputs("\\n", out);
	}
	fprintf(out, "%s\\nhop %d", text, hop->ttl);
	if (hop->asn && addr_equal(address, hop->address))
		fprintf(out, ", AS%u", hop->asn);
	fputs("\"", out);
	if (addr_equal(address, path->destination))
		fputs(", shape=doublecircle", out);
	else if (hop->by_packet)
		fputs(", style=dotted", out);
	fputs("];\n", out);
}

/* The ways back are in another colour. */
static const char *style_of(const struct path *path)
{
	return path->direction == DIRECTION_REVERSE ? "color=blue, " : "";
}

static void print_edge(FILE *out, const struct path *path, const struct edge *edge)
{
	char from[ADDR_TEXT_SIZE], to[ADDR_TEXT_SIZE];
	fprintf(out, "  \"%s\" -> \"%s\" [%slabel=\"%u flow%s", addr_format(edge->from, from),
		addr_format(edge->to, to), style_of(path), edge->flows, edge->flows == 1 ? "" : "s");
	if (edge->rtt_ns != RTT_NONE)
		fprintf(out, ", %.2f ms", (double)edge->rtt_ns / 1e6);
	if (edge->received < edge->sent)
		fprintf(out, "\\nlost %u of %u", edge->sent - edge->received, edge->sent);
	if (edge->source_port)
		fprintf(out, "\\nfrom port %u", edge->source_port);
	if (edge->destination_port)
		fprintf(out, "\\nto port %u", edge->destination_port);
	if (edge->icmp_checksum)
		fprintf(out, "\\nchecksum %u", edge->icmp_checksum);
	fputs("\"];\n", out);
}

static unsigned flow_of(const struct probe_result *probe)
{
	uint16_t other = probe->destination_port ? probe->destination_port : probe->icmp_checksum;
	return (unsigned)probe->source_port << 16 | other;
}

/* Where this flow was seen at a hop; none: it was not. */
static struct addr seen_at(const struct hop *hop, unsigned flow)
{
	for (size_t i = 0; i < hop->probe_count; i++)
		if (flow_of(&hop->probes[i]) == flow && probe_answered(&hop->probes[i]))
			return hop->probes[i].address;
	return ADDR_NONE;
}

static bool is_known(const struct addr (*pairs)[2], size_t count, struct addr from, struct addr to)
{
	for (size_t i = 0; i < count; i++)
		if (addr_equal(pairs[i][0], from) && addr_equal(pairs[i][1], to))
			return true;
	return false;
}

/* Flows that were seen before and behind hops at which nobody answers. */
static void print_gap(FILE *out, const struct path *path, size_t before, size_t behind)
{
	struct addr pairs[64][2];
	size_t count = 0;
	const struct hop *left = &path->hops[before], *right = &path->hops[behind];
	if (left->by_packet || right->by_packet)
		return;
	for (size_t i = 0; i < left->probe_count && count < ARRAY_LEN(pairs); i++) {
		struct addr from = left->probes[i].address, to = seen_at(right, flow_of(&left->probes[i]));
		char a[ADDR_TEXT_SIZE], b[ADDR_TEXT_SIZE];
		if (!addr_is_set(from) || !addr_is_set(to) ||
			is_known((const struct addr(*)[2])pairs, count, from, to))
			continue;
		pairs[count][0] = from;
		pairs[count++][1] = to;
		fprintf(out, "  \"%s\" -> \"%s\" [%sstyle=dashed, label=\"%zu silent\"];\n",
			addr_format(from, a), addr_format(to, b), style_of(path), behind - before - 1);
	}
}

static void print_gaps(FILE *out, const struct path *path)
{
	for (size_t i = 0; i < path->hop_count; i++) {
		size_t behind = i + 1;
		while (behind < path->hop_count && path->hops[behind].received == 0)
			behind++;
		if (path->hops[i].received > 0 && behind > i + 1 && behind < path->hop_count)
			print_gap(out, path, i, behind);
	}
}

static bool is_in(const struct path *path, struct addr address)
{
	for (size_t i = 0; i < path->hop_count; i++)
		for (size_t j = 0; j < path->hops[i].address_count; j++)
			if (addr_equal(path->hops[i].addresses[j], address))
				return true;
	return addr_equal(path->source, address);
}

/* `drawn`: what it shares nodes with, or NULL. */
static void print_path(FILE *out, const struct path *path, const struct path *drawn)
{
	char source[ADDR_TEXT_SIZE], text[ADDR_TEXT_SIZE];
	addr_format(path->source, source);
	if (!drawn || !is_in(drawn, path->source))
		fprintf(out, "  \"%s\" [label=\"%s\", shape=circle];\n", source, source);
	for (size_t i = 0; i < path->hop_count; i++)
		for (size_t j = 0; j < path->hops[i].address_count; j++)
			if (is_new(path, i, j) && !(drawn && is_in(drawn, path->hops[i].addresses[j])))
				print_node(out, path, &path->hops[i], path->hops[i].addresses[j]);
	for (size_t j = 0; path->hop_count > 0 && path->hops[0].ttl == 1 && j < path->hops[0].address_count;
		j++)
		fprintf(out, "  \"%s\" -> \"%s\"%s;\n", source, addr_format(path->hops[0].addresses[j], text),
			path->direction == DIRECTION_REVERSE ? " [color=blue]" : "");
	for (size_t i = 0; i < path->edge_count; i++)
		print_edge(out, path, &path->edges[i]);
	print_gaps(out, path);
}

int report_dot(FILE *out, const struct measurement *measurement)
{
	fputs("digraph retour {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n"
	      "  edge [fontname=\"sans-serif\", fontsize=10];\n",
		out);
	if (measurement->forward)
		print_path(out, measurement->forward, NULL);
	if (measurement->reverse)
		print_path(out, measurement->reverse, measurement->forward);
	fputs("}\n", out);
	return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}
