/* Address and prefix texts: what is accepted survives being written and read again. */
#include <string.h>

#include "base/addr.h"
#include "fuzz.h"

static void check_addr(const char *text)
{
	struct addr addr, again;
	char formatted[ADDR_TEXT_SIZE];
	CHECK(addr_parse(text, &addr) == addr_is_set(addr));
	if (addr_is_set(addr))
		CHECK(addr_parse(addr_format(addr, formatted), &again) && addr_equal(addr, again));
}

static void check_prefix(const char *text)
{
	struct prefix prefix, again;
	char formatted[PREFIX_TEXT_SIZE];
	if (!prefix_parse(text, &prefix))
		return;
	CHECK(prefix.length <= addr_bits(prefix.addr));
	CHECK(prefix_contains(prefix, prefix.addr));
	CHECK(prefix_parse(prefix_format(prefix, formatted), &again));
	CHECK(again.length == prefix.length && addr_equal(again.addr, prefix.addr));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	check_addr(text);
	check_prefix(text);
	free(text);
	return 0;
}
