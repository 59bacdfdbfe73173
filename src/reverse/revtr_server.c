#include "reverse/revtr_server.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reverse/settings.h"

const char *revtr_usual_store(char file[static REVTR_FILE_SIZE])
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int length = 0;
	*file = '\0';
	if (state && *state == '/')
		length = snprintf(file, REVTR_FILE_SIZE, "%s/retour/revtr.db", state);
	else if (home && *home == '/')
		length = snprintf(file, REVTR_FILE_SIZE, "%s/.local/state/retour/revtr.db", home);
	if (length >= REVTR_FILE_SIZE - (int)sizeof("-key"))
		*file = '\0';
	return file;
}

const char *revtr_usual_socket(char file[static REVTR_FILE_SIZE])
{
	char store[REVTR_FILE_SIZE];
	*file = '\0';
	if (!*revtr_usual_store(store) ||
		snprintf(file, REVTR_FILE_SIZE, "%s-socket", store) >= REVTR_FILE_SIZE)
		*file = '\0';
	return file;
}

/* "http://127.0.0.1:7388", "http://[::1]/", "http://localhost:80". */
static bool is_here(const char *url)
{
	static const char *const hosts[] = {"127.", "[::1]", "localhost"};
	const char *host = strstr(url, "://");
	for (size_t i = 0; host && i < ARRAY_LEN(hosts); i++)
		if (strncmp(host + 3, hosts[i], strlen(hosts[i])) == 0)
			return true;
	return false;
}

static bool read_file(char *key, size_t size)
{
	char name[REVTR_FILE_SIZE + sizeof("-key")], store[REVTR_FILE_SIZE];
	if (!*revtr_usual_store(store))
		return false;
	snprintf(name, sizeof(name), "%s-key", store);
	FILE *file = fopen(name, "re");
	if (!file)
		return false;
	bool good = fgets(key, (int)size, file) != NULL;
	fclose(file);
	key[strcspn(key, "\r\n")] = '\0';
	return good && *key;
}

/* A header line ends where the line ends. */
static bool is_key(const char *key)
{
	for (const char *c = key; *c; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return *key && strlen(key) < 200;
}

int revtr_server_find(
	struct revtr_server *server, const struct settings *settings, const char *url, struct error *error)
{
	char from_file[201];
	const struct settings_platform *revtr = settings ? &settings->revtr : NULL;
	const char *key = revtr ? settings_token(revtr) : NULL;
	if (!url && revtr)
		url = revtr->url;
	if (url)
		snprintf(server->url, sizeof(server->url), "%s%s", strstr(url, "://") ? "" : "http://", url);
	else
		snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d", REVTR_USUAL_PORT);
	for (size_t length = strlen(server->url); length > 0 && server->url[length - 1] == '/'; length--)
		server->url[length - 1] = '\0';
	if (!key || !*key)
		key = getenv("RETOUR_REVTR_KEY");
	if ((!key || !*key) && is_here(server->url) && read_file(from_file, sizeof(from_file)))
		key = from_file;
	if (!key || !*key)
		return error_set(error, -ENOKEY,
			"no key for the coordinator at %s: `retour revtr coordinator` on this host makes "
			"one, for the user who starts "
			"it; from others it comes by RETOUR_REVTR_KEY, or token_env of revtr in the settings",
			server->url);
	if (!is_key(key))
		return error_set(error, -EINVAL,
			"the key for the coordinator is not one word of printable characters");
	snprintf(server->header, sizeof(server->header), "Revtr-Key: %s", key);
	snprintf(server->ca, sizeof(server->ca), "%s", revtr && revtr->ca ? revtr->ca : "");
	return 0;
}
