#include "cli/values.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

bool value_number(const char *text, unsigned long low, unsigned long high, unsigned *value)
{
	char *end;
	errno = 0;
	unsigned long n = strtoul(text, &end, 0);
	if (errno || end == text || *end || n < low || n > high || text[0] == '-')
		return false;
	*value = (unsigned)n;
	return true;
}

bool value_decimal(const char *text, double low, double high, double *value)
{
	char *end;
	*value = strtod(text, &end);
	return end != text && !*end && isfinite(*value) && *value >= low && *value <= high;
}
