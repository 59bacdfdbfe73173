#include "trace/result.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

/* traceroute's marks for ICMP errors. */
struct mark {
	uint8_t family, code;
	const char *text;
};
static const struct mark unreachable_marks[] = {
	{4, 0, "!N"}, {4, 6, "!N"}, {4, 8, "!N"},
	{4, 11, "!N"},				    /* network unreachable, unknown, isolated, TOS */
	{4, 1, "!H"}, {4, 7, "!H"}, {4, 12, "!H"},  /* host unreachable, unknown, TOS */
	{4, 2, "!P"}, {4, 5, "!S"},		    /* protocol; source route failed */
	{4, 9, "!X"}, {4, 10, "!X"}, {4, 13, "!X"}, /* administratively prohibited */
	{4, 14, "!V"}, {4, 15, "!C"},		    /* precedence violation, cutoff */
	{6, 0, "!N"}, {6, 1, "!X"}, {6, 2, "!H"}, {6, 3, "!H"}, /* RFC 4443 3.1 */
};

static void mark_reply(struct probe_result *probe, uint8_t family, const struct reply *reply)
{
	if (reply->kind == ICMP_PACKET_TOO_BIG) {
		snprintf(probe->mark, sizeof(probe->mark), "!F-%u", (unsigned)MIN(reply->mtu, 65535u));
		return;
	}
	if (reply->kind != ICMP_UNREACHABLE || reply->reached)
		return;
	for (size_t i = 0; i < ARRAY_LEN(unreachable_marks); i++) {
		const struct mark *mark = &unreachable_marks[i];
		if (mark->family == family && mark->code == reply->icmp_code) {
			strcpy(probe->mark, mark->text);
			return;
		}
	}
	snprintf(probe->mark, sizeof(probe->mark), "!<%u>", (unsigned)(uint8_t)reply->icmp_code);
}

void result_fill(struct probe_result *probe, uint8_t family, const struct reply *reply)
{
	probe->rtt_ns = reply->rtt_ns;
	probe->address = reply->from;
	probe->icmp_type = reply->icmp_type;
	probe->icmp_code = reply->icmp_code;
	probe->tcp_flags = reply->tcp_flags;
	probe->mtu = reply->mtu;
	probe->reply = reply->header;
	probe->quoted = reply->quoted;
	probe->mpls_count = reply->extensions.mpls_count;
	memcpy(probe->mpls, reply->extensions.mpls, sizeof(probe->mpls));
	probe->has_interface = reply->extensions.interface_count > 0;
	probe->interface = reply->extensions.interfaces[0];
	mark_reply(probe, family, reply);
}

/* The common initial values are 64, 128 and 255. */
unsigned result_hops_travelled(int ttl)
{
	int initial = ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
	return (unsigned)(initial - ttl + 1);
}

bool result_accepts(const struct probe_result *result)
{
	return (result->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) && result->rtt_ns != RTT_NONE;
}
