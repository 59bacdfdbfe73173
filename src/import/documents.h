/* JSON from outside, inside import/: documents one after another, and members that may be of any type. */
#ifndef RETOUR_IMPORT_DOCUMENTS_H
#define RETOUR_IMPORT_DOCUMENTS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"

/* Every object that begins a line, or stands in an array that does, whatever else is around (log lines,
 * prompts). Returns a new array, NULL when memory is out. */
json_t *documents_read(const uint8_t *bytes, size_t length) MUST_USE;

/* NULL where it is missing or no text. */
const char *member_text(const json_t *object, const char *key);
/* A number, or a text that is one; `missing` for all else. */
double member_number(const json_t *object, const char *key, double missing);
int member_int(const json_t *object, const char *key, int missing);
/* Milliseconds, as nanoseconds; RTT_NONE. */
int64_t member_ms(const json_t *object, const char *key);
struct addr member_address(const json_t *object, const char *key);

#endif
