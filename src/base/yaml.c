#include "base/yaml.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/escape.h"
#include "base/library.h"

const cyaml_strval_t flag_words[2] = {{"false", false}, {"true", true}};
const cyaml_schema_value_t string_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, CYAML_UNLIMITED)};

#define TRAIL_MAX 8

/* What libcyaml said. */
struct complaint {
	char text[300];
	unsigned line;		    /* innermost */
	char fields[TRAIL_MAX][40]; /* innermost first */
	unsigned field_count;
};

static void PRINTF_LIKE(3, 0)
	complaint_log(cyaml_log_t level, void *ctx, const char *format, va_list arguments)
{
	struct complaint *complaint = ctx;
	char text[300];
	(void)level;
	vsnprintf(text, sizeof(text), format, arguments);
	text[strcspn(text, "\n")] = '\0';
	const char *line = strstr(text, "(line: ");
	if (line && complaint->line == 0)
		complaint->line = (unsigned)strtoul(line + 7, NULL, 10);
	const char *field = strstr(text, "in mapping field '");
	if (field && complaint->field_count < TRAIL_MAX)
		sscanf(field + 18, "%39[^']", complaint->fields[complaint->field_count++]);
	/* the last that is said before the backtrace is the most to the point */
	if (strncmp(text, "Load: ", 6) == 0 && strcmp(text + 6, "Backtrace:") != 0)
		escape_text(text + 6, complaint->text, sizeof(complaint->text));
}

/* The keys of a mapping or the words of an enumeration, for "expected ...". */
static void list_choices(const cyaml_schema_value_t *value, char *out, size_t size)
{
	size_t used = 0;
	out[0] = '\0';
	if (value->type == CYAML_SEQUENCE)
		value = value->sequence.entry;
	if (value->type == CYAML_MAPPING)
		for (const cyaml_schema_field_t *f = value->mapping.fields; f->key && used < size; f++)
			used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", f->key);
	if (value->type == CYAML_ENUM)
		for (uint32_t i = 0; i < value->enumeration.count && used < size; i++)
			used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "",
				value->enumeration.strings[i].str);
}

static const cyaml_schema_value_t *schema_at(
	const struct complaint *complaint, const cyaml_schema_value_t *value)
{
	for (unsigned i = complaint->field_count; i-- > 0;) {
		const cyaml_schema_value_t *inner =
			value->type == CYAML_SEQUENCE ? value->sequence.entry : value;
		if (inner->type != CYAML_MAPPING)
			break;
		const cyaml_schema_field_t *field = inner->mapping.fields;
		while (field->key && strcmp(field->key, complaint->fields[i]) != 0)
			field++;
		if (!field->key)
			break;
		value = &field->value;
	}
	return value;
}

/* The first line, from `line` on, whose text holds `word`; `line` when none does. */
static unsigned line_with(const char *text, size_t length, unsigned line, unsigned last, const char *word)
{
	unsigned number = 1;
	const char *end = text + length;
	for (const char *at = text; at < end && number <= last; number++) {
		const char *next = memchr(at, '\n', (size_t)(end - at));
		next = next ? next + 1 : end;
		if (number >= line && memmem(at, (size_t)(next - at), word, strlen(word)))
			return number;
		at = next;
	}
	return line;
}

static int describe(const struct yaml_text *yaml, const cyaml_schema_value_t *schema,
	const struct complaint *complaint, struct error *error)
{
	static const struct {
		const char *prefix;
		const char *words;
	} kinds[] = {{"Invalid FLOAT", "expected a number"},
		{"Invalid UINT", "expected a whole number, 0 or more"},
		{"Invalid uint64_t", "expected a whole number, 0 or more"}, /* as libcyaml calls it when it
									       has no digits */
		{"Expecting SEQUENCE", "expected a list"},
		{"Expecting MAPPING", "expected a mapping (key: value)"},
		{"Expecting STRING", "expected one word"}, {"Expecting", "expected one value"}};
	const char *what = complaint->text[0] ? complaint->text : "not a YAML document";
	const char *name = yaml->name;
	unsigned line = complaint->line ? complaint->line : 1;
	char choices[200];
	bool bad_key = strncmp(what, "Unexpected key: ", 16) == 0;
	if (bad_key)
		line = line_with(yaml->text, yaml->length, line, UINT32_MAX, what + 16);
	if (bad_key || strncmp(what, "Invalid ENUM", 12) == 0) {
		list_choices(schema_at(complaint, schema), choices, sizeof(choices));
		return error_set(error, -EINVAL, "%s:%u: %s; expected one of: %s", name, line, what, choices);
	}
	if (strncmp(what, "Missing required", 16) == 0)
		return error_set(error, -EINVAL, "%s:%u: %s", name, line, what);
	const char *field = complaint->field_count ? complaint->fields[0] : "the file";
	const char *value = strstr(what, "value: ");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strncmp(what, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
			return error_set(error, -EINVAL, "%s:%u: %s: %s; %s", name, line, field,
				value ? value + strlen("value: ") : what, kinds[i].words);
	/* libcyaml tells where the last good thing was, not where libyaml gave up */
	const char *doubt = strncmp(what, "libyaml", 7) == 0 ? " (on this line or the next ones)" : "";
	const char *tab = *doubt && memchr(yaml->text, '\t', yaml->length)
		? "; expected blanks, there is a tab in the file"
		: "";
	return error_set(error, -EINVAL, "%s:%u: %s%s%s", name, line, what, doubt, tab);
}

/* libcyaml, loaded by those runs that have such a file. */
struct cyaml {
	cyaml_mem_fn_t mem;
	cyaml_err_t (*load_data)(const uint8_t *input, size_t length, const cyaml_config_t *config,
		const cyaml_schema_value_t *schema, cyaml_data_t **data, unsigned *count);
	cyaml_err_t (*free)(const cyaml_config_t *config, const cyaml_schema_value_t *schema,
		cyaml_data_t *data, unsigned count);
};

static int cyaml_open(struct cyaml *cyaml, struct error *error)
{
	const struct library_symbol symbols[] = {
		{"cyaml_mem", &cyaml->mem},
		{"cyaml_load_data", &cyaml->load_data},
		{"cyaml_free", &cyaml->free},
	};
	return library_load("libcyaml.so.1", "libcyaml1", symbols, ARRAY_LEN(symbols), error);
}

static cyaml_config_t config_for(const struct cyaml *cyaml, struct complaint *complaint)
{
	return (cyaml_config_t){
		.log_fn = complaint ? complaint_log : NULL,
		.log_ctx = complaint,
		.mem_fn = cyaml->mem,
		.log_level = CYAML_LOG_WARNING,
	};
}

int yaml_text_read(const struct yaml_text *yaml, const cyaml_schema_value_t *schema, void **data,
	struct yaml_mistake *mistake, struct error *error)
{
	struct complaint complaint = {0};
	struct cyaml cyaml;
	*data = NULL;
	if (yaml->length == 0)
		return 0;
	int loaded = cyaml_open(&cyaml, error);
	if (loaded < 0)
		return loaded;
	cyaml_config_t config = config_for(&cyaml, &complaint);
	cyaml_err_t result =
		cyaml.load_data((const uint8_t *)yaml->text, yaml->length, &config, schema, data, NULL);
	if (result == CYAML_OK)
		return 0;
	if (mistake)
		*mistake = (struct yaml_mistake){complaint.line, strncmp(complaint.text, "libyaml", 7) == 0};
	if (result == CYAML_ERR_OOM)
		return error_set(error, -ENOMEM, "%s: out of memory", yaml->name);
	return describe(yaml, schema, &complaint, error);
}

void yaml_text_free(const cyaml_schema_value_t *schema, void *data)
{
	struct cyaml cyaml;
	if (!data || cyaml_open(&cyaml, NULL) < 0)
		return;
	cyaml_config_t config = config_for(&cyaml, NULL);
	cyaml.free(&config, schema, data, 0);
}

/* libcyaml forgets where an entry stood, so mistakes that are only seen later are looked up in the text: the
 * entries of a block list are the lines with a dash at the depth of the list's first dash. */
unsigned yaml_text_line(const struct yaml_text *yaml, const char *section, unsigned entry, const char *word)
{
	const char *text = yaml->text;
	size_t length = yaml->length;
	const char *end = text + length;
	size_t section_length = strlen(section);
	long depth = -1;
	unsigned number = 1, begin = 0, index = 0, first = 0;
	bool inside = false;
	for (const char *at = text; at < end; number++) {
		const char *next = memchr(at, '\n', (size_t)(end - at));
		next = next ? next + 1 : end;
		size_t indent = strspn(at, " ");
		bool dash = at[indent] == '-';
		bool comment = at[indent] == '#' || at[indent] == '\n';
		if (inside && !dash && indent == 0 && !comment)
			break;
		if (inside && dash && (depth < 0 || (long)indent == depth)) {
			depth = (long)indent;
			if (begin)
				break;
			if (index++ == entry)
				begin = number;
		}
		if (!inside && (size_t)(next - at) > section_length &&
			memcmp(at, section, section_length) == 0 && at[section_length] == ':')
			inside = true;
		if (inside && !first)
			first = number;
		at = next;
	}
	begin = begin ? begin : first;
	return begin && word ? line_with(text, length, begin, number - 1, word) : begin;
}
