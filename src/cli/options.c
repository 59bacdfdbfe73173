#include "cli/options.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "cli/arguments.h"
#include "cli/exit.h"
#include "cli/values.h"
#include "probe/machine.h"
#include "trace/stopping.h"

/* Keys of options without a letter; those of two letters share the key of the first. */
enum {
	OPTION_BROADCAST = ARGUMENT_LONG,
	OPTION_CHECK,
	OPTION_CLASSIC_PORT,
	OPTION_CSV,
	OPTION_DATA,
	OPTION_DOT,
	OPTION_FLOW_LABEL,
	OPTION_FORMAT,
	OPTION_GAP,
	OPTION_JSON,
	OPTION_JSONL,
	OPTION_MARK,
	OPTION_MTU,
	OPTION_MULTIPATH,
	OPTION_PROTO,
	OPTION_RATE,
	OPTION_SIZE,
	OPTION_SPORT,
	OPTION_TARGETS,
	OPTION_UDPLITE,
	OPTION_VIA,
	OPTION_PUBLIC,
	OPTION_CONFIG,
	OPTION_WIDTH,
};

enum where { FORWARD = 1, BACK = 2, ALL = FORWARD | BACK };

/* How the argument is read, and what kind of field it fills. */
enum kind {
	KIND_HELP,
	KIND_FLAG,     /* bool */
	KIND_NUMBER,   /* unsigned, between low and high */
	KIND_PORT,     /* uint16_t */
	KIND_TEXT,     /* const char * */
	KIND_ADDRESS,  /* struct addr */
	KIND_SECONDS,  /* double; more than 10 are milliseconds, as traceroute's -z */
	KIND_FAMILY,   /* low: 4 or 6 */
	KIND_PROTOCOL, /* low: enum probe_protocol */
	KIND_IP,       /* uint8_t, and the protocol becomes PROBE_IP */
	KIND_WAIT,     /* MAX[,HERE,NEAR] */
	KIND_SHARE,    /* double below 1; above 1 it is per cent; may be left out */
};

struct option_row {
	int key;
	const char *name;     /* NULL: another letter for a row that has one, not in the help */
	const char *argument; /* NULL = none */
	enum where where;
	enum kind kind;
	size_t offset; /* of the field in struct options */
	unsigned long low, high;
	const char *help;
};

#define FIELD(name)		offsetof(struct options, name)
#define FLAG(name)		KIND_FLAG, FIELD(name), 0, 0
#define NUMBER(name, low, high) KIND_NUMBER, FIELD(name), low, high
#define PORT(name)		KIND_PORT, FIELD(name), 1, 65535
#define TEXT(name)		KIND_TEXT, FIELD(name), 0, 0
#define PROTO(value)		KIND_PROTOCOL, FIELD(protocol), value, 0

static const struct option_row rows[] = {
	{'4', "ipv4", NULL, ALL, KIND_FAMILY, FIELD(family), 4, 0, "use IPv4"},
	{'6', "ipv6", NULL, ALL, KIND_FAMILY, FIELD(family), 6, 0, "use IPv6"},
	{'u', "udp", NULL, ALL, PROTO(PROBE_UDP), "probe with UDP and nothing else"},
	{'I', "icmp", NULL, ALL, PROTO(PROBE_ICMP), "probe with ICMP echo"},
	{'T', "tcp", NULL, ALL, PROTO(PROBE_TCP), "probe with TCP SYN"},
	{'U', "dns", NULL, FORWARD, PROTO(PROBE_UDP), "probe with questions to a name server (port 53)"},
	{OPTION_UDPLITE, "udplite", NULL, FORWARD, PROTO(PROBE_UDPLITE), "probe with UDP-Lite"},
	{OPTION_PROTO, "proto", "N", FORWARD, KIND_IP, FIELD(ip_protocol), 0, 254,
		"probe with bare IP packets of protocol N"},
	{'p', "port", "PORT", ALL, PORT(destination_port), "destination port (UDP 33434, DNS 53, TCP 80)"},
	{OPTION_SPORT, "sport", "PORT", FORWARD, PORT(source_port), "source port (a free one)"},
	{OPTION_CLASSIC_PORT, "classic-port", NULL, FORWARD, FLAG(classic_port),
		"destination port grows by one each UDP probe"},
	{'f', "first", "TTL", FORWARD, NUMBER(first_ttl, 1, 255), "first hop to probe (1)"},
	{'m', "max-hops", "TTL", ALL, NUMBER(max_ttl, 1, 255), "last hop to probe (30)"},
	{'q', "queries", "N", ALL, NUMBER(probes_per_hop, 1, 10), "probes per hop (3, at most 10)"},
	{OPTION_GAP, "gap", "N", FORWARD, NUMBER(gap_limit, 1, 255),
		"silent hops in a row that end the trace (8)"},
	{'w', "wait", "MAX[,HERE,NEAR]", FORWARD, KIND_WAIT, 0, 0, 0,
		"seconds at most; times the round trip here, near"},
	{'z', "gap-time", "PAUSE", FORWARD, KIND_SECONDS, FIELD(pause_s), 0, 0,
		"between probes: seconds; above 10 milliseconds"},
	{'N', "simultaneous", "N", FORWARD, NUMBER(simultaneous, 1, 1000),
		"probes that may wait for an answer at once"},
	{'s', "source", "ADDRESS", ALL, KIND_ADDRESS, FIELD(source), 0, 0, "send from this address of ours"},
	{'i', "interface", "NAME", ALL, TEXT(interface), "send through this interface"},
	{OPTION_MARK, "mark", "N", ALL, NUMBER(mark, 0, 0xffffffff), "firewall mark of the probes"},
	{'Q', "tos", "VALUE", FORWARD, NUMBER(tos, 0, 255), "type of service or traffic class of probes (0)"},
	{'t', NULL, "VALUE", FORWARD, NUMBER(tos, 0, 255), NULL},
	{OPTION_FLOW_LABEL, "flow-label", "N", FORWARD, NUMBER(flow_label, 0, 0xfffff),
		"IPv6 flow label (a random one)"},
	{'F', "dont-fragment", NULL, FORWARD, FLAG(dont_fragment), "forbid routers to fragment probes"},
	{OPTION_SIZE, "size", "BYTES", FORWARD, NUMBER(size, 20, OUTGOING_SIZE_MAX),
		"of the whole packet (as small as it gets)"},
	{OPTION_MULTIPATH, "multipath", "[=CONFIDENCE]", ALL, KIND_SHARE, FIELD(multipath), 0, 0,
		"explore every way that flows take (95 %)"},
	{OPTION_MTU, "mtu", NULL, FORWARD, FLAG(mtu), "how large packets may be, and where they vanish"},
	{OPTION_BROADCAST, "broadcast", NULL, FORWARD, FLAG(broadcast),
		"the target may be a broadcast or multicast one"},
	{OPTION_TARGETS, "targets", "FILE", FORWARD, TEXT(targets),
		"trace all hosts in FILE ('-': standard input)"},
	{OPTION_RATE, "rate", "PPS", FORWARD, NUMBER(rate, 1, 1000000), "packets per second at most (2500)"},
	{OPTION_VIA, "via", "METHOD,...", BACK, TEXT(methods), "ways back to try, in this order"},
	{OPTION_PUBLIC, "public-address", "ADDRESS", BACK, KIND_ADDRESS, FIELD(public_address), 0, 0,
		"our address as the Internet sees it, behind NAT"},
	{OPTION_CONFIG, "config", "FILE", BACK, TEXT(config), "settings (see retour-config(5))"},
	{'n', "numeric", NULL, ALL, FLAG(numeric), "do not look up names"},
	{'A', "as", "SOURCE", ALL, TEXT(as_source), "'online': ask DNS for AS numbers (see PRIVACY)"},
	{OPTION_DATA, "data", "DIR", ALL, TEXT(data_dir), "folder of AS data (see FILES in retour(1))"},
	{OPTION_WIDTH, "width", "COLUMNS", ALL, NUMBER(width, 20, 1000),
		"width of the text (that of the terminal)"},
	{OPTION_JSON, "json", NULL, ALL, FLAG(json), "print one retour/1 document"},
	{OPTION_JSONL, "jsonl", NULL, ALL, FLAG(jsonl), "print events as they happen, JSON, one a line"},
	{OPTION_CSV, "csv", NULL, ALL, FLAG(csv), "print a table, a row for each probe"},
	{OPTION_DOT, "dot", NULL, ALL, FLAG(dot), "print the ways of --multipath for Graphviz"},
	{OPTION_FORMAT, "format", "NAME", ALL, TEXT(format), "print in another program's form: scamper-json"},
	{OPTION_CHECK, "check", NULL, ALL, FLAG(check), "exit 1 when something is found to be a problem"},
	{'h', "help", NULL, ALL, KIND_HELP, 0, 0, 0, "this text"},
};

static enum where scope_of(const char *command)
{
	return strcmp(command, "trace") == 0 ? FORWARD : strcmp(command, "back") == 0 ? BACK : ALL;
}

/* ---- values ---- */

/* A number of seconds or a factor, up to an hour; `end` (may be NULL) as strtod's. */
static bool decimal(const char *text, char **end, double *value)
{
	char *after;
	*value = strtod(text, &after);
	if (end)
		*end = after;
	return after != text && (end || !*after) && isfinite(*value) && *value >= 0 && *value <= 3600;
}

static bool seconds(const char *text, double *value)
{
	bool good = decimal(text, NULL, value);
	if (*value > 10)
		*value /= 1000;
	return good;
}

static bool wait(const char *text, struct options *options)
{
	char *rest;
	if (!decimal(text, &rest, &options->wait_max_s) || options->wait_max_s <= 0)
		return false;
	if (*rest == ',' && !decimal(rest + 1, &rest, &options->wait_here))
		return false;
	if (*rest == ',' && !decimal(rest + 1, &rest, &options->wait_near))
		return false;
	return *rest == '\0';
}

/* Per cent or a share, between 50 and 99.99 %. */
static bool confidence(const char *text, double *value)
{
	char *end;
	*value = 0.95;
	if (!text)
		return true;
	bool good = decimal(text, &end, value);
	if (*value > 1)
		*value /= 100;
	return good && (*end == '\0' || strcmp(end, "%") == 0) && *value >= STOPPING_CONFIDENCE_MIN &&
		*value <= STOPPING_CONFIDENCE_MAX;
}

/* false: the argument makes no sense. */
static bool understand(struct options *options, const struct option_row *row, const char *argument)
{
	void *field = (char *)options + row->offset;
	unsigned n = 0;
	bool good = true;
	switch (row->kind) {
	case KIND_FLAG: *(bool *)field = true; break;
	case KIND_NUMBER: good = value_number(argument, row->low, row->high, field); break;
	case KIND_PORT:
		good = value_number(argument, row->low, row->high, &n);
		*(uint16_t *)field = (uint16_t)n;
		break;
	case KIND_TEXT: *(const char **)field = argument; break;
	case KIND_ADDRESS: good = addr_parse(argument, field); break;
	case KIND_SECONDS: good = seconds(argument, field); break;
	case KIND_FAMILY: *(uint8_t *)field = (uint8_t)row->low; break;
	case KIND_IP:
		good = value_number(argument, row->low, row->high, &n);
		options->ip_protocol = (uint8_t)n;
		options->protocol = PROBE_IP;
		break;
	case KIND_PROTOCOL:
		options->protocol = (enum probe_protocol)row->low;
		options->dns = row->key == 'U';
		break;
	case KIND_WAIT: good = wait(argument, options); break;
	case KIND_SHARE: good = confidence(argument, field); break;
	case KIND_HELP: break;
	}
	if (row->kind == KIND_PROTOCOL || row->kind == KIND_IP)
		options->automatic = false;
	return good;
}

/* ---- what fits together ---- */

/* Of options that exclude each other the row that came before this one; NULL = none. */
static const struct option_row *rival(
	const struct option_row *row, const struct option_row *const *given, size_t count)
{
	bool chooses = row->kind == KIND_PROTOCOL || row->kind == KIND_IP;
	for (size_t i = 0; i < count; i++) {
		bool chose = given[i]->kind == KIND_PROTOCOL || given[i]->kind == KIND_IP;
		if (given[i] != row &&
			((chooses && chose) || (row->kind == KIND_FAMILY && given[i]->kind == row->kind)))
			return given[i];
	}
	return NULL;
}

/* The option for probes of this protocol, which know more of it than bare packets; NULL = none. */
static const char *better_than_bare(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6: return "--proto: ICMP has probes of its own, -I";
	case PROTOCOL_TCP: return "--proto: TCP has probes of its own, -T";
	case PROTOCOL_UDP: return "--proto: UDP has probes of its own, -u";
	case PROTOCOL_UDPLITE: return "--proto: UDP-Lite has probes of its own, --udplite";
	default: return NULL;
	}
}

/* What contradicts itself in the options, for a person; NULL = nothing. */
static const char *contradiction(const struct options *o)
{
	bool ports = o->protocol != PROBE_ICMP && o->protocol != PROBE_IP;
	if (o->first_ttl > o->max_ttl)
		return "the first hop (-f) is beyond the last (-m)";
	if (!ports && (o->destination_port || o->source_port))
		return "ports (-p, --sport) need probes that have them: UDP, UDP-Lite or TCP";
	if (o->classic_port && (o->protocol != PROBE_UDP || o->dns))
		return "--classic-port needs UDP probes";
	if (o->family == 4 && o->flow_label != OPTION_NOT_GIVEN)
		return "IPv4 has no flow label";
	if (o->json + o->jsonl + o->csv + o->dot + (o->format != NULL) > 1)
		return "--json, --jsonl, --csv, --dot and --format exclude each other";
	if (o->multipath > 0 && o->protocol == PROBE_IP)
		return "--multipath needs probes with ports, or ICMP: balancers see one flow in bare IP";
	if (o->multipath > 0 && (o->classic_port || o->targets))
		return "--multipath is about one host, and chooses ports itself: no --classic-port, no "
		       "--targets";
	if (o->mtu && o->targets)
		return "--mtu is about one host: no --targets";
	if (o->dot && o->multipath <= 0)
		return "--dot draws the ways of --multipath";
	if (o->format && strcmp(o->format, "scamper-json") != 0)
		return "--format knows scamper-json only";
	if (o->as_source && strcmp(o->as_source, "online") != 0 &&
		(strncmp(o->as_source, "online=", 7) != 0 || !o->as_source[7]))
		return "--as knows 'online' and 'online=ZONE' only";
	if (o->targets && o->host)
		return "either a host or --targets";
	if (o->targets && o->json)
		return "many targets make many documents: use --jsonl";
	if (o->protocol == PROBE_IP && better_than_bare(o->ip_protocol))
		return better_than_bare(o->ip_protocol);
	if (o->size && o->protocol == PROBE_TCP)
		return "TCP probes are bare SYNs and have no size";
	return NULL;
}

static const struct option_row *row_of(int key)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].key == key)
			return &rows[i];
	return NULL;
}

/* What apply() is called with: the row that was given before tells what another one contradicts. */
struct reading {
	struct options *options;
	const char *command;
	const struct option_row *given[ARRAY_LEN(rows)];
	size_t count;
};

static enum argument_verdict not_in_range(
	const char *command, const struct option_row *row, const char *argument)
{
	char what[100];
	const struct option_row *named = row;
	while (!named->name)
		named--;
	snprintf(what, sizeof(what), "--%s is a number from %lu to %lu, not", named->name, row->low,
		row->high);
	(void)arguments_wrong(command, what, argument);
	return ARGUMENT_TOLD;
}

static enum argument_verdict apply(void *context, int key, const char *argument)
{
	struct reading *reading = context;
	const struct option_row *row = row_of(key), *other = rival(row, reading->given, reading->count);
	if (other) {
		char what[60];
		snprintf(what, sizeof(what), "--%s does not go together with", row->name);
		(void)arguments_wrong(reading->command, what, other->name);
		return ARGUMENT_TOLD;
	}
	if (reading->count < ARRAY_LEN(rows))
		reading->given[reading->count++] = row;
	if (understand(reading->options, row, argument))
		return ARGUMENT_TAKEN;
	return row->high ? not_in_range(reading->command, row, argument) : ARGUMENT_NO_VALUE;
}

static int finish(struct options *options, const char *command, int argc, char **argv)
{
	int status = -1;
	if (!options->targets || optind < argc)
		status = arguments_host(command, &options->host, argc, argv);
	if (status < 0 && options->targets && strcmp(command, "trace") != 0)
		status = arguments_wrong(
			command, "many targets are for `retour trace` only:", options->targets);
	const char *what = status < 0 ? contradiction(options) : NULL;
	return what ? arguments_contradict(command, what) : status;
}

int options_parse(struct options *options, const char *command, int argc, char **argv)
{
	struct reading reading = {.options = options, .command = command};
	struct argument_row scoped[ARRAY_LEN(rows)];
	struct argument_table table = {
		.command = command, .operands = "HOST", .rows = scoped, .left = 28, .apply = apply};
	*options = (struct options){
		.protocol = PROBE_UDP,
		.automatic = true,
		.first_ttl = 1,
		.max_ttl = 30,
		.probes_per_hop = 3,
		.gap_limit = 8,
		.flow_label = OPTION_NOT_GIVEN,
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].where & scope_of(command))
			scoped[table.count++] = (struct argument_row){
				rows[i].key, rows[i].name, rows[i].argument, rows[i].help};
	int status = arguments_parse(&table, &reading, argc, argv);
	return status < 0 ? finish(options, command, argc, argv) : status;
}

const char *options_as_zone(const struct options *options)
{
	if (!options->as_source)
		return NULL;
	const char *zone = strchr(options->as_source, '=');
	return zone ? zone + 1 : "asn.cymru.com";
}
