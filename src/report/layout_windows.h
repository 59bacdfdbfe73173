/* The layouts of Windows' tracert and pathping, piece by piece. */
#ifndef RETOUR_REPORT_LAYOUT_WINDOWS_H
#define RETOUR_REPORT_LAYOUT_WINDOWS_H

#include <stdbool.h>
#include <stdio.h>

#include "path/model.h"

/* `name` may be NULL: "ADDRESS"; else "NAME [ADDRESS]". */
void layout_windows_host(FILE *out, struct addr address, const char *name);

/* With a name the heading takes two lines. tracert leaves a line empty behind it, pathping does not. */
void layout_tracert_heading(FILE *out, struct addr target, const char *name, unsigned max_ttl);
/* Probe `index` of a hop of `count`, which begins a line with 0. */
void layout_tracert_probe(FILE *out, unsigned ttl, const struct probe_result *probe, unsigned index);
/* What follows the probes of a hop: who answered (none = nobody). */
void layout_tracert_host(FILE *out, struct addr address, const char *name);
/* Instead of a time: whoever answered says that it does not go on. */
void layout_tracert_refusal(
	FILE *out, unsigned ttl, const struct probe_result *probe, unsigned index, const char *name);
/* NULL: no refusal. */
const char *windows_refusal(const struct probe_result *probe);
void layout_tracert_end(FILE *out);

struct pathping_row {
	struct addr address;
	const char *name;    /* NULL = none */
	int64_t rtt_ns;	     /* mean, RTT_NONE = no answer */
	unsigned sent, lost; /* of the queries to this hop */
};

void layout_pathping_heading(FILE *out, struct addr target, const char *name, unsigned max_ttl);
void layout_pathping_hop(FILE *out, unsigned ttl, struct addr address, const char *name);
void layout_pathping_silent(FILE *out, unsigned ttl);
void layout_pathping_waiting(FILE *out, unsigned seconds);
/* rows[0] is this host. What is lost on the link before a hop is what every hop from there on misses. */
void layout_pathping_table(FILE *out, const struct pathping_row *rows, size_t count);

#endif
