#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annotate/source_inside.h"

#define RELATIONS_MAX (8u << 20)

struct relation {
	uint32_t a, b;
	int kind; /* -1: a provides for b; 0: peers */
};

struct relation_list {
	struct relation *all;
	size_t count, room;
};

static int add(struct relation_list *list, struct relation relation)
{
	if (list->count == RELATIONS_MAX)
		return -E2BIG;
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 1024;
		struct relation *all = reallocarray(list->all, room, sizeof(*all));
		if (!all)
			return -ENOMEM;
		list->all = all;
		list->room = room;
	}
	list->all[list->count++] = relation;
	return 0;
}

/* Serial 1 has three columns, serial 2 a fourth that names its source. */
static const char *read_line(struct text line, struct relation *relation)
{
	struct text fields[4];
	unsigned count = text_split(line, '|', fields, 4);
	if (count != 3 && count != 4)
		return "expected provider|customer|-1 or peer|peer|0";
	if (!text_number(fields[0], UINT32_MAX, &relation->a) ||
		!text_number(fields[1], UINT32_MAX, &relation->b))
		return "the first two columns are not AS numbers";
	bool provides = fields[2].length == 2 && memcmp(fields[2].start, "-1", 2) == 0;
	if (!provides && (fields[2].length != 1 || fields[2].start[0] != '0'))
		return "the third column is neither -1 nor 0";
	relation->kind = provides ? -1 : 0;
	return NULL;
}

static int read_all(struct text file, struct relation_list *list, struct error *error)
{
	struct text line;
	char last = file.start[file.length - 1];
	for (unsigned number = 1; line_next(&file, &line); number++) {
		struct relation relation;
		if (line_is_idle(line))
			continue;
		const char *wrong = read_line(line, &relation);
		if (wrong)
			return error_set(error, -EINVAL, "line %u: %s", number, wrong);
		int code = add(list, relation);
		if (code < 0)
			return source_no_room(code, error);
	}
	if (last != '\n')
		return error_set(error, -EINVAL, "it ends in the middle of a line: is it cut off?");
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct relation *x = a, *y = b;
	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	if (x->b != y->b)
		return x->b < y->b ? -1 : 1;
	return x->kind - y->kind;
}

/* Who is said to be both provides: that is what an operator's numbering follows. */
static void write_all(const struct relation_list *list, FILE *out, size_t *written)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct relation *r = &list->all[i];
		if (i > 0 && r->a == r[-1].a && r->b == r[-1].b)
			continue;
		fprintf(out, "%u|%u|%d\n", r->a, r->b, r->kind);
		++*written;
	}
}

int source_read_relations(struct text file, struct tables *tables, struct error *error)
{
	struct relation_list list = {0};
	int code = read_all(file, &list, error);
	if (code == 0 && list.count > 0) {
		qsort(list.all, list.count, sizeof(*list.all), compare);
		FILE *out = open_memstream(&tables->text[TABLE_RELATIONS], &tables->length[TABLE_RELATIONS]);
		if (out)
			write_all(&list, out, &tables->entries[TABLE_RELATIONS]);
		if (!out || fclose(out) != 0)
			code = source_no_room(-ENOMEM, error);
	}
	free(list.all);
	return code;
}
