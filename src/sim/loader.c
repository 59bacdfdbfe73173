/* The mistakes of a world file, collected and told. */
#include "sim/loader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/yaml.h"

#define MISTAKES_MAX 100 /* more are only counted: each costs a search through the text */

int loader_mistake(
	struct loader *l, const char *section, unsigned entry, const char *word, const char *format, ...)
{
	char text[300], escaped[360]; /* what is quoted from a file may be anything */
	va_list arguments;
	if (l->mistake_count == MISTAKES_MAX) {
		l->more_mistakes++;
		return -EINVAL;
	}
	struct mistake *list = realloc(l->mistakes, (l->mistake_count + 1) * sizeof(*list));
	if (!list)
		return loader_no_memory(l);
	l->mistakes = list;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	struct yaml_text yaml = {l->name, l->text, strlen(l->text)};
	struct mistake mistake = {yaml_text_line(&yaml, section, entry, word), NULL};
	if (asprintf(&mistake.text, "%s:%u: %s", l->name, mistake.line,
		    escape_text(text, escaped, sizeof(escaped))) < 0)
		return loader_no_memory(l);
	list[l->mistake_count++] = mistake;
	return -EINVAL;
}

int loader_no_memory(struct loader *l)
{
	return error_set(l->error, -ENOMEM, "%s: out of memory", l->name);
}

/* By line; a file may have several mistakes on one, which stay in the order they were found. */
static void sort_mistakes(struct loader *l)
{
	for (unsigned i = 1; i < l->mistake_count; i++) {
		struct mistake mistake = l->mistakes[i];
		unsigned at = i;
		for (; at > 0 && l->mistakes[at - 1].line > mistake.line; at--)
			l->mistakes[at] = l->mistakes[at - 1];
		l->mistakes[at] = mistake;
	}
}

int loader_verdict(struct loader *l, world_complain *complain, void *context)
{
	char rest[80] = "";
	if (l->mistake_count == 0)
		return 0;
	sort_mistakes(l);
	for (unsigned i = 0; i < l->mistake_count && complain; i++)
		complain(context, l->mistakes[i].text);
	if (l->more_mistakes > 0 && complain) {
		snprintf(rest, sizeof(rest), "and %u more mistakes", l->more_mistakes);
		complain(context, rest);
	}
	unsigned others = l->mistake_count - 1 + l->more_mistakes;
	rest[0] = '\0';
	if (others > 0)
		snprintf(rest, sizeof(rest), " (and %u more mistake%s)", others, others > 1 ? "s" : "");
	return error_set(l->error, -EINVAL, "%s%s", l->mistakes[0].text, rest);
}

void loader_free(struct loader *l)
{
	for (unsigned i = 0; i < l->mistake_count; i++)
		free(l->mistakes[i].text);
	free(l->mistakes);
	for (unsigned i = 0; l->world && i < l->world->as_count; i++)
		for (unsigned family = 0; family < 2; family++) {
			if (l->links)
				free(l->links[i].prefixes[family]);
			if (l->hosts)
				free(l->hosts[i].prefixes[family]);
		}
	free(l->given);
	free(l->links);
	free(l->hosts);
}
