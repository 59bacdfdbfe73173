#include "reverse/lg_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *lg_json(const struct lg_reply *reply)
{
	return json_loadb(reply->body, reply->length, JSON_DECODE_ANY, NULL);
}

const char *lg_json_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

enum lg_turn lg_fail_no_json(struct lg_talk *talk, const struct lg_reply *reply)
{
	char what[80];
	if (reply->partial)
		return lg_fail(talk, ATTEMPT_FAILED, "its answer did not come to an end");
	if (reply->status >= 400) {
		snprintf(what, sizeof(what), "it answered with HTTP %d", reply->status);
		return lg_fail_saying(
			talk, reply->status >= 500 ? ATTEMPT_FAILED : ATTEMPT_UNSUPPORTED, what, NULL);
	}
	return lg_fail(talk, ATTEMPT_UNSUPPORTED, "its answer is not JSON: no looking glass of type %s",
		talk->glass->type);
}

/* As one text with line breaks. NULL: these are no lines. */
static char *join_lines(const json_t *lines)
{
	char *text = NULL;
	size_t size, index;
	json_t *line;
	FILE *out = open_memstream(&text, &size);
	bool good = out && json_array_size(lines) > 0;
	json_array_foreach(lines, index, line)
	{
		const char *words = json_string_value(line);
		good &= words != NULL;
		if (good)
			fprintf(out, "%s\n", words);
	}
	if (out && fclose(out) == 0 && good)
		return text;
	free(text);
	return NULL;
}

static bool looks_like_html(const char *text)
{
	return strcasestr(text, "<br") || strcasestr(text, "<pre") || strcasestr(text, "</");
}

enum lg_turn lg_answer_json(struct lg_talk *talk, const json_t *output)
{
	const char *words = json_string_value(output);
	char *made = words ? NULL : join_lines(output);
	if (!words && !made)
		made = json_dumps(output, JSON_ENCODE_ANY);
	if (made)
		words = made;
	enum lg_turn turn = !words	 ? lg_fail(talk, ATTEMPT_FAILED, "its answer has no output")
		: looks_like_html(words) ? lg_answer_html(talk, words, strlen(words))
					 : lg_answer(talk, words, strlen(words));
	free(made);
	return turn;
}
