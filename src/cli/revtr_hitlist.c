/* A hitlist: addresses that are known to answer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "cli/revtr_inside.h"
#include "revtr/survey.h"

static int append(uint32_t **addresses, unsigned *count, unsigned *room, uint32_t address)
{
	if (*count == *room) {
		unsigned more = *room ? 2 * *room : 1024;
		uint32_t *longer = realloc(*addresses, more * sizeof(*longer));
		if (!longer)
			return -ENOMEM;
		*addresses = longer;
		*room = more;
	}
	(*addresses)[(*count)++] = address;
	return 0;
}

static int read_lines(
	FILE *stream, const char *file, uint32_t **addresses, unsigned *count, struct error *error)
{
	char line[256];
	unsigned room = 0;
	for (unsigned number = 1; fgets(line, sizeof(line), stream); number++) {
		struct addr address;
		line[strcspn(line, "# \t\r\n")] = '\0';
		if (!*line)
			continue;
		if (!addr_parse(line, &address) || address.family != 4 || addr_is_private(address) ||
			!addr_is_unicast(address))
			return error_set(
				error, -EINVAL, "%s, line %u: expected a public IPv4 address", file, number);
		if (*count == SURVEY_ADDRESSES_MAX)
			return error_set(
				error, -E2BIG, "%s has more than %d addresses", file, SURVEY_ADDRESSES_MAX);
		if (append(addresses, count, &room, (uint32_t)address.low) < 0)
			return error_set(error, -ENOMEM, "out of memory");
	}
	return ferror(stream) ? error_set(error, -EIO, "cannot read %s", file) : 0;
}

int revtr_hitlist_read(const char *file, uint32_t **addresses, unsigned *count, struct error *error)
{
	FILE *stream = fopen(file, "re");
	*addresses = NULL;
	*count = 0;
	if (!stream)
		return error_set(error, -errno, "cannot open %s: %s", file, strerror(errno));
	int result = read_lines(stream, file, addresses, count, error);
	fclose(stream);
	return result;
}
