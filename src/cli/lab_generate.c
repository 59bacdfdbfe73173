#include "cli/lab_generate.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/exit.h"
#include "sim/generate.h"
#include "sim/stats.h"

#define STATS_SEED 1

static const char usage[] =
	"usage: retour lab generate --ases N [--seed S] [--profile PROFILE]\n"
	"                           [-o FILE] [--summary]\n"
	"\n"
	"Write a world: an Internet of N networks. The same options give the same world\n"
	"on every machine.\n"
	"\n"
	"  -a, --ases N          how many networks, 10 to 40000\n"
	"  -s, --seed S          which of the many (default: 1)\n"
	"  -p, --profile NAME    habits of routers: today, at their published rates (the\n"
	"                        default); clean, none; hostile, all at their worst\n"
	"  -o, --output FILE     default: standard output\n"
	"      --summary         no world, but its statistics beside published ones, as\n"
	"                        retour lab stats prints them\n"
	"  -h, --help            this text\n";

enum { OPTION_SUMMARY = 256 };

struct generate_arguments {
	struct generate_options options;
	const char *output;
	bool help, summary;
};

static bool number(const char *text, unsigned long long most, unsigned long long *value)
{
	char *end;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *value <= most;
}

static int misuse(const char *text, const char *what)
{
	fprintf(stderr, "retour lab generate: '%s': %s; see `retour lab generate --help`\n", text, what);
	return EXIT_USAGE;
}

/* EXIT_OK, or EXIT_USAGE after it was said why. */
static int parse(int argc, char **argv, struct generate_arguments *arguments)
{
	static const struct option options[] = {
		{"ases", required_argument, NULL, 'a'},
		{"seed", required_argument, NULL, 's'},
		{"profile", required_argument, NULL, 'p'},
		{"output", required_argument, NULL, 'o'},
		{"summary", no_argument, NULL, OPTION_SUMMARY},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	unsigned long long value;
	int option;
	optind = 1;
	while ((option = getopt_long(argc, argv, ":a:s:p:o:h", options, NULL)) != -1) {
		switch (option) {
		case 'a':
			if (!number(optarg, GENERATE_ASES_MAX, &value) || value < GENERATE_ASES_MIN)
				return misuse(optarg, "expected a number of ASes, 10 to 40000");
			arguments->options.ases = (unsigned)value;
			break;
		case 's':
			if (!number(optarg, UINT64_MAX, &value))
				return misuse(optarg, "expected a seed, a number of 0 or more");
			arguments->options.seed = value;
			break;
		case 'p':
			arguments->options.profile = profile_find(optarg);
			if (!arguments->options.profile)
				return misuse(optarg, "expected a profile: today, clean or hostile");
			break;
		case 'o': arguments->output = optarg; break;
		case OPTION_SUMMARY: arguments->summary = true; break;
		case 'h': arguments->help = true; break;
		default: return arguments_bad_option("lab generate", option, argv);
		}
	}
	if (optind < argc)
		return misuse(argv[optind], "no such argument");
	if (arguments->options.ases == 0 && !arguments->help)
		return misuse("--ases", "how many?");
	return EXIT_OK;
}

static int cannot(const char *text)
{
	fprintf(stderr, "retour: %s\n", text);
	return EXIT_CANNOT_MEASURE;
}

static int write_world(const char *output, const char *text)
{
	FILE *file = output ? fopen(output, "we") : stdout;
	if (!file) {
		fprintf(stderr, "retour: %s: %s\n", output, strerror(errno));
		return EXIT_CANNOT_MEASURE;
	}
	bool written = fputs(text, file) >= 0 && fflush(file) == 0;
	if (output)
		written &= fclose(file) == 0;
	if (!written)
		return cannot("cannot write the world");
	return EXIT_OK;
}

static void print_row(const struct stats_row *row)
{
	bool whole = row->value == floor(row->value) && row->value > 1, published = row->low < row->high;
	if (isnan(row->value))
		printf("%-52s %8s", row->what, "-");
	else
		printf("%-52s %8.*f", row->what, whole ? 0 : 2, row->value);
	if (published)
		printf("  %-8s %s",
			isnan(row->value)					    ? ""
				: row->value >= row->low && row->value <= row->high ? "within"
										    : "outside",
			row->source);
	putchar('\n');
}

int cli_lab_stats(const struct world *world)
{
	struct stats stats;
	struct error error = {0};
	if (stats_of(world, STATS_SEED, &stats, &error) < 0)
		return cannot(error.text);
	for (unsigned i = 0; i < stats.count; i++)
		print_row(&stats.rows[i]);
	return EXIT_OK;
}

static int summarize(const char *text)
{
	struct world *world;
	struct error error = {0};
	if (world_parse("world", text, &world, &error) < 0)
		return cannot(error.text);
	int status = cli_lab_stats(world);
	world_free(world);
	return status;
}

int cli_lab_generate(int argc, char **argv)
{
	struct generate_arguments arguments = {.options = {.seed = 1, .profile = profile_find("today")}};
	struct error error = {0};
	char *text;
	int status = parse(argc, argv, &arguments);
	if (status != EXIT_OK)
		return status;
	if (arguments.help) {
		fputs(usage, stdout);
		return EXIT_OK;
	}
	if (generate_world(&arguments.options, &text, &error) < 0)
		return cannot(error.text);
	status = arguments.summary ? summarize(text) : write_world(arguments.output, text);
	free(text);
	return status;
}
