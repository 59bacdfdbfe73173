#include "reverse/adapter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/escape.h"
#include "base/yaml.h"
#include "import/import.h"

#define FILE_BYTES_MAX (64 * 1024)

/* ---- the schema */

static const cyaml_schema_field_t router_fields[] = {
	TEXT("id", PTR, struct adapter_router, id),
	TEXT("city", POPT, struct adapter_router, city),
	CYAML_FIELD_UINT("asn", OPT, struct adapter_router, asn),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t pair_fields[] = {
	TEXT("name", PTR, struct adapter_pair, name),
	TEXT("value", PTR, struct adapter_pair, value),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t router_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct adapter_router, router_fields)};
static const cyaml_schema_value_t pair_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct adapter_pair, pair_fields)};

static const cyaml_schema_field_t fields[] = {
	TEXT("name", PTR, struct adapter, name),
	TEXT("base_url", PTR, struct adapter, base_url),
	TEXT("method", POPT, struct adapter, method),
	TEXT("path", POPT, struct adapter, path),
	TEXT("cmd_key", POPT, struct adapter, cmd_key),
	TEXT("cmd_value", POPT, struct adapter, cmd_value),
	TEXT("cmd_value6", POPT, struct adapter, cmd_value6),
	TEXT("target_key", PTR, struct adapter, target_key),
	TEXT("router_key", POPT, struct adapter, router_key),
	CYAML_FIELD_SEQUENCE_COUNT(
		"router_map", POPT, struct adapter, routers, router_count, &router_entry, 0, CYAML_UNLIMITED),
	CYAML_FIELD_SEQUENCE_COUNT(
		"fields", POPT, struct adapter, fields, field_count, &pair_entry, 0, CYAML_UNLIMITED),
	TEXT("token_page", POPT, struct adapter, token_page),
	TEXT("token_field", POPT, struct adapter, token_field),
	TEXT("result_extract", POPT, struct adapter, result),
	TEXT("parser", POPT, struct adapter, parser),
	CYAML_FIELD_UINT("min_interval_s", OPT, struct adapter, min_interval_s),
	FLAG("tos_allows_automation", struct adapter, automation),
	TEXT("last_verified", POPT, struct adapter, last_verified),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t adapter_value = {CYAML_VALUE_MAPPING(PTR, struct adapter, fields)};

/* ---- what a schema cannot say */

static bool is_dialect(const char *name)
{
	for (size_t i = 0; import_dialect_name(i); i++)
		if (strcmp(import_dialect_name(i), name) == 0)
			return true;
	return false;
}

/* What is wrong, with what was expected; NULL: nothing. */
static const char *fault(const struct adapter *adapter)
{
	const char *result = adapter->result;
	if (strncmp(adapter->base_url, "https://", 8) != 0 && strncmp(adapter->base_url, "http://", 7) != 0)
		return "base_url: expected https://... or http://...";
	if (adapter->method && strcmp(adapter->method, "GET") != 0 && strcmp(adapter->method, "POST") != 0)
		return "method: expected GET or POST";
	if (!adapter->cmd_key != !adapter->cmd_value)
		return "cmd_key and cmd_value: expected both or none";
	if (!adapter->token_page != !adapter->token_field)
		return "token_page and token_field: expected both or none";
	if (adapter->router_key && adapter->router_count == 0)
		return "router_key: expected a router_map, too";
	if (result && strcmp(result, "pre") != 0 && strcmp(result, "text") != 0 &&
		strncmp(result, "json:", 5) != 0)
		return "result_extract: expected pre, text or json:KEY.KEY...";
	if (adapter->parser && !is_dialect(adapter->parser))
		return "parser: expected one of the dialects in retour-adapter(5)";
	return NULL;
}

int adapter_parse(struct adapter **adapter, const char *name, const char *text, struct error *error)
{
	struct yaml_text yaml = {name, text, strlen(text)};
	void *data;
	*adapter = NULL;
	int result = yaml_text_read(&yaml, &adapter_value, &data, NULL, error);
	if (result < 0)
		return result;
	if (!data)
		return error_set(error, -EINVAL, "%s: there is nothing in it", name);
	const char *wrong = fault(data);
	if (wrong) {
		adapter_free(data);
		return error_set(error, -EINVAL, "%s: %s", name, wrong);
	}
	*adapter = data;
	return 0;
}

void adapter_free(struct adapter *adapter)
{
	yaml_text_free(&adapter_value, adapter);
}

const struct adapter_router *adapter_router(const struct adapter *adapter, const char *wanted)
{
	for (size_t i = 0; i < adapter->router_count; i++) {
		const struct adapter_router *router = &adapter->routers[i];
		if (!wanted || strcasecmp(router->id, wanted) == 0 ||
			(router->city && strcasecmp(router->city, wanted) == 0))
			return router;
	}
	return NULL;
}

/* ---- reading */

static char *place_of(const char *file)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int length = -1;
	if (strncmp(file, "~/", 2) == 0 && home)
		length = asprintf(&path, "%s%s", home, file + 1);
	else if (strchr(file, '/'))
		length = asprintf(&path, "%s", file);
	else if (base && *base == '/')
		length = asprintf(&path, "%s/retour/looking-glasses/%s.yaml", base, file);
	else if (home)
		length = asprintf(&path, "%s/.config/retour/looking-glasses/%s.yaml", home, file);
	return length < 0 ? NULL : path;
}

static int load_open(FILE *in, const char *name, struct adapter **adapter, struct error *error)
{
	char *text = malloc(FILE_BYTES_MAX + 1);
	if (!text)
		return error_set(error, -ENOMEM, "out of memory");
	size_t length = fread(text, 1, FILE_BYTES_MAX + 1, in);
	int result = ferror(in) ? -EIO : length > FILE_BYTES_MAX ? -EFBIG : 0;
	if (result < 0) {
		error_set(error, result, "adapter %s: %s", name, strerror(-result));
	} else {
		text[length] = '\0';
		result = adapter_parse(adapter, name, text, error);
	}
	free(text);
	return result;
}

int adapter_load(struct adapter **adapter, const char *file, struct error *error)
{
	char shown[300];
	char *path = file ? place_of(file) : NULL;
	int result;
	*adapter = NULL;
	if (!path)
		return error_set(error, -ENOENT, "an adapter file is not named");
	FILE *in = fopen(path, "re");
	escape_text(path, shown, sizeof(shown));
	result = in ? load_open(in, shown, adapter, error)
		    : error_set(error, -errno, "adapter %s: %s", shown, strerror(errno));
	if (in)
		fclose(in);
	free(path);
	return result;
}
