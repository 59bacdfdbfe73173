/* How well behaved a generated world is: rates, each with the source that published it (profile.c). */
#ifndef RETOUR_SIM_PROFILE_H
#define RETOUR_SIM_PROFILE_H

/* Shares are in thousandths. */
struct profile {
	const char *name, *summary;

	/* how networks are run */
	unsigned edge_drops_options;  /* ASes at the edge that drop packets with IP options, both ways */
	unsigned core_drops_options;  /* the same, transit ASes */
	unsigned core_never_stamps;   /* transit ASes none of whose routers stamps Record Route */
	unsigned core_sometimes;      /* transit ASes of which some routers stamp and some do not */
	unsigned private_links;	      /* ASes that number their inner links from private space */
	unsigned unannounced;	      /* ASes whose infrastructure is in no announced prefix */
	unsigned mpls;		      /* transit ASes that label packets */
	unsigned mpls_hidden;	      /* of those: without TTL propagation */
	unsigned mpls_unlabelled;     /* of those: errors without the label stack */
	unsigned igp_asymmetric;      /* inner links whose cost differs by direction */
	unsigned traffic_engineering; /* multi-homed ASes that prefer one of several equal neighbours */
	unsigned prepending;	      /* multi-homed ASes that prepend towards one provider */

	/* how routers behave */
	unsigned silent;	  /* send no ICMP errors */
	unsigned limited;	  /* limit errors tightly */
	unsigned slow;		  /* answer late */
	unsigned source_outbound; /* errors come from the interface they leave by */
	unsigned source_loopback; /* or from the loopback */
	unsigned stamp_inbound, stamp_loopback; /* what goes into Record Route, where not the outbound address */
	unsigned stamp_none;			/* single routers that do not stamp */
	unsigned balance_flow, balance_packet;	/* over equal-cost ways */

	/* names */
	unsigned nameless;   /* ASes without reverse DNS for their routers */
	unsigned misleading; /* router names that tell a wrong place */
};

/* "today", "clean", "hostile"; NULL for another name. */
const struct profile *profile_find(const char *name);

#endif
