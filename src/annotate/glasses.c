#include "annotate/glasses.h"

#include <string.h>

static void take(struct text line, unsigned index, char *out, size_t size)
{
	struct text field;
	out[0] = '\0';
	if (text_field(line, '\t', index, &field) && field.length < size) {
		memcpy(out, field.start, field.length);
		out[field.length] = '\0';
	}
}

bool glasses_find(struct text file, uint32_t asn, struct glass *glass)
{
	size_t low = 0, high = file.length;
	while (low < high) {
		bool whole;
		struct text line = line_at(file, low + (high - low) / 2, &whole), field;
		size_t start = (size_t)(line.start - file.start);
		uint32_t number;
		if (!text_field(line, '\t', 0, &field) || !text_number(field, UINT32_MAX, &number))
			return false;
		if (asn < number) {
			high = start;
		} else if (asn > number) {
			low = MIN(start + line.length + 1, high);
		} else {
			take(line, 1, glass->network, sizeof(glass->network));
			take(line, 2, glass->looking_glass, sizeof(glass->looking_glass));
			take(line, 3, glass->route_server, sizeof(glass->route_server));
			return whole;
		}
	}
	return false;
}
