/* Changes that boxes on the way make to IPv4 packets, in place, with checksums kept right: what was wrong
 * before stays wrong. Used by the virtual Internet only. False: not readable, nothing was changed. */
#ifndef RETOUR_PACKET_TRANSLATE_H
#define RETOUR_PACKET_TRANSLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum translate_side { TRANSLATE_SOURCE, TRANSLATE_DESTINATION };

/* The address, and the port of UDP or TCP, or the id of an ICMP echo whichever side it is on (RFC 3022 4.1).
 */
bool translate_packet(
	uint8_t *bytes, size_t length, enum translate_side side, struct addr addr, uint16_t port);
/* Only the address. */
bool translate_address(uint8_t *bytes, size_t length, enum translate_side side, struct addr addr);
/* Like translate_packet, in the packet that an ICMP error quotes (RFC 5508 4.2). */
bool translate_quote(
	uint8_t *bytes, size_t length, enum translate_side side, struct addr addr, uint16_t port);

#endif
