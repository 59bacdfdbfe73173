/* The layout of Linux traceroute 2.1, piece by piece, so that each probe can be written as soon as it is its
 * turn. */
#ifndef RETOUR_REPORT_LAYOUT_TRACEROUTE_H
#define RETOUR_REPORT_LAYOUT_TRACEROUTE_H

#include <stdbool.h>
#include <stdio.h>

#include "path/model.h"

struct traceroute_style {
	bool numeric;
	bool origins;	 /* -A */
	bool extensions; /* -e */
	bool backwards;	 /* --back */
	bool tcp_flags;	 /* of answers */
};

/* What is known about the address of a probe besides the probe. */
struct traceroute_label {
	const char *name; /* NULL = none */
	uint32_t asn;	  /* 0 = unknown */
};

/* No newline: each hop begins with one. */
void layout_traceroute_header(
	FILE *out, const char *target, struct addr address, unsigned max_ttl, unsigned size);
/* Whether the address of probe `index` of the hop is written: others repeat what stands before them. */
bool layout_traceroute_shows_address(
	const struct traceroute_style *style, const struct probe_result *const *hop, unsigned index);
/* `hop` has the probes of this hop up to `index` at least. */
void layout_traceroute_probe(FILE *out, const struct traceroute_style *style, unsigned ttl,
	const struct probe_result *const *hop, unsigned index, const struct traceroute_label *label);
void layout_traceroute_end(FILE *out);

#endif
