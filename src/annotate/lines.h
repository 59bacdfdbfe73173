/* Text files from outside, a line and a field at a time: mapped, never copied, never NUL-terminated. */
#ifndef RETOUR_ANNOTATE_LINES_H
#define RETOUR_ANNOTATE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

/* A piece of somebody's text; borrowed. */
struct text {
	const char *start;
	size_t length;
};

/* The bytes of a file. */
struct file_bytes {
	const char *start;
	size_t length;
	int64_t changed_s; /* since 1970 */
};

/* 0 or negative errno: -ENOENT when there is no such file, -EFBIG when it has more than `most` bytes. */
int file_map(struct file_bytes *bytes, const char *path, size_t most, struct error *error) MUST_USE;
void file_unmap(struct file_bytes *bytes);

/* Cut the next line off `rest`; false at the end. The line has neither its newline nor a carriage return. */
bool line_next(struct text *rest, struct text *line);
/* Nothing but blanks, or a comment ('#'). */
bool line_is_idle(struct text line);
/* The line that holds the byte at `position`; `whole` tells whether its newline is there. */
struct text line_at(struct text all, size_t position, bool *whole);
/* Field `index` (from 0) between separators; false when there are fewer. */
bool text_field(struct text line, char separator, unsigned index, struct text *field);
/* All fields, at most `most`; returns how many there are, `most` + 1 when there are more. */
unsigned text_split(struct text line, char separator, struct text *fields, unsigned most);
bool text_copy(struct text text, char *out, size_t size);
/* Digits only. */
bool text_number(struct text text, uint32_t most, uint32_t *value);
bool text_addr(struct text text, struct addr *addr);
/* AS numbers as in pfx2as: "64500", several origins "64500_64501", an AS set "64500,64501". Returns how many
 * are in `asns` (each once, at most `most`), 0 when it is not such a list. */
unsigned text_origins(struct text text, uint32_t *asns, unsigned most);

#endif
