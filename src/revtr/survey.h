/* Which agent asks which address next, so that distances to prefixes are known before measurements need them.
 * Pure.
 *
 * An operator's list of addresses that are known to answer (a hitlist) is asked with Record Route by agents
 * that may send in a source's name, one packet at a time. A packet is worth the new hops that it will bring
 * to measurements, so
 *
 *   prefixes that measurements have asked for come first, the others in order of the list
 *   agents that are near to most come first
 *   a prefix with some agents near enough needs no more: the next ones would be farther behind the same
 * borders an address that answers nobody is left alone
 *
 * What came of it is in the ranking (ingress.h), whoever asked. */
#ifndef RETOUR_REVTR_SURVEY_H
#define RETOUR_REVTR_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "revtr/ingress.h"

#define SURVEY_ADDRESSES_MAX 1000000
#define SURVEY_AGENTS_MAX    256
#define SURVEY_WANTED	     256 /* prefixes that wait for their turn before the others */

struct survey_target {
	uint32_t address;
	uint16_t askers;		      /* this round, as many as there are bits below */
	uint8_t asked[SURVEY_AGENTS_MAX / 8]; /* by agent */
};

struct survey {
	struct survey_target *targets; /* in order of address */
	unsigned count, next;
	uint32_t wanted[SURVEY_WANTED]; /* a ring of /24s */
	unsigned wanted_first, wanted_count;
};

/* 0, -ENOMEM or -E2BIG. */
int survey_init(struct survey *survey, const uint32_t *addresses, unsigned count) MUST_USE;
void survey_deinit(struct survey *survey);
/* A measurement has asked for this address. */
void survey_want(struct survey *survey, uint32_t address);
/* The next question; `agents` are those that can ask now, best first. false: there is none left in this
 * round. */
bool survey_next(struct survey *survey, const struct ingress *ingress, const uint32_t *agents,
	unsigned agent_count, uint32_t *address, uint32_t *agent);
/* All over again: agents have come, or distances are old. */
void survey_again(struct survey *survey);

#endif
