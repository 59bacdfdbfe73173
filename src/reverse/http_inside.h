/* A request as http.c and http_ask.c have it. */
#ifndef RETOUR_REVERSE_HTTP_INSIDE_H
#define RETOUR_REVERSE_HTTP_INSIDE_H

#include <uv.h>

#include "reverse/http.h"
#include "reverse/http_curl.h"

struct http {
	struct http_curl curl;
	uv_loop_t *loop;
	CURLM *multi;
	CURLSH *share;
	uv_timer_t timer;
	struct http_request *requests;
	unsigned handles; /* not yet closed */
	bool inside;	  /* of libcurl, or of a caller's `done` */
	bool freed;
	void (*closed)(void *context);
	void *closed_context;
};

struct http_request {
	struct http *http;
	struct http_request *next;
	CURL *easy;
	struct curl_slist *headers;
	void (*part)(void *context, const char *bytes, size_t length);
	http_done *done;
	void *context;
	char *body;
	size_t length, capacity, limit, header_bytes;
	unsigned redirects;
	int64_t deadline_ns;
	bool has_body; /* to send */
	bool cut, too_many_headers, no_memory, cancelled;
	const char *not_followed; /* why a redirect was not; static */
	char reason[CURL_ERROR_SIZE];
};

/* What is asked. False: out of memory. */
bool http_set_ask(struct http_request *request, const struct http_ask *ask);
/* How all requests are made, and where their replies go. */
void http_set_manners(struct http_request *request, int64_t timeout_ns);

#endif
