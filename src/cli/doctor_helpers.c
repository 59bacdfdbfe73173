/* What some runs need beside the kernel: libraries, and what the ways back that ask somebody else stand on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/library.h"
#include "cli/doctor_check.h"
#include "net/route.h"
#include "reverse/settings.h"

static void check_library(
	struct checkup *checkup, const char *id, const char *file, const char *package, const char *what)
{
	struct error error = {0};
	if (library_load(file, package, NULL, 0, &error) == 0) {
		check_add(checkup, id, CHECK_OK, "%s", what);
		return;
	}
	struct check *check =
		check_add(checkup, id, CHECK_LIMITED, "no %s, which this needs: %s", package, what);
	check_remedy(check, "sudo apt-get install %s", package);
}

static bool in_path(const char *program)
{
	const char *path = getenv("PATH");
	while (path && *path) {
		char file[300];
		int length = (int)strcspn(path, ":");
		snprintf(file, sizeof(file), "%.*s/%s", length, path, program);
		if (length > 0 && access(file, X_OK) == 0)
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}

static void check_ssh(struct checkup *checkup)
{
	if (in_path("ssh")) {
		check_add(checkup, "ssh", CHECK_OK, "hosts that you may log in to can be asked: `--via ssh`");
		return;
	}
	struct check *check = check_add(checkup, "ssh", CHECK_LIMITED, "no ssh: no `--via ssh`");
	check_remedy(check, "sudo apt-get install openssh-client");
}

/* Does anything tell which address of ours somebody far away can trace to? */
static void check_public_address(struct checkup *checkup, const struct settings *settings)
{
	static const struct addr somewhere[] = {
		{.family = 4, .low = 0xc0000201}, {.family = 6, .high = 0x20010db800000000, .low = 1}};
	char text[ADDR_TEXT_SIZE], private[ADDR_TEXT_SIZE] = "";
	for (size_t i = 0; i < ARRAY_LEN(somewhere); i++) {
		struct addr source = settings_public_address(settings, somewhere[i].family);
		bool given = addr_is_set(source);
		if (!given && route_source(somewhere[i], ADDR_NONE, NULL, &source, NULL) < 0)
			continue;
		if (given || !addr_is_private(source)) {
			check_add(checkup, "public-address", CHECK_OK, "others can be asked to trace to %s",
				addr_format(source, text));
			return;
		}
		addr_format(source, private);
	}
	if (!*private)
		return; /* there is no route: that is said elsewhere */
	if (settings->stun_count > 0)
		check_add(checkup, "public-address", CHECK_OK,
			"%s is private; %s is asked for the public one", private, settings->stun[0]);
	else
		check_add(checkup, "public-address", CHECK_LIMITED,
			"%s is private, and nobody is set up to tell the public one: looking glasses and "
			"platforms "
			"need --public-address, or `stun` in retour-config(5)",
			private);
}

static void check_settings(struct checkup *checkup)
{
	struct settings *settings;
	struct error error = {0};
	if (settings_load(&settings, NULL, &error) < 0) {
		check_add(checkup, "settings", CHECK_LIMITED, "not used: %s", error.text);
		return;
	}
	size_t platforms = (size_t)settings->globalping.use + settings->atlas.use;
	if (settings->ssh_count + settings->looking_glass_count + platforms > 0)
		check_add(checkup, "settings", CHECK_OK,
			"others that may be asked: %zu by ssh, %zu looking glasses, %zu platforms",
			settings->ssh_count, settings->looking_glass_count, platforms);
	else
		check_add(checkup, "settings", CHECK_OK,
			"nobody else is set up to be asked for the way back: retour-config(5)");
	check_public_address(checkup, settings);
	settings_free(settings);
}

void doctor_helpers(struct checkup *checkup)
{
	check_library(checkup, "live-screen", "libncursesw.so.6", "libncursesw6",
		"the live table of `retour watch`");
	check_library(checkup, "resolver", "libcares.so.2", "libc-ares2", "names of routers");
	check_ssh(checkup);
	check_library(checkup, "http-client", "libcurl.so.4", "libcurl4",
		"looking glasses, platforms, `--via inband`");
	check_library(
		checkup, "http-server", "libmicrohttpd.so.12", "libmicrohttpd12", "`retour serve --listen`");
	check_settings(checkup);
}
