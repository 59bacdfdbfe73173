/* The agent's half of a test of agents (capability.h): the packets, and how they are known again. Pure.
 *
 * Nobody is told beforehand what to listen for. A trial carries two tags: one with the key of the address in
 * whose name it is sent, one with the key of its target, so that whoever stands there knows it. Of a packet
 * that a router has discarded no more than its headers may come back (RFC 792): there 15 bits of the tag are
 * the identification of IPv4, and the number is in the echo request's. Who sent it in its own name remembers
 * it instead. */
#ifndef RETOUR_REVTR_TRIAL_H
#define RETOUR_REVTR_TRIAL_H

#include "revtr/agent.h"

#define TRIALS_REMEMBERED 256

struct trial_memory {
	struct {
		struct agent_order order;
		bool told;	   /* that it has left */
	} sent[TRIALS_REMEMBERED]; /* a ring */
	uint32_t count;
};

/* The packet, remembered under *token. 0: there is no such packet. */
size_t trial_write(struct trial_memory *memory, const struct agent_order *order, struct addr own,
	uint8_t *bytes, size_t size, uint32_t *token);
/* It has left, or not; false: it has been told, or is forgotten. */
bool trial_sent(struct trial_memory *memory, uint32_t token, int error, struct revtr_answer *answer) MUST_USE;

/* What a packet that came in tells; `key` is that of its destination, NULL: no registered source. False:
 * nothing. */
bool trial_hear(const struct trial_memory *memory, struct addr own, const struct hash_key *key,
	const struct packet *packet, struct revtr_answer *answer) MUST_USE;

#endif
