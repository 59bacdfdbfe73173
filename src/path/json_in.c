#include "path/json_in.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

bool in_wrong(struct in *in, const char *key, const char *expected)
{
	if (in->status == 0)
		in->status = error_set(in->error, -EINVAL, "retour/1 document: %s%s%s: expected %s",
			in->where, *in->where ? "." : "", key, expected);
	return false;
}

bool in_no_memory(struct in *in)
{
	if (in->status == 0)
		in->status = error_set(in->error, -ENOMEM, "out of memory");
	return false;
}

/* The member, or NULL where it is missing or null. */
const json_t *in_member(struct in *in, const json_t *object, const char *key)
{
	const json_t *value = in->status == 0 ? json_object_get(object, key) : NULL;
	return json_is_null(value) ? NULL : value;
}

const json_t *in_object_member(struct in *in, const json_t *object, const char *key)
{
	const json_t *value = in_member(in, object, key);
	if (value && !json_is_object(value))
		in_wrong(in, key, "an object or null");
	return json_is_object(value) ? value : NULL;
}

/* An array of objects, numbers or texts; its size is 0 where it is missing. */
const json_t *in_array_member(struct in *in, const json_t *object, const char *key, size_t max, size_t *size)
{
	const json_t *value = in_member(in, object, key);
	*size = 0;
	if (value && !json_is_array(value))
		in_wrong(in, key, "an array");
	else if (json_array_size(value) > max)
		in_wrong(in, key, "fewer elements");
	else
		*size = json_array_size(value);
	return value;
}

const char *in_string_of(struct in *in, const json_t *value, const char *key)
{
	if (!value)
		return NULL;
	/* A NUL inside would cut the text short without a word. */
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value)) {
		in_wrong(in, key, "text or null");
		return NULL;
	}
	return json_string_value(value);
}

const char *in_string_member(struct in *in, const json_t *object, const char *key)
{
	return in_string_of(in, in_member(in, object, key), key);
}

char *in_copy_member(struct in *in, const json_t *object, const char *key)
{
	const char *value = in_string_member(in, object, key);
	char *copy = value ? strdup(value) : NULL;
	if (value && !copy)
		in_no_memory(in);
	return copy;
}

void in_fixed_member(struct in *in, const json_t *object, const char *key, char *out, size_t size)
{
	const char *value = in_string_member(in, object, key);
	if (value && strlen(value) >= size)
		in_wrong(in, key, "shorter text");
	else if (value)
		memcpy(out, value, strlen(value) + 1);
}

int64_t in_integer_of(struct in *in, const json_t *value, const char *key, int64_t max, int64_t missing)
{
	if (!value)
		return missing;
	if (json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) <= max)
		return json_integer_value(value);
	in_wrong(in, key, "a whole number within its range, or null");
	return missing;
}

int64_t in_integer_member(struct in *in, const json_t *object, const char *key, int64_t max, int64_t missing)
{
	return in_integer_of(in, in_member(in, object, key), key, max, missing);
}

double in_number_member(struct in *in, const json_t *object, const char *key, double missing)
{
	const json_t *value = in_member(in, object, key);
	if (!value)
		return missing;
	double number = json_number_value(value);
	if (json_is_number(value) && number >= 0 && number < 1e12)
		return number;
	in_wrong(in, key, "a number that is not negative, or null");
	return missing;
}

int64_t in_ms_member(struct in *in, const json_t *object, const char *key, int64_t missing)
{
	double ms = in_number_member(in, object, key, -1);
	return ms < 0 ? missing : llround(ms * 1e6);
}

bool in_bool_member(struct in *in, const json_t *object, const char *key)
{
	const json_t *value = in_member(in, object, key);
	if (value && !json_is_boolean(value))
		in_wrong(in, key, "true or false");
	return json_is_true(value);
}

struct addr in_address_of(struct in *in, const json_t *value, const char *key)
{
	struct addr addr = ADDR_NONE;
	const char *value_text = in_string_of(in, value, key);
	if (value_text && !addr_parse(value_text, &addr))
		in_wrong(in, key, "an IPv4 or IPv6 address, or null");
	return addr;
}

struct addr in_address_member(struct in *in, const json_t *object, const char *key)
{
	return in_address_of(in, in_member(in, object, key), key);
}

int in_word_member(
	struct in *in, const json_t *object, const char *key, const struct word_table *table, int missing)
{
	const char *word = in_string_member(in, object, key);
	if (!word)
		return missing;
	int value = word_value(table, word);
	if (value < 0)
		in_wrong(in, key, "one of the words of the schema");
	return value < 0 ? missing : value;
}

/* RFC 3339 in UTC, with or without a fraction of a second. */
int64_t in_time_member(struct in *in, const json_t *object, const char *key)
{
	const char *value = in_string_member(in, object, key);
	if (!value)
		return 0;
	struct tm tm = {0};
	const char *rest = strptime(value, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t fraction_ns = 0;
	if (rest && *rest == '.') {
		int64_t unit = NS_PER_S / 10;
		for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
			fraction_ns += (*rest - '0') * unit;
	}
	if (!rest || strcmp(rest, "Z") != 0 || tm.tm_year < 70 || tm.tm_year > 300) {
		in_wrong(in, key, "a time like 2026-01-31T12:00:00.000000Z, or null");
		return 0;
	}
	return (int64_t)timegm(&tm) * NS_PER_S + fraction_ns;
}
