/* RouterOS: a table, which is drawn again every second below the one before. Release 6 and 7 have sums, older
 * ones three times a row. No row says where the trace goes to; that is in the command, if it was copied too.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "import/dialect.h"
#include "import/header.h"
#include "import/line.h"

struct row {
	int ttl; /* -1: it goes on from the row before */
	struct addr address;
	char name[LEX_NAME_SIZE];
	bool summed; /* loss, sent and so on were there */
	double loss;
	int sent;
	int64_t last_ns, best_ns, worst_ns; /* RTT_NONE */
	int64_t rtts_ns[3];		    /* of old releases */
	size_t rtt_count;
	struct mpls_entry labels[MPLS_STACK_MAX];
	uint8_t label_count;
};

/* "# ADDRESS  LOSS SENT ..." */
static bool is_header(const char *line)
{
	const char *address = strstr(line, "ADDRESS");
	return address && !text_begins(line, "Columns:") &&
		(strstr(line, "LOSS") || strstr(line, "STATUS")) &&
		strspn(line, " #;") == (size_t)(address - line);
}

int routeros_score(const struct source *source, const char *dialect)
{
	(void)dialect;
	for (size_t i = 0; i < source->text.count; i++)
		if (is_header(source->text.lines[i]))
			return 80;
	return 0;
}

/* "8.4ms", "850us", "1s20ms", and without a unit milliseconds. */
static bool read_time(const char *at, int64_t *rtt_ns)
{
	int64_t total = 0, part;
	const char *end = at + strcspn(at, " ");
	char *behind;
	if (!isdigit((unsigned char)*at))
		return false;
	double number = strtod(at, &behind);
	if (behind == end && number < 1e9) {
		*rtt_ns = (int64_t)(number * 1e6 + 0.5);
		return true;
	}
	while (at < end) {
		size_t digits = strspn(at, "0123456789.");
		size_t unit = strcspn(at + digits, "0123456789. ");
		char copy[32];
		const char *p = copy;
		lex_copy(copy, sizeof(copy), at, digits + unit);
		if (digits == 0 || !lex_time(&p, &part))
			return false;
		total += part;
		at += digits + unit;
	}
	*rtt_ns = total;
	return true;
}

static const char *after_word(const char *at)
{
	return text_skip(at + strcspn(at, " "));
}

/* LOSS SENT LAST AVG BEST WORST STD-DEV, as many as there are. */
static const char *read_sums(struct row *row, const char *at)
{
	int64_t times[5];
	size_t count = 0;
	row->summed = true;
	row->loss = strtod(at, NULL);
	at = after_word(at);
	row->sent = text_count(&at);
	at = text_skip(at);
	if (text_begins(at, "timeout")) {
		times[count++] = RTT_NONE;
		at = after_word(at);
	}
	while (count < ARRAY_LEN(times) && read_time(at, &times[count])) {
		at = after_word(at);
		count++;
	}
	row->last_ns = count > 0 ? times[0] : RTT_NONE;
	row->best_ns = count > 2 ? times[2] : RTT_NONE;
	row->worst_ns = count > 3 ? times[3] : RTT_NONE;
	return at;
}

static bool is_loss(const char *at)
{
	size_t digits = strspn(at, "0123456789.");
	return digits > 0 && at[digits] == '%';
}

static bool read_row(const char *line, struct row *row)
{
	const char *at = line;
	struct token token;
	*row = (struct row){.last_ns = RTT_NONE, .best_ns = RTT_NONE, .worst_ns = RTT_NONE};
	row->ttl = line_ttl(&at);
	at = text_skip(at);
	if (*at && !is_loss(at) && !text_begins(at, "timeout")) {
		lex_next(&at, &token);
		if (token.kind != TOKEN_ADDRESS && (token.kind != TOKEN_WORD || row->ttl < 0))
			return false;
		row->address = token.address;
		memcpy(row->name, token.name, sizeof(row->name));
		at = text_skip(at);
	}
	if (is_loss(at))
		at = read_sums(row, at);
	while (!row->summed && row->rtt_count < ARRAY_LEN(row->rtts_ns) && *at) {
		if (text_begins(at, "timeout"))
			row->rtts_ns[row->rtt_count] = RTT_NONE;
		else if (!read_time(at, &row->rtts_ns[row->rtt_count]))
			break;
		row->rtt_count++;
		at = after_word(at);
	}
	const char *labels = strstr(at, "MPLS");
	if (labels)
		row->label_count = lex_labels(labels, strcspn(labels, ">"), row->labels);
	bool told = row->summed || row->rtt_count > 0;
	return row->ttl >= 0 ? row->ttl > 0 && (told || addr_is_set(row->address) || row->name[0])
			     : row->summed || addr_is_set(row->address);
}

/* One table: its lines, and how many hops it has. */
struct table {
	size_t from, to;
	int hops;
};

static struct table next_table(const struct text *text, size_t from)
{
	struct table table = {.from = from};
	struct row row;
	for (table.to = from + 1; table.to < text->count && !is_header(text->lines[table.to]); table.to++) {
		struct header command;
		if (header_command(text->lines[table.to], "traceroute", &command))
			break;
		table.hops += read_row(text->lines[table.to], &row) && row.ttl > 0;
	}
	return table;
}

static void put_labels(struct build *build, struct hop *hop, const struct row *row)
{
	if (row->label_count == 0 || !addr_is_set(hop->address))
		return;
	struct probe_result *probe = build_probe(build, hop, hop->address, row->last_ns);
	if (!probe)
		return;
	memcpy(probe->mpls, row->labels, sizeof(probe->mpls));
	probe->mpls_count = row->label_count;
}

static void take_row(struct build *build, int ttl, const struct row *row)
{
	struct hop *hop = build_hop(build, ttl);
	struct addr address = addr_equal(row->address, addr_v4(0)) ? ADDR_NONE : row->address;
	if (!hop)
		return;
	build_name(build, address, row->name);
	for (size_t i = 0; i < row->rtt_count; i++) {
		bool answered = addr_is_set(address) && row->rtts_ns[i] != RTT_NONE;
		(void)build_probe(
			build, hop, answered ? address : ADDR_NONE, answered ? row->rtts_ns[i] : RTT_NONE);
	}
	if (!row->summed &&
		row->rtt_count == 0) { /* the rest stands in the next row, or it is another address */
		if (!addr_is_set(hop->address))
			hop->address = address;
		else if (addr_is_set(address) &&
			(hop_add_address(hop, hop->address) < 0 || hop_add_address(hop, address) < 0))
			build->status = -ENOMEM;
	}
	if (row->summed) {
		unsigned sent = (unsigned)MAX(row->sent, 0);
		unsigned received = (unsigned)((double)sent * (1 - MIN(row->loss, 100) / 100) + 0.5);
		build_sums(build, hop, address, sent, received, row->best_ns, row->worst_ns);
		if (!addr_is_set(address) && row->name[0])
			build_hop_name(build, hop, row->name);
		put_labels(build, hop, row);
	}
}

static void take_table(
	struct build *build, const struct text *text, struct table table, const struct header *command)
{
	struct row row;
	int ttl = 0;
	if (table.hops == 0)
		return;
	build_trace(build, PROBE_ICMP);
	build_target(build, command->name, command->target);
	for (size_t i = table.from + 1; i < table.to; i++) {
		if (!read_row(text->lines[i], &row))
			continue;
		ttl = row.ttl > 0 ? row.ttl : ttl;
		if (ttl > 0)
			take_row(build, ttl, &row);
	}
	build_end(build);
}

/* Of the tables of one command the last counts, unless it was cut short. */
void routeros_read(struct build *build, const struct source *source)
{
	const struct text *text = &source->text;
	struct table best = {.hops = 0};
	struct header command = {.hops_max = -1}, found;
	for (size_t i = 0; i < text->count;) {
		if (header_command(text->lines[i], "traceroute", &found)) {
			take_table(build, text, best, &command);
			best = (struct table){.hops = 0};
			command = found;
		}
		if (!is_header(text->lines[i])) {
			i++;
			continue;
		}
		struct table table = next_table(text, i);
		if (table.hops >= best.hops)
			best = table;
		i = table.to;
	}
	take_table(build, text, best, &command);
}
