/* What every reader of other programs' output must hold, whatever it is fed. */
#ifndef RETOUR_TESTS_IMPORT_FUZZ_H
#define RETOUR_TESTS_IMPORT_FUZZ_H

#include <string.h>

#include "fuzz.h"
#include "import/import.h"
#include "path/json.h"

static inline void check_hop(const struct hop *hop)
{
	CHECK(hop->received <= hop->sent);
	CHECK(hop->probe_count <= 1024);
	CHECK(!hop->name || strlen(hop->name) <= 255);
	for (size_t i = 0; i < hop->probe_count; i++) {
		CHECK(hop->probes[i].rtt_ns >= RTT_NONE);
		CHECK(hop->probes[i].mpls_count <= MPLS_STACK_MAX);
		CHECK(strlen(hop->probes[i].mark) < sizeof(hop->probes[i].mark));
	}
}

static inline void check_trace(const struct imported *trace, bool write)
{
	const struct path *path = trace->measurement.forward;
	CHECK(trace->dialect && strlen(trace->note) < sizeof(trace->note));
	if (strcmp(trace->dialect, "retour") != 0) {
		CHECK(path && path->hop_count > 0 && path->hop_count <= 255);
		for (size_t i = 0; i < path->hop_count; i++) {
			check_hop(&path->hops[i]);
			CHECK(path->hops[i].ttl >= 1 && path->hops[i].ttl <= 255);
			CHECK(i == 0 || path->hops[i].ttl > path->hops[i - 1].ttl);
		}
	}
	if (!write || (path && path->probes_sent > 64))
		return;
	char *text = measurement_to_text(&trace->measurement);
	CHECK(text);
	free(text);
}

/* With a dialect named, or NULL. */
static inline void check_import(const uint8_t *data, size_t size, const char *dialect)
{
	struct import_hints hints = {.dialect = dialect};
	struct import import;
	struct error error;
	CHECK(import_read(data, size, &hints, &import, &error) == 0);
	CHECK(import.count <= IMPORT_TRACES_MAX && (import.count > 0 || import.partial));
	for (size_t i = 0; i < import.count; i++)
		check_trace(&import.traces[i], size % 16 == 0); /* writing takes long, and shows little new */
	import_deinit(&import);
}

#endif
