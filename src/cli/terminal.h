/* What the terminal of standard output can do. */
#ifndef RETOUR_CLI_TERMINAL_H
#define RETOUR_CLI_TERMINAL_H

#include <stdbool.h>

/* Its columns; else those that COLUMNS says, else `usual`. */
int terminal_width(int usual);
/* It has colour, and the user has not said that he does not want any (no-color.org). */
bool terminal_wants_colour(void);

#endif
