/* Who is asked, where the user names another responder than the far host (--via responder:HOST). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/escape.h"
#include "net/sockaddr.h"
#include "reverse/responder_client.h"
#include "reverse/vantage.h"

/* Lives until the look-up has called back, whatever becomes of the client. */
struct responder_lookup {
	uv_getaddrinfo_t request;
	struct responder_client *client; /* NULL: gone */
};

static void PRINTF_LIKE(2, 3) say(struct responder_client *client, const char *format, ...)
{
	char text[sizeof(client->trouble)];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	escape_text(text, client->trouble, sizeof(client->trouble));
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct responder_lookup *lookup = request->data;
	struct responder_client *client = lookup->client;
	struct sockaddr_storage address = {0};
	uint16_t port;
	free(lookup);
	if (client) {
		const struct outside *outside = client->task.outside;
		client->lookup = NULL;
		if (status == 0 && found && found->ai_addrlen <= sizeof(address)) {
			memcpy(&address, found->ai_addr, found->ai_addrlen);
			client->server = sockaddr_read(&address, &port);
		}
		if (!addr_is_set(client->server))
			say(client, "%.100s has no address of this family: %s", client->vantage,
				status < 0 ? uv_strerror(status) : "none was found");
		outside->wake(outside->context);
	}
	uv_freeaddrinfo(found);
}

static bool look_up(struct responder_client *client)
{
	struct addrinfo hints = {
		.ai_family = client->task.target.family == 4 ? AF_INET : AF_INET6, .ai_socktype = SOCK_RAW};
	struct responder_lookup *lookup = calloc(1, sizeof(*lookup));
	if (!lookup)
		return false;
	lookup->client = client;
	lookup->request.data = lookup;
	if (uv_getaddrinfo(client->task.outside->loop, &lookup->request, on_found, client->vantage, NULL,
		    &hints) < 0) {
		free(lookup);
		say(client, "%.100s is no name of a host", client->vantage);
		return true;
	}
	client->lookup = lookup;
	return true;
}

bool responder_choose_server(struct responder_client *client)
{
	const struct reverse_task *task = &client->task;
	client->server = task->target;
	if (!task->parameter)
		return true;
	client->vantage = strdup(task->parameter);
	if (!client->vantage)
		return false;
	if (!addr_parse(task->parameter, &client->server)) {
		client->server = ADDR_NONE;
		if (task->outside)
			return look_up(client);
		say(client, "responder:%.100s: expected an address", client->vantage);
	} else if (client->server.family != task->target.family) {
		say(client, "%.100s is not of the family of the way back, IPv%u", client->vantage,
			task->target.family);
		client->server = ADDR_NONE;
	}
	return true;
}

void responder_forget_lookup(struct responder_client *client)
{
	if (!client->lookup)
		return;
	client->lookup->client = NULL;
	uv_cancel((uv_req_t *)&client->lookup->request); /* fails harmlessly when it is under way */
}

bool responder_at_vantage(const struct responder_client *client)
{
	return client->vantage && !addr_equal(client->server, client->task.target);
}

int responder_mark_vantage(const struct responder_client *client, struct path *path)
{
	const struct outside *outside = client->task.outside;
	enum vantage_distance distance = VANTAGE_UNKNOWN;
	uint32_t asn = 0;
	char name[120];
	if (!responder_at_vantage(client))
		return 0;
	if (outside) {
		struct vantage_scene scene;
		vantage_scene_open(&scene, client->task.target, NULL, outside->data_dir);
		asn = vantage_asn(client->server, outside->data_dir);
		distance = vantage_distance_of(&scene, client->server, asn);
	}
	for (size_t i = 0; i < path->hop_count; i++)
		if (path->hops[i].certainty == CERTAINTY_MEASURED)
			path->hops[i].certainty = CERTAINTY_INFERRED;
	snprintf(name, sizeof(name), "the responder %.100s", client->vantage);
	return path_set_vantage(path, name, client->server, asn, distance);
}
