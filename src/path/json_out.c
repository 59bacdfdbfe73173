#include "path/json_out.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

void out_set(struct out *out, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0)
		out->bad = true;
}

void out_append(struct out *out, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) < 0)
		out->bad = true;
}

/* Length of the well-formed UTF-8 sequence at `s` (RFC 3629 section 4), 0 when there is none. */
static size_t utf8_length(const unsigned char *s)
{
	if (s[0] < 0x80)
		return 1;
	size_t length = s[0] >= 0xc2 && s[0] <= 0xdf ? 2
		: (s[0] & 0xf0) == 0xe0		     ? 3
		: s[0] >= 0xf0 && s[0] <= 0xf4	     ? 4
						     : 0;
	for (size_t i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
	bool surrogate = s[0] == 0xed && s[1] > 0x9f;
	bool beyond = s[0] == 0xf4 && s[1] > 0x8f;
	return overlong || surrogate || beyond ? 0 : length;
}

json_t *out_text(const char *value)
{
	if (!value)
		return json_null();
	static const char digits[] = "0123456789abcdef";
	char *clean = malloc(strlen(value) * 4 + 1);
	if (!clean)
		return NULL;
	size_t used = 0;
	for (const unsigned char *s = (const unsigned char *)value; *s;) {
		size_t length = utf8_length(s);
		if (length > 0) {
			memcpy(clean + used, s, length);
			used += length;
			s += length;
			continue;
		}
		const char escaped[] = {'\\', 'x', digits[*s >> 4], digits[*s & 15]};
		memcpy(clean + used, escaped, sizeof(escaped));
		used += sizeof(escaped);
		s++;
	}
	json_t *result = json_stringn(clean, used);
	free(clean);
	return result;
}

json_t *out_text_or_null(const char *value)
{
	return *value ? out_text(value) : json_null();
}

json_t *out_word(const struct word_table *table, int value)
{
	return out_text(word_text(table, value));
}

json_t *out_address(struct addr addr)
{
	char buffer[ADDR_TEXT_SIZE];
	return addr_is_set(addr) ? json_string(addr_format(addr, buffer)) : json_null();
}

json_t *out_wall_time(int64_t wall_ns)
{
	char buffer[TIME_TEXT_SIZE];
	return wall_ns != 0 ? json_string(clock_format(wall_ns, buffer)) : json_null();
}

json_t *out_milliseconds(int64_t ns)
{
	return ns != RTT_NONE ? json_real(ns_to_ms(ns)) : json_null();
}

json_t *out_known_if(bool known, int64_t value)
{
	return known ? json_integer(value) : json_null();
}

json_t *out_known(int value)
{
	return out_known_if(value >= 0, value);
}
