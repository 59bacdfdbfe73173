/* What a result does not show. */
#include "revtr/engine.h"

/* Two routers of whom both hop limits are known, or one and the source: as many are between them as the
 * difference says. Where it says less than the result shows, the hop limit started from another number than
 * we think, or the packets took another way: nothing is said then. */
static bool gap_between(int left_before, int left_after, int shown, unsigned *missing)
{
	int missed = left_before - left_after - shown;
	*missing = missed > 0 ? (unsigned)missed : 0;
	return missed > 0;
}

unsigned revtr_gaps(const struct revtr_result *result, struct revtr_gap *gaps, unsigned capacity)
{
	/* The source is the last hop, or would be the next one. */
	int after = -1, left = result->left, end = (int)result->hop_count - (result->stop == REVTR_REACHED);
	unsigned count = 0;
	for (int i = 0; i <= end && count < capacity; i++) {
		/* It comes after no router at all. */
		int here = i == end ? -1 : result->hops[i].left;
		if (here < 0 && i < end)
			continue;
		gaps[count] = (struct revtr_gap){after, i, 0};
		count += left >= 0 && gap_between(left, here, i - after, &gaps[count].missing);
		after = i;
		left = here;
	}
	return count;
}
