#include "cli/ping_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "base/escape.h"
#include "cli/exit.h"
#include "cli/values.h"
#include "packet/stamp.h"

#define DATA_MIN 16 /* what tells our echoes from others' */
#define DATA_MAX 8900
#define TTL	 64

enum { ONLY_LONG = 256, OPTION_JSON, OPTION_JSONL, OPTION_STAMP, OPTION_WIDTH };

struct row {
	int key;
	const char *name, *argument, *help;
};

static const struct row rows[] = {
	{'c', "count", "N", "stop after so many (never)"},
	{'i', "interval", "SECONDS", "from one to the next (1)"},
	{'s', "size", "BYTES", "of the data of an echo (56)"},
	{'W', "wait", "SECONDS", "for an answer (2)"},
	{'t', "ttl", "TTL", "hop limit of the probes (64)"},
	{'q', "quiet", NULL, "the statistics only"},
	{'4', "ipv4", NULL, "use IPv4"},
	{'6', "ipv6", NULL, "use IPv6"},
	{'I', "icmp", NULL, "ICMP echo and nothing else"},
	{'u', "udp", NULL, "UDP and nothing else"},
	{'T', "tcp", NULL, "TCP SYN and nothing else"},
	{'p', "port", "PORT", "destination port (UDP 33434, TCP 443, then 80)"},
	{'Q', "tos", "VALUE", "type of service or traffic class (0)"},
	{OPTION_STAMP, "stamp", "PORT", "where to ask for directions (862; 0: do not ask)"},
	{'n', "numeric", NULL, "addresses only"},
	{OPTION_JSON, "json", NULL, "print one retour/1 document at the end"},
	{OPTION_JSONL, "jsonl", NULL, "print events as they happen, one JSON object a line"},
	{OPTION_WIDTH, "width", "COLUMNS", "width of the text (that of the terminal)"},
	{'h', "help", NULL, "this text"},
};

static void print_help(FILE *out)
{
	fputs("usage: retour ping [OPTIONS] HOST\n\n", out);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char left[40], letter[8] = "    ";
		if (rows[i].key < ONLY_LONG)
			snprintf(letter, sizeof(letter), "-%c, ", rows[i].key);
		snprintf(left, sizeof(left), "%s--%s %s", letter, rows[i].name,
			rows[i].argument ? rows[i].argument : "");
		fprintf(out, "  %-26s %s\n", left, rows[i].help);
	}
}

static int usage_error(const char *what, const char *value)
{
	char shown[80];
	fprintf(stderr, "retour: %s '%s'; see `retour ping --help`\n", what,
		escape_text(value, shown, sizeof(shown)));
	return EXIT_USAGE;
}

static int contradiction(const char *text)
{
	fprintf(stderr, "retour: %s; see `retour ping --help`\n", text);
	return EXIT_USAGE;
}

static bool port(const char *text, unsigned long low, uint16_t *value)
{
	unsigned n = 0;
	bool good = value_number(text, low, 65535, &n);
	*value = (uint16_t)n;
	return good;
}

static bool only(struct ping_options *options, enum probe_protocol protocol)
{
	options->only = true;
	options->protocol = protocol;
	return true;
}

/* false: the argument makes no sense. */
static bool apply(struct ping_options *options, int key, const char *argument)
{
	struct options *o = &options->probe;
	switch (key) {
	case 'c': return value_number(argument, 1, 1000000000, &options->count);
	case 'i': return value_decimal(argument, 0.01, 3600, &options->interval_s);
	case 's': options->size_given = true; return value_number(argument, DATA_MIN, DATA_MAX, &options->size);
	case 'W': return value_decimal(argument, 0.001, 100, &options->wait_s);
	case 't': return value_number(argument, 1, 255, &o->max_ttl);
	case 'q': options->quiet = true; return true;
	case '4': o->family = 4; return true;
	case '6': o->family = 6; return true;
	case 'I': return only(options, PROBE_ICMP);
	case 'u': return only(options, PROBE_UDP);
	case 'T': return only(options, PROBE_TCP);
	case 'p': return port(argument, 1, &options->port);
	case 'Q': return value_number(argument, 0, 255, &o->tos);
	case OPTION_STAMP: return port(argument, 0, &options->stamp_port);
	case 'n': o->numeric = true; return true;
	case OPTION_JSON: o->json = true; return true;
	case OPTION_JSONL: o->jsonl = true; return true;
	case OPTION_WIDTH: return value_number(argument, 20, 1000, &o->width);
	}
	return false;
}

static const char *name_of(int key)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].key == key)
			return rows[i].name;
	return "";
}

static void build_tables(struct option *longs, char *shorts)
{
	*shorts++ = ':';
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		longs[i] = (struct option){
			.name = rows[i].name,
			.has_arg = rows[i].argument ? required_argument : no_argument,
			.val = rows[i].key,
		};
		if (rows[i].key >= ONLY_LONG)
			continue;
		*shorts++ = (char)rows[i].key;
		if (rows[i].argument)
			*shorts++ = ':';
	}
	longs[ARRAY_LEN(rows)] = (struct option){0};
	*shorts = '\0';
}

static int finish(struct ping_options *options, int argc, char **argv)
{
	if (optind + 1 < argc)
		return usage_error("one host at a time; what to do with", argv[optind + 1]);
	if (optind >= argc)
		return usage_error("the host is missing after", argv[0]);
	options->probe.host = argv[optind];
	if (!*options->probe.host)
		return usage_error("not a host:", options->probe.host);
	if (options->probe.json && options->probe.jsonl)
		return contradiction("--json and --jsonl exclude each other");
	if (options->port && (!options->only || options->protocol == PROBE_ICMP))
		return contradiction("a port (-p) needs probes that have one: -u or -T");
	if (options->size_given && options->only && options->protocol == PROBE_TCP)
		return contradiction("TCP probes are bare SYNs and have no size");
	return -1;
}

int ping_options_parse(struct ping_options *options, int argc, char **argv)
{
	struct option longs[ARRAY_LEN(rows) + 1];
	char shorts[2 * ARRAY_LEN(rows) + 2];
	int key;
	*options = (struct ping_options){
		.probe =
			{
				.protocol = PROBE_UDP,
				.automatic = true,
				.first_ttl = 1,
				.max_ttl = TTL,
				.probes_per_hop = 1,
				.gap_limit = 1,
				.flow_label = OPTION_NOT_GIVEN,
				.plain_will_do = true,
			},
		.interval_s = 1,
		.wait_s = 2,
		.size = PING_DATA_DEFAULT,
		.stamp_port = STAMP_PORT,
	};
	build_tables(longs, shorts);
	optind = 1;
	while ((key = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (key == 'h') {
			print_help(stdout);
			return EXIT_OK;
		}
		if (key == '?' || key == ':')
			return usage_error(
				key == ':' ? "a value is missing after" : "unknown option", argv[optind - 1]);
		if (!apply(options, key, optarg)) {
			char what[60];
			snprintf(what, sizeof(what), "not a value for --%s:", name_of(key));
			return usage_error(what, optarg);
		}
	}
	return finish(options, argc, argv);
}
