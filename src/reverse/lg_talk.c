#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reverse/adapter.h"
#include "reverse/lg.h"
#include "reverse/lg_html.h"

static const struct lg_kind *const kinds[] = {&lg_rfc8522, &lg_hyperglass, &lg_bird, &lg_bird_proxy,
	&lg_gmazoyer, &lg_hybula, &lg_adapter, &lg_telnet};

const struct lg_kind *lg_kind_at(size_t index)
{
	return index < ARRAY_LEN(kinds) ? kinds[index] : NULL;
}

const struct lg_kind *lg_kind_find(const char *type)
{
	for (size_t i = 0; type && i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i]->type, type) == 0)
			return kinds[i];
	return NULL;
}

int lg_talk_init(
	struct lg_talk *talk, const struct settings_looking_glass *glass, struct addr to, struct error *error)
{
	*talk = (struct lg_talk){.kind = lg_kind_find(glass->type), .glass = glass, .to = to};
	if (!talk->kind)
		return error_set(error, -EINVAL, "looking glass %s: type '%s' is not known", glass->name,
			glass->type ? glass->type : "");
	if (talk->kind == &lg_adapter)
		return adapter_load(&talk->adapter, glass->adapter, error);
	return glass->url ? 0 : error_set(error, -EINVAL, "looking glass %s: there is no url", glass->name);
}

static void free_request(struct lg_request *request)
{
	free(request->url);
	free(request->body);
	*request = (struct lg_request){0};
}

void lg_talk_deinit(struct lg_talk *talk)
{
	free_request(&talk->request);
	adapter_free(talk->adapter);
	free(talk->router);
	free(talk->kept);
	free(talk->text);
}

/* ---- what is common to all */

static enum lg_turn too_busy(struct lg_talk *talk, const struct lg_reply *reply)
{
	if (reply->retry_after_s > 0)
		return lg_fail(talk, ATTEMPT_REFUSED, "too busy (HTTP %d): ask again in %u s", reply->status,
			reply->retry_after_s);
	return lg_fail(talk, ATTEMPT_REFUSED, "too busy (HTTP %d): ask again later", reply->status);
}

enum lg_turn lg_talk_turn(struct lg_talk *talk, const struct lg_reply *reply)
{
	free_request(&talk->request);
	if (reply && (reply->status == 429 || reply->status == 503))
		return too_busy(talk, reply);
	/* What is JSON may say more. */
	if (reply && (reply->status == 401 || reply->status == 403) && reply->body[0] != '{')
		return lg_fail(
			talk, ATTEMPT_REFUSED, "refused (HTTP %d): it is not open to us", reply->status);
	enum lg_turn turn = talk->kind->turn(talk, reply);
	if (turn == LG_ASK && ++talk->requests > LG_REQUESTS_MAX)
		return lg_fail(talk, ATTEMPT_FAILED, "wants ever more requests");
	if (turn == LG_ANSWER)
		talk->partial = reply && reply->partial;
	return turn;
}

/* ---- failures */

/* SCHEME://USER:PASSWORD@HOST: where the password is. */
static const char *password_of(const char *url, size_t *length)
{
	const char *start = url ? strstr(url, "://") : NULL;
	if (!start)
		return NULL;
	start += 3;
	size_t authority = strcspn(start, "/?#");
	const char *at = memrchr(start, '@', authority);
	const char *colon = at ? memchr(start, ':', (size_t)(at - start)) : NULL;
	if (!colon || colon + 1 == at)
		return NULL;
	*length = (size_t)(at - colon - 1);
	return colon + 1;
}

static void strike_word(char *text, const char *word)
{
	size_t length = strlen(word);
	for (char *found = length > 0 ? strstr(text, word) : NULL; found;
		found = strstr(found + length, word))
		memset(found, '*', length);
}

/* As it is written in the URL, and as it is sent: without its %XX (RFC 3986, section 2.1). */
static void strike_out(char *text, const char *url)
{
	char word[128], *out = word;
	unsigned code = 0;
	size_t length = 0;
	const char *password = password_of(url, &length);
	if (!password)
		return;
	snprintf(word, sizeof(word), "%.*s", (int)MIN(length, sizeof(word) - 1), password);
	strike_word(text, word);
	for (const char *in = word; *in; in++) {
		bool coded = in[0] == '%' && isxdigit((unsigned char)in[1]) &&
			isxdigit((unsigned char)in[2]) && sscanf(in + 1, "%2x", &code) == 1;
		*out++ = coded ? (char)code : *in;
		in += coded ? 2 : 0;
	}
	*out = '\0';
	strike_word(text, word);
}

enum lg_turn lg_fail(struct lg_talk *talk, enum attempt_status status, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(talk->detail, sizeof(talk->detail), format, arguments);
	va_end(arguments);
	strike_out(talk->detail, talk->glass->url);
	talk->status = status;
	return LG_FAILED;
}

/* White space of any kind and length becomes one blank. */
static void squeeze(const char *text, char *out, size_t size)
{
	size_t length = 0;
	for (; *text && length + 1 < size; text++) {
		bool blank = isspace((unsigned char)*text);
		if (!blank)
			out[length++] = *text;
		else if (length > 0 && out[length - 1] != ' ')
			out[length++] = ' ';
	}
	if (length > 0 && out[length - 1] == ' ')
		length--;
	out[length] = '\0';
}

enum lg_turn lg_fail_saying(
	struct lg_talk *talk, enum attempt_status status, const char *what, const char *said)
{
	char words[140] = "";
	size_t length = 0;
	char *plain = said ? lg_html_text(said, strnlen(said, 4096), &length) : NULL;
	if (plain)
		squeeze(plain, words, sizeof(words));
	free(plain);
	return words[0] ? lg_fail(talk, status, "%s: \"%s\"", what, words)
			: lg_fail(talk, status, "%s", what);
}

static enum lg_turn no_memory(struct lg_talk *talk)
{
	return lg_fail(talk, ATTEMPT_FAILED, "out of memory");
}

/* ---- requests and answers */

static char *url_of(const struct lg_talk *talk, const char *path)
{
	const char *base = talk->glass->url ? talk->glass->url : talk->adapter->base_url;
	size_t length = strcspn(base, "?#");
	char *url;
	if (path[0] == '\0')
		return strdup(base);
	while (length > 0 && base[length - 1] == '/')
		length--;
	while (*path == '/')
		path++;
	return asprintf(&url, "%.*s/%s", (int)length, base, path) < 0 ? NULL : url;
}

enum lg_turn lg_get(struct lg_talk *talk, const char *path)
{
	talk->request = (struct lg_request){.method = "GET", .url = url_of(talk, path)};
	return talk->request.url ? LG_ASK : no_memory(talk);
}

enum lg_turn lg_post(struct lg_talk *talk, const char *path, const char *content_type, char *body)
{
	talk->request = (struct lg_request){
		.method = "POST", .url = url_of(talk, path), .body = body, .content_type = content_type};
	return talk->request.url && body ? LG_ASK : no_memory(talk);
}

enum lg_turn lg_answer(struct lg_talk *talk, const char *text, size_t length)
{
	char *copy = malloc(length + 1);
	if (!copy)
		return no_memory(talk);
	memcpy(copy, text, length);
	copy[length] = '\0';
	free(talk->text);
	talk->text = copy;
	talk->length = length;
	return LG_ANSWER;
}

enum lg_turn lg_answer_html(struct lg_talk *talk, const char *html, size_t length)
{
	free(talk->text);
	talk->text = lg_html_text(html, length, &talk->length);
	return talk->text ? LG_ANSWER : no_memory(talk);
}

bool lg_keep(char **place, const char *text)
{
	char *copy = strdup(text);
	free(*place);
	*place = copy;
	return copy;
}

const char *lg_target(const struct lg_talk *talk, char text[static ADDR_TEXT_SIZE])
{
	return addr_format(talk->to, text);
}

char *lg_escape(const char *text)
{
	char *out = malloc(3 * strlen(text) + 1), *end = out;
	for (; out && *text; text++) {
		unsigned char byte = (unsigned char)*text;
		if (isalnum(byte) || strchr("-._~", byte))
			*end++ = (char)byte;
		else
			end += sprintf(end, "%%%02X", byte);
	}
	if (out)
		*end = '\0';
	return out;
}

char *lg_form(const char *const *pairs)
{
	char *form = NULL;
	size_t size;
	FILE *out = open_memstream(&form, &size);
	if (!out)
		return NULL;
	for (size_t i = 0; pairs[i]; i += 2) {
		char *name = lg_escape(pairs[i]), *value = lg_escape(pairs[i + 1]);
		fprintf(out, "%s%s=%s", i > 0 ? "&" : "", name ? name : "", value ? value : "");
		free(name);
		free(value);
	}
	if (fclose(out) == 0)
		return form;
	free(form);
	return NULL;
}
