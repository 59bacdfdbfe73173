/* Routers by their names. Operators commonly name each interface of a router as INTERFACE.ROUTER.DOMAIN, such
 * as ae-3.core1.example.net: two such names that differ in the interface only belong to one router, as far as
 * its operator keeps the names up to date. */
#ifndef RETOUR_INSIGHT_ROUTER_NAME_H
#define RETOUR_INSIGHT_ROUTER_NAME_H

#include "path/model.h"

/* The part after the interface; NULL for a name that is not of this form. */
const char *router_of_name(const char *name);
/* Both hops have names, of interfaces of one router. */
/* Both have names of that kind, of two routers. */
bool strangers_by_name(const struct hop *a, const struct hop *b);
bool alias_by_name(const struct hop *a, const struct hop *b);

#endif
