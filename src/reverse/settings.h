/* The user's settings: $XDG_CONFIG_HOME/retour/config.yaml, else ~/.config/retour/config.yaml. Who does not
 * have that file has none of these. retour-config(5) describes it. */
#ifndef RETOUR_REVERSE_SETTINGS_H
#define RETOUR_REVERSE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/error.h"

/* ssh: which hosts may be asked over ssh without being named with --via, and how. */
struct settings_ssh {
	char *host;	   /* of HOST: a name or address, `*` stands for any part of it */
	char *destination; /* what ssh is told: [user@]host, or a name of ~/.ssh/config; NULL = HOST */
	bool vantage;	   /* the destination is another machine than HOST, near it */
	char *dialect; /* of the far command line: unix windows ios ios-xr junos routeros vyos; NULL = find
			  out */
};

/* looking_glasses: those that the user allows to be asked. */
struct settings_looking_glass {
	char *name;	/* for --via lg:NAME and for the report */
	char *type;	/* rfc8522 hyperglass bird-lg bird-lg-proxy gmazoyer hybula telnet adapter */
	char *url;	/* where it is: https://…, telnet://[user[:password]@]host */
	char *location; /* which of its routers or servers; NULL = its first */
	char *adapter;	/* type adapter: the file that describes it */
	unsigned asn;	/* where it stands, 0 = not known */
	char *address;	/* its address there, NULL = not known */
};

struct settings_platform {
	bool use;	 /* ask it without being named with --via */
	char *url;	 /* NULL = the public one */
	char *token_env; /* the environment variable that has the key; preferred */
	char *token;	 /* the key itself; must not appear in any output */
	char *ca;	 /* revtr: file in PEM of the authority to trust; NULL = the system's */
};

struct settings {
	bool none; /* there is nothing in it: not of libcyaml */
	char **ladder; /* method names in the order to be tried; none = the built-in order */
	size_t ladder_count;
	struct settings_ssh *ssh;
	size_t ssh_count;
	struct settings_looking_glass *looking_glasses;
	size_t looking_glass_count;
	struct settings_platform globalping, atlas;
	struct settings_platform revtr; /* a coordinator of reverse traceroute without cooperation */
	char **stun; /* host:port of STUN servers to ask for our public address; none = nobody is asked */
	size_t stun_count;
	char *public_address, *public_address6; /* ours, where the user knows better; NULL */
};

/* `file` NULL: the usual place, where a file that is not there means no settings. Everything in it is
 * checked: errors name file, line, and what was expected. A file that holds a key and that others may read is
 * refused. The result is to be freed; 0, or negative. */
int settings_load(struct settings **settings, const char *file, struct error *error) MUST_USE;
/* The same for a text that ends with a NUL; `name` is for messages. */
int settings_parse(
	struct settings **settings, const char *name, const char *text, struct error *error) MUST_USE;
void settings_free(struct settings *settings);
/* Our address of that family as the user gave it; none = not given. */
struct addr settings_public_address(const struct settings *settings, uint8_t family);
/* The key of a platform, from its variable or the file; NULL = none. Borrowed. */
const char *settings_token(const struct settings_platform *platform);

#endif
