#include "reverse/lg_html.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/compiler.h"

/* Some looking glasses pad each line with thousands of blanks, so that it leaves the server's buffer. */
#define BLANKS_MAX 80

/* A part of the page. */
struct span {
	const char *at, *end;
};

static size_t left(struct span span)
{
	return (size_t)(span.end - span.at);
}

static bool begins(struct span span, const char *word)
{
	size_t length = strlen(word);
	return left(span) >= length && strncasecmp(span.at, word, length) == 0;
}

/* From the place where `word` is, or nothing. */
static struct span find(struct span span, const char *word)
{
	while (span.at < span.end) {
		const char *first = memchr(span.at, word[0], left(span));
		if (!first)
			break;
		span.at = first;
		if (begins(span, word))
			return span;
		span.at++;
	}
	span.at = span.end;
	return span;
}

static bool opens_tag(struct span span)
{
	return left(span) >= 2 && span.at[0] == '<' && span.at[1] &&
		(isalpha((unsigned char)span.at[1]) || strchr("/!?", span.at[1]));
}

/* Where opens_tag: `tag` is what stands between the brackets, and span is moved behind it. False: there is no
 * '>' any more, and so there are no tags. */
static bool take_tag(struct span *span, struct span *tag)
{
	const char *close = memchr(span->at, '>', left(*span));
	if (!close)
		return false;
	*tag = (struct span){span->at + 1, close};
	span->at = close + 1;
	return true;
}

static bool is_tag(struct span tag, const char *name)
{
	size_t length = strlen(name);
	return begins(tag, name) && (left(tag) == length || !isalnum((unsigned char)tag.at[length]));
}

/* ---- characters */

static size_t put_utf8(uint32_t code, char *out)
{
	if (code == 0xa0 || code == 0x2007 || code == 0x202f)
		code = ' ';
	if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const uint8_t marks[] = {0, 0xc0, 0xe0, 0xf0};
	out[0] = (char)(marks[more] | (code >> (6 * more)));
	for (size_t i = 1; i <= more; i++)
		out[i] = (char)(0x80 | ((code >> (6 * (more - i))) & 0x3f));
	return 1 + more;
}

static bool read_number(struct span digits, uint32_t *code)
{
	unsigned base = 10;
	*code = 0;
	if (left(digits) > 0 && (*digits.at == 'x' || *digits.at == 'X')) {
		base = 16;
		digits.at++;
	}
	if (left(digits) == 0 || left(digits) > 7)
		return false;
	for (; digits.at < digits.end; digits.at++) {
		int c = tolower((unsigned char)*digits.at);
		unsigned digit = isdigit(c) ? (unsigned)c - '0' : isxdigit(c) ? (unsigned)c - 'a' + 10 : 99;
		if (digit >= base)
			return false;
		*code = *code * base + digit;
	}
	return true;
}

/* `span` is at an '&'. What it stands for is never longer than itself. 0: it is only an '&'. */
static size_t take_entity(struct span *span, char *out)
{
	static const struct {
		const char *name;
		char means;
	} names[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}, {"nbsp", ' '}};
	const char *end = memchr(span->at, ';', MIN(left(*span), 12));
	uint32_t code;
	size_t length = 0;
	if (!end)
		return 0;
	struct span name = {span->at + 1, end};
	if (left(name) > 1 && *name.at == '#' && read_number((struct span){name.at + 1, end}, &code))
		length = put_utf8(code, out);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (left(name) == strlen(names[i].name) && begins(name, names[i].name))
			out[length++] = names[i].means;
	if (length > 0)
		span->at = end + 1;
	return length;
}

/* ---- text */

struct text {
	char *bytes;
	size_t length, blanks; /* at the end of it */
};

static void put(struct text *text, char byte)
{
	if (byte == '\0')
		return;
	if (byte != ' ' && text->blanks > BLANKS_MAX)
		text->length -= text->blanks - 1;
	text->blanks = byte == ' ' ? text->blanks + 1 : 0;
	text->bytes[text->length++] = byte;
}

static bool breaks_line(struct span tag)
{
	static const char *const names[] = {"br", "p", "/p", "div", "/div", "tr", "/tr", "li", "/li", "pre",
		"/pre", "table", "/table", "h1", "h2", "h3", "h4", "/h1", "/h2", "/h3", "/h4", "hr", "option",
		"title", "/title", "textarea", "/textarea"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (is_tag(tag, names[i]))
			return true;
	return false;
}

/* The page is put behind a tag, or behind what it opens that is no text. */
static void pass_tag(struct span *page, struct span tag, struct text *text)
{
	if (begins(tag, "!--")) {
		*page = find((struct span){tag.at, page->end}, "-->");
		page->at += MIN(left(*page), 3);
	} else if (is_tag(tag, "script")) {
		*page = find(*page, "</script");
	} else if (is_tag(tag, "style")) {
		*page = find(*page, "</style");
	} else if (breaks_line(tag)) {
		put(text, '\n');
		if (is_tag(tag, "br") && begins(*page, "\r"))
			page->at++;
		if (is_tag(tag, "br") && begins(*page, "\n"))
			page->at++;
	} else if (is_tag(tag, "td") || is_tag(tag, "th")) {
		put(text, ' ');
	}
}

static char *text_of(struct span page, size_t *text_length)
{
	struct text text = {.bytes = malloc(left(page) + 1)};
	bool tags = true; /* there may be more of them */
	if (!text.bytes)
		return NULL;
	while (page.at < page.end) {
		struct span tag;
		char means[8];
		size_t count;
		if (tags && opens_tag(page)) {
			tags = take_tag(&page, &tag);
			if (tags)
				pass_tag(&page, tag, &text);
		} else if (*page.at == '&' && (count = take_entity(&page, means)) > 0) {
			for (size_t i = 0; i < count; i++)
				put(&text, means[i]);
		} else {
			put(&text, *page.at++);
		}
	}
	text.bytes[text.length] = '\0';
	*text_length = text.length;
	return text.bytes;
}

char *lg_html_text(const char *html, size_t length, size_t *text_length)
{
	return text_of((struct span){html, html + length}, text_length);
}

/* ---- elements */

/* The next tag of this name; `page` is put behind it. */
static bool next_tag(struct span *page, const char *name, struct span *tag)
{
	while (page->at < page->end) {
		const char *open = memchr(page->at, '<', left(*page));
		if (!open)
			break;
		page->at = open;
		if (!opens_tag(*page))
			page->at++;
		else if (!take_tag(page, tag))
			break;
		else if (is_tag(*tag, name))
			return true;
	}
	page->at = page->end;
	return false;
}

static struct span longest(struct span page, const char *name, const char *close)
{
	struct span best = {page.at, page.at}, tag;
	while (next_tag(&page, name, &tag)) {
		struct span rest = find(page, close), content = {page.at, rest.at};
		if (left(content) > left(best))
			best = content;
		page = rest;
	}
	return best;
}

char *lg_html_pre(const char *html, size_t length, size_t *text_length)
{
	struct span page = {html, html + length};
	struct span pre = longest(page, "pre", "</pre");
	if (left(pre) == 0)
		pre = longest(page, "textarea", "</textarea");
	if (left(pre) == 0)
		pre = longest(page, "samp", "</samp");
	return text_of(left(pre) > 0 ? pre : page, text_length);
}

static void skip_blanks(struct span *span)
{
	while (span->at < span->end && (isspace((unsigned char)*span->at) || *span->at == '/'))
		span->at++;
}

static struct span take_value(struct span *tag)
{
	struct span value = {tag->at, tag->at};
	skip_blanks(tag);
	if (tag->at == tag->end)
		return value;
	char quote = *tag->at;
	if (quote == '"' || quote == '\'') {
		value.at = ++tag->at;
		const char *end = memchr(tag->at, quote, left(*tag));
		value.end = end ? end : tag->end;
		tag->at = end ? end + 1 : tag->end;
		return value;
	}
	value.at = tag->at;
	while (tag->at < tag->end && !isspace((unsigned char)*tag->at))
		tag->at++;
	value.end = tag->at;
	return value;
}

/* The attribute's value as text; NULL: the tag has none of this name. */
static char *attribute(struct span tag, const char *name)
{
	size_t length;
	while (tag.at < tag.end && isalnum((unsigned char)*tag.at))
		tag.at++;
	while (tag.at < tag.end) {
		skip_blanks(&tag);
		struct span word = tag;
		while (tag.at < tag.end && *tag.at != '=' && !isspace((unsigned char)*tag.at))
			tag.at++;
		word.end = tag.at;
		struct span after = tag;
		skip_blanks(&after);
		struct span value = {tag.at, tag.at};
		if (after.at < after.end && *after.at == '=') {
			after.at++;
			tag = after;
			value = take_value(&tag);
		} else if (left(word) == 0 && tag.at < tag.end) {
			tag.at++;
		}
		if (left(word) == strlen(name) && begins(word, name))
			return text_of(value, &length);
	}
	return NULL;
}

static bool attribute_is(struct span tag, const char *name, const char *wanted)
{
	char *value = attribute(tag, name);
	bool same = value && strcmp(value, wanted) == 0;
	free(value);
	return same;
}

char *lg_html_input(const char *html, size_t length, const char *name)
{
	struct span page = {html, html + length}, tag;
	while (next_tag(&page, "input", &tag))
		if (attribute_is(tag, "name", name))
			return attribute(tag, "value");
	return NULL;
}

/* The text up to the next tag, without blanks around it. */
static char *label_of(struct span page)
{
	size_t length;
	const char *end = memchr(page.at, '<', left(page));
	if (end)
		page.end = end;
	while (page.at < page.end && isspace((unsigned char)*page.at))
		page.at++;
	while (page.at < page.end && isspace((unsigned char)page.end[-1]))
		page.end--;
	return text_of(page, &length);
}

char *lg_html_option(const char *html, size_t length, const char *name, const char *wanted, char **label)
{
	struct span page = {html, html + length}, tag;
	while (next_tag(&page, "select", &tag) && !attribute_is(tag, "name", name))
		;
	page.end = find(page, "</select").at;
	while (next_tag(&page, "option", &tag)) {
		char *text = label_of(page), *value = attribute(tag, "value");
		if (!value)
			value = text ? strdup(text) : NULL;
		bool found = text && value &&
			(wanted ? strcasecmp(value, wanted) == 0 || strcasecmp(text, wanted) == 0
				: value[0] != '\0');
		if (found && label) {
			*label = text;
			text = NULL;
		}
		free(text);
		if (found)
			return value;
		free(value);
	}
	return NULL;
}
