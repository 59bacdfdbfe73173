/* Who is connected: how many may be, from where, and for how long without a request. Pure but for shutdown().
 *
 * A connection is idle until a request is complete and again after its response; who is idle for too long, or
 * for longest when all places are taken, is shut down. */
#ifndef RETOUR_SERVE_CLIENTS_H
#define RETOUR_SERVE_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "serve/limits.h"

#define CLIENTS_MAX	  512
#define CLIENTS_OF_PREFIX 64 /* at once, of one /24 or /48 */

/* Per second; twice as many of a prefix at once. */
#define CLIENTS_CONNECTING_OF_PREFIX 50
#define CLIENTS_CONNECTING	     400
#define CLIENTS_ASKING_OF_PREFIX     100
#define CLIENTS_ASKING		     2000

struct client {
	struct client *previous, *next;
	struct addr prefix;
	int fd;
	int64_t since_ns; /* idle or busy */
	bool busy;
	bool closing; /* shut down, but not gone yet */
};

/* So many a second, for a prefix and in all. */
struct client_rate {
	struct limit prefix_limit, total_limit;
	struct bucket_table prefixes;
	struct token_bucket total;
};

struct clients {
	struct client *first, *last; /* by `since_ns` */
	unsigned count;
	struct client_rate connecting, asking;
	uint64_t accepted, refused, evicted, requests_refused;
};

int clients_init(struct clients *clients, struct hash_key key) MUST_USE;
void clients_deinit(struct clients *clients);
/* May this one come in? Somebody else may have to go for it. A proxy that is trusted stands for many: no
 * limit of a prefix holds for it. */
bool clients_admit(struct clients *clients, struct addr address, bool proxy, int64_t now_ns);
/* May this one ask something now? libmicrohttpd works off whatever a connection has sent before it lets go,
 * so that requests without pause would leave no time for anything else. */
bool clients_ask(struct clients *clients, struct addr address, int64_t now_ns);
/* NULL: out of memory. */
struct client *clients_add(struct clients *clients, struct addr address, int fd, int64_t now_ns);
void clients_remove(struct clients *clients, struct client *client);
/* A request came, or its response has left. */
void clients_set_busy(struct clients *clients, struct client *client, bool busy, int64_t now_ns);
/* Shut down those whose time is up. */
void clients_sweep(struct clients *clients, int64_t now_ns);

#endif
