/* The ways to learn the return path, in the order in which they are tried. A new way is one entry in
 * ladder.c. */
#ifndef RETOUR_REVERSE_LADDER_H
#define RETOUR_REVERSE_LADDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "path/model.h"
#include "probe/machine.h"

/* What a way back may use besides packets. There is none of it in the virtual Internet. */
struct outside {
	struct uv_loop_s *loop;
	void (*wake)(void *context); /* something has changed: machines want to be asked again */
	void *context;
	const struct settings *settings; /* of the user; never NULL */
	const char *data_dir;		 /* of local data about networks; NULL = the usual one */
};

/* Pointers are borrowed for the life of the run. */
struct reverse_task {
	struct addr target;	       /* the far host, where the path starts */
	struct addr source;	       /* our address, where it ends */
	const char *target_name;       /* as the user wrote it, NULL = it has none */
	const char *url;	       /* of a service on the far host, where the user gave that, else NULL */
	const char *parameter;	       /* what stood behind the method's name and a colon, else NULL */
	struct addr public_address;    /* ours as the Internet sees it, where the user says so; none = to be
					  found out */
	const struct outside *outside; /* NULL: packets only */
	bool spare_others;	       /* third parties were asked a short while ago */
	bool no_packets;	       /* no privilege for packets of our own making */
	enum probe_protocol protocol;
	uint16_t flow;		 /* destination port, or ICMP checksum; 0 = the method's default */
	unsigned max_ttl;	 /* 0 = the method's default */
	unsigned probes_per_hop; /* 0 = the method's default */
	double confidence;	 /* explore the ways of many flows, see trace/multipath.h; 0 = one flow */
	int64_t rtt_hint_ns;	 /* round-trip time to the target, 0 = not known */
	uint64_t seed;		 /* different for every run */
};

struct reverse_method {
	const char *name; /* as in `--via` and in the document */
	bool ipv4, ipv6;
	const char *parameter; /* what may stand behind its name and a colon; NULL = nothing */
	bool on_request;       /* only where it is named */
	bool outside;	       /* needs `outside` of the task, and sends no packets of its own making */
	bool third_party; /* asks somebody who has nothing to do with it: seldom, when it is asked again and
			     again */
	/* Where this is set: only where it says so, or where the method is named. Third parties and other
	 * people's machines are asked for nothing that the user did not ask for. */
	bool (*configured)(const struct reverse_task *task);
	bool early; /* harmless: it may start while those before it still wait for their first answer */
	void *(*start)(const struct reverse_task *task); /* NULL: out of memory, or the task makes no sense */
	struct machine (*machine)(void *run);
	/* A round-trip time to the target, or to as far as packets got, has become known: no need to wait
	 * long. */
	void (*hint)(void *run, int64_t rtt_ns);
	/* The way there has become known; borrowed until it is given anew (NULL: take it away). NULL: of no
	 * use. */
	void (*known)(void *run, const struct path *forward);
	/* At any time. NULL: no hop is known. */
	struct path *(*path)(const void *run, int64_t started_wall_ns);
	enum attempt_status (*status)(const void *run, char *detail, size_t size);
	int64_t (*duration_ns)(const void *run);
	/* Ours as the Internet sees it, where the run has learned it. NULL: it never does. */
	struct addr (*public_address)(const void *run);
	void (*free)(void *run);
};

/* The methods, best first; *count of them. */
const struct reverse_method *const *ladder_methods(size_t *count);
/* NULL: no such method. */
const struct reverse_method *ladder_find(const char *name);
bool reverse_method_supports(const struct reverse_method *method, uint8_t family);

#endif
