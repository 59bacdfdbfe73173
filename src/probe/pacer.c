#include "probe/pacer.h"

#include "base/clock.h"
#include "base/compiler.h"

void pacer_init(struct pacer *pacer, double per_second, double burst, uint64_t seed)
{
	*pacer = (struct pacer){
		.per_second = per_second,
		.burst = burst,
		.tokens = burst,
		.updated_ns = INT64_MIN,
		.rng = rng_seed(seed),
	};
}

static void refill(struct pacer *pacer, int64_t now_ns)
{
	if (pacer->updated_ns != INT64_MIN && now_ns > pacer->updated_ns) {
		double elapsed_s = (double)(now_ns - pacer->updated_ns) / (double)NS_PER_S;
		pacer->tokens = MIN(pacer->burst, pacer->tokens + elapsed_s * pacer->per_second);
	}
	pacer->updated_ns = now_ns;
}

int64_t pacer_ready_ns(struct pacer *pacer, int64_t now_ns)
{
	refill(pacer, now_ns);
	if (pacer->tokens >= 1)
		return now_ns;
	double wait_s = (1 - pacer->tokens) / pacer->per_second;
	double jitter = 1 + rng_unit(&pacer->rng) / 4;
	return now_ns + (int64_t)(wait_s * jitter * (double)NS_PER_S) + 1;
}

void pacer_take(struct pacer *pacer, int64_t now_ns)
{
	refill(pacer, now_ns);
	pacer->tokens -= 1;
}
