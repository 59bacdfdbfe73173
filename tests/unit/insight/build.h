/* Paths in few words: one text a hop, "ADDRESS[/AS]" or "*" for silence. */
#ifndef RETOUR_TESTS_INSIGHT_BUILD_H
#define RETOUR_TESTS_INSIGHT_BUILD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "insight/insight.h"

static inline struct addr build_address(const char *text)
{
	struct addr addr = ADDR_NONE;
	if (!addr_parse(text, &addr))
		fail_msg("no address: %s", text);
	return addr;
}

static inline struct probe_result *build_probe(struct hop *hop, const char *address, double rtt_ms)
{
	struct probe_result *probe = hop_add_probe(hop);
	probe->sent_ns = (int64_t)hop->probe_count * 1000000 + hop->ttl;
	if (!address)
		return probe;
	probe->address = build_address(address);
	probe->rtt_ns = (int64_t)(rtt_ms * 1e6);
	probe->icmp_type = probe->address.family == 4 ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED;
	probe->icmp_code = 0;
	return probe;
}

/* `pattern`: one letter a probe, 'a' answered, anything else not. The round trip is one ms a hop. */
static inline struct hop *build_hop(struct path *path, const char *spec, const char *pattern)
{
	struct hop *hop = path_add_hop(path, (int)path->hop_count + 1, TECHNIQUE_TTL);
	char address[64];
	unsigned asn = 0;
	if (sscanf(spec, "%63[^/]/%u", address, &asn) < 1)
		fail_msg("no hop: %s", spec);
	hop->asn = asn;
	bool silent = strcmp(address, "*") == 0;
	for (const char *p = pattern; *p; p++)
		build_probe(hop, silent || *p != 'a' ? NULL : address, hop->ttl);
	return hop;
}

/* Specs end with NULL; the path is reached when its last hop is the destination. */
static inline struct path *build_path(
	enum direction direction, const char *source, const char *destination, const char *const *specs)
{
	struct path *path = path_new(direction, direction == DIRECTION_FORWARD ? "ttl" : "responder");
	path->protocol = PROBE_UDP;
	path->source = build_address(source);
	path->destination = build_address(destination);
	for (; *specs; specs++)
		build_hop(path, *specs, "aaa");
	return path;
}

static inline void build_finish(struct path *path)
{
	if (!path)
		return;
	assert_int_equal(path_summarise(path), 0);
	const struct hop *last = path->hop_count > 0 ? &path->hops[path->hop_count - 1] : NULL;
	path->reached = last && addr_equal(last->address, path->destination);
	path->stop_reason = path->reached ? STOP_REACHED : STOP_GAP_LIMIT;
}

static inline unsigned count_findings(const struct measurement *m, const char *id)
{
	unsigned count = 0;
	for (size_t i = 0; i < m->finding_count; i++)
		count += strcmp(m->findings[i].id, id) == 0;
	return count;
}

static inline const struct finding *the_finding(const struct measurement *m, const char *id)
{
	if (count_findings(m, id) != 1) {
		for (size_t i = 0; i < m->finding_count; i++)
			print_message("  %s: %s\n", m->findings[i].id, m->findings[i].summary);
		fail_msg("%u findings %s", count_findings(m, id), id);
	}
	for (size_t i = 0; i < m->finding_count; i++)
		if (strcmp(m->findings[i].id, id) == 0)
			return &m->findings[i];
	return NULL;
}

#endif
