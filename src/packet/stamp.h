/* The test packets of STAMP, the Simple Two-way Active Measurement Protocol (RFC 8762, unauthenticated mode),
 * and of its extensions (RFC 8972) the session identifier and padding. TWAMP Light (RFC 5357, appendix I) has
 * the same layout, so that its reflectors can be asked, too. Both kinds of packet have the same size: an
 * answer is never longer than the question.
 *
 * docs/protocol/stamp.md describes the exchange. */
#ifndef RETOUR_PACKET_STAMP_H
#define RETOUR_PACKET_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/cursor.h"

#define STAMP_PORT	 862 /* RFC 8762 4.1 */
#define STAMP_SIZE	 44  /* octets of UDP payload, both ways (RFC 8762 4.2.1, 4.3.1) */
#define STAMP_ANSWER_MIN 41  /* TWAMP Light without symmetrical size (RFC 5357 4.2.1) */
#define STAMP_TTL	 255 /* RFC 8762 4: of every test packet, so that the reflector can tell how far it came */

/* What a party thinks of its clock (RFC 4656 4.1.2): not farther from true time than the error, if it is
 * synchronised to UTC at all. */
struct stamp_error {
	bool synchronised;  /* S */
	bool ptp;	    /* Z (RFC 8186 2.3): the timestamps beside it are PTPv2's */
	uint8_t scale;	    /* 6 bits */
	uint8_t multiplier; /* never 0 */
};

/* Multiplier x 2^(Scale - 32) seconds; at most INT64_MAX. */
int64_t stamp_error_ns(struct stamp_error error);
/* The least that can be expressed and is not less than `error_ns`. */
struct stamp_error stamp_error_of(bool synchronised, int64_t error_ns);

/* 64-bit NTP timestamps (RFC 5905 6): seconds since 1900, modulo 2^32, and fraction. */
uint64_t stamp_time(int64_t wall_ns);
/* Of two timestamps of one format, less than 68 years apart. */
int64_t stamp_difference_ns(uint64_t later, uint64_t earlier, bool ptp);

/* Session-Sender test packet. */
struct stamp_question {
	uint32_t sequence;
	uint64_t sent; /* timestamp */
	struct stamp_error error;
	uint16_t session; /* SSID (RFC 8972 3); 0 = none */
	size_t size;	  /* of the whole payload, STAMP_SIZE or more */
};

/* Session-Reflector test packet. */
struct stamp_answer {
	uint32_t sequence;	  /* its own count where it keeps one, else the question's */
	uint64_t sent;		  /* timestamps */
	struct stamp_error error; /* of both of its own timestamps */
	uint16_t session;	  /* as in the question, or 0 of those that do not know it */
	uint64_t received;
	struct {
		uint32_t sequence;
		uint64_t sent;
		struct stamp_error error;
		uint8_t ttl; /* with which it arrived */
	} question;	     /* as it came */
};

/* 0; -EBADMSG: not one. Any bytes are safe. Padding and extensions behind it are not looked at. */
int stamp_question_read(struct cursor *payload, struct stamp_question *question) MUST_USE;
int stamp_answer_read(struct cursor *payload, struct stamp_answer *answer) MUST_USE;
/* What is beyond STAMP_SIZE becomes an Extra Padding TLV (RFC 8972 4.1) of zeros. */
void stamp_question_write(struct writer *writer, const struct stamp_question *question);
/* STAMP_SIZE octets; what came behind those of the question is to be sent back as it is. */
void stamp_answer_write(struct writer *writer, const struct stamp_answer *answer);

#endif
