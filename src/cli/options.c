#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/escape.h"
#include "cli/exit.h"

enum { ONLY_LONG = 256, OPTION_VIA, OPTION_JSON, OPTION_CHECK, OPTION_WIDTH, OPTION_DATA, OPTION_SPORT, OPTION_GAP };

enum where { FORWARD = 1, BACK = 2, ALL = FORWARD | BACK };

struct option_row {
	int key;
	const char *name;
	const char *argument; /* NULL = none */
	enum where where;
	const char *help;
};

static const struct option_row rows[] = {
	{'4', "ipv4", NULL, ALL, "use IPv4"},
	{'6', "ipv6", NULL, ALL, "use IPv6"},
	{'u', "udp", NULL, ALL, "probe with UDP (the default)"},
	{'I', "icmp", NULL, ALL, "probe with ICMP echo"},
	{'f', "first", "TTL", FORWARD, "first hop to probe (1)"},
	{'m', "max-hops", "TTL", ALL, "last hop to probe (30)"},
	{'q', "queries", "N", ALL, "probes per hop (3, at most 10)"},
	{OPTION_GAP, "gap", "N", FORWARD, "silent hops in a row that end the trace (8)"},
	{'p', "port", "PORT", ALL, "destination port of UDP probes (33434)"},
	{OPTION_SPORT, "sport", "PORT", FORWARD, "source port of UDP probes (a free one)"},
	{'s', "source", "ADDRESS", ALL, "send from this address of ours"},
	{'Q', "tos", "VALUE", FORWARD, "type of service or traffic class of probes (0)"},
	{OPTION_VIA, "via", "METHOD,...", BACK, "ways back to try, in this order"},
	{'n', "numeric", NULL, ALL, "do not look up names"},
	{OPTION_DATA, "data", "DIR", ALL, "folder of AS data (see FILES in retour(1))"},
	{OPTION_WIDTH, "width", "COLUMNS", ALL, "width of the text (that of the terminal)"},
	{OPTION_JSON, "json", NULL, ALL, "print one retour/1 document"},
	{OPTION_CHECK, "check", NULL, ALL, "exit 1 when something is found to be a problem"},
	{'h', "help", NULL, ALL, "this text"},
};

static enum where scope_of(const char *command)
{
	return strcmp(command, "trace") == 0 ? FORWARD : strcmp(command, "back") == 0 ? BACK : ALL;
}

static void print_help(FILE *out, const char *command)
{
	fprintf(out, "usage: retour%s%s [OPTIONS] HOST\n\n", *command ? " " : "", command);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char left[40], letter[8] = "    ";
		if (!(rows[i].where & scope_of(command)))
			continue;
		if (rows[i].key < ONLY_LONG)
			snprintf(letter, sizeof(letter), "-%c, ", rows[i].key);
		snprintf(left, sizeof(left), "%s--%s %s", letter, rows[i].name, rows[i].argument ? rows[i].argument : "");
		fprintf(out, "  %-26s %s\n", left, rows[i].help);
	}
}

static int usage_error(const char *command, const char *what, const char *value)
{
	char shown[80];
	fprintf(stderr, "retour: %s '%s'; see `retour%s%s --help`\n", what, escape_text(value, shown, sizeof(shown)),
		*command ? " " : "", command);
	return EXIT_USAGE;
}

/* A whole number within bounds; false otherwise. */
static bool number(const char *text, unsigned long low, unsigned long high, unsigned *value)
{
	char *end;
	errno = 0;
	unsigned long n = strtoul(text, &end, 0);
	if (errno || end == text || *end || n < low || n > high || text[0] == '-')
		return false;
	*value = (unsigned)n;
	return true;
}

static bool port(const char *text, uint16_t *value)
{
	unsigned n = 0;
	bool good = number(text, 1, 65535, &n);
	*value = (uint16_t)n;
	return good;
}

/* false: the argument makes no sense. */
static bool apply(struct options *options, int key, const char *argument)
{
	unsigned n = 0;
	bool good = true;
	switch (key) {
	case '4': options->family = 4; break;
	case '6': options->family = 6; break;
	case 'u': options->protocol = PROBE_UDP; break;
	case 'I': options->protocol = PROBE_ICMP; break;
	case 'f': good = number(argument, 1, 255, &options->first_ttl); break;
	case 'm': good = number(argument, 1, 255, &options->max_ttl); break;
	case 'q': good = number(argument, 1, 10, &options->probes_per_hop); break;
	case OPTION_GAP: good = number(argument, 1, 255, &options->gap_limit); break;
	case 'p': good = port(argument, &options->destination_port); break;
	case OPTION_SPORT: good = port(argument, &options->source_port); break;
	case 's': good = addr_parse(argument, &options->source); break;
	case 'Q':
		good = number(argument, 0, 255, &n);
		options->tos = (uint8_t)n;
		break;
	case OPTION_VIA: options->methods = argument; break;
	case 'n': options->numeric = true; break;
	case OPTION_DATA: options->data_dir = argument; break;
	case OPTION_WIDTH:
		good = number(argument, 20, 1000, &n);
		options->width = (int)n;
		break;
	case OPTION_JSON: options->json = true; break;
	case OPTION_CHECK: options->check = true; break;
	}
	return good;
}

static const struct option_row *row_of(int key)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].key == key)
			return &rows[i];
	return NULL;
}

/* getopt's tables for the rows in scope. */
static void build_tables(enum where scope, struct option *longs, char *shorts)
{
	size_t used = 0;
	*shorts++ = ':';
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!(rows[i].where & scope))
			continue;
		longs[used++] = (struct option){
			.name = rows[i].name,
			.has_arg = rows[i].argument ? required_argument : no_argument,
			.val = rows[i].key,
		};
		if (rows[i].key < ONLY_LONG) {
			*shorts++ = (char)rows[i].key;
			if (rows[i].argument)
				*shorts++ = ':';
		}
	}
	longs[used] = (struct option){0};
	*shorts = '\0';
}

static int finish(struct options *options, const char *command, int argc, char **argv)
{
	if (optind >= argc)
		return usage_error(command, "the host is missing after", argv[0]);
	if (optind + 1 < argc)
		return usage_error(command, "one host at a time; what to do with", argv[optind + 1]);
	options->host = argv[optind];
	if (!*options->host)
		return usage_error(command, "not a host:", options->host);
	if (options->first_ttl > options->max_ttl)
		return usage_error(command, "the first hop is beyond the last in", command);
	return -1;
}

int options_parse(struct options *options, const char *command, int argc, char **argv)
{
	struct option longs[ARRAY_LEN(rows) + 1];
	char shorts[2 * ARRAY_LEN(rows) + 2];
	int key;
	*options = (struct options){
		.protocol = PROBE_UDP,
		.first_ttl = 1,
		.max_ttl = 30,
		.probes_per_hop = 3,
		.gap_limit = 8,
	};
	build_tables(scope_of(command), longs, shorts);
	optind = 1;
	while ((key = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (key == 'h') {
			print_help(stdout, command);
			return EXIT_OK;
		}
		if (key == '?' || key == ':')
			return usage_error(command, key == ':' ? "a value is missing after" : "unknown option",
				argv[optind - 1]);
		if (!apply(options, key, optarg)) {
			char what[60];
			snprintf(what, sizeof(what), "not a value for --%s:", row_of(key)->name);
			return usage_error(command, what, optarg);
		}
	}
	return finish(options, command, argc, argv);
}
