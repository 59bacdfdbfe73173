#include "cli/watch_options.h"

#include <getopt.h>

#include "base/compiler.h"
#include "base/error.h"
#include "cli/arguments.h"
#include "cli/values.h"
#include "path/timeline.h"
#include "reverse/climb.h"

#define REPORT_ROUNDS 10
#define BACK_EVERY    300
#define CONFIDENCE    0.95 /* that no way is overlooked */

enum {
	OPTION_BACK_EVERY = ARGUMENT_LONG,
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

static const struct argument_row rows[] = {
	{'r', "report", NULL, "no screen: print a table at the end"},
	{'c', "count", "ROUNDS", "stop after so many rounds (with -r: 10, else never)"},
	{'i', "interval", "SECONDS", "from round to round (1; 0.02 to 3600)"},
	{OPTION_WIDE, "wide", NULL, "with -r: names in full, every column"},
	{OPTION_JSON, "json", NULL, "with -r: print one retour/1 document"},
	{OPTION_JSONL, "jsonl", NULL, "no screen: print events as they happen, JSON"},
	{OPTION_RECORD, "record", "FILE", "keep every probe in FILE"},
	{OPTION_REPLAY, "replay", "FILE", "show a recording; without a host"},
	{OPTION_SPEED, "speed", "FACTOR", "of a replay on the screen (1; 0.01 to 10000)"},
	{OPTION_PROMETHEUS, "prometheus", "FILE", "after each round metrics ('-': standard output)"},
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
	{'f', "first", "TTL", "first hop to probe (1; at most 255)"},
	{'m', "max-hops", "TTL", "last hop to probe (30; at most 255)"},
	{OPTION_GAP, "gap", "N", "silent hops in a row that end it (8; at most 255)"},
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

static bool understand(struct watch_options *options, int key, const char *argument)
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

static enum argument_verdict apply(void *context, int key, const char *argument)
{
	return understand(context, key, argument) ? ARGUMENT_TAKEN : ARGUMENT_NO_VALUE;
}

static const struct argument_table table = {
	.command = "watch",
	.operands = "HOST",
	.more = "       retour watch --replay FILE\n",
	.rows = rows,
	.count = ARRAY_LEN(rows),
	.left = 26,
	.apply = apply,
};

/* What contradicts itself in what is printed; NULL = nothing. */
static const char *output_contradiction(const struct watch_options *options)
{
	bool metrics = options->prometheus && options->prometheus[0] == '-' && !options->prometheus[1];
	if (options->probe.json && options->probe.jsonl)
		return "--json and --jsonl exclude each other";
	if (metrics && (options->probe.json || options->probe.jsonl || options->report))
		return "--prometheus - needs standard output for itself";
	if (options->replay && (options->record || options->prometheus || options->probe.jsonl))
		return "a replay measures nothing: --record, --prometheus and --jsonl make no sense with it";
	return NULL;
}

/* And in what is sent. */
static const char *contradiction(const struct watch_options *options)
{
	const struct options *probe = &options->probe;
	if (probe->first_ttl > probe->max_ttl)
		return "the first hop (-f) is beyond the last (-m)";
	if (probe->protocol == PROBE_ICMP && !probe->automatic &&
		(probe->destination_port || probe->source_port))
		return "ports (-p, --sport) need probes that have them: UDP or TCP";
	if (options->flows > 0 && options->replay)
		return "a replay measures nothing: --multipath makes no sense with it";
	if (options->flows > 0 && probe->source_port)
		return "--multipath chooses source ports itself: no --sport";
	if (probe->size && probe->protocol == PROBE_TCP)
		return "TCP probes are bare SYNs and have no size";
	return output_contradiction(options);
}

static int finish(struct watch_options *options, int argc, char **argv)
{
	struct error error;
	int status = -1;
	if (!options->replay)
		status = arguments_host(table.command, &options->probe.host, argc, argv);
	else if (optind < argc)
		status = arguments_wrong(
			table.command, "a replay has its host; what to do with", argv[optind]);
	if (status >= 0)
		return status;
	options->report |= options->probe.json;
	if (options->report && options->rounds == 0 && !options->replay)
		options->rounds = REPORT_ROUNDS;
	const char *what = contradiction(options);
	if (!what && climb_check(options->probe.methods, &error) < 0)
		what = error.text;
	return what ? arguments_contradict(table.command, what) : -1;
}

int watch_options_parse(struct watch_options *options, int argc, char **argv)
{
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
	int status = arguments_parse(&table, options, argc, argv);
	return status < 0 ? finish(options, argc, argv) : status;
}
