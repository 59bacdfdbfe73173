/* A traceroute that somebody ran towards us, as the way back. */
#ifndef RETOUR_REVERSE_REMOTE_PATH_H
#define RETOUR_REVERSE_REMOTE_PATH_H

#include <stddef.h>

#include "base/addr.h"
#include "path/model.h"

struct remote_view {
	const char *method;  /* as in `--via` */
	const char *dialect; /* of import/, NULL = find out */
	struct addr from;    /* who traced: the far host, or the vantage point's address; none = not known */
	struct addr to;	     /* what was traced: our address as the Internet sees it */
	bool far_host;	     /* the far host itself traced: its hops are measured, others' are inferred */
};

/* The first trace in `bytes`, turned: direction, technique (remote-trace) and certainty are set, and a last
 * hop that is `to` makes it reached. NULL: no trace is in there, and `note` says why, or out of memory. A
 * note may come with a path, too: what of it could not be read. `note` has IMPORT_NOTE_SIZE bytes. */
struct path *remote_path(const void *bytes, size_t length, const struct remote_view *view, char *note);
/* The same for one that is read already, which is taken over. */
struct path *remote_path_turn(struct path *trace, const struct remote_view *view);

#endif
