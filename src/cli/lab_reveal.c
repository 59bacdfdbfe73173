#include "cli/lab_reveal.h"

#include <stdio.h>

#define INDENT "     "
#define WIDTH  80

static void print_reaction(const char *what, const struct reaction *reaction)
{
	if (reaction->answers)
		printf("%s %u", what, reaction->ttl);
	else
		printf("%s -", what);
}

/* Addresses after a word, as many to the line as fit. */
static void print_list(const char *word, const struct addr *addrs, unsigned count)
{
	char text[ADDR_TEXT_SIZE];
	int column = printf(INDENT "%s", word);
	for (unsigned i = 0; i < count; i++) {
		if (column + 16 > WIDTH)
			column = printf("\n" INDENT INDENT) - 1;
		column += printf(" %s", addr_format(addrs[i], text));
	}
	puts(count > 0 ? "" : " nothing");
}

static void print_options(const struct reveal *reveal)
{
	char text[ADDR_TEXT_SIZE];
	const char *word = treatment_word(reveal->options);
	if (word)
		printf(INDENT "options passing: %s%s%s\n", word,
			addr_is_set(reveal->stamped) ? ", time stamped as " : "",
			addr_is_set(reveal->stamped) ? addr_format(reveal->stamped, text) : "");
	if (!reveal->route.answers) {
		puts(INDENT "ping with options: none come back");
		return;
	}
	print_list("ping, Record Route:", reveal->routes, reveal->route_count);
	print_list("ping, Timestamp:", reveal->times, reveal->time_count);
	printf(INDENT "ping, prespecified: %u of %u of its own, %u of nobody's\n", reveal->own_count,
		REVEAL_STAMPS, reveal->others_count);
}

static void print_endpoint(const char *before, const struct endpoint *end)
{
	char text[ADDR_TEXT_SIZE];
	printf("%s%s:%u", before, addr_format(end->addr, text), end->port);
}

void print_reveal(const struct reveal *reveal)
{
	print_reaction(INDENT "TTL of error", &reveal->error);
	print_reaction(", echo", &reveal->echo);
	print_reaction(", reset", &reveal->reset);
	putchar('\n');
	if (reveal->asked.family == 4)
		print_options(reveal);
	for (unsigned i = 0; i < 2 && reveal->translates; i++) {
		print_endpoint(i == 0 ? INDENT "translates from " : INDENT "           to   ",
			i == 0 ? &reveal->before[0] : &reveal->after[0]);
		print_endpoint(" > ", i == 0 ? &reveal->before[1] : &reveal->after[1]);
		putchar('\n');
	}
}

static json_t *addr_json(struct addr addr)
{
	char text[ADDR_TEXT_SIZE];
	return addr_is_set(addr) ? json_string(addr_format(addr, text)) : json_null();
}

static json_t *reaction_json(const struct reaction *reaction, bool icmp)
{
	if (!reaction->answers)
		return json_null();
	json_t *object =
		json_pack("{s:o, s:i}", "source", addr_json(reaction->source), "initial_ttl", reaction->ttl);
	if (icmp)
		json_object_update_new(
			object, json_pack("{s:i, s:i}", "type", reaction->type, "code", reaction->code));
	return object;
}

static json_t *list_json(const struct reaction *reaction, const struct addr *addrs, unsigned count)
{
	if (!reaction->answers)
		return json_null();
	json_t *list = json_array();
	for (unsigned i = 0; i < count; i++)
		json_array_append_new(list, addr_json(addrs[i]));
	return list;
}

static json_t *ends_json(const struct endpoint ends[2])
{
	return json_pack("{s:o, s:i, s:o, s:i}", "source", addr_json(ends[0].addr), "source_port",
		ends[0].port, "destination", addr_json(ends[1].addr), "destination_port", ends[1].port);
}

static json_t *count_json(const struct reaction *reaction, unsigned count)
{
	return reaction->answers ? json_integer(count) : json_null();
}

static json_t *options_json(const struct reveal *reveal)
{
	const char *word = treatment_word(reveal->options);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "passing", word ? json_string(word) : json_null(),
		"timestamp", addr_json(reveal->stamped), "ping_record_route",
		list_json(&reveal->route, reveal->routes, reveal->route_count), "ping_timestamp",
		list_json(&reveal->time, reveal->times, reveal->time_count), "ping_prespecified_own",
		count_json(&reveal->own, reveal->own_count), "ping_prespecified_others",
		count_json(&reveal->others, reveal->others_count));
}

json_t *reveal_json(const struct reveal *reveal)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "asked", addr_json(reveal->asked), "error",
		reaction_json(&reveal->error, true), "echo", reaction_json(&reveal->echo, false), "reset",
		reaction_json(&reveal->reset, false), "options",
		reveal->asked.family == 4 ? options_json(reveal) : json_null(), "translates",
		reveal->translates ? json_pack("{s:o, s:o}", "from", ends_json(reveal->before), "to",
					     ends_json(reveal->after))
				   : json_null());
}
