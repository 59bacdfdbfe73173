/* pathping of Windows: first the hops, then for each what was lost on the way there and back, and by itself.
 * A row that ends in a bar is a link. */
#include <string.h>

#include "import/dialect.h"
#include "import/line.h"
#include "import/windows.h"

#define LOST_MAX 100000

/* "0/ 100 =  0%"; moves past it. */
static bool read_loss(const char **at, unsigned *lost, unsigned *sent)
{
	const char *p = text_skip(*at);
	int first = text_count(&p);
	p = text_skip(p);
	if (first < 0 || *p != '/')
		return false;
	p = text_skip(p + 1);
	int second = text_count(&p);
	p = text_skip(p);
	if (second < 0 || *p != '=' || first > LOST_MAX || second > LOST_MAX)
		return false;
	p = text_skip(p + 1);
	if (text_count(&p) < 0)
		return false;
	p = text_skip(p);
	*at = p + (*p == '%');
	*lost = (unsigned)first;
	*sent = (unsigned)second;
	return true;
}

struct row {
	int ttl;
	int64_t rtt_ns;
	unsigned lost, sent;
	struct addr address;
	char name[LEX_NAME_SIZE];
};

/* "2   11ms     0/ 100 =  0%     0/ 100 =  0%  NAME [ADDR]" */
static bool read_statistics(const char *line, struct row *row)
{
	const char *at = line;
	unsigned lost, sent;
	*row = (struct row){.ttl = line_ttl(&at), .rtt_ns = RTT_NONE};
	if (row->ttl < 1)
		return false;
	const char *p = text_skip(at);
	if (strncmp(p, "---", 3) == 0)
		at = p + 3;
	else if (!windows_time(&at, &row->rtt_ns))
		return false;
	if (!read_loss(&at, &row->lost, &row->sent))
		return false;
	(void)read_loss(&at, &lost, &sent);
	(void)windows_target(at, &row->address, row->name);
	return true;
}

/* "2  NAME [ADDR]" */
static bool read_listed(const char *line, struct row *row)
{
	const char *at = line;
	*row = (struct row){.ttl = line_ttl(&at), .rtt_ns = RTT_NONE};
	if (row->ttl < 0)
		return false;
	at = text_skip(at);
	bool silent = *at == '*';
	const char *rest = windows_target(at, &row->address, row->name);
	return rest ? !*text_skip(rest) : silent;
}

int pathping_score(const struct source *source, const char *dialect)
{
	(void)dialect;
	for (size_t i = 0; i < source->text.count; i++) {
		struct row row;
		if (read_statistics(source->text.lines[i], &row))
			return 95;
	}
	return 0;
}

static bool is_link(const char *line)
{
	size_t length = strlen(line);
	while (length > 0 && line[length - 1] == ' ')
		length--;
	return length > 0 && line[length - 1] == '|';
}

static void take_listed(struct build *build, const struct row *row)
{
	if (row->ttl == 0) {
		build_source(build, row->name, row->address);
		return;
	}
	struct hop *hop = build_hop(build, row->ttl);
	build_name(build, row->address, row->name);
	build_sums(build, hop, row->address, 0, 0, RTT_NONE, RTT_NONE);
}

static void take_statistics(struct build *build, const struct row *row)
{
	struct hop *hop = build_hop(build, row->ttl);
	unsigned received = row->lost < row->sent ? row->sent - row->lost : 0;
	struct addr address = row->address;
	if (addr_equal(address, addr_v4(0))) /* nobody: 0.0.0.0 */
		address = ADDR_NONE;
	build_name(build, address, row->name);
	build_sums(build, hop, address, row->sent, received, row->rtt_ns, row->rtt_ns);
	build_remark(build, "of the times only one a hop is told, their average");
}

void pathping_read(struct build *build, const struct source *source)
{
	struct row row, about = {.ttl = -1};
	bool statistics = false;
	int hops_max = 0;
	for (size_t i = 0; i < source->text.count; i++) {
		const char *line = source->text.lines[i];
		if (read_statistics(line, &row)) {
			statistics = true;
			if (!build->trace)
				build_trace(build, PROBE_ICMP);
			take_statistics(build, &row);
		} else if (is_link(line) || (statistics && build->trace && row.ttl == 0)) {
			continue;
		} else if (read_listed(line, &row)) {
			if (!build->trace || (statistics && row.ttl == 0)) {
				build_trace(build, PROBE_ICMP);
				build_target(build, about.name, about.address);
				build->hops_max = hops_max;
				statistics = false;
			}
			take_listed(build, &row);
		} else if (!statistics) {
			int number = windows_number(line);
			if (windows_target(line, &row.address, row.name))
				about = row;
			hops_max = number > 0 && number < 256 ? number : hops_max;
		}
	}
	build_end(build);
}
