/* Who provides for whom: a look-up in a text file in the form of CAIDA's AS relationships, sorted by both
 * numbers,
 *
 *   provider|customer|-1     or     peer|peer|0                                                            */
#ifndef RETOUR_ANNOTATE_RELATIONS_H
#define RETOUR_ANNOTATE_RELATIONS_H

#include <stdbool.h>

#include "annotate/lines.h"

bool relations_provides(struct text file, uint32_t provider, uint32_t customer);

#endif
