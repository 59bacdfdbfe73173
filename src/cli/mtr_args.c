#include "cli/mtr_args.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "probe/machine.h"

#define WORDS_MAX      64 /* in MTR_OPTIONS */
#define PORT_LOCAL_MIN 1024

enum { KEY_DISPLAY_MODE = 256 };

struct option_row {
	int key;
	const char *name;
	const char *argument;
	const char *help;
	const char *refused; /* why there is none here; NULL = there is */
};

static const struct option_row rows[] = {
	{'F', "filename", "FILE", "read the names of hosts from a file", NULL},
	{'4', NULL, NULL, "IPv4", NULL},
	{'6', NULL, NULL, "IPv6", NULL},
	{'u', "udp", NULL, "probe with UDP", NULL},
	{'T', "tcp", NULL, "probe with TCP SYN", NULL},
	{'S', "sctp", NULL, NULL, "there are no SCTP probes"},
	{'I', "interface", "NAME", "send from this device", NULL},
	{'a', "address", "ADDRESS", "send from this address", NULL},
	{'f', "first-ttl", "NUMBER", "the first hop to probe (1)", NULL},
	{'m', "max-ttl", "NUMBER", "the last hop to probe (30)", NULL},
	{'U', "max-unknown", "NUMBER", "hops without answers that end a cycle (12)", NULL},
	{'P', "port", "PORT", "destination port of TCP and UDP", NULL},
	{'L', "localport", "LOCALPORT", "source port of UDP", NULL},
	{'s', "psize", "PACKETSIZE", "bytes of a probe, with its headers (64)", NULL},
	{'B', "bitpattern", "NUMBER", NULL, "what probes carry proves them"},
	{'i', "interval", "SECONDS", "of a cycle (1)", NULL},
	{'G', "gracetime", "SECONDS", "longest wait after the last cycle (5)", NULL},
	{'Q', "tos", "NUMBER", "type of service or traffic class", NULL},
	{'e', "mpls", NULL, "MPLS labels, in the raw layout", NULL},
	{'Z', "timeout", "SECONDS", "until a probe counts as lost (10)", NULL},
	{'M', "mark", "MARK", "firewall mark", NULL},
	{'r', "report", NULL, "report", NULL},
	{'w', "report-wide", NULL, "report with whole names", NULL},
	{'c', "report-cycles", "COUNT", "cycles (10)", NULL},
	{'j', "json", NULL, "JSON", NULL},
	{'x', "xml", NULL, "XML", NULL},
	{'C', "csv", NULL, "comma-separated values", NULL},
	{'l', "raw", NULL, "raw: every event a line", NULL},
	{'p', "split", NULL, NULL, "there is no split layout; --raw has every event"},
	{'t', "curses", NULL, "the screen of retour watch", NULL},
	{KEY_DISPLAY_MODE, "displaymode", "MODE", NULL, "the screen is that of retour watch"},
	{'g', "gtk", NULL, NULL, "there are no windows"},
	{'n', "no-dns", NULL, "no names", NULL},
	{'b', "show-ips", NULL, "names and addresses", NULL},
	{'o', "order", "FIELDS", "columns, of LDRSNBAWVGJMXI and blank (LS NABWV)", NULL},
	{'y', "ipinfo", "NUMBER", "0: AS numbers, by local data", NULL},
	{'z', "aslookup", NULL, "AS numbers, by local data", NULL},
	{'h', "help", NULL, "this text", NULL},
	{'v', "version", NULL, "version", NULL},
};

static int refuse(const char *format, ...) PRINTF_LIKE(1, 2);
static int refuse(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	fputs("mtr: ", stderr);
	vfprintf(stderr, format, list);
	va_end(list);
	fputc('\n', stderr);
	return MTR_FAILED;
}

static int print_help(FILE *out, int status)
{
	fputs("usage: mtr [OPTIONS] HOST...\n\n", out);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char left[48];
		if (rows[i].refused)
			continue;
		snprintf(left, sizeof(left), "-%c%s%s %s", rows[i].key, rows[i].name ? ", --" : "",
			rows[i].name ? rows[i].name : "", rows[i].argument ? rows[i].argument : "");
		fprintf(out, "  %-30s %s\n", left, rows[i].help);
	}
	fputs("\nretour-mtr(1) tells what differs from mtr 0.95.\n", out);
	return status;
}

/* ---- values: -1 or the exit status ---- */

static int whole(const char *text, unsigned *value)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 0);
	*value = (unsigned)n;
	return end != text && !*end && !errno && n >= 0 && n <= INT32_MAX
		? -1
		: refuse("invalid argument: '%s'", text);
}

static int seconds(const char *text, const char *what, double *value)
{
	char *end;
	*value = strtod(text, &end);
	if (end == text || *end)
		return refuse("invalid argument: '%s'", text);
	return *value > 0 ? -1 : refuse("%s must be positive", what);
}

static int port(const char *text, unsigned least, uint16_t *value)
{
	unsigned n;
	int status = whole(text, &n);
	*value = (uint16_t)n;
	return status < 0 && (n < least || n > 65535) ? refuse("Illegal port number: %s", text) : status;
}

static int set_interval(struct mtr_args *args, const char *text)
{
	int status = seconds(text, "wait time", &args->interval_s);
	if (status < 0 && args->interval_s < 1 && getuid() != 0)
		status = refuse("non-root users cannot request an interval < 1.0 seconds");
	return status;
}

static int set_fields(struct mtr_args *args, const char *text)
{
	char unknown = mtr_unknown_field(text);
	if (strlen(text) > MTR_FIELDS_MAX)
		return refuse("Too many fields: %s", text);
	strcpy(args->fields, text);
	return unknown ? refuse("Unknown field identifier: %c", unknown) : -1;
}

static int set_origins(struct mtr_args *args, const char *text)
{
	unsigned n;
	int status = whole(text, &n);
	args->origins = true;
	if (status < 0 && n > 4)
		return refuse("value %u out of range (0 - 4)", n);
	return status < 0 && n > 0
		? refuse("option '-y %u' is not supported here: only AS numbers are known", n)
		: status;
}

static int set_source(struct mtr_args *args, const char *text)
{
	return addr_parse(text, &args->source) ? -1 : refuse("invalid local address");
}

static int set_size(struct mtr_args *args, const char *text)
{
	if (text[0] == '-')
		return refuse("option '-s %s' is not supported here: probes have one size", text);
	int status = whole(text, &args->size);
	return status < 0 && args->size > OUTGOING_SIZE_MAX ? refuse("invalid argument: '%s'", text) : status;
}

static int set_protocol(struct mtr_args *args, enum probe_protocol protocol)
{
	if (args->protocol != PROBE_ICMP && args->protocol != protocol)
		return refuse("-u , -T and -S are mutually exclusive");
	args->protocol = protocol;
	return -1;
}

static int add_host(struct mtr_args *args, const char *name)
{
	if (args->host_count == MTR_HOSTS_MAX)
		return refuse("more than %d hosts", MTR_HOSTS_MAX);
	args->hosts[args->host_count] = strdup(name);
	return args->hosts[args->host_count++] ? -1 : refuse("out of memory");
}

static int read_hosts(struct mtr_args *args, const char *path)
{
	char line[300];
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	int status = -1;
	if (!file)
		return refuse("open %s: %s", path, strerror(errno));
	while (status < 0 && fgets(line, sizeof(line), file)) {
		line[strcspn(line, " \t\r\n")] = '\0';
		if (line[0] && line[0] != '#')
			status = add_host(args, line);
	}
	if (file != stdin)
		fclose(file);
	return status;
}

/* ---- options ---- */

static int apply_switch(struct mtr_args *args, int key)
{
	switch (key) {
	case '4': args->family = 4; break;
	case '6': args->family = 6; break;
	case 'e': args->mpls = true; break;
	case 'r': args->mode = MTR_REPORT; break;
	case 'w':
		args->mode = MTR_REPORT;
		args->wide = true;
		break;
	case 'j': args->mode = MTR_JSON; break;
	case 'x': args->mode = MTR_XML; break;
	case 'C': args->mode = MTR_CSV; break;
	case 'l': args->mode = MTR_RAW; break;
	case 't': args->mode = MTR_SCREEN; break;
	case 'n': args->numeric = true; break;
	case 'b': args->show_addresses = true; break;
	case 'z': args->origins = true; break;
	case 'h': return print_help(stdout, 0);
	case 'v': puts("retour " RETOUR_VERSION ", in the manner of mtr 0.95"); return 0;
	}
	return -1;
}

static int apply(struct mtr_args *args, int key, const char *value)
{
	switch (key) {
	case 'F': return read_hosts(args, value);
	case 'u': return set_protocol(args, PROBE_UDP);
	case 'T': return set_protocol(args, PROBE_TCP);
	case 'I': args->interface = value; return -1;
	case 'a': return set_source(args, value);
	case 'f': return whole(value, &args->first_ttl);
	case 'm': return whole(value, &args->max_ttl);
	case 'U': return whole(value, &args->max_unknown);
	case 'P': return port(value, 1, &args->port);
	case 'L': return port(value, PORT_LOCAL_MIN, &args->local_port);
	case 's': return set_size(args, value);
	case 'i': return set_interval(args, value);
	case 'G': return seconds(value, "wait time", &args->grace_s);
	case 'Z': return whole(value, &args->timeout_s);
	case 'Q': return whole(value, &args->tos);
	case 'M': return whole(value, &args->mark);
	case 'c': args->cycles_given = true; return whole(value, &args->cycles);
	case 'o': return set_fields(args, value);
	case 'y': return set_origins(args, value);
	default: return apply_switch(args, key);
	}
}

static const struct option_row *row_of(int key)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].key == key)
			return &rows[i];
	return NULL;
}

static void build_tables(struct option *longs, char *shorts)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].name)
			*longs++ = (struct option){rows[i].name,
				rows[i].argument ? required_argument : no_argument, NULL, rows[i].key};
		if (rows[i].key < KEY_DISPLAY_MODE) {
			*shorts++ = (char)rows[i].key;
			if (rows[i].argument)
				*shorts++ = ':';
		}
	}
	*longs = (struct option){0};
	*shorts = '\0';
}

static int parse_words(struct mtr_args *args, int argc, char **argv)
{
	struct option longs[ARRAY_LEN(rows) + 1];
	char shorts[2 * ARRAY_LEN(rows) + 1];
	int key, status = -1;
	build_tables(longs, shorts);
	optind = 0; /* anew, with whatever getopt keeps */
	while (status < 0 && (key = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct option_row *row = row_of(key);
		if (!row) /* getopt has said what is wrong */
			return fputc('\n', stderr), print_help(stderr, MTR_FAILED);
		if (row->refused)
			return refuse("option '%s%s' is not supported here: %s", row->name ? "--" : "-",
				row->name ? row->name : "?", row->refused);
		status = apply(args, key, optarg);
	}
	while (status < 0 && optind < argc)
		status = add_host(args, argv[optind++]);
	return status;
}

/* Words of $MTR_OPTIONS come before those of the command line. */
static int parse_environment(struct mtr_args *args, char *program)
{
	const char *text = getenv("MTR_OPTIONS");
	char *copy = text ? strdup(text) : NULL, *rest = NULL;
	char *words[WORDS_MAX + 1] = {program};
	int count = 1;
	for (char *word = copy ? strtok_r(copy, " \t", &rest) : NULL; word && count < WORDS_MAX;
		word = strtok_r(NULL, " \t", &rest))
		words[count++] = word;
	int status = parse_words(args, count, words);
	if (args->interface && copy)
		return status; /* it points into the copy, which lives as long as the process */
	free(copy);
	return status;
}

int mtr_args_parse(struct mtr_args *args, int argc, char **argv)
{
	static char program[] = "mtr";
	*args = (struct mtr_args){
		.mode = MTR_SCREEN,
		.protocol = PROBE_ICMP,
		.cycles = 10,
		.first_ttl = 1,
		.max_ttl = 30,
		.max_unknown = 12,
		.size = 64,
		.interval_s = 1,
		.grace_s = 5,
		.timeout_s = 10,
		.fields = MTR_FIELDS_USUAL,
	};
	argv[0] = program; /* what getopt's complaints begin with */
	int status = parse_environment(args, program);
	if (status < 0)
		status = parse_words(args, argc, argv);
	if (status < 0 && args->host_count == 0)
		status = add_host(args, "localhost");
	args->max_ttl = MIN(MAX(args->max_ttl, 1u), 255u);
	args->first_ttl = MIN(MAX(args->first_ttl, 1u), args->max_ttl);
	return status;
}

void mtr_args_deinit(struct mtr_args *args)
{
	for (size_t i = 0; i < args->host_count; i++)
		free(args->hosts[i]);
}
