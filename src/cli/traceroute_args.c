/* Linux traceroute's grammar is not getopt's: a long option takes its value behind "=" only; an option with a
 * value stands first in its word, or last with the value in the next word; "-UL" is one option. */
#include "cli/traceroute_args.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "cli/persona.h"
#include "probe/machine.h"

#define PER_HOP_MAX 10
#define TTL_LIMIT   255

enum {
	KEY_MTU = 256,
	KEY_BACK,
	KEY_SPORT,
	KEY_MARK,
	KEY_UDPLITE,
	KEY_HELP,
};

struct option_row {
	int key;
	const char *letters; /* NULL = only the word */
	const char *word;    /* NULL = only the letters */
	const char *argument;
	const char *help;
	const char *refused; /* why there is none here; NULL = there is */
};

static const struct option_row rows[] = {
	{'4', "4", NULL, NULL, "IPv4", NULL},
	{'6', "6", NULL, NULL, "IPv6", NULL},
	{'d', "d", "debug", NULL, "debugging of sockets, where the kernel has it", NULL},
	{'F', "F", "dont-fragment", NULL, "do not let anybody fragment the probes", NULL},
	{'f', "f", "first", "first_ttl", "the first hop to probe (1)", NULL},
	{'g', "g", "gateway", "gate,...", NULL, "there is no source routing"},
	{'I', "I", "icmp", NULL, "probe with ICMP echo", NULL},
	{'T', "T", "tcp", NULL, "probe with TCP SYN, port 80", NULL},
	{'i', "i", "interface", "device", "send from this device", NULL},
	{'m', "m", "max-hops", "max_ttl", "the last hop to probe (30)", NULL},
	{'N', "N", "sim-queries", "squeries", "probes on their way at once (16)", NULL},
	{'n', "n", NULL, NULL, "no names", NULL},
	{'p', "p", "port", "port", "destination port; of UDP the first (33434)", NULL},
	{'t', "t", "tos", "tos", "type of service or traffic class", NULL},
	{'l', "l", "flowlabel", "flow_label", "IPv6 flow label", NULL},
	{'w', "w", "wait", "MAX,HERE,NEAR", "longest wait; factors of round trips (5,3,10)", NULL},
	{'q', "q", "queries", "nqueries", "probes per hop (3)", NULL},
	{'r', "r", NULL, NULL, "only to directly attached networks", NULL},
	{'s', "s", "source", "src_addr", "send from this address", NULL},
	{'z', "z", "sendwait", "sendwait", "between probes: seconds; above 10 ms", NULL},
	{'e', "e", "extensions", NULL, "show MPLS labels", NULL},
	{'A', "A", "as-path-lookups", NULL, "show origin ASes, by local data", NULL},
	{'M', "M", "module", "name", "default, icmp, tcp, udp, udplite or raw", NULL},
	{'O', "O", "options", "OPTS,...", "options of the method", NULL},
	{KEY_SPORT, NULL, "sport", "num", "source port; implies -N 1", NULL},
	{KEY_MARK, NULL, "fwmark", "num", "firewall mark", NULL},
	{'U', "U", "udp", NULL, "probe with UDP to one port, 53", NULL},
	{KEY_UDPLITE, "UL", NULL, NULL, "probe with UDP-Lite, port 53", NULL},
	{'D', "D", "dccp", NULL, NULL, "there are no DCCP probes"},
	{'P', "P", "protocol", "prot", "probe with this IP protocol; implies -N 1", NULL},
	{KEY_MTU, NULL, "mtu", NULL, "find the MTU; implies -F -N 1", NULL},
	{KEY_BACK, NULL, "back", NULL, "show how far answers came, where it differs", NULL},
	{'V', "V", "version", NULL, "version", NULL},
	{KEY_HELP, NULL, "help", NULL, "this text", NULL},
};

/* The word in hand, for complaints. */
struct place {
	const struct option_row *row;
	char shown[64]; /* the option as it was written */
	const char *value;
	int value_argc;
};

static int print_help(void)
{
	puts("usage: traceroute [OPTIONS] host [packetlen]\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char left[64], word[40] = "";
		const struct option_row *row = &rows[i];
		if (row->refused)
			continue;
		if (row->word)
			snprintf(word, sizeof(word), "--%s%s%s", row->word, row->argument ? "=" : "",
				row->argument ? row->argument : "");
		snprintf(left, sizeof(left), "%s%s%s%s", row->letters ? "-" : "",
			row->letters ? row->letters : "", row->letters && row->word ? ", " : "", word);
		printf("  %-32s %s\n", left, row->help);
	}
	puts("\nretour-traceroute(1) tells what differs from Linux traceroute 2.1.");
	return 0;
}

static int refuse(const char *format, ...) PRINTF_LIKE(1, 2);
static int refuse(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fputc('\n', stderr);
	return TRACEROUTE_REFUSED;
}

/* ---- values ---- */

static bool whole(const char *text, unsigned *value)
{
	char *end;
	errno = 0;
	long long n = strtoll(text, &end, 0);
	*value = (unsigned)n;
	return end != text && !*end && errno == 0 && n >= -INT32_MAX && n <= UINT32_MAX;
}

static bool real(const char *text, char **end, double *value)
{
	*value = strtod(text, end);
	return *end != text;
}

/* MAX[,HERE[,NEAR]], with commas or slashes; factors that are not given do not count. */
static bool parse_wait(const char *text, struct traceroute_args *args)
{
	double *values[] = {&args->wait_max_s, &args->wait_here, &args->wait_near};
	char *end = NULL;
	args->wait_here = args->wait_near = 0;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		if (!real(text, &end, values[i]))
			return false;
		if (!*end)
			return true;
		if (*end != ',' && *end != '/')
			return false;
		text = end + 1;
	}
	return false;
}

static bool parse_protocol(const char *text, struct traceroute_args *args)
{
	const struct protoent *entry = getprotobyname(text);
	unsigned number = entry ? (unsigned)entry->p_proto : 0;
	bool good = entry || whole(text, &number);
	args->protocol = PROBE_IP;
	args->ip_protocol = (uint8_t)number;
	return good && number <= 255;
}

static bool choose_method(const char *name, struct traceroute_args *args)
{
	static const struct {
		const char *name;
		enum probe_protocol protocol;
		bool constant_port;
	} methods[] = {{"default", PROBE_UDP, false}, {"icmp", PROBE_ICMP, false}, {"tcp", PROBE_TCP, true},
		{"udp", PROBE_UDP, true}, {"udplite", PROBE_UDPLITE, true}, {"raw", PROBE_IP, false}};
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (strcmp(methods[i].name, name) == 0) {
			args->protocol = methods[i].protocol;
			args->constant_port = methods[i].constant_port;
			return true;
		}
	return false;
}

/* ---- options of methods ---- */

static int print_method_help(void)
{
	puts("  tcp: syn ack fin rst psh urg ece cwr ecn   flags of the probes (syn)\n"
	     "       flags=NUM                             the same as a number\n"
	     "       info                                  show the flags of answers\n"
	     "       sack timestamps window_scaling mss=NUM   options of the probes\n"
	     "       sysctl                                options as this host connects (unless others are "
	     "given)\n"
	     "  raw: protocol=PROT                         (253)\n"
	     "  icmp: raw");
	return 0;
}

static int apply_tcp_option(struct traceroute_args *args, const char *text)
{
	static const struct {
		const char *name;
		uint8_t flags;
	} flags[] = {{"fin", 1}, {"syn", 2}, {"rst", 4}, {"psh", 8}, {"ack", 16}, {"urg", 32}, {"ece", 64},
		{"cwr", 128}, {"ecn", 0xc2}};
	const struct {
		const char *name;
		bool *value;
	} switches[] = {{"info", &args->tcp_info}, {"sack", &args->tcp_sack},
		{"timestamps", &args->tcp_timestamps}, {"window_scaling", &args->tcp_window_scaling},
		{"sysctl", &args->tcp_sysctl}};
	unsigned number;
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (strcmp(text, flags[i].name) == 0) {
			args->tcp_flags |= flags[i].flags;
			return -1;
		}
	for (size_t i = 0; i < ARRAY_LEN(switches); i++)
		if (strcmp(text, switches[i].name) == 0) {
			*switches[i].value = true;
			return -1;
		}
	if (strncmp(text, "mss=", 4) == 0 && whole(text + 4, &number) && number <= UINT16_MAX)
		args->tcp_mss = number;
	else if (strncmp(text, "flags=", 6) == 0 && whole(text + 6, &number) && number > 0 && number <= 255)
		args->tcp_flags = (uint8_t)number;
	else
		return refuse("Option `-O %s' of tcp is not supported here", text);
	return -1;
}

static int apply_method_options(struct traceroute_args *args, const char *options)
{
	char *copy = strdup(options), *rest = NULL;
	int status = copy ? -1 : refuse("out of memory");
	for (char *one = copy ? strtok_r(copy, ",", &rest) : NULL; one && status < 0;
		one = strtok_r(NULL, ",", &rest)) {
		if (strcmp(one, "help") == 0)
			status = print_method_help();
		else if (args->protocol == PROBE_TCP)
			status = apply_tcp_option(args, one);
		else if (args->protocol == PROBE_IP && strncmp(one, "protocol=", 9) == 0 &&
			parse_protocol(one + 9, args))
			continue;
		else if (args->protocol != PROBE_ICMP || strcmp(one, "raw") != 0)
			status = refuse("Option `-O %s' is not supported here", one);
	}
	free(copy);
	return status;
}

/* ---- one option ---- */

static int bad_value(const struct place *place)
{
	return refuse("Cannot handle `%s' option with arg `%s' (argc %d)", place->shown, place->value,
		place->value_argc);
}

static int apply_number(struct traceroute_args *args, const struct place *place, unsigned *value)
{
	(void)args;
	return whole(place->value, value) ? -1 : bad_value(place);
}

static int apply_source(struct traceroute_args *args, const struct place *place)
{
	int result = persona_resolve(place->value, args->family, 4, &args->source);
	if (result == 0)
		return -1;
	fprintf(stderr, "%s: %s\n", place->value, gai_strerror(result));
	return bad_value(place);
}

static int apply_gap(struct traceroute_args *args, const struct place *place)
{
	char *end;
	if (!real(place->value, &end, &args->gap_s) || *end)
		return bad_value(place);
	if (args->gap_s < 0)
		return refuse("bad sendtime `%s' specified", place->value);
	if (args->gap_s > 10)
		args->gap_s /= 1000;
	return -1;
}

static int apply_switch(struct traceroute_args *args, int key)
{
	switch (key) {
	case '4': args->family = 4; break;
	case '6': args->family = 6; break;
	case 'F': args->dont_fragment = true; break;
	case 'I': choose_method("icmp", args); break;
	case 'T': choose_method("tcp", args); break;
	case 'U': choose_method("udp", args); break;
	case KEY_UDPLITE: choose_method("udplite", args); break;
	case 'n': args->numeric = true; break;
	case 'd': args->debug = true; break;
	case 'r': args->bypass_routing = true; break;
	case 'e': args->extensions = true; break;
	case 'A': args->origins = true; break;
	case KEY_MTU: args->find_mtu = args->dont_fragment = true; break;
	case KEY_BACK: args->backwards = true; break;
	case 'V': puts("retour " RETOUR_VERSION ", in the manner of traceroute 2.1.2 for Linux"); return 0;
	case KEY_HELP: return print_help();
	}
	return -1;
}

static int apply(struct traceroute_args *args, const struct place *place, const char **method_options)
{
	switch (place->row->key) {
	case 'f': return apply_number(args, place, &args->first_ttl);
	case 'm': return apply_number(args, place, &args->max_ttl);
	case 'N': return apply_number(args, place, &args->window);
	case 'q': return apply_number(args, place, &args->per_hop);
	case 'p': return apply_number(args, place, &args->port);
	case 't': return apply_number(args, place, &args->tos);
	case 'l': return apply_number(args, place, &args->flow_label);
	case KEY_SPORT: return apply_number(args, place, &args->source_port);
	case KEY_MARK: return apply_number(args, place, &args->mark);
	case 'i': args->interface = place->value; return -1;
	case 's': return apply_source(args, place);
	case 'z': return apply_gap(args, place);
	case 'w': return parse_wait(place->value, args) ? -1 : bad_value(place);
	case 'P': return parse_protocol(place->value, args) ? -1 : bad_value(place);
	case 'O': *method_options = place->value; return -1;
	case 'M':
		return choose_method(place->value, args)
			? -1
			: refuse("Unknown traceroute module %s", place->value);
	default: return apply_switch(args, place->row->key);
	}
}

/* ---- words ---- */

static const struct option_row *row_of_letters(const char *letters, size_t length)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].letters && strlen(rows[i].letters) == length &&
			strncmp(rows[i].letters, letters, length) == 0)
			return &rows[i];
	return NULL;
}

static const struct option_row *row_of_word(const char *word, size_t length)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].word && strlen(rows[i].word) == length &&
			strncmp(rows[i].word, word, length) == 0)
			return &rows[i];
	return NULL;
}

struct walk {
	struct traceroute_args *args;
	const char *method_options;
	int argc;
	char **argv;
	int at;
};

static int use(struct walk *walk, struct place *place)
{
	if (place->row->refused)
		return refuse("Option `%s' is not supported here: %s", place->shown, place->row->refused);
	return apply(walk->args, place, &walk->method_options);
}

static int missing_value(const struct walk *walk, const struct place *place, const char *joint)
{
	return refuse("Option `%s' (argc %d) requires an argument: `%s%s%s'", place->shown, walk->at,
		place->shown, joint, place->row->argument);
}

static int take_word(struct walk *walk, const char *word)
{
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	struct place place = {.row = row_of_word(word + 2, length - 2), .value_argc = walk->at};
	snprintf(place.shown, sizeof(place.shown), "%.*s", (int)length, word);
	if (!place.row)
		return refuse("Bad option `%s' (argc %d)", word, walk->at);
	if (equals && !place.row->argument)
		return refuse("Bad option `%s' (with arg `%s') (argc %d)", word, equals + 1, walk->at);
	if (!equals && place.row->argument)
		return missing_value(walk, &place, "=");
	place.value = equals ? equals + 1 : NULL;
	return use(walk, &place);
}

static int take_letters(struct walk *walk, const char *letters)
{
	const struct option_row *together =
		strlen(letters) > 1 ? row_of_letters(letters, strlen(letters)) : NULL;
	size_t length = together ? strlen(letters) : 1;
	int status = -1, word = walk->at;
	for (size_t i = 0; letters[i] && status < 0; i += length) {
		struct place place = {
			.row = together ? together : row_of_letters(letters + i, 1), .value_argc = word};
		snprintf(place.shown, sizeof(place.shown), "-%.*s", (int)length, letters + i);
		if (!place.row)
			return refuse("Bad option `%s' (argc %d)", place.shown, word);
		if (!place.row->argument) {
			status = use(walk, &place);
			continue;
		}
		if (i == 0 && letters[1])
			place.value = letters + 1;
		else if (!letters[i + 1] && walk->at + 1 < walk->argc)
			place.value = walk->argv[place.value_argc = ++walk->at];
		else
			return missing_value(walk, &place, " ");
		return use(walk, &place);
	}
	return status;
}

/* ---- host and length ---- */

static int take_host(struct traceroute_args *args, const char *text, int argc_index)
{
	int result = persona_resolve(text, args->family, 4, &args->address);
	args->host = text;
	if (result == 0)
		return -1;
	fprintf(stderr, "%s: %s\n", text, gai_strerror(result));
	return refuse("Cannot handle \"host\" cmdline arg `%s' on position 1 (argc %d)", text, argc_index);
}

static int take_length(struct traceroute_args *args, const char *text, int argc_index)
{
	if (!whole(text, &args->size))
		return refuse("Cannot handle \"packetlen\" cmdline arg `%s' on position 2 (argc %d)", text,
			argc_index);
	if (args->size > OUTGOING_SIZE_MAX)
		return refuse("too big packetlen %s specified", text);
	return -1;
}

static int take_positions(struct traceroute_args *args, char **argv, const int *places, int count)
{
	if (count == 0)
		return refuse("Specify \"host\" missing argument.");
	int status = take_host(args, argv[places[0]], places[0]);
	if (status < 0 && count > 1)
		status = take_length(args, argv[places[1]], places[1]);
	if (status < 0 && count > 2)
		status = refuse("Extra arg `%s' (position 3, argc %d)", argv[places[2]], places[2]);
	return status;
}

static int check(struct traceroute_args *args)
{
	if (args->max_ttl > TTL_LIMIT)
		return refuse("max hops cannot be more than %d", TTL_LIMIT);
	if (args->first_ttl == 0 || args->first_ttl > args->max_ttl)
		return refuse("first hop out of range");
	if (args->per_hop == 0 || args->per_hop > PER_HOP_MAX)
		return refuse("no more than %d probes per hop", PER_HOP_MAX);
	if (args->wait_max_s < 0 || args->wait_here < 0 || args->wait_near < 0)
		return refuse("bad wait specifications `%g,%g,%g' used", args->wait_max_s, args->wait_here,
			args->wait_near);
	if (addr_is_set(args->source) && args->source.family != args->address.family)
		return refuse("IP version mismatch in addresses specified");
	if (args->source_port || args->protocol == PROBE_IP || args->find_mtu)
		args->window = 1;
	return -1;
}

int traceroute_args_parse(struct traceroute_args *args, int argc, char **argv)
{
	struct walk walk = {.args = args, .argc = argc, .argv = argv, .at = 1};
	int places[3], count = 0, status = -1;
	bool only_positions = false;
	if (argc < 2)
		return print_help();
	for (; walk.at < argc && status < 0; walk.at++) {
		const char *word = argv[walk.at];
		if (only_positions || word[0] != '-' || !word[1])
			places[count < 3 ? count++ : 2] = walk.at;
		else if (strcmp(word, "--") == 0)
			only_positions = true;
		else
			status = word[1] == '-' ? take_word(&walk, word) : take_letters(&walk, word + 1);
	}
	if (status < 0 && walk.method_options)
		status = apply_method_options(args, walk.method_options);
	if (status < 0)
		status = take_positions(args, argv, places, count);
	return status < 0 ? check(args) : status;
}
