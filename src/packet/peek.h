/* As much of a packet as it takes to send it on: a router does not read further. */
#ifndef RETOUR_PACKET_PEEK_H
#define RETOUR_PACKET_PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"

struct peek {
	struct addr source, destination;
	uint8_t ttl, tos, protocol; /* of the payload, after extension headers */
	bool options;		    /* IPv4 options */
	bool dont_fragment;	    /* IPv6: always */
	bool more_fragments;
	uint16_t fragment_offset; /* bytes */
	uint16_t header_length;	  /* bytes, with options and extension headers */
	uint32_t length;	  /* bytes, as the header says; not more than there are */
	uint32_t flow_label;
	uint32_t flow_word; /* ports, or for ICMP type, code and checksum; 0 where there are none */
};

/* False: not an IP packet, shorter than it says, or with an IPv4 header whose checksum does not hold. The
 * checksum is looked at only when asked for: whoever let the packet in has done so. */
bool peek_read(const uint8_t *bytes, size_t length, bool checksum, struct peek *peek) MUST_USE;

#endif
