#include "import/import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/dialect.h"
#include "import/documents.h"

/* Among equals the first is taken. */
static const struct dialect dialects[] = {
	{"retour", own_score, own_read, FORM_DATA},
	{"warts", warts_score, warts_read, FORM_DATA},
	{"scamper-json", scamper_score, scamper_read, FORM_DATA},
	{"atlas", atlas_score, atlas_read, FORM_DATA},
	{"globalping", globalping_score, globalping_read, FORM_DATA},
	{"mtr-json", mtr_json_score, mtr_json_read, FORM_DATA},
	{"mtr-xml", mtr_xml_score, mtr_xml_read, FORM_DATA},
	{"mtr-csv", mtr_csv_score, mtr_csv_read, FORM_TEXT},
	{"mtr-raw", mtr_raw_score, mtr_raw_read, FORM_TEXT},
	{"mtr-report", mtr_report_score, mtr_report_read, FORM_TEXT},
	{"pathping", pathping_score, pathping_read, FORM_TEXT},
	{"tracert", tracert_score, tracert_read, FORM_TRIAL},
	{"tracepath", tracepath_score, tracepath_read, FORM_TRIAL},
	{"routeros", routeros_score, routeros_read, FORM_TEXT},
	{"linux", classic_score, classic_read, FORM_TRIAL},
	{"busybox", classic_score, classic_read, FORM_TEXT},
	{"inetutils", classic_score, classic_read, FORM_TEXT},
	{"bsd", classic_score, classic_read, FORM_TEXT},
	{"ios", classic_score, classic_read, FORM_TEXT},
	{"ios-xr", classic_score, classic_read, FORM_TEXT},
	{"nx-os", classic_score, classic_read, FORM_TEXT},
	{"junos", classic_score, classic_read, FORM_TEXT},
	{"sr-os", classic_score, classic_read, FORM_TEXT},
	{"huawei", classic_score, classic_read, FORM_TEXT},
	{"h3c", classic_score, classic_read, FORM_TEXT},
};

const char *import_dialect_name(size_t index)
{
	return index < ARRAY_LEN(dialects) ? dialects[index].name : NULL;
}

static const struct dialect *named(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(dialects); i++)
		if (strcmp(dialects[i].name, name) == 0)
			return &dialects[i];
	return NULL;
}

static int run(const struct dialect *dialect, const struct source *source, const struct import_hints *hints,
	struct import *import)
{
	struct build build;
	build_init(&build, import, dialect->name, hints);
	dialect->read(&build, source);
	build_end(&build);
	if (build.status < 0)
		import_deinit(import);
	return build.status;
}

/* How much a reader made of the input: answers count, what it could not read counts against it. */
static long worth(const struct import *import)
{
	long value = 0;
	for (size_t i = 0; i < import->count; i++) {
		const struct path *path = import->traces[i].measurement.forward;
		for (size_t k = 0; k < path->hop_count; k++)
			value += 1 + (long)MIN(path->hops[k].address_count, 8) * 4 +
				MIN(path->hops[k].received, 3);
		value -= 3 + (import->traces[i].partial ? 1 : 0);
	}
	return value;
}

/* No dialect is sure of itself: what each reads is compared. */
static int try_all(const struct source *source, const struct import_hints *hints, struct import *best)
{
	long best_worth = 0;
	for (size_t i = 0; i < ARRAY_LEN(dialects); i++) {
		struct import import = {0};
		if (dialects[i].form != FORM_TRIAL)
			continue;
		int status = run(&dialects[i], source, hints, &import);
		if (status < 0) {
			import_deinit(best);
			return status;
		}
		if (worth(&import) > best_worth) {
			best_worth = worth(&import);
			import_deinit(best);
			*best = import;
		} else {
			import_deinit(&import);
		}
	}
	return 0;
}

static const struct dialect *surest(const struct source *source)
{
	const struct dialect *best = NULL;
	int best_score = 0;
	for (size_t i = 0; i < ARRAY_LEN(dialects); i++) {
		int score = dialects[i].score ? dialects[i].score(source, dialects[i].name) : 0;
		if (score > best_score) {
			best = &dialects[i];
			best_score = score;
		}
	}
	return best;
}

static int read_source(const struct source *source, const struct import_hints *hints, struct import *import)
{
	const struct dialect *dialect = hints && hints->dialect ? named(hints->dialect) : surest(source);
	int status = dialect ? run(dialect, source, hints, import) : try_all(source, hints, import);
	if (status < 0)
		return status;
	if (import->count == 0 && import->note[0] == '\0') {
		snprintf(import->note, sizeof(import->note), "no traceroute was recognised in it");
		import->partial = true;
	} else if (source->text.cut && (!dialect || dialect->form != FORM_DATA)) {
		snprintf(import->note, sizeof(import->note), "only the first %d KiB were read",
			IMPORT_TEXT_MAX / 1024);
		import->partial = true;
	}
	return 0;
}

int import_read(const void *bytes, size_t length, const struct import_hints *hints, struct import *import,
	struct error *error)
{
	struct source source = {.bytes = bytes, .length = length};
	*import = (struct import){0};
	if (hints && hints->dialect && !named(hints->dialect))
		return error_set(error, -EINVAL, "%s: no such dialect of traceroute output", hints->dialect);
	if (length > IMPORT_DATA_MAX)
		return error_set(error, -E2BIG, "more than %d MiB is not read", IMPORT_DATA_MAX >> 20);
	int status = text_init(&source.text, source.bytes, source.length);
	if (status == 0) {
		source.documents = documents_read(source.bytes, source.length);
		status = source.documents ? 0 : -ENOMEM;
	}
	if (status == 0)
		status = read_source(&source, hints, import);
	text_deinit(&source.text);
	json_decref(source.documents);
	if (status < 0)
		return error_set(error, status, "out of memory");
	return 0;
}

void import_deinit(struct import *import)
{
	for (size_t i = 0; i < import->count; i++)
		measurement_deinit(&import->traces[i].measurement);
	free(import->traces);
	*import = (struct import){0};
}
