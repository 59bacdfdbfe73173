#include "revtr/registration.h"

#include "base/clock.h"

#define PATIENCE_NS (10 * NS_PER_S)
#define ENOUGH	    2 /* of those who were asked, if they are more */

void registration_start(struct registration *registration, struct addr address, uint32_t agent,
	const uint32_t *provers, unsigned count, uint32_t first_task, struct hash_key secret, int64_t now_ns)
{
	*registration = (struct registration){.address = address,
		.agent = agent,
		.count = MIN(count, REGISTRATION_PROVERS),
		.deadline_ns = now_ns + PATIENCE_NS};
	for (uint32_t i = 0; i < registration->count; i++) {
		registration->challenges[i] = (struct registration_challenge){.task = first_task + i,
			.prover = provers[i],
			.nonce = hash_bytes(secret, &i, sizeof(i)) | 1}; /* 0 means that there is none */
	}
}

struct agent_order registration_order(const struct registration *registration, unsigned place)
{
	const struct registration_challenge *challenge = &registration->challenges[place];
	return (struct agent_order){.task = {.id = challenge->task,
					    .probe = REVTR_CHALLENGE,
					    .agent = challenge->prover,
					    .target = registration->address},
		.source = registration->address,
		.tag = challenge->nonce};
}

bool registration_answer(struct registration *registration, uint32_t agent, uint32_t task, uint64_t nonce)
{
	unsigned told = 0;
	if (!addr_is_set(registration->address) || agent != registration->agent)
		return false;
	for (unsigned i = 0; i < registration->count; i++) {
		struct registration_challenge *challenge = &registration->challenges[i];
		challenge->told |= challenge->task == task && challenge->nonce == nonce;
		told += challenge->told;
	}
	return told > 0 && told >= MIN(registration->count, ENOUGH);
}

bool registration_expired(const struct registration *registration, int64_t now_ns)
{
	return addr_is_set(registration->address) && now_ns >= registration->deadline_ns;
}
