/* A telnet session with a router, without the socket: bytes go in, bytes to send come out, and in the end
 * there is what the router printed for one command.
 *
 * Options of telnet are refused, all of them (RFC 854: the network virtual terminal is what both sides fall
 * back to). The prompt is whatever the router shows at the end of its output when it waits: a line that ends
 * with one of `>`, `#`, `$`, `%`. The one that was there when the pager had been turned off is looked for
 * again after the command. */
#ifndef RETOUR_REVERSE_TELNET_H
#define RETOUR_REVERSE_TELNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define TELNET_TEXT_MAX (64 * 1024) /* what one session may print */
#define TELNET_SEND_MAX 2048

enum telnet_state {
	TELNET_GREETING, /* until it asks for a name, or shows a prompt */
	TELNET_PASSWORD,
	TELNET_LOGGED_IN, /* commands that turn the pager off are tried */
	TELNET_COMMAND,
	TELNET_DONE,
	TELNET_FAILED, /* `reason` says why */
};

struct telnet {
	struct addr to;
	const char *user, *password; /* borrowed; NULL = none */
	enum telnet_state state;
	const char *reason; /* static */
	unsigned pager;	    /* which of the commands was sent last */
	unsigned command;   /* the same of those that trace */
	/* Of the options of telnet: */
	uint8_t iac[2];
	uint8_t iac_length;
	bool in_subnegotiation;
	/* What the router printed since the last thing that was sent: */
	char text[TELNET_TEXT_MAX + 1];
	size_t length, total;
	char prompt[128];
	char sent[128]; /* the command, which comes back as an echo */
	/* To be sent; the caller takes it. */
	uint8_t out[TELNET_SEND_MAX];
	size_t out_length;
};

void telnet_init(struct telnet *telnet, struct addr to, const char *user, const char *password);
/* Bytes from the router. */
void telnet_feed(struct telnet *telnet, const uint8_t *bytes, size_t length);
/* Nothing came for a while: what looks like a prompt is one. */
void telnet_quiet(struct telnet *telnet);
/* The line is closed, or the time is up: what came so far must do. True: there is something. */
bool telnet_end(struct telnet *telnet);

#endif
