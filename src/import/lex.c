#include "import/lex.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "import/text.h"

void lex_copy(char *out, size_t size, const char *text, size_t length)
{
	length = MIN(length, size - 1);
	memcpy(out, text, length);
	out[length] = '\0';
}

bool lex_address(const char *text, size_t length, struct addr *address)
{
	char copy[ADDR_TEXT_SIZE];
	while (length > 0 && strchr("([", text[0])) {
		text++;
		length--;
	}
	const char *scope = memchr(text, '%', length);
	if (scope)
		length = (size_t)(scope - text);
	while (length > 0 && strchr(")],;:", text[length - 1]) && !(length > 1 && text[length - 2] == ':'))
		length--;
	if (length == 0 || length >= sizeof(copy))
		return false;
	lex_copy(copy, sizeof(copy), text, length);
	return addr_parse(copy, address);
}

/* Whole nanoseconds, so that 9.1 ms does not become 9.0999. */
static bool decimal(const char **at, int64_t unit_ns, int64_t *value_ns)
{
	const char *p = *at;
	int whole = text_count(&p);
	if (whole < 0)
		return false;
	int64_t value = whole * unit_ns;
	if ((*p == '.' || *p == ',') && isdigit((unsigned char)p[1])) {
		for (p++; isdigit((unsigned char)*p); p++) {
			unit_ns /= 10;
			value += (*p - '0') * unit_ns;
		}
	}
	*at = p;
	*value_ns = value;
	return true;
}

bool lex_time(const char **at, int64_t *rtt_ns)
{
	static const struct {
		const char *word;
		int64_t ns;
	} units[] = {{"msec", NS_PER_MS}, {"ms", NS_PER_MS}, {"usec", NS_PER_US}, {"us", NS_PER_US},
		{"sec", NS_PER_S}, {"s", NS_PER_S}};
	const char *p = *at;
	if (*p == '<')
		p = text_skip(p + 1);
	const char *number = p;
	int64_t ignored;
	if (!decimal(&p, 1, &ignored))
		return false;
	p = text_skip(p);
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		size_t length = strlen(units[i].word);
		if (strncasecmp(p, units[i].word, length) == 0 && !isalnum((unsigned char)p[length]) &&
			!strchr(".-_:", p[length] ? p[length] : ' ')) {
			(void)decimal(&number, units[i].ns, rtt_ns);
			*at = p + length;
			return true;
		}
	}
	return false;
}

size_t lex_asns(const char *text, size_t length, uint32_t asns[static LEX_ASNS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < length && count < LEX_ASNS_MAX;) {
		uint64_t value = 0;
		if (!isdigit((unsigned char)text[i])) {
			i++;
			continue;
		}
		for (; i < length && isdigit((unsigned char)text[i]); i++)
			value = value <= UINT32_MAX ? value * 10 + (uint64_t)(text[i] - '0') : value;
		if (value > 0 && value <= UINT32_MAX)
			asns[count++] = (uint32_t)value;
	}
	return count;
}

static size_t word_length(const char *at)
{
	return strcspn(at, " ");
}

/* "[AS64501]", "[AS 64501, 64502]", "[*]", "(AS 64501)" */
static bool is_as(const char *text, size_t length)
{
	if (length == 1 && text[0] == '*')
		return true;
	if (length < 3 || strncasecmp(text, "AS", 2) != 0)
		return false;
	return strspn(text + 2, "0123456789 ,/ASas=[]*") >= length - 2;
}

static bool take_bracket(const char **at, struct token *token)
{
	const char *text = *at + 1;
	const char *end = strchr(text, **at == '[' ? ']' : **at == '<' ? '>' : ')');
	if (!end)
		return false;
	size_t length = (size_t)(end - text);
	if (is_as(text, length)) {
		token->kind = TOKEN_AS;
		token->asn_count = lex_asns(text, length, token->asns);
	} else if (strncasecmp(text, "MPLS", 4) == 0 || strncasecmp(text, "Label", 5) == 0) {
		token->kind = TOKEN_LABELS;
		token->label_count = lex_labels(text, length, token->labels);
	} else if (lex_address(text, length, &token->address)) {
		token->kind = TOKEN_ADDRESS;
	} else {
		return false;
	}
	*at = end + 1;
	return true;
}

/* AS64501, AS=64501 */
static bool take_bare_as(const char **at, struct token *token)
{
	size_t length = word_length(*at);
	if (strncmp(*at, "AS", 2) != 0)
		return false;
	const char *digits = *at + 2 + ((*at)[2] == '=');
	size_t count = length - (size_t)(digits - *at);
	if (count == 0 || strspn(digits, "0123456789") < count)
		return false;
	token->kind = TOKEN_AS;
	token->asn_count = lex_asns(digits, count, token->asns);
	*at += length;
	return true;
}

/* Junos, Huawei and SR OS have labels without brackets, up to the end of the line. */
static bool take_label_line(const char **at, struct token *token)
{
	if (strncasecmp(*at, "MPLS", 4) != 0 && strncasecmp(*at, "Label=", 6) != 0)
		return false;
	token->label_count = lex_labels(*at, strlen(*at), token->labels);
	if (token->label_count == 0)
		return false;
	token->kind = TOKEN_LABELS;
	*at += strlen(*at);
	return true;
}

/* inetutils turns it around: ADDR (NAME). */
static void take_name_behind(const char **at, struct token *token)
{
	const char *open = text_skip(*at);
	size_t length = *open == '(' ? strcspn(open + 1, " ()") : 0;
	if (length == 0 || open[1 + length] != ')' || is_as(open + 1, length))
		return;
	lex_copy(token->name, sizeof(token->name), open + 1, length);
	*at = open + length + 2;
}

/* A word; with an address in brackets behind it, it is the name of that. */
static void take_word(const char **at, struct token *token)
{
	const char *word = *at;
	size_t length = word_length(word);
	const char *bracket = memchr(word, '[', length); /* Huawei: ADDR[AS64501] */
	if (bracket && lex_address(word, (size_t)(bracket - word), &token->address))
		length = (size_t)(bracket - word);
	const char *inside = memchr(word, '(', length); /* name(ADDR) */
	const char *next = inside && inside > word ? inside : text_skip(word + length);
	size_t name_length = inside && inside > word ? (size_t)(inside - word) : length;
	struct token named = {0};
	lex_copy(token->name, sizeof(token->name), word, name_length);
	*at = word + length;
	if ((*next == '(' || *next == '[') && take_bracket(&next, &named) && named.kind == TOKEN_ADDRESS) {
		struct addr same;
		if (lex_address(token->name, strlen(token->name), &same))
			token->name[0] = '\0';
		token->kind = TOKEN_ADDRESS;
		token->address = named.address;
		*at = next;
	} else if (lex_address(word, length, &token->address)) {
		token->kind = TOKEN_ADDRESS;
		token->name[0] = '\0';
		take_name_behind(at, token);
	}
}

void lex_next(const char **at, struct token *token)
{
	const char *p = text_skip(*at);
	*token = (struct token){.kind = TOKEN_WORD};
	if (*p == '\0') {
		token->kind = TOKEN_END;
	} else if (*p == '*') {
		token->kind = TOKEN_STAR;
		p++;
	} else if (*p == '!') {
		size_t length = strcspn(p, " *");
		token->kind = TOKEN_MARK;
		lex_copy(token->mark, sizeof(token->mark), p, length);
		p += length;
	} else if ((isdigit((unsigned char)*p) || *p == '<') && lex_time(&p, &token->rtt_ns)) {
		token->kind = TOKEN_TIME;
	} else if (!(strchr("[(<", *p) && take_bracket(&p, token)) && !take_bare_as(&p, token) &&
		!take_label_line(&p, token)) {
		take_word(&p, token);
	}
	*at = p;
}
