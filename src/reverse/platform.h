/* What Globalping and RIPE Atlas have in common: a service on the web that has probes everywhere, is ordered
 * to trace to us by HTTP and JSON, and is then asked until it has answers.
 *
 *   learn our address -> order(): ask for probes near the far host -> poll -> platform_end()
 *
 * The key is handed to the HTTP client and to nobody else; what the service says is looked through for it
 * before it is repeated. */
#ifndef RETOUR_REVERSE_PLATFORM_H
#define RETOUR_REVERSE_PLATFORM_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "reverse/asking.h"
#include "reverse/http.h"
#include "reverse/public_address.h"
#include "reverse/settings.h"
#include "reverse/vantage.h"

#define PLATFORM_MESSAGE_SIZE 200
#define PLATFORM_FAILURES_MAX 3 /* in a row, of a service that has taken the order */

struct platform;

struct platform_ops {
	const char *name;  /* as in `--via` */
	const char *title; /* for a person */
	const char *url;   /* the public one */
	int64_t timeout_ns;
	size_t size;				  /* of a run */
	size_t settings_at;			  /* in struct settings */
	void (*order)(struct platform *platform); /* our address and the far host's surroundings are known */
	void (*late)(struct platform *platform);  /* nearly out of time: end with what there is */
};

/* `json` is NULL where the body is none. `reply->error` is 0 only with a whole body. */
typedef void platform_done(struct platform *platform, const struct http_reply *reply, const json_t *json);

/* First member of a run. */
struct platform {
	struct asking asking;
	const struct platform_ops *ops;
	const struct settings_platform *settings;
	const char *key; /* or NULL */
	struct http *http;
	platform_done *done; /* of the request that is on its way */
	json_t *told;	     /* what came of the order, as it was last told; NULL = nothing yet */
	uv_timer_t wait, last_call;
	void (*after)(struct platform *platform); /* the wait */
	bool open;
	struct public_inquiry *inquiry;
	struct public_view view;
	struct vantage_scene scene;
	unsigned failures; /* in a row */
	unsigned place;	   /* number of the one to try */
	char where[80];	   /* that place, for a person */
	uint32_t asn;	   /* of that place, 0 = the user's own */
	bool waited;	   /* for the way there */
	bool ended;
	struct {
		enum attempt_status status;
		struct path *path;
		char text[PLATFORM_MESSAGE_SIZE];
	} end; /* while our address is asked for again */
};

/* Of a method: a run of `ops->size` bytes, zeroed, which is freed with what it has been told; NULL: out of
 * memory. */
void *platform_start(const struct platform_ops *ops, const struct reverse_task *task);
/* The user wants it to be asked without being named. */
bool platform_configured(const struct platform_ops *ops, const struct reverse_task *task);
/* The rest of the method, whose start() and configured() are these two. */
#define PLATFORM_METHOD                                                                                      \
	.ipv4 = true, .ipv6 = true, .third_party = true, .configured = configured, .start = start,           \
	ASKING_WHEN_NOTHING_ELSE_HELPS

/* GET where `body` is NULL (else it is taken over), at the service's URL and `path`; `headers` as in http.h.
 * The key goes as a bearer's where `bearer`. One request at a time. */
void platform_ask(struct platform *platform, const char *path, json_t *body, const char *const *headers,
	bool bearer, platform_done *done);
void platform_wait(struct platform *platform, int64_t ns, void (*after)(struct platform *platform));
/* Where to ask for probes: the place that the user named, else the far host's AS and then those before it on
 * the way there (`where`, `asn`). Never elsewhere: a path from anywhere says nothing about the way back.
 * False: order() will be called again once the way there has had time to become known, or the run has ended.
 */
bool platform_place(struct platform *platform);
/* There are no probes at that place; true: order() is asked for another one. False: the user named it. */
bool platform_next_place(struct platform *platform);
/* The end; what has changed about our address meanwhile is asked for first. `path` is taken over. */
void platform_end(struct platform *platform, enum attempt_status status, struct path *path,
	const char *format, ...) PRINTF_LIKE(4, 5);
/* The same for an order that was not taken, or a question that was not answered. `message` is the service's.
 */
void platform_refused(struct platform *platform, const struct http_reply *reply, const char *message);
/* The reply is what was asked for (200, with JSON of which a copy is kept as `told` where `keep`). Else
 * something went wrong over there or on the way: `after` is called later, as long as that is worth it, or the
 * run has ended. */
bool platform_answered(struct platform *platform, const struct http_reply *reply, const json_t *json,
	bool keep, void (*after)(struct platform *platform));
/* The number that a header holds; -1 = there is none. */
long platform_header_number(const struct http_reply *reply, const char *name);
/* Text of the service to be shown: without the key, NULL counts as "". */
const char *platform_clean(
	const struct platform *platform, const char *text, char out[static PLATFORM_MESSAGE_SIZE]);
/* A number of AS behind "AS", or alone; 0 = it is none. */
uint32_t platform_asn(const char *text);

#endif
