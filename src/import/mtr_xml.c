/* mtr's XML, which needs no more of XML than elements with attributes and text. mtr escapes nothing, so
 * neither is anything unescaped here but by accident. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cursor.h"
#include "import/dialect.h"
#include "import/mtr.h"

#define ATTRIBUTES_MAX 16
#define VALUE_SIZE     LEX_NAME_SIZE

/* One tag and the text behind it. */
struct element {
	char name[32];
	struct {
		char name[32], value[VALUE_SIZE];
	} attributes[ATTRIBUTES_MAX];
	size_t attribute_count;
	char text[64];
};

static int peek(const struct cursor *cursor)
{
	return cursor_left(cursor) > 0 ? cursor->data[cursor->position] : -1;
}

/* Up to one of `stops` or the end; what does not fit is dropped. */
static void take_until(struct cursor *cursor, const char *stops, char *out, size_t size)
{
	size_t used = 0;
	for (int c; (c = peek(cursor)) > 0 && !strchr(stops, c); cursor_skip(cursor, 1))
		if (used + 1 < size)
			out[used++] = (char)c;
	out[used] = '\0';
}

static void skip_blanks(struct cursor *cursor)
{
	for (int c; (c = peek(cursor)) > 0 && strchr(" \t\r\n/?", c);)
		cursor_skip(cursor, 1);
}

static void take_attribute(struct cursor *cursor, struct element *element)
{
	char name[32], value[VALUE_SIZE] = "";
	take_until(cursor, "= \t\r\n/>", name, sizeof(name));
	if (peek(cursor) == '=') {
		cursor_skip(cursor, 1);
		int quote = peek(cursor);
		char stops[] = {(char)quote, '\0'};
		if (quote == '"' || quote == '\'') {
			cursor_skip(cursor, 1);
			take_until(cursor, stops, value, sizeof(value));
			cursor_skip(cursor, 1);
		} else {
			take_until(cursor, " >", value, sizeof(value));
		}
	} else if (!name[0]) {
		cursor_skip(cursor, 1);
	}
	if (!name[0] || element->attribute_count == ATTRIBUTES_MAX)
		return;
	strcpy(element->attributes[element->attribute_count].name, name);
	strcpy(element->attributes[element->attribute_count].value, value);
	element->attribute_count++;
}

/* The next tag; false: there is none. A NUL ends it all. */
static bool next(struct cursor *cursor, struct element *element)
{
	char ignored[2];
	element->attribute_count = 0;
	take_until(cursor, "<", ignored, sizeof(ignored));
	if (peek(cursor) != '<')
		return false;
	cursor_skip(cursor, 1);
	take_until(cursor, " \t\r\n>", element->name, sizeof(element->name));
	for (skip_blanks(cursor); peek(cursor) > 0 && peek(cursor) != '>'; skip_blanks(cursor))
		take_attribute(cursor, element);
	cursor_skip(cursor, 1);
	struct cursor ahead = *cursor; /* the text may be followed by a tag without a name of ours */
	take_until(&ahead, "<", element->text, sizeof(element->text));
	return cursor_ok(cursor);
}

static const char *attribute(const struct element *element, const char *name)
{
	for (size_t i = 0; i < element->attribute_count; i++)
		if (strcasecmp(element->attributes[i].name, name) == 0)
			return element->attributes[i].value;
	return NULL;
}

int mtr_xml_score(const struct source *source, const char *dialect)
{
	(void)dialect;
	struct cursor cursor = cursor_init(source->bytes, source->length);
	struct element *element = calloc(1, sizeof(*element));
	int score = 0;
	while (element && score == 0 && next(&cursor, element))
		score = strcmp(element->name, "MTR") == 0 && attribute(element, "DST") ? 100 : 0;
	free(element);
	return score;
}

struct hub {
	int ttl; /* 0 = outside of any */
	struct mtr_host host;
	struct mtr_sums sums;
	uint32_t asns[LEX_ASNS_MAX];
	size_t asn_count;
};

static void end_hub(struct build *build, struct hub *hub)
{
	if (hub->ttl > 0) {
		mtr_hop(build, hub->ttl, &hub->host, &hub->sums);
		build_origins(build, hub->host.address, hub->asns, hub->asn_count);
	}
	*hub = (struct hub){.sums = MTR_SUMS_NONE};
}

static void begin_hub(struct hub *hub, const struct element *element)
{
	const char *count = attribute(element, "COUNT"), *host = attribute(element, "HOST"),
		   *address = attribute(element, "ADDR"), *name = attribute(element, "HOSTNAME");
	hub->ttl = count ? text_count(&count) : 0;
	hub->host = mtr_host(host ? host : "", host ? strlen(host) : 0);
	if (address && lex_address(address, strlen(address), &hub->host.address))
		hub->host.known = true;
	if (name && *name && !hub->host.name[0])
		lex_copy(hub->host.name, sizeof(hub->host.name), name, strlen(name));
}

static void begin_trace(struct build *build, const struct element *element)
{
	const char *target = attribute(element, "DST");
	struct addr address = ADDR_NONE;
	bool literal = target && addr_parse(target, &address);
	build_trace(build, PROBE_ICMP);
	build_target(build, literal ? NULL : target, address);
	build_source(build, attribute(element, "SRC"), ADDR_NONE);
}

static void take(struct build *build, struct hub *hub, const struct element *element)
{
	if (strcmp(element->name, "MTR") == 0 || strcmp(element->name, "/MTR") == 0) {
		end_hub(build, hub);
		build_end(build);
		if (element->name[0] != '/')
			begin_trace(build, element);
	} else if (strcmp(element->name, "HUB") == 0) {
		end_hub(build, hub);
		begin_hub(hub, element);
	} else if (strcasecmp(element->name, "ASN") == 0) {
		hub->asn_count = lex_asns(element->text, strlen(element->text), hub->asns);
	} else if (hub->ttl > 0) {
		mtr_column(&hub->sums, element->name, strlen(element->name), atof(element->text));
	}
}

void mtr_xml_read(struct build *build, const struct source *source)
{
	struct cursor cursor = cursor_init(source->bytes, source->length);
	struct element *element = calloc(1, sizeof(*element));
	struct hub hub = {.sums = MTR_SUMS_NONE};
	if (!element) {
		build->status = -ENOMEM;
		return;
	}
	while (next(&cursor, element))
		take(build, &hub, element);
	end_hub(build, &hub);
	if (build->trace)
		build->cut = true; /* no end tag */
	build_end(build);
	free(element);
}
