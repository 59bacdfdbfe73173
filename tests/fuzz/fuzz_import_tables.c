/* Rows and columns: mtr's text forms, RouterOS, tracepath. */
#include "import_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const dialects[] = {"mtr-report", "mtr-csv", "mtr-raw", "routeros", "tracepath"};
	for (size_t i = 0; i < ARRAY_LEN(dialects); i++)
		check_import(data, size, dialects[i]);
	return 0;
}
