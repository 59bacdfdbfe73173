/* One IP packet as plain data, in host order: what `packet_read` finds in bytes and `packet_write` turns into
 * bytes. Used for packets, and for the packets that ICMP errors quote.
 *
 * Views: `payload` pointers borrow from the bytes that were read. */
#ifndef RETOUR_PACKET_PACKET_H
#define RETOUR_PACKET_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/cursor.h"

#define PACKET_SIZE_MAX 65535

/* IANA protocol numbers. */
enum ip_protocol {
	PROTOCOL_HOP_BY_HOP = 0,
	PROTOCOL_ICMP = 1,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_ROUTING = 43,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_ICMPV6 = 58,
	PROTOCOL_NO_NEXT = 59,
	PROTOCOL_DESTINATION_OPTIONS = 60,
	PROTOCOL_UDPLITE = 136,
};

#define RECORD_ROUTE_SLOTS_MAX 9 /* 40 bytes of options: 3 of header, 9 addresses (RFC 791 3.1) */
#define SEGMENTS_MAX	       16

/* RFC 791 3.1, option 7 (record route), 131 (loose) and 137 (strict source route). */
struct route_option {
	bool present;
	uint8_t type;
	uint8_t slots; /* room for addresses */
	uint8_t used;  /* (pointer - 4) / 4: stamped, or for source routes already visited */
	struct addr addrs[RECORD_ROUTE_SLOTS_MAX]; /* all slots, stamped or not */
};

/* RFC 791 3.1, option 68. */
struct timestamp_option {
	bool present;
	uint8_t flag;	  /* 0 times only, 1 address and time, 3 prespecified addresses */
	uint8_t overflow; /* hops that found no room */
	uint8_t slots;
	uint8_t used;
	struct addr addrs[RECORD_ROUTE_SLOTS_MAX]; /* not for flag 0 */
	uint32_t times[RECORD_ROUTE_SLOTS_MAX];	   /* ms since midnight UTC; top bit: non-standard */
};

/* RFC 8200 4.4 routing header; types 0 (RFC 2460) and 4 (segment routing, RFC 8754). Segments as listed on
 * the wire: for type 4 the last segment comes first. */
struct routing_header {
	bool present;
	uint8_t type;
	uint8_t segments_left;
	uint8_t count;
	struct addr segments[SEGMENTS_MAX];
};

struct ip_header {
	struct addr source;
	struct addr destination;
	uint8_t tos;			   /* or traffic class */
	uint8_t ttl;			   /* or hop limit */
	uint8_t protocol;		   /* of the payload, after any extension headers */
	uint16_t id;			   /* IPv4 */
	bool dont_fragment;		   /* IPv4 */
	bool more_fragments;		   /* IPv4, or IPv6 fragment header */
	bool has_fragment;		   /* IPv6: a fragment header is there */
	uint16_t fragment_offset;	   /* bytes */
	uint32_t fragment_id;		   /* IPv6 */
	uint32_t flow_label;		   /* IPv6 */
	uint16_t header_length;		   /* bytes, with options and extension headers (set by read) */
	uint32_t total_length;		   /* bytes with the header, as the header claims (set by read) */
	struct route_option route;	   /* IPv4 */
	struct timestamp_option timestamp; /* IPv4 */
	struct routing_header routing;	   /* IPv6 */
	bool bad_options; /* options or extension headers that could not be understood were skipped */
};

enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

/* ICMPv4 types (RFC 792, 4884) and ICMPv6 types (RFC 4443). */
enum icmp_type {
	ICMP4_ECHO_REPLY = 0,
	ICMP4_UNREACHABLE = 3,
	ICMP4_REDIRECT = 5,
	ICMP4_ECHO_REQUEST = 8,
	ICMP4_TIME_EXCEEDED = 11,
	ICMP4_PARAMETER_PROBLEM = 12,
	ICMP6_UNREACHABLE = 1,
	ICMP6_PACKET_TOO_BIG = 2,
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_PARAMETER_PROBLEM = 4,
	ICMP6_ECHO_REQUEST = 128,
	ICMP6_ECHO_REPLY = 129,
};

/* What an ICMP message is, whatever the family. */
enum icmp_kind {
	ICMP_OTHER,
	ICMP_ECHO_REQUEST,
	ICMP_ECHO_REPLY,
	ICMP_TIME_EXCEEDED,
	ICMP_UNREACHABLE, /* IPv4 "fragmentation needed" counts as PACKET_TOO_BIG */
	ICMP_PACKET_TOO_BIG,
	ICMP_PARAMETER_PROBLEM,
};

/* Layer-4 header. Fields that were cut off by the end of a quote are zero; `seen` says how many bytes of the
 * header were there (8 is all that RFC 792 promises). */
struct transport {
	uint16_t source_port;
	uint16_t destination_port;
	uint16_t checksum;
	uint16_t udp_length; /* set by read; for UDP-Lite the checksum coverage, 0 = all, and written */
	uint32_t tcp_sequence;
	uint32_t tcp_acknowledgement;
	uint8_t tcp_flags;
	uint16_t tcp_window;
	uint16_t tcp_mss;	 /* option 2, 0 = absent */
	bool tcp_has_timestamps; /* option 8, RFC 7323 */
	uint32_t tcp_timestamp_value;
	uint32_t tcp_timestamp_echo;
	bool tcp_sack_permitted;   /* option 4, RFC 2018 */
	bool tcp_has_window_scale; /* option 3, RFC 7323 */
	uint8_t tcp_window_scale;
	bool tcp_has_sack; /* option 5, RFC 2018; its first block: bytes from left to before right */
	uint32_t tcp_sack_left, tcp_sack_right;
	enum icmp_kind icmp_kind; /* set by read; write goes by family, type and code */
	uint8_t icmp_type;
	uint8_t icmp_code;
	uint16_t icmp_id; /* echo, and the like-placed bytes of kind OTHER */
	uint16_t icmp_seq;
	uint32_t icmp_mtu;	    /* packet too big and IPv4 fragmentation needed, 0 = not said */
	uint32_t icmp_pointer;	    /* parameter problem */
	uint16_t icmp_quote_length; /* bytes by the RFC 4884 length attribute, 0 = not said (set by read) */
	uint8_t seen;
	const uint8_t *payload; /* after the layer-4 header; for ICMP errors the quoted bytes */
	size_t payload_length;	/* bytes at hand, which may be fewer than the headers claim */
};

#define MPLS_STACK_MAX	   8
#define INTERFACE_INFO_MAX 4

/* RFC 4950 / RFC 3032 label stack entry. */
struct mpls_entry {
	uint32_t label;
	uint8_t traffic_class;
	bool bottom;
	uint8_t ttl;
};

/* RFC 5837 interface information object. */
struct interface_info {
	uint8_t role;	/* 0 incoming, 1 sub-IP of incoming, 2 outgoing, 3 next hop */
	uint32_t index; /* 0 = absent */
	struct addr address;
	uint32_t mtu;  /* 0 = absent */
	char name[64]; /* raw bytes, NUL-terminated; escape before printing. "" = absent */
};

/* RFC 4884 extension structure. */
struct icmp_extensions {
	bool present;
	bool checksum_ok; /* or the checksum is zero: not computed. False: the objects below were not read */
	uint8_t mpls_count;
	struct mpls_entry mpls[MPLS_STACK_MAX];
	uint8_t interface_count;
	struct interface_info interfaces[INTERFACE_INFO_MAX];
	uint8_t unknown_count; /* objects of other classes */
};

struct packet {
	struct ip_header ip;
	struct transport transport;
	bool checksum_ok; /* layer 4 (and IPv4 header) checksums hold; false when bytes are missing */
	bool has_quote;	  /* an ICMP error with a readable quoted packet */
	struct ip_header quoted_ip;
	struct transport quoted;
	struct icmp_extensions extensions;
};

/* Read a whole IP packet. Returns 0, or -EBADMSG when the bytes are not an IP packet whose IP header can be
 * read. Missing or nonsensical upper layers are not an error: they leave zeros, `seen` and flags tell.
 * Any input is safe. */
int packet_read(const uint8_t *bytes, size_t length, struct packet *packet) MUST_USE;

/* Read an ICMP message without its IP header, which the caller knows (IPv6 raw sockets). `ip` supplies the
 * addresses, whose family says which ICMP it is, and the hop limit. -EBADMSG: no family, or under 8 bytes. */
int packet_read_icmp(
	const struct ip_header *ip, const uint8_t *bytes, size_t length, struct packet *packet) MUST_USE;

/* The same for a message of any protocol: `ip` says which, and in IPv6 it may be an extension header's. Only
 * ICMP has a least length. */
int packet_read_transport(
	const struct ip_header *ip, const uint8_t *bytes, size_t length, struct packet *packet) MUST_USE;

/* Write the packet that `ip` and `transport` describe, with lengths and checksums computed; for ICMP
 * errors `transport.payload` is the packet to quote and `extensions` (may be NULL) follow it as RFC 4884
 * lays down.
 *
 * `force_checksum` != 0 makes the layer-4 checksum come out as that value by adjusting the last two
 * payload bytes at an even offset, which are then written as if zero before (UDP, UDP-Lite that covers all,
 * ICMP echo; payload of 2 bytes or more): Paris probes carry a number in the checksum, or keep the checksum
 * of a flow constant.
 *
 * Only what the structs hold is written: no hop-by-hop or destination options, no unknown options. IPv6
 * gets a fragment header when `has_fragment`. Fragments with an offset have a bare payload.
 *
 * Returns 0, -ENOBUFS when the writer is too small, -EINVAL when the description makes no sense (mixed
 * families, too many options, extensions on a message that has no length attribute, ...). */
struct packet_spec {
	struct ip_header ip;
	struct transport transport;
	const struct icmp_extensions *extensions; /* borrowed, may be NULL */
	uint16_t force_checksum;
};
int packet_write(struct writer *writer, const struct packet_spec *spec) MUST_USE;
/* Bytes that the options of a TCP header take. */
unsigned tcp_options_length(const struct transport *transport);

/* "net-unreachable" and so on: a word for (family, type, code), or NULL. */
const char *icmp_code_word(uint8_t family, uint8_t type, uint8_t code);
enum icmp_kind icmp_kind_of(uint8_t family, uint8_t type, uint8_t code);

#endif
