/* Origins by DNS, in Team Cymru's form: TXT of 4.3.2.1.origin.ZONE is "64500 | 198.51.100.0/24 | DE | ripencc
 * | date", with several numbers when several ASes announce the prefix; of AS64500.ZONE "64500 | DE | ripencc
 * | date | NAME, DE". Whoever runs the zone learns which addresses are asked for: only when the user wants
 * it. */
#ifndef RETOUR_ANNOTATE_ORIGIN_DNS_H
#define RETOUR_ANNOTATE_ORIGIN_DNS_H

#include "annotate/lines.h"
#include "annotate/ranges.h"

#define ORIGIN_DNS_NAME_SIZE 256

/* The name to ask for the origin of an address; false when it does not fit. */
bool origin_dns_name(struct addr addr, const char *zone, char name[static ORIGIN_DNS_NAME_SIZE]);
/* What one record says; false when it makes no sense, or is not about the address. */
bool origin_dns_read(struct text record, struct addr addr, struct origin *origin);
/* The name of an AS in a record about it; false when it is about another, or has none. */
bool origin_dns_read_as(struct text record, uint32_t asn, char *name, size_t size);

#endif
