#include "revtr/survey.h"

#include <errno.h>
#include <stdlib.h>

#include "packet/packet.h"

#define NEAR_ENOUGH  3	  /* agents of a prefix */
#define SILENT_AFTER 3	  /* agents that asked an address of a prefix of which nobody has heard */
#define STEPS_MAX    4096 /* targets that one call looks at */

static int compare(const void *a, const void *b)
{
	const struct survey_target *left = a, *right = b;
	return left->address < right->address ? -1 : left->address > right->address;
}

int survey_init(struct survey *survey, const uint32_t *addresses, unsigned count)
{
	*survey = (struct survey){0};
	if (count > SURVEY_ADDRESSES_MAX)
		return -E2BIG;
	survey->targets = calloc((size_t)count + 1, sizeof(*survey->targets));
	if (!survey->targets)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++)
		survey->targets[i].address = addresses[i];
	qsort(survey->targets, count, sizeof(*survey->targets), compare);
	survey->count = count;
	return 0;
}

void survey_deinit(struct survey *survey)
{
	free(survey->targets);
}

void survey_again(struct survey *survey)
{
	for (unsigned i = 0; i < survey->count; i++)
		survey->targets[i] = (struct survey_target){.address = survey->targets[i].address};
	survey->next = 0;
}

void survey_want(struct survey *survey, uint32_t address)
{
	uint32_t net = address >> 8;
	for (unsigned i = 0; i < survey->wanted_count; i++)
		if (survey->wanted[(survey->wanted_first + i) % SURVEY_WANTED] == net)
			return;
	if (survey->wanted_count < SURVEY_WANTED)
		survey->wanted[(survey->wanted_first + survey->wanted_count++) % SURVEY_WANTED] = net;
}

static bool was_asked(const struct survey_target *target, uint32_t agent)
{
	return target->asked[agent / 8] >> (agent % 8) & 1;
}

static bool has_view(const struct ingress_prefix *of, uint32_t agent)
{
	for (unsigned i = 0; of && i < of->view_count; i++)
		if (of->views[i].agent == agent)
			return true;
	return false;
}

/* Whoever asks for one more packet: does its prefix need it? */
static bool worth(const struct survey_target *target, const struct ingress_prefix *of)
{
	unsigned near = 0;
	for (unsigned i = 0; of && i < of->view_count; i++)
		near += of->views[i].distance < RECORD_ROUTE_SLOTS_MAX - 1;
	return near < NEAR_ENOUGH && (of || target->askers < SILENT_AFTER);
}

static bool ask(struct survey_target *target, const struct ingress *ingress, const uint32_t *agents,
	unsigned agent_count, uint32_t *address, uint32_t *agent)
{
	const struct ingress_prefix *of = ingress_find(ingress, addr_v4(target->address));
	if (!worth(target, of))
		return false;
	for (unsigned i = 0; i < agent_count; i++) {
		if (agents[i] >= SURVEY_AGENTS_MAX || was_asked(target, agents[i]) || has_view(of, agents[i]))
			continue;
		target->asked[agents[i] / 8] |= (uint8_t)(1u << (agents[i] % 8));
		target->askers++;
		*address = target->address;
		*agent = agents[i];
		return true;
	}
	return false;
}

/* The first target at or after the address. */
static unsigned first_from(const struct survey *survey, uint32_t address)
{
	unsigned low = 0, high = survey->count;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		if (survey->targets[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool ask_wanted(struct survey *survey, const struct ingress *ingress, const uint32_t *agents,
	unsigned agent_count, uint32_t *address, uint32_t *agent)
{
	while (survey->wanted_count > 0) {
		uint32_t net = survey->wanted[survey->wanted_first];
		for (unsigned i = first_from(survey, net << 8);
			i < survey->count && survey->targets[i].address >> 8 == net; i++)
			if (ask(&survey->targets[i], ingress, agents, agent_count, address, agent))
				return true;
		survey->wanted_first = (survey->wanted_first + 1) % SURVEY_WANTED;
		survey->wanted_count--;
	}
	return false;
}

bool survey_next(struct survey *survey, const struct ingress *ingress, const uint32_t *agents,
	unsigned agent_count, uint32_t *address, uint32_t *agent)
{
	if (ask_wanted(survey, ingress, agents, agent_count, address, agent))
		return true;
	/* One packet for each, then the next for each: what came of the first decides about the second. */
	for (unsigned steps = 0; steps < survey->count && steps < STEPS_MAX; steps++) {
		struct survey_target *target = &survey->targets[survey->next];
		survey->next = (survey->next + 1) % survey->count;
		if (ask(target, ingress, agents, agent_count, address, agent))
			return true;
	}
	return false;
}
