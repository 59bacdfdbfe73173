/* YAML files read by a schema of libcyaml, with messages that name the line and what would have been right.
 *
 * libcyaml reports a mistake through its log: one line that says what, then a backtrace, innermost first, of
 * "in mapping field 'x' (line: L, column: C)". We keep the first line, the first line number, and the field
 * names, which lead through the schema to the keys or words that were allowed.
 *
 * Only files that hold a schema include this: it has short names for what they are full of. (libyaml itself
 * has a yaml_free, and would call ours.) */
#ifndef RETOUR_BASE_YAML_H
#define RETOUR_BASE_YAML_H

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"

#define OPT  CYAML_FLAG_OPTIONAL
#define PTR  CYAML_FLAG_POINTER
#define POPT (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define WORD (CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT)

#define TEXT(key, flags, type, member) CYAML_FIELD_STRING_PTR(key, flags, type, member, 1, CYAML_UNLIMITED)
#define LIST(key, flags, type, member, entry)                                                                \
	CYAML_FIELD_SEQUENCE(key, flags, type, member, entry, 0, CYAML_UNLIMITED)

/* Not CYAML_FIELD_BOOL: to that, every word it does not know is true. */
extern const cyaml_strval_t flag_words[2];
#define FLAG(key, type, member) CYAML_FIELD_ENUM(key, WORD, type, member, flag_words, 2)
/* For a LIST of texts, which is a char **. */
extern const cyaml_schema_value_t string_entry;

struct yaml_text {
	const char *name; /* of the file, for messages only */
	const char *text; /* ends with a NUL that `length` does not count */
	size_t length;
};

struct yaml_mistake {
	unsigned line; /* 0 = not known */
	bool not_yaml; /* the text is no YAML, from there on or from before it */
};

/* 0, and *data is NULL when there is nothing in it; yaml_text_free gives it back. On failure -EINVAL,
 * "NAME:LINE: what is wrong, what was expected", and the mistake where that is not NULL; or -ENOMEM. */
int yaml_text_read(const struct yaml_text *yaml, const cyaml_schema_value_t *schema, void **data,
	struct yaml_mistake *mistake, struct error *error) MUST_USE;
void yaml_text_free(const cyaml_schema_value_t *schema, void *data);

/* The line on which entry number `entry` (from 0) of the top-level list `section` mentions `word`, or begins
 * when `word` is NULL or not there. Where the entries do not have lines of their own the whole section
 * counts. 0 when there is no such section. */
unsigned yaml_text_line(const struct yaml_text *yaml, const char *section, unsigned entry, const char *word);

#endif
