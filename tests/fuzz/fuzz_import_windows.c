/* tracert and pathping. */
#include "import_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const dialects[] = {"tracert", "pathping"};
	for (size_t i = 0; i < ARRAY_LEN(dialects); i++)
		check_import(data, size, dialects[i]);
	return 0;
}
