/* What the files of the HTTP interface share. */
#ifndef RETOUR_SERVE_API_INSIDE_H
#define RETOUR_SERVE_API_INSIDE_H

#include <jansson.h>
#include <stdio.h>

#include "base/addr.h"
#include "path/model.h"
#include "serve/api.h"
#include "serve/route.h"

#define TYPE_TEXT "text/plain; charset=utf-8"

#define STATUS_OK	       200
#define STATUS_BAD_REQUEST     400
#define STATUS_FORBIDDEN       403
#define STATUS_NOT_FOUND       404
#define STATUS_NOT_ALLOWED     405
#define STATUS_TOO_MANY	       429
#define STATUS_SERVER_ERROR    500
#define STATUS_NOT_IMPLEMENTED 501
#define STATUS_UNAVAILABLE     503

struct api {
	struct api_config config;
	int64_t started_ns;
	char name[256]; /* of this host */
};

/* What is wrong, in the words of this interface or of RFC 8522: who asked by one does not know the other. */
struct api_failure {
	unsigned status;
	const char *code; /* one word */
	const char *text; /* for a person */
	unsigned retry_after_s;
};

/* A trace for an exchange, which it lives as long as. */
struct pending {
	struct api *api;
	struct httpd_exchange *exchange;
	enum route route;
	bool text; /* wanted rather than JSON */
	int number;
	bool done;
	int64_t started_ns, started_wall_ns;
};

/* `body` is on the heap, or NULL: out of memory. */
void api_send_text(struct httpd_exchange *exchange, unsigned status, const char *type, char *body);
/* Takes the reference; NULL: out of memory. */
void api_send_json(struct httpd_exchange *exchange, unsigned status, json_t *json, unsigned retry_after_s);
void api_fail(struct httpd_exchange *exchange, const struct api_failure *failure);

/* Have the path traced and the exchange answered when it is: false and a failure when that cannot be. */
bool api_trace(struct api *api, struct httpd_exchange *exchange, enum route route, bool text,
	const struct trace_ask *ask, struct api_failure *failure);
/* Text that `print` writes, on the heap; NULL: out of memory. */
char *api_print(int (*print)(FILE *out, const struct measurement *measurement),
	const struct measurement *measurement);

/* RFC 8522 (looking_glass.c). */
void looking_glass_handle(
	struct api *api, struct httpd_exchange *exchange, enum route route, const char *argument);
void looking_glass_answer(const struct pending *pending, const struct measurement *measurement);

/* Everything that is counted, as Prometheus reads it (metrics.c). NULL: out of memory. */
char *metrics_text(const struct api *api);
void metrics_print_http(FILE *out, const struct httpd_counters *counters);

extern const char page_html[];

#endif
