/* What a dialect is, inside import/. */
#ifndef RETOUR_IMPORT_DIALECT_H
#define RETOUR_IMPORT_DIALECT_H

#include <jansson.h>

#include "import/build.h"
#include "import/text.h"

/* The input in the forms that readers ask for. */
struct source {
	const uint8_t *bytes; /* as it came */
	size_t length;
	struct text text;  /* cleaned; no lines when the input is longer than text may be, or binary */
	json_t *documents; /* an array of all JSON values in it, in order */
};

enum form {
	FORM_DATA, /* JSON, XML, binary */
	FORM_TEXT,
	FORM_TRIAL, /* text that may be tried where nothing tells its dialect */
};

struct dialect {
	const char *name;
	/* By what only this dialect has: 0 no, 100 certain. NULL: told by trial only. */
	int (*score)(const struct source *source, const char *dialect);
	/* Never fails for what the input says; bounds, memory and notes are in `build`. */
	void (*read)(struct build *build, const struct source *source);
	enum form form;
};

/* classic.c: a hop limit, responders, times. */
int classic_score(const struct source *source, const char *dialect);
void classic_read(struct build *build, const struct source *source);
/* One file each (mtr_json and mtr_csv: mtr_data.c). */
int atlas_score(const struct source *source, const char *dialect);
void atlas_read(struct build *build, const struct source *source);
int globalping_score(const struct source *source, const char *dialect);
void globalping_read(struct build *build, const struct source *source);
int scamper_score(const struct source *source, const char *dialect);
void scamper_read(struct build *build, const struct source *source);
int warts_score(const struct source *source, const char *dialect);
void warts_read(struct build *build, const struct source *source);
int mtr_report_score(const struct source *source, const char *dialect);
void mtr_report_read(struct build *build, const struct source *source);
int mtr_json_score(const struct source *source, const char *dialect);
void mtr_json_read(struct build *build, const struct source *source);
int mtr_csv_score(const struct source *source, const char *dialect);
void mtr_csv_read(struct build *build, const struct source *source);
int mtr_xml_score(const struct source *source, const char *dialect);
void mtr_xml_read(struct build *build, const struct source *source);
int mtr_raw_score(const struct source *source, const char *dialect);
void mtr_raw_read(struct build *build, const struct source *source);
int tracepath_score(const struct source *source, const char *dialect);
void tracepath_read(struct build *build, const struct source *source);
int tracert_score(const struct source *source, const char *dialect);
void tracert_read(struct build *build, const struct source *source);
int pathping_score(const struct source *source, const char *dialect);
void pathping_read(struct build *build, const struct source *source);
int routeros_score(const struct source *source, const char *dialect);
void routeros_read(struct build *build, const struct source *source);
int own_score(const struct source *source, const char *dialect);
void own_read(struct build *build, const struct source *source);

#endif
