/* The command table: which word runs which function. Everything else about a command is in its own file. */
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "cli/exit.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the command's own word; returns the exit status */
	const char *summary;
};

static const struct command commands[] = {
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
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fputs("\n"
	      "`retour COMMAND --help` tells the options of a command; retour(1) is the manual.\n",
		out);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (strcmp(argv[1], "--version") == 0) {
		puts("retour " RETOUR_VERSION);
		return EXIT_OK;
	}
	print_usage(stderr);
	return EXIT_USAGE;
}
