/* A line of one hop, inside import/: hop limit, responders with their times, marks and labels. */
#ifndef RETOUR_IMPORT_LINE_H
#define RETOUR_IMPORT_LINE_H

#include "import/build.h"

enum line_kind {
	LINE_OTHER,
	LINE_HOP,
	LINE_MORE, /* more responders or labels of the hop before */
};

/* The number in front of a hop: "  3 ", " 3.", "3:"; moves past it. -1: there is none. */
int line_ttl(const char **at);
/* What the line is; `ttl` is -1 but for a hop. */
enum line_kind line_kind(const char *line, int *ttl);
/* Take what the line says into the hop, which is the one that line_kind() told, or the one before. */
void line_read(struct build *build, int ttl, const char *line);

#endif
