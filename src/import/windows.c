#include "import/windows.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "import/text.h"

bool windows_time(const char **at, int64_t *rtt_ns)
{
	const char *p = text_skip(*at);
	if (*p == '<')
		p = text_skip(p + 1);
	int value = text_count(&p);
	if (value < 0 || (*p && *p != ' ' && !isalpha((unsigned char)*p) && (unsigned char)*p < 0x80))
		return false;
	p = text_skip(p);
	/* The unit has no digits and no dots, or it is a name already. */
	size_t unit = strcspn(p, " *<[0123456789.-:");
	if (unit == 0 || (p[unit] && p[unit] != ' '))
		return false;
	*at = p + unit;
	*rtt_ns = value * NS_PER_MS;
	return true;
}

const char *windows_target(const char *text, struct addr *address, char name[static LEX_NAME_SIZE])
{
	const char *before = NULL;
	size_t before_length = 0;
	name[0] = '\0';
	for (const char *at = text_skip(text); *at;) {
		size_t length = strcspn(at, " ");
		if (lex_address(at, length, address)) {
			if (*at == '[' && before)
				lex_copy(name, LEX_NAME_SIZE, before, before_length);
			return at + length;
		}
		before = at;
		before_length = length;
		at = text_skip(at + length);
	}
	return NULL;
}

int windows_number(const char *text)
{
	for (const char *at = text_skip(text); *at; at = text_skip(at + strcspn(at, " "))) {
		const char *end = at;
		int value = text_count(&end);
		if (value >= 0 && (*end == ' ' || *end == '\0' || (unsigned char)*end >= 0x80))
			return value;
	}
	return -1;
}
