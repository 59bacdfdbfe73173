/* Text from the network (names, labels, interface names) is hostile to a terminal and to a log. */
#ifndef RETOUR_BASE_ESCAPE_H
#define RETOUR_BASE_ESCAPE_H

#include <stddef.h>

/* Copy `text` (NULL counts as "") into `out`, at most `size` bytes with the terminator; every byte that is
 * not printable ASCII becomes \xHH. Returns `out`. */
const char *escape_text(const char *text, char *out, size_t size);

#endif
