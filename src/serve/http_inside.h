/* What the files of the HTTP server share: http.c has the loop and the connections, http_exchange.c
 * requests and responses, http_tls.c certificates. */
#ifndef RETOUR_SERVE_HTTP_INSIDE_H
#define RETOUR_SERVE_HTTP_INSIDE_H

#include <sys/types.h>
#include <time.h>
#include <uv.h>

#include "serve/clients.h"
#include "serve/http.h"
#include "serve/mhd.h"

enum stage {
	STAGE_ASKED,	/* the handler is running, or the connection sleeps until there is an answer */
	STAGE_ANSWERED, /* not yet handed to libmicrohttpd */
	STAGE_STREAMING,
	STAGE_LEAVING, /* the response is libmicrohttpd's */
};

struct httpd_exchange {
	struct httpd *httpd;
	struct listener *listener;
	struct httpd_exchange *previous, *next;
	struct MHD_Connection *connection;
	struct client *client;
	char *path;
	const char *method; /* static */
	char *body;	    /* of the request */
	size_t body_length, body_room, body_most;
	bool body_long; /* more than is taken */
	bool crowded;	/* others' bodies leave no room for it now */
	struct httpd_peer peer;
	enum stage stage;
	bool head, asked, asleep, ended;
	struct httpd_answer answer;
	const char *stream_type;
	char *stream;
	size_t stream_start, stream_length;
	struct {
		void (*ended)(void *context);
		void *context;
	} ends[HTTPD_ENDS];
	size_t end_count;
};

struct listener {
	struct httpd *httpd;
	struct listener *next;
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	uv_timer_t timer;
	uv_idle_t soon;	  /* at the next turn of the loop */
	bool retired;	  /* takes no more connections, and goes with the last */
	unsigned closing; /* handles */
};

/* Which file it is, and as of when. */
struct tls_file {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct httpd_tls {
	char *certificate, *key;	  /* PEM texts while libmicrohttpd is started */
	struct tls_file used[2], last[2]; /* certificate and key: as read, as last seen */
	unsigned turns;
};

struct httpd {
	struct mhd mhd;
	struct httpd_config config;
	struct httpd_tls tls;
	uv_loop_t *loop;
	struct listener *listeners; /* the newest first */
	struct clients clients;
	size_t body_bytes; /* of all exchanges */
	struct httpd_exchange *exchanges;
	uv_timer_t sweep;
	struct httpd_counters counters;
	char log[200]; /* the last that libmicrohttpd had to say */
};

/* Of a connection. */
struct addr httpd_client_address(
	const struct httpd *httpd, struct MHD_Connection *connection, uint16_t *port);
int httpd_descriptor(const struct httpd *httpd, struct MHD_Connection *connection);
/* libmicrohttpd is to look at its connections at the next turn of the loop. */
void httpd_run_soon(struct listener *listener);

/* Takes `fd` over, if it succeeds. */
int httpd_listen(struct httpd *httpd, int fd, struct error *error) MUST_USE;

/* http_tls.c: certificate and key into httpd->tls, if there is to be TLS, and out of it. */
int httpd_tls_read(struct httpd *httpd, struct error *error) MUST_USE;
void httpd_tls_forget(struct httpd *httpd);
/* Once a second: are there new ones? */
void httpd_tls_sweep(struct httpd *httpd);

/* libmicrohttpd calls: `context` is the listener, and the server. */
enum MHD_Result exchange_on_request(void *context, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *size, void **slot);
void exchange_on_completed(
	void *context, struct MHD_Connection *connection, void **slot, enum MHD_RequestTerminationCode code);

#endif
