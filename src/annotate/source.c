#include "annotate/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annotate/ranges.h"
#include "annotate/source_inside.h"
#include "base/escape.h"

#define MMDB_MARK   "\xab\xcd\xefMaxMind.com"
#define MMDB_TAIL   (128u << 10) /* the mark is within so much of the end */
#define COLUMNS_MAX 5

const char *source_word(enum source_kind kind)
{
	static const char *const words[] = {
		"pfx2as", "iptoasn", "exchange list", "AS relationships", "PeeringDB", "MMDB"};
	return words[kind];
}

void tables_free(struct tables *tables)
{
	for (int i = 0; i < TABLE_COUNT; i++)
		free(tables->text[i]);
	*tables = (struct tables){0};
}

int source_no_room(int code, struct error *error)
{
	if (code == -E2BIG)
		return error_set(error, code, "more entries than any file of this kind has");
	return error_set(error, code, "%s", strerror(-code));
}

int tables_add_ranges(struct tables *tables, enum table table, struct range_list *list, struct error *error)
{
	if (list->count == 0)
		return 0;
	FILE *out = open_memstream(&tables->text[table], &tables->length[table]);
	if (!out)
		return source_no_room(-ENOMEM, error);
	int code = range_list_write(list, out, &tables->entries[table]);
	if (fclose(out) != 0)
		code = -ENOMEM;
	return code < 0 ? source_no_room(code, error) : 0;
}

/* ---- recognising ---- */

static bool is_mmdb(struct text file)
{
	size_t tail = MIN(file.length, MMDB_TAIL);
	return memmem(file.start + file.length - tail, tail, MMDB_MARK, sizeof(MMDB_MARK) - 1) != NULL;
}

static bool starts_with(struct text file, const char *bytes)
{
	size_t length = strlen(bytes);
	return file.length >= length && memcmp(file.start, bytes, length) == 0;
}

/* The first blank of a prefix-and-name line. */
static char separator_of(struct text line)
{
	return memchr(line.start, '\t', line.length)   ? '\t'
		: memchr(line.start, ',', line.length) ? ','
						       : ' ';
}

static bool text_prefix(struct text text, struct prefix *prefix)
{
	char copy[PREFIX_TEXT_SIZE];
	return text_copy(text, copy, sizeof(copy)) && prefix_parse(copy, prefix);
}

static int kind_of_line(struct text line)
{
	struct text fields[COLUMNS_MAX];
	struct addr addr;
	struct prefix prefix;
	uint32_t number;
	if (text_split(line, '\t', fields, COLUMNS_MAX) == 3 && text_addr(fields[0], &addr))
		return SOURCE_PFX2AS;
	if (text_split(line, '\t', fields, COLUMNS_MAX) == 5 && text_addr(fields[0], &addr))
		return SOURCE_IPTOASN;
	unsigned count = text_split(line, '|', fields, COLUMNS_MAX);
	if ((count == 3 || count == 4) && text_number(fields[0], UINT32_MAX, &number))
		return SOURCE_RELATIONS;
	if (text_field(line, separator_of(line), 0, &fields[0]) && text_prefix(fields[0], &prefix))
		return SOURCE_EXCHANGES;
	return -1;
}

static int recognise_text(struct text file, enum source_kind *kind, struct error *error)
{
	char start[41], shown[4 * sizeof(start)];
	struct text rest = file, line = {"", 0};
	while (line_next(&rest, &line))
		if (!line_is_idle(line))
			break;
	if (line.length == 0 || line_is_idle(line))
		return error_set(error, -EINVAL, "there is nothing in it");
	int found = kind_of_line(line);
	*kind = found < 0 ? SOURCE_PFX2AS : (enum source_kind)found;
	if (found >= 0)
		return 0;
	size_t length = MIN(line.length, sizeof(start) - 1);
	memcpy(start, line.start, length);
	start[length] = '\0';
	return error_set(error, -EINVAL,
		"not data that retour knows (pfx2as, iptoasn, a list of exchanges, AS relationships, "
		"PeeringDB's JSON, MMDB); it begins with '%s'",
		escape_text(start, shown, sizeof(shown)));
}

int source_recognise(struct text file, enum source_kind *kind, struct error *error)
{
	*kind = SOURCE_MMDB;
	if (is_mmdb(file))
		return 0;
	if (starts_with(file, "\x1f\x8b") || starts_with(file, "BZh") || starts_with(file, "\xfd\x37zXZ") ||
		starts_with(file, "PK\x03\x04") || starts_with(file, "\x28\xb5\x2f\xfd"))
		return error_set(error, -EINVAL, "it is compressed: unpack it first");
	if (memchr(file.start, '\0', MIN(file.length, 4096u)))
		return error_set(error, -EINVAL, "it is neither text nor a whole MMDB file");
	size_t blank = 0;
	while (blank < file.length && strchr(" \t\r\n", file.start[blank]))
		blank++;
	*kind = SOURCE_PEERINGDB;
	if (blank < file.length && (file.start[blank] == '{' || file.start[blank] == '['))
		return 0;
	return recognise_text(file, kind, error);
}

/* ---- the kinds that are tables with a range a line ---- */

/* Fills `range`; returns NULL, or what is wrong. An entry that says nothing has no origins. */
typedef const char *line_reader(struct text line, struct range *range);

static void set_prefix(struct range *range, struct prefix prefix)
{
	range->first = prefix.addr;
	range->last = prefix_last(prefix);
	range->length = prefix.length;
}

static const char *read_pfx2as(struct text line, struct range *range)
{
	struct text fields[3];
	uint32_t length, asns[ORIGINS_MAX];
	struct addr addr;
	if (text_split(line, '\t', fields, 3) != 3)
		return "expected three columns: prefix, length, AS numbers";
	if (!text_addr(fields[0], &addr))
		return "the first column is not an address";
	if (!text_number(fields[1], addr_bits(addr), &length))
		return "the second column is not the length of a prefix";
	set_prefix(range, prefix_of(addr, length));
	range->origins = fields[2];
	return text_origins(fields[2], asns, ORIGINS_MAX) == 0 ? "the third column has no AS numbers" : NULL;
}

static const char *read_iptoasn(struct text line, struct range *range)
{
	struct text fields[COLUMNS_MAX];
	uint32_t asn;
	if (text_split(line, '\t', fields, COLUMNS_MAX) != 5)
		return "expected five columns: first and last address, AS number, country, name";
	if (!text_addr(fields[0], &range->first) || !text_addr(fields[1], &range->last))
		return "the first two columns are not addresses";
	if (range->first.family != range->last.family || addr_compare(range->first, range->last) > 0)
		return "the range ends before it begins";
	if (!text_number(fields[2], UINT32_MAX, &asn))
		return "the third column is not an AS number";
	range->length = (uint8_t)common_length(range->first, range->last);
	range->name = fields[4];
	if (asn > 0)
		range->origins = fields[2];
	if (fields[3].length == 2)
		memcpy(range->country, fields[3].start, 2);
	return NULL;
}

static const char *read_exchange(struct text line, struct range *range)
{
	struct text field;
	struct prefix prefix;
	char separator = separator_of(line);
	if (!text_field(line, separator, 0, &field) || !text_prefix(field, &prefix))
		return "expected a prefix and the name of the exchange";
	set_prefix(range, prefix);
	size_t used = MIN(field.length + 1, line.length);
	range->name = (struct text){line.start + used, line.length - used};
	while (range->name.length > 0 && strchr(" \t,\"", range->name.start[0])) {
		range->name.start++;
		range->name.length--;
	}
	while (range->name.length > 0 && strchr(" \t\"", range->name.start[range->name.length - 1]))
		range->name.length--;
	range->origins = (struct text){"0", 1};
	return range->name.length == 0 ? "the exchange has no name" : NULL;
}

static int read_lines(struct text file, line_reader *reader, struct range_list lists[2], struct error *error)
{
	struct text rest = file, line;
	for (unsigned number = 1; line_next(&rest, &line); number++) {
		struct range range = {0};
		if (line_is_idle(line))
			continue;
		const char *wrong = reader(line, &range);
		if (wrong)
			return error_set(error, -EINVAL, "line %u: %s", number, wrong);
		int code = range.origins.length > 0 ? range_list_add(&lists[range.first.family == 6], &range)
						    : 0;
		if (code < 0)
			return source_no_room(code, error);
	}
	/* Where a number was cut in two, what is left is another number. */
	if (file.start[file.length - 1] != '\n')
		return error_set(error, -EINVAL, "it ends in the middle of a line: is it cut off?");
	return 0;
}

static int read_table(struct text file, line_reader *reader, enum table table4, enum table table6,
	struct tables *tables, struct error *error)
{
	struct range_list lists[2] = {0};
	int code = read_lines(file, reader, lists, error);
	if (table4 == table6)
		for (size_t i = 0; i < lists[1].count && code == 0; i++)
			code = range_list_add(&lists[0], &lists[1].all[i]);
	if (code == 0)
		code = tables_add_ranges(tables, table4, &lists[0], error);
	if (code == 0 && table4 != table6)
		code = tables_add_ranges(tables, table6, &lists[1], error);
	range_list_free(&lists[0]);
	range_list_free(&lists[1]);
	return code;
}

int source_read(enum source_kind kind, struct text file, struct tables *tables, struct error *error)
{
	*tables = (struct tables){0};
	if (file.length == 0)
		return error_set(error, -EINVAL, "there is nothing in it");
	int code = -EINVAL;
	switch (kind) {
	case SOURCE_PFX2AS:
		code = read_table(file, read_pfx2as, TABLE_ORIGINS4, TABLE_ORIGINS6, tables, error);
		break;
	case SOURCE_IPTOASN:
		code = read_table(file, read_iptoasn, TABLE_ORIGINS4, TABLE_ORIGINS6, tables, error);
		break;
	case SOURCE_EXCHANGES:
		code = read_table(file, read_exchange, TABLE_EXCHANGES, TABLE_EXCHANGES, tables, error);
		break;
	case SOURCE_RELATIONS: code = source_read_relations(file, tables, error); break;
	case SOURCE_PEERINGDB: code = source_read_peeringdb(file, tables, error); break;
	case SOURCE_MMDB: return error_set(error, code, "an MMDB file is not read into tables");
	}
	return code;
}
