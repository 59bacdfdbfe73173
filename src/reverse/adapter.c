#include "reverse/adapter.h"

#include <errno.h>

int adapter_load(struct adapter **adapter, const char *file, struct error *error)
{
	*adapter = NULL;
	return error_set(error, -ENOSYS, "%s: not yet", file ? file : "");
}

void adapter_free(struct adapter *adapter)
{
	(void)adapter;
}
