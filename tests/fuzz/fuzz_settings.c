/* The user's settings are refused with one line, or they are settings that can be used. */
#include <string.h>

#include "fuzz.h"
#include "reverse/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings *settings;
	struct error error = {0};
	char *text = malloc(size + 1);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (settings_parse(&settings, "s", text, &error) < 0) {
		CHECK(!settings && error.text[0] && !strchr(error.text, '\n'));
	} else {
		for (size_t i = 0; i < settings->ssh_count; i++)
			CHECK(!settings->ssh[i].destination || settings->ssh[i].destination[0] != '-');
		struct addr address = settings_public_address(settings, 4);
		CHECK(address.family == 0 || address.family == 4);
		settings_free(settings);
	}
	free(text);
	return 0;
}
