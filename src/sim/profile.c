/* The rates of the profiles. Sources:
 *
 *   [RR17]  Goodchild et al., "The Record Route Option is an Option!", IMC 2017
 *   [N10]   Katz-Bassett et al., "Reverse traceroute", NSDI 2010
 *   [FON05] Fonseca et al., "IP options are not an option", 2005
 *   [F12]   Flach et al., "Quantifying violations of destination-based forwarding", IMC 2012
 *
 * Where no source gives a rate, the number is marked "chosen" and is only there so that the habit occurs. */
#include "sim/profile.h"

#include <stddef.h>
#include <string.h>

static const struct profile profiles[] = {
	{
		.name = "today",
		.summary = "the published rates",
		/* [RR17]: 78 of 95 % of the ASes answer options at all; [FON05]: 91 % of the drops are in the
		 * AS of the source or of the destination. */
		.edge_drops_options = 170,
		.core_drops_options = 15,
		/* [RR17]: of 7,185 ASes 2 never stamp and 143 sometimes do. */
		.core_never_stamps = 1,
		.core_sometimes = 20,
		.private_links = 20, /* chosen */
		.unannounced = 30,   /* chosen */
		.mpls = 300,	     /* chosen */
		.mpls_hidden = 300,  /* chosen */
		.mpls_unlabelled = 200, /* chosen */
		.igp_asymmetric = 30,	/* chosen; so that next hops agree as published (docs/statistics.md) */
		.traffic_engineering = 300, /* chosen, for the same reason */
		.prepending = 150,	    /* chosen, for the same reason */
		.silent = 60,		    /* chosen */
		.limited = 150,		    /* chosen */
		.slow = 50,		    /* chosen */
		.source_outbound = 50,	    /* chosen */
		.source_loopback = 20,	    /* chosen */
		.stamp_inbound = 60,	    /* chosen */
		.stamp_loopback = 30,	    /* chosen */
		.stamp_none = 20,	    /* chosen */
		.balance_flow = 600,	    /* chosen */
		.balance_packet = 10,	    /* chosen */
		.nameless = 250,	    /* chosen */
		.misleading = 10,	    /* chosen */
	},
	{
		.name = "clean",
		.summary = "no bad habits",
	},
	{
		.name = "hostile",
		.summary = "everything at its worst",
		/* [FON05]: about half of the paths dropped Record Route. */
		.edge_drops_options = 500,
		.core_drops_options = 100,
		.core_never_stamps = 100,
		.core_sometimes = 300,
		.private_links = 200,
		.unannounced = 200,
		.mpls = 800,
		.mpls_hidden = 700,
		.mpls_unlabelled = 600,
		.igp_asymmetric = 400,
		.traffic_engineering = 800,
		.prepending = 500,
		.silent = 250,
		.limited = 500,
		.slow = 200,
		.source_outbound = 250,
		.source_loopback = 150,
		.stamp_inbound = 200,
		.stamp_loopback = 150,
		.stamp_none = 150,
		.balance_flow = 600,
		.balance_packet = 200,
		.nameless = 600,
		.misleading = 150,
	},
};

const struct profile *profile_find(const char *name)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(*profiles); i++)
		if (strcmp(profiles[i].name, name) == 0)
			return &profiles[i];
	return NULL;
}
