/* What annotation writes into a hop. */
#ifndef RETOUR_ANNOTATE_HOP_H
#define RETOUR_ANNOTATE_HOP_H

#include "annotate/ranges.h"
#include "path/model.h"

/* Its origin and country, unless they are known already. */
void hop_set_origin(struct hop *hop, const struct origin *origin);
/* Its country, whatever was known; not what is no code of two letters. */
void hop_set_country(struct hop *hop, const char country[static 3]);

#endif
