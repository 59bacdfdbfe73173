/* From options to something that can send: addresses, a flow, sockets. What every command that probes has in
 * common. */
#ifndef RETOUR_CLI_SESSION_H
#define RETOUR_CLI_SESSION_H

#include <stdbool.h>

#include "base/error.h"
#include "base/hash.h"
#include "cli/options.h"
#include "net/channel.h"
#include "trace/automatic.h"

/* With several flows: source ports from the first flow's on whose answers are read. More than flows, since
 * some ports belong to others. */
#define SESSION_PORTS 1024

struct session {
	const struct options *options;
	const char *host; /* the name or address that was looked up */
	const char *url;  /* that it was a part of, NULL = none */
	char host_of_url[256];
	struct wishes wishes;
	struct addr source, target;
	char interface[16]; /* of a scoped target, "" = none */
	struct flow flow;   /* of every protocol at once: ports, label, ICMP identifier and checksum */
	int port_fds[2];    /* keep the source port ours, for UDP and TCP; -1 = none */
	struct channel channel;
	bool raw;
};

void session_init(struct session *session, const struct options *options);
void session_deinit(struct session *session);
/* Resolve `host`, or the host that it names as a URL; find the source address towards it. Says on standard
 * error which address it took of several. */
int session_find(struct session *session, const char *host, struct error *error) MUST_USE;
/* Choose the flow and open the sockets for all protocols that the options may need; then no privilege is
 * left. `needs_raw`: a reason not to do without raw sockets, for a person; NULL = none. */
int session_open(
	struct session *session, struct hash_key key, const char *needs_raw, struct error *error) MUST_USE;
/* The same, but with the privilege kept: one of several sessions. */
int session_open_one(
	struct session *session, struct hash_key key, const char *needs_raw, struct error *error) MUST_USE;
/* On standard error, if this host had no room for answers. */
void session_say_drops(const struct session *session);
/* A trace to `target` with these options; `others` has room for AUTOMATIC_OTHERS_MAX. -ERANGE: a size that
 * cannot be. */
int session_plan(const struct session *session, struct addr source, struct addr target, struct hash_key key,
	struct trace_config *config, struct automatic_other *others, unsigned *other_count,
	struct error *error) MUST_USE;

#endif
