/* Text from terminals, pagers and web pages as plain lines. */
#ifndef RETOUR_IMPORT_TEXT_H
#define RETOUR_IMPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct text {
	char *bytes;	    /* the lines, each NUL-terminated */
	const char **lines; /* without line ends; control characters are gone, tabs are blanks */
	size_t count;
	bool cut; /* there was more than the bound */
};

/* Carriage returns, NULs, backspaces, terminal escapes, what pagers say, HTML tags and entities are taken out
 * here, and nowhere else. Returns 0 or -ENOMEM. */
int text_init(struct text *text, const uint8_t *bytes, size_t length) MUST_USE;
void text_deinit(struct text *text);

/* Past blanks. */
const char *text_skip(const char *at);
/* Does the line begin with these words? Any case, any number of blanks before. NULL, or what follows. */
const char *text_begins(const char *line, const char *words);
/* Where in the text `needle` is, in any line; NULL: nowhere. */
const char *text_find(const struct text *text, const char *needle);
/* A number of one to nine digits; moves past it. -1: none. */
int text_count(const char **at);

#endif
