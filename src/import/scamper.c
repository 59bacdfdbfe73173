#include "import/scamper.h"

#include <string.h>

#define ATTEMPTS_MAX 20 /* scamper's own bound */

struct probe_result *scamper_answer(
	struct build *build, int ttl, int attempt, struct addr address, int64_t rtt_ns)
{
	struct hop *hop = build_hop(build, ttl);
	while (hop && attempt <= ATTEMPTS_MAX && hop->probe_count + 1 < (size_t)MAX(attempt, 1))
		if (!build_probe(build, hop, ADDR_NONE, RTT_NONE))
			return NULL;
	return build_probe(build, hop, address, rtt_ns);
}

void scamper_fill(struct build *build, int first, int last, int attempts)
{
	for (int ttl = MAX(first, 1); ttl <= MIN(last, 255); ttl++) {
		struct hop *hop = build_hop(build, ttl);
		bool silent = hop && hop->probe_count == 0;
		for (int i = 0; silent && i < MIN(MAX(attempts, 1), ATTEMPTS_MAX); i++)
			if (!build_probe(build, hop, ADDR_NONE, RTT_NONE))
				return;
	}
}

enum stop_reason scamper_stop(int code)
{
	static const enum stop_reason reasons[] = {STOP_PARTIAL, STOP_REACHED, STOP_UNREACHABLE,
		STOP_UNREACHABLE, STOP_LOOP, STOP_GAP_LIMIT, STOP_INTERRUPTED, STOP_MAX_HOPS, STOP_PARTIAL,
		STOP_INTERRUPTED};
	return code >= 0 && (size_t)code < ARRAY_LEN(reasons) ? reasons[code] : STOP_PARTIAL;
}

enum probe_protocol scamper_protocol(const char *method)
{
	if (method && strncmp(method, "icmp", 4) == 0)
		return PROBE_ICMP;
	return method && strncmp(method, "tcp", 3) == 0 ? PROBE_TCP : PROBE_UDP;
}
