/* A forward trace that tries other protocols where the first does not get through. Pure; a `struct machine`.
 *
 * Theory of operation
 *
 * The first protocol traces as if it were alone. When it meets silence (no answer beyond some hop, even when
 * asked again) each of the others knocks: one packet with a large hop limit to the destination, once more if
 * need be. The first protocol runs to its own end. If the destination has answered a knock by then, the
 * protocol that answered (the first of them in order) traces what is missing: the hop limits beyond the last
 * hop that answered. So a path on which the first protocol gets through costs nothing more, and a black hole
 * costs two packets a protocol.
 *
 * The result is one path; its hops and its `tries` say which protocol saw what. */
#ifndef RETOUR_TRACE_AUTOMATIC_H
#define RETOUR_TRACE_AUTOMATIC_H

#include "trace/forward.h"

#define AUTOMATIC_OTHERS_MAX 3

struct automatic_other {
	enum probe_protocol protocol;
	struct flow flow;
};

struct automatic {
	struct trace first;
	struct automatic_other others[AUTOMATIC_OTHERS_MAX];
	unsigned other_count;
	struct trace *knocking[AUTOMATIC_OTHERS_MAX]; /* NULL before it is needed */
	struct trace *follower; /* that of `knocking` which goes on; NULL = none (yet) */
	bool knocked;
};

/* `others` in order of preference; without any this is a plain trace. */
void automatic_init(struct automatic *automatic, const struct trace_config *first,
	const struct automatic_other *others, unsigned other_count);
void automatic_deinit(struct automatic *automatic);
struct machine automatic_machine(struct automatic *automatic);
/* As trace_path. */
struct path *automatic_path(const struct automatic *automatic, int64_t wall_ns, int64_t now_ns);

#endif
