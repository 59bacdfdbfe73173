/* Messages of the cooperative reverse traceroute protocol as deployed ("v1 wire format": ICMP echo with
 * code 1). Layouts are of the ICMP message body, after type, code, checksum, identifier and sequence.
 *
 *	request   0 ttl, 1 protocol, 2..3 flow, then zero padding or an extension (first nibble 2)
 *	error     0 status, 1 text length (always 0), 2..3 reserved (status 4: class and type refused)
 *	extension 0..1 0x2000, 2..3 checksum, 4..5 length of the object (16; by RFC 4884 it would be 20), 6
 *class 5, 7 type 0, 8..23 the third party to probe success   0 status 0, 1..3 zero, 4..19 hop (IPv4 mapped
 *into IPv6), 20..23 round trip in ns, zeros
 *
 * The round trip is 32 bits wide although the field has 64 (a byte-order slip of the public implementation
 * that every stock client relies on); it is written so, saturating at 4.29 s, and read from either half.
 *
 * Our own addition is the cookie, a block of 12 bytes that peers without it take for padding: 2 bytes zero,
 * 2 bytes magic 0x7274, 8 bytes cookie. It follows the 4-byte request, the error body or the success body.
 * A response that carries one is 12 bytes longer, so a server adds it only when the request was long enough
 * to pay for it. A request without a cookie has all-zero padding. After the cookie of an error response may
 *follow 20 bytes: 2 bytes zero, 2 bytes magic 0x7261, and the address that the request came from, as the hop
 *in a success; it tells clients behind a translator who they are.
 *
 * An ordinary host echoes requests. The echo of a hello or of any request never reads as a success: the
 * place of the hop address holds zeros first. The echo of a request with a protocol reads as nothing at
 * all. Without a protocol, a TTL of 4 looks like status 4, which is no answer to a request that has no
 * extension, and without a flow too, a TTL of 1 to 3 looks like that status: clients name both.
 *
 * Source: packet captures of the public implementation; docs/protocol/responder.md. */
#ifndef RETOUR_PACKET_RESPONDER_H
#define RETOUR_PACKET_RESPONDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/cursor.h"

#define RESPONDER_CODE	       1  /* ICMP(v6) code of requests and responses */
#define RESPONDER_REQUEST_BODY 4  /* ttl, protocol, flow; anything after it is padding or an extension */
#define RESPONDER_ERROR_BODY   4  /* status, length, reserved */
#define RESPONDER_SUCCESS_BODY 28 /* + address, round-trip time */
#define RESPONDER_COOKIE_SIZE  8
#define RESPONDER_COOKIE_BLOCK 12     /* zero, magic, cookie */
#define RESPONDER_TARGET       0x0500 /* class and type of the extension that names a third party */
#define RESPONDER_SEEN_BLOCK   20     /* zero, magic, address */

enum responder_status {
	RESPONDER_OK = 0,
	RESPONDER_BAD_TTL = 1, /* also the answer to the TTL-0 hello: "a responder lives here" */
	RESPONDER_BAD_PROTOCOL = 2,
	RESPONDER_BAD_FLOW = 3, /* defined, never sent by the public implementation */
	RESPONDER_BAD_EXTENSION = 4,
};

struct responder_request {
	uint8_t ttl;	    /* 0 is the hello */
	uint8_t protocol;   /* 0 = ICMP of the family */
	uint16_t flow;	    /* 0 = the server's default */
	bool has_extension; /* set by read: an extension follows, not padding */
	bool extension_cut; /* too short for an object's header: not worth an answer */
	uint16_t extension; /* class and type of its object */
	struct addr target; /* 16 bytes of it, where it names a third party to probe; IPv4 in the last four */
	uint64_t cookie;    /* 0 = none; proof of address from an earlier response */
	uint16_t padding;   /* bytes after the 4-byte request, the cookie included; a cookie makes it >= 12 */
};

struct responder_response {
	uint8_t status;
	struct addr hop;  /* success */
	uint64_t rtt_ns;  /* success */
	uint64_t cookie;  /* 0 = none; after an error body, where stock clients do not look */
	uint16_t refused; /* BAD_EXTENSION: class and type of the object */
	struct addr seen; /* the requester's address as it arrived; none = not said. Only behind a cookie */
};

/* Cursor over the ICMP message after its 8-byte header. 0 or -EBADMSG. */
int responder_request_read(struct cursor *body, struct responder_request *request) MUST_USE;
int responder_response_read(struct cursor *body, struct responder_response *response) MUST_USE;
void responder_request_write(struct writer *body, const struct responder_request *request);
void responder_response_write(struct writer *body, const struct responder_response *response);

#endif
