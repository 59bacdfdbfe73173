/* Pages of looking glasses: text is never longer than the page, ends with a NUL and has no other. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "reverse/lg_html.h"

static void check(char *text, size_t length, size_t most)
{
	CHECK(text);
	CHECK(length <= most);
	CHECK(strlen(text) == length);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t length = 0;
	char *label = NULL;
	char *page = malloc(size); /* whoever reads behind the end is caught */
	memcpy(page, data, size);
	char *text = lg_html_text(page, size, &length);
	check(text, length, size);
	text = lg_html_pre(page, size, &length);
	check(text, length, size);
	free(lg_html_input(page, size, "token"));
	free(lg_html_option(page, size, "routers", NULL, &label));
	free(label);
	free(lg_html_option(page, size, "routers", "edge", NULL));
	free(page);
	return 0;
}
