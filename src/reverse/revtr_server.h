/* Where the coordinator of reverse traceroutes is, and the key for it. */
#ifndef RETOUR_REVERSE_REVTR_SERVER_H
#define RETOUR_REVERSE_REVTR_SERVER_H

#include "base/compiler.h"
#include "base/error.h"

#define REVTR_USUAL_PORT 7388 /* "revt" on a telephone's keys */
#define REVTR_FILE_SIZE	 1024

struct settings;

struct revtr_server {
	char url[512];		  /* without a slash at the end */
	char header[256];	  /* "Revtr-Key: ..." */
	char ca[REVTR_FILE_SIZE]; /* whom to trust, for struct http_ask; "" = the system's */
};

/* `url` NULL: that of the settings, else the one on this host. The key is that of the settings, else
 * $RETOUR_REVTR_KEY, else, for a coordinator on this host, the one that its file holds. -ENOKEY: there is
 * none. */
int revtr_server_find(struct revtr_server *server, const struct settings *settings, const char *url,
	struct error *error) MUST_USE;
/* $XDG_STATE_HOME/retour/revtr.db, else ~/.local/state/retour/revtr.db; "" = neither is known. */
const char *revtr_usual_store(char file[static REVTR_FILE_SIZE]);
/* Beside it, where agents of this machine find the coordinator; "" likewise. */
const char *revtr_usual_socket(char file[static REVTR_FILE_SIZE]);

#endif
