#include "annotate/relations.h"

bool relations_provides(struct text file, uint32_t provider, uint32_t customer)
{
	size_t low = 0, high = file.length;
	while (low < high) {
		bool whole;
		struct text line = line_at(file, low + (high - low) / 2, &whole), kind, fields[2];
		size_t start = (size_t)(line.start - file.start);
		uint32_t a, b;
		if (!text_field(line, '|', 0, &fields[0]) || !text_number(fields[0], UINT32_MAX, &a) ||
			!text_field(line, '|', 1, &fields[1]) || !text_number(fields[1], UINT32_MAX, &b))
			return false;
		if (provider < a || (provider == a && customer < b))
			high = start;
		else if (provider > a || customer > b)
			low = MIN(start + line.length + 1, high);
		else
			return text_field(line, '|', 2, &kind) && kind.length == 2 && kind.start[0] == '-' &&
				kind.start[1] == '1';
	}
	return false;
}
