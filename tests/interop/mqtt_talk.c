/* A member of a bus over MQTT for tests: mqtt_talk NAME HOST PORT [CA CERTIFICATE KEY] -- FILTER...
 *
 * What it hears and what becomes of its connection goes to standard output, a line each; each line of standard input,
 * "TOPIC TEXT" or "!TOPIC TEXT" (to be kept), is published. Its will is "offline", kept, on
 * retour/1/agent/NAME/status; the end of
 * standard input ends it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "bus/bus.h"

struct talk {
	uv_loop_t loop;
	uv_pipe_t input;
	struct bus *bus;
	char line[100000];
	size_t length;
};

static void hear(void *context, const char *topic, const char *payload, size_t length)
{
	(void)context;
	printf("heard %s %.*s\n", topic, (int)length, payload);
	fflush(stdout);
}

static void presence(void *context, bool connected, const char *why)
{
	(void)context;
	printf("%s%s%s\n", connected ? "connected" : "away", why ? ": " : "", why ? why : "");
	fflush(stdout);
}

static void say(struct talk *talk, char *line)
{
	bool keep = *line == '!';
	char *text = strchr(line, ' ');
	if (!text)
		return;
	*text++ = '\0';
	int result = bus_publish(talk->bus, line + keep, text, strlen(text), keep);
	if (result < 0)
		printf("not published: %s\n", strerror(-result));
	fflush(stdout);
}

static void give_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
	struct talk *talk = handle->data;
	(void)wanted;
	*buffer = uv_buf_init(talk->line + talk->length, (unsigned)(sizeof(talk->line) - 1 - talk->length));
}

static void on_input(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	struct talk *talk = stream->data;
	char *end;
	(void)buffer;
	if (count < 0) {
		uv_close((uv_handle_t *)stream, NULL);
		bus_free(talk->bus, NULL, NULL);
		return;
	}
	talk->length += (size_t)count;
	talk->line[talk->length] = '\0';
	while ((end = strchr(talk->line, '\n'))) {
		*end++ = '\0';
		say(talk, talk->line);
		talk->length -= (size_t)(end - talk->line);
		memmove(talk->line, end, talk->length + 1);
	}
}

int main(int argc, char **argv)
{
	static struct talk talk;
	struct error error = {0};
	char topic[200];
	int next = argc > 7 && strcmp(argv[4], "--") != 0 ? 7 : 4;
	if (argc < 5 || next >= argc || strcmp(argv[next], "--") != 0)
		return 3;
	snprintf(topic, sizeof(topic), "retour/1/agent/%s/status", argv[1]);
	struct bus_mqtt_options options = {.host = argv[2],
		.port = (unsigned)strtoul(argv[3], NULL, 10),
		.name = argv[1],
		.ca_file = next == 7 ? argv[4] : NULL,
		.certificate_file = next == 7 ? argv[5] : NULL,
		.key_file = next == 7 ? argv[6] : NULL,
		.will_topic = topic,
		.will_payload = "offline",
		.presence = presence};
	uv_loop_init(&talk.loop);
	talk.bus = bus_new_mqtt(&talk.loop, &options, &error);
	if (!talk.bus) {
		fprintf(stderr, "mqtt_talk: %s\n", error.text);
		return 4;
	}
	for (int i = next + 1; i < argc; i++)
		if (bus_subscribe(talk.bus, argv[i], hear, &talk) < 0)
			return 4;
	uv_pipe_init(&talk.loop, &talk.input, 0);
	uv_pipe_open(&talk.input, 0);
	talk.input.data = &talk;
	uv_read_start((uv_stream_t *)&talk.input, give_room, on_input);
	uv_run(&talk.loop, UV_RUN_DEFAULT);
	return uv_loop_close(&talk.loop) == 0 ? 0 : 5;
}
