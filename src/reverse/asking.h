/* What all ways back have in common that ask somebody else for a trace: over a process, HTTP, a socket. Such
 * a run lives on the driver's loop. To the ladder it is a machine that sends nothing, and that is DONE when
 * the answer is there or the time is up.
 *
 * A method embeds `struct asking` as its first member and makes its own calls on `task.outside->loop`.
 * Whatever holds a pointer to the run, a uv handle until its close callback or a transfer, is counted by
 * asking_hold/asking_drop: the ladder may free a run at any time, and `destroy` is called when nobody holds
 * it any more. */
#ifndef RETOUR_REVERSE_ASKING_H
#define RETOUR_REVERSE_ASKING_H

#include <stdbool.h>

#include "reverse/ladder.h"

#define ASKING_DETAIL_SIZE 300

struct asking;

struct asking_ops {
	void (*begin)(struct asking *asking);	/* ask; called once, from the loop */
	void (*cancel)(struct asking *asking);	/* stop and close what is open; holds may go later */
	void (*destroy)(struct asking *asking); /* free the run; nothing holds it any more */
};

struct asking {
	const struct asking_ops *ops;
	struct reverse_task task;     /* its pointers are borrowed while the run is not abandoned */
	const struct path *forward;   /* the way there, as far as it is known; borrowed */
	int64_t timeout_ns;	      /* from the beginning on */
	int64_t started_ns, ended_ns; /* 0 = not yet */
	enum attempt_status status;
	char detail[ASKING_DETAIL_SIZE];
	struct path *path;	    /* the way back; owned */
	struct addr public_address; /* ours, once it has been learned from others (public_address.h) */
	unsigned holds;
	bool finished, abandoned;
};

void asking_init(struct asking *asking, const struct asking_ops *ops, const struct reverse_task *task,
	int64_t timeout_ns);
void asking_hold(struct asking *asking);
/* May destroy the run: not to be used after this. */
void asking_drop(struct asking *asking);
/* The end, told once; later calls change nothing. `path` is taken over and may be NULL. The detail is one
 * line for a person, and holds no secret and no control character (it is escaped here). */
void asking_finish(struct asking *asking, enum attempt_status status, struct path *path, const char *format,
	...) PRINTF_LIKE(4, 5);
/* What the attempt says while it goes on, instead of "no answer yet". */
void asking_say(struct asking *asking, const char *format, ...) PRINTF_LIKE(2, 3);

/* For struct reverse_method; `run` is the struct asking. */
struct machine asking_machine(void *run);
void asking_hint(void *run, int64_t rtt_ns);
void asking_known(void *run, const struct path *forward);
struct path *asking_path(const void *run, int64_t started_wall_ns);
enum attempt_status asking_status(const void *run, char *detail, size_t size);
int64_t asking_duration_ns(const void *run);
void asking_free(void *run);

struct addr asking_public_address(const void *run);

#define ASKING_METHOD ASKING_WHEN_NOTHING_ELSE_HELPS, .early = true
/* Where each question costs the user something. */
#define ASKING_WHEN_NOTHING_ELSE_HELPS                                                                       \
	.outside = true, .machine = asking_machine, .hint = asking_hint, .known = asking_known,              \
	.path = asking_path, .status = asking_status, .duration_ns = asking_duration_ns,                     \
	.public_address = asking_public_address, .free = asking_free

#endif
