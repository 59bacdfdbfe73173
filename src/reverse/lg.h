/* Looking glasses: web pages and telnet sessions where a network lets others run a traceroute from its
 * routers.
 *
 * Each family of them is one `struct lg_kind` in a file of its own, lg_NAME.c. A kind opens no socket: it is
 * given what came back and says what to ask next, until it has the text of a traceroute or a reason why there
 * is none (struct lg_talk). lg_run.h carries such a talk over HTTP or telnet and makes a path of its text;
 * lg.c is the way back `--via lg` over those of the user's settings.
 *
 * A new kind is a file, a declaration below, and a line in the table of lg_talk.c. */
#ifndef RETOUR_REVERSE_LG_H
#define RETOUR_REVERSE_LG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/error.h"
#include "path/model.h"
#include "reverse/settings.h"

#define LG_DETAIL_SIZE	250
#define LG_REQUESTS_MAX 20 /* of one talk: whoever wants more goes round in circles */

/* What came back for the last request. Hostile. */
struct lg_reply {
	int status;	  /* of HTTP */
	const char *body; /* `length` bytes and a NUL; may hold NULs */
	size_t length;
	bool partial; /* the body is the beginning of something longer: it was cut, or the connection or the
			 time ended */
	unsigned retry_after_s; /* 0 = not said */
};

struct lg_request {
	const char *method; /* GET or POST; static */
	char *url;
	char *body;		  /* NULL = none */
	const char *content_type; /* of the body; static */
};

enum lg_turn {
	LG_ASK,	   /* `request` is to be sent; come back with the reply */
	LG_ANSWER, /* `text` is what a traceroute program printed there */
	LG_FAILED, /* `status` and `detail` say why */
};

struct lg_talk;

struct lg_kind {
	const char *type; /* as in the settings */
	bool peer_traces; /* who answers the request is the machine that traces */
	bool telnet; /* a line to a router: lg_run.c does not carry requests, telnet_talk.h leads the talk */
	/* Called with NULL at first, then with the reply to each request. */
	enum lg_turn (*turn)(struct lg_talk *talk, const struct lg_reply *reply);
};

/* One question to one looking glass. Every pointer but `glass` is owned. */
struct lg_talk {
	const struct lg_kind *kind;
	const struct settings_looking_glass *glass; /* borrowed */
	struct addr to;				    /* what is to be traced */
	struct adapter *adapter;		    /* of type adapter */
	unsigned step;				    /* for the kind: where it is; 0 at first */
	unsigned tries;				    /* for the kind */
	unsigned requests;
	struct lg_request request;
	char *router; /* that traces, as the looking glass calls it; NULL = not said */
	char *kept;   /* for the kind: what the next request needs, a token as a rule */
	char *text;   /* the answer */
	size_t length;
	bool partial;
	const char *dialect; /* of import/, where the looking glass says it; static; NULL = find out */
	enum attempt_status status;
	char detail[LG_DETAIL_SIZE];
};

/* ---- for those who want an answer */

/* `type` NULL or unknown: NULL. */
const struct lg_kind *lg_kind_find(const char *type);
/* The kinds by index, NULL after the last. */
const struct lg_kind *lg_kind_at(size_t index);
/* A looking glass of no known type, or an adapter that cannot be read, is an error. 0 or negative. */
int lg_talk_init(struct lg_talk *talk, const struct settings_looking_glass *glass, struct addr to,
	struct error *error) MUST_USE;
void lg_talk_deinit(struct lg_talk *talk);
/* The next turn: what is common to all kinds (bounds, too busy, server errors) and then the kind's own. */
enum lg_turn lg_talk_turn(struct lg_talk *talk, const struct lg_reply *reply);

/* ---- for kinds; out of memory is LG_FAILED, too */

/* One line for a person, without the name of the looking glass. A password in the URL is struck out. */
enum lg_turn lg_fail(struct lg_talk *talk, enum attempt_status status, const char *format, ...)
	PRINTF_LIKE(3, 4);
/* The same with what the looking glass said: a few words of it, in one line. */
enum lg_turn lg_fail_saying(
	struct lg_talk *talk, enum attempt_status status, const char *what, const char *said);
/* `path` is put behind the looking glass's URL: with one slash in between. */
enum lg_turn lg_get(struct lg_talk *talk, const char *path);
/* `body` is taken over. */
enum lg_turn lg_post(struct lg_talk *talk, const char *path, const char *content_type, char *body);
/* The bytes are copied. */
enum lg_turn lg_answer(struct lg_talk *talk, const char *text, size_t length);
/* HTML or not: tags are taken out. */
enum lg_turn lg_answer_html(struct lg_talk *talk, const char *html, size_t length);
/* Keep a copy in talk->kept or talk->router; false: out of memory. */
bool lg_keep(char **place, const char *text);
/* `to` as text. */
const char *lg_target(const struct lg_talk *talk, char text[static ADDR_TEXT_SIZE]);
/* Bytes that are not unreserved (RFC 3986, section 2.3) as %XX. NULL: out of memory. */
char *lg_escape(const char *text);
/* "name=value&...", escaped; pairs of name and value, NULL at the end. NULL: out of memory. */
char *lg_form(const char *const *pairs);

/* ---- the kinds */

extern const struct lg_kind lg_rfc8522, lg_hyperglass, lg_bird, lg_bird_proxy, lg_gmazoyer, lg_hybula,
	lg_adapter, lg_telnet;

#endif
