/* Measurements in the making, inside import/.
 *
 * Readers tell what they find, in the order of the input; here it becomes hops and probes within bounds.
 * Sticky: after memory ran out everything is a no-op, and `status` says so. */
#ifndef RETOUR_IMPORT_BUILD_H
#define RETOUR_IMPORT_BUILD_H

#include "import/import.h"
#include "import/lex.h"

#define BUILD_HOPS_MAX	 255
#define BUILD_PROBES_MAX 1024 /* a hop; text has 32 at most on a line */

struct responder; /* name and origin of an address */

struct build {
	struct import *import;
	const char *dialect;
	struct import_hints hints;
	int status;
	/* The current trace; none before the first. */
	struct imported *trace;
	struct path *path;
	struct responder *responders;
	size_t responder_count;
	int hops_max;	 /* as the input says it, 0 = does not */
	unsigned unread; /* pieces between its hops that were not understood */
	bool cut;	 /* bounds were met, or the input ends in the middle */
	bool reached;	 /* the input says that the target was reached */
};

void build_init(
	struct build *build, struct import *import, const char *dialect, const struct import_hints *hints);
/* Ends the current trace and begins another. */
void build_trace(struct build *build, enum probe_protocol protocol);
/* Ends the current trace, which without any hop is dropped. */
void build_end(struct build *build);
/* Forgets the current trace. */
void build_drop(struct build *build);
void build_target(struct build *build, const char *name, struct addr address);
void build_source(struct build *build, const char *name, struct addr address);
/* The hop of this hop limit, which is begun when it is the first time. NULL: memory or bounds. */
struct hop *build_hop(struct build *build, int ttl);
/* One probe more; RTT_NONE and no address: nobody answered. NULL: memory or bounds. `hop` may be NULL. */
struct probe_result *build_probe(struct build *build, struct hop *hop, struct addr address, int64_t rtt_ns);
/* What is told of an address; NULL and 0: nothing. The first that is told holds. */
void build_name(struct build *build, struct addr address, const char *name);
void build_origins(struct build *build, struct addr address, const uint32_t *asns, size_t count);
/* traceroute's mark, and the ICMP message it stands for. */
void build_mark(struct probe_result *probe, uint8_t family, const char *mark);
/* Something in the input was left out: said in the note of the trace. */
void build_note(struct build *build, const char *note);

#endif
