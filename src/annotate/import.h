/* Installing data: checked whole, then put in place at once. */
#ifndef RETOUR_ANNOTATE_IMPORT_H
#define RETOUR_ANNOTATE_IMPORT_H

#include "annotate/data.h"

struct import_result {
	enum source_kind kind;
	size_t entries;
	int64_t changed_s; /* how old the data is: when its file changed, or was built */
};

/* Check `path` and install what is in it into `dir` (NULL = data_dir(); made if need be), in place of what
 * was there of the same kind. Negative errno: nothing was changed. */
int data_import(
	const char *dir, const char *path, struct import_result *result, struct error *error) MUST_USE;

#endif
