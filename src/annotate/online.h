/* What only the network knows: names of addresses, and origins where the user wants them asked for. */
#ifndef RETOUR_ANNOTATE_ONLINE_H
#define RETOUR_ANNOTATE_ONLINE_H

#include <stdint.h>

#include "annotate/early.h"
#include "path/model.h"

/* Fill the names of hops and source (`names`), and the origins of hops that have none (`zone`, NULL = do not
 * ask), within `budget_ns` altogether. `early` (may be NULL) has what was asked already. */
void online_annotate(struct measurement *measurement, bool names, const char *zone, struct early *early,
	int64_t budget_ns);

#endif
