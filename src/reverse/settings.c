#include "reverse/settings.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/yaml.h"
#include "reverse/climb.h"
#include "reverse/ssh_line.h"

#define FILE_BYTES_MAX (256 * 1024) /* nobody has that many looking glasses */

/* ---- the schema */

static const cyaml_schema_field_t ssh_fields[] = {
	TEXT("host", PTR, struct settings_ssh, host),
	TEXT("destination", POPT, struct settings_ssh, destination),
	FLAG("vantage", struct settings_ssh, vantage),
	TEXT("dialect", POPT, struct settings_ssh, dialect),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t looking_glass_fields[] = {
	TEXT("name", PTR, struct settings_looking_glass, name),
	TEXT("type", PTR, struct settings_looking_glass, type),
	TEXT("url", POPT, struct settings_looking_glass, url),
	TEXT("location", POPT, struct settings_looking_glass, location),
	TEXT("adapter", POPT, struct settings_looking_glass, adapter),
	CYAML_FIELD_UINT("asn", OPT, struct settings_looking_glass, asn),
	TEXT("address", POPT, struct settings_looking_glass, address),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t platform_fields[] = {
	FLAG("use", struct settings_platform, use),
	TEXT("url", POPT, struct settings_platform, url),
	TEXT("token_env", POPT, struct settings_platform, token_env),
	TEXT("token", POPT, struct settings_platform, token),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t revtr_fields[] = {
	FLAG("use", struct settings_platform, use),
	TEXT("url", POPT, struct settings_platform, url),
	TEXT("ca", POPT, struct settings_platform, ca),
	TEXT("token_env", POPT, struct settings_platform, token_env),
	TEXT("token", POPT, struct settings_platform, token),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t ssh_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct settings_ssh, ssh_fields)};
static const cyaml_schema_value_t looking_glass_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct settings_looking_glass, looking_glass_fields)};

#define COUNTED(key, member, count, entry)                                                                   \
	CYAML_FIELD_SEQUENCE_COUNT(key, POPT, struct settings, member, count, entry, 0, CYAML_UNLIMITED)
static const cyaml_schema_field_t fields[] = {
	COUNTED("ladder", ladder, ladder_count, &string_entry),
	COUNTED("ssh", ssh, ssh_count, &ssh_entry),
	COUNTED("looking_glasses", looking_glasses, looking_glass_count, &looking_glass_entry),
	CYAML_FIELD_MAPPING("globalping", OPT, struct settings, globalping, platform_fields),
	CYAML_FIELD_MAPPING("atlas", OPT, struct settings, atlas, platform_fields),
	CYAML_FIELD_MAPPING("revtr", OPT, struct settings, revtr, revtr_fields),
	COUNTED("stun", stun, stun_count, &string_entry),
	TEXT("public_address", POPT, struct settings, public_address),
	TEXT("public_address6", POPT, struct settings, public_address6),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t settings_value = {CYAML_VALUE_MAPPING(PTR, struct settings, fields)};

/* ---- what a schema cannot say */

/* A place in the file. Errors are -EINVAL, and the text says where. */
struct place {
	const struct yaml_text *yaml;
	const char *section;
	unsigned entry;
	struct error *error;
};

static int mistake(const struct place *place, const char *word, const char *format, ...) PRINTF_LIKE(3, 4);
static int mistake(const struct place *place, const char *word, const char *format, ...)
{
	char text[300], shown[300];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return error_set(place->error, -EINVAL, "%s:%u: %s: %s", place->yaml->name,
		yaml_text_line(place->yaml, place->section, place->entry, word), place->section,
		escape_text(text, shown, sizeof(shown)));
}

/* One word that can be an argument of a program or part of a header line: printable, and no option. */
static bool one_word(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!isgraph((unsigned char)*c))
			return false;
	return *text && *text != '-';
}

/* `words` are separated by one blank. */
static bool listed(const char *word, const char *words)
{
	size_t length = strlen(word);
	for (const char *at = words; length > 0 && *at; at += strcspn(at, " "), at += *at == ' ')
		if (strcspn(at, " ") == length && strncmp(at, word, length) == 0)
			return true;
	return false;
}

static int check_ssh(const struct place *place, const struct settings_ssh *ssh)
{
	enum ssh_dialect dialect;
	if (!one_word(ssh->host))
		return mistake(place, ssh->host, "'%s': expected a name or address, * for any part of it",
			ssh->host);
	if (ssh->destination && !ssh_destination_valid(ssh->destination))
		return mistake(place, ssh->destination,
			"'%s': expected [user@]host, or a name of ~/.ssh/config", ssh->destination);
	if (!ssh->destination && ssh->vantage)
		return mistake(place, "vantage", "a vantage point needs a destination");
	if (ssh->dialect && !ssh_dialect_find(ssh->dialect, &dialect))
		return mistake(
			place, ssh->dialect, "dialect '%s': expected one of: %s", ssh->dialect, SSH_DIALECTS);
	return 0;
}

static bool has_scheme(const char *url, const char *scheme)
{
	size_t length = strlen(scheme);
	return strncmp(url, scheme, length) == 0 && strncmp(url + length, "://", 3) == 0 && url[length + 3];
}

static int check_web(const struct place *place, const char *url)
{
	if (one_word(url) && (has_scheme(url, "https") || has_scheme(url, "http")))
		return 0;
	return mistake(place, url, "url '%s': expected https://... or http://...", url);
}

static int check_looking_glass(const struct place *place, const struct settings_looking_glass *lg)
{
	static const char types[] = "rfc8522 hyperglass bird-lg bird-lg-proxy gmazoyer hybula telnet adapter";
	struct addr address;
	if (strcmp(lg->type, "ssh") == 0)
		return mistake(place, lg->type,
			"type 'ssh': a route server behind ssh stands under ssh:, with vantage: true");
	if (!listed(lg->type, types))
		return mistake(place, lg->type, "type '%s': expected one of: %s", lg->type, types);
	if (lg->address && !addr_parse(lg->address, &address))
		return mistake(place, lg->address, "'%s': expected an address", lg->address);
	if (strcmp(lg->type, "adapter") == 0)
		return lg->adapter
			? 0
			: mistake(place, NULL, "'%s' has no adapter; expected the file of one", lg->name);
	if (!lg->url)
		return mistake(place, NULL, "'%s' has no url", lg->name);
	if (strcmp(lg->type, "telnet") == 0)
		return one_word(lg->url) && has_scheme(lg->url, lg->type)
			? 0
			: mistake(place, lg->url, "url '%s': expected %s://...", lg->url, lg->type);
	return check_web(place, lg->url);
}

/* The key itself is never shown. */
static int check_platform(const struct place *place, const struct settings_platform *platform)
{
	if (platform->url) {
		int result = check_web(place, platform->url);
		if (result < 0)
			return result;
	}
	if (platform->token_env &&
		strspn(platform->token_env,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(platform->token_env))
		return mistake(place, "token_env", "token_env: expected the name of an environment variable");
	if (platform->token && !one_word(platform->token))
		return mistake(place, "token:", "token: expected one word of printable characters");
	return 0;
}

/* HOST, HOST:PORT, ADDRESS or [ADDRESS6]:PORT. */
static bool is_server(const char *text)
{
	struct addr address;
	if (!one_word(text))
		return false;
	if (addr_parse(text, &address))
		return true;
	const char *end = *text == '[' ? strchr(text, ']') : text + strcspn(text, ":");
	if (!end || end == text)
		return false;
	end += *end == ']';
	size_t digits = *end ? strspn(end + 1, "0123456789") : 0;
	long port = digits > 0 && digits < 6 ? strtol(end + 1, NULL, 10) : 0;
	return !*end || (*end == ':' && !end[1 + digits] && port > 0 && port < 65536);
}

static int check_address(const struct place *place, const char *text, uint8_t family)
{
	struct addr address;
	if (!text || (addr_parse(text, &address) && address.family == family && addr_is_unicast(address)))
		return 0;
	return mistake(place, NULL, "'%s': expected an IPv%u address", text, family);
}

static int check_rung(const struct place *place, const char *rung)
{
	struct error unknown = {0};
	if (place->entry >= CLIMB_RUNGS_MAX)
		return mistake(place, rung, "expected no more than %d", CLIMB_RUNGS_MAX);
	if (strchr(rung, ','))
		return mistake(place, rung, "'%s': expected one way back an entry", rung);
	return climb_check(rung, &unknown) < 0 ? mistake(place, rung, "%s", unknown.text) : 0;
}

static int check_lists(const struct settings *settings, const struct yaml_text *yaml, struct error *error)
{
	int result = 0;
	struct place place = {yaml, "ladder", 0, error};
	for (; place.entry < settings->ladder_count && result == 0; place.entry++)
		result = check_rung(&place, settings->ladder[place.entry]);
	place.section = "ssh";
	for (place.entry = 0; place.entry < settings->ssh_count && result == 0; place.entry++)
		result = check_ssh(&place, &settings->ssh[place.entry]);
	place.section = "looking_glasses";
	for (place.entry = 0; place.entry < settings->looking_glass_count && result == 0; place.entry++)
		result = check_looking_glass(&place, &settings->looking_glasses[place.entry]);
	place.section = "stun";
	for (place.entry = 0; place.entry < settings->stun_count && result == 0; place.entry++)
		if (!is_server(settings->stun[place.entry]))
			result = mistake(&place, settings->stun[place.entry],
				"'%s': expected host or host:port", settings->stun[place.entry]);
	return result;
}

static int check(const struct settings *settings, const struct yaml_text *yaml, struct error *error)
{
	int result = check_lists(settings, yaml, error);
	if (result == 0)
		result = check_platform(&(struct place){yaml, "globalping", 0, error}, &settings->globalping);
	if (result == 0)
		result = check_platform(&(struct place){yaml, "atlas", 0, error}, &settings->atlas);
	if (result == 0)
		result = check_platform(&(struct place){yaml, "revtr", 0, error}, &settings->revtr);
	if (result == 0)
		result = check_address(
			&(struct place){yaml, "public_address", 0, error}, settings->public_address, 4);
	if (result == 0)
		result = check_address(
			&(struct place){yaml, "public_address6", 0, error}, settings->public_address6, 6);
	return result;
}

/* ---- reading */

int settings_parse(struct settings **settings, const char *name, const char *text, struct error *error)
{
	struct yaml_text yaml = {name, text, strlen(text)};
	void *data;
	*settings = NULL;
	int result = yaml_text_read(&yaml, &settings_value, &data, NULL, error);
	if (result < 0)
		return result;
	struct settings *read = data ? data : calloc(1, sizeof(*read));
	if (!read)
		return error_set(error, -ENOMEM, "out of memory");
	read->none = !data;
	result = check(read, &yaml, error);
	if (result < 0) {
		settings_free(read);
		return result;
	}
	*settings = read;
	return 0;
}

/* Where the file usually is; NULL: nowhere, or out of memory. A relative XDG_CONFIG_HOME is to be ignored
 * (XDG Base Directory Specification). */
static char *usual_place(void)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int length = -1;
	if (base && *base == '/')
		length = asprintf(&path, "%s/retour/config.yaml", base);
	else if (home && *home == '/')
		length = asprintf(&path, "%s/.config/retour/config.yaml", home);
	return length < 0 ? NULL : path;
}

/* All of the file, with a NUL behind it. */
static int read_all(int fd, char **text)
{
	char *bytes = malloc(FILE_BYTES_MAX + 1);
	size_t length = 0;
	ssize_t got = bytes ? 1 : -1;
	if (!bytes)
		errno = ENOMEM;
	while (got > 0 && length < FILE_BYTES_MAX) {
		got = read(fd, bytes + length, FILE_BYTES_MAX - length);
		length += got > 0 ? (size_t)got : 0;
	}
	int result = got < 0 ? -errno : length == FILE_BYTES_MAX ? -EFBIG : 0;
	if (result == 0 && memchr(bytes, '\0', length))
		result = -EILSEQ;
	if (result < 0) {
		free(bytes);
		return result;
	}
	bytes[length] = '\0';
	*text = bytes;
	return 0;
}

static int failed(const char *file, int code, struct error *error)
{
	const char *why = code == -EFBIG ? "too large; expected less than 256 KiB"
		: code == -EILSEQ	 ? "not a text file"
					 : strerror(-code);
	return error_set(error, code, "the settings in %s cannot be read: %s", file, why);
}

static int load_open(int fd, struct settings **settings, const char *file, struct error *error)
{
	char *text = NULL;
	struct stat status;
	int result = fstat(fd, &status) < 0 ? -errno : read_all(fd, &text);
	if (result < 0)
		return failed(file, result, error);
	result = settings_parse(settings, file, text, error);
	explicit_bzero(text, strlen(text)); /* there may be a key in it */
	free(text);
	if (result < 0 ||
		!((*settings)->globalping.token || (*settings)->atlas.token || (*settings)->revtr.token) ||
		!(status.st_mode & (S_IRGRP | S_IROTH)))
		return result;
	settings_free(*settings);
	*settings = NULL;
	return error_set(error, -EACCES,
		"%s holds a key and others may read it: chmod 600 that file, or name an environment variable "
		"with token_env",
		file);
}

/* In a folder that this user may not look into, as after `sudo -u nobody` with another one's home: not his
 * file. */
static bool out_of_reach(const char *path)
{
	struct stat ignored;
	return errno == EACCES && stat(path, &ignored) < 0;
}

int settings_load(struct settings **settings, const char *file, struct error *error)
{
	char *usual = file ? NULL : usual_place();
	const char *path = file ? file : usual;
	*settings = NULL;
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	int result;
	if (fd >= 0)
		result = load_open(fd, settings, path, error);
	else if (path && (file || (errno != ENOENT && errno != ENOTDIR && !out_of_reach(path))))
		result = failed(path, -errno, error);
	else
		result = settings_parse(settings, "", "", error);
	if (fd >= 0)
		close(fd);
	free(usual);
	return result;
}

void settings_free(struct settings *settings)
{
	char *keys[] = {settings ? settings->globalping.token : NULL, settings ? settings->atlas.token : NULL,
		settings ? settings->revtr.token : NULL};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (keys[i])
			explicit_bzero(keys[i], strlen(keys[i]));
	if (settings && settings->none)
		free(settings);
	else
		yaml_text_free(&settings_value, settings);
}

struct addr settings_public_address(const struct settings *settings, uint8_t family)
{
	const char *text = family == 4 ? settings->public_address : settings->public_address6;
	struct addr address = ADDR_NONE;
	return text && addr_parse(text, &address) ? address : ADDR_NONE;
}

const char *settings_token(const struct settings_platform *platform)
{
	const char *value = platform->token_env ? getenv(platform->token_env) : NULL;
	return value && *value ? value : platform->token;
}
