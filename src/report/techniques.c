#include "report/techniques.h"

#include <stdio.h>
#include <string.h>

#include "path/words.h"

const char *technique_phrase(enum technique technique)
{
	switch (technique) {
	case TECHNIQUE_ATLAS: return "a traceroute to the source passed";
	case TECHNIQUE_ATLAS_INTERVAL: return "near a traceroute, place not certain";
	case TECHNIQUE_RECORD_ROUTE: return "wrote itself into the source's ping";
	case TECHNIQUE_RECORD_ROUTE_SPOOFED: return "wrote itself into a spoofed ping";
	case TECHNIQUE_TIMESTAMP: return "wrote its time into the source's ping";
	case TECHNIQUE_TIMESTAMP_SPOOFED: return "wrote its time into a spoofed ping";
	case TECHNIQUE_SYMMETRIC_INTRA: return "assumed: as there, in one network";
	case TECHNIQUE_SYMMETRIC_INTER: return "assumed: as there, across networks";
	case TECHNIQUE_INFERRED:
	case TECHNIQUE_TTL:
	case TECHNIQUE_RESPONDER:
	case TECHNIQUE_INBAND:
	case TECHNIQUE_SOURCE_ROUTE:
	case TECHNIQUE_REMOTE_TRACE:
	default: return technique_word(technique);
	}
}

bool techniques_composed(const struct path *path)
{
	return path->direction == DIRECTION_REVERSE && strcmp(path->method, "revtr") == 0;
}

void print_techniques(FILE *out, const struct path *path, const struct report_options *options)
{
	size_t first = 0;
	while (techniques_composed(path) && first < path->hop_count) {
		enum technique technique = path->hops[first].technique;
		char numbers[60], text[TEXT_MAX];
		size_t end = first + 1;
		while (end < path->hop_count && path->hops[end].technique == technique)
			end++;
		if (end == first + 1)
			snprintf(numbers, sizeof(numbers), "hop %zu", end);
		else
			snprintf(numbers, sizeof(numbers), "hops %zu to %zu", first + 1, end);
		snprintf(text, sizeof(text), "%s: %s", numbers, technique_phrase(technique));
		print_wrapped(out, options, ROLE_PLAIN, first == 0 ? "known  " : "       ", 7, text);
		first = end;
	}
}
