/* The rates of the profiles. Sources:
 *
 *   [RR17]  Goodchild et al., "The Record Route Option is an Option!", IMC 2017
 *   [N10]   Katz-Bassett et al., "Reverse traceroute", NSDI 2010
 *   [FON05] Fonseca et al., "IP options are not an option", 2005
 *   [F12]   Flach et al., "Quantifying violations of destination-based forwarding", IMC 2012
 *   [D18]   Dhamdhere et al., "Inferring persistent interdomain congestion", SIGCOMM 2018
 *   [L18]   Livadariu et al., "Inferring carrier-grade NAT deployment in the wild", INFOCOM 2018
 *
 * Where no source gives a rate the number is marked "chosen": it is there so that the habit occurs, or so
 * that what was published about the whole comes out (docs/statistics.md). */
#include "sim/profile.h"

#include <stddef.h>
#include <string.h>

static const struct profile profiles[] = {
	{
		.name = "today",
		.summary = "habits at their published rates",
		/* [RR17]: of 95 % of the ASes that answer ping 78 also answer options; [FON05]: 91 % of the
		 * drops are in the AS of the source or of the destination. */
		.edge_drops_options = 150,
		.core_drops_options = 10,
		/* [RR17]: of 7,185 ASes 2 never stamp and 143 sometimes do. */
		.core_never_stamps = 1,
		.core_sometimes = 20,
		/* [N10], from the Spoofer project: 31 % of 12,000 clients could spoof. */
		.source_filter = 690,
		.private_links = 20,	     /* chosen */
		.unannounced = 30,	     /* chosen */
		.mpls = 300,		     /* chosen */
		.mpls_hidden = 250,	     /* chosen */
		.mpls_unlabelled = 200,	     /* chosen */
		.mpls_opaque = 50,	     /* chosen */
		.mpls_ultimate = 150,	     /* chosen */
		.igp_asymmetric = 10,	     /* chosen, for the next hops back inside an AS */
		.traffic_engineering = 1000, /* chosen, for the next hops back between ASes */
		.prepending = 150,	     /* chosen, as above */
		.firewall = 150,	     /* chosen */
		/* chosen; [D18] found such links, and that they are not widespread */
		.congested = 20,
		.access_congested = 300, /* chosen */
		.narrow = 5,		 /* chosen */
		/* [F12]: 1.3 % of the routers have next hops in different ASes for one destination. */
		.detours = 13,
		.flapping = 1,	      /* chosen */
		.border_flapping = 2, /* chosen */
		/* Chosen: every second content network, as the big ones do. Of all prefixes it is few. */
		.anycast = 500,
		/* [L18]: 4,100 ASes, of the 55,000 or so that were announced then; about a third of ours are
		 * access networks. */
		.cgn = 220,
		.cgn_cellular = 900, /* chosen */
		.nat = true,
		.silent = 60,		/* chosen */
		.limited = 100,		/* chosen */
		.limited_as_linux = 50, /* chosen */
		/* [RR17]: guides to routers' protection go down to 10 packets a second; with 100 pps instead
		 * of 10 only 8 of 79 vantage points lost more than a quarter. */
		.options_limited = 30,
		.slow = 50,	       /* chosen */
		.source_outbound = 50, /* chosen */
		.source_loopback = 20, /* chosen */
		.stamp_inbound = 60,   /* chosen */
		.stamp_loopback = 30,  /* chosen */
		.stamp_private = 5,    /* chosen */
		.stamp_none = 10,      /* chosen */
		.strip = 2,	       /* chosen */
		/* [F12]: 29 % of the routers use more than one next hop for one destination. */
		.balance_flow = 290,
		.balance_packet = 5,	 /* chosen */
		.balance_options = 20,	 /* chosen */
		.ttl_echo_64 = 250,	 /* chosen */
		.ttl_64 = 100,		 /* chosen */
		.ttl_128 = 30,		 /* chosen */
		.zero_ttl = 3,		 /* chosen */
		.bleach_ecn = 10,	 /* chosen */
		.bleach_dscp = 50,	 /* chosen */
		.too_big_silent = 100,	 /* chosen */
		.host_silent = 230,	 /* [RR17]: 77 % answer ping */
		.host_plain = 60,	 /* chosen, so that 75 % of those answer options [RR17] */
		.host_stamps_once = 300, /* chosen */
		/* [RR17]: 5,637 and 4,358 of the 296,000 that answer options. */
		.host_alias = 19,
		.host_no_stamp = 15,
		.host_no_time = 166,	 /* [N10]: 16.6 % */
		.host_careless_time = 5, /* chosen */
		.nameless = 250,	 /* chosen */
		.misleading = 10,	 /* chosen */
	},
	{
		.name = "clean",
		.summary = "no bad habits",
	},
	{
		.name = "hostile",
		.summary = "habits at their worst",
		/* [FON05]: about half of the paths dropped Record Route. */
		.edge_drops_options = 400,
		.core_drops_options = 50,
		.core_never_stamps = 100,
		.core_sometimes = 300,
		.source_filter = 950,
		.private_links = 200,
		.unannounced = 200,
		.mpls = 800,
		.mpls_hidden = 600,
		.mpls_unlabelled = 400,
		.mpls_opaque = 150,
		.mpls_ultimate = 300,
		.igp_asymmetric = 400,
		.traffic_engineering = 800,
		.prepending = 500,
		.firewall = 600,
		.congested = 200,
		.access_congested = 800,
		.narrow = 50,
		.detours = 200,
		.flapping = 10,
		.border_flapping = 50,
		.anycast = 1000,
		.cgn = 800,
		.cgn_cellular = 1000,
		.nat = true,
		.silent = 250,
		.limited = 300,
		.limited_as_linux = 300,
		.options_limited = 300,
		.slow = 200,
		.source_outbound = 250,
		.source_loopback = 150,
		.stamp_inbound = 200,
		.stamp_loopback = 150,
		.stamp_private = 100,
		.stamp_none = 150,
		.strip = 30,
		.balance_flow = 500,
		.balance_packet = 200,
		.balance_options = 200,
		.ttl_echo_64 = 300,
		.ttl_64 = 300,
		.ttl_128 = 200,
		.zero_ttl = 50,
		.bleach_ecn = 150,
		.bleach_dscp = 300,
		.too_big_silent = 600,
		.host_silent = 480, /* of home networks about half answer */
		.host_plain = 200,
		.host_stamps_once = 300,
		.host_alias = 150,
		.host_no_stamp = 150,
		.host_no_time = 400,
		.host_careless_time = 100,
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
