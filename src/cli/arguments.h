/* The options of a command as one table, for parsing and for help. */
#ifndef RETOUR_CLI_ARGUMENTS_H
#define RETOUR_CLI_ARGUMENTS_H

#include <stddef.h>

#include "base/compiler.h"

#define ARGUMENT_LONG 256 /* keys from here on have no letter */
#define ARGUMENTS_MAX 64  /* rows of a table */

struct argument_row {
	int key;
	const char *name;     /* NULL: another letter for a row that has one, not in the help */
	const char *argument; /* NULL = none; "[=X]": may be left out */
	const char *help;
};

enum argument_verdict { ARGUMENT_TAKEN, ARGUMENT_NO_VALUE, ARGUMENT_TOLD /* what is wrong, already */ };

struct argument_table {
	const char *command;		 /* after `retour`; "" for the main job */
	const char *operands;		 /* of the usage line, after the options */
	const char *more;		 /* usage lines, each with its end; NULL = none */
	const struct argument_row *rows; /* with a row 'h' for the help */
	size_t count;
	unsigned left; /* columns before the help texts */
	enum argument_verdict (*apply)(void *context, int key, const char *argument);
};

/* Options are applied as they come. -1: go on at argv[optind]; else the status with which to leave, as help
 * was printed or a mistake told. */
int arguments_parse(const struct argument_table *table, void *context, int argc, char **argv) MUST_USE;
/* The one operand of a command about one host. As arguments_parse. */
int arguments_host(const char *command, const char **host, int argc, char **argv) MUST_USE;
/* EXIT_USAGE, with a line on standard error that quotes `value`; without one. */
int arguments_wrong(const char *command, const char *what, const char *value);
/* The same for what getopt_long returned, '?' or ':', of a command whose options are no table. */
int arguments_bad_option(const char *command, int key, char **argv);
int arguments_contradict(const char *command, const char *what);

#endif
