#include "report/layout_mtr.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "report/layout_mtr_fields.h"

#define NARROW_WIDTH 33 /* of everything left of the statistics */
#define ORIGIN_WIDTH 9
#define UNKNOWN	     "???"

void layout_mtr_start(FILE *out, int64_t wall_ns)
{
	char text[40] = "";
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	struct tm local;
	if (localtime_r(&seconds, &local))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S%z", &local);
	fprintf(out, "Start: %s\n", text);
}

static const char *host_text(const struct mtr_row *row, size_t index)
{
	return row->host_count > index ? row->hosts[index].text : UNKNOWN;
}

static size_t longest_name(const struct mtr_report *report)
{
	size_t longest = strlen(report->source);
	for (size_t i = 0; i < report->row_count; i++)
		for (size_t k = 0; k < MAX(1u, report->rows[i].host_count); k++)
			longest = MAX(longest, strlen(host_text(&report->rows[i], k)));
	return longest;
}

static void origin_text(const struct mtr_row *row, size_t index, char *text, size_t size)
{
	uint32_t asn = row->host_count > index ? row->hosts[index].asn : 0;
	if (asn)
		snprintf(text, size, "AS%u", asn);
	else
		snprintf(text, size, "AS" UNKNOWN);
}

/* Widths of the name in the header line and in rows. */
struct widths {
	int header, row;
};

static struct widths widths_of(const struct mtr_report *report)
{
	int longest = (int)longest_name(report);
	if (!report->wide)
		return (struct widths){
			NARROW_WIDTH - 6, NARROW_WIDTH - (report->origins ? 5 + ORIGIN_WIDTH : 8)};
	return report->origins ? (struct widths){longest + ORIGIN_WIDTH, longest + 1}
			       : (struct widths){longest, longest};
}

static void print_row(FILE *out, const struct mtr_report *report, const struct mtr_row *row, int width)
{
	char origin[16], value[32];
	origin_text(row, 0, origin, sizeof(origin));
	if (report->origins)
		fprintf(out, " %2u. %-*s", row->ttl, ORIGIN_WIDTH, origin);
	else
		fprintf(out, " %2u.|-- ", row->ttl);
	fprintf(out, "%-*.*s", width, width, host_text(row, 0));
	for (const char *letter = report->fields; *letter; letter++)
		fputs(mtr_field_column(*letter, row, value, sizeof(value)), out);
	fputc('\n', out);
	for (size_t i = 1; i < row->host_count; i++) {
		fprintf(out, "        %-*s\n", report->wide ? width : NARROW_WIDTH, row->hosts[i].text);
		origin_text(row, i, origin, sizeof(origin));
		if (report->origins)
			fprintf(out, "     %-*s%s\n", ORIGIN_WIDTH, origin, row->hosts[i].text);
	}
}

void layout_mtr_report(FILE *out, const struct mtr_report *report)
{
	struct widths widths = widths_of(report);
	fprintf(out, "HOST: %-*.*s", widths.header, widths.header, report->source);
	for (const char *letter = report->fields; *letter; letter++)
		fprintf(out, "%*s", mtr_field_width(*letter), mtr_field_title(*letter));
	fputc('\n', out);
	for (size_t i = 0; i < report->row_count; i++)
		print_row(out, report, &report->rows[i], widths.row);
}

/* ---- CSV ---- */

static void print_csv_row(FILE *out, const struct mtr_report *report, const struct mtr_row *row, size_t host)
{
	char value[32], origin[16];
	fprintf(out, "MTR.0.95,%lld,OK,%s,%u,%s", (long long)(report->started_wall_ns / NS_PER_S),
		report->target, row->ttl, host_text(row, host));
	origin_text(row, host, origin, sizeof(origin));
	if (report->origins)
		fprintf(out, ",%s", origin);
	for (const char *letter = report->fields; *letter; letter++)
		fprintf(out, ",%s", mtr_field_number(*letter, row, value, sizeof(value)));
	fputc('\n', out);
}

void layout_mtr_csv(FILE *out, const struct mtr_report *report)
{
	fputs("Mtr_Version,Start_Time,Status,Host,Hop,Ip,", out);
	if (report->origins)
		fputs("Asn,", out);
	for (const char *letter = report->fields; *letter; letter++)
		fprintf(out, "%s,", mtr_field_title(*letter));
	fputc('\n', out);
	for (size_t i = 0; i < report->row_count; i++)
		for (size_t host = 0; host < (report->wide ? MAX(1u, report->rows[i].host_count) : 1); host++)
			print_csv_row(out, report, &report->rows[i], host);
}

/* ---- XML ---- */

/* Names are text by now; what XML gives a meaning stays out of it. */
static void print_xml(FILE *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '&': fputs("&amp;", out); break;
		case '<': fputs("&lt;", out); break;
		case '"': fputs("&quot;", out); break;
		default: fputc(*text, out);
		}
}

static void print_xml_value(FILE *out, const struct mtr_row *row, char letter)
{
	char value[32];
	const char *title = mtr_field_title(letter);
	int length = (int)strcspn(title, "%");
	if (letter == ' ')
		return;
	fprintf(out, "        <%.*s>%s</%.*s>\n", length, title,
		mtr_field_text(letter, row, value, sizeof(value)), length, title);
}

void layout_mtr_xml(FILE *out, const struct mtr_report *report)
{
	fputs("<?xml version=\"1.0\"?>\n<MTR SRC=\"", out);
	print_xml(out, report->source);
	fputs("\" DST=\"", out);
	print_xml(out, report->target);
	fprintf(out, "\" TOS=\"0x%X\" PSIZE=\"%u\" BITPATTERN=\"0x00\" TESTS=\"%u\">\n", report->tos,
		report->size, report->cycles);
	for (size_t i = 0; i < report->row_count; i++) {
		fprintf(out, "    <HUB COUNT=\"%u\" HOST=\"", report->rows[i].ttl);
		print_xml(out, host_text(&report->rows[i], 0));
		fputs("\">\n", out);
		for (const char *letter = report->fields; *letter; letter++)
			print_xml_value(out, &report->rows[i], *letter);
		fputs("    </HUB>\n", out);
	}
	fputs("</MTR>\n", out);
}
