/* A data file is refused with a line of text, or becomes tables in which every look-up is safe and every
 * answer is about the address that was asked for. The first byte chooses what it is taken for. */
#include <string.h>

#include "annotate/ranges.h"
#include "annotate/relations.h"
#include "annotate/source.h"
#include "fuzz.h"

static void look_up(struct text table)
{
	static const uint64_t low[] = {
		0, 0x0a000001, 0x0a800001, 0x0ac80001, 0xc0000201, 0xc0000209, 0xffffffff};
	struct origin origin;
	for (size_t i = 0; i < ARRAY_LEN(low); i++) {
		if (ranges_find(table, addr_v4((uint32_t)low[i]), &origin))
			CHECK(origin.count <= ORIGINS_MAX && strlen(origin.name) < sizeof(origin.name));
		(void)ranges_find(table, addr_v6(0x20010db800000000, low[i]), &origin);
	}
	(void)relations_provides(table, 64500, 64510);
}

/* Sorted and without overlap, whatever came in: then a search by halves finds what is there. */
static void check_table(struct text table)
{
	struct text rest = table, line, field;
	struct addr before = ADDR_NONE, first, last;
	while (line_next(&rest, &line)) {
		CHECK(text_field(line, '\t', 0, &field) && text_addr(field, &first));
		CHECK(text_field(line, '\t', 1, &field) && text_addr(field, &last));
		CHECK(addr_compare(before, first) < 0 && addr_compare(first, last) <= 0);
		struct origin origin;
		CHECK(ranges_find(table, first, &origin) && ranges_find(table, last, &origin));
		before = last;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error = {0};
	struct tables tables;
	enum source_kind kind;
	if (size < 1)
		return 0;
	struct text text = {(const char *)data + 1, size - 1};
	int code = source_recognise(text, &kind, &error);
	CHECK(code == 0 || (error.text[0] && !strchr(error.text, '\n')));
	look_up(text);
	kind = (enum source_kind)(data[0] % SOURCE_MMDB);
	error = (struct error){0};
	code = source_read(kind, text, &tables, &error);
	CHECK(code == 0 || (error.text[0] && !strchr(error.text, '\n')));
	for (int i = 0; i < TABLE_COUNT && code == 0; i++) {
		struct text table = {tables.text[i] ? tables.text[i] : "", tables.length[i]};
		if (i != TABLE_RELATIONS)
			check_table(table);
		look_up(table);
	}
	tables_free(&tables);
	return 0;
}
