/* mtr's formats for programs: JSON, CSV, XML. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "import/dialect.h"
#include "import/documents.h"
#include "import/mtr.h"

#define COLUMNS_MAX 32

static void begin(struct build *build, const char *target, const char *source)
{
	struct addr address = ADDR_NONE;
	build_trace(build, PROBE_ICMP);
	build_source(build, source, ADDR_NONE);
	if (target && addr_parse(target, &address))
		build_target(build, NULL, address);
	else
		build_target(build, target, ADDR_NONE);
}

static const json_t *report_of(const json_t *document)
{
	const json_t *report = json_object_get(document, "report");
	return json_is_array(json_object_get(report, "hubs")) ? report : NULL;
}

int mtr_json_score(const struct source *source, const char *dialect)
{
	(void)dialect;
	size_t i;
	json_t *document;
	json_array_foreach(source->documents, i, document) if (report_of(document)) return 100;
	return 0;
}

static void read_hub(struct build *build, json_t *hub)
{
	struct mtr_sums sums = MTR_SUMS_NONE;
	const char *text = member_text(hub, "host"), *as = member_text(hub, "ASN");
	struct mtr_host host = mtr_host(text ? text : "", text ? strlen(text) : 0);
	uint32_t asns[LEX_ASNS_MAX];
	const char *key;
	json_t *value;
	json_object_foreach(hub, key, value) mtr_column(&sums, key, strlen(key), member_number(hub, key, -1));
	mtr_hop(build, member_int(hub, "count", -1), &host, &sums);
	if (as)
		build_origins(build, host.address, asns, lex_asns(as, strlen(as), asns));
}

void mtr_json_read(struct build *build, const struct source *source)
{
	size_t i, k;
	json_t *document, *hub;
	json_array_foreach(source->documents, i, document)
	{
		const json_t *report = report_of(document), *about = json_object_get(report, "mtr");
		if (!report)
			continue;
		begin(build, member_text(about, "dst"), member_text(about, "src"));
		json_array_foreach(json_object_get(report, "hubs"), k, hub) read_hub(build, hub);
	}
	build_end(build);
}

struct field {
	const char *text;
	size_t length;
};

/* Names with a comma would be in quotes; mtr writes none. */
static size_t split(const char *line, struct field fields[static COLUMNS_MAX])
{
	size_t count = 0;
	while (count < COLUMNS_MAX) {
		size_t length = strcspn(line, ",");
		fields[count++] = (struct field){line, length};
		if (line[length] == '\0')
			break;
		line += length + 1;
	}
	return count;
}

static bool is(const struct field *field, const char *name)
{
	return strlen(name) == field->length && strncasecmp(field->text, name, field->length) == 0;
}

int mtr_csv_score(const struct source *source, const char *dialect)
{
	(void)dialect;
	for (size_t i = 0; i < source->text.count; i++)
		if (text_begins(source->text.lines[i], "Mtr_Version,") ||
			text_begins(source->text.lines[i], "MTR."))
			return 90;
	return 0;
}

struct row {
	struct field host, address, asn;
	int ttl;
	struct mtr_sums sums;
};

static struct row read_row(const struct field *names, const struct field *values, size_t count)
{
	struct row row = {.ttl = -1, .sums = MTR_SUMS_NONE};
	for (size_t i = 0; i < count; i++) {
		const char *at = values[i].text;
		if (is(&names[i], "Host"))
			row.host = values[i];
		else if (is(&names[i], "Hop"))
			row.ttl = text_count(&at);
		else if (is(&names[i], "Ip"))
			row.address = values[i];
		else if (is(&names[i], "Asn"))
			row.asn = values[i];
		else
			mtr_column(&row.sums, names[i].text, names[i].length, atof(values[i].text));
	}
	return row;
}

static bool same_field(const struct field *a, const struct field *b)
{
	return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

/* Further rows of a hop are further addresses, with the first one's sums. */
static void take_row(struct build *build, const struct row *row)
{
	struct mtr_host host = mtr_host(row->address.text, row->address.length);
	uint32_t asns[LEX_ASNS_MAX];
	size_t asn_count = row->asn.text ? lex_asns(row->asn.text, row->asn.length, asns) : 0;
	struct path *path = build->path;
	struct hop *last = path && path->hop_count > 0 ? &path->hops[path->hop_count - 1] : NULL;
	if (last && last->ttl == row->ttl) {
		if (addr_is_set(last->address) && addr_is_set(host.address) &&
			(hop_add_address(last, last->address) < 0 || hop_add_address(last, host.address) < 0))
			build->status = -ENOMEM;
		build_name(build, host.address, host.name);
	} else {
		mtr_hop(build, row->ttl, &host, &row->sums);
	}
	build_origins(build, host.address, asns, asn_count);
}

void mtr_csv_read(struct build *build, const struct source *source)
{
	static const char usual[] =
		"Mtr_Version,Start_Time,Status,Host,Hop,Ip,Loss%,Snt, ,Last,Avg,Best,Wrst,StDev,";
	struct field names[COLUMNS_MAX], values[COLUMNS_MAX], target = {"", 0};
	size_t name_count = split(usual, names);
	int before = 0;
	for (size_t i = 0; i < source->text.count; i++) {
		const char *line = source->text.lines[i];
		if (text_begins(line, "Mtr_Version,")) {
			name_count = split(line, names);
			before = 0;
			build_end(build);
		}
		if (!text_begins(line, "MTR."))
			continue;
		size_t count = split(text_skip(line), values);
		struct row row = read_row(names, values, MIN(name_count, count));
		if (!row.host.text || !row.address.text || row.ttl < 1)
			continue;
		if (!build->trace || row.ttl < before || !same_field(&row.host, &target)) {
			char name[LEX_NAME_SIZE];
			lex_copy(name, sizeof(name), row.host.text, row.host.length);
			begin(build, name, NULL);
			target = row.host;
		}
		before = row.ttl;
		take_row(build, &row);
	}
	build_end(build);
}
