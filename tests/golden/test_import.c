/* Every input of the corpus against what a person wrote down for it; the share of hops by dialect is printed,
 * and less than 95 % of one dialect is a failure. Usage: test_golden_import DIRECTORY [FILE to show] */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import_case.h"

#define FILES_MAX    200
#define INPUT_MAX    (1024 * 1024)
#define SHARE_MIN    95
#define DIALECTS_MAX 64

struct tally {
	char dialect[32];
	unsigned cases, expected, found;
};

static char input[INPUT_MAX], want[INPUT_MAX], got[INPUT_MAX];
static struct tally tallies[DIALECTS_MAX];
static unsigned tally_count;

static size_t slurp(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		exit(1);
	}
	size_t length = fread(text, 1, size - 1, file);
	text[length] = '\0';
	fclose(file);
	return length;
}

static struct tally *tally_of(const char *name)
{
	char dialect[sizeof(tallies[0].dialect)];
	snprintf(dialect, sizeof(dialect), "%.*s", (int)strcspn(name, "_."), name);
	for (unsigned i = 0; i < tally_count; i++)
		if (strcmp(tallies[i].dialect, dialect) == 0)
			return &tallies[i];
	if (tally_count == DIALECTS_MAX)
		exit(1);
	strcpy(tallies[tally_count].dialect, dialect);
	return &tallies[tally_count++];
}

/* Is the line of `length` bytes one of `text`, after `*from`? Moves behind it. */
static bool has_line(const char *text, const char *line, size_t length, size_t *from)
{
	for (const char *p = text + *from; *p;) {
		size_t here = strcspn(p, "\n");
		if (here == length && memcmp(p, line, length) == 0) {
			*from = (size_t)(p - text) + here;
			return true;
		}
		p += here + (p[here] == '\n');
	}
	return false;
}

static unsigned count_lines(const char *text)
{
	unsigned count = 0;
	for (; *text; text++)
		count += *text == '\n';
	return count;
}

/* Lines of the expectation that were found, in order. */
static void compare(const char *name, struct tally *tally)
{
	unsigned found = 0, expected = 0, missing = 0;
	size_t from = 0;
	for (const char *p = want; *p;) {
		size_t length = strcspn(p, "\n");
		if (length > 0) {
			expected++;
			bool there = has_line(got, p, length, &from);
			found += there;
			missing += !there;
			if (!there)
				printf("# %s: not found: %.*s\n", name, (int)length, p);
		}
		p += length + (p[length] == '\n');
	}
	unsigned lines = count_lines(got);
	unsigned invented = lines > found + missing ? lines - found - missing : 0;
	if (invented > 0)
		printf("# %s: %u lines too many\n", name, invented);
	tally->cases++;
	tally->expected += expected + invented;
	tally->found += found;
}

static void run(const char *directory, const char *name, bool show)
{
	char path[4096];
	struct import import;
	struct error error;
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	size_t length = slurp(path, input, sizeof(input));
	snprintf(path, sizeof(path), "%s/%.*s.want", directory, (int)(strlen(name) - 3), name);
	if (!show)
		slurp(path, want, sizeof(want));

	if (import_read(input, length, NULL, &import, &error) < 0) {
		printf("# %s: %s\n", name, error.text);
		got[0] = '\0';
	} else {
		import_case_write(&import, got, sizeof(got));
		for (size_t i = 0; show && i < import.count; i++)
			printf("# note: %s\n", import.traces[i].note);
		import_deinit(&import);
	}
	if (show)
		fputs(got, stdout);
	else
		compare(name, tally_of(name));
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static unsigned run_all(const char *directory)
{
	char *names[FILES_MAX];
	unsigned count = 0;
	DIR *listing = opendir(directory);
	for (struct dirent *entry; listing && (entry = readdir(listing));) {
		size_t length = strlen(entry->d_name);
		if (length > 3 && strcmp(entry->d_name + length - 3, ".in") == 0 && count < FILES_MAX)
			names[count++] = strdup(entry->d_name);
	}
	if (listing)
		closedir(listing);
	qsort(names, count, sizeof(*names), compare_names);
	for (unsigned i = 0; i < count; i++) {
		run(directory, names[i], false);
		free(names[i]);
	}
	return count;
}

int main(int argc, char **argv)
{
	unsigned expected = 0, found = 0;
	bool good = true;
	if (argc < 2)
		return 2;
	if (argc > 2) {
		run(argv[1], argv[2], true);
		return 0;
	}
	unsigned cases = run_all(argv[1]);
	for (unsigned i = 0; i < tally_count; i++) {
		const struct tally *tally = &tallies[i];
		expected += tally->expected;
		found += tally->found;
		good = good && tally->found * 100 >= tally->expected * SHARE_MIN;
		printf("%-16s %2u inputs, %4u of %4u lines\n", tally->dialect, tally->cases, tally->found,
			tally->expected);
	}
	printf("%u inputs, %u of %u lines\n", cases, found, expected);
	return good && cases > 0 && expected > 0 ? 0 : 1;
}
