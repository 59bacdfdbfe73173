/* What the files of this room share among themselves; nobody else includes it. */
#ifndef RETOUR_PACKET_WIRE_H
#define RETOUR_PACKET_WIRE_H

#include "packet/packet.h"

#define IPV4_HEADER_SIZE 20
#define IPV6_HEADER_SIZE 40
#define UDP_HEADER_SIZE	 8
#define TCP_HEADER_SIZE	 20
#define ICMP_HEADER_SIZE 8

enum ipv4_option_type {
	IPV4_OPTION_END = 0,
	IPV4_OPTION_NOP = 1,
	IPV4_OPTION_RECORD_ROUTE = 7,
	IPV4_OPTION_TIMESTAMP = 68,
	IPV4_OPTION_LOOSE_ROUTE = 131,
	IPV4_OPTION_STRICT_ROUTE = 137,
};

struct ipv4_option {
	uint8_t type;
	size_t offset;	    /* of the type byte, within the cursor the options are read from */
	struct cursor data; /* after type and length */
};
/* The next option that is neither padding nor the end; false at the end or at one that does not fit (then the
 * cursor is bad). */
bool ipv4_option_next(struct cursor *options, struct ipv4_option *option);

/* Read an IP header with its options or extension headers from a cursor that starts with it; the cursor
 * moves to the payload. `whole`: the header's length field counts, trailing bytes are not seen, and all of
 * an IPv4 header must be there. Quotes are read without: 20 or 40 bytes of header are enough, what misses
 * leaves the cursor bad and `bad_options` set. 0 or -EBADMSG. */
int ipv4_read(struct cursor *cursor, struct ip_header *ip, bool whole) MUST_USE;
int ipv6_read(struct cursor *cursor, struct ip_header *ip, bool whole) MUST_USE;
int ip_read(struct cursor *cursor, uint8_t family, struct ip_header *ip, bool whole) MUST_USE;
/* From ip->protocol on: the extension headers that the cursor begins with, if any. */
void ipv6_extensions_read(struct cursor *cursor, struct ip_header *ip);

bool ipv4_is_writable(const struct ip_header *ip);
bool ipv6_is_writable(const struct ip_header *ip);
/* Write the header with zeros where lengths and checksum go; the finish functions fill those in for the
 * packet that began at `start` and ends with the writer. */
void ipv4_write(struct writer *writer, const struct ip_header *ip);
void ipv6_write(struct writer *writer, const struct ip_header *ip);
void ipv4_finish(struct writer *writer, size_t start);
void ipv6_finish(struct writer *writer, size_t start);

/* Where the packet ends up after all source routing: what the pseudo header holds (RFC 8200 8.1). */
struct addr ip_final_destination(const struct ip_header *ip);

/* ICMP of the header's own family. */
static inline bool ip_is_icmp(const struct ip_header *ip)
{
	return ip->protocol == (ip->source.family == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6);
}

/* Read whatever there is of the layer-4 header; never fails. */
void transport_read(struct cursor *cursor, const struct ip_header *ip, struct transport *transport);
/* Are all bytes of layer 4 there and does its checksum hold? */
bool transport_checksum_ok(const struct ip_header *ip, struct cursor bytes);
bool transport_is_writable(const struct packet_spec *spec);
/* Layer 4 with everything after it, checksum and all. */
void transport_write(struct writer *writer, const struct packet_spec *spec);

void tcp_read(struct cursor *cursor, struct transport *transport);
void tcp_write(struct writer *writer, const struct transport *transport);
void icmp_read(struct cursor *cursor, uint8_t family, struct transport *transport);
/* Header (checksum zero), payload or quote, extensions. */
void icmp_write(struct writer *writer, const struct packet_spec *spec);
bool icmp_is_writable(const struct packet_spec *spec);
bool icmp_kind_is_error(enum icmp_kind kind);
/* The unit of the RFC 4884 length attribute, or 0 for a message that has none. */
unsigned icmp_quote_unit(uint8_t family, uint8_t type);

/* Quote and extensions of an ICMP error whose transport was read; the transport's payload becomes the
 * quote. */
void quote_read(struct packet *packet);

/* Read an extension structure that fills the cursor. False: there is none. `verified`: only one with a
 * checksum that is there and holds counts. */
bool extensions_read(struct cursor cursor, bool verified, struct icmp_extensions *extensions);
void extensions_write(struct writer *writer, const struct icmp_extensions *extensions);

#endif
