/* The survey beside measurements: a few packets a minute, so that it is known who is near to whom before
 * somebody asks. What comes of them is learned like every other answer (coordinator_learn_distance,
 * coordinator_note_responder). */
#include <errno.h>

#include "revtr/coordinator_inside.h"

#define PER_MINUTE 35		 /* about 50,000 packets a day, before the limits of networks and agents */
#define ROUND_MIN  (7 * 24 * 60) /* minutes after which all is asked again that is worth it */

int coordinator_init_survey(struct coordinator *c, struct error *error)
{
	int result = survey_init(&c->survey, c->options.hitlist, c->options.hitlist_count);
	if (result == -E2BIG)
		return error_set(
			error, result, "the hitlist has more than %d addresses", SURVEY_ADDRESSES_MAX);
	return result < 0 ? error_set(error, result, "out of memory") : 0;
}

/* A source whose agent hears the answers; UINT32_MAX: none. Each in turn. */
static uint32_t next_source(struct coordinator *c)
{
	for (uint32_t i = 0; i < c->source_count; i++) {
		uint32_t source = ++c->survey_source % c->source_count;
		if (c->sources[source].stored.consents && c->agents[c->sources[source].agent].status.online)
			return source;
	}
	return UINT32_MAX;
}

/* Those that can send in its name, near to most first. */
static unsigned senders(const struct coordinator *c, uint32_t source, uint32_t *agents)
{
	unsigned count = 0;
	for (unsigned i = 0; i < c->ingress.agent_count; i++) {
		uint32_t agent = c->ingress.everywhere[i];
		if (c->sites[agent].may_spoof && agent != c->sources[source].agent &&
			c->agents[agent].status.online)
			agents[count++] = agent;
	}
	return count;
}

void coordinator_survey(struct coordinator *c)
{
	uint32_t agents[AGENTS_MAX], address, agent;
	uint32_t source = c->survey.count > 0 ? next_source(c) : UINT32_MAX;
	if (source == UINT32_MAX)
		return;
	if (++c->survey_minutes >= ROUND_MIN) {
		c->survey_minutes = 0;
		survey_again(&c->survey);
	}
	unsigned count = senders(c, source, agents);
	for (unsigned i = 0;
		i < PER_MINUTE && survey_next(&c->survey, &c->ingress, agents, count, &address, &agent); i++)
		if (!coordinator_queue_survey(c, source, agent, address))
			return;
}
