#include "import/header.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/compiler.h"

static const char *after_opening(const char *line)
{
	static const char *const openings[] = {"traceroute to ", "traceroute6 to ",
		"traceroute to: ", "tracing the route to ", "tracing the path to ", "tracing route to ",
		"tracing trace route to "};
	for (size_t i = 0; i < ARRAY_LEN(openings); i++) {
		const char *rest = text_begins(line, openings[i]);
		if (rest)
			return text_skip(rest);
	}
	return NULL;
}

/* NAME (ADDR), NAME(ADDR), NAME [ADDR], ADDR */
static const char *read_target(const char *at, struct header *header)
{
	struct token token;
	size_t length = strcspn(at, " ,([");
	const char *rest = text_skip(at + length);
	lex_copy(header->name, sizeof(header->name), at, length);
	if (*rest == '(' || *rest == '[') {
		lex_next(&rest, &token);
		if (token.kind == TOKEN_ADDRESS)
			header->target = token.address;
	}
	struct addr literal;
	if (lex_address(header->name, strlen(header->name), &literal)) {
		header->target = addr_is_set(header->target) ? header->target : literal;
		header->name[0] = '\0';
	}
	return rest;
}

/* The number before "hops", and after "hops:". */
static int number_beside(const char *line, const char *word)
{
	const char *found = strcasestr(line, word);
	if (!found)
		return -1;
	const char *after = text_skip(found + strlen(word));
	if (*after == ':') {
		after = text_skip(after + 1);
		return text_count(&after);
	}
	const char *start = found;
	while (start > line && start[-1] == ' ')
		start--;
	while (start > line && isdigit((unsigned char)start[-1]))
		start--;
	return text_count(&start);
}

bool header_read(const char *line, struct header *header)
{
	const char *at = after_opening(line);
	*header = (struct header){.hops_max = -1, .size = -1};
	if (!at || *at == '\0')
		return false;
	const char *rest = read_target(at, header);
	const char *from = text_begins(rest, "from ");
	if (from) {
		from = text_skip(from);
		(void)lex_address(from, strcspn(from, " "), &header->source);
	}
	header->hops_max = number_beside(rest, "hops");
	header->size = number_beside(rest, "byte");
	if (header->size < 0)
		header->size = number_beside(rest, "packet length");
	header->tcp = strstr(rest, "TCP") != NULL;
	return addr_is_set(header->target) || header->name[0];
}

/* The last word that is an address, or else the last word. */
bool header_command(const char *line, const char *command, struct header *header)
{
	const char *at = strstr(line, command);
	*header = (struct header){.hops_max = -1, .size = -1};
	if (!at || (at > line && isalnum((unsigned char)at[-1])))
		return false;
	at += strlen(command);
	if (*at != ' ')
		return false;
	for (at = text_skip(at); *at; at = text_skip(at + strcspn(at, " "))) {
		size_t length = strcspn(at, " ");
		const char *value = memchr(at, '=', length); /* address=198.51.100.9 */
		size_t skipped = value ? (size_t)(value - at) + 1 : 0;
		struct addr address;
		if (lex_address(at + skipped, length - skipped, &address))
			header->target = address;
		else if (*at != '-' && !value)
			lex_copy(header->name, sizeof(header->name), at, length);
	}
	if (addr_is_set(header->target))
		header->name[0] = '\0';
	return addr_is_set(header->target) || header->name[0];
}
