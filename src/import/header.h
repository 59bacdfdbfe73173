/* First lines of traceroutes, inside import/. */
#ifndef RETOUR_IMPORT_HEADER_H
#define RETOUR_IMPORT_HEADER_H

#include "import/lex.h"
#include "import/text.h"

struct header {
	char name[LEX_NAME_SIZE]; /* "" = only an address */
	struct addr target, source;
	int hops_max, size; /* -1 = not said */
	bool tcp;
};

/* "traceroute to NAME (ADDR), H hops max, B byte packets" and its cousins. */
bool header_read(const char *line, struct header *header);
/* A target in somebody's command line: "router> traceroute 198.51.100.9". */
bool header_command(const char *line, const char *command, struct header *header);

#endif
