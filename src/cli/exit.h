/* Exit status of the native commands (docs/man/retour.1.scd, EXIT STATUS). */
#ifndef RETOUR_CLI_EXIT_H
#define RETOUR_CLI_EXIT_H

enum exit_status {
	EXIT_OK = 0,	      /* measured and reached */
	EXIT_PROBLEM = 1,     /* with --check: a finding of severity problem */
	EXIT_NOT_REACHED = 2, /* measured, destination not reached; for `back`: no return path */
	EXIT_USAGE = 3,
	EXIT_CANNOT_MEASURE = 4, /* name, privilege, no route */
	EXIT_INTERRUPTED = 130,
};

#endif
