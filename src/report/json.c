#include "report/json.h"

#include <errno.h>
#include <stdlib.h>

#include "path/json.h"

int report_json(FILE *out, const struct measurement *measurement)
{
	char *text = measurement_to_text(measurement);
	if (!text)
		return -ENOMEM;
	bool ok = fputs(text, out) >= 0 && fputc('\n', out) >= 0 && fflush(out) == 0;
	free(text);
	return ok ? 0 : -EIO;
}
