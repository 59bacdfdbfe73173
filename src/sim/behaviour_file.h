/* The habits of a node: as a world file writes them, and ready for use. */
#ifndef RETOUR_SIM_BEHAVIOUR_FILE_H
#define RETOUR_SIM_BEHAVIOUR_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* Which of its addresses a router shows; also how it treats the Record Route option. */
enum stamp { STAMP_INBOUND, STAMP_OUTBOUND, STAMP_LOOPBACK, STAMP_NONE, STAMP_DROP };
enum balance { BALANCE_NONE, BALANCE_FLOW, BALANCE_PACKET, BALANCE_OPTIONS };

struct file_limit {
	unsigned burst;
	double per_second;
};

/* Pointers, so that what is not in the file is known: an AS may set it for its nodes. */
struct file_behaviour {
	int *error_source; /* enum stamp, the first three */
	int *record_route; /* enum stamp */
	int *balance;
	int *silent;
	unsigned *quote_bytes;
	double *reply_delay_ms;
	struct file_limit *error_limit;
};

struct behaviour {
	enum stamp error_source;
	enum stamp record_route;
	enum balance balance;
	bool silent;	      /* sends no ICMP errors */
	bool limit_given;     /* the file limits the errors of this router, beyond the default */
	unsigned quote_bytes; /* at most, of the packet that an error is about */
	unsigned error_burst; /* token bucket per destination of the errors */
	double errors_per_second;
	int64_t reply_delay_ns; /* of errors and echo replies */
};

/* The habits that `own` gives, else `common` (those of its AS), else the defaults; both may be NULL. Returns
 * NULL, or what is wrong and what was expected. */
const char *behaviour_load(const struct file_behaviour *common, const struct file_behaviour *own,
	struct behaviour *behaviour) MUST_USE;

#endif
