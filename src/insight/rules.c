/* What the rules share. */
#include "insight/rules.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *hop_label(const struct path *path, size_t index, char label[static HOP_LABEL_SIZE])
{
	const struct hop *hop = &path->hops[index];
	const char *kind = path->direction == DIRECTION_REVERSE ? "return hop" : "hop";
	char address[ADDR_TEXT_SIZE];
	addr_format(hop->address, address);
	if (!addr_is_set(hop->address))
		snprintf(label, HOP_LABEL_SIZE, "%s %d (no answer)", kind, path_hop_number(path, index));
	else if (hop->name)
		snprintf(label, HOP_LABEL_SIZE, "%s %d (%.80s, %s)", kind, path_hop_number(path, index),
			hop->name, address);
	else
		snprintf(label, HOP_LABEL_SIZE, "%s %d (%s)", kind, path_hop_number(path, index), address);
	return label;
}

const char *start_label(const struct path *path)
{
	return path->direction == DIRECTION_REVERSE ? "the far host" : "this host";
}

size_t last_answering(const struct path *path)
{
	for (size_t i = path->hop_count; i > 0; i--)
		if (hop_known(&path->hops[i - 1]))
			return i - 1;
	return path->hop_count;
}

struct interval share_interval(unsigned part, unsigned whole)
{
	if (whole == 0)
		return (struct interval){0, 1};
	const double z = 1.959964; /* 95 %, both sides */
	double n = whole, p = part / n;
	double centre = p + z * z / (2 * n);
	double spread = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
	double scale = 1 + z * z / n;
	double low = (centre - spread) / scale, high = (centre + spread) / scale;
	/* Rounding may leave a trace where the bound is exact. */
	return (struct interval){part == 0 ? 0 : low, part == whole ? 1 : high};
}

void finding_set_text(char **slot, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	free(*slot);
	if (vasprintf(slot, format, arguments) < 0)
		*slot = NULL;
	va_end(arguments);
}

void finding_add_range(struct finding *finding, const struct path *path, size_t first, size_t last)
{
	for (size_t i = first; i <= last && i < path->hop_count; i++)
		finding_add_hop(finding, path_hop_number(path, i));
}
