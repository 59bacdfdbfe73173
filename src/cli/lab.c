#include "cli/lab.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "cli/arguments.h"
#include "cli/exit.h"
#include "cli/lab_generate.h"
#include "cli/lab_run.h"
#include "cli/lab_truth.h"
#include "sim/world.h"

#define DEFAULT_WORLD "demo"
#define DEFAULT_HOST  "client"
#define LAB_SEED      1
#define AT_MAX_S      86400

static const char usage[] =
	"usage: retour lab list\n"
	"       retour lab hosts [-w WORLD]\n"
	"       retour lab run [-w WORLD] [OPTION...] -- COMMAND [ARGUMENT...]\n"
	"       retour lab shell [-w WORLD] [OPTION...]\n"
	"       retour lab link A B down|reroute|up\n"
	"       retour lab generate --ases N [OPTION...]\n"
	"       retour lab stats [-w WORLD]\n"
	"       retour lab truth [-w WORLD] [OPTION...] FROM TO | --bulk\n"
	"\n"
	"The virtual Internet: real programs in a simulated network, offline.\n"
	"\n"
	"  -w, --world WORLD  a shipped world (" DEFAULT_WORLD "), or a file: a name with '/' or '.'\n"
	"      --on HOST      where the command runs (default: " DEFAULT_HOST ")\n"
	"      --pcap [PLACE:]FILE  record what a node (that of the command) or a link\n"
	"                     (A-B) sees; may be given several times\n"
	"      --no-services  nothing runs on the hosts but the command\n"
	"      --seed N       losses and choices of the run (default: 1)\n"
	"  -4, -6             truth: the way of IPv4 packets (default), or of IPv6\n"
	"      --json         truth: one JSON document (docs/lab.md)\n"
	"      --reveals      truth: also what each node answers to probes\n"
	"      --flow FLOW    truth: of a flow: udp:PORT:PORT, tcp:PORT:PORT, icmp:ID:SEQ\n"
	"      --at SECONDS   truth: so long after the start, with the faults of then\n"
	"      --bulk         truth: of each pair of names on standard input, a line each\n"
	"  -h, --help         this text\n"
	"\n"
	"Hosts are called NAME.lab, as in `retour lab run -- ping -c 3 server.lab`. The\n"
	"exit status of run and shell is the command's, or 4 when the lab cannot start.\n";

struct lab_arguments {
	const char *world;
	struct lab_run_arguments run;
	int first; /* index of the first operand */
	bool help, json, six, bulk, reveals;
	const char *flow;
	double at_s;
};

enum {
	OPTION_ON = 256,
	OPTION_JSON,
	OPTION_PCAP,
	OPTION_SEED,
	OPTION_NO_SERVICES,
	OPTION_FLOW,
	OPTION_AT,
	OPTION_BULK,
	OPTION_REVEALS
};

/* False: said what is wrong. */
static bool parse_run_option(int option, const char *value, struct lab_run_arguments *run)
{
	char *end;
	switch (option) {
	case OPTION_ON: run->host = value; return true;
	case OPTION_NO_SERVICES: run->no_services = true; return true;
	case OPTION_PCAP:
		if (run->recording_count == RECORDINGS_MAX) {
			fprintf(stderr, "retour lab: --pcap: at most %d\n", RECORDINGS_MAX);
			return false;
		}
		run->recordings[run->recording_count++] = value;
		return true;
	default:
		errno = 0;
		run->seed = strtoull(value, &end, 10);
		if (errno == 0 && *end == '\0' && *value >= '0' && *value <= '9')
			return true;
		fprintf(stderr, "retour lab: --seed '%s': expected a number of 0 or more\n", value);
		return false;
	}
}

/* False: said what is wrong. */
static bool parse_seconds(const char *text, double *seconds)
{
	char *end;
	*seconds = strtod(text, &end);
	if (end != text && *end == '\0' && *seconds >= 0 && *seconds <= AT_MAX_S)
		return true;
	fprintf(stderr, "retour lab: --at '%s': expected seconds from 0 to %d\n", text, AT_MAX_S);
	return false;
}

/* False: said what is wrong. */
static bool parse(int argc, char **argv, bool operands_last, struct lab_arguments *arguments)
{
	static const struct option options[] = {
		{"world", required_argument, NULL, 'w'},
		{"on", required_argument, NULL, OPTION_ON},
		{"no-services", no_argument, NULL, OPTION_NO_SERVICES},
		{"pcap", required_argument, NULL, OPTION_PCAP},
		{"seed", required_argument, NULL, OPTION_SEED},
		{"flow", required_argument, NULL, OPTION_FLOW},
		{"at", required_argument, NULL, OPTION_AT},
		{"bulk", no_argument, NULL, OPTION_BULK},
		{"reveals", no_argument, NULL, OPTION_REVEALS},
		{"json", no_argument, NULL, OPTION_JSON},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;
	*arguments = (struct lab_arguments){
		.world = DEFAULT_WORLD, .run = {.host = DEFAULT_HOST, .seed = LAB_SEED}};
	optind = 1;
	while ((option = getopt_long(argc, argv, operands_last ? ":w:46h" : "+:w:46h", options, NULL)) !=
		-1) {
		switch (option) {
		case 'w': arguments->world = optarg; break;
		case OPTION_ON:
		case OPTION_NO_SERVICES:
		case OPTION_PCAP:
		case OPTION_SEED:
			if (!parse_run_option(option, optarg, &arguments->run))
				return false;
			break;
		case OPTION_JSON: arguments->json = true; break;
		case OPTION_BULK: arguments->bulk = true; break;
		case OPTION_REVEALS: arguments->reveals = true; break;
		case OPTION_FLOW: arguments->flow = optarg; break;
		case OPTION_AT:
			if (!parse_seconds(optarg, &arguments->at_s))
				return false;
			break;
		case '4':
		case '6': arguments->six = option == '6'; break;
		case 'h': arguments->help = true; break;
		default: (void)arguments_bad_option("lab", option, argv); return false;
		}
	}
	arguments->first = optind;
	return true;
}

static int complain(const struct error *error)
{
	fprintf(stderr, "retour: %s\n", error->text);
	return EXIT_CANNOT_MEASURE;
}

static int misuse(const char *text)
{
	fprintf(stderr, "retour lab: %s; see `retour lab --help`\n", text);
	return EXIT_USAGE;
}

static int truth(const struct world *world, const struct lab_arguments *arguments, char **operands, int count)
{
	if (count != (arguments->bulk ? 0 : 2))
		return misuse(arguments->bulk ? "truth --bulk takes its names from standard input"
					      : "truth takes two names: FROM TO");
	return cli_lab_truth(world, operands,
		&(struct lab_truth_arguments){.flow = arguments->flow,
			.at_s = arguments->at_s,
			.seed = arguments->run.seed,
			.family = arguments->six ? 6 : 4,
			.json = arguments->json,
			.bulk = arguments->bulk,
			.reveals = arguments->reveals});
}

static void tell_mistake(void *told, const char *line)
{
	*(bool *)told = true;
	fprintf(stderr, "retour: %s\n", line);
}

/* All mistakes of a world, or the one reason why there is none. */
static int load(const char *name, struct world **world)
{
	struct error error = {0};
	bool told = false;
	int result = world_load_telling(name, tell_mistake, &told, world, &error);
	if (result < 0 && !told)
		(void)complain(&error);
	return result;
}

static int list(void)
{
	for (const struct shipped_world *shipped = shipped_worlds; shipped->name; shipped++) {
		struct world *world;
		struct error error = {0};
		if (world_load(shipped->name, &world, &error) < 0)
			return complain(&error);
		printf("%-14s %s\n", shipped->name, world->summary ? world->summary : "");
		world_free(world);
	}
	return EXIT_OK;
}

static int hosts(const struct world *world)
{
	for (uint32_t i = 0; i < world->host_count; i++)
		puts(world->nodes[i].name);
	return EXIT_OK;
}

static int dispatch(const char *word, const struct world *world, const struct lab_arguments *arguments,
	char **operands, int count)
{
	if (strcmp(word, "hosts") == 0)
		return count == 0 ? hosts(world) : misuse("hosts takes no argument");
	if (strcmp(word, "shell") == 0) {
		const char *shell = getenv("SHELL");
		char *command[] = {(char *)(shell && *shell ? shell : "/bin/sh"), NULL};
		return count == 0 ? cli_lab_run(world, &arguments->run, command)
				  : misuse("shell takes no argument");
	}
	if (strcmp(word, "stats") == 0)
		return count == 0 ? cli_lab_stats(world) : misuse("stats takes no argument");
	if (strcmp(word, "truth") == 0)
		return truth(world, arguments, operands, count);
	return count > 0 ? cli_lab_run(world, &arguments->run, operands)
			 : misuse("the command is missing after 'run'");
}

int cli_lab(int argc, char **argv)
{
	static const char *const words[] = {"list", "hosts", "link", "run", "shell", "stats", "truth"};
	struct lab_arguments arguments;
	struct world *world;
	bool known = false;
	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(words); i++)
		known |= strcmp(argv[1], words[i]) == 0;
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(usage, stdout);
		return EXIT_OK;
	}
	if (argc > 1 && strcmp(argv[1], "generate") == 0)
		return cli_lab_generate(argc - 1, argv + 1);
	if (!known) {
		char shown[80];
		if (argc < 2)
			fputs(usage, stderr);
		else
			fprintf(stderr, "retour lab: no command is called '%s'; see `retour lab --help`\n",
				escape_text(argv[1], shown, sizeof(shown)));
		return EXIT_USAGE;
	}
	if (!parse(argc - 1, argv + 1, strcmp(argv[1], "run") != 0, &arguments))
		return EXIT_USAGE;
	if (arguments.help) {
		fputs(usage, stdout);
		return EXIT_OK;
	}
	if (strcmp(argv[1], "list") == 0)
		return list();
	if (strcmp(argv[1], "link") == 0)
		return cli_lab_link(argv + arguments.first + 1, argc - 1 - arguments.first);
	if (load(arguments.world, &world) < 0)
		return EXIT_CANNOT_MEASURE;
	int first = arguments.first + 1;
	int status = dispatch(argv[1], world, &arguments, argv + first, argc - first);
	world_free(world);
	return status;
}
