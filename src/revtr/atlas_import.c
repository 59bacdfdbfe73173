/* Traceroutes that somebody else made: what of them may go into an atlas. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/atlas.h"

#define FUTURE_MS (5 * 60 * 1000) /* clocks differ */

const char *atlas_refusal_word(enum atlas_refusal refusal)
{
	static const char *const words[ATLAS_REFUSALS] = {
		[ATLAS_TAKEN] = "taken",
		[ATLAS_OTHER_TARGET] = "other-target",
		[ATLAS_NOT_REACHED] = "not-reached",
		[ATLAS_LOOP] = "loop",
		[ATLAS_NO_TIME] = "no-time",
		[ATLAS_TOO_OLD] = "too-old",
		[ATLAS_FUTURE] = "future",
		[ATLAS_EMPTY] = "empty",
		[ATLAS_LONG] = "too-long",
		[ATLAS_NOT_NEWER] = "not-newer",
		[ATLAS_NO_ROOM] = "no-room",
	};
	return refusal < ATLAS_REFUSALS ? words[refusal] : "";
}

static bool is_public(struct addr address)
{
	return address.family == 4 && addr_is_unicast(address) && !addr_is_private(address);
}

/* Who traced, by the address that routers on the way see. */
static struct addr tracer_of(const struct measurement *measurement)
{
	const struct path *path = measurement->forward;
	struct addr candidates[] = {measurement->public_address, measurement->source, path->source};
	for (size_t i = 0; i < ARRAY_LEN(candidates); i++)
		if (is_public(candidates[i]))
			return candidates[i];
	return ADDR_NONE;
}

/* Hop by hop limit: those that the tracer left out were silent. */
static enum atlas_refusal take_hops(const struct path *path, struct addr source, struct atlas_trace *trace)
{
	int ttl = 1;
	for (size_t i = 0; i < path->hop_count; i++, ttl++) {
		const struct hop *hop = &path->hops[i];
		if (addr_equal(hop->address, source))
			return ATLAS_TAKEN;
		for (; hop->ttl > ttl && trace->count <= ATLAS_HOPS_MAX; ttl++)
			trace->addresses[trace->count++] = 0;
		if (trace->count > ATLAS_HOPS_MAX)
			return ATLAS_LONG;
		trace->addresses[trace->count++] = hop->address.family == 4 ? (uint32_t)hop->address.low : 0;
	}
	return ATLAS_NOT_REACHED;
}

enum atlas_refusal atlas_from_measurement(
	const struct measurement *measurement, struct addr source, struct atlas_trace *trace)
{
	const struct path *path = measurement->forward;
	*trace = (struct atlas_trace){0};
	if (!path)
		return ATLAS_EMPTY;
	struct addr target = addr_is_set(measurement->target) ? measurement->target : path->destination;
	if (addr_is_set(target) && !addr_equal(target, source))
		return ATLAS_OTHER_TARGET;
	int64_t started_ns =
		measurement->started_wall_ns ? measurement->started_wall_ns : path->started_wall_ns;
	trace->seen_ms = started_ns / NS_PER_MS;
	trace->addresses[trace->count++] = (uint32_t)tracer_of(measurement).low;
	return take_hops(path, source, trace);
}

/* A tracer without an address of its own is known by its first router. */
static void name_origin(struct atlas_trace *trace)
{
	char text[ADDR_TEXT_SIZE];
	unsigned first = 0;
	while (trace->addresses[first] == 0)
		first++;
	snprintf(trace->origin, sizeof(trace->origin), "import:%s",
		addr_format(addr_v4(trace->addresses[first]), text));
}

enum atlas_refusal atlas_put_in_order(uint32_t *addresses, unsigned count, struct addr source)
{
	unsigned known = 0;
	for (unsigned i = 0; i < count; i++) {
		if (addresses[i] && !is_public(addr_v4(addresses[i])))
			addresses[i] = 0;
		for (unsigned j = 0; j < i && addresses[i]; j++)
			if (addresses[j] == addresses[i])
				return ATLAS_LOOP;
		if (addresses[i] == (uint32_t)source.low)
			return ATLAS_LOOP;
		known += i > 0 && addresses[i] != 0;
	}
	return known > 0 ? ATLAS_TAKEN : ATLAS_EMPTY;
}

enum atlas_refusal atlas_check(
	struct atlas_trace *trace, struct addr source, int64_t now_ms, int64_t age_max_ms)
{
	if (trace->seen_ms <= 0)
		return ATLAS_NO_TIME;
	if (trace->seen_ms > now_ms + FUTURE_MS)
		return ATLAS_FUTURE;
	if (now_ms - trace->seen_ms >= age_max_ms)
		return ATLAS_TOO_OLD;
	trace->seen_ms = MIN(trace->seen_ms, now_ms);
	enum atlas_refusal refusal = atlas_put_in_order(trace->addresses, trace->count, source);
	if (refusal == ATLAS_TAKEN)
		name_origin(trace);
	return refusal;
}
