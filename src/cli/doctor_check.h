/* The list of what `retour doctor` looked at, and those who fill it. */
#ifndef RETOUR_CLI_DOCTOR_CHECK_H
#define RETOUR_CLI_DOCTOR_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

enum check_state { CHECK_OK, CHECK_LIMITED, CHECK_MISSING, CHECK_UNKNOWN };

struct check {
	const char *id;
	enum check_state state;
	char meaning[300]; /* for measurement */
	char remedy[200];  /* the one command that would change it; "" = nothing to change, or no command does
			    */
};

#define CHECKS_MAX 32

struct checkup {
	struct check checks[CHECKS_MAX];
	size_t count;
	const char *data_dir; /* NULL = the usual one */
	bool whole;	      /* all that `retour HOST` needs is there, for some family */
	bool part;	      /* something can be measured */
};

/* A new check; valid until the next. */
struct check *check_add(struct checkup *checkup, const char *id, enum check_state state, const char *meaning,
	...) PRINTF_LIKE(4, 5);
void check_remedy(struct check *check, const char *format, ...) PRINTF_LIKE(2, 3);
/* The first number in a file below /proc/sys; false when there is none. */
bool check_sysctl(const char *name, long *value);

/* Privilege, sockets, families, timestamps, namespaces. */
void doctor_sockets(struct checkup *checkup);
/* Rules that drop what a measurement needs, and what the kernel itself holds back. */
void doctor_firewall(struct checkup *checkup);
void doctor_kernel(struct checkup *checkup);
/* Programs, libraries and settings for ways back that ask somebody else. */
void doctor_helpers(struct checkup *checkup);
/* Data files, terminal, names. */
void doctor_surroundings(struct checkup *checkup);

#endif
