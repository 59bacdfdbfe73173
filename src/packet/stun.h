/* STUN (RFC 8489), as far as it takes to ask "which address do you see me by?": the Binding request, and what
 * may answer it. The transaction identifier is 96 random bits: who has not seen the question cannot answer
 * it. */
#ifndef RETOUR_PACKET_STUN_H
#define RETOUR_PACKET_STUN_H

#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/cursor.h"

#define STUN_PORT	   3478 /* RFC 8489 18.6 */
#define STUN_QUESTION_SIZE 20	/* the header alone (RFC 8489 5) */
#define STUN_ID_SIZE	   12

struct stun_id {
	uint8_t bytes[STUN_ID_SIZE];
};

struct stun_answer {
	struct addr address; /* the sender of the question as the server saw it; none: it refused */
	uint16_t port;
	unsigned refused; /* 0 or the error code, 300 to 699 (RFC 8489 14.8) */
};

void stun_question_write(struct writer *writer, const struct stun_id *id);
/* 0; -EBADMSG: not an answer to that question. Any bytes are safe. */
int stun_answer_read(struct cursor *payload, const struct stun_id *id, struct stun_answer *answer) MUST_USE;

#endif
