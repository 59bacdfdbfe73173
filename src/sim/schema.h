/* Shorthand for libcyaml schemas; only the files that hold one include this. */
#ifndef RETOUR_SIM_SCHEMA_H
#define RETOUR_SIM_SCHEMA_H

#include <cyaml/cyaml.h>

#define OPT  CYAML_FLAG_OPTIONAL
#define PTR  CYAML_FLAG_POINTER
#define POPT (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define WORD (CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT)

#define TEXT(key, flags, type, member) CYAML_FIELD_STRING_PTR(key, flags, type, member, 1, CYAML_UNLIMITED)
#define LIST(key, flags, type, member, entry)                                                                \
	CYAML_FIELD_SEQUENCE(key, flags, type, member, entry, 0, CYAML_UNLIMITED)

/* Not CYAML_FIELD_BOOL: to that, every word it does not know is true. */
extern const cyaml_strval_t flag_words[2]; /* behaviour_file.c */
#define FLAG(key, type, member) CYAML_FIELD_ENUM(key, WORD, type, member, flag_words, 2)

/* behaviour_file.c: of enum refusal, struct file_behaviour and struct file_queue */
#define REFUSAL_WORD_COUNT 19
extern const cyaml_strval_t refusal_words[REFUSAL_WORD_COUNT];
extern const cyaml_schema_field_t behaviour_fields[];
extern const cyaml_schema_field_t queue_fields[];

#endif
