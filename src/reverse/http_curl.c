#include "reverse/http_curl.h"

#include <string.h>
#include <strings.h>

#include "base/library.h"

int http_curl_load(struct http_curl *curl, struct error *error)
{
	const struct library_symbol symbols[] = {
		{"curl_easy_init", &curl->easy_init},
		{"curl_easy_cleanup", &curl->easy_cleanup},
		{"curl_easy_setopt", &curl->easy_setopt},
		{"curl_easy_getinfo", &curl->easy_getinfo},
		{"curl_easy_strerror", &curl->easy_strerror},
		{"curl_easy_header", &curl->easy_header},
		{"curl_multi_init", &curl->multi_init},
		{"curl_multi_cleanup", &curl->multi_cleanup},
		{"curl_multi_setopt", &curl->multi_setopt},
		{"curl_multi_add_handle", &curl->multi_add_handle},
		{"curl_multi_remove_handle", &curl->multi_remove_handle},
		{"curl_multi_socket_action", &curl->multi_socket_action},
		{"curl_multi_assign", &curl->multi_assign},
		{"curl_multi_info_read", &curl->multi_info_read},
		{"curl_share_init", &curl->share_init},
		{"curl_share_setopt", &curl->share_setopt},
		{"curl_share_cleanup", &curl->share_cleanup},
		{"curl_slist_append", &curl->slist_append},
		{"curl_slist_free_all", &curl->slist_free_all},
		{"curl_url", &curl->url},
		{"curl_url_cleanup", &curl->url_cleanup},
		{"curl_url_set", &curl->url_set},
		{"curl_url_get", &curl->url_get},
		{"curl_free", &curl->free},
	};
	return library_load("libcurl.so.4", "libcurl4", symbols, ARRAY_LEN(symbols), error);
}

struct origin {
	CURLU *url;
	char *scheme, *host, *port;
};

static bool origin_init(struct origin *origin, const struct http_curl *curl, const char *url)
{
	*origin = (struct origin){.url = curl->url()};
	return origin->url && curl->url_set(origin->url, CURLUPART_URL, url, 0) == CURLUE_OK &&
		curl->url_get(origin->url, CURLUPART_SCHEME, &origin->scheme, 0) == CURLUE_OK &&
		curl->url_get(origin->url, CURLUPART_HOST, &origin->host, 0) == CURLUE_OK &&
		curl->url_get(origin->url, CURLUPART_PORT, &origin->port, CURLU_DEFAULT_PORT) == CURLUE_OK;
}

static void origin_deinit(struct origin *origin, const struct http_curl *curl)
{
	curl->free(origin->scheme);
	curl->free(origin->host);
	curl->free(origin->port);
	curl->url_cleanup(origin->url);
}

static bool is(const struct origin *origin, const char *scheme, const char *port)
{
	return strcmp(origin->scheme, scheme) == 0 && strcmp(origin->port, port) == 0;
}

bool http_same_origin(const struct http_curl *curl, const char *url, const char *other)
{
	struct origin from, to;
	bool known = origin_init(&from, curl, url);
	known = origin_init(&to, curl, other) && known;
	bool same = known && strcasecmp(from.host, to.host) == 0 &&
		(is(&to, from.scheme, from.port) || (is(&from, "http", "80") && is(&to, "https", "443")));
	origin_deinit(&from, curl);
	origin_deinit(&to, curl);
	return same;
}
