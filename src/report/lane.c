#include "report/lane.h"

#include <stdarg.h>
#include <string.h>

#include "base/escape.h"
#include "report/techniques.h"

#define TOLD_AGE_S 60 /* what is younger is of now */
#define RTT_COLUMN 8  /* a space and "1234.56" */

static PRINTF_LIKE(3, 4) void add_line(struct cell *cell, enum role role, const char *format, ...)
{
	if (cell->count == CELL_LINES_MAX)
		return;
	struct cell_line *line = &cell->lines[cell->count++];
	line->role = role;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line->text, sizeof(line->text), format, arguments);
	va_end(arguments);
}

/* A line about the hop, broken at spaces where the lane ends. */
static PRINTF_LIKE(4, 5) void add_detail(
	const struct lane *lane, struct cell *cell, enum role role, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	int room = lane->width - lane->number_width;
	for (const char *rest = text; *rest;) {
		int length = (int)strlen(rest);
		if (length > room) {
			length = room;
			while (length > 0 && rest[length] != ' ')
				length--;
			if (length == 0)
				length = room;
		}
		add_line(cell, role, "%*s%.*s", lane->number_width, "", length, rest);
		rest += length;
		rest += strspn(rest, " ");
	}
}

const struct shared_hop *lane_shared(const struct lane *lane, size_t index)
{
	const struct alignment *alignment = lane->measurement->alignment;
	int number = path_hop_number(lane->path, index);
	bool forward = lane->path == lane->measurement->forward;
	for (size_t i = 0; alignment && i < alignment->shared_count; i++) {
		const struct shared_hop *shared = &alignment->shared[i];
		if (shared->by != SHARED_BY_AS &&
			number == (forward ? shared->forward_ttl : shared->reverse_ttl))
			return shared;
	}
	return NULL;
}

static bool lossy(const struct hop *hop)
{
	return hop->received > 0 && hop->received < hop->sent;
}

static const char *name_of(const struct lane *lane, const struct hop *hop)
{
	return hop->name && !lane->options->numeric ? hop->name : NULL;
}

static void measure(struct lane *lane, int *address_width)
{
	char text[TEXT_MAX];
	for (size_t i = 0; i < lane->path->hop_count; i++) {
		const struct hop *hop = &lane->path->hops[i];
		char address[ADDR_TEXT_SIZE];
		*address_width = MAX(*address_width, (int)strlen(addr_format(hop->address, address)));
		if (name_of(lane, hop))
			lane->name_width = MAX(
				lane->name_width, (int)strlen(escape_text(hop->name, text, sizeof(text))));
		if (hop->asn != 0)
			lane->as_width =
				MAX(lane->as_width, 2 + snprintf(text, sizeof(text), "AS%u", hop->asn));
		if (lossy(hop))
			lane->lost_width = MAX(lane->lost_width,
				MAX(5,
					1 +
						snprintf(text, sizeof(text), "%u/%u",
							hop->sent - hop->received, hop->sent)));
	}
}

void lane_init(struct lane *lane, const struct measurement *measurement, const struct path *path,
	const struct report_options *options, int width, bool other)
{
	*lane = (struct lane){.measurement = measurement, .path = path, .options = options, .width = width};
	int address_width = 0;
	measure(lane, &address_width);
	lane->technique = path->hop_count > 0 ? path->hops[0].technique : TECHNIQUE_TTL;
	lane->number_width = 4; /* "12~ " */
	lane->minimum = width >= 44;
	lane->other_width = other ? 5 : 0;
	if (width < 50)
		lane->as_width = 0;
	int right =
		lane->as_width + lane->lost_width + lane->other_width + RTT_COLUMN * (lane->minimum ? 2 : 1);
	int room = width - lane->number_width - right;
	int both = lane->name_width + (lane->name_width > 0 ? 2 : 0) + address_width;
	lane->joined = both <= room;
	/* No wider than the content needs, so that the numbers stand near it. */
	int needed =
		MAX(lane->joined ? both : MAX(lane->name_width, address_width), (int)strlen("* no answer"));
	lane->host_width = MIN(room, needed);
}

static void format_rtt(int64_t ns, char text[static RTT_COLUMN + 8])
{
	double ms = (double)ns / 1e6;
	if (ns == RTT_NONE)
		snprintf(text, RTT_COLUMN + 8, "%*s", RTT_COLUMN, "");
	else
		snprintf(text, RTT_COLUMN + 8, "%*.*f", RTT_COLUMN,
			ms < 0.1	    ? 3
				: ms < 10   ? 2
				: ms < 1000 ? 1
					    : 0,
			ms);
}

static void format_other(const struct lane *lane, size_t index, char *text, size_t size)
{
	const struct shared_hop *shared = lane->other_width > 0 ? lane_shared(lane, index) : NULL;
	text[0] = '\0';
	if (!shared)
		return;
	const struct glyphs *glyphs = glyphs_of(lane->options);
	int number = lane->path == lane->measurement->forward ? shared->reverse_ttl : shared->forward_ttl;
	snprintf(text, size, "  %s%d", glyphs->mark[shared->by], number);
}

/* Everything right of the host. */
static void format_right(const struct lane *lane, size_t index, char *text, size_t size)
{
	const struct hop *hop = &lane->path->hops[index];
	char as[24] = "", lost[32] = "", least[RTT_COLUMN + 8] = "", median[RTT_COLUMN + 8], other[32];
	if (hop->asn != 0)
		snprintf(as, sizeof(as), "  AS%u", hop->asn);
	if (lossy(hop))
		snprintf(lost, sizeof(lost), "%u/%u", hop->sent - hop->received, hop->sent);
	if (lane->minimum)
		format_rtt(hop->rtt_min_ns, least);
	format_rtt(hop->rtt_median_ns, median);
	format_other(lane, index, other, sizeof(other));
	snprintf(text, size, "%-*.*s%*s%s%s%s", lane->as_width, lane->as_width, as, lane->lost_width, lost,
		least, median, other);
	for (size_t end = strlen(text); end > 0 && text[end - 1] == ' '; end--)
		text[end - 1] = '\0';
}

static char certainty_mark(const struct hop *hop)
{
	return hop->certainty == CERTAINTY_INFERRED ? '~' : hop->certainty == CERTAINTY_ASSUMED ? '?' : ' ';
}

static void add_mark_details(const struct lane *lane, const struct hop *hop, struct cell *cell)
{
	for (size_t i = 0; i < hop->probe_count; i++) {
		const char *mark = hop->probes[i].mark;
		unsigned count = 0;
		bool seen = false;
		for (size_t j = 0; j < hop->probe_count; j++) {
			bool same = strcmp(hop->probes[j].mark, mark) == 0;
			seen |= same && j < i;
			count += same;
		}
		if (!*mark || seen)
			continue;
		char address[ADDR_TEXT_SIZE];
		add_detail(lane, cell, ROLE_PROBLEM, "%s on %u of %u, from %s: ICMP type %d code %d", mark,
			count, hop->sent, addr_format(hop->probes[i].address, address),
			hop->probes[i].icmp_type, hop->probes[i].icmp_code);
	}
}

static const struct probe_result *labelled_probe(const struct hop *hop)
{
	for (size_t i = 0; i < hop->probe_count; i++)
		if (hop->probes[i].mpls_count > 0)
			return &hop->probes[i];
	return NULL;
}

/* RFC 5837 4.2: whose interface it is that the router tells of. */
static void add_interface_detail(const struct lane *lane, const struct hop *hop, struct cell *cell)
{
	static const char *const roles[] = {"incoming", "below the incoming", "outgoing", "next hop's"};
	for (size_t i = 0; i < hop->probe_count; i++) {
		const struct interface_info *interface = &hop->probes[i].interface;
		char name[4 * sizeof(interface->name)], index[24] = "", address[ADDR_TEXT_SIZE], mtu[24] = "";
		if (!hop->probes[i].has_interface)
			continue;
		if (interface->index && !*interface->name)
			snprintf(index, sizeof(index), " index %u", interface->index);
		if (interface->mtu)
			snprintf(mtu, sizeof(mtu), ", MTU %u", interface->mtu);
		addr_format(interface->address, address);
		add_detail(lane, cell, ROLE_DIM, "%s interface%s%s%s%s%s%s", roles[interface->role & 3],
			*interface->name ? " " : "", escape_text(interface->name, name, sizeof(name)), index,
			*address ? " " : "", address, mtu);
		return;
	}
}

/* Who announces the address is one thing, whose router it is another. */
static void add_network_details(const struct lane *lane, const struct hop *hop, struct cell *cell)
{
	char clean[TEXT_MAX];
	for (size_t i = 1; i < hop->origin_count; i++)
		add_detail(lane, cell, ROLE_DIM, "also announced by AS%u", hop->origins[i]);
	if (hop->operator_asn)
		add_detail(lane, cell, ROLE_DIM, "router of AS%u: %s", hop->operator_asn,
			escape_text(hop->operator_reason, clean, sizeof(clean)));
	else if (hop->ixp)
		add_detail(lane, cell, ROLE_DIM, "on the LAN of %s",
			escape_text(hop->ixp, clean, sizeof(clean)));
}

static void add_details(const struct lane *lane, const struct hop *hop, struct cell *cell)
{
	char address[ADDR_TEXT_SIZE];
	for (size_t i = 1; i < hop->address_count; i++)
		add_detail(lane, cell, ROLE_PLAIN, "or %s", addr_format(hop->addresses[i], address));
	add_mark_details(lane, hop, cell);
	const struct probe_result *labelled = labelled_probe(hop);
	for (size_t i = 0; labelled && i < labelled->mpls_count; i++)
		add_detail(lane, cell, ROLE_DIM, "MPLS label %u ttl %u", labelled->mpls[i].label,
			labelled->mpls[i].ttl);
	add_interface_detail(lane, hop, cell);
	add_network_details(lane, hop, cell);
	if (hop->protocol >= 0)
		add_detail(lane, cell, ROLE_DIM, "by %s probes",
			protocol_word((enum probe_protocol)hop->protocol));
	if (hop->technique != lane->technique && !techniques_composed(lane->path))
		add_detail(lane, cell, ROLE_DIM, "by %s", technique_word(hop->technique));
	if (hop->age_s >= TOLD_AGE_S)
		add_detail(lane, cell, ROLE_DIM, "seen %.0f min ago", hop->age_s / 60);
}

/* A line with the host's text on the left and, once they fit, the numbers on the right. */
static bool add_host_line(const struct lane *lane, struct cell *cell, enum role role, const char *left,
	const char *host, const char *right)
{
	bool fits = text_columns(host) <= lane->host_width;
	if (*right && fits)
		add_line(cell, role, "%s%-*s%s", left, lane->host_width, host, right);
	else
		add_line(cell, role, "%s%s", left, host);
	return fits;
}

void lane_hop(const struct lane *lane, size_t index, struct cell *cell)
{
	const struct hop *hop = &lane->path->hops[index];
	char left[32], right[128], name[TEXT_MAX] = "", address[ADDR_TEXT_SIZE], host[TEXT_MAX * 2];
	cell->count = 0;
	snprintf(left, sizeof(left), "%2d%c ", path_hop_number(lane->path, index), certainty_mark(hop));
	format_right(lane, index, right, sizeof(right));
	addr_format(hop->address, address);
	if (name_of(lane, hop))
		escape_text(hop->name, name, sizeof(name));
	enum role role = addr_is_set(hop->address) ? ROLE_PLAIN : ROLE_DIM;
	if (!addr_is_set(hop->address)) /* whom nobody asked did not stay silent */
		snprintf(host, sizeof(host),
			hop->technique == TECHNIQUE_INFERRED ? "* not known" : "* no answer");
	else if (lane->joined && lane->name_width > 0)
		snprintf(host, sizeof(host), "%-*s  %s", lane->name_width, name, address);
	else
		snprintf(host, sizeof(host), "%s", *name ? name : address);
	bool done = add_host_line(lane, cell, role, left, host, right);
	bool second = *name && !lane->joined && addr_is_set(hop->address);
	snprintf(left, sizeof(left), "%*s", lane->number_width, "");
	if (second)
		done |= add_host_line(lane, cell, role, left, address, done ? "" : right);
	if (!done)
		add_host_line(lane, cell, role, left, "", right);
	add_details(lane, hop, cell);
}

void lane_note(const struct lane *lane, enum role role, const char *text, struct cell *cell)
{
	char clean[TEXT_MAX];
	cell->count = 0;
	add_detail(lane, cell, role, "%s", escape_text(text, clean, sizeof(clean)));
}

void lane_header(const struct lane *lane, struct cell *cell)
{
	bool forward = lane->path->direction == DIRECTION_FORWARD;
	cell->count = 0;
	add_line(cell, ROLE_STRONG, "%*s%-*s%-*.*s%*s%*s%*s%s", lane->number_width, "", lane->host_width,
		forward ? "THERE" : "BACK", lane->as_width, lane->as_width, "  AS", lane->lost_width,
		lane->lost_width > 0 ? "lost" : "", lane->minimum ? RTT_COLUMN : 0,
		lane->minimum ? "min ms" : "", RTT_COLUMN, lane->minimum ? "median" : "ms",
		lane->other_width == 0 ? ""
			: forward      ? " back"
				       : " there");
}

void cell_print(FILE *out, const struct report_options *options, const struct cell *cell)
{
	for (int i = 0; i < cell->count; i++) {
		paint(out, options, cell->lines[i].role, cell->lines[i].text, 0);
		print_newline(out);
	}
}
