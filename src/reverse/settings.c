#include "reverse/settings.h"

#include <errno.h>
#include <stdlib.h>

int settings_load(struct settings **settings, const char *file, struct error *error)
{
	(void)file;
	*settings = calloc(1, sizeof(**settings));
	return *settings ? 0 : error_set(error, -ENOMEM, "out of memory");
}

void settings_free(struct settings *settings)
{
	free(settings);
}

const char *settings_token(const struct settings_platform *platform)
{
	const char *value = platform->token_env ? getenv(platform->token_env) : NULL;
	return value && *value ? value : platform->token;
}
