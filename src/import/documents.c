#include "import/documents.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "path/model.h"

#define FAILURES_MAX 16 /* what is not JSON is not looked at for long */

static int keep(json_t *documents, json_t *value)
{
	size_t i;
	json_t *element;
	if (json_is_object(value))
		return json_array_append(documents, value);
	json_array_foreach(value, i,
		element) if (json_is_object(element) && json_array_append(documents, element) < 0) return -1;
	return 0;
}

json_t *documents_read(const uint8_t *bytes, size_t length)
{
	json_t *documents = json_array();
	unsigned failures = 0;
	for (size_t at = 0; documents && at < length && failures < FAILURES_MAX;) {
		if (strchr(" \t\r\n", bytes[at]) ||
			bytes[at] == 0x1e) { /* RFC 7464: a separator of records */
			at++;
			continue;
		}
		json_t *value = NULL;
		json_error_t error;
		if (bytes[at] == '{' || bytes[at] == '[')
			value = json_loadb(
				(const char *)bytes + at, length - at, JSON_DISABLE_EOF_CHECK, &error);
		if (value) {
			at += (size_t)MAX(error.position, 1);
			if (keep(documents, value) < 0) {
				json_decref(documents);
				documents = NULL;
			}
			json_decref(value);
			continue;
		}
		failures += bytes[at] == '{' || bytes[at] == '[';
		const uint8_t *end = memchr(bytes + at, '\n', length - at);
		at = end ? (size_t)(end - bytes) : length;
	}
	return documents;
}

const char *member_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

double member_number(const json_t *object, const char *key, double missing)
{
	const json_t *value = json_object_get(object, key);
	if (json_is_number(value))
		return json_number_value(value);
	const char *text = json_string_value(value);
	char *end = NULL;
	double number = text ? strtod(text, &end) : NAN;
	return text && end != text && isfinite(number) ? number : missing;
}

int member_int(const json_t *object, const char *key, int missing)
{
	double value = member_number(object, key, missing);
	return value >= -1e9 && value <= 1e9 ? (int)value : missing;
}

int64_t member_ms(const json_t *object, const char *key)
{
	double value = member_number(object, key, -1);
	return value >= 0 && value < 1e9 ? llround(value * (double)NS_PER_MS) : RTT_NONE;
}

struct addr member_address(const json_t *object, const char *key)
{
	const char *text = member_text(object, key);
	struct addr address;
	return text && addr_parse(text, &address) ? address : ADDR_NONE;
}
