#include "report/csv.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"

#define FIELD_SIZE 1024

static const char *const columns[] = {
	"started_at",
	"target",
	"target_address",
	"direction",
	"method",
	"protocol",
	"ttl",
	"probe",
	"sent_ms",
	"rtt_ms",
	"address",
	"name",
	"asn",
	"as_name",
	"operator_asn",
	"ixp",
	"country",
	"technique",
	"certainty",
	"icmp_type",
	"icmp_code",
	"tcp_flags",
	"mark",
	"reply_ttl",
	"quoted_ttl",
	"mtu",
	"mpls",
};

/* One line being written. */
struct row {
	FILE *out;
	unsigned fields;
};

static void next_field(struct row *row)
{
	if (row->fields++ > 0)
		fputc(',', row->out);
}

/* RFC 4180 section 2: quotes around what holds a comma or a quote, and quotes doubled. */
static void put_text(struct row *row, const char *text)
{
	char clean[FIELD_SIZE];
	next_field(row);
	if (!text || !*text)
		return;
	bool formula = strchr("=+-@", *text) != NULL;
	escape_text(formula ? text + 1 : text, clean, sizeof(clean));
	bool quoted = strpbrk(clean, ",\"") != NULL;
	if (quoted)
		fputc('"', row->out);
	if (formula)
		fprintf(row->out, "\\x%02x", (unsigned char)*text);
	for (const char *p = clean; *p; p++) {
		if (*p == '"')
			fputc('"', row->out);
		fputc(*p, row->out);
	}
	if (quoted)
		fputc('"', row->out);
}

static void put_number(struct row *row, bool known, int64_t value)
{
	next_field(row);
	if (known)
		fprintf(row->out, "%lld", (long long)value);
}

/* Milliseconds with all the nanoseconds. */
static void put_ms(struct row *row, bool known, int64_t ns)
{
	next_field(row);
	if (known)
		fprintf(row->out, "%lld.%06lld", (long long)(ns / NS_PER_MS), (long long)(ns % NS_PER_MS));
}

static void put_address(struct row *row, struct addr addr)
{
	char text[ADDR_TEXT_SIZE];
	put_text(row, addr_format(addr, text));
}

/* LABEL:TC:S:TTL, top first. */
static void put_labels(struct row *row, const struct probe_result *probe)
{
	next_field(row);
	for (unsigned i = 0; i < probe->mpls_count; i++)
		fprintf(row->out, "%s%u:%u:%u:%u", i > 0 ? " " : "", probe->mpls[i].label,
			probe->mpls[i].traffic_class, probe->mpls[i].bottom, probe->mpls[i].ttl);
}

static void put_context(struct row *row, const struct measurement *m, const struct path *path)
{
	char when[TIME_TEXT_SIZE] = "";
	if (m->started_wall_ns != 0)
		clock_format(m->started_wall_ns, when);
	put_text(row, when);
	put_text(row, m->target_name);
	put_address(row, m->target);
	put_text(row, direction_word(path->direction));
	put_text(row, path->method);
	put_text(row, protocol_word(path->protocol));
}

/* About the hop; `shown` is the address of this row. Names and the like are of the hop's address. */
static void put_hop(struct row *row, const struct hop *hop, struct addr shown)
{
	bool same = addr_equal(shown, hop->address);
	put_address(row, shown);
	put_text(row, same ? hop->name : NULL);
	put_number(row, same && hop->asn != 0, hop->asn);
	put_text(row, same ? hop->as_name : NULL);
	put_number(row, same && hop->operator_asn != 0, hop->operator_asn);
	put_text(row, same ? hop->ixp : NULL);
	put_text(row, same ? hop->country : NULL);
	put_text(row, technique_word(hop->technique));
	put_text(row, certainty_word(hop->certainty));
}

static void put_row(FILE *out, const struct measurement *m, const struct path *path, const struct hop *hop,
	const struct probe_result *probe)
{
	struct row row = {.out = out};
	struct probe_result none = probe_result_none();
	const struct probe_result *p = probe ? probe : &none;
	put_context(&row, m, path);
	put_number(&row, hop->ttl >= 0, hop->ttl);
	put_number(&row, probe != NULL, probe ? probe - hop->probes + 1 : 0);
	put_ms(&row, probe != NULL, p->sent_ns);
	put_ms(&row, p->rtt_ns != RTT_NONE, p->rtt_ns);
	put_hop(&row, hop, probe ? p->address : hop->address);
	put_number(&row, p->icmp_type >= 0, p->icmp_type);
	put_number(&row, p->icmp_code >= 0, p->icmp_code);
	put_number(&row, p->tcp_flags != 0, p->tcp_flags);
	put_text(&row, p->mark);
	put_number(&row, p->reply.ttl >= 0, p->reply.ttl);
	put_number(&row, p->quoted.ttl >= 0, p->quoted.ttl);
	put_number(&row, p->mtu != 0, p->mtu);
	put_labels(&row, p);
	fputs("\r\n", out);
}

static void put_path(FILE *out, const struct measurement *m, const struct path *path)
{
	for (size_t i = 0; path && i < path->hop_count; i++) {
		const struct hop *hop = &path->hops[i];
		for (size_t k = 0; k < hop->probe_count; k++)
			put_row(out, m, path, hop, &hop->probes[k]);
		if (hop->probe_count == 0)
			put_row(out, m, path, hop, NULL);
	}
}

int report_csv_head(FILE *out)
{
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		fprintf(out, "%s%s", i > 0 ? "," : "", columns[i]);
	fputs("\r\n", out);
	return ferror(out) ? -EIO : 0;
}

int report_csv(FILE *out, const struct measurement *measurement)
{
	put_path(out, measurement, measurement->forward);
	put_path(out, measurement, measurement->reverse);
	return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}
