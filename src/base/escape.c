#include "base/escape.h"

#include <stdbool.h>

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '\\';
}

const char *escape_text(const char *text, char *out, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t used = 0;
	for (const char *p = text ? text : ""; *p && size > 0; p++) {
		unsigned char c = (unsigned char)*p;
		if (used + (is_plain(c) ? 1 : 4) >= size)
			break;
		if (is_plain(c)) {
			out[used++] = *p;
		} else {
			out[used++] = '\\';
			out[used++] = 'x';
			out[used++] = digits[c >> 4];
			out[used++] = digits[c & 15];
		}
	}
	if (size > 0)
		out[used] = '\0';
	return out;
}
