#include "cli/watch_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "base/escape.h"
#include "cli/exit.h"
#include "cli/values.h"
#include "path/timeline.h"
#include "reverse/climb.h"

#define REPORT_ROUNDS 10
#define BACK_EVERY    300
#define CONFIDENCE    0.95 /* that no way is overlooked */

enum {
	ONLY_LONG = 256,
	OPTION_BACK_EVERY,
	OPTION_CHECK,
	OPTION_DATA,
	OPTION_GAP,
	OPTION_JSON,
	OPTION_JSONL,
	OPTION_MARK,
	OPTION_MULTIPATH,
	OPTION_PROMETHEUS,
	OPTION_RECORD,
	OPTION_REPLAY,
	OPTION_SIZE,
	OPTION_SPEED,
	OPTION_SPORT,
	OPTION_VIA,
	OPTION_WIDE,
	OPTION_WIDTH,
};

struct row {
	int key;
	const char *name, *argument, *help;
};

static const struct row rows[] = {
	{'r', "report", NULL, "no screen: print a table at the end"},
	{'c', "count", "ROUNDS", "stop after so many rounds (with -r: 10, else never)"},
	{'i', "interval", "SECONDS", "from round to round (1)"},
	{OPTION_WIDE, "wide", NULL, "with -r: names in full, every column"},
	{OPTION_JSON, "json", NULL, "with -r: print one retour/1 document"},
	{OPTION_JSONL, "jsonl", NULL, "no screen: print events as they happen, JSON"},
	{OPTION_RECORD, "record", "FILE", "keep every probe in FILE"},
	{OPTION_REPLAY, "replay", "FILE", "show a recording; without a host"},
	{OPTION_SPEED, "speed", "FACTOR", "of a replay on the screen (1)"},
	{OPTION_PROMETHEUS, "prometheus", "FILE",
		"after each round metrics ('-': standard output)"},
	{OPTION_MULTIPATH, "multipath", "[=N]", "find all ways first; rounds take N flows (8)"},
	{OPTION_BACK_EVERY, "back-every", "ROUNDS", "measure the way back again (300; 0: if it changed)"},
	{OPTION_VIA, "via", "METHOD,...", "ways back to try, in this order"},
	{'4', "ipv4", NULL, "use IPv4"},
	{'6', "ipv6", NULL, "use IPv6"},
	{'I', "icmp", NULL, "probe with ICMP echo (the default with cap_net_raw)"},
	{'u', "udp", NULL, "probe with UDP (the default without)"},
	{'T', "tcp", NULL, "probe with TCP SYN"},
	{'p', "port", "PORT", "destination port (UDP 33434, TCP 80)"},
	{OPTION_SPORT, "sport", "PORT", "source port (a free one)"},
	{'f', "first", "TTL", "first hop to probe (1)"},
	{'m', "max-hops", "TTL", "last hop to probe (30)"},
	{OPTION_GAP, "gap", "N", "silent hops in a row that end the way (8)"},
	{'s', "source", "ADDRESS", "send from this address of ours"},
	{OPTION_MARK, "mark", "N", "firewall mark of the probes"},
	{'Q', "tos", "VALUE", "type of service or traffic class of probes (0)"},
	{OPTION_SIZE, "size", "BYTES", "of the whole packet (as small as it gets)"},
	{'n', "numeric", NULL, "do not look up names"},
	{OPTION_DATA, "data", "DIR", "folder of AS data (see FILES in retour(1))"},
	{OPTION_WIDTH, "width", "COLUMNS", "width of the text (that of the terminal)"},
	{OPTION_CHECK, "check", NULL, "exit 1 when something is found to be a problem"},
	{'h', "help", NULL, "this text"},
};

static void print_help(FILE *out)
{
	fputs("usage: retour watch [OPTIONS] HOST\n"
	      "       retour watch --replay FILE\n\n",
		out);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char left[40], letter[8] = "    ";
		if (rows[i].key < ONLY_LONG)
			snprintf(letter, sizeof(letter), "-%c, ", rows[i].key);
		const char *argument = rows[i].argument ? rows[i].argument : "";
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, rows[i].name, *argument == '[' ? "" : " ", argument);
		fprintf(out, "  %-26s %s\n", left, rows[i].help);
	}
}

static int usage_error(const char *what, const char *value)
{
	char shown[80];
	fprintf(stderr, "retour: %s '%s'; see `retour watch --help`\n", what,
		escape_text(value, shown, sizeof(shown)));
	return EXIT_USAGE;
}

static int contradiction(const char *text)
{
	fprintf(stderr, "retour: %s; see `retour watch --help`\n", text);
	return EXIT_USAGE;
}

static bool port(const char *text, uint16_t *value)
{
	unsigned n = 0;
	bool good = value_number(text, 1, 65535, &n);
	*value = (uint16_t)n;
	return good;
}

static void protocol(struct options *options, enum probe_protocol value)
{
	options->protocol = value;
	options->automatic = false;
}

/* Options that say what is sent, and what every command has; false: the argument makes no sense. */
static bool apply_common(struct options *o, int key, const char *argument)
{
	switch (key) {
	case '4': o->family = 4; return true;
	case '6': o->family = 6; return true;
	case 'I': protocol(o, PROBE_ICMP); return true;
	case 'u': protocol(o, PROBE_UDP); return true;
	case 'T': protocol(o, PROBE_TCP); return true;
	case 'p': return port(argument, &o->destination_port);
	case OPTION_SPORT: return port(argument, &o->source_port);
	case 'f': return value_number(argument, 1, 255, &o->first_ttl);
	case 'm': return value_number(argument, 1, 255, &o->max_ttl);
	case OPTION_GAP: return value_number(argument, 1, 255, &o->gap_limit);
	case 's': return addr_parse(argument, &o->source);
	case OPTION_MARK: return value_number(argument, 0, 0xffffffff, &o->mark);
	case 'Q': return value_number(argument, 0, 255, &o->tos);
	case OPTION_SIZE: return value_number(argument, 20, 9216, &o->size);
	case 'n': o->numeric = true; return true;
	case OPTION_DATA: o->data_dir = argument; return true;
	case OPTION_WIDTH: return value_number(argument, 20, 1000, &o->width);
	case OPTION_CHECK: o->check = true; return true;
	case OPTION_JSON: o->json = true; return true;
	case OPTION_JSONL: o->jsonl = true; return true;
	case OPTION_VIA: o->methods = argument; return true;
	}
	return false;
}

static bool apply(struct watch_options *options, int key, const char *argument)
{
	switch (key) {
	case 'r': options->report = true; return true;
	case 'c': return value_number(argument, 1, 1000000000, &options->rounds);
	case 'i': return value_decimal(argument, 0.02, 3600, &options->interval_s);
	case OPTION_WIDE: options->wide = true; return true;
	case OPTION_RECORD: options->record = argument; return true;
	case OPTION_REPLAY: options->replay = argument; return true;
	case OPTION_SPEED: return value_decimal(argument, 0.01, 10000, &options->speed);
	case OPTION_PROMETHEUS: options->prometheus = argument; return true;
	case OPTION_MULTIPATH:
		options->flows = TIMELINE_FLOWS;
		options->probe.multipath = CONFIDENCE;
		return !argument || value_number(argument, 2, TIMELINE_FLOWS, &options->flows);
	case OPTION_BACK_EVERY: return value_number(argument, 0, 1000000000, &options->back_every);
	}
	return apply_common(&options->probe, key, argument);
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
			.has_arg = !rows[i].argument ? no_argument
				: rows[i].argument[0] == '[' ? optional_argument
							     : required_argument,
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

static int check_outputs(const struct watch_options *options)
{
	bool metrics = options->prometheus && options->prometheus[0] == '-' && !options->prometheus[1];
	if (options->probe.json && options->probe.jsonl)
		return contradiction("--json and --jsonl exclude each other");
	if (metrics && (options->probe.json || options->probe.jsonl || options->report))
		return contradiction("--prometheus - needs standard output for itself");
	if (options->replay && (options->record || options->prometheus || options->probe.jsonl))
		return contradiction("a replay measures nothing: --record, --prometheus and --jsonl make no "
				     "sense with it");
	return -1;
}

static int finish(struct watch_options *options, int argc, char **argv)
{
	struct options *probe = &options->probe;
	struct error error;
	if (optind + 1 < argc)
		return usage_error("one host at a time; what to do with", argv[optind + 1]);
	if (optind >= argc && !options->replay)
		return usage_error("the host is missing after", argv[0]);
	if (optind < argc && options->replay)
		return usage_error("a replay has its host; what to do with", argv[optind]);
	probe->host = argv[optind];
	if (probe->host && !*probe->host)
		return usage_error("not a host:", probe->host);
	if (probe->first_ttl > probe->max_ttl)
		return contradiction("the first hop (-f) is beyond the last (-m)");
	if (probe->protocol == PROBE_ICMP && !probe->automatic &&
		(probe->destination_port || probe->source_port))
		return contradiction("ports (-p, --sport) need probes that have them: UDP or TCP");
	if (options->flows > 0 && options->replay)
		return contradiction("a replay measures nothing: --multipath makes no sense with it");
	if (options->flows > 0 && probe->source_port)
		return contradiction("--multipath chooses source ports itself: no --sport");
	if (probe->size && probe->protocol == PROBE_TCP)
		return contradiction("TCP probes are bare SYNs and have no size");
	if (climb_check(probe->methods, &error) < 0)
		return contradiction(error.text);
	options->report |= probe->json;
	if (options->report && options->rounds == 0 && !options->replay)
		options->rounds = REPORT_ROUNDS;
	return check_outputs(options);
}

int watch_options_parse(struct watch_options *options, int argc, char **argv)
{
	struct option longs[ARRAY_LEN(rows) + 1];
	char shorts[2 * ARRAY_LEN(rows) + 2];
	int key;
	*options = (struct watch_options){
		.probe =
			{
				.protocol = PROBE_UDP,
				.automatic = true,
				.first_ttl = 1,
				.max_ttl = 30,
				.probes_per_hop = 3,
				.gap_limit = 8,
				.flow_label = OPTION_NOT_GIVEN,
			},
		.interval_s = 1,
		.back_every = BACK_EVERY,
		.speed = 1,
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
