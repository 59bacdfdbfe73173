/* Talking to a coordinator: one question at a time on a loop of its own. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "base/escape.h"
#include "cli/exit.h"
#include "cli/revtr_inside.h"
#include "reverse/settings.h"

#define ANSWER_BYTES (256u << 20)
#define ANSWER_NS    (60 * NS_PER_S)
#define FOLLOW_NS    (24LL * 3600 * NS_PER_S)

int revtr_complain(const struct error *error)
{
	if (error->code == -EINTR)
		return EXIT_INTERRUPTED;
	fprintf(stderr, "retour revtr: %s\n", error->text);
	return EXIT_CANNOT_MEASURE;
}

int revtr_client_open(struct revtr_client *client, const struct revtr_command *command, struct error *error)
{
	struct settings *settings = NULL;
	struct revtr_server server;
	*client = (struct revtr_client){0};
	int result = settings_load(&settings, command->config, error);
	if (result == 0)
		result = revtr_server_find(&server, settings, command->server, error);
	settings_free(settings);
	if (result < 0)
		return result;
	snprintf(client->url, sizeof(client->url), "%s", server.url);
	snprintf(client->header, sizeof(client->header), "%s", server.header);
	snprintf(client->ca_file, sizeof(client->ca_file), "%s", server.ca);
	client->ca = command->ca ? command->ca : *client->ca_file ? client->ca_file : NULL;
	client->loop = calloc(1, sizeof(*client->loop));
	if (!client->loop || uv_loop_init(client->loop) < 0) {
		free(client->loop);
		client->loop = NULL;
		return error_set(error, -ENOMEM, "cannot start an event loop");
	}
	client->http = http_new(client->loop, error);
	return client->http ? 0 : error->code;
}

void revtr_client_close(struct revtr_client *client)
{
	if (!client->loop)
		return;
	if (client->http)
		http_free(client->http, NULL, NULL);
	uv_run(client->loop, UV_RUN_DEFAULT);
	uv_loop_close(client->loop);
	free(client->loop);
	free(client->body);
	explicit_bzero(client->header, sizeof(client->header));
	*client = (struct revtr_client){0};
}

/* ---- one exchange */

static void on_done(void *context, const struct http_reply *reply)
{
	struct revtr_client *client = context;
	client->done = true;
	client->error = reply->error;
	client->status = reply->status;
	escape_text(reply->reason, client->reason, sizeof(client->reason));
	client->body = reply->body ? strdup(reply->body) : NULL;
	uv_stop(client->loop);
}

static void on_part(void *context, const char *bytes, size_t length)
{
	struct revtr_client *client = context;
	client->part(client->part_context, bytes, length);
}

static void on_signal(uv_signal_t *signal, int number UNUSED)
{
	struct revtr_client *client = signal->data;
	client->interrupted = true;
	uv_stop(client->loop);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

static int run(struct revtr_client *client, const struct http_ask *ask, struct error *error)
{
	uv_signal_t *signal = calloc(1, sizeof(*signal));
	struct http_request *request = signal ? http_start(client->http, ask, on_done, client) : NULL;
	if (!request) {
		free(signal);
		return error_set(error, -ENOMEM, "out of memory");
	}
	client->done = client->interrupted = false;
	free(client->body);
	client->body = NULL;
	uv_signal_init(client->loop, signal);
	signal->data = client;
	uv_signal_start(signal, on_signal, SIGINT);
	while (!client->done && !client->interrupted)
		uv_run(client->loop, UV_RUN_DEFAULT);
	if (!client->done)
		http_cancel(request);
	uv_close((uv_handle_t *)signal, on_closed);
	if (client->interrupted)
		return error_set(error, -EINTR, "interrupted");
	if (client->error == -EPROTO && strncmp(client->url, "https", 5) == 0)
		return error_set(error, client->error,
			"%s does not prove who it is (%s); --ca names the authority to trust, and the URL of "
			"one without TLS begins with http",
			client->url, client->reason);
	if (client->error < 0 && client->status == 0)
		return error_set(error, client->error,
			"no coordinator answers at %s (%s); `retour revtr coordinator` starts one, --server "
			"names another%s",
			client->url, client->reason,
			client->error == -ECONNREFUSED || strncmp(client->url, "https", 5) == 0
				? ""
				: ", which may be https");
	return 0;
}

static int judge(struct revtr_client *client, json_t **answer, struct error *error)
{
	char shown[300];
	json_t *json = client->body ? json_loads(client->body, 0, NULL) : NULL;
	const char *message = json_string_value(json_object_get(json_object_get(json, "error"), "message"));
	int result = 0;
	free(client->body);
	client->body = NULL;
	if (client->status == 401)
		result = error_set(error, -EACCES, "%s does not take the key: %s", client->url,
			escape_text(message, shown, sizeof(shown)));
	else if (client->status >= 300)
		result = error_set(error, -EPROTO, "%s",
			message ? escape_text(message, shown, sizeof(shown)) : "the coordinator refused");
	else if (client->error < 0 || !json)
		result = error_set(error, -EPROTO, "%s: the answer was cut off, or is none of a coordinator",
			client->url);
	if (result < 0 || !answer)
		json_decref(json);
	else
		*answer = json;
	return result;
}

int revtr_client_ask(struct revtr_client *client, const char *method, const char *path, json_t *body,
	json_t **answer, struct error *error)
{
	char url[900];
	const char *headers[] = {client->header, NULL};
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct http_ask ask = {.method = method,
		.url = url,
		.body = text,
		.headers = headers,
		.ca_file = client->ca,
		.limit_bytes = ANSWER_BYTES,
		.timeout_ns = ANSWER_NS};
	snprintf(url, sizeof(url), "%s%s", client->url, path);
	int result = body && !text ? error_set(error, -ENOMEM, "out of memory") : run(client, &ask, error);
	free(text);
	json_decref(body);
	return result == 0 ? judge(client, answer, error) : result;
}

int revtr_client_follow(struct revtr_client *client, const char *path,
	void (*part)(void *context, const char *bytes, size_t length), void *context, struct error *error)
{
	char url[900];
	const char *headers[] = {client->header, NULL};
	struct http_ask ask = {.url = url,
		.headers = headers,
		.ca_file = client->ca,
		.limit_bytes = ANSWER_BYTES,
		.timeout_ns = FOLLOW_NS,
		.part = on_part};
	snprintf(url, sizeof(url), "%s%s", client->url, path);
	client->part = part;
	client->part_context = context;
	int result = run(client, &ask, error);
	if (result == 0 && client->status >= 300)
		return judge(client, NULL, error);
	return result;
}
