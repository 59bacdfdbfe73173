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

struct dialect {
	const char *name;
	/* By what only this dialect has: 0 no, 100 certain. NULL: told by trial only. */
	int (*score)(const struct source *source, const char *dialect);
	/* Never fails for what the input says; bounds, memory and notes are in `build`. */
	void (*read)(struct build *build, const struct source *source);
	bool trial; /* text without a header may be tried with it */
};

/* classic.c: a hop limit, responders, times. */
int classic_score(const struct source *source, const char *dialect);
void classic_read(struct build *build, const struct source *source);

#endif
