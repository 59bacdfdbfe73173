/* The layouts of mtr 0.95: report, wide report, CSV, JSON and XML. */
#ifndef RETOUR_REPORT_LAYOUT_MTR_H
#define RETOUR_REPORT_LAYOUT_MTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"
#include "path/series.h"

#define MTR_FIELDS_MAX	 32
#define MTR_FIELDS_USUAL "LS NABWV"

/* One who answered; `text` is its name, its address, or both, as the user wants it. */
struct mtr_host {
	char text[300];
	uint32_t asn; /* 0 = unknown */
};

struct mtr_row {
	unsigned ttl, sent;
	struct series series;
	const struct mtr_host *hosts; /* the one that answered last comes first; none = nobody answered */
	size_t host_count;
};

struct mtr_report {
	const char *source, *target; /* names */
	int64_t started_wall_ns;
	unsigned tos, size, cycles;
	const char *fields; /* letters of MTR_FIELDS_USUAL and their like */
	bool wide, origins;
	const struct mtr_row *rows;
	size_t row_count;
};

/* 0, or the first letter that is no field. */
char mtr_unknown_field(const char *fields);
/* When it began. */
void layout_mtr_start(FILE *out, int64_t wall_ns);
void layout_mtr_report(FILE *out, const struct mtr_report *report);
void layout_mtr_csv(FILE *out, const struct mtr_report *report);
void layout_mtr_xml(FILE *out, const struct mtr_report *report);
/* 0 or -ENOMEM. */
int layout_mtr_json(FILE *out, const struct mtr_report *report) MUST_USE;

#endif
