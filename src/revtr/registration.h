/* Does whoever says that he stands at an address stand there? Other agents send echo requests with a number
 * that only the coordinator knows to the address; who gets them there can tell the numbers. Pure.
 *
 * It is proof that packets to the address reach that agent, against anybody but those on the way and the
 * agents that were told to send. So up to three of these are asked, and one of them alone, if there are more,
 * proves nothing. */
#ifndef RETOUR_REVTR_REGISTRATION_H
#define RETOUR_REVTR_REGISTRATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "revtr/agent.h"

#define REGISTRATION_PROVERS 3

struct registration {
	struct addr address; /* none: this one is free */
	uint32_t agent;	     /* who says that he stands there, by index */
	struct registration_challenge {
		uint32_t task, prover;
		uint64_t nonce;
		bool told;
	} challenges[REGISTRATION_PROVERS];
	unsigned count;
	int64_t deadline_ns;
};

/* `provers` are other agents, by index, `count` of them, at most REGISTRATION_PROVERS and at least one; tasks
 * are numbered from `first_task` on; `secret` makes the numbers, and is used for nothing else. */
void registration_start(struct registration *registration, struct addr address, uint32_t agent,
	const uint32_t *provers, unsigned count, uint32_t first_task, struct hash_key secret, int64_t now_ns);
/* What the prover in this place is to do. */
struct agent_order registration_order(const struct registration *registration, unsigned place);
/* An agent told a number. True: now it is proven. */
bool registration_answer(struct registration *registration, uint32_t agent, uint32_t task, uint64_t nonce);
bool registration_expired(const struct registration *registration, int64_t now_ns);

#endif
