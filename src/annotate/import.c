#include "annotate/import.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"

#define TEXT_MOST (1u << 30)
#define JSON_MOST (256u << 20) /* the parser needs several times that */

static int make_dir(const char *dir, struct error *error)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s", dir);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755); /* the last one tells */
		*slash = '/';
	}
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return error_set(error, -errno, "cannot make %s: %s", dir, strerror(errno));
	return 0;
}

static int write_all(int fd, struct text text)
{
	while (text.length > 0) {
		ssize_t written = write(fd, text.start, text.length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		text.start += written;
		text.length -= (size_t)written;
	}
	return 0;
}

/* Whoever reads the folder meanwhile sees the old file or the new one. */
static int install(
	const char *dir, const char *name, struct text text, int64_t changed_s, struct error *error)
{
	char path[PATH_MAX], temporary[PATH_MAX];
	struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = changed_s}};
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(temporary, sizeof(temporary), "%s/.import-XXXXXX", dir);
	int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return error_set(error, -errno, "cannot write into %s: %s", dir, strerror(errno));
	int code = write_all(fd, text);
	if (code == 0 && (fchmod(fd, 0644) < 0 || futimens(fd, times) < 0 || fsync(fd) < 0))
		code = -errno;
	if (close(fd) < 0 && code == 0)
		code = -errno;
	if (code == 0 && rename(temporary, path) < 0)
		code = -errno;
	if (code == 0)
		return 0;
	unlink(temporary);
	return error_set(error, code, "cannot write %s: %s", path, strerror(-code));
}

static int install_tables(
	const char *dir, const struct tables *tables, struct import_result *result, struct error *error)
{
	char name[DATA_NAME_SIZE];
	result->entries = 0;
	for (int i = 0; i < TABLE_COUNT; i++)
		result->entries += tables->entries[i];
	if (result->entries == 0)
		return error_set(error, -EINVAL, "there is nothing in it");
	for (int i = 0; i < TABLE_COUNT; i++) {
		struct text text = {tables->text[i], tables->length[i]};
		int code = tables->entries[i] == 0
			? 0
			: install(dir, data_table_name(result->kind, (enum table)i, name), text,
				  result->changed_s, error);
		if (code < 0)
			return code;
	}
	return 0;
}

/* "GeoLite2-ASN" -> "GeoLite2-ASN.mmdb": a newer one of the same type replaces it. */
static void mmdb_name(const struct mmdb_facts *facts, char name[static DATA_NAME_SIZE])
{
	size_t used = 0;
	for (const char *p = facts->type; *p && used + sizeof(".mmdb") < DATA_NAME_SIZE; p++) {
		bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9');
		name[used] = plain || (used > 0 && strchr("-_.", *p)) ? *p : '_';
		used++;
	}
	/* IPinfo's types end like that already. */
	bool suffixed = used > 5 && memcmp(name + used - 5, ".mmdb", 5) == 0;
	snprintf(name + used, DATA_NAME_SIZE - used, "%s%s", used > 0 ? "" : "unnamed",
		suffixed ? "" : ".mmdb");
}

static int import_mmdb(const char *dir, const char *path, struct text text, struct import_result *result,
	struct error *error)
{
	struct mmdb *mmdb;
	struct mmdb_facts facts;
	char name[DATA_NAME_SIZE];
	int code = mmdb_open(&mmdb, path, error);
	if (code < 0)
		return code;
	code = mmdb_check(mmdb, &facts, error);
	mmdb_close(mmdb);
	if (code < 0)
		return code;
	result->entries = facts.entries;
	result->changed_s = facts.built_s;
	mmdb_name(&facts, name);
	return install(dir, name, text, facts.built_s, error);
}

static int import_bytes(const char *dir, const char *path, struct text text, struct import_result *result,
	struct error *error)
{
	struct tables tables = {0};
	int code = source_recognise(text, &result->kind, error);
	if (code < 0)
		return code;
	if (result->kind == SOURCE_MMDB)
		return import_mmdb(dir, path, text, result, error);
	if (result->kind == SOURCE_PEERINGDB && text.length > JSON_MOST)
		return error_set(
			error, -EFBIG, "more than %u MB of JSON, the most that is read", JSON_MOST >> 20);
	code = source_read(result->kind, text, &tables, error);
	if (code == 0)
		code = install_tables(dir, &tables, result, error);
	tables_free(&tables);
	return code;
}

int data_import(const char *dir, const char *path, struct import_result *result, struct error *error)
{
	char own[PATH_MAX], shown[160];
	struct file_bytes bytes;
	struct error inner = {0};
	*result = (struct import_result){0};
	if (!dir)
		dir = data_dir(own, sizeof(own));
	int code = file_map(&bytes, path, TEXT_MOST, error);
	if (code < 0)
		return code;
	result->changed_s = bytes.changed_s;
	code = make_dir(dir, error);
	if (code < 0) {
		file_unmap(&bytes);
		return code;
	}
	code = import_bytes(dir, path, (struct text){bytes.start, bytes.length}, result, &inner);
	file_unmap(&bytes);
	if (code < 0)
		return error_set(error, code, "%s: %s", escape_text(path, shown, sizeof(shown)), inner.text);
	return 0;
}
