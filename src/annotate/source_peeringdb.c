/* PeeringDB, as its API answers and as dumps have it: `ix`, `ixlan`, `ixpfx`, `netixlan` and `net`, each
 * either
 * {"data": [...]} or the array itself. ixpfx says which prefix is the LAN of which exchange, netixlan whose
 * router has which address there, net where a network's looking glass is. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annotate/source_inside.h"

static const json_t *list_of(const json_t *root, const char *key)
{
	const json_t *value = json_object_get(root, key);
	return json_is_object(value) ? json_object_get(value, "data") : value;
}

/* ---- finding objects by their number ---- */

struct row {
	json_int_t id;
	const json_t *object;
};

struct index {
	struct row *rows;
	size_t count;
};

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int index_list(struct index *index, const json_t *list, const char *key)
{
	size_t size = json_array_size(list);
	index->rows = calloc(size + 1, sizeof(*index->rows));
	if (!index->rows)
		return -ENOMEM;
	for (size_t i = 0; i < size; i++) {
		const json_t *object = json_array_get(list, i), *id = json_object_get(object, key);
		if (json_is_integer(id))
			index->rows[index->count++] = (struct row){json_integer_value(id), object};
	}
	qsort(index->rows, index->count, sizeof(*index->rows), compare_rows);
	return 0;
}

static const json_t *find(const struct index *index, const json_t *id)
{
	struct row wanted = {.id = json_integer_value(id)};
	const struct row *row = json_is_integer(id) && index->count > 0
		? bsearch(&wanted, index->rows, index->count, sizeof(wanted), compare_rows)
		: NULL;
	return row ? row->object : NULL;
}

/* ---- reading ---- */

struct peeringdb {
	const json_t *root;
	struct index exchanges, lans, networks; /* networks by AS number */
};

static struct text string_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	if (!json_is_string(value))
		return (struct text){"", 0};
	return (struct text){json_string_value(value), json_string_length(value)};
}

static int read_lan(const struct peeringdb *db, const json_t *object, struct range_list *list)
{
	struct text text = string_of(object, "prefix"), country;
	char copy[PREFIX_TEXT_SIZE];
	struct prefix prefix;
	const json_t *lan = find(&db->lans, json_object_get(object, "ixlan_id"));
	const json_t *exchange = find(&db->exchanges, json_object_get(lan, "ix_id"));
	struct range range = {.origins = {"0", 1}, .name = string_of(exchange, "name")};
	if (!text_copy(text, copy, sizeof(copy)) || !prefix_parse(copy, &prefix))
		return -EINVAL;
	if (range.name.length == 0)
		return 0; /* the LAN of nobody we could name */
	range.first = prefix.addr;
	range.last = prefix_last(prefix);
	range.length = prefix.length;
	country = string_of(exchange, "country");
	if (country.length == 2)
		memcpy(range.country, country.start, 2);
	return range_list_add(list, &range);
}

static int add_member(struct range_list *list, struct text address, struct text number, struct text name)
{
	struct range range = {.origins = number, .name = name};
	if (address.length == 0)
		return 0;
	if (!text_addr(address, &range.first))
		return -EINVAL;
	range.last = range.first;
	range.length = (uint8_t)addr_bits(range.first);
	return range_list_add(list, &range);
}

/* `number` is where its AS number as text may live. */
static int read_member(
	const struct peeringdb *db, const json_t *object, char number[static 12], struct range_list *list)
{
	const json_t *asn = json_object_get(object, "asn");
	if (!json_is_integer(asn) || json_integer_value(asn) < 1 || json_integer_value(asn) > UINT32_MAX)
		return -EINVAL;
	struct text text = {number, (size_t)snprintf(number, 12, "%u", (unsigned)json_integer_value(asn))};
	struct text name = string_of(find(&db->networks, asn), "name");
	int code = add_member(list, string_of(object, "ipaddr4"), text, name);
	return code < 0 ? code : add_member(list, string_of(object, "ipaddr6"), text, name);
}

static int wrong_object(int code, const char *key, size_t index, const char *expected, struct error *error)
{
	if (code != -EINVAL)
		return source_no_room(code, error);
	return error_set(error, code, "%s, object %zu: %s", key, index + 1, expected);
}

static int read_lans(const struct peeringdb *db, struct tables *tables, struct error *error)
{
	struct range_list list = {0};
	const json_t *objects = list_of(db->root, "ixpfx");
	int code = 0;
	for (size_t i = 0; i < json_array_size(objects) && code == 0; i++) {
		code = read_lan(db, json_array_get(objects, i), &list);
		if (code < 0)
			wrong_object(code, "ixpfx", i, "expected a prefix", error);
	}
	if (code == 0)
		code = tables_add_ranges(tables, TABLE_EXCHANGES, &list, error);
	range_list_free(&list);
	return code;
}

static int read_members(const struct peeringdb *db, struct tables *tables, struct error *error)
{
	struct range_list list = {0};
	const json_t *objects = list_of(db->root, "netixlan");
	size_t size = json_array_size(objects);
	char(*numbers)[12] = calloc(size + 1, sizeof(*numbers));
	int code = numbers ? 0 : source_no_room(-ENOMEM, error);
	for (size_t i = 0; i < size && code == 0; i++) {
		code = read_member(db, json_array_get(objects, i), numbers[i], &list);
		if (code < 0)
			wrong_object(code, "netixlan", i, "expected an AS number and addresses", error);
	}
	if (code == 0)
		code = tables_add_ranges(tables, TABLE_MEMBERS, &list, error);
	free(numbers);
	range_list_free(&list);
	return code;
}

/* As one field of a table. */
static void write_field(FILE *out, struct text text)
{
	fputc('\t', out);
	for (size_t i = 0; i < text.length; i++)
		fputc(text.start[i] == '\t' || text.start[i] == '\n' || text.start[i] == '\r' ? ' '
											      : text.start[i],
			out);
}

/* Sorted by AS number already. */
static void write_glasses(const struct index *networks, FILE *out, size_t *entries)
{
	json_int_t last = 0;
	for (size_t i = 0; i < networks->count; i++) {
		const struct row *row = &networks->rows[i];
		struct text glass = string_of(row->object, "looking_glass"),
			    server = string_of(row->object, "route_server");
		if (row->id <= last || row->id > UINT32_MAX || glass.length + server.length == 0)
			continue;
		last = row->id;
		fprintf(out, "%u", (unsigned)row->id);
		write_field(out, string_of(row->object, "name"));
		write_field(out, glass);
		write_field(out, server);
		fputc('\n', out);
		++*entries;
	}
}

static int read_glasses(const struct peeringdb *db, struct tables *tables, struct error *error)
{
	FILE *out = open_memstream(&tables->text[TABLE_GLASSES], &tables->length[TABLE_GLASSES]);
	if (out)
		write_glasses(&db->networks, out, &tables->entries[TABLE_GLASSES]);
	return out && fclose(out) == 0 ? 0 : source_no_room(-ENOMEM, error);
}

static int check_shape(const json_t *root, struct error *error)
{
	static const char *const keys[] = {"ix", "ixlan", "ixpfx", "netixlan", "net"};
	bool any = false;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const json_t *list = list_of(root, keys[i]);
		any |= json_is_array(list);
		if (list && !json_is_array(list))
			return error_set(error, -EINVAL, "'%s' is not a list", keys[i]);
	}
	if (!any)
		return error_set(error, -EINVAL,
			"JSON, but not PeeringDB's: none of the lists ix, ixlan, ixpfx, netixlan, net is in "
			"it");
	return 0;
}

int source_read_peeringdb(struct text file, struct tables *tables, struct error *error)
{
	json_error_t where;
	struct peeringdb db = {0};
	json_t *root = json_loadb(file.start, file.length, 0, &where);
	if (!root)
		return error_set(error, -EINVAL, "line %d: %s", where.line, where.text);
	db.root = root;
	int code = check_shape(root, error);
	if (code == 0 &&
		(index_list(&db.exchanges, list_of(root, "ix"), "id") < 0 ||
			index_list(&db.lans, list_of(root, "ixlan"), "id") < 0 ||
			index_list(&db.networks, list_of(root, "net"), "asn") < 0))
		code = source_no_room(-ENOMEM, error);
	if (code == 0)
		code = read_lans(&db, tables, error);
	if (code == 0)
		code = read_members(&db, tables, error);
	if (code == 0)
		code = read_glasses(&db, tables, error);
	free(db.exchanges.rows);
	free(db.lans.rows);
	free(db.networks.rows);
	json_decref(root);
	return code;
}
