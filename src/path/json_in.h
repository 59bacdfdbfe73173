/* Typed members of JSON objects from outside, inside path/.
 *
 * Like the byte cursor it has a sticky error: after the first mistake everything yields what stands for
 * "missing", and the reader asks for `status` once. A member that is missing or null is no mistake. */
#ifndef RETOUR_PATH_JSON_IN_H
#define RETOUR_PATH_JSON_IN_H

#include <jansson.h>

#include "base/error.h"
#include "path/model.h"
#include "path/words.h"

struct in {
	int status;
	char where[80]; /* the part being read, for the message; "" = the document */
	struct error *error;
};

/* The first mistake: fills `error` with the place and what was expected there. Both return false. */
bool in_wrong(struct in *in, const char *key, const char *expected);
bool in_no_memory(struct in *in);
/* NULL where it is missing, null or, for the second, something else than an object. */
const json_t *in_member(struct in *in, const json_t *object, const char *key);
const json_t *in_object_member(struct in *in, const json_t *object, const char *key);
/* `size` is 0 where it is missing; more than `max` elements are a mistake. */
const json_t *in_array_member(struct in *in, const json_t *object, const char *key, size_t max, size_t *size);
/* Borrowed; a NUL inside is a mistake, since it would cut the text short. NULL where it is missing. */
const char *in_string_of(struct in *in, const json_t *value, const char *key);
const char *in_string_member(struct in *in, const json_t *object, const char *key);
/* For the caller to free. */
char *in_copy_member(struct in *in, const json_t *object, const char *key);
/* Into `out`, which stays as it is where the member is missing. */
void in_fixed_member(struct in *in, const json_t *object, const char *key, char *out, size_t size);
/* 0 to max; `missing` where it is missing. */
int64_t in_integer_of(struct in *in, const json_t *value, const char *key, int64_t max, int64_t missing);
int64_t in_integer_member(struct in *in, const json_t *object, const char *key, int64_t max, int64_t missing);
/* Not negative. */
double in_number_member(struct in *in, const json_t *object, const char *key, double missing);
/* A number of milliseconds, as nanoseconds. */
int64_t in_ms_member(struct in *in, const json_t *object, const char *key, int64_t missing);
bool in_bool_member(struct in *in, const json_t *object, const char *key);
struct addr in_address_of(struct in *in, const json_t *value, const char *key);
struct addr in_address_member(struct in *in, const json_t *object, const char *key);
/* The enum value of one of the table's words. */
int in_word_member(
	struct in *in, const json_t *object, const char *key, const struct word_table *table, int missing);
/* RFC 3339 UTC, as nanoseconds since 1970; 0 where it is missing. */
int64_t in_time_member(struct in *in, const json_t *object, const char *key);

#endif
