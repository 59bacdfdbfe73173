/* JSON from looking glasses, read leniently. */
#ifndef RETOUR_REVERSE_LG_JSON_H
#define RETOUR_REVERSE_LG_JSON_H

#include <jansson.h>

#include "reverse/lg.h"

/* The reply as JSON; NULL: it is none. A reference of the caller's. */
json_t *lg_json(const struct lg_reply *reply);
/* A string in an object; NULL: there is none. Borrowed. */
const char *lg_json_text(const json_t *object, const char *key);
/* What was no JSON: an error by its HTTP status and words. */
enum lg_turn lg_fail_no_json(struct lg_talk *talk, const struct lg_reply *reply);
/* What a looking glass calls the output: a text, lines, or data, which stay JSON. Where it is HTML tags are
 * taken out. */
enum lg_turn lg_answer_json(struct lg_talk *talk, const json_t *output);

#endif
