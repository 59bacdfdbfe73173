/* MMDB files (libmaxminddb): which AS and which country, under the keys that their publishers use.
 *
 *   GeoLite2-ASN, DB-IP:      autonomous_system_number, autonomous_system_organization
 *   GeoLite2-Country, DB-IP:  country.iso_code (else registered_country.iso_code)
 *   IPinfo:                   asn "AS64500", as_name (else name), country_code (else country) */
#ifndef RETOUR_ANNOTATE_MMDB_H
#define RETOUR_ANNOTATE_MMDB_H

#include "annotate/ranges.h"

struct mmdb; /* an open file */

struct mmdb_facts {
	char type[64];		 /* as the file calls itself */
	int64_t built_s;	 /* since 1970, 0 = not said */
	size_t entries;		 /* networks; only after mmdb_check */
	bool origins, countries; /* what was found in it; only after mmdb_check */
};

int mmdb_open(struct mmdb **mmdb, const char *path, struct error *error) MUST_USE;
void mmdb_close(struct mmdb *mmdb);
/* false: nothing about this address. */
bool mmdb_find(const struct mmdb *mmdb, struct addr addr, struct origin *origin);
void mmdb_facts(const struct mmdb *mmdb, struct mmdb_facts *facts);
/* Walk through the whole file. 0, or -EINVAL when any part of it makes no sense or has nothing that we know.
 */
int mmdb_check(const struct mmdb *mmdb, struct mmdb_facts *facts, struct error *error) MUST_USE;

#endif
