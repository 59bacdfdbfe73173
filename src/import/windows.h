/* What tracert and pathping share, inside import/: words in any language and encoding, so only shapes count.
 */
#ifndef RETOUR_IMPORT_WINDOWS_H
#define RETOUR_IMPORT_WINDOWS_H

#include "import/lex.h"

/* "<1 ms", "12 ms", "12ms" with any word for ms; moves past it. Whole milliseconds; less than one counts as
 * one: at most that. */
bool windows_time(const char **at, int64_t *rtt_ns);
/* An address, in brackets or not, anywhere in the text, and the word before the brackets, "" = none. What
 * follows it, or NULL. */
const char *windows_target(const char *text, struct addr *address, char name[static LEX_NAME_SIZE]);
/* The first number in the text that stands alone; -1: none. */
int windows_number(const char *text);

#endif
