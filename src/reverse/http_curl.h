/* libcurl as it is loaded, and what is asked of it about URLs. For http.c. */
#ifndef RETOUR_REVERSE_HTTP_CURL_H
#define RETOUR_REVERSE_HTTP_CURL_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"

struct http_curl {
	CURL *(*easy_init)(void);
	void (*easy_cleanup)(CURL *easy);
	CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
	CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
	const char *(*easy_strerror)(CURLcode code);
	CURLHcode (*easy_header)(CURL *easy, const char *name, size_t index, unsigned origin, int request,
		struct curl_header **header);
	CURLM *(*multi_init)(void);
	CURLMcode (*multi_cleanup)(CURLM *multi);
	CURLMcode (*multi_setopt)(CURLM *multi, CURLMoption option, ...);
	CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
	CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
	CURLMcode (*multi_socket_action)(CURLM *multi, curl_socket_t fd, int events, int *running);
	CURLMcode (*multi_assign)(CURLM *multi, curl_socket_t fd, void *of_socket);
	CURLMsg *(*multi_info_read)(CURLM *multi, int *left);
	CURLSH *(*share_init)(void);
	CURLSHcode (*share_setopt)(CURLSH *share, CURLSHoption option, ...);
	CURLSHcode (*share_cleanup)(CURLSH *share);
	struct curl_slist *(*slist_append)(struct curl_slist *list, const char *line);
	void (*slist_free_all)(struct curl_slist *list);
	CURLU *(*url)(void);
	void (*url_cleanup)(CURLU *url);
	CURLUcode (*url_set)(CURLU *url, CURLUPart part, const char *text, unsigned flags);
	CURLUcode (*url_get)(CURLU *url, CURLUPart part, char **text, unsigned flags);
	void (*free)(void *text);
};

int http_curl_load(struct http_curl *curl, struct error *error) MUST_USE;
/* What is secret for one is for the other: the same host and, but for a change from http to https on their
 * usual ports, the same scheme and port. */
bool http_same_origin(const struct http_curl *curl, const char *url, const char *other);

#endif
