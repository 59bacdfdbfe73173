/* Measurements in the making, inside import/.
 *
 * Readers tell what they find, in the order of the input; here it becomes hops and probes within bounds.
 * Sticky: after memory ran out everything is a no-op, and `status` says so. */
#ifndef RETOUR_IMPORT_BUILD_H
#define RETOUR_IMPORT_BUILD_H

#include "import/import.h"
#include "import/lex.h"

#define BUILD_HOPS_MAX	     255
#define BUILD_PROBES_MAX     1024	  /* a hop */
#define BUILD_ALL_PROBES_MAX (128 * 1024) /* of all traces: some formats have a byte for many silent ones */

struct responder; /* name and origin of an address */

/* What is told of a hop as a whole, where its probes are not told one by one. */
struct sums {
	bool told;
	unsigned sent, received;
	int64_t best_ns, worst_ns; /* RTT_NONE */
};

struct build {
	struct import *import;
	const char *dialect;
	struct import_hints hints;
	int status;
	size_t probes; /* of all traces so far */
	/* The current trace; none before the first. */
	struct imported *trace;
	struct path *path;
	struct responder *responders;
	size_t responder_count;
	struct sums sums[256]; /* by hop limit */
	int hops_max;	       /* as the input says it, 0 = does not */
	unsigned unread;       /* pieces between its hops that were not understood */
	bool cut;	       /* bounds were met, or the input ends in the middle */
	bool reached;	       /* the input says that the target was reached */
};

void build_init(
	struct build *build, struct import *import, const char *dialect, const struct import_hints *hints);
/* Ends the current trace and begins another. */
void build_trace(struct build *build, enum probe_protocol protocol);
/* Ends the current trace, which without any hop is dropped. */
void build_end(struct build *build);
/* Ends the current trace, and leaves it as it is. */
void build_keep(struct build *build);
/* A part of the input could not be read at all. */
void build_reject(struct build *build, const char *why);
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
/* The mark that traceroute prints for the probe's ICMP message, if any. */
void build_icmp_mark(struct probe_result *probe, uint8_t family);
/* A hop of which only sums are told: who answered, how many of how many, and the best and worst time
 * (RTT_NONE). A probe of it may be there as well, for what only a probe can hold. `hop` may be NULL. */
void build_sums(struct build *build, struct hop *hop, struct addr address, unsigned sent, unsigned received,
	int64_t best_ns, int64_t worst_ns);
/* Somebody who is known by name only. */
void build_hop_name(struct build *build, struct hop *hop, const char *name);
/* Something in the input was left out: said in the note of the trace, of which the first holds. */
void build_note(struct build *build, const char *note);
/* Something that a person should know, though nothing was left out. */
void build_remark(struct build *build, const char *remark);

#endif
