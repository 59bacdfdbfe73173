/* Parts of the schema of worlds that more than one file has. */
#ifndef RETOUR_SIM_SCHEMA_H
#define RETOUR_SIM_SCHEMA_H

#include "base/yaml.h"

/* behaviour_file.c: of enum refusal, struct file_behaviour and struct file_queue */
#define REFUSAL_WORD_COUNT 19
extern const cyaml_strval_t refusal_words[REFUSAL_WORD_COUNT];
extern const cyaml_schema_field_t behaviour_fields[];
extern const cyaml_schema_field_t queue_fields[];

#endif
