/* Whose router a hop is, where that is not who announces its address. A link between two networks has
 * addresses of one of them, and a LAN of an exchange has those of the exchange; so the origin of the prefix
 * is wrong just where one network ends and another begins. Each answer comes with its reason; without one
 * nothing is said. */
#ifndef RETOUR_ANNOTATE_BORDER_H
#define RETOUR_ANNOTATE_BORDER_H

#include "annotate/data.h"
#include "path/model.h"

/* Fill operator_asn and operator_reason of the path's hops, whose origins are known already. */
void border_operators(struct path *path, const struct data *data);

#endif
