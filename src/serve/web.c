#include "serve/web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/channel.h"
#include "net/driver.h"
#include "serve/api.h"
#include "serve/http.h"
#include "serve/inband.h"
#include "serve/sandbox.h"
#include "serve/tracing.h"
#include "serve/turns.h"

struct web {
	struct channel channels[2];
	struct driver driver;
	bool driving, tls;
	struct turns turns;
	struct tracing *tracing;
	struct inband_tracer *inband;
	struct api *api;
	struct httpd *httpd;
	int listeners[HTTPD_LISTENERS_MAX];
	size_t listener_count;
};

static int open_listeners(struct web *web, const struct web_options *options, struct error *error)
{
	for (size_t i = 0; i < options->listen_count; i++) {
		if (web->listener_count + 2 > HTTPD_LISTENERS_MAX)
			return error_set(
				error, -E2BIG, "more than %d sockets to listen on", HTTPD_LISTENERS_MAX);
		int count = listening_open(&options->listen[i], &web->listeners[web->listener_count], error);
		if (count < 0)
			return count;
		web->listener_count += (size_t)count;
	}
	return 0;
}

static void on_machine_done(void *context, unsigned machine)
{
	struct web *web = context;
	if (!web->inband || !inband_done(web->inband, machine))
		tracing_machine_done(web->tracing, machine);
}

static int open_channel(struct channel *channel, uint8_t family, uint16_t port, struct error *error)
{
	return channel_open_raw(channel,
		&(struct channel_options){
			.family = family,
			.protocols = CHANNEL_PROTOCOL(PROBE_UDP) | CHANNEL_PROTOCOL(PROBE_TCP) |
				CHANNEL_PROTOCOL(PROBE_ICMP),
			.source_port = port,
			.routed_by_source = true,
		},
		error);
}

/* A host without IPv6 serves those that come by IPv4. */
static int start_driver(struct web *web, struct uv_loop_s *loop, uint16_t port, struct error *error)
{
	int code = open_channel(&web->channels[0], 4, port, error);
	if (code < 0)
		return code;
	code = driver_attach(&web->driver, loop, &web->channels[0], error);
	if (code < 0)
		return code;
	web->driving = true;
	code = open_channel(&web->channels[1], 6, port, error);
	if (code == 0)
		code = driver_add_channel(&web->driver, &web->channels[1], error);
	else if (code == -EAFNOSUPPORT)
		code = 0;
	driver_set_done(&web->driver, on_machine_done, web);
	return code;
}

static int start_tracing(struct web *web, const struct web_options *options, uint16_t port,
	const struct responder *responder, struct error *error)
{
	if (turns_init(&web->turns, hash_key_random(), options->traces_per_minute) < 0)
		return error_set(error, -ENOMEM, "out of memory");
	web->tracing = tracing_new(
		&(struct tracing_config){
			.driver = &web->driver,
			.turns = &web->turns,
			.port = port,
			.allow = options->targets,
			.allow_count = options->target_count,
			.find_source = options->target_count > 0 || options->proxy_count > 0,
		},
		error);
	if (!web->tracing)
		return error ? error->code : -ENOMEM;
	int code = options->inband ? inband_open(&web->inband, &web->driver, error) : 0;
	if (code < 0)
		return code;
	web->api = api_new(&(struct api_config){
		.tracing = web->tracing,
		.turns = &web->turns,
		.driver = &web->driver,
		.httpd = &web->httpd,
		.responder = responder,
		.allow = options->allow,
		.allow_count = options->allow_count,
		.inband = options->inband ? inband_handle : NULL,
		.inband_context = web->inband,
	});
	return web->api ? 0 : error_set(error, -ENOMEM, "out of memory");
}

static int start_http(
	struct web *web, struct uv_loop_s *loop, const struct web_options *options, struct error *error)
{
	int code = open_listeners(web, options, error);
	if (code < 0)
		return code;
	struct httpd_config config = {
		.listeners = web->listeners,
		.listener_count = web->listener_count,
		.certificate_file = options->tls_certificate,
		.key_file = options->tls_key,
		.note = options->note,
		.proxies = options->proxies,
		.proxy_count = options->proxy_count,
		.handler = api_handle,
		.context = web->api,
	};
	return httpd_start(&web->httpd, loop, &config, error);
}

int web_start(struct web **made, struct uv_loop_s *loop, const struct web_options *options, uint16_t port,
	const struct responder *responder, struct error *error)
{
	static const struct channel closed = {.fds = CHANNEL_NO_FDS};
	struct web *web = *made = calloc(1, sizeof(*web));
	if (!web)
		return error_set(error, -ENOMEM, "out of memory");
	web->tls = options->tls_certificate != NULL;
	web->channels[0] = web->channels[1] = closed;
	int code = start_driver(web, loop, port, error);
	if (code == 0)
		code = start_tracing(web, options, port, responder, error);
	if (code == 0)
		code = start_http(web, loop, options, error);
	return code;
}

void web_needs(const struct web *web, struct sandbox_needs *needs)
{
	needs->http = true;
	needs->certificates = web->tls;
	memcpy(needs->connecting, tracing_lookups(web->tracing), sizeof(needs->connecting));
}

void web_reload(struct web *web)
{
	if (web)
		httpd_reload(web->httpd);
}

void web_stop(struct web *web)
{
	if (web && web->httpd)
		httpd_stop(web->httpd);
}

void web_free(struct web *web)
{
	if (!web)
		return;
	httpd_free(web->httpd);
	api_free(web->api);
	tracing_free(web->tracing);
	inband_free(web->inband);
	turns_deinit(&web->turns);
	if (web->driving)
		driver_deinit(&web->driver);
	channel_close(&web->channels[0]);
	channel_close(&web->channels[1]);
	free(web);
}
