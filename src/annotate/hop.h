/* What annotation writes into a hop. */
#ifndef RETOUR_ANNOTATE_HOP_H
#define RETOUR_ANNOTATE_HOP_H

#include "annotate/ranges.h"
#include "path/model.h"

/* Its origin and country, unless they are known already. */
void hop_set_origin(struct hop *hop, const struct origin *origin);

#endif
