/* The result of a reverse traceroute without cooperation, as a coordinator tells it in JSON (docs/revtr.md).
 */
#ifndef RETOUR_REVERSE_REVTR_RESULT_H
#define RETOUR_REVERSE_REVTR_RESULT_H

#include <stddef.h>

#include "base/compiler.h"
#include "path/model.h"

/* The way back as a path of the model, to be freed; NULL: not such a text, or out of memory. */
struct path *revtr_result_path(const char *text, size_t length) MUST_USE;

#endif
