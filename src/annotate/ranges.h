/* What is known of address ranges: a look-up in a text file in iptoasn's form, sorted by address, IPv4 first,
 *
 *   first_address <tab> last_address <tab> AS numbers <tab> country <tab> name [<tab> prefix length]
 *
 * AS numbers are as text_origins() reads them. The file is mapped and searched by halves, so opening costs
 * nothing whatever its size. All that `retour data import` installs is in this form; what the last column
 * says is how specific the entry was before nested prefixes were cut into ranges. */
#ifndef RETOUR_ANNOTATE_RANGES_H
#define RETOUR_ANNOTATE_RANGES_H

#include <stdbool.h>

#include "annotate/lines.h"

#define ORIGINS_MAX 8

struct origin {
	uint32_t asns[ORIGINS_MAX]; /* several for a prefix that several ASes announce, and for an AS set */
	unsigned count;		    /* 0: nobody announces it */
	unsigned length;	    /* of the prefix that matched; for a range, of the prefix that holds it */
	char country[3];	    /* "" = unknown */
	char name[128];		    /* "" = unknown */
};

/* false: not in the file. A damaged or unsorted file loses answers, never lies. */
bool ranges_find(struct text file, struct addr addr, struct origin *origin);
/* How many leading bits the two have in common. */
unsigned common_length(struct addr a, struct addr b);

#endif
