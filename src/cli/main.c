/* The command table: which word runs which function. Everything else about a command is in its own file. */
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "cli/data.h"
#include "cli/doctor.h"
#include "cli/exit.h"
#include "cli/lab.h"
#include "cli/lg.h"
#include "cli/mtr.h"
#include "cli/path.h"
#include "cli/ping.h"
#include "cli/revtr.h"
#include "cli/serve.h"
#include "cli/streams.h"
#include "cli/traceroute.h"
#include "cli/watch.h"
#include "cli/windows.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the command's own word; returns the exit status */
	const char *summary;
};

static const struct command commands[] = {
	{"trace", cli_trace, "the path there only"},
	{"back", cli_back, "the path back only"},
	{"watch", cli_watch, "the path there and back over time: a live table, or a report"},
	{"ping", cli_ping, "round trips; each way's loss and delay where the far end helps"},
	{"lg", cli_lg, "looking glasses near a host: find, list, ask"},
	{"revtr", cli_revtr, "reverse traceroute without the far host's help: run it, use it"},
	{"serve", cli_serve, "answer hosts that ask for the path from here to them"},
	{"data", cli_data, "local data about AS numbers, exchanges, countries: list, import"},
	{"doctor", cli_doctor, "what this machine can and cannot measure"},
	{"lab", cli_lab, "the virtual Internet: try everything offline"},
};

/* Commands in the manner of other programs; also what this one does when it is called by their names. */
static const struct command personas[] = {
	{"mtr", cli_mtr, "in the manner of mtr"},
	{"pathping", cli_pathping, "in the manner of pathping for Windows"},
	{"traceroute", cli_traceroute, "in the manner of traceroute for Linux"},
	{"traceroute6", cli_traceroute6, "the same for IPv6"},
	{"tracert", cli_tracert, "in the manner of tracert for Windows"},
};

static void print_usage(FILE *out)
{
	fputs("usage: retour [OPTIONS] HOST\n"
	      "       retour COMMAND [ARGUMENTS]\n"
	      "\n"
	      "Shows the network path to HOST and back, and says what is wrong with it.\n"
	      "\n"
	      "commands:\n",
		out);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(out, "  %-11s %s\n", commands[i].name, commands[i].summary);
	for (size_t i = 0; i < ARRAY_LEN(personas); i++)
		fprintf(out, "  %-11s %s\n", personas[i].name, personas[i].summary);
	fputs("\n"
	      "`retour COMMAND --help` tells the options of a command; retour(1) is the manual.\n"
	      "Try it without a network: retour lab run -- retour server.lab\n",
		out);
}

static const struct command *find(const struct command *table, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

static const struct command *find_persona(const char *path)
{
	const char *slash = strrchr(path, '/');
	return find(personas, ARRAY_LEN(personas), slash ? slash + 1 : path);
}

/* Originals that notice a full disk end with this, too. */
static int run_persona(const struct command *persona, int argc, char **argv)
{
	return streams_finish(persona->name, persona->run(argc, argv), 1);
}

static int finish(int status)
{
	return streams_finish("retour", status, EXIT_CANNOT_MEASURE);
}

int main(int argc, char **argv)
{
	streams_guard();
	const struct command *command = argc > 0 ? find_persona(argv[0]) : NULL;
	if (command)
		return run_persona(command, argc, argv);
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	command = find(personas, ARRAY_LEN(personas), argv[1]);
	if (command)
		return run_persona(command, argc - 1, argv + 1);
	command = find(commands, ARRAY_LEN(commands), argv[1]);
	if (command)
		return finish(command->run(argc - 1, argv + 1));
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		puts("retour " RETOUR_VERSION);
		return finish(EXIT_OK);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_usage(stdout);
		putchar('\n');
	}
	return finish(cli_both(argc, argv));
}
