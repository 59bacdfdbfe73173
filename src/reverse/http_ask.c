/* What libcurl is told about a request, and what it hands back of the reply. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "reverse/http_inside.h"

#define HEADER_BYTES_MAX (64 * 1024)

static bool make_room(struct http_request *request, size_t more)
{
	size_t needed = request->length + more + 1;
	if (needed <= request->capacity)
		return true;
	size_t capacity = MAX(needed, MIN(request->capacity * 2, request->limit + 1));
	char *body = realloc(request->body, capacity);
	if (!body)
		return false;
	request->body = body;
	request->capacity = capacity;
	return true;
}

static bool is_redirect(const struct http_request *request)
{
	long status = 0;
	request->http->curl.easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	return status >= 300 && status <= 399;
}

/* Anything but the whole count ends the transfer. */
static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http_request *request = context;
	size_t length = size * count, taken = MIN(length, request->limit - request->length);
	if (request->cancelled || request->http->freed)
		return 0;
	if (!make_room(request, taken)) {
		request->no_memory = true;
		return 0;
	}
	memcpy(request->body + request->length, bytes, taken);
	request->length += taken;
	request->body[request->length] = '\0';
	request->cut = taken < length;
	if (request->part && taken > 0 && !is_redirect(request))
		request->part(request->context, bytes, taken);
	return request->cancelled || request->http->freed ? 0 : taken;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct http_request *request = context;
	(void)bytes;
	request->header_bytes += size * count;
	request->too_many_headers = request->header_bytes > HEADER_BYTES_MAX;
	return request->too_many_headers ? 0 : size * count;
}

static bool add_header(struct http_request *request, const char *line)
{
	struct curl_slist *longer = request->http->curl.slist_append(request->headers, line);
	if (longer)
		request->headers = longer;
	return longer;
}

static bool set_headers(struct http_request *request, const struct http_ask *ask)
{
	char type[128];
	bool good = true;
	snprintf(type, sizeof(type), "Content-Type: %s",
		ask->content_type ? ask->content_type : "application/json");
	if (ask->body)
		good = add_header(request, type);
	for (const char *const *line = ask->headers; line && *line && good; line++)
		good = add_header(request, *line);
	return good;
}

bool http_set_ask(struct http_request *request, const struct http_ask *ask)
{
	const struct http_curl *curl = &request->http->curl;
	CURL *easy = request->easy;
	if (!set_headers(request, ask) || curl->easy_setopt(easy, CURLOPT_URL, ask->url) != CURLE_OK)
		return false;
	if (ask->body) {
		curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(ask->body));
		if (curl->easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, ask->body) != CURLE_OK)
			return false;
	}
	if (ask->method && strcmp(ask->method, ask->body ? "POST" : "GET") != 0)
		curl->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, ask->method);
	if (ask->bearer) {
		curl->easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		curl->easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, ask->bearer);
	}
	if (ask->ca_file)
		curl->easy_setopt(easy, CURLOPT_CAINFO, ask->ca_file);
	if (ask->family)
		curl->easy_setopt(easy, CURLOPT_IPRESOLVE,
			(long)(ask->family == 4 ? CURL_IPRESOLVE_V4 : CURL_IPRESOLVE_V6));
	curl->easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers);
	return true;
}

void http_set_manners(struct http_request *request, int64_t timeout_ns)
{
	const struct http_curl *curl = &request->http->curl;
	CURL *easy = request->easy;
	const char *certificates = getenv("SSL_CERT_FILE");
	curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl->easy_setopt(easy, CURLOPT_USERAGENT, "retour/" RETOUR_VERSION);
	curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Nobody waits for a name server at the end. */
	curl->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl->easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)MAX(timeout_ns / NS_PER_MS, 1));
	curl->easy_setopt(easy, CURLOPT_SHARE, request->http->share);
	curl->easy_setopt(easy, CURLOPT_COOKIEFILE, "");
	curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, request->reason);
	curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl->easy_setopt(easy, CURLOPT_WRITEDATA, request);
	curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl->easy_setopt(easy, CURLOPT_HEADERDATA, request);
	if (certificates && *certificates)
		curl->easy_setopt(easy, CURLOPT_CAINFO, certificates);
}
