/* A telnet session on a socket. For lg_run.c. */
#ifndef RETOUR_REVERSE_TELNET_RUN_H
#define RETOUR_REVERSE_TELNET_RUN_H

#include <stdint.h>

#include "reverse/lg.h"

struct uv_loop_s;
struct telnet_run;

/* Once, from the loop: LG_ANSWER or LG_FAILED of the talk. */
typedef void telnet_done(void *context, enum lg_turn turn);

/* The URL is telnet://[user[:password]@]host[:port]. NULL: out of memory. */
struct telnet_run *telnet_run_new(
	struct uv_loop_s *loop, struct lg_talk *talk, int64_t timeout_ns, telnet_done *done, void *context);
void telnet_run_free(struct telnet_run *run, void (*closed)(void *context), void *context);
/* Who was connected to. */
struct addr telnet_run_peer(const struct telnet_run *run);

#endif
