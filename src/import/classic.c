/* The largest family: traceroute of Linux (Debian's, BusyBox, inetutils), BSD and macOS, and the command
 * lines of routers. They share one grammar; what sets them apart is only how a trace is announced, which is
 * good enough for a name. */
#include <string.h>

#include "import/dialect.h"
#include "import/header.h"
#include "import/line.h"

/* What the first lines of a dialect look like. Sizes and hop limits are its defaults. */
struct look {
	const char *dialect;
	const char *opening; /* words in the first line */
	int hops_max;
	int sizes[4];
	const char *body; /* found only here */
};

static const struct look looks[] = {
	{"linux", "hops max", 30, {60, 80}, "<MPLS:"},
	{"busybox", "hops max", 30, {46, 38, 72}, NULL},
	{"inetutils", "hops max", 64, {-1}, NULL},
	{"bsd", "hops max", 64, {40, 52, 12, 20}, NULL},
	{"ios", "Tracing the route", -1, {-1}, "VRF info"},
	{"ios-xr", "Tracing the route", -1, {-1}, "MPLS: Labels"},
	{"nx-os", "hops max", 30, {48, 40}, "[AS "},
	{"junos", "hops max", 30, {40, 52, 12}, "MPLS Label="},
	{"sr-os", "hops max", 30, {40}, "entry  1: MPLS"},
	{"huawei", "max hops:", 30, {40}, "< 1 ms"},
	{"h3c", "hops at most", 30, {52, 40}, NULL},
};

static bool in_sizes(const struct look *look, int size)
{
	for (size_t i = 0; i < ARRAY_LEN(look->sizes); i++)
		if (look->sizes[i] == size && size != 0)
			return true;
	return false;
}

static int score_line(const struct look *look, const char *line)
{
	struct header header;
	if (!header_read(line, &header) || !strcasestr(line, look->opening))
		return 0;
	bool bare = !strchr(line, '('); /* only SR OS leaves the address in brackets out */
	return 40 + (in_sizes(look, header.size) ? 15 : 0) + (header.hops_max == look->hops_max ? 10 : 0) +
		(bare && strcmp(look->dialect, "sr-os") == 0 ? 10 : 0);
}

int classic_score(const struct source *source, const char *dialect)
{
	const struct look *look = NULL;
	for (size_t i = 0; i < ARRAY_LEN(looks); i++)
		if (strcmp(looks[i].dialect, dialect) == 0)
			look = &looks[i];
	for (size_t i = 0; look && i < source->text.count; i++) {
		int score = score_line(look, source->text.lines[i]);
		if (score > 0)
			return score + (look->body && text_find(&source->text, look->body) ? 20 : 0);
	}
	return 0;
}

static void begin(struct build *build, const struct header *header)
{
	build_trace(build, header->tcp ? PROBE_TCP : PROBE_UDP);
	build_target(build, header->name, header->target);
	build_source(build, NULL, header->source);
	build->hops_max = header->hops_max > 0 ? header->hops_max : 0;
}

struct reading {
	int ttl;	 /* of the hop before; 0 = none yet */
	unsigned unread; /* lines since then */
};

static void read_hop(struct build *build, struct reading *reading, int ttl, const char *line)
{
	/* Another trace, whose first line is missing. */
	if (!build->trace || ttl < reading->ttl) {
		build_trace(build, PROBE_UDP);
		reading->unread = 0;
	}
	build->unread += reading->ttl > 0 ? reading->unread : 0;
	reading->unread = 0;
	reading->ttl = ttl;
	line_read(build, ttl, line);
}

void classic_read(struct build *build, const struct source *source)
{
	struct reading reading = {0};
	for (size_t i = 0; i < source->text.count; i++) {
		const char *line = source->text.lines[i];
		struct header header;
		int ttl;
		enum line_kind kind = line_kind(line, &ttl);
		if (header_read(line, &header)) {
			begin(build, &header);
			reading = (struct reading){0};
		} else if (kind == LINE_HOP) {
			read_hop(build, &reading, ttl, line);
		} else if (kind == LINE_MORE && reading.ttl > 0) {
			line_read(build, reading.ttl, line);
		} else if (*text_skip(line)) {
			reading.unread++;
		}
	}
	build_end(build);
}
