#include "serve/errands.h"

#include "base/compiler.h"

#define LIFE_NS (INT64_C(1) << 32) /* as long as probe_code.c believes an answer */

struct errand *errands_add(struct errands *errands, int64_t now_ns)
{
	/* In turns: the oldest is next. */
	struct errand *errand = &errands->places[errands->next];
	if (errand->until_ns > now_ns)
		return NULL;
	uint16_t number = (uint16_t)(errand->number + ERRANDS);
	number = (uint16_t)(number - number % ERRANDS + errands->next);
	errands->next = (errands->next + 1) % ERRANDS;
	*errand = (struct errand){.number = number, .until_ns = now_ns + LIFE_NS};
	return errand;
}

const struct errand *errands_take(
	struct errands *errands, uint16_t number, struct addr target, int64_t now_ns)
{
	struct errand *errand = &errands->places[number % ERRANDS];
	if (errand->number != number || errand->until_ns <= now_ns || !addr_equal(errand->target, target))
		return NULL;
	errand->until_ns = 0;
	return errand;
}
