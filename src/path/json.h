/* A measurement as the `retour/1` document, and back (docs/schema/retour-1.schema.json). */
#ifndef RETOUR_PATH_JSON_H
#define RETOUR_PATH_JSON_H

#include <jansson.h>

#include "base/error.h"
#include "path/directions.h"
#include "path/model.h"

/* A new reference, NULL when memory is out. Every key of the contract is there; what is unknown is null. Text
 * that is not UTF-8 has its wrong bytes written as \xHH. */
json_t *measurement_to_json(const struct measurement *measurement) MUST_USE;
/* The document as text, ASCII only (a terminal is safe from what the network put into names); `free` it. */
char *measurement_to_text(const struct measurement *measurement) MUST_USE;

/* The same in one line. */
char *measurement_to_line(const struct measurement *measurement) MUST_USE;

/* An element of a hop's "probes" alone. */
json_t *probe_result_to_json(const struct probe_result *probe) MUST_USE;
/* The member "directions" alone. */
json_t *directions_to_json(const struct directions *directions) MUST_USE;

/* Strict about the types and words of members it knows, deaf to those it does not know; missing members are
 * unknown. Any input is safe. Fills `measurement`, which needs no initialisation and is to be deinitialised
 * after success only. Returns 0, -EINVAL with the place in `error`, or -ENOMEM. */
int measurement_from_json(
	const json_t *document, struct measurement *measurement, struct error *error) MUST_USE;
int measurement_from_text(
	const char *text, size_t length, struct measurement *measurement, struct error *error) MUST_USE;

#endif
