/* How well behaved a generated world is: rates, each with the source that published it (profile.c). */
#ifndef RETOUR_SIM_PROFILE_H
#define RETOUR_SIM_PROFILE_H

#include <stdbool.h>

/* Shares are in thousandths. */
struct profile {
	const char *name, *summary;

	/* how networks are run */
	unsigned edge_drops_options;	       /* ASes at the edge that drop packets with IP options */
	unsigned core_drops_options;	       /* the same, transit ASes */
	unsigned core_never_stamps;	       /* transit ASes none of whose routers stamps Record Route */
	unsigned core_sometimes;	       /* transit ASes of which some routers stamp and some do not */
	unsigned source_filter;		       /* ASes at the edge that let out only their own addresses */
	unsigned private_links;		       /* ASes that number their inner links from private space */
	unsigned unannounced;		       /* ASes whose infrastructure is in no announced prefix */
	unsigned mpls;			       /* transit ASes that label packets */
	unsigned mpls_hidden, mpls_unlabelled; /* of those: no TTL propagation; errors without labels */
	unsigned mpls_opaque, mpls_ultimate;   /* of those: where the label comes off */
	unsigned igp_asymmetric;	       /* inner links whose cost differs by direction */
	unsigned traffic_engineering; /* multi-homed ASes that prefer one of several equal neighbours */
	unsigned prepending;	      /* multi-homed ASes that prepend towards one provider */
	unsigned firewall;	      /* enterprises with filters by port */
	unsigned congested;	      /* links between ASes with queues in the evening */
	unsigned access_congested;    /* the same, lines to homes */
	unsigned narrow;	      /* links that big packets do not fit through */
	unsigned detours;	      /* transit ASes with a tunnel that plain routing does not know */
	unsigned flapping;	      /* inner links that go down and come back in the first day */
	unsigned border_flapping;     /* the same, of links between ASes that have several */
	unsigned anycast;	      /* of the services that might share an address in several places */
	unsigned cgn, cgn_cellular;   /* networks with homes, with mobiles, that translate their addresses */
	bool nat;		      /* homes are behind address translation */

	/* how routers behave */
	unsigned silent;				       /* send no ICMP errors */
	unsigned limited, limited_as_linux;		       /* limit errors tightly; as Linux does */
	unsigned options_limited;			       /* limit packets with options */
	unsigned slow;					       /* answer late */
	unsigned source_outbound, source_loopback;	       /* of errors, where not inbound */
	unsigned stamp_inbound, stamp_loopback, stamp_private; /* of Record Route, where not outbound */
	unsigned stamp_none, strip;			       /* single routers */
	unsigned balance_flow, balance_packet, balance_options;
	unsigned ttl_echo_64, ttl_64, ttl_128; /* initial TTLs, where not 255 for all */
	unsigned zero_ttl;		       /* forward what should have expired */
	unsigned bleach_ecn, bleach_dscp;
	unsigned too_big_silent; /* do not say that a packet was too big */

	/* how destinations behave */
	unsigned host_silent;				      /* do not answer ping */
	unsigned host_plain;				      /* answer ping but not with options */
	unsigned host_stamps_once, host_alias, host_no_stamp; /* where not twice */
	unsigned host_no_time;				      /* answer the Timestamp option unstamped */
	unsigned host_careless_time;

	/* names */
	unsigned nameless;   /* ASes without reverse DNS for their routers */
	unsigned misleading; /* router names that tell a wrong place */
};

/* "today", "clean", "hostile"; NULL for another name. */
const struct profile *profile_find(const char *name);

#endif
