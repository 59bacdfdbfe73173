#include "cli/arguments.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>

#include "base/escape.h"
#include "cli/exit.h"

static const char *gap_before(const char *command)
{
	return *command ? " " : "";
}

int arguments_wrong(const char *command, const char *what, const char *value)
{
	char shown[80];
	fprintf(stderr, "retour: %s '%s'; see `retour%s%s --help`\n", what,
		escape_text(value, shown, sizeof(shown)), gap_before(command), command);
	return EXIT_USAGE;
}

int arguments_contradict(const char *command, const char *what)
{
	fprintf(stderr, "retour: %s; see `retour%s%s --help`\n", what, gap_before(command), command);
	return EXIT_USAGE;
}

int arguments_bad_option(const char *command, int key, char **argv)
{
	return arguments_wrong(
		command, key == ':' ? "a value is missing after" : "unknown option", argv[optind - 1]);
}

static void print_help(FILE *out, const struct argument_table *table)
{
	fprintf(out, "usage: retour%s%s [OPTIONS] %s\n%s\n", gap_before(table->command), table->command,
		table->operands, table->more ? table->more : "");
	for (size_t i = 0; i < table->count; i++) {
		const struct argument_row *row = &table->rows[i];
		const char *argument = row->argument ? row->argument : "";
		char left[48], letter[8] = "    ";
		if (!row->name)
			continue;
		if (row->key < ARGUMENT_LONG)
			snprintf(letter, sizeof(letter), "-%c, ", row->key);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, row->name, *argument == '[' ? "" : " ",
			argument);
		fprintf(out, "  %-*s %s\n", (int)table->left, left, row->help);
	}
}

/* The help tells what would be one. */
static int no_value(const struct argument_table *table, int key, const char *value)
{
	char what[60], shown[80];
	const char *help = NULL;
	snprintf(what, sizeof(what), "-%c", key);
	for (size_t i = 0; i < table->count; i++) {
		if (table->rows[i].key != key || !table->rows[i].name)
			continue;
		snprintf(what, sizeof(what), "--%s", table->rows[i].name);
		help = table->rows[i].help;
	}
	fprintf(stderr, "retour: not a value for %s: '%s'%s%s%s; see `retour%s%s --help`\n", what,
		escape_text(value, shown, sizeof(shown)), help ? " (" : "", help ? help : "", help ? ")" : "",
		gap_before(table->command), table->command);
	return EXIT_USAGE;
}

/* getopt's tables. */
static void build_tables(const struct argument_table *table, struct option *longs, char *shorts)
{
	*shorts++ = ':';
	for (size_t i = 0; i < table->count; i++) {
		const struct argument_row *row = &table->rows[i];
		if (row->name)
			*longs++ = (struct option){
				.name = row->name,
				.has_arg = !row->argument	  ? no_argument
					: row->argument[0] == '[' ? optional_argument
								  : required_argument,
				.val = row->key,
			};
		if (row->key >= ARGUMENT_LONG)
			continue;
		*shorts++ = (char)row->key;
		if (row->argument)
			*shorts++ = ':';
	}
	*longs = (struct option){0};
	*shorts = '\0';
}

int arguments_parse(const struct argument_table *table, void *context, int argc, char **argv)
{
	struct option longs[ARGUMENTS_MAX + 1];
	char shorts[2 * ARGUMENTS_MAX + 2];
	int key;
	assert(table->count <= ARGUMENTS_MAX);
	build_tables(table, longs, shorts);
	optind = 1;
	while ((key = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (key == 'h') {
			print_help(stdout, table);
			return EXIT_OK;
		}
		if (key == '?' || key == ':')
			return arguments_bad_option(table->command, key, argv);
		enum argument_verdict verdict = table->apply(context, key, optarg);
		if (verdict == ARGUMENT_TOLD)
			return EXIT_USAGE;
		if (verdict == ARGUMENT_NO_VALUE)
			return no_value(table, key, optarg);
	}
	return -1;
}

int arguments_host(const char *command, const char **host, int argc, char **argv)
{
	if (optind >= argc)
		return arguments_wrong(command, "the host is missing after", argv[0]);
	if (optind + 1 < argc && !*command) {
		char shown[80];
		fprintf(stderr,
			"retour: '%s' is no command, and only one host is measured at a time; see `retour "
			"--help`\n",
			escape_text(argv[optind], shown, sizeof(shown)));
		return EXIT_USAGE;
	}
	if (optind + 1 < argc)
		return arguments_wrong(command, "one host at a time; what to do with", argv[optind + 1]);
	*host = argv[optind];
	return **host ? -1 : arguments_wrong(command, "not a host:", *host);
}
