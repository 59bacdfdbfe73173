/* What other programs printed, as measurements: traceroutes of every make, text, JSON and binary.
 *
 * Lenient and bounded: what cannot be read is left out and said so (`partial`, `note`), never guessed and
 * never a reason to fail. Names are as they came, that is, untrusted. Every trace is a plain forward trace of
 * whoever ran it; callers who know better (a looking glass, ssh) set technique and direction themselves. */
#ifndef RETOUR_IMPORT_IMPORT_H
#define RETOUR_IMPORT_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/error.h"
#include "path/model.h"

#define IMPORT_TEXT_MAX	  (64 * 1024)	    /* of text, more is left out */
#define IMPORT_DATA_MAX	  (4 * 1024 * 1024) /* of anything, more is refused */
#define IMPORT_TRACES_MAX 4096
#define IMPORT_NOTE_SIZE  160

struct import_hints {
	const char *dialect;	 /* one of import_dialect_name(), NULL: find out */
	struct addr destination; /* for dialects that do not say it; none: not known */
};

struct imported {
	struct measurement measurement; /* `forward` is set, but in our own documents */
	const char *dialect;		/* static */
	bool partial;			/* less than the whole trace was there, or could be read */
	char note[IMPORT_NOTE_SIZE];	/* why, for a person; "" = nothing to say */
};

struct import {
	struct imported *traces; /* in the order of the input */
	size_t count;
	bool partial; /* something of the input as a whole was left out, or nothing was recognised */
	char note[IMPORT_NOTE_SIZE];
};

/* `hints` may be NULL. Fills `import`, which needs no initialisation and is to be deinitialised after success
 * only. No trace at all is a success with none. Returns 0, -EINVAL for a dialect nobody knows, -E2BIG, or
 * -ENOMEM. */
int import_read(const void *bytes, size_t length, const struct import_hints *hints, struct import *import,
	struct error *error) MUST_USE;
void import_deinit(struct import *import);
/* The dialects by index, NULL after the last. */
const char *import_dialect_name(size_t index);

#endif
