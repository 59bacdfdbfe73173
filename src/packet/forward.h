/* What a router does to a packet on its way: edits in place, checksums kept right. Used by the virtual Internet
 * only, but it is wire format, so it lives here. All refuse (false, bytes untouched) what they cannot read. */
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
/* Stamp a timestamp option as its flag demands (flag 3: only when `addr` is one of `addr_count` own addresses
 * and comes next). `ms` is milliseconds since midnight UTC. Counts the overflow when full. */
bool forward_stamp_time(uint8_t *bytes, size_t length, const struct addr *own, size_t own_count, struct addr stamp,
	uint32_t ms);

#endif
