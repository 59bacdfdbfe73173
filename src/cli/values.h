/* Values of options, from text: all of it, and within bounds. */
#ifndef RETOUR_CLI_VALUES_H
#define RETOUR_CLI_VALUES_H

#include <stdbool.h>

/* A whole number, also as 0x...; false: it is none. */
bool value_number(const char *text, unsigned long low, unsigned long high, unsigned *value);
bool value_decimal(const char *text, double low, double high, double *value);

#endif
