#include "cli/windows_args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/escape.h"

enum where { IN_TRACERT = 1, IN_PATHPING = 2, IN_BOTH = IN_TRACERT | IN_PATHPING };

struct option_row {
	char key;
	enum where where;
	const char *argument;
	const char *help;
	const char *refused; /* why there is none here; NULL = there is */
};

static const struct option_row rows[] = {
	{'d', IN_TRACERT, NULL, "no names", NULL},
	{'n', IN_PATHPING, NULL, "no names", NULL},
	{'h', IN_BOTH, "maximum_hops", "the last hop to probe (30)", NULL},
	{'j', IN_TRACERT, "host-list", NULL, "there is no source routing"},
	{'g', IN_PATHPING, "host-list", NULL, "there is no source routing"},
	{'w', IN_BOTH, "timeout", "milliseconds to wait (tracert 4000, pathping 3000)", NULL},
	{'p', IN_PATHPING, "period", "milliseconds between two queries (250)", NULL},
	{'q', IN_PATHPING, "num_queries", "queries for each hop (100)", NULL},
	{'R', IN_TRACERT, NULL, NULL,
		"routers ignore the routing header that it takes (RFC 5095); `retour HOST` "
		"shows the way back"},
	{'S', IN_TRACERT, "srcaddr", "send from this address", NULL},
	{'i', IN_PATHPING, "address", "send from this address", NULL},
	{'4', IN_BOTH, NULL, "IPv4", NULL},
	{'6', IN_BOTH, NULL, "IPv6", NULL},
	{'?', IN_BOTH, NULL, "this text", NULL},
};

static const char *const names[] = {"tracert", "pathping"};

static enum where where_of(enum windows_program program)
{
	return program == TRACERT ? IN_TRACERT : IN_PATHPING;
}

static int print_help(enum windows_program program)
{
	printf("\nUsage: %s [options] target_name\n\nOptions:\n", names[program]);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].where & where_of(program) && !rows[i].refused)
			printf("    -%c %-16s %s\n", rows[i].key, rows[i].argument ? rows[i].argument : "",
				rows[i].help);
	printf("\nretour-%s(1) tells what differs from Windows' %s.\n", names[program], names[program]);
	return WINDOWS_FAILED;
}

static int bad_option(enum windows_program program, const char *word)
{
	char shown[80];
	printf("%s is not a valid command option.\n", escape_text(word, shown, sizeof(shown)));
	return print_help(program);
}

static bool whole(const char *text, unsigned least, unsigned most, unsigned *value)
{
	char *end;
	errno = 0;
	unsigned long n = strtoul(text, &end, 10);
	*value = (unsigned)n;
	return text[0] != '-' && end != text && !*end && !errno && n >= least && n <= most;
}

/* false: the value makes no sense. */
static bool apply(struct windows_args *args, char key, const char *value)
{
	switch (key) {
	case 'd':
	case 'n': args->numeric = true; return true;
	case 'h': return whole(value, 1, 255, &args->max_ttl);
	case 'w': return whole(value, 1, 3600000, &args->timeout_ms);
	case 'p': return whole(value, 1, 3600000, &args->period_ms);
	case 'q': return whole(value, 1, 10000, &args->queries);
	case 'S':
	case 'i': return addr_parse(value, &args->source);
	case '4': args->family = 4; return true;
	case '6': args->family = 6; return true;
	default: return false;
	}
}

static const struct option_row *row_of(enum windows_program program, const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].where & where_of(program) && word[1] == rows[i].key && word[2] == '\0')
			return &rows[i];
	return NULL;
}

/* One option; *at moves on to its value. */
static int take(struct windows_args *args, enum windows_program program, char **argv, int argc, int *at)
{
	const char *word = argv[*at], *value = NULL;
	const struct option_row *row = row_of(program, word);
	if (!row)
		return bad_option(program, word);
	if (row->key == '?')
		return print_help(program);
	if (row->refused) {
		printf("%s is not supported here: %s.\n", word, row->refused);
		return WINDOWS_FAILED;
	}
	if (row->argument) {
		if (*at + 1 >= argc) {
			printf("A value must be supplied for command option %s.\n", word);
			return WINDOWS_FAILED;
		}
		value = argv[++*at];
	}
	if (apply(args, row->key, value))
		return -1;
	printf("Bad value for option %s.\n", word);
	return WINDOWS_FAILED;
}

int windows_args_parse(struct windows_args *args, enum windows_program program, int argc, char **argv)
{
	int status = -1;
	*args = (struct windows_args){
		.max_ttl = 30,
		.timeout_ms = program == TRACERT ? 4000 : 3000,
		.queries = 100,
		.period_ms = 250,
	};
	for (int at = 1; at < argc && status < 0; at++) {
		if ((argv[at][0] == '-' || argv[at][0] == '/') && argv[at][1])
			status = take(args, program, argv, argc, &at);
		else if (args->host)
			status = bad_option(program, argv[at]);
		else
			args->host = argv[at];
	}
	return status < 0 && !args->host ? print_help(program) : status;
}
