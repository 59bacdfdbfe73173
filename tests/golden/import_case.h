#ifndef RETOUR_TESTS_IMPORT_CASE_H
#define RETOUR_TESTS_IMPORT_CASE_H

#include "import/import.h"

/* Everything that was read, a line a hop. */
void import_case_write(const struct import *import, char *text, size_t size);

#endif
