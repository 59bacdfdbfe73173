/* A run of the way back over ssh, as its two files see it: ssh.c asks, ssh_result.c makes a path of the
 * answer. */
#ifndef RETOUR_REVERSE_SSH_RUN_H
#define RETOUR_REVERSE_SSH_RUN_H

#include <uv.h>

#include "reverse/asking.h"
#include "reverse/process.h"
#include "reverse/settings.h"
#include "reverse/ssh_line.h"

#define SSH_STAGE_S 60 /* for each of the commands; what it printed by then is used */

struct ssh {
	struct asking asking;
	const struct settings_ssh *entry; /* of the user for this host, or NULL; borrowed */
	char *destination;
	bool by_target; /* the destination is the target's own name or address */
	bool far_host;	/* the destination is the target */
	bool guess;	/* what the far side is was not said */
	enum ssh_dialect dialect;
	struct ssh_configuration configuration;
	struct addr address; /* of the destination, in the target's family; none = not known */
	struct ssh_goal goal;
	struct ssh_line line;
	struct process process;
	void (*then)(struct ssh *ssh); /* when the process has ended */
	bool running, late;
	uv_timer_t timer;
	bool ticking;
	uv_getaddrinfo_t look_up;
	bool looking_up;
};

/* The end: asking_finish, and everything that still runs is ended. */
void ssh_finish(struct ssh *ssh, enum attempt_status status, struct path *path, const char *format, ...)
	PRINTF_LIKE(4, 5);
/* Something ran over there: the path in it, or why there is none. */
void ssh_conclude(struct ssh *ssh, const struct ssh_answer *answer);
/* ssh failed by itself: why. */
void ssh_explain_failure(struct ssh *ssh);

#endif
