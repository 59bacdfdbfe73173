#include "annotate/mmdb.h"

#include <errno.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/library.h"

/* The library's functions under their own names, without the prefix; loaded where there is such a file. */
struct mmdb {
	MMDB_s file;
	int (*open)(const char *path, uint32_t flags, MMDB_s *file);
	void (*close)(MMDB_s *file);
	const char *(*strerror)(int status);
	int (*aget_value)(MMDB_entry_s *entry, MMDB_entry_data_s *value, const char *const *path);
	MMDB_lookup_result_s (*lookup_sockaddr)(
		const MMDB_s *file, const struct sockaddr *address, int *status);
	int (*read_node)(const MMDB_s *file, uint32_t number, MMDB_search_node_s *node);
};

static int load(struct mmdb *mmdb, struct error *error)
{
	const struct library_symbol symbols[] = {
		{"MMDB_open", &mmdb->open},
		{"MMDB_close", &mmdb->close},
		{"MMDB_strerror", &mmdb->strerror},
		{"MMDB_aget_value", &mmdb->aget_value},
		{"MMDB_lookup_sockaddr", &mmdb->lookup_sockaddr},
		{"MMDB_read_node", &mmdb->read_node},
	};
	return library_load("libmaxminddb.so.0", "libmaxminddb0", symbols, ARRAY_LEN(symbols), error);
}

int mmdb_open(struct mmdb **mmdb, const char *path, struct error *error)
{
	char shown[200];
	struct stat facts;
	*mmdb = NULL;
	escape_text(path, shown, sizeof(shown));
	/* The library would wait for somebody to write into a pipe. */
	if (stat(path, &facts) < 0 || !S_ISREG(facts.st_mode))
		return error_set(error, -ENOENT, "%s: not a file", shown);
	*mmdb = calloc(1, sizeof(**mmdb));
	if (!*mmdb)
		return error_set(error, -ENOMEM, "out of memory");
	int code = load(*mmdb, error);
	if (code == 0) {
		int status = (*mmdb)->open(path, MMDB_MODE_MMAP, &(*mmdb)->file);
		if (status == MMDB_SUCCESS)
			return 0;
		code = error_set(error, status == MMDB_FILE_OPEN_ERROR ? -ENOENT : -EINVAL,
			"%s: not a good MMDB file: %s", shown, (*mmdb)->strerror(status));
	}
	free(*mmdb);
	*mmdb = NULL;
	return code;
}

void mmdb_close(struct mmdb *mmdb)
{
	if (!mmdb)
		return;
	mmdb->close(&mmdb->file);
	free(mmdb);
}

/* ---- one entry ---- */

struct reading {
	const struct mmdb *mmdb;
	MMDB_entry_s *entry;
	bool damaged; /* the file is broken there rather than silent */
};

static bool value_at(struct reading *reading, const char *const *path, MMDB_entry_data_s *value)
{
	int status = reading->mmdb->aget_value(reading->entry, value, path);
	if (status != MMDB_SUCCESS && status != MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR)
		reading->damaged = true;
	return status == MMDB_SUCCESS && value->has_data;
}

static bool string_at(struct reading *reading, const char *key, const char *inner, char *out, size_t size)
{
	const char *const path[] = {key, inner, NULL};
	MMDB_entry_data_s value;
	if (!value_at(reading, path, &value) || value.type != MMDB_DATA_TYPE_UTF8_STRING)
		return false;
	size_t length = MIN(value.data_size, size - 1);
	memcpy(out, value.utf8_string, length);
	out[length] = '\0';
	return length > 0;
}

static uint32_t asn_at(struct reading *reading, const char *key)
{
	const char *const path[] = {key, NULL};
	MMDB_entry_data_s value;
	uint32_t asn = 0;
	if (!value_at(reading, path, &value))
		return 0;
	if (value.type == MMDB_DATA_TYPE_UINT32)
		return value.uint32;
	if (value.type != MMDB_DATA_TYPE_UTF8_STRING || value.data_size < 3 ||
		memcmp(value.utf8_string, "AS", 2) != 0)
		return 0;
	return text_number((struct text){value.utf8_string + 2, value.data_size - 2}, UINT32_MAX, &asn) ? asn
													: 0;
}

/* false when the entry is damaged. */
static bool read_entry(const struct mmdb *mmdb, MMDB_entry_s *entry, struct origin *origin)
{
	struct reading reading = {.mmdb = mmdb, .entry = entry};
	char country[4] = "", *name = origin->name;
	uint32_t asn = asn_at(&reading, "autonomous_system_number");
	if (asn == 0)
		asn = asn_at(&reading, "asn");
	origin->asns[0] = asn;
	origin->count = asn != 0;
	if (asn != 0 &&
		!string_at(&reading, "autonomous_system_organization", NULL, name, sizeof(origin->name)) &&
		!string_at(&reading, "as_name", NULL, name, sizeof(origin->name)))
		(void)string_at(&reading, "name", NULL, name, sizeof(origin->name));
	if (!string_at(&reading, "country", "iso_code", country, sizeof(country)) &&
		!string_at(&reading, "registered_country", "iso_code", country, sizeof(country)) &&
		!string_at(&reading, "country_code", NULL, country, sizeof(country)))
		(void)string_at(&reading, "country", NULL, country, sizeof(country));
	if (strlen(country) == 2)
		memcpy(origin->country, country, 3);
	return !reading.damaged;
}

bool mmdb_find(const struct mmdb *mmdb, struct addr addr, struct origin *origin)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl((uint32_t)addr.low)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	const struct sockaddr *address = addr.family == 4 ? (const void *)&in4 : (const void *)&in6;
	int status;
	if (addr.family == 6)
		addr_to_bytes(addr, in6.sin6_addr.s6_addr);
	*origin = (struct origin){0};
	if (addr.family == 6 && mmdb->file.metadata.ip_version == 4)
		return false;
	MMDB_lookup_result_s found = mmdb->lookup_sockaddr(&mmdb->file, address, &status);
	if (status != MMDB_SUCCESS || !found.found_entry || !read_entry(mmdb, &found.entry, origin))
		return false;
	unsigned embedded = addr.family == 4 && mmdb->file.metadata.ip_version == 6 ? 96 : 0;
	origin->length = found.netmask >= embedded ? found.netmask - embedded : 0;
	return origin->count > 0 || origin->country[0];
}

/* ---- the whole file ---- */

void mmdb_facts(const struct mmdb *mmdb, struct mmdb_facts *facts)
{
	const MMDB_metadata_s *metadata = &mmdb->file.metadata;
	*facts = (struct mmdb_facts){.built_s = (int64_t)MIN(metadata->build_epoch, (uint64_t)INT64_MAX)};
	escape_text(metadata->database_type, facts->type, sizeof(facts->type));
}

static int check_record(const struct mmdb *mmdb, uint8_t type, MMDB_entry_s entry, struct mmdb_facts *facts)
{
	struct origin origin = {0};
	if (type == MMDB_RECORD_TYPE_INVALID)
		return -EINVAL;
	if (type != MMDB_RECORD_TYPE_DATA)
		return 0;
	if (!read_entry(mmdb, &entry, &origin))
		return -EINVAL;
	facts->entries++;
	facts->origins |= origin.count > 0;
	facts->countries |= origin.country[0] != '\0';
	return 0;
}

int mmdb_check(const struct mmdb *mmdb, struct mmdb_facts *facts, struct error *error)
{
	mmdb_facts(mmdb, facts);
	for (uint32_t i = 0; i < mmdb->file.metadata.node_count; i++) {
		MMDB_search_node_s node;
		if (mmdb->read_node(&mmdb->file, i, &node) != MMDB_SUCCESS ||
			check_record(mmdb, node.left_record_type, node.left_record_entry, facts) < 0 ||
			check_record(mmdb, node.right_record_type, node.right_record_entry, facts) < 0)
			return error_set(error, -EINVAL, "it is damaged at node %u", i);
	}
	if (!facts->origins && !facts->countries)
		return error_set(error, -EINVAL, "there are neither AS numbers nor countries in it");
	return 0;
}
