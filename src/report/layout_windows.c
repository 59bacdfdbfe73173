#include "report/layout_windows.h"

#include "base/clock.h"
#include "base/escape.h"

void layout_windows_host(FILE *out, struct addr address, const char *name)
{
	char text[ADDR_TEXT_SIZE], shown[256];
	addr_format(address, text);
	if (name)
		fprintf(out, "%s [%s]", escape_text(name, shown, sizeof(shown)), text);
	else
		fputs(text, out);
}

static void print_heading(FILE *out, struct addr target, const char *name, unsigned max_ttl)
{
	fputs("\nTracing route to ", out);
	layout_windows_host(out, target, name);
	fprintf(out, "%sover a maximum of %u hops%s\n", name ? "\n" : " ", max_ttl, name ? ":" : "");
}

/* ---- tracert ---- */

void layout_tracert_heading(FILE *out, struct addr target, const char *name, unsigned max_ttl)
{
	print_heading(out, target, name, max_ttl);
	fputc('\n', out);
}

void layout_tracert_probe(FILE *out, unsigned ttl, const struct probe_result *probe, unsigned index)
{
	if (index == 0)
		fprintf(out, "%3u", ttl);
	if (probe->rtt_ns == RTT_NONE)
		fputs("     *   ", out);
	else if (probe->rtt_ns < NS_PER_MS)
		fputs("    <1 ms", out);
	else
		fprintf(out, "%6lld ms", (long long)(probe->rtt_ns / NS_PER_MS));
}

void layout_tracert_host(FILE *out, struct addr address, const char *name)
{
	fputs("  ", out);
	if (addr_is_set(address))
		layout_windows_host(out, address, name);
	else
		fputs("Request timed out.", out);
	fputc('\n', out);
}

/* By the codes of RFC 792, RFC 1812 5.2.7.1 and RFC 4443 3.1. */
const char *windows_refusal(const struct probe_result *probe)
{
	bool v4 = probe->address.family == 4;
	if (!addr_is_set(probe->address) || probe->icmp_type != (v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE))
		return NULL;
	switch (probe->icmp_code) {
	case 1: return v4 ? "Destination host unreachable." : "Destination prohibited.";
	case 2: return v4 ? "Destination protocol unreachable." : "Destination host unreachable.";
	case 3: return v4 ? "Destination port unreachable." : "Destination host unreachable.";
	case 4: return v4 ? NULL : "Destination port unreachable.";
	case 7:
	case 10:
	case 12: return "Destination host unreachable.";
	default: return "Destination net unreachable.";
	}
}

void layout_tracert_refusal(
	FILE *out, unsigned ttl, const struct probe_result *probe, unsigned index, const char *name)
{
	if (index == 0)
		fprintf(out, "%3u", ttl);
	fputs("  ", out);
	layout_windows_host(out, probe->address, name);
	fprintf(out, "  reports: %s\n", windows_refusal(probe));
}

void layout_tracert_end(FILE *out)
{
	fputs("\nTrace complete.\n", out);
}

/* ---- pathping ---- */

void layout_pathping_heading(FILE *out, struct addr target, const char *name, unsigned max_ttl)
{
	print_heading(out, target, name, max_ttl);
}

void layout_pathping_hop(FILE *out, unsigned ttl, struct addr address, const char *name)
{
	fprintf(out, "%3u  ", ttl);
	layout_windows_host(out, address, name);
	fputc('\n', out);
}

void layout_pathping_silent(FILE *out, unsigned ttl)
{
	fprintf(out, "%3u     *        *        *     \n", ttl);
}

void layout_pathping_waiting(FILE *out, unsigned seconds)
{
	fprintf(out, "\nComputing statistics for %u seconds...\n", seconds);
}

static unsigned percent(unsigned part, unsigned whole)
{
	return whole ? (100 * part + whole / 2) / whole : 0;
}

static void print_share(FILE *out, unsigned lost, unsigned sent)
{
	fprintf(out, "%4u/%4u =%3u%%", lost, sent, percent(lost, sent));
}

/* The least that any hop from here on misses. */
static unsigned missed_from(const struct pathping_row *rows, size_t count, size_t index)
{
	unsigned least = rows[index].lost;
	for (size_t i = index + 1; i < count; i++)
		least = MIN(least, rows[i].lost);
	return least;
}

static void print_hop(FILE *out, const struct pathping_row *row, size_t ttl, unsigned node_lost)
{
	char rtt[24] = "---     ";
	if (row->rtt_ns != RTT_NONE)
		snprintf(rtt, sizeof(rtt), "%4lldms", (long long)((row->rtt_ns + NS_PER_MS / 2) / NS_PER_MS));
	fprintf(out, "%3zu %-8s", ttl, rtt);
	print_share(out, row->lost, row->sent);
	fputs("  ", out);
	print_share(out, node_lost, row->sent);
	fputs("  ", out);
	layout_windows_host(out, row->address, row->name);
	fputc('\n', out);
}

void layout_pathping_table(FILE *out, const struct pathping_row *rows, size_t count)
{
	unsigned before = 0;
	fputs("            Source to Here   This Node/Link\n"
	      "Hop  RTT    Lost/Sent = Pct  Lost/Sent = Pct  Address\n"
	      "  0                                           ",
		out);
	layout_windows_host(out, rows[0].address, rows[0].name);
	fputc('\n', out);
	for (size_t i = 1; i < count; i++) {
		unsigned here = missed_from(rows, count, i);
		fprintf(out, "%29s", "");
		print_share(out, here - before, rows[i].sent);
		fputs("   |\n", out);
		print_hop(out, &rows[i], i, rows[i].lost - here);
		before = here;
	}
}
