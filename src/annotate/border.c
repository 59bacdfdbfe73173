#include "annotate/border.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static PRINTF_LIKE(3, 4) void say(struct hop *hop, uint32_t asn, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	if (vasprintf(&hop->operator_reason, format, arguments) < 0)
		hop->operator_reason = NULL;
	va_end(arguments);
	hop->operator_asn = hop->operator_reason ? asn : 0;
}

static const struct hop *neighbour(const struct path *path, size_t index, int step)
{
	size_t other = index + (size_t)step;
	return other < path->hop_count && hop_known(&path->hops[other]) ? &path->hops[other] : NULL;
}

/* On an exchange a router shows the address it has there: to packets that come in over the LAN. */
static bool on_exchange(struct path *path, size_t index, const struct data *data)
{
	struct hop *hop = &path->hops[index];
	const struct hop *next = neighbour(path, index, 1);
	struct origin member;
	if (!hop->ixp)
		return false;
	if (data_member(data, hop->address, &member))
		say(hop, member.asns[0], "AS%u has this address on the LAN of %s", member.asns[0], hop->ixp);
	else if (next && next->asn != 0 && !next->ixp)
		say(hop, next->asn, "an address on the LAN of %s, before a hop of AS%u", hop->ixp, next->asn);
	return true;
}

static uint32_t operator_of(const struct hop *hop)
{
	return hop->operator_asn ? hop->operator_asn : hop->asn;
}

/* The two ends of a /31 (RFC 3021) or a /30, or of a /127 or /126. */
static bool ends_of_link(struct addr a, struct addr b)
{
	unsigned common = a.family == b.family ? common_length(a, b) : 0, bits = addr_bits(a);
	return addr_is_set(a) &&
		(common + 1 == bits || (common + 2 == bits && (a.low & 3) % 3 && (b.low & 3) % 3));
}

/* The hop of the other direction that is the other end of this hop's link: between it and what its packets
 * came from is the same link, crossed the other way. */
static const struct hop *other_end(const struct hop *hop, const struct path *other, uint32_t beyond)
{
	for (size_t i = 1; other && i < other->hop_count; i++) {
		const struct hop *end = &other->hops[i], *before = neighbour(other, i, -1);
		if (hop_known(end) && ends_of_link(hop->address, end->address) && before &&
			before->asn == beyond)
			return end;
	}
	return NULL;
}

/* The last address of A before the first of B. Where A's router was seen before it, it is B's router if the
 * link to it has addresses of A: as links to customers have, and as the way back shows where it crosses the
 * same link. */
static void at_border(struct path *path, size_t index, const struct path *other, const struct data *data)
{
	struct hop *hop = &path->hops[index];
	const struct hop *before = neighbour(path, index, -1), *next = neighbour(path, index, 1);
	char text[ADDR_TEXT_SIZE];
	if (!before || !next || hop->asn == 0 || next->asn == 0 || next->ixp || next->asn == hop->asn ||
		operator_of(before) != hop->asn || addr_equal(before->address, hop->address))
		return;
	const struct hop *end = other_end(hop, other, next->asn);
	if (end)
		say(hop, next->asn,
			"the way back crosses this link from AS%u to its other end, %s: the link has "
			"addresses of AS%u",
			next->asn, addr_format(end->address, text), hop->asn);
	else if (data_provides(data, hop->asn, next->asn))
		say(hop, next->asn,
			"the last address of AS%u before its customer AS%u: links to customers have the "
			"provider's addresses",
			hop->asn, next->asn);
}

void border_operators(struct path *path, const struct path *other, const struct data *data)
{
	for (size_t i = 0; path && i < path->hop_count; i++) {
		struct hop *hop = &path->hops[i];
		if (hop_known(hop) && hop->operator_asn == 0 && !on_exchange(path, i, data))
			at_border(path, i, other, data);
	}
}
