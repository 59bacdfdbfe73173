#include "report/style.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

const struct glyphs *glyphs_of(const struct report_options *options)
{
	static const struct glyphs ascii = {
		.rails = "|   |",
		.rails_top = "+---+",
		.rails_bottom = "+---+",
		.same = {"|-@-|", "|-n-|", "|-o-|"},
		.mark = {"@", "n", "o"},
		.down = "v",
		.up = "^",
	};
	static const struct glyphs utf8 = {
		.rails = "│   │",
		.rails_top = "┌───┐",
		.rails_bottom = "└───┘",
		.same = {"├─●─┤", "├─◌─┤", "├─○─┤"},
		.mark = {"●", "◌", "○"},
		.down = "↓",
		.up = "↑",
	};
	return options->utf8 ? &utf8 : &ascii;
}

int text_columns(const char *text)
{
	int columns = 0;
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		columns += (*p & 0xc0) != 0x80;
	return columns;
}

void paint(FILE *out, const struct report_options *options, enum role role, const char *text, int columns)
{
	static const char *const sequences[] = {"", "1", "2", "32", "33", "31;1"};
	bool coloured = options->colour && role != ROLE_PLAIN && *text;
	if (coloured)
		fprintf(out, "\033[%sm%s\033[0m", sequences[role], text);
	else
		fputs(text, out);
	for (int i = text_columns(text); i < columns; i++)
		fputc(' ', out);
}

void print_newline(FILE *out)
{
	fputc('\n', out);
}

static void print_words(FILE *out, const char *text, int column, int indent, int width)
{
	bool fresh = true; /* no word on this line yet */
	for (const char *word = text; *word;) {
		int length = (int)strcspn(word, " ");
		if (column + !fresh + length > width && column > indent) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (!fresh) {
			fputc(' ', out);
			column++;
		}
		fresh = false;
		/* A word that is wider than the line goes on in the next one. */
		while (length > width - indent) {
			fprintf(out, "%.*s\n%*s", width - indent, word, indent, "");
			word += width - indent;
			length -= width - indent;
		}
		fprintf(out, "%.*s", length, word);
		column += length;
		word += length;
		word += strspn(word, " ");
	}
	fputc('\n', out);
}

void print_wrapped(FILE *out, const struct report_options *options, enum role prefix_role, const char *prefix,
	int indent, const char *text)
{
	size_t size = strlen(text) * 4 + 1;
	char *clean = malloc(size);
	if (!clean)
		return;
	paint(out, options, prefix_role, prefix, 0);
	print_words(out, escape_text(text, clean, size), text_columns(prefix), indent, options->width);
	free(clean);
}
