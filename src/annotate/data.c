#include "annotate/data.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annotate/relations.h"

#define FILE_SIZE_MOST (1u << 30)
/* So much is read in a few milliseconds; what is larger is to be imported. */
#define RAW_SIZE_MOST (1u << 20)

const char *data_dir(char *path, size_t size)
{
	const char *own = getenv("RETOUR_DATA");
	const char *xdg = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");
	if (own && *own)
		snprintf(path, size, "%s", own);
	else if (xdg && *xdg)
		snprintf(path, size, "%s/retour", xdg);
	else
		snprintf(path, size, "%s/.local/share/retour", home ? home : "");
	return path;
}

const char *data_table_name(enum source_kind kind, enum table table, char *name)
{
	static const char *const kinds[] = {
		"pfx2as", "iptoasn", "exchange-list", "as-rel", "peeringdb", "mmdb"};
	static const char *const tables[] = {
		"ipv4", "ipv6", "exchanges", "members", "relations", "looking-glasses"};
	snprintf(name, DATA_NAME_SIZE, "%s-%s.table", kinds[kind], tables[table]);
	return name;
}

/* ---- opening ---- */

static struct data_file *next_file(struct data *data, const char *name, enum source_kind kind)
{
	if (data->count == DATA_FILES_MAX)
		return NULL;
	struct data_file *file = &data->files[data->count];
	*file = (struct data_file){.kind = kind};
	snprintf(file->name, sizeof(file->name), "%s", name);
	return file;
}

static void keep(struct data *data, struct data_file *file)
{
	file->changed_s = file->bytes.changed_s;
	data->count++;
}

static bool open_table(struct data *data, const char *dir, enum source_kind kind, enum table table)
{
	char name[DATA_NAME_SIZE], path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", dir, data_table_name(kind, table, name));
	struct data_file *file = next_file(data, name, kind);
	struct error error = {0};
	if (!file || file_map(&file->bytes, path, FILE_SIZE_MOST, &error) < 0) {
		if (error.code != 0 && error.code != -ENOENT)
			data->error = error;
		return false;
	}
	file->text[table] = (struct text){file->bytes.start, file->bytes.length};
	keep(data, file);
	return true;
}

static void open_mmdb(struct data *data, const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct mmdb_facts facts;
	struct data_file *file = strlen(name) < DATA_NAME_SIZE ? next_file(data, name, SOURCE_MMDB) : NULL;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (!file || mmdb_open(&file->mmdb, path, &data->error) < 0)
		return;
	mmdb_facts(file->mmdb, &facts);
	file->bytes.changed_s = facts.built_s;
	keep(data, file);
}

static int is_mmdb_name(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return entry->d_name[0] != '.' && length > 5 && strcmp(entry->d_name + length - 5, ".mmdb") == 0;
}

static void open_mmdbs(struct data *data, const char *dir)
{
	struct dirent **names;
	int count = scandir(dir, &names, is_mmdb_name, alphasort);
	for (int i = 0; i < count; i++) {
		open_mmdb(data, dir, names[i]->d_name);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
}

/* Small enough to be read now; or sorted already, as iptoasn's files are. */
static int take_raw(struct data_file *file, struct error *error)
{
	struct text all = {file->bytes.start, file->bytes.length};
	if (all.length > RAW_SIZE_MOST && file->kind == SOURCE_IPTOASN) {
		file->text[TABLE_ORIGINS4] = all;
		return 0;
	}
	if (all.length > RAW_SIZE_MOST)
		return error_set(error, -EFBIG,
			"%s is too large to be read each time: `retour data import` it", file->name);
	struct error inner = {0};
	int code = source_read(file->kind, all, &file->tables, &inner);
	if (code < 0)
		return error_set(error, code, "%s: %s", file->name, inner.text);
	for (int i = 0; i < TABLE_COUNT; i++)
		file->text[i] = (struct text){
			file->tables.text[i] ? file->tables.text[i] : "", file->tables.length[i]};
	return 0;
}

static void open_raw(struct data *data, const char *dir, const char *name, enum source_kind kind)
{
	char path[PATH_MAX];
	struct error error = {0};
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	struct data_file *file = next_file(data, name, kind);
	if (!file)
		return;
	file->raw = true;
	int code = file_map(&file->bytes, path, FILE_SIZE_MOST, &error);
	if (code == 0)
		code = take_raw(file, &error);
	if (code == 0) {
		keep(data, file);
		return;
	}
	if (code != -ENOENT)
		data->error = error;
	tables_free(&file->tables);
	file_unmap(&file->bytes);
}

/* Files as their publishers name them; the installed ones of the same kind replace them. */
static void open_raws(struct data *data, const char *dir)
{
	static const struct {
		const char *name;
		enum source_kind kind;
	} raws[] = {
		{"ip2asn-combined.tsv", SOURCE_IPTOASN},
		{"ip2asn-v4.tsv", SOURCE_IPTOASN},
		{"ip2asn-v6.tsv", SOURCE_IPTOASN},
		{"pfx2as.txt", SOURCE_PFX2AS},
		{"as-rel.txt", SOURCE_RELATIONS},
		{"peeringdb.json", SOURCE_PEERINGDB},
	};
	bool installed[SOURCE_MMDB + 1] = {0};
	for (unsigned i = 0; i < data->count; i++)
		installed[data->files[i].kind] = true;
	for (size_t i = 0; i < ARRAY_LEN(raws); i++)
		if (!installed[raws[i].kind])
			open_raw(data, dir, raws[i].name, raws[i].kind);
}

void data_open(struct data *data, const char *dir)
{
	static const struct {
		enum source_kind kind;
		enum table table;
	} tables[] = {
		{SOURCE_PFX2AS, TABLE_ORIGINS4},
		{SOURCE_PFX2AS, TABLE_ORIGINS6},
		{SOURCE_IPTOASN, TABLE_ORIGINS4},
		{SOURCE_IPTOASN, TABLE_ORIGINS6},
		{SOURCE_EXCHANGES, TABLE_EXCHANGES},
		{SOURCE_PEERINGDB, TABLE_EXCHANGES},
		{SOURCE_PEERINGDB, TABLE_MEMBERS},
		{SOURCE_PEERINGDB, TABLE_GLASSES},
		{SOURCE_RELATIONS, TABLE_RELATIONS},
	};
	char path[PATH_MAX];
	*data = (struct data){0};
	if (!dir)
		dir = data_dir(path, sizeof(path));
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		open_table(data, dir, tables[i].kind, tables[i].table);
	open_mmdbs(data, dir);
	open_raws(data, dir);
}

void data_close(struct data *data)
{
	for (unsigned i = 0; i < data->count; i++) {
		tables_free(&data->files[i].tables);
		mmdb_close(data->files[i].mmdb);
		file_unmap(&data->files[i].bytes);
	}
	data->count = 0;
}

struct data *data_new(const char *dir)
{
	struct data *data = malloc(sizeof(*data));
	if (data)
		data_open(data, dir);
	return data;
}

void data_free(struct data *data)
{
	if (data)
		data_close(data);
	free(data);
}

/* ---- looking up ---- */

static bool find_in_file(
	const struct data_file *file, enum table table, struct addr addr, struct origin *origin)
{
	return file->text[table].length > 0 && ranges_find(file->text[table], addr, origin);
}

static void add_asns(struct origin *best, const struct origin *other)
{
	for (unsigned i = 0; i < other->count; i++) {
		unsigned k = 0;
		while (k < best->count && best->asns[k] != other->asns[i])
			k++;
		if (k == best->count && best->count < ORIGINS_MAX)
			best->asns[best->count++] = other->asns[i];
	}
}

/* Names are about the AS, countries about the address: both may come from a file that knows no more than
 * that. */
static void merge(struct origin *best, unsigned *country_length, const struct origin *other)
{
	struct origin old = *best;
	bool better = other->count > 0 && (best->count == 0 || other->length > best->length);
	if (better)
		*best = *other;
	else if (other->count > 0 && other->length == best->length)
		add_asns(best, other);
	const struct origin *rest = better ? &old : other;
	if (!best->name[0] && rest->count > 0 && rest->asns[0] == best->asns[0])
		memcpy(best->name, rest->name, sizeof(best->name));
	bool nearer = other->country[0] && (!old.country[0] || other->length > *country_length);
	memcpy(best->country, nearer ? other->country : old.country, sizeof(best->country));
	if (nearer)
		*country_length = other->length;
}

bool data_origin(const struct data *data, struct addr addr, struct origin *origin)
{
	unsigned country_length = 0;
	*origin = (struct origin){0};
	for (unsigned i = 0; i < data->count; i++) {
		const struct data_file *file = &data->files[i];
		struct origin found;
		if (file->mmdb && mmdb_find(file->mmdb, addr, &found))
			merge(origin, &country_length, &found);
		for (int table = TABLE_ORIGINS4; table <= TABLE_ORIGINS6; table++)
			if (find_in_file(file, (enum table)table, addr, &found))
				merge(origin, &country_length, &found);
	}
	return origin->count > 0 || origin->country[0];
}

static bool most_specific(const struct data *data, enum table table, struct addr addr, struct origin *best)
{
	bool any = false;
	for (unsigned i = 0; i < data->count; i++) {
		struct origin found;
		if (find_in_file(&data->files[i], table, addr, &found) &&
			(!any || found.length > best->length)) {
			*best = found;
			any = true;
		}
	}
	return any;
}

bool data_exchange(const struct data *data, struct addr addr, struct origin *exchange)
{
	return most_specific(data, TABLE_EXCHANGES, addr, exchange) && exchange->name[0];
}

bool data_member(const struct data *data, struct addr addr, struct origin *member)
{
	return most_specific(data, TABLE_MEMBERS, addr, member) && member->count > 0;
}

bool data_provides(const struct data *data, uint32_t provider, uint32_t customer)
{
	for (unsigned i = 0; i < data->count; i++)
		if (relations_provides(data->files[i].text[TABLE_RELATIONS], provider, customer))
			return true;
	return false;
}

bool data_glass(const struct data *data, uint32_t asn, struct glass *glass)
{
	for (unsigned i = 0; i < data->count; i++)
		if (glasses_find(data->files[i].text[TABLE_GLASSES], asn, glass))
			return true;
	return false;
}

size_t data_entries(const struct data_file *file)
{
	struct mmdb_facts facts;
	size_t entries = 0;
	if (file->mmdb)
		return mmdb_check(file->mmdb, &facts, NULL) == 0 ? facts.entries : 0;
	for (int i = 0; i < TABLE_COUNT; i++) {
		struct text rest = file->text[i], line;
		while (line_next(&rest, &line))
			entries++;
	}
	return entries;
}
