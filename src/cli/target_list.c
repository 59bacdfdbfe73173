#include "cli/target_list.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first word of the line that is no comment, or NULL. */
static char *word_of(char *line)
{
	line[strcspn(line, "#\r\n")] = '\0';
	line += strspn(line, " \t");
	line[strcspn(line, " \t")] = '\0';
	return *line ? line : NULL;
}

static int add(struct target_list *list, const char *name)
{
	/* Doubling at powers of two needs no capacity field. */
	if ((list->count & (list->count - 1)) == 0) {
		char **names = reallocarray(list->names, list->count ? 2 * list->count : 1, sizeof(*names));
		if (!names)
			return -ENOMEM;
		list->names = names;
	}
	list->names[list->count] = strdup(name);
	return list->names[list->count] ? (list->count++, 0) : -ENOMEM;
}

static int read_lines(struct target_list *list, FILE *in)
{
	char *line = NULL;
	size_t size = 0;
	int result = 0;
	errno = 0;
	while (result == 0 && getline(&line, &size, in) >= 0) {
		const char *word = word_of(line);
		if (word)
			result = add(list, word);
	}
	if (result == 0 && ferror(in))
		result = errno ? -errno : -EIO;
	free(line);
	return result;
}

int target_list_read(struct target_list *list, const char *file, struct error *error)
{
	bool standard = strcmp(file, "-") == 0;
	FILE *in = standard ? stdin : fopen(file, "re");
	*list = (struct target_list){0};
	if (!in)
		return error_set(error, -errno, "cannot read the targets: %s: %s", file, strerror(errno));
	int result = read_lines(list, in);
	if (!standard)
		fclose(in);
	if (result == 0 && list->count == 0)
		result = error_set(error, -ENODATA, "no targets in %s", standard ? "standard input" : file);
	else if (result < 0)
		error_set(error, result, "cannot read the targets: %s: %s", file, strerror(-result));
	if (result < 0)
		target_list_deinit(list);
	return result;
}

void target_list_deinit(struct target_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->names[i]);
	free(list->names);
	*list = (struct target_list){0};
}
