/* What a forward measurement explores beyond one flow: every way that flows take (--multipath), and how large
 * packets may be (--mtu). Parts of cli/measure.c. */
#ifndef RETOUR_CLI_EXPLORE_H
#define RETOUR_CLI_EXPLORE_H

#include "cli/session.h"
#include "net/driver.h"
#include "trace/branch.h"
#include "trace/mtu.h"
#include "trace/multipath.h"

struct explore {
	struct multipath *multipath; /* NULL = not asked for */
	struct mtu *mtu;	     /* NULL = not asked for, or not begun */
	struct branch *branch;	     /* a way is asked again; NULL = none seems to lose packets */
	struct edge suspect;
	bool ways_known;
	bool mtu_wanted;
	int port_fds[MULTIPATH_FLOWS_MAX]; /* keep the source ports ours */
	unsigned port_count;
};

/* Why these options need raw sockets, for session_open; NULL = they do not. */
const char *explore_needs_raw(const struct options *options);
/* Explore the ways, in place of a trace. */
int explore_add(struct explore *explore, const struct session *session, struct driver *driver,
	struct hash_key key, struct error *error) MUST_USE;
/* The ways are known: ask one again that seems to lose packets, once. -ENOMEM: without. */
int explore_ask_again(struct explore *explore, struct driver *driver, struct hash_key key, uint8_t tos,
	const struct path *path) MUST_USE;
/* A path is known: go on with the size of packets, once. -ENOMEM: without. */
int explore_go_on(struct explore *explore, const struct session *session, struct driver *driver,
	struct hash_key key, const struct path *path) MUST_USE;
/* Put into the path what was learned about it. 0 or -ENOMEM. */
int explore_tell(const struct explore *explore, struct path *path) MUST_USE;
/* The source ports of these flows are held by `fds` from now on, which has as many; -1 = needs none. */
void explore_keep_ports(struct explore *explore, const struct flow *flows, unsigned count, int *fds);
void explore_deinit(struct explore *explore);

#endif
