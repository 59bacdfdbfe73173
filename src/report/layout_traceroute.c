#include "report/layout_traceroute.h"

#include <string.h>

#include "base/clock.h"
#include "base/escape.h"

#define EXTENSION_TEXT_SIZE 512

void layout_traceroute_header(
	FILE *out, const char *target, struct addr address, unsigned max_ttl, unsigned size)
{
	char text[ADDR_TEXT_SIZE], shown[256];
	fprintf(out, "traceroute to %s (%s), %u hops max, %u byte packets",
		escape_text(target, shown, sizeof(shown)), addr_format(address, text), max_ttl, size);
}

static void add_flags(const struct probe_result *probe, char *text, size_t size)
{
	static const char *const names[] = {"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"};
	size_t length = strlen(text);
	for (unsigned bit = 0; bit < 8; bit++)
		if (probe->tcp_flags & 1u << bit && length < size)
			length += (size_t)snprintf(
				text + length, size - length, "%s%s", length ? "," : "", names[bit]);
}

/* What stands in angle brackets behind the address. */
static void extension_text(
	const struct traceroute_style *style, const struct probe_result *probe, char *text, size_t size)
{
	size_t length = 0;
	text[0] = '\0';
	for (unsigned i = 0; style->extensions && i < probe->mpls_count && length < size; i++) {
		const struct mpls_entry *entry = &probe->mpls[i];
		length += (size_t)snprintf(text + length, size - length, "%sL=%u,E=%u,S=%d,T=%u",
			i ? "/" : "MPLS:", entry->label, entry->traffic_class, entry->bottom, entry->ttl);
	}
	if (style->tcp_flags)
		add_flags(probe, text, size);
}

bool layout_traceroute_shows_address(
	const struct traceroute_style *style, const struct probe_result *const *hop, unsigned index)
{
	char before[EXTENSION_TEXT_SIZE], here[EXTENSION_TEXT_SIZE];
	const struct probe_result *probe = hop[index];
	if (!addr_is_set(probe->address))
		return false;
	while (index > 0 && !addr_is_set(hop[index - 1]->address))
		index--;
	if (index == 0)
		return true;
	extension_text(style, hop[index - 1], before, sizeof(before));
	extension_text(style, probe, here, sizeof(here));
	return !addr_equal(hop[index - 1]->address, probe->address) || strcmp(before, here) != 0 ||
		(style->backwards && hop[index - 1]->reply.ttl != probe->reply.ttl);
}

/* How far the answer came, by the usual initial hop limits. */
static int hops_back(int ttl)
{
	return (ttl <= 64 ? 65 : ttl <= 128 ? 129 : 256) - ttl;
}

static void print_address(FILE *out, const struct traceroute_style *style, unsigned ttl,
	const struct probe_result *probe, const struct traceroute_label *label)
{
	char address[ADDR_TEXT_SIZE], name[256], extension[EXTENSION_TEXT_SIZE];
	addr_format(probe->address, address);
	if (style->numeric)
		fprintf(out, " %s", address);
	else
		fprintf(out, " %s (%s)", label->name ? escape_text(label->name, name, sizeof(name)) : address,
			address);
	if (style->origins && label->asn)
		fprintf(out, " [AS%u]", label->asn);
	else if (style->origins)
		fputs(" [*]", out);
	extension_text(style, probe, extension, sizeof(extension));
	if (extension[0])
		fprintf(out, " <%s>", extension);
	if (style->backwards && probe->reply.ttl > 0 && hops_back(probe->reply.ttl) != (int)ttl)
		fprintf(out, " '-%d'", hops_back(probe->reply.ttl));
}

void layout_traceroute_probe(FILE *out, const struct traceroute_style *style, unsigned ttl,
	const struct probe_result *const *hop, unsigned index, const struct traceroute_label *label)
{
	const struct probe_result *probe = hop[index];
	if (index == 0)
		fprintf(out, "\n%2u ", ttl);
	if (!addr_is_set(probe->address))
		fputs(" *", out);
	else if (layout_traceroute_shows_address(style, hop, index))
		print_address(out, style, ttl, probe, label);
	if (probe->rtt_ns != RTT_NONE)
		fprintf(out, "  %.3f ms", ns_to_ms(probe->rtt_ns));
	if (probe->mark[0])
		fprintf(out, " %s", probe->mark);
}

void layout_traceroute_end(FILE *out)
{
	fputc('\n', out);
}
