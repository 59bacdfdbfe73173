/* Talks with looking glasses of all kinds: whatever comes back, they come to an end. The first byte says
 * which kind; replies are separated by lines that hold one '|' alone, and each begins with a byte for its
 * HTTP status. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "reverse/lg.h"

static const struct lg_kind *kind_of(uint8_t byte)
{
	size_t count = 0;
	while (lg_kind_at(count))
		count++;
	return lg_kind_at(byte % count);
}

static struct lg_reply reply_of(const uint8_t *data, size_t size, char *body)
{
	static const int statuses[] = {200, 200, 302, 400, 404, 500, 501, 429};
	struct lg_reply reply = {.status = size > 0 ? statuses[data[0] & 7] : 200, .body = body};
	reply.partial = size > 0 && (data[0] & 8);
	reply.length = size > 0 ? size - 1 : 0;
	memcpy(body, data + 1, reply.length);
	body[reply.length] = '\0';
	return reply;
}

/* The end of the reply that begins at `start`. */
static size_t end_of(const uint8_t *data, size_t size, size_t start)
{
	const uint8_t *mark = memmem(data + start, size - start, "\n|\n", 3);
	return mark ? (size_t)(mark - data) : size;
}

static void talk_on(struct lg_talk *talk, const uint8_t *data, size_t size)
{
	enum lg_turn turn = lg_talk_turn(talk, NULL);
	for (size_t start = 1, turns = 0; turn == LG_ASK; turns++) {
		CHECK(turns <= LG_REQUESTS_MAX && talk->request.url && talk->request.method);
		size_t end = start < size ? end_of(data, size, start) : size;
		size_t length = start < size ? end - start : 0;
		char *body = malloc(length + 1);
		struct lg_reply reply = reply_of(data + (start < size ? start : 0), length, body);
		turn = lg_talk_turn(talk, &reply);
		free(body);
		start = end + 3;
	}
	CHECK(turn != LG_ANSWER || talk->text);
	CHECK(turn != LG_FAILED || talk->detail[0]);
	CHECK(!strstr(talk->detail, "s3cret"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings_looking_glass glass = {.name = (char *)"fuzz",
		.url = (char *)"http://u:s3cret@lg.example/",
		.adapter = (char *)"/nowhere/at/all"};
	struct lg_talk talk;
	const struct lg_kind *kind = kind_of(size > 0 ? data[0] : 0);
	glass.type = (char *)kind->type;
	if (!kind->turn || lg_talk_init(&talk, &glass, addr_v4(0xc6336409), NULL) < 0)
		return 0;
	talk_on(&talk, data, size);
	lg_talk_deinit(&talk);
	return 0;
}
