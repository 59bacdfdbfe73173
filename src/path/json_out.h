/* Pieces of which documents are made; inside path/.
 *
 * jansson's constructors and json_object_set_new both accept the NULL that an earlier failure left behind,
 * and then fail themselves; `struct out` remembers that anything failed, so writers run straight through. */
#ifndef RETOUR_PATH_JSON_OUT_H
#define RETOUR_PATH_JSON_OUT_H

#include <jansson.h>
#include <stdbool.h>

#include "path/model.h"
#include "path/words.h"

struct out {
	bool bad;
};

void out_set(struct out *out, json_t *object, const char *key, json_t *value);
void out_append(struct out *out, json_t *array, json_t *value);

/* New references; NULL when memory is out. What is unknown is null. */
json_t *out_text(const char *value);	     /* its bytes that are not UTF-8 as \xHH */
json_t *out_text_or_null(const char *value); /* text whose emptiness means that there is none */
json_t *out_word(const struct word_table *table, int value);
json_t *out_address(struct addr addr);
json_t *out_wall_time(int64_t wall_ns);
json_t *out_milliseconds(int64_t ns);
json_t *out_known_if(bool known, int64_t value);
json_t *out_known(int value); /* negative = unknown */

/* One direction, or null. */
json_t *path_to_json(struct out *out, const struct path *path);

#endif
