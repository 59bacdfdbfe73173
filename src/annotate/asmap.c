#include "annotate/asmap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct line {
	const char *start;
	size_t length;
};

int asmap_open(struct asmap *map, const char *path, struct error *error)
{
	struct stat stat;
	*map = (struct asmap){0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set(error, -errno, "cannot read %s: %s", path, strerror(errno));
	int code = fstat(fd, &stat) < 0 ? -errno : 0;
	if (code == 0 && stat.st_size > 0) {
		void *text = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (text == MAP_FAILED)
			code = -errno;
		else
			*map = (struct asmap){.text = text, .length = (size_t)stat.st_size};
	}
	close(fd);
	return code < 0 ? error_set(error, code, "cannot map %s: %s", path, strerror(-code)) : 0;
}

void asmap_close(struct asmap *map)
{
	if (map->text)
		munmap((void *)map->text, map->length);
	*map = (struct asmap){0};
}

/* The line that holds the byte at `position`. */
static struct line line_at(const struct asmap *map, size_t position)
{
	const char *before = memrchr(map->text, '\n', position);
	const char *start = before ? before + 1 : map->text;
	const char *end = memchr(start, '\n', map->length - (size_t)(start - map->text));
	size_t length = end ? (size_t)(end - start) : map->length - (size_t)(start - map->text);
	return (struct line){.start = start, .length = length};
}

/* Copy field number `index` of a line; false when it is missing or too long. */
static bool field(struct line line, unsigned index, char *out, size_t size)
{
	const char *p = line.start, *end = line.start + line.length;
	for (; index > 0; index--) {
		p = memchr(p, '\t', (size_t)(end - p));
		if (!p)
			return false;
		p++;
	}
	const char *tab = memchr(p, '\t', (size_t)(end - p));
	size_t length = (size_t)((tab ? tab : end) - p);
	if (length >= size)
		return false;
	memcpy(out, p, length);
	out[length] = '\0';
	return true;
}

static bool field_addr(struct line line, unsigned index, struct addr *addr)
{
	char text[ADDR_TEXT_SIZE];
	return field(line, index, text, sizeof(text)) && addr_parse(text, addr);
}

static bool read_origin(struct line line, struct as_origin *origin)
{
	char number[12], country[8];
	*origin = (struct as_origin){0};
	/* Without a field after it the number may have been cut off. */
	if (!field(line, 2, number, sizeof(number)) || !field(line, 3, country, sizeof(country)))
		return false;
	origin->asn = (uint32_t)strtoul(number, NULL, 10);
	if (strlen(country) == 2)
		memcpy(origin->country, country, 3);
	if (!field(line, 4, origin->name, sizeof(origin->name)))
		origin->name[0] = '\0';
	return origin->asn != 0; /* iptoasn writes 0 for space that nobody announces */
}

bool asmap_find(const struct asmap *map, struct addr addr, struct as_origin *origin)
{
	size_t low = 0, high = map->length;
	while (low < high) {
		struct line line = line_at(map, low + (high - low) / 2);
		size_t start = (size_t)(line.start - map->text);
		struct addr first, last;
		if (!field_addr(line, 0, &first) || !field_addr(line, 1, &last))
			return false;
		if (addr_compare(addr, first) < 0)
			high = start;
		else if (addr_compare(addr, last) > 0)
			low = MIN(start + line.length + 1, high);
		else
			return read_origin(line, origin);
	}
	return false;
}
