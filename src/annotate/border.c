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

/* The last address of A before the first of B. Where A's router was seen before it, it is B's router if the
 * link to it has addresses of A, as links to customers have. That the way back crosses the same link says
 * nothing: what it shows on the other side of this router is an address of B whether that is B's own link or
 * the one that leads to B. */
static void at_border(struct path *path, size_t index, const struct data *data)
{
	struct hop *hop = &path->hops[index];
	const struct hop *before = neighbour(path, index, -1), *next = neighbour(path, index, 1);
	if (!before || !next || hop->asn == 0 || next->asn == 0 || next->ixp || next->asn == hop->asn ||
		operator_of(before) != hop->asn || addr_equal(before->address, hop->address))
		return;
	if (data_provides(data, hop->asn, next->asn))
		say(hop, next->asn,
			"the last address of AS%u before its customer AS%u: links to customers have the "
			"provider's addresses",
			hop->asn, next->asn);
}

void border_operators(struct path *path, const struct data *data)
{
	for (size_t i = 0; path && i < path->hop_count; i++) {
		struct hop *hop = &path->hops[i];
		if (hop_known(hop) && hop->operator_asn == 0 && !on_exchange(path, i, data))
			at_border(path, i, data);
	}
}
