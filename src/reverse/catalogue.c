#include "reverse/catalogue.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annotate/data.h"
#include "base/yaml.h"

#define FILE_BYTES_MAX (1024 * 1024)

static const cyaml_schema_field_t entry_fields[] = {
	CYAML_FIELD_UINT("asn", CYAML_FLAG_DEFAULT, struct catalogue_entry, asn),
	TEXT("network", POPT, struct catalogue_entry, network),
	TEXT("url", PTR, struct catalogue_entry, url),
	TEXT("note", POPT, struct catalogue_entry, note),
	FLAG("traces", struct catalogue_entry, traces),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct catalogue_entry, entry_fields)};
static const cyaml_schema_field_t fields[] = {
	TEXT("noted", POPT, struct catalogue, noted),
	CYAML_FIELD_SEQUENCE_COUNT(
		"looking_glasses", POPT, struct catalogue, entries, count, &entry, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t catalogue_value = {CYAML_VALUE_MAPPING(PTR, struct catalogue, fields)};

static bool is_url(const char *url)
{
	static const char *const schemes[] = {"https://", "http://", "telnet://", "ssh://"};
	for (const char *c = url; *c; c++)
		if (!isgraph((unsigned char)*c))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
			return url[strlen(schemes[i])] != '\0';
	return false;
}

static int check(const struct catalogue *catalogue, const struct yaml_text *yaml, struct error *error)
{
	for (unsigned i = 0; i < catalogue->count; i++) {
		const struct catalogue_entry *e = &catalogue->entries[i];
		const char *wrong = e->asn == 0 ? "asn: expected the number of an AS"
			: !is_url(e->url) ? "url: expected https://..., http://..., telnet://... or ssh://..."
					  : NULL;
		if (wrong)
			return error_set(error, -EINVAL, "%s:%u: looking_glasses: %s", yaml->name,
				yaml_text_line(yaml, "looking_glasses", i, NULL), wrong);
	}
	return 0;
}

int catalogue_parse(struct catalogue **catalogue, const char *name, const char *text, struct error *error)
{
	struct yaml_text yaml = {name, text, strlen(text)};
	void *data;
	*catalogue = NULL;
	int result = yaml_text_read(&yaml, &catalogue_value, &data, NULL, error);
	if (result < 0)
		return result;
	struct catalogue *read = data ? data : calloc(1, sizeof(*read)); /* like what libcyaml makes */
	if (!read)
		return error_set(error, -ENOMEM, "out of memory");
	result = check(read, &yaml, error);
	if (result < 0)
		catalogue_free(read);
	else
		*catalogue = read;
	return result;
}

int catalogue_shipped(struct catalogue **catalogue, struct error *error)
{
	return catalogue_parse(catalogue, "looking-glasses.yaml", catalogue_text, error);
}

int catalogue_load(struct catalogue **catalogue, const char *dir, struct error *error)
{
	char own[PATH_MAX], path[PATH_MAX + 32];
	struct file_bytes bytes;
	struct error inner = {0};
	*catalogue = NULL;
	snprintf(path, sizeof(path), "%s/looking-glasses.yaml", dir ? dir : data_dir(own, sizeof(own)));
	int result = file_map(&bytes, path, FILE_BYTES_MAX, &inner);
	if (result == -ENOENT)
		return catalogue_parse(catalogue, "", "", error);
	if (result < 0)
		return error_set(error, result, "%s", inner.text);
	char *text = strndup(bytes.length > 0 ? bytes.start : "",
		bytes.length); /* up to the first NUL, which YAML does not have */
	file_unmap(&bytes);
	result = text ? catalogue_parse(catalogue, path, text, error)
		      : error_set(error, -ENOMEM, "out of memory");
	free(text);
	return result;
}

void catalogue_free(struct catalogue *catalogue)
{
	if (catalogue)
		yaml_text_free(&catalogue_value, catalogue);
}
