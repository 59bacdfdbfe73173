/* Messages of the cooperative reverse traceroute protocol as deployed ("v1 wire format": ICMP echo with code 1).
 * Layouts are of the ICMP message body, after type, code, checksum, identifier and sequence.
 * Source: packet captures of the public implementation; docs/protocol/responder.md. */
#ifndef RETOUR_PACKET_RESPONDER_H
#define RETOUR_PACKET_RESPONDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/cursor.h"

#define RESPONDER_CODE            1  /* ICMP(v6) code of requests and responses */
#define RESPONDER_REQUEST_BODY    4  /* ttl, protocol, flow; anything after it is padding or an extension */
#define RESPONDER_ERROR_BODY      4  /* status, length, reserved */
#define RESPONDER_SUCCESS_BODY    28 /* + address, round-trip time */
#define RESPONDER_COOKIE_SIZE     8

enum responder_status {
	RESPONDER_OK = 0,
	RESPONDER_BAD_TTL = 1,      /* also the answer to the TTL-0 hello: "a responder lives here" */
	RESPONDER_BAD_PROTOCOL = 2,
	RESPONDER_BAD_FLOW = 3,     /* defined, never sent by the public implementation */
	RESPONDER_BAD_EXTENSION = 4,
};

struct responder_request {
	uint8_t ttl;      /* 0 is the hello */
	uint8_t protocol; /* 0 = ICMP of the family */
	uint16_t flow;    /* 0 = the server's default */
	uint64_t cookie;  /* 0 = none: proof of address from an earlier response, in what others read as padding */
	uint16_t padding; /* bytes after the request (set by read; on write: total bytes after the 4-byte body,
			   * the cookie included) */
};

struct responder_response {
	uint8_t status;
	struct addr hop;   /* success */
	uint64_t rtt_ns;   /* success */
	uint64_t cookie;   /* 0 = none; after an error body, where stock clients do not look */
};

/* Cursor over the ICMP message after its 8-byte header. 0 or -EBADMSG. */
int responder_request_read(struct cursor *body, struct responder_request *request) MUST_USE;
int responder_response_read(struct cursor *body, struct responder_response *response) MUST_USE;
void responder_request_write(struct writer *body, const struct responder_request *request);
void responder_response_write(struct writer *body, const struct responder_response *response);

#endif
