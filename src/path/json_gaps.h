/* Suspected gaps of a path, in the document: "suspected_gaps":[{"after":N,"before":N,"missing":N}] */
#ifndef RETOUR_PATH_JSON_GAPS_H
#define RETOUR_PATH_JSON_GAPS_H

#include "path/json_in.h"
#include "path/json_out.h"
#include "path/model.h"

json_t *gaps_to_json(struct out *out, const struct path *path);
void gaps_read(struct in *in, const json_t *object, struct path *path);

#endif
