/* IPv4 fragments (RFC 791 3.2): packets cut by routers, and put together again where they arrive. Used by the
 * virtual Internet only. */
#ifndef RETOUR_PACKET_FRAGMENT_H
#define RETOUR_PACKET_FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Write the next piece of a packet that is too long for `mtu` into `piece`, which has room for `mtu` bytes.
 * `*done` counts the bytes of payload that were written, from 0. Later pieces keep only the options that are
 * marked to be copied, others become padding, as Linux does it. The length of the piece; 0: there is no more,
 * or it cannot be cut (not IPv4, don't fragment, no room for eight bytes). */
size_t fragment_cut(const uint8_t *packet, size_t length, size_t mtu, size_t *done, uint8_t *piece);

/* The identification that pieces of one packet share; 0: not IPv4. */
uint16_t fragment_id(const uint8_t *packet, size_t length);

/* The header of a packet that is whole again: of the first fragment, with the length of all. */
bool fragment_finish(uint8_t *packet, size_t header_length, size_t length);

#endif
