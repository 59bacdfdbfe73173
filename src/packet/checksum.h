/* The Internet checksum (RFC 1071). */
#ifndef RETOUR_PACKET_CHECKSUM_H
#define RETOUR_PACKET_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* Running ones' complement sum, not yet folded or inverted. Only the last piece may have an odd length. */
uint64_t checksum_add(uint64_t sum, const uint8_t *bytes, size_t length);
/* RFC 793 3.1 / RFC 8200 8.1 pseudo header. */
uint64_t checksum_pseudo(struct addr source, struct addr destination, uint8_t protocol, uint32_t length);
/* Fold and invert: the value for the checksum field. */
uint16_t checksum_finish(uint64_t sum);
/* RFC 1624: the checksum after one 16-bit word of the covered data changed. */
uint16_t checksum_update(uint16_t checksum, uint16_t old_word, uint16_t new_word);

#endif
