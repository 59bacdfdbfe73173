/* tracert of Windows: hop, three times, then who it was, or a sentence. */
#include <string.h>

#include "import/dialect.h"
#include "import/header.h"
#include "import/line.h"
#include "import/windows.h"

#define SLOTS 3 /* there is no option for another number */

struct row {
	int ttl;
	int64_t rtts_ns[SLOTS]; /* RTT_NONE */
	size_t slots, answered;
	struct addr address;
	char name[LEX_NAME_SIZE];
	const char *rest; /* behind the address; NULL = no address */
};

static void read_slots(struct row *row, const char **at)
{
	while (row->slots < SLOTS) {
		const char *p = text_skip(*at);
		int64_t rtt_ns = RTT_NONE;
		if (*p == '*')
			p++;
		else if (!windows_time(&p, &rtt_ns))
			return;
		row->rtts_ns[row->slots++] = rtt_ns;
		row->answered += rtt_ns != RTT_NONE;
		*at = p;
	}
}

static bool read_row(const char *line, struct row *row)
{
	const char *at = line;
	*row = (struct row){.ttl = line_ttl(&at)};
	if (row->ttl < 1)
		return false;
	read_slots(row, &at);
	const char *who = at;
	struct token token;
	lex_next(&who, &token);
	row->rest = windows_target(at, &row->address, row->name);
	if (row->slots == 0) /* "3  192.0.2.1  reports: ..." */
		return token.kind == TOKEN_ADDRESS && row->rest && *text_skip(row->rest) &&
			windows_number(row->rest) < 0;
	bool refused = row->rest && *text_skip(row->rest); /* "ADDR reports: ..." takes the place of a time */
	return row->answered == 0 || (row->rest && (!refused || row->slots < SLOTS));
}

int tracert_score(const struct source *source, const char *dialect)
{
	(void)dialect;
	for (size_t i = 0; i < source->text.count; i++) {
		struct row row;
		if (read_row(source->text.lines[i], &row) && row.answered > 0 && row.slots == SLOTS)
			return 85;
	}
	return 0;
}

/* "ADDR reports: Destination host unreachable." which of them is only said in words; those of English are
 * known. */
static void refuse(struct probe_result *probe, const char *rest)
{
	bool host = strstr(rest, "host"), net = strstr(rest, "net ") || strstr(rest, "network");
	build_mark(probe, probe->address.family, host ? "!H" : net ? "!N" : "!?");
	if (probe->icmp_type < 0)
		probe->icmp_type = probe->address.family == 6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE;
}

static void take_row(struct build *build, const struct row *row)
{
	struct hop *hop = build_hop(build, row->ttl);
	for (size_t i = 0; i < row->slots; i++)
		(void)build_probe(
			build, hop, row->rtts_ns[i] != RTT_NONE ? row->address : ADDR_NONE, row->rtts_ns[i]);
	if (row->rest && row->answered < MAX(row->slots, 1) && *text_skip(row->rest)) {
		struct probe_result *probe = build_probe(build, hop, row->address, RTT_NONE);
		if (probe)
			refuse(probe, row->rest);
	}
	build_name(build, row->address, row->name);
}

/* Lines before the first hop: who is the target, and how many hops at most, in whatever order. */
struct about {
	struct addr target;
	char name[LEX_NAME_SIZE];
	int hops_max;
};

static void read_about(struct about *about, const char *line)
{
	struct addr address;
	char name[LEX_NAME_SIZE];
	struct header command;
	if (header_command(line, "tracert", &command)) {
		*about = (struct about){.target = command.target, .hops_max = -1};
		memcpy(about->name, command.name, sizeof(about->name));
		return;
	}
	if (windows_target(line, &address, name)) {
		about->target = address;
		memcpy(about->name, name, sizeof(name));
	}
	int number = windows_number(line);
	if (number > 0 && number < 256)
		about->hops_max = number;
}

void tracert_read(struct build *build, const struct source *source)
{
	struct about about = {.hops_max = -1};
	unsigned unread = 0;
	int before = 0;
	for (size_t i = 0; i < source->text.count; i++) {
		struct row row;
		if (!read_row(source->text.lines[i], &row)) {
			read_about(&about, source->text.lines[i]);
			unread += *text_skip(source->text.lines[i]) != '\0';
			continue;
		}
		if (!build->trace || row.ttl < before) {
			build_trace(build, PROBE_ICMP);
			build_target(build, about.name, about.target);
			build->hops_max = MAX(about.hops_max, 0);
			unread = 0;
		}
		about = (struct about){.hops_max = -1};
		build->unread += unread;
		unread = 0;
		before = row.ttl;
		take_row(build, &row);
	}
	build_end(build);
}
