/* A world as the data files that programs read about the Internet outside. */
#ifndef RETOUR_SIM_EXPORT_H
#define RETOUR_SIM_EXPORT_H

#include "sim/world.h"

struct export
{
	const char *file;
	char *(*write)(const struct world *world); /* heap text, or NULL: out of memory */
};
/* The last has a NULL `file`. */
extern const struct export exports[];

/* The layout of ip2asn-combined.tsv (iptoasn.com): first, last, number, country, name. */
char *export_ranges(const struct world *world);
/* The layout of CAIDA's prefix-to-AS files: prefix, length, number, or several with '_' between (anycast). */
char *export_prefixes(const struct world *world);
/* The layout of CAIDA's AS relationships, serial 1: provider|customer|-1 and peer|peer|0. */
char *export_relations(const struct world *world);
/* The shape of a PeeringDB dump: ix, ixlan, ixpfx, netixlan (who has which address on the LAN). */
char *export_exchanges(const struct world *world);
/* What the codes in router names mean: code, country, latitude, longitude. */
char *export_places(const struct world *world);

#endif
