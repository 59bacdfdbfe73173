/* Other programs' output, its dialect found out: detection, the cleaner, trials. */
#include "import_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_import(data, size, NULL);
	return 0;
}
