/* Which requests are served, and how much may leave on whose word.
 *
 * Everything that the responder sends goes to the address that asked, and that address may be forged. A
 * request belongs to one of these classes, each with a bucket per source prefix and one in total, so that no
 * class can use up what another needs:
 *
 *   notice         answered by a message no longer than itself: the hello and the refusals. No probe leaves.
 *   proven         carries the cookie of an earlier notice: its sender receives what is sent to its address
 *   paid           as long as the probe and the response together: whoever forges it gains no byte
 *   first contact  short and unproven, what the deployed clients send. Here more can leave than came in, so
 *                  the buckets count bytes and are small.
 */
#ifndef RETOUR_SERVE_ADMISSION_H
#define RETOUR_SERVE_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/hash.h"
#include "packet/packet.h"
#include "packet/responder.h"
#include "serve/limits.h"

enum gate_name {
	GATE_NOTICE,
	GATE_PROVEN,
	GATE_PAID,
	GATE_FIRST_CONTACT,
	GATE_TARGET,	  /* probes to a third party, by that party */
	GATE_ANSWER,	  /* answers whose full tag was verified */
	GATE_WEAK_ANSWER, /* answers that had room for a few bits of it only */
	GATE_COUNT,
};

struct gate {
	struct limit prefix_limit, total_limit;
	struct bucket_table prefixes;
	struct token_bucket total;
	uint64_t passed, over_prefix, over_total;
};

struct admission {
	struct hash_key key;
	struct gate gates[GATE_COUNT];
};

/* `rate` is probes per second in total, half of it kept for proven requesters; `prefix_rate` is the same for
 * one prefix. */
int admission_init(
	struct admission *admission, struct hash_key key, unsigned rate, unsigned prefix_rate) MUST_USE;
void admission_deinit(struct admission *admission);

/* May this request's probe leave? */
bool admission_probe(struct admission *admission, int64_t now_ns, const struct packet *packet,
	const struct responder_request *request);
/* May one more probe go to this third party? */
bool admission_target(struct admission *admission, int64_t now_ns, struct addr target);
bool admission_notice(struct admission *admission, int64_t now_ns, struct addr requester);
bool admission_answer(struct admission *admission, int64_t now_ns, struct addr requester, bool strong);

/* The cookie to hand out now; never 0. Valid for one to two epochs of about 69 s. */
uint64_t admission_cookie(const struct admission *admission, struct addr requester, int64_t now_ns);
bool admission_cookie_valid(
	const struct admission *admission, struct addr requester, int64_t now_ns, uint64_t cookie);

/* IP bytes of the most that one request can cause (a probe and a success response), of a success response,
 * and of an error response with or without cookie. */
size_t admission_price(uint8_t family);
size_t admission_notice_size(uint8_t family, bool with_cookie);

#endif
