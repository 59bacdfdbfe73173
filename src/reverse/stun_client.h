/* One STUN server asked for the address that it sees us by, on the run's loop. */
#ifndef RETOUR_REVERSE_STUN_CLIENT_H
#define RETOUR_REVERSE_STUN_CLIENT_H

#include "base/addr.h"
#include "base/compiler.h"
#include "packet/stun.h"

struct uv_loop_s;
struct stun_client;

/* `answer` is NULL where there is none, then `why` is one line that says so; it may name the server. Called
 * once, from the loop, after which the client is gone. */
typedef void stun_done(void *context, const struct stun_answer *answer, const char *why);

/* `server` is HOST, HOST:PORT, ADDRESS or [ADDRESS6]:PORT; it is asked over the family of `source`, and from
 * that address. NULL: out of memory. */
struct stun_client *stun_client_ask(struct uv_loop_s *loop, const char *server, struct addr source,
	stun_done *done, void *context) MUST_USE;
/* At any time before `done`, which is not called then. The loop must run until its handles are closed. */
void stun_client_cancel(struct stun_client *client);

#endif
