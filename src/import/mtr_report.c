/* mtr's report: a line of columns, a line a hop, further addresses and labels below it. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "import/dialect.h"
#include "import/header.h"
#include "import/line.h"
#include "import/mtr.h"

#define COLUMNS_MAX 24

struct columns {
	const char *names[COLUMNS_MAX]; /* in the header line */
	size_t count;
};

/* "HOST: client   Loss%   Snt   Last ..." */
static bool is_header(const char *line)
{
	const char *after = text_begins(line, "HOST:");
	return after && strchr(after, ' ') && (strstr(after, "Loss%") || strstr(after, "Snt"));
}

int mtr_report_score(const struct source *source, const char *dialect)
{
	(void)dialect;
	for (size_t i = 0; i < source->text.count; i++)
		if (is_header(source->text.lines[i]))
			return 80;
	return 0;
}

static struct columns read_columns(const char *line)
{
	struct columns columns = {.count = 0};
	const char *at = text_skip(text_begins(line, "HOST:"));
	at += strcspn(at, " "); /* who measured */
	for (at = text_skip(at); *at && columns.count < COLUMNS_MAX; at = text_skip(at + strcspn(at, " ")))
		columns.names[columns.count++] = at;
	return columns;
}

static void begin(struct build *build, const char *line, const struct header *command)
{
	char name[LEX_NAME_SIZE];
	const char *at = text_skip(text_begins(line, "HOST:"));
	lex_copy(name, sizeof(name), at, strcspn(at, " "));
	build_trace(build, PROBE_ICMP);
	build_source(build, name, ADDR_NONE);
	build_target(build, command->name, command->target);
}

/* Where the last `count` words of the line begin; NULL: there are not so many, or they are no numbers. */
static const char *last_words(const char *line, size_t count)
{
	const char *at = line + strlen(line);
	while (count-- > 0) {
		while (at > line && at[-1] == ' ')
			at--;
		while (at > line && at[-1] != ' ')
			at--;
		if (!isdigit((unsigned char)*at) && *at != '-')
			return NULL;
	}
	return at > line ? at : NULL;
}

/* "AS64501  name": the number is taken, "AS???" stepped over. */
static const char *take_asn(const char *at, uint32_t *asn)
{
	uint32_t asns[LEX_ASNS_MAX];
	size_t length = strcspn(at, " ");
	*asn = 0;
	if (strncmp(at, "AS", 2) != 0 || (!isdigit((unsigned char)at[2]) && at[2] != '?') ||
		!text_skip(at + length)[0])
		return at;
	if (lex_asns(at, length, asns) > 0)
		*asn = asns[0];
	return text_skip(at + length);
}

static bool read_hop(struct build *build, const struct columns *columns, const char *line)
{
	struct mtr_sums sums = MTR_SUMS_NONE;
	const char *at = line;
	uint32_t asn;
	int ttl = line_ttl(&at);
	while (ttl > 0 && (*at == ' ' || strchr("|-", *(*at ? at : " "))))
		at++;
	const char *numbers = ttl > 0 ? last_words(at, columns->count) : NULL;
	if (!numbers)
		return false;
	at = take_asn(at, &asn);
	struct mtr_host host = mtr_host(at, numbers > at ? (size_t)(numbers - at) : 0);
	for (size_t i = 0; i < columns->count; i++) {
		char *end;
		double value = strtod(numbers, &end);
		mtr_column(&sums, columns->names[i], strcspn(columns->names[i], " "), value);
		numbers = text_skip(numbers + strcspn(numbers, " "));
	}
	mtr_hop(build, ttl, &host, &sums);
	build_origins(build, host.address, &asn, asn != 0);
	return true;
}

/* "[MPLS: Lbl 24001 TC 0 S 1 TTL 1]", a line each, of the address above it. Only a probe can hold them. */
static void take_labels(struct build *build, struct hop *hop, const char *at)
{
	struct addr address = hop->address_count > 0 ? hop->addresses[hop->address_count - 1] : hop->address;
	struct probe_result *probe = hop->probe_count > 0 ? &hop->probes[hop->probe_count - 1] : NULL;
	struct mpls_entry labels[MPLS_STACK_MAX];
	uint8_t count = lex_labels(at, strlen(at), labels);
	if (!addr_is_set(address))
		return;
	if (!probe || !addr_equal(probe->address, address))
		probe = build_probe(build, hop, address, RTT_NONE);
	for (uint8_t i = 0; probe && i < count && probe->mpls_count < MPLS_STACK_MAX; i++)
		probe->mpls[probe->mpls_count++] = labels[i];
}

/* "    |  `|-- r2.example (203.0.113.5)", or the same without the lines. */
static bool read_more(struct build *build, const char *line)
{
	struct path *path = build->path;
	const char *at = line + strspn(line, " |`-");
	if (!path || path->hop_count == 0 || *at == '\0' || at == line)
		return false;
	struct hop *hop = &path->hops[path->hop_count - 1];
	if (*at == '[' && strstr(at, "MPLS")) {
		take_labels(build, hop, at);
		return true;
	}
	struct mtr_host host = mtr_host(at, strlen(at));
	if (!addr_is_set(host.address))
		return host.known && strstr(line, "|--");
	if (addr_is_set(hop->address) && hop->address_count == 0 && hop_add_address(hop, hop->address) < 0)
		build->status = -ENOMEM;
	if (hop_add_address(hop, host.address) < 0)
		build->status = -ENOMEM;
	build_name(build, host.address, host.name);
	return true;
}

void mtr_report_read(struct build *build, const struct source *source)
{
	struct columns columns = {.count = 0};
	struct header command = {.hops_max = -1}, found;
	unsigned unread = 0;
	for (size_t i = 0; i < source->text.count; i++) {
		const char *line = source->text.lines[i];
		if (is_header(line)) {
			build_end(build);
			columns = read_columns(line);
			begin(build, line, &command);
			unread = 0;
		} else if (header_command(line, "mtr", &found)) {
			command = found;
		} else if (columns.count > 0 && read_hop(build, &columns, line)) {
			build->unread += unread;
			unread = 0;
		} else if (columns.count > 0 && !read_more(build, line) && *text_skip(line)) {
			unread++;
		}
	}
	build_end(build);
}
