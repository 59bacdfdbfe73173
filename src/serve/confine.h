/* Where the process may still write files. */
#ifndef RETOUR_SERVE_CONFINE_H
#define RETOUR_SERVE_CONFINE_H

#include "base/compiler.h"
#include "base/error.h"

/* From now on files are written, made and removed in this folder only, whatever this user may do elsewhere,
 * and no program is started (Landlock). A kernel before Linux 5.13, or one without Landlock, lets it be: 0
 * all the same. */
int confine_writing(const char *folder, struct error *error) MUST_USE;

#endif
