/* What nodes remember, and their limits: token buckets.
 *
 * As Linux (inet_peer_xrlim_allow, icmp_global_allow): a bucket for each destination of errors, and one for
 * all of them from which each error takes 0, 1 or 2 tokens, so that nobody can count them. What is too big is
 * always said. An unreachable that the IPv4 routing table asks for pays twice from the same bucket, of which
 * it sees one token less (ip_error). */
#include "sim/core.h"

#include <stdlib.h>

#include "base/clock.h"
#include "sim/flows.h"

struct node_state *node_state(struct sim *sim, uint32_t node)
{
	struct node_state **state = &sim->states[node];
	if (*state)
		return *state;
	*state = calloc(1, sizeof(**state));
	if (!*state)
		return NULL;
	const struct behaviour *behaviour = &sim->world->nodes[node].behaviour;
	(*state)->all_errors = (struct bucket){behaviour->all_errors.burst, sim->now_ns};
	(*state)->options = (struct bucket){behaviour->options.burst, sim->now_ns};
	(*state)->ip_id = (uint16_t)hash_addr((struct hash_key){sim->seed, node}, ADDR_NONE);
	return *state;
}

struct flows *node_flows(struct sim *sim, uint32_t node)
{
	struct node_state *state = node_state(sim, node);
	if (state && !state->flows)
		state->flows = flows_new();
	return state ? state->flows : NULL;
}

void node_state_free(struct node_state *state)
{
	if (state) {
		flows_free(state->flows);
		free(state->assemblies);
	}
	free(state);
}

static void fill(struct bucket *bucket, const struct limit *limit, int64_t now_ns)
{
	double earned = limit->per_second * (double)(now_ns - bucket->filled_ns) / NS_PER_S;
	bucket->tokens = MIN(bucket->tokens + earned, (double)limit->burst);
	bucket->filled_ns = now_ns;
}

static bool take(struct bucket *bucket, const struct limit *limit, int64_t now_ns)
{
	if (limit->per_second < 0)
		return true;
	fill(bucket, limit, now_ns);
	if (bucket->tokens < 1)
		return false;
	bucket->tokens -= 1;
	return true;
}

static struct bucket *bucket_to(struct sim *sim, struct node_state *state, uint32_t node, struct addr to)
{
	const struct limit *limit = &sim->world->nodes[node].behaviour.errors[family_index(to.family)];
	size_t place = hash_addr((struct hash_key){sim->seed, node}, to) % BUCKETS;
	if (!addr_equal(state->errors[place].to, to)) {
		state->errors[place].to = to;
		state->errors[place].bucket = (struct bucket){limit->burst, sim->now_ns};
	}
	return &state->errors[place].bucket;
}

static bool take_of_all(struct sim *sim, struct node_state *state, const struct behaviour *behaviour)
{
	const struct limit *limit = &behaviour->all_errors;
	if (behaviour->limits != LIMITS_LINUX || limit->per_second < 0)
		return take(&state->all_errors, limit, sim->now_ns);
	fill(&state->all_errors, limit, sim->now_ns);
	if (state->all_errors.tokens < 1)
		return false;
	state->all_errors.tokens = MAX(state->all_errors.tokens - (double)rng_below(&sim->rng, 3), 0);
	return true;
}

static bool may_complain(struct sim *sim, uint32_t node, struct addr to, const struct complaint *complaint)
{
	const struct behaviour *behaviour = &sim->world->nodes[node].behaviour;
	const struct limit *limit = &behaviour->errors[family_index(to.family)];
	struct node_state *state = node_state(sim, node);
	bool is_linux = behaviour->limits == LIMITS_LINUX;
	if (!state || (is_linux && complaint->too_big))
		return true;
	struct bucket *bucket = bucket_to(sim, state, node, to);
	if (is_linux && complaint->by_route && to.family == 4 && limit->burst > 1) {
		struct limit by_route = {limit->burst - 1, limit->per_second};
		if (!take(bucket, &by_route, sim->now_ns))
			return false;
	}
	return take(bucket, limit, sim->now_ns) && take_of_all(sim, state, behaviour);
}

bool limit_error(struct sim *sim, uint32_t node, struct addr to, const struct complaint *complaint)
{
	bool may = may_complain(sim, node, to, complaint);
	sim->counts.rate_limited += !may;
	return may;
}

bool limit_options(struct sim *sim, uint32_t node)
{
	struct node_state *state = node_state(sim, node);
	bool may = !state || take(&state->options, &sim->world->nodes[node].behaviour.options, sim->now_ns);
	sim->counts.rate_limited += !may;
	return may;
}
