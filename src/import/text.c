#include "import/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "import/import.h"

/* The text as far as it is written; never longer than what was read. */
struct sink {
	char *bytes;
	size_t length;
};

static void put(struct sink *sink, char c)
{
	sink->bytes[sink->length++] = c;
}

/* As on a terminal: back over what stands in this line. */
static void erase(struct sink *sink, size_t count)
{
	while (count-- > 0 && sink->length > 0 && sink->bytes[sink->length - 1] != '\n')
		sink->length--;
}

static bool starts(const uint8_t *at, size_t left, const char *words)
{
	size_t length = strlen(words);
	return left >= length && strncasecmp((const char *)at, words, length) == 0;
}

/* ECMA-48 5.4: CSI, parameters, a final byte. Of the movements only those matter that pagers and redrawn
 * tables make: left rubs out, up and home begin a new line, right stands for blanks. */
static size_t take_escape(struct sink *sink, const uint8_t *at, size_t left)
{
	if (left < 2 || at[1] != '[')
		return left < 2 ? left : 2;
	size_t used = 2, number = 0;
	while (used < left && at[used] >= 0x20 && at[used] < 0x40) {
		if (isdigit(at[used]) && number < 1000)
			number = number * 10 + (at[used] - '0');
		used++;
	}
	if (used == left)
		return used;
	if (at[used] == 'D')
		erase(sink, number ? number : 1);
	else if (at[used] == 'A' || at[used] == 'H' || at[used] == 'F')
		put(sink, '\n');
	else if (at[used] == 'C')
		put(sink, ' ');
	return used + 1;
}

/* A tag of HTML that may stand around a traceroute. Others, like <MPLS:...> and <1 ms, are not HTML. */
static size_t take_tag(struct sink *sink, const uint8_t *at, size_t left)
{
	static const char *const breaks[] = {"br", "p", "pre", "div", "tr", "li", "table", "body", "html",
		"head", "title", "h1", "h2", "h3", "form", "ul"};
	static const char *const inner[] = {"a", "b", "i", "u", "td", "th", "tt", "em", "code", "span",
		"font", "strong", "tbody", "thead", "center", "meta", "link", "input", "button", "label",
		"small"};
	size_t start = left > 1 && at[1] == '/' ? 2 : 1, end = start;
	while (end < left && isalnum(at[end]))
		end++;
	const uint8_t *close = end < left ? memchr(at + end, '>', left - end) : NULL;
	if (!close || end == start || !strchr(" \t\r\n/>", at[end]))
		return 0;
	bool known = false;
	for (size_t i = 0; i < ARRAY_LEN(breaks) + ARRAY_LEN(inner) && !known; i++) {
		const char *name = i < ARRAY_LEN(breaks) ? breaks[i] : inner[i - ARRAY_LEN(breaks)];
		known = strlen(name) == end - start && starts(at + start, left - start, name);
		if (known)
			put(sink, i < ARRAY_LEN(breaks) ? '\n' : ' ');
	}
	return known ? (size_t)(close - at) + 1 : 0;
}

static size_t take_entity(struct sink *sink, const uint8_t *at, size_t left)
{
	static const struct {
		const char *entity;
		char stands_for;
	} known[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''},
		{"&nbsp;", ' '}, {"&#160;", ' '}, {"&#xa0;", ' '}, {"&#39;", '\''}, {"&#x27;", '\''},
		{"&#34;", '"'}, {"&#60;", '<'}, {"&#62;", '>'}, {"&#42;", '*'}, {"&#32;", ' '},
		{"&#10;", '\n'}, {"&#13;", '\n'}};
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (starts(at, left, known[i].entity)) {
			put(sink, known[i].stands_for);
			return strlen(known[i].entity);
		}
	}
	return 0;
}

/* A carriage return belongs to the line end after it, whatever NULs telnet put between; alone it is one. */
static void take_return(struct sink *sink, const uint8_t *at, size_t left)
{
	size_t next = 1;
	while (next < left && (at[next] == '\0' || at[next] == '\r'))
		next++;
	if (next == left || at[next] != '\n')
		put(sink, '\n');
}

static size_t take(struct sink *sink, const uint8_t *at, size_t left)
{
	size_t used = 0;
	if (*at == 0x1b)
		return take_escape(sink, at, left);
	if (*at == '<')
		used = take_tag(sink, at, left);
	else if (*at == '&')
		used = take_entity(sink, at, left);
	if (used > 0)
		return used;
	if (*at == '\b')
		erase(sink, 1);
	else if (*at == '\r')
		take_return(sink, at, left);
	else if (*at == '\t' || *at == '\f' || *at == '\v')
		put(sink, ' ');
	else if (left > 1 && at[0] == 0xc2 && at[1] == 0xa0) { /* no-break space in UTF-8 */
		put(sink, ' ');
		return 2;
	} else if (*at == '\n' || (*at >= 0x20 && *at != 0x7f))
		put(sink, (char)*at);
	return 1;
}

/* What a pager asks stands at the beginning of a line, and often in front of the next one. */
static void drop_pager(char *line)
{
	static const char *const pagers[] = {"--More--", "<--- More --->", "---- More ----", "-- More --",
		"---(more)---", "--- more ---", "Press any key to continue (Q to quit)",
		"-- [Q quit|D dump|down]", "-- [Q quit|D dump|right]"};
	for (size_t i = 0; i < ARRAY_LEN(pagers); i++) {
		char *found = strcasestr(line, pagers[i]);
		if (!found)
			continue;
		const char *after = found + strlen(pagers[i]);
		memmove(found, after, strlen(after) + 1);
		return;
	}
	char *more = strstr(line, "---(more ");
	char *end = more ? strstr(more, ")---") : NULL;
	if (end)
		memmove(more, end + 4, strlen(end + 4) + 1);
}

static int split(struct text *text, size_t length)
{
	size_t count = 1;
	for (size_t i = 0; i < length; i++)
		count += text->bytes[i] == '\n';
	text->lines = calloc(count, sizeof(*text->lines));
	if (!text->lines)
		return -ENOMEM;
	char *line = text->bytes;
	for (;;) {
		char *end = strchr(line, '\n');
		if (end)
			*end = '\0';
		drop_pager(line);
		text->lines[text->count++] = line;
		if (!end)
			return 0;
		line = end + 1;
	}
}

int text_init(struct text *text, const uint8_t *bytes, size_t length)
{
	*text = (struct text){.cut = length > IMPORT_TEXT_MAX};
	length = text->cut ? IMPORT_TEXT_MAX : length;
	text->bytes = malloc(length + 1);
	if (!text->bytes)
		return -ENOMEM;
	struct sink sink = {.bytes = text->bytes};
	size_t at = length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* UTF-8's mark */
	at = length >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0) ? 2 : at;
	while (at < length)
		at += take(&sink, bytes + at, length - at);
	text->bytes[sink.length] = '\0';
	int status = split(text, sink.length);
	if (status < 0)
		text_deinit(text);
	return status;
}

void text_deinit(struct text *text)
{
	free(text->bytes);
	free(text->lines);
	*text = (struct text){0};
}

const char *text_skip(const char *at)
{
	while (*at == ' ')
		at++;
	return at;
}

const char *text_begins(const char *line, const char *words)
{
	size_t length = strlen(words);
	line = text_skip(line);
	return strncasecmp(line, words, length) == 0 ? line + length : NULL;
}

const char *text_find(const struct text *text, const char *needle)
{
	for (size_t i = 0; i < text->count; i++) {
		const char *found = strstr(text->lines[i], needle);
		if (found)
			return found;
	}
	return NULL;
}

int text_count(const char **at)
{
	int value = 0;
	const char *p = *at;
	while (isdigit((unsigned char)*p) && p - *at < 9)
		value = value * 10 + (*p++ - '0');
	if (p == *at || isdigit((unsigned char)*p))
		return -1;
	*at = p;
	return value;
}
