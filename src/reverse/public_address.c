#include "reverse/public_address.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "reverse/http.h"
#include "reverse/settings.h"
#include "reverse/stun_client.h"

#define SERVER_TIMEOUT_NS (5 * NS_PER_S)
#define SERVER_BYTES	  4096
#define REMEDY		  "say it with --public-address, or name a STUN server in the settings (stun)"

struct public_inquiry {
	struct asking *asking;
	public_address_done *done;
	struct http *http;
	struct stun_client *stun; /* at work */
	size_t next;		  /* STUN server */
	char why[200];		  /* the last one that was asked did not tell */
};

/* ---- what needs no question */

static void look_at(struct public_view *view, struct addr source)
{
	char text[ADDR_TEXT_SIZE];
	view->translated = !addr_equal(view->address, source);
	if (addr_is_private(view->address))
		snprintf(view->note, sizeof(view->note),
			"%s is no public address: nobody outside can trace to it",
			addr_format(view->address, text));
	else if (view->translated)
		snprintf(view->note, sizeof(view->note), "a trace to you ends at your NAT, %s",
			addr_format(view->address, text));
}

bool public_address_known(const struct reverse_task *task, struct public_view *view)
{
	char text[ADDR_TEXT_SIZE];
	struct addr said = task->public_address;
	if (!addr_is_set(said) && task->outside && task->outside->settings)
		said = settings_public_address(task->outside->settings, task->target.family);
	*view = (struct public_view){0};
	if (addr_is_set(said) && said.family == task->target.family) {
		view->source = PUBLIC_SAID;
		view->address = said;
		look_at(view, task->source);
	} else if (addr_is_set(task->source) && addr_is_unicast(task->source) &&
		!addr_is_private(task->source)) {
		view->source = PUBLIC_OWN;
		view->address = task->source;
	} else {
		snprintf(view->note, sizeof(view->note),
			"our address, %s, is private, and the public one is not known: %s",
			addr_format(task->source, text), REMEDY);
	}
	return view->source != PUBLIC_NOT_KNOWN;
}

bool public_address_may_change(const struct public_view *view)
{
	return view->source == PUBLIC_STUN || view->source == PUBLIC_SERVER;
}

/* ---- asking */

static void free_inquiry(struct public_inquiry *inquiry)
{
	if (inquiry->stun)
		stun_client_cancel(inquiry->stun);
	if (inquiry->http)
		http_free(inquiry->http, NULL, NULL);
	free(inquiry);
}

void public_address_cancel(struct public_inquiry *inquiry)
{
	if (inquiry)
		free_inquiry(inquiry);
}

static void end(struct public_inquiry *inquiry, const struct public_view *view)
{
	struct asking *asking = inquiry->asking;
	public_address_done *done = inquiry->done;
	free_inquiry(inquiry);
	if (view->source != PUBLIC_NOT_KNOWN)
		asking->public_address = view->address;
	done(asking, view);
}

static void end_with(struct public_inquiry *inquiry, enum public_source source, struct addr address)
{
	struct public_view view = {.source = source, .address = address};
	look_at(&view, inquiry->asking->task.source);
	end(inquiry, &view);
}

static void end_without(struct public_inquiry *inquiry)
{
	char text[ADDR_TEXT_SIZE];
	struct public_view view = {0};
	addr_format(inquiry->asking->task.source, text);
	snprintf(view.note, sizeof(view.note),
		"our address, %s, is private, and the public one is not known (%.80s)", text,
		inquiry->why[0] ? inquiry->why : REMEDY);
	end(inquiry, &view);
}

static void ask_next_stun(struct public_inquiry *inquiry);

static void on_stun(void *context, const struct stun_answer *answer, const char *why)
{
	struct public_inquiry *inquiry = context;
	inquiry->stun = NULL;
	if (answer) {
		end_with(inquiry, PUBLIC_STUN, answer->address);
		return;
	}
	snprintf(inquiry->why, sizeof(inquiry->why), "%s", why);
	ask_next_stun(inquiry);
}

static void ask_next_stun(struct public_inquiry *inquiry)
{
	const struct reverse_task *task = &inquiry->asking->task;
	const struct settings *settings = task->outside->settings;
	while (!inquiry->stun && inquiry->next < settings->stun_count)
		inquiry->stun = stun_client_ask(
			task->outside->loop, settings->stun[inquiry->next++], task->source, on_stun, inquiry);
	if (!inquiry->stun)
		end_without(inquiry);
}

/* {"address": "..."}: the other end of the connection, as retour serve tells it. */
static struct addr read_address(const struct http_reply *reply, uint8_t family)
{
	struct addr address = ADDR_NONE;
	json_t *root = reply->error == 0 && reply->status == 200
		? json_loadb(reply->body, reply->length, 0, NULL)
		: NULL;
	const char *text = json_string_value(json_object_get(root, "address"));
	bool good =
		text && addr_parse(text, &address) && address.family == family && addr_is_unicast(address);
	json_decref(root);
	return good ? address : ADDR_NONE;
}

static void on_server(void *context, const struct http_reply *reply)
{
	struct public_inquiry *inquiry = context;
	struct addr address = read_address(reply, inquiry->asking->task.target.family);
	if (addr_is_set(address)) {
		end_with(inquiry, PUBLIC_SERVER, address);
		return;
	}
	snprintf(inquiry->why, sizeof(inquiry->why), "the server at the URL does not tell it");
	ask_next_stun(inquiry);
}

/* The URL's host may be anybody's web server: where it is no retour serve, that is no mistake. */
static bool ask_server(struct public_inquiry *inquiry)
{
	const struct reverse_task *task = &inquiry->asking->task;
	char url[512];
	const char *host = task->url ? strstr(task->url, "://") : NULL;
	if (!host)
		return false;
	int length = (int)(host + 3 - task->url + (long)strcspn(host + 3, "/?#"));
	snprintf(url, sizeof(url), "%.*s/api/v1/address", MIN(length, 400), task->url);
	struct http_ask ask = {.url = url,
		.family = task->target.family,
		.timeout_ns = SERVER_TIMEOUT_NS,
		.limit_bytes = SERVER_BYTES};
	inquiry->http = http_new(task->outside->loop, NULL);
	return inquiry->http && http_start(inquiry->http, &ask, on_server, inquiry);
}

int public_address_ask(struct public_inquiry **out, struct asking *asking, public_address_done *done)
{
	const struct reverse_task *task = &asking->task;
	struct public_view view;
	bool known = public_address_known(task, &view);
	*out = NULL;
	if (known || (!task->url && task->outside->settings->stun_count == 0)) {
		if (view.source == PUBLIC_SAID)
			asking->public_address = view.address;
		done(asking, &view);
		return 0;
	}
	struct public_inquiry *inquiry = calloc(1, sizeof(*inquiry));
	if (!inquiry)
		return -ENOMEM;
	inquiry->asking = asking;
	inquiry->done = done;
	*out = inquiry;
	if (!ask_server(inquiry))
		ask_next_stun(inquiry);
	return 0;
}
