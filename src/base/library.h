/* Shared libraries that few runs need, loaded by those that do: what is linked is paid for by every start of
 * the program, and a trace takes less time than some libraries take to load. */
#ifndef RETOUR_BASE_LIBRARY_H
#define RETOUR_BASE_LIBRARY_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"

struct library_symbol {
	const char *name;
	void *function; /* the address of the function pointer to set */
};

/* Load `file` (a SONAME) for the rest of the process and set the pointers. 0, or -ENOENT with what to
 * install: `package` is Debian's. Called again it does the same again. */
int library_load(const char *file, const char *package, const struct library_symbol *symbols, size_t count,
	struct error *error) MUST_USE;

#endif
