#include "annotate/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"

static int map_open_file(struct file_bytes *bytes, int fd, size_t most)
{
	struct stat stat;
	if (fstat(fd, &stat) < 0)
		return -errno;
	if (!S_ISREG(stat.st_mode))
		return S_ISDIR(stat.st_mode) ? -EISDIR : -EINVAL;
	if ((uint64_t)stat.st_size > most)
		return -EFBIG;
	bytes->changed_s = stat.st_mtim.tv_sec;
	bytes->start = "";
	if (stat.st_size == 0)
		return 0;
	void *start = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (start == MAP_FAILED)
		return -errno;
	bytes->start = start;
	bytes->length = (size_t)stat.st_size;
	return 0;
}

int file_map(struct file_bytes *bytes, const char *path, size_t most, struct error *error)
{
	char shown[200];
	*bytes = (struct file_bytes){0};
	int fd = open(
		path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe with nobody at its end must not hold us */
	int code = fd < 0 ? -errno : map_open_file(bytes, fd, most);
	if (fd >= 0)
		close(fd);
	if (code == 0)
		return 0;
	escape_text(path, shown, sizeof(shown));
	if (code == -EFBIG)
		return error_set(
			error, code, "%s: more than %zu MB, the most that is read", shown, most >> 20);
	return error_set(error, code, "cannot read %s: %s", shown,
		code == -EINVAL ? "it is not a file" : strerror(-code));
}

void file_unmap(struct file_bytes *bytes)
{
	if (bytes->length > 0)
		munmap((void *)bytes->start, bytes->length);
	*bytes = (struct file_bytes){0};
}

static struct text without_return(struct text line)
{
	if (line.length > 0 && line.start[line.length - 1] == '\r')
		line.length--;
	return line;
}

bool line_next(struct text *rest, struct text *line)
{
	if (rest->length == 0)
		return false;
	const char *end = memchr(rest->start, '\n', rest->length);
	size_t length = end ? (size_t)(end - rest->start) : rest->length;
	*line = without_return((struct text){rest->start, length});
	length += end != NULL;
	rest->start += length;
	rest->length -= length;
	return true;
}

bool line_is_idle(struct text line)
{
	size_t i = 0;
	while (i < line.length && (line.start[i] == ' ' || line.start[i] == '\t'))
		i++;
	return i == line.length || line.start[i] == '#';
}

struct text line_at(struct text all, size_t position, bool *whole)
{
	const char *before = memrchr(all.start, '\n', position);
	const char *start = before ? before + 1 : all.start;
	size_t left = all.length - (size_t)(start - all.start);
	const char *end = memchr(start, '\n', left);
	*whole = end != NULL;
	return (struct text){start, end ? (size_t)(end - start) : left};
}

bool text_field(struct text line, char separator, unsigned index, struct text *field)
{
	const char *start = line.start, *end = line.start + line.length;
	for (; index > 0; index--) {
		start = memchr(start, separator, (size_t)(end - start));
		if (!start)
			return false;
		start++;
	}
	const char *stop = memchr(start, separator, (size_t)(end - start));
	*field = (struct text){start, (size_t)((stop ? stop : end) - start)};
	return true;
}

unsigned text_split(struct text line, char separator, struct text *fields, unsigned most)
{
	const char *start = line.start, *end = line.start + line.length;
	for (unsigned count = 0;; count++) {
		if (count == most)
			return most + 1;
		const char *stop = memchr(start, separator, (size_t)(end - start));
		fields[count] = (struct text){start, (size_t)((stop ? stop : end) - start)};
		if (!stop)
			return count + 1;
		start = stop + 1;
	}
}

bool text_copy(struct text text, char *out, size_t size)
{
	if (text.length >= size || memchr(text.start, '\0', text.length))
		return false;
	memcpy(out, text.start, text.length);
	out[text.length] = '\0';
	return true;
}

bool text_number(struct text text, uint32_t most, uint32_t *value)
{
	uint64_t number = 0;
	if (text.length == 0 || text.length > 10)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		if (text.start[i] < '0' || text.start[i] > '9')
			return false;
		number = number * 10 + (uint64_t)(text.start[i] - '0');
	}
	*value = (uint32_t)number;
	return number <= most;
}

bool text_addr(struct text text, struct addr *addr)
{
	char copy[ADDR_TEXT_SIZE];
	return text_copy(text, copy, sizeof(copy)) && addr_parse(copy, addr);
}

static size_t origin_length(struct text text)
{
	size_t length = 0;
	while (length < text.length && text.start[length] != '_' && text.start[length] != ',')
		length++;
	return length;
}

unsigned text_origins(struct text text, uint32_t *asns, unsigned most)
{
	unsigned count = 0;
	for (;;) {
		size_t length = origin_length(text);
		uint32_t asn;
		unsigned i = 0;
		if (!text_number((struct text){text.start, length}, UINT32_MAX, &asn))
			return 0;
		while (i < count && asns[i] != asn)
			i++;
		if (i == count && count < most)
			asns[count++] = asn;
		if (length == text.length)
			return count;
		text.start += length + 1;
		text.length -= length + 1;
	}
}
