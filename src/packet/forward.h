/* What a router does to a packet on its way: edits in place, checksums kept right. Used by the virtual
 * Internet only, but it is wire format, so it lives here. All refuse (false, bytes untouched) what they
 * cannot read. */
#ifndef RETOUR_PACKET_FORWARD_H
#define RETOUR_PACKET_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* TTL or hop limit. */
bool forward_set_ttl(uint8_t *bytes, size_t length, uint8_t ttl);
/* Stamp the next free slot of a record-route option; false when there is none. */
bool forward_stamp_route(uint8_t *bytes, size_t length, struct addr addr);
/* Do what a timestamp option asks for (RFC 791 3.1): flag 0 the time, flag 1 the address `stamp` and the
 * time, flag 3 the time if the address that comes next is one of our `own_count` addresses. `ms` is
 * milliseconds since midnight UTC. A full option of flag 0 or 1 gets its overflow counted. False: nothing
 * was changed. */
bool forward_stamp_time(uint8_t *bytes, size_t length, const struct addr *own, size_t own_count,
	struct addr stamp, uint32_t ms);

/* Take away all IPv4 options. The new length of the packet; unchanged where there are none. */
size_t forward_strip_options(uint8_t *bytes, size_t length);
/* Type of service or traffic class: keep the bits in `mask`, clear the others. */
bool forward_mask_tos(uint8_t *bytes, size_t length, uint8_t mask);

/* Take the next segment of a Segment Routing Header that follows the IPv6 header (RFC 8754 4.3.1.1, S14 to
 * S16): it becomes the destination. False: there is none left. */
bool forward_next_segment(uint8_t *bytes, size_t length);

#endif
