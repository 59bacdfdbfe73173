#include "cli/ping_options.h"

#include "base/compiler.h"
#include "cli/arguments.h"
#include "cli/values.h"
#include "packet/stamp.h"

#define DATA_MIN 16 /* what tells our echoes from others' */
#define DATA_MAX 8900
#define TTL	 64

enum { OPTION_JSON = ARGUMENT_LONG, OPTION_JSONL, OPTION_STAMP, OPTION_WIDTH };

static const struct argument_row rows[] = {
	{'c', "count", "N", "stop after so many (never; 1 or more)"},
	{'i', "interval", "SECONDS", "from one to the next (1; 0.01 to 3600)"},
	{'s', "size", "BYTES", "of the data of an echo (56; 16 to 8900)"},
	{'W', "wait", "SECONDS", "for an answer (2)"},
	{'t', "ttl", "TTL", "hop limit of the probes (64; 1 to 255)"},
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
static bool understand(struct ping_options *options, int key, const char *argument)
{
	struct options *o = &options->probe;
	switch (key) {
	case 'c': return value_number(argument, 1, 1000000000, &options->count);
	case 'i': return value_decimal(argument, 0.01, 3600, &options->interval_s);
	case 's':
		options->size_given = true;
		return value_number(argument, DATA_MIN, DATA_MAX, &options->size);
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

static enum argument_verdict apply(void *context, int key, const char *argument)
{
	return understand(context, key, argument) ? ARGUMENT_TAKEN : ARGUMENT_NO_VALUE;
}

static const struct argument_table table = {.command = "ping",
	.operands = "HOST",
	.rows = rows,
	.count = ARRAY_LEN(rows),
	.left = 26,
	.apply = apply};

/* What contradicts itself; NULL = nothing. */
static const char *contradiction(const struct ping_options *options)
{
	if (options->probe.json && options->probe.jsonl)
		return "--json and --jsonl exclude each other";
	if (options->port && (!options->only || options->protocol == PROBE_ICMP))
		return "a port (-p) needs probes that have one: -u or -T";
	if (options->size_given && options->only && options->protocol == PROBE_TCP)
		return "TCP probes are bare SYNs and have no size";
	return NULL;
}

int ping_options_parse(struct ping_options *options, int argc, char **argv)
{
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
	int status = arguments_parse(&table, options, argc, argv);
	if (status < 0)
		status = arguments_host(table.command, &options->probe.host, argc, argv);
	const char *what = status < 0 ? contradiction(options) : NULL;
	return what ? arguments_contradict(table.command, what) : status;
}
