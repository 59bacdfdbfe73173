#include "import/import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/dialect.h"

/* Among equals the first is taken. */
static const struct dialect dialects[] = {
	{"linux", classic_score, classic_read, true},
	{"busybox", classic_score, classic_read, false},
	{"inetutils", classic_score, classic_read, false},
	{"bsd", classic_score, classic_read, false},
	{"ios", classic_score, classic_read, false},
	{"ios-xr", classic_score, classic_read, false},
	{"nx-os", classic_score, classic_read, false},
	{"junos", classic_score, classic_read, false},
	{"sr-os", classic_score, classic_read, false},
	{"huawei", classic_score, classic_read, false},
	{"h3c", classic_score, classic_read, false},
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
		if (!dialects[i].trial)
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
	return dialect ? run(dialect, source, hints, import) : try_all(source, hints, import);
}

static void set_note(const struct source *source, struct import *import)
{
	if (import->count == 0) {
		import->partial = true;
		snprintf(import->note, sizeof(import->note), "no traceroute was recognised in it");
	} else if (source->text.cut && !import->partial) {
		import->partial = true;
		snprintf(import->note, sizeof(import->note), "only the first %d KiB were read",
			IMPORT_TEXT_MAX / 1024);
	}
}

int import_read(const void *bytes, size_t length, const struct import_hints *hints, struct import *import,
	struct error *error)
{
	struct source source = {.bytes = bytes, .length = length};
	*import = (struct import){0};
	if (hints && hints->dialect && !named(hints->dialect))
		return error_set(error, -EINVAL, "%s: no such dialect of traceroute output", hints->dialect);
	int status = text_init(&source.text, source.bytes, source.length);
	if (status == 0)
		status = read_source(&source, hints, import);
	if (status == 0)
		set_note(&source, import);
	text_deinit(&source.text);
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
