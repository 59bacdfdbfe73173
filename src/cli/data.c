#include "cli/data.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "annotate/import.h"
#include "base/clock.h"
#include "base/escape.h"
#include "cli/arguments.h"
#include "cli/exit.h"

static void print_help(FILE *out)
{
	fputs("usage: retour data [--data DIR]\n"
	      "       retour data import [--data DIR] FILE...\n"
	      "\n"
	      "Tells what data is there about AS numbers, exchanges and countries, and how old\n"
	      "it is; checks and installs more. A file may be: CAIDA's prefix-to-AS or AS\n"
	      "relationships, iptoasn's table, an MMDB file, a dump of PeeringDB, or a list of\n"
	      "exchanges (prefix, name). What it is, its content tells.\n"
	      "\n"
	      "      --data DIR             folder of the data (see FILES in retour-data(1))\n"
	      "  -h, --help                 this text\n",
		out);
}

static const char *age_text(int64_t changed_s, char *text, size_t size)
{
	int64_t age_s = clock_wall_ns() / NS_PER_S - changed_s;
	if (changed_s <= 0 || age_s < 0)
		snprintf(text, size, "unknown age");
	else if (age_s < 2 * 86400)
		snprintf(text, size, "%lld h old", (long long)(age_s / 3600));
	else
		snprintf(text, size, "%lld days old", (long long)(age_s / 86400));
	return text;
}

static const char *plural(size_t count)
{
	return count == 1 ? "entry" : "entries";
}

static int list(const char *dir)
{
	char path[PATH_MAX], age[40], name[4 * DATA_NAME_SIZE];
	struct data *data = malloc(sizeof(*data));
	if (!data) {
		fputs("retour: out of memory\n", stderr);
		return EXIT_CANNOT_MEASURE;
	}
	data_open(data, dir);
	for (unsigned i = 0; i < data->count; i++) {
		const struct data_file *file = &data->files[i];
		printf("%-28s  %-16s  %8zu entries  %s%s\n", escape_text(file->name, name, sizeof(name)),
			source_word(file->kind), data_entries(file),
			age_text(file->changed_s, age, sizeof(age)),
			file->raw ? "  (as published; import it to find all of it fast)" : "");
	}
	if (data->count == 0)
		fprintf(stderr, "retour: no data in %s; `retour data import FILE` installs some\n",
			dir ? dir : data_dir(path, sizeof(path)));
	if (data->error.code < 0)
		fprintf(stderr, "retour: not used: %s\n", data->error.text);
	data_close(data);
	free(data);
	return EXIT_OK;
}

static int import(const char *dir, char **files, int count)
{
	int status = EXIT_OK;
	char shown[200], age[40];
	for (int i = 0; i < count; i++) {
		struct import_result result;
		struct error error = {0};
		if (data_import(dir, files[i], &result, &error) < 0) {
			fprintf(stderr, "retour: %s\n", error.text);
			status = EXIT_CANNOT_MEASURE;
			continue;
		}
		printf("%s: %s, %zu %s, %s\n", escape_text(files[i], shown, sizeof(shown)),
			source_word(result.kind), result.entries, plural(result.entries),
			age_text(result.changed_s, age, sizeof(age)));
	}
	return status;
}

int cli_data(int argc, char **argv)
{
	static const struct option longs[] = {
		{"data", required_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *dir = NULL;
	int key;
	optind = 1;
	while ((key = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		if (key == 'h') {
			print_help(stdout);
			return EXIT_OK;
		}
		if (key != 'd')
			return arguments_bad_option("data", key, argv);
		if (!*optarg)
			return arguments_wrong("data", "not a folder:", optarg);
		dir = optarg;
	}
	if (optind == argc)
		return list(dir);
	if (strcmp(argv[optind], "import") == 0 && optind + 1 < argc)
		return import(dir, argv + optind + 1, argc - optind - 1);
	char shown[80];
	if (strcmp(argv[optind], "import") == 0)
		fputs("retour data: the files are missing after 'import'; see `retour data --help`\n",
			stderr);
	else
		fprintf(stderr, "retour data: no command is called '%s'; see `retour data --help`\n",
			escape_text(argv[optind], shown, sizeof(shown)));
	return EXIT_USAGE;
}
