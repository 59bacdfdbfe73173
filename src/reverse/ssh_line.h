/* What ssh is told, what runs on the far side, and what comes back of it. Pure.
 *
 * A Unix host is given a script over standard input, and the command is `sh -s`: there is nothing in that for
 * any login shell to take apart, and a host without `sh` says so and does nothing. Other command lines get
 * one line of plain words. In both, our own address is the only thing that is not fixed; it is formatted from
 * its binary form. */
#ifndef RETOUR_REVERSE_SSH_LINE_H
#define RETOUR_REVERSE_SSH_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "path/model.h"

enum ssh_dialect {
	SSH_UNIX,
	SSH_WINDOWS,
	SSH_PATHPING, /* Windows once more, where there is no tracert */
	SSH_IOS,
	SSH_IOS_XR,
	SSH_JUNOS,
	SSH_ROUTEROS,
	SSH_VYOS, /* its shell is one */
};

#define SSH_DIALECTS "unix windows ios ios-xr junos routeros vyos" /* as users may name them */
bool ssh_dialect_find(const char *name, enum ssh_dialect *dialect) MUST_USE;
/* What traces there, in words: the program of a struct ssh_run. */
const char *ssh_dialect_program(enum ssh_dialect dialect);
/* The dialect of import/ that a program prints; NULL = to be found out. */
const char *ssh_program_output(const char *program);

/* [user@]host or ssh://...: nothing that ssh, or what the user's ssh configuration makes of it, could take
 * for something else. */
bool ssh_destination_valid(const char *destination);

/* What is known of our address before anybody is asked. */
struct ssh_goal {
	uint8_t family;
	struct addr said;  /* by the user; none */
	struct addr other; /* where the far side does not see us; none */
	bool direct;	   /* the connection comes from us, not from a jump host */
	bool private_peer; /* the target is within the same private network */
};

#define SSH_COMMAND_SIZE 200
#define SSH_INPUT_SIZE	 4096

struct ssh_line {
	char command[SSH_COMMAND_SIZE]; /* "" = the far side's own command line */
	char input[SSH_INPUT_SIZE];
};

/* False: our address has to be known for that, and is not. */
bool ssh_line_write(struct ssh_line *line, enum ssh_dialect dialect, const struct ssh_goal *goal) MUST_USE;
/* The address that a far side is given which is not asked by whom it sees us; none = not known. */
struct addr ssh_goal_address(const struct ssh_goal *goal);

/* Of `ssh -G`. */
struct ssh_configuration {
	char hostname[256]; /* "" = not said */
	bool indirect;	    /* by a jump host or a program of the user */
};
void ssh_configuration_read(const char *text, struct ssh_configuration *configuration);

/* One program that ran over there. */
struct ssh_run {
	char program[24];
	const char *bytes; /* what it printed: within the answer's text */
	size_t length;
	bool ended;
	int code;
};

#define SSH_RUNS_MAX 12

struct ssh_answer {
	bool script;		  /* the script ran: it is a Unix host */
	bool over;		  /* and came to its end without success */
	struct addr peer, server; /* the connection as the far side sees it; none = not said */
	struct addr to;		  /* what was traced */
	struct ssh_run runs[SSH_RUNS_MAX];
	size_t run_count;
};
/* `text` ends with a NUL, and may be cut anywhere. */
void ssh_answer_read(const char *text, struct ssh_answer *answer);

/* The last line with anything in it. */
void ssh_last_line(const char *text, char *out, size_t size);
/* Why ssh itself failed, by what it printed: one line for a person, with the remedy. */
enum attempt_status ssh_explain(const char *errors, const char *destination, char *reason, size_t size);

#endif
