#include "base/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

int library_load(const char *file, const char *package, const struct library_symbol *symbols, size_t count,
	struct error *error)
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return error_set(error, -ENOENT, "cannot load %s: install %s", file, package);
	for (size_t i = 0; i < count; i++) {
		void *address = dlsym(library, symbols[i].name);
		if (!address)
			return error_set(error, -ENOENT, "%s has no %s: install a newer %s", file,
				symbols[i].name, package);
		/* POSIX: the representations of the two kinds of pointers are the same. */
		memcpy(symbols[i].function, &address, sizeof(address));
	}
	return 0;
}
