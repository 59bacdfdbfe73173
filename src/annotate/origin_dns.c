#include "annotate/origin_dns.h"

#include <stdio.h>
#include <string.h>

static struct text trimmed(struct text text)
{
	while (text.length > 0 && text.start[0] == ' ') {
		text.start++;
		text.length--;
	}
	while (text.length > 0 && text.start[text.length - 1] == ' ')
		text.length--;
	return text;
}

static bool column(struct text record, unsigned index, struct text *value)
{
	bool there = text_field(record, '|', index, value);
	if (there)
		*value = trimmed(*value);
	return there;
}

bool origin_dns_name(struct addr addr, const char *zone, char name[static ORIGIN_DNS_NAME_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[16];
	char labels[65];
	size_t used = 0;
	addr_to_bytes(addr, bytes);
	if (addr.family == 4)
		used = (size_t)snprintf(
			labels, sizeof(labels), "%u.%u.%u.%u.", bytes[3], bytes[2], bytes[1], bytes[0]);
	else
		for (int i = 15; i >= 0; i--) {
			labels[used++] = digits[bytes[i] & 15];
			labels[used++] = '.';
			labels[used++] = digits[bytes[i] >> 4];
			labels[used++] = '.';
		}
	labels[used] = '\0';
	int length = snprintf(
		name, ORIGIN_DNS_NAME_SIZE, "%sorigin%s.%s", labels, addr.family == 6 ? "6" : "", zone);
	return length > 0 && length < ORIGIN_DNS_NAME_SIZE;
}

static void add_asn(struct origin *origin, uint32_t asn)
{
	for (unsigned i = 0; i < origin->count; i++)
		if (origin->asns[i] == asn)
			return;
	if (origin->count < ORIGINS_MAX && asn != 0)
		origin->asns[origin->count++] = asn;
}

bool origin_dns_read(struct text record, struct addr addr, struct origin *origin)
{
	struct text numbers, field, number;
	char copy[PREFIX_TEXT_SIZE];
	struct prefix prefix;
	uint32_t asn;
	*origin = (struct origin){0};
	if (!column(record, 0, &numbers) || !column(record, 1, &field) ||
		!text_copy(field, copy, sizeof(copy)) || !prefix_parse(copy, &prefix) ||
		!prefix_contains(prefix, addr))
		return false;
	origin->length = prefix.length;
	for (unsigned i = 0; text_field(numbers, ' ', i, &number); i++)
		if (text_number(number, UINT32_MAX, &asn))
			add_asn(origin, asn);
		else if (number.length > 0)
			return false;
	if (column(record, 2, &field) && field.length == 2)
		text_copy(field, origin->country, sizeof(origin->country));
	return origin->count > 0;
}

bool origin_dns_read_as(struct text record, uint32_t asn, char *name, size_t size)
{
	struct text number, field;
	uint32_t found;
	if (!column(record, 0, &number) || !text_number(number, UINT32_MAX, &found) || found != asn ||
		!column(record, 4, &field))
		return false;
	/* The country is there already. */
	if (field.length > 4 && field.start[field.length - 4] == ',' && field.start[field.length - 3] == ' ')
		field.length -= 4;
	field.length = MIN(field.length, size - 1);
	return field.length > 0 && text_copy(field, name, size);
}
