#include "cli/lg.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/escape.h"
#include "cli/arguments.h"
#include "cli/exit.h"
#include "cli/lg_inside.h"
#include "reverse/catalogue.h"
#include "reverse/settings.h"

static void print_help(FILE *out)
{
	fputs("usage: retour lg find [OPTIONS] HOST\n"
	      "       retour lg find [OPTIONS] --from-json FILE\n"
	      "       retour lg list [OPTIONS]\n"
	      "       retour lg ask [OPTIONS] NAME ADDRESS\n"
	      "\n"
	      "find   traces to HOST (or reads that from an earlier document), names the\n"
	      "       networks near the far end and the looking glasses known for them, and\n"
	      "       says how to ask them for the way back. It asks none.\n"
	      "list   tells which looking glasses are in the settings, and which are known\n"
	      "       besides.\n"
	      "ask    has the looking glass NAME of the settings trace to ADDRESS, and prints\n"
	      "       the path.\n"
	      "\n"
	      "  -4, --ipv4, -6, --ipv6       find: use that family\n"
	      "      --from-json FILE         find: read a retour/1 document ('-': stdin)\n"
	      "      --public-address ADDRESS find: ours as the Internet sees it\n"
	      "      --config FILE            settings (see retour-config(5))\n"
	      "      --data DIR               folder of local data\n"
	      "      --json                   print JSON\n"
	      "  -h, --help                   this text\n",
		out);
}

struct lg_command {
	const char *name;
	int (*run)(const struct lg_options *options);
	int arguments;
	const char *takes;
};

static const struct lg_command commands[] = {
	{"find", lg_find_run, 1, "one host, or --from-json"},
	{"list", lg_list_run, 0, "no argument"},
	{"ask", lg_ask_run, 2, "a name and an address"},
};

enum { FROM_JSON = 256, PUBLIC, CONFIG, DATA, JSON };

/* -1 to go on, else the exit status. */
static int parse(struct lg_options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{"ipv4", no_argument, NULL, '4'},
		{"ipv6", no_argument, NULL, '6'},
		{"from-json", required_argument, NULL, FROM_JSON},
		{"public-address", required_argument, NULL, PUBLIC},
		{"config", required_argument, NULL, CONFIG},
		{"data", required_argument, NULL, DATA},
		{"json", no_argument, NULL, JSON},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int key;
	char shown[80];
	bool good = true;
	*options = (struct lg_options){0};
	optind = 1;
	while (good && (key = getopt_long(argc, argv, ":46h", longs, NULL)) != -1) {
		switch (key) {
		case '4': options->family = 4; break;
		case '6': options->family = 6; break;
		case FROM_JSON: options->from_json = optarg; break;
		case PUBLIC:
			good = addr_parse(optarg, &options->public_address);
			if (!good)
				fprintf(stderr,
					"retour lg: --public-address: '%s' is no address; see `retour lg "
					"--help`\n",
					escape_text(optarg, shown, sizeof(shown)));
			break;
		case CONFIG: options->config = optarg; break;
		case DATA: options->data_dir = optarg; break;
		case JSON: options->json = true; break;
		case 'h': print_help(stdout); return EXIT_OK;
		default: return arguments_bad_option("lg", key, argv);
		}
	}
	for (int i = 0; i < 2 && optind + i < argc; i++)
		options->arguments[i] = argv[optind + i];
	return good ? -1 : EXIT_USAGE;
}

int cli_lg(int argc, char **argv)
{
	struct lg_options options;
	char shown[80];
	const char *name = argc > 1 ? argv[1] : "";
	if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0) {
		print_help(stdout);
		return EXIT_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].name, name) != 0)
			continue;
		int status = parse(&options, argc - 1, argv + 1);
		int wanted = commands[i].arguments - (options.from_json && commands[i].run == lg_find_run);
		if (status < 0 && argc - 1 - optind == wanted)
			return commands[i].run(&options);
		if (status < 0)
			fprintf(stderr, "retour lg: %s takes %s; see `retour lg --help`\n", name,
				commands[i].takes);
		return status < 0 ? EXIT_USAGE : status;
	}
	if (!*name)
		print_help(stderr);
	else
		fprintf(stderr, "retour lg: no command is called '%s'; see `retour lg --help`\n",
			escape_text(name, shown, sizeof(shown)));
	return EXIT_USAGE;
}

/* ---- list */

static void print_listed(const struct catalogue *catalogue, const char *whose)
{
	char name[200], url[300], note[200];
	for (size_t i = 0; i < catalogue->count; i++) {
		const struct catalogue_entry *entry = &catalogue->entries[i];
		printf("AS%-8u %-28s %s%s%s (%s)\n", entry->asn,
			escape_text(entry->network, name, sizeof(name)),
			escape_text(entry->url, url, sizeof(url)), entry->note ? "; " : "",
			escape_text(entry->note, note, sizeof(note)), whose);
	}
}

static void print_configured(const struct settings *settings)
{
	char name[100], type[40], location[120];
	for (size_t i = 0; i < settings->looking_glass_count; i++) {
		const struct settings_looking_glass *glass = &settings->looking_glasses[i];
		printf("AS%-8u %-28s %s%s%s (settings: --via lg:NAME)\n", glass->asn,
			escape_text(glass->name, name, sizeof(name)),
			escape_text(glass->type, type, sizeof(type)), glass->location ? ", " : "",
			escape_text(glass->location, location, sizeof(location)));
	}
	if (settings->globalping.use)
		puts("Globalping (settings)");
	if (settings->atlas.use)
		puts("RIPE Atlas (settings)");
}

static void add_listed(json_t *list, const struct catalogue *catalogue, const char *source)
{
	for (size_t i = 0; i < catalogue->count; i++) {
		const struct catalogue_entry *entry = &catalogue->entries[i];
		json_array_append_new(list,
			json_pack("{s:s, s:I, s:s?, s:s, s:s?, s:s?}", "source", source, "asn",
				(json_int_t)entry->asn, "network", entry->network, "url", entry->url, "note",
				entry->note, "noted", catalogue->noted));
	}
}

/* Without URLs of the settings: there may be a password in them. */
static bool print_json(
	const struct settings *settings, const struct catalogue *own, const struct catalogue *shipped)
{
	json_t *list = json_array();
	for (size_t i = 0; i < settings->looking_glass_count; i++) {
		const struct settings_looking_glass *glass = &settings->looking_glasses[i];
		json_array_append_new(list,
			json_pack("{s:s, s:I, s:s, s:s, s:s?}", "source", "settings", "asn",
				(json_int_t)glass->asn, "name", glass->name, "type", glass->type, "location",
				glass->location));
	}
	add_listed(list, own, "own-list");
	add_listed(list, shipped, "shipped-list");
	json_t *root =
		json_pack("{s:s, s:{s:b, s:b}, s:o}", "schema", "retour-lg-list/1", "platforms", "globalping",
			settings->globalping.use, "atlas", settings->atlas.use, "looking_glasses", list);
	char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_ENSURE_ASCII) : NULL;
	bool good = text && puts(text) >= 0;
	free(text);
	json_decref(root);
	return good;
}

static void print_text(
	const struct settings *settings, const struct catalogue *own, const struct catalogue *shipped)
{
	char words[80];
	print_configured(settings);
	print_listed(own, "your list");
	snprintf(
		words, sizeof(words), "noted %.20s, not tried", shipped->noted ? shipped->noted : "some day");
	print_listed(shipped, words);
}

int lg_list_run(const struct lg_options *options)
{
	struct settings *settings = NULL;
	struct catalogue *own = NULL, *shipped = NULL;
	struct error error = {0};
	int result = settings_load(&settings, options->config, &error);
	if (result == 0)
		result = catalogue_load(&own, options->data_dir, &error);
	if (result == 0)
		result = catalogue_shipped(&shipped, &error);
	if (result == 0 && options->json && !print_json(settings, own, shipped))
		result = error_set(&error, -EIO, "cannot write the result");
	else if (result == 0 && !options->json)
		print_text(settings, own, shipped);
	if (result < 0)
		fprintf(stderr, "retour: %s\n", error.text);
	settings_free(settings);
	catalogue_free(own);
	catalogue_free(shipped);
	return result == 0 ? EXIT_OK : EXIT_CANNOT_MEASURE;
}
