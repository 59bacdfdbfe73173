#include "cli/revtr.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "cli/exit.h"
#include "cli/revtr_inside.h"
#include "revtr/atlas_plan.h"

static void print_help(FILE *out)
{
	fputs("usage: retour revtr coordinator [--store FILE] [--listen ADDR:PORT] [OPTIONS]\n"
	      "       retour revtr broker HOST NAME[=ADDRESS]...\n"
	      "       retour revtr submit [--file FILE] [--wait] SOURCE DESTINATION...\n"
	      "       retour revtr show|watch|cancel BATCH\n"
	      "       retour revtr sources | agents | budget\n"
	      "       retour revtr agents test NAME\n"
	      "       retour revtr source add ADDRESS --agent NAME [--name TEXT] [--key HEX]\n"
	      "       retour revtr atlas [show|refresh|clean] SOURCE\n"
	      "       retour revtr atlas import SOURCE FILE...\n"
	      "       retour revtr aliases [import FILE...]\n"
	      "       retour revtr aliases probe [--file FILE] [ADDRESS...]\n"
	      "       retour revtr key add NAME [--per-day N] [--parallel N] [--admin]\n"
	      "\n"
	      "The way back from hosts that help nobody, by Record Route, vantage points and\n"
	      "traceroutes to the source. `coordinator` is the program that measures; all\n"
	      "others talk to it, but for `broker`, which prints a script that sets one up.\n"
	      "\n"
	      "  --server URL        the coordinator (default: of the settings, else\n"
	      "                      http://127.0.0.1:7388)\n"
	      "  --ca FILE           trust this authority where the URL is https (PEM)\n"
	      "  --config FILE       settings (see retour-config(5))\n"
	      "  --json              print JSON\n"
	      "\n"
	      "submit:\n"
	      "  --file FILE         destinations, one a line; '-': standard input (also of\n"
	      "                      addresses for `aliases probe`)\n"
	      "  --wait              print results as they come, and end with the last one\n"
	      "  --request NAME      a name for the batch: sent again, it is the same batch\n"
	      "  --label TEXT        kept with each (default: the destination as written)\n"
	      "  --interactive       overtake campaigns (at most 100 measurements)\n"
	      "\n"
	      "coordinator:\n"
	      "  --store FILE        what must not be lost\n"
	      "                      (default ~/.local/state/retour/revtr.db)\n"
	      "  --listen ADDR:PORT  serve HTTP there (repeatable; default 127.0.0.1:7388)\n"
	      "  --tls-certificate FILE, --tls-key FILE  in PEM: HTTPS instead\n"
	      "  --spoof             this host may send in the names of registered sources\n"
	      "  --no-timestamps     no pings with the Timestamp option\n"
	      "  --quotes            UDP packets to hosts that do not write themselves down\n"
	      "  --opt-out PREFIX    nobody is measured in there (repeatable)\n"
	      "  --as-per-day N      packets with options into one network a day\n"
	      "                      (default 100000; 0: no limit)\n"
	      "  --atlas-per-day N   traceroutes to each source that agents make by themselves\n"
	      "                      (default 1000; 0: on request only)\n"
	      "  --keep-days N       results are removed so long after the last of their batch\n"
	      "                      (default 30; 0: never)\n"
	      "  --hitlist FILE      addresses that answer, one a line: agents find out\n"
	      "                      beforehand which of them is near to whom\n"
	      "  --data DIR          folder of local data about AS numbers\n"
	      "  --broker HOST[:PORT]  MQTT broker of agents on other machines\n"
	      "  --ca FILE, --certificate FILE, --certificate-key FILE\n"
	      "                      TLS towards the broker, in PEM\n"
	      "\n"
	      "  -h, --help          this text\n",
		out);
}

static const struct {
	const char *name;
	int (*run)(const struct revtr_command *command);
	int least, most;
} commands[] = {
	{"coordinator", revtr_coordinator_run, 0, 0},
	{"broker", revtr_broker_run, 1, 257},
	{"submit", revtr_submit_run, 1, 1000000},
	{"show", revtr_show_run, 1, 1},
	{"watch", revtr_watch_run, 1, 1},
	{"cancel", revtr_cancel_run, 1, 1},
	{"sources", revtr_sources_run, 0, 0},
	{"source", revtr_source_run, 1, 2},
	{"agents", revtr_agents_run, 0, 2},
	{"atlas", revtr_atlas_run, 1, 10000},
	{"aliases", revtr_aliases_run, 0, 10000},
	{"budget", revtr_budget_run, 0, 0},
	{"key", revtr_key_run, 1, 2},
};

#define KEEP_DAYS_USUAL 30

enum {
	SERVER = 256,
	CONFIG,
	DATA,
	JSON,
	FILE_OF,
	WAIT,
	REQUEST,
	LABEL,
	INTERACTIVE,
	AGENT,
	NAME,
	KEY,
	STORE,
	LISTEN,
	BROKER,
	CA,
	CERTIFICATE,
	CERTIFICATE_KEY,
	TLS_CERTIFICATE,
	TLS_KEY,
	OPT_OUT,
	PER_DAY,
	PARALLEL,
	AS_PER_DAY,
	ATLAS_PER_DAY,
	KEEP_DAYS,
	ADMIN,
	SPOOF,
	NO_TIMESTAMPS,
	QUOTES,
	HITLIST
};

static const struct option longs[] = {
	{"server", required_argument, NULL, SERVER},
	{"config", required_argument, NULL, CONFIG},
	{"data", required_argument, NULL, DATA},
	{"json", no_argument, NULL, JSON},
	{"file", required_argument, NULL, FILE_OF},
	{"wait", no_argument, NULL, WAIT},
	{"request", required_argument, NULL, REQUEST},
	{"label", required_argument, NULL, LABEL},
	{"interactive", no_argument, NULL, INTERACTIVE},
	{"agent", required_argument, NULL, AGENT},
	{"name", required_argument, NULL, NAME},
	{"key", required_argument, NULL, KEY},
	{"store", required_argument, NULL, STORE},
	{"listen", required_argument, NULL, LISTEN},
	{"broker", required_argument, NULL, BROKER},
	{"ca", required_argument, NULL, CA},
	{"certificate", required_argument, NULL, CERTIFICATE},
	{"certificate-key", required_argument, NULL, CERTIFICATE_KEY},
	{"tls-certificate", required_argument, NULL, TLS_CERTIFICATE},
	{"tls-key", required_argument, NULL, TLS_KEY},
	{"opt-out", required_argument, NULL, OPT_OUT},
	{"per-day", required_argument, NULL, PER_DAY},
	{"as-per-day", required_argument, NULL, AS_PER_DAY},
	{"atlas-per-day", required_argument, NULL, ATLAS_PER_DAY},
	{"keep-days", required_argument, NULL, KEEP_DAYS},
	{"hitlist", required_argument, NULL, HITLIST},
	{"parallel", required_argument, NULL, PARALLEL},
	{"admin", no_argument, NULL, ADMIN},
	{"spoof", no_argument, NULL, SPOOF},
	{"no-timestamps", no_argument, NULL, NO_TIMESTAMPS},
	{"quotes", no_argument, NULL, QUOTES},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static bool number(const char *text, unsigned *value)
{
	char *end;
	unsigned long read = strtoul(text, &end, 10);
	*value = (unsigned)read;
	return *text >= '0' && *text <= '9' && *end == '\0' && read <= 1000000000;
}

static bool append(const char **list, size_t *count, size_t room, const char *value)
{
	if (*count == room)
		return false;
	list[(*count)++] = value;
	return true;
}

static bool set(struct revtr_command *command, int key, const char *value)
{
	switch (key) {
	case SERVER: command->server = value; break;
	case CONFIG: command->config = value; break;
	case DATA: command->data_dir = value; break;
	case JSON: command->json = true; break;
	case FILE_OF: command->file = value; break;
	case WAIT: command->wait = true; break;
	case REQUEST: command->request = value; break;
	case LABEL: command->label = value; break;
	case INTERACTIVE: command->interactive = true; break;
	case AGENT: command->agent = value; break;
	case NAME: command->name = value; break;
	case KEY: command->key = value; break;
	case STORE: command->store = value; break;
	case LISTEN:
		return append(command->listen, &command->listen_count, ARRAY_LEN(command->listen), value);
	case BROKER: command->broker = value; break;
	case CA: command->ca = value; break;
	case CERTIFICATE: command->certificate = value; break;
	case CERTIFICATE_KEY: command->certificate_key = value; break;
	case TLS_CERTIFICATE: command->tls_certificate = value; break;
	case TLS_KEY: command->tls_key = value; break;
	case OPT_OUT:
		return append(command->opt_out, &command->opt_out_count, ARRAY_LEN(command->opt_out), value);
	case PER_DAY: return number(value, &command->per_day);
	case KEEP_DAYS: return number(value, &command->keep_days);
	case ATLAS_PER_DAY: return number(value, &command->atlas_per_day);
	case AS_PER_DAY: command->as_limited = true; return number(value, &command->as_per_day);
	case HITLIST: command->hitlist = value; break;
	case PARALLEL: return number(value, &command->parallel);
	case NO_TIMESTAMPS: command->no_timestamps = true; break;
	case QUOTES: command->quotes = true; break;
	case SPOOF: command->spoof = true; break;
	case ADMIN: command->admin = true; break;
	default: return false;
	}
	return true;
}

/* -1 to go on, else the exit status. */
static int parse(struct revtr_command *command, int argc, char **argv)
{
	int key, index = 0;
	char shown[80];
	optind = 1;
	while ((key = getopt_long(argc, argv, "h", longs, &index)) != -1) {
		if (key == 'h') {
			print_help(stdout);
			return EXIT_OK;
		}
		if (!set(command, key, optarg)) {
			if (key != '?')
				fprintf(stderr, "retour revtr: --%s %s: expected %s\n", longs[index].name,
					escape_text(optarg, shown, sizeof(shown)),
					key == LISTEN || key == OPT_OUT ? "fewer of these"
									: "a whole number");
			fputs("`retour revtr --help` tells the options\n", stderr);
			return EXIT_USAGE;
		}
	}
	command->arguments = argv + optind;
	command->argument_count = argc - optind;
	return -1;
}

int cli_revtr(int argc, char **argv)
{
	struct revtr_command command = {.atlas_per_day = ATLAS_PER_DAY_USUAL, .keep_days = KEEP_DAYS_USUAL};
	char shown[80];
	const char *name = argc > 1 ? argv[1] : "";
	if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0) {
		print_help(stdout);
		return EXIT_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].name, name) != 0)
			continue;
		int status = parse(&command, argc - 1, argv + 1);
		if (status >= 0)
			return status;
		if (command.argument_count >= commands[i].least && command.argument_count <= commands[i].most)
			return commands[i].run(&command);
		fprintf(stderr, "retour revtr: %s: %s; see `retour revtr --help`\n", name,
			command.argument_count < commands[i].least ? "something is missing after it"
								   : "that is one word too many");
		return EXIT_USAGE;
	}
	if (argc < 2)
		print_help(stderr);
	else
		fprintf(stderr, "retour revtr: no command is called '%s'; see `retour revtr --help`\n",
			escape_text(name, shown, sizeof(shown)));
	return EXIT_USAGE;
}
