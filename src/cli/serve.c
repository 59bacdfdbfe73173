#include "cli/serve.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/exit.h"
#include "serve/config.h"
#include "serve/kernel.h"

#define STAMP_PORT_TEXT "862" /* RFC 8762 4.1 */

static const char usage[] =
	"usage: retour serve [OPTIONS]\n"
	"\n"
	"Answers on every interface to hosts that ask for the path from here to them;\n"
	"with --listen over HTTP, too.\n"
	"\n"
	"  -4, -6                  responder for IPv4 only, IPv6 only\n"
	"      --allow PREFIX      answer this network only, over HTTP, too (repeatable;\n"
	"                          default: everyone)\n"
	"      --allow-target PREFIX  anybody may ask for paths to this network\n"
	"                          (repeatable; default: to the address that asks)\n"
	"      --rate N            probes of the responder per second at most (10000)\n"
	"      --prefix-rate N     the same for one /24 or /48 (200)\n"
	"\n"
	"      --stamp[=PORT]      reflect test packets (STAMP), so that loss there and\n"
	"                          back can be told apart (port 862)\n"
	"\n"
	"      --listen ADDR:PORT  serve HTTP there (repeatable; [IPV6]:PORT; :PORT is\n"
	"                          everywhere)\n"
	"      --tls-certificate FILE, --tls-key FILE  in PEM: HTTPS instead\n"
	"      --trust-proxy ADDR  believe the X-Forwarded-For of this proxy (repeatable)\n"
	"      --trace-rate N      traces a minute for one /24 or /48 (30)\n"
	"\n"
	"      --agent NAME        no responder, but a vantage point of this name for\n"
	"                          reverse traceroutes that are coordinated on this host\n"
	"      --spoof             the agent may send in the names of registered sources\n"
	"\n"
	"      --config FILE       all of that from a YAML file\n"
	"  -h, --help              this text\n"
	"\n"
	"SIGUSR1 prints counters, SIGHUP reads certificates again, SIGINT or SIGTERM\n"
	"ends the program. The page retour-serve(1) says more.\n";

static const struct option long_options[] = {
	{"agent", required_argument, NULL, 0},
	{"allow", required_argument, NULL, 0},
	{"allow-target", required_argument, NULL, 0},
	{"config", required_argument, NULL, 'c'},
	{"help", no_argument, NULL, 'h'},
	{"listen", required_argument, NULL, 0},
	{"prefix-rate", required_argument, NULL, 0},
	{"rate", required_argument, NULL, 0},
	{"spoof", no_argument, NULL, 's'},
	{"stamp", optional_argument, NULL, 0},
	{"tls-certificate", required_argument, NULL, 0},
	{"tls-key", required_argument, NULL, 0},
	{"trace-rate", required_argument, NULL, 0},
	{"trust-proxy", required_argument, NULL, 0},
	{0},
};

/* An option that takes a value is a setting of the file, with other hyphens. */
static int set_option(struct serve_config *config, const char *option, const char *value, struct error *error)
{
	char key[32];
	snprintf(key, sizeof(key), "%s", option);
	for (char *c = key; *c; c++)
		*c = *c == '-' ? '_' : *c;
	return serve_config_set(config, key, value, error);
}

static int complain_of_option(const char *word, bool lacks_value)
{
	fprintf(stderr, "retour serve: %s '%s'; see `retour serve --help`\n",
		lacks_value ? "a value is missing after" : "unknown option, or one that takes no value,",
		word);
	return EXIT_USAGE;
}

/* EXIT_OK to go on, EXIT_USAGE, or -1 after the help. */
static int parse_options(int argc, char **argv, struct serve_config *config)
{
	struct serve_options *options = &config->options;
	struct error error = {0};
	int option, index = 0, code = 0;
	while (code == 0 && (option = getopt_long(argc, argv, ":46h", long_options, &index)) != -1) {
		if (option == '4') {
			options->ipv6 = false;
		} else if (option == '6') {
			options->ipv4 = false;
		} else if (option == 'h') {
			fputs(usage, stdout);
			return -1;
		} else if (option == ':' || option == '?') {
			const char *word = argv[optind - 1];
			return complain_of_option(word, option == ':');
		} else if (option == 's') {
			options->vantage.rules.spoof = true;
		} else if (option == 'c') {
			code = serve_config_load(config, optarg, &error);
		} else {
			code = set_option(
				config, long_options[index].name, optarg ? optarg : STAMP_PORT_TEXT, &error);
		}
	}
	if (code == 0 && optind < argc)
		code = error_set(&error, -EINVAL, "argument '%.100s': expected none", argv[optind]);
	if (code == 0 && !options->ipv4 && !options->ipv6)
		code = error_set(&error, -EINVAL, "-4 -6: expected one of them");
	if (code == 0)
		code = serve_config_check(config, &error);
	if (code < 0)
		fprintf(stderr, "retour serve: %s\n", error.text);
	/* What cannot be read is no mistake of the command line. */
	return code == 0 ? EXIT_OK : code == -EINVAL ? EXIT_USAGE : EXIT_CANNOT_MEASURE;
}

static void print_counters(const struct responder_counters *c)
{
	fprintf(stderr,
		"retour serve: %" PRIu64 " requests (%" PRIu64 " hellos), %" PRIu64 " probes, %" PRIu64
		" responses, %" PRIu64 " notices; refused: %" PRIu64 " source, %" PRIu64
		" not allowed, %" PRIu64 " over prefix rate, %" PRIu64 " over rate, %" PRIu64
		" over first-contact budget, %" PRIu64 " notices, %" PRIu64 " answers; %" PRIu64
		" sends failed\n",
		c->requests, c->hellos, c->probes, c->responses, c->notices, c->refused_source,
		c->refused_allow, c->over_prefix, c->over_total, c->over_first_contact, c->over_notice,
		c->over_answer, c->send_failed + c->queue_full);
}

static void report(const struct serve *serve)
{
	struct responder_counters counters = serve_counters(serve);
	if (serve_is_responder(serve))
		print_counters(&counters);
	reflector_print(serve_reflector(serve), stderr);
	vantage_print(serve_vantage(serve), stderr);
}

static void note(const char *text)
{
	fprintf(stderr, "retour serve: agent: %s\n", text);
}

static void note_http(const char *text)
{
	fprintf(stderr, "retour serve: HTTPS: %s\n", text);
}

static const char *families(const struct serve_options *options)
{
	return options->ipv4 && options->ipv6 ? "IPv4 and IPv6" : options->ipv4 ? "IPv4" : "IPv6";
}

/* One line for each thing that is served. */
static void say_ready(const struct serve *serve, const struct serve_options *options)
{
	const struct web_options *web = &options->web;
	char text[ADDR_TEXT_SIZE];
	for (size_t i = 0; i < web->listen_count; i++) {
		struct addr addr = web->listen[i].addr;
		bool v6 = addr.family == 6;
		fprintf(stderr, "retour serve: %s on %s%s%s port %u\n",
			web->tls_certificate ? "HTTPS" : "HTTP", v6 ? "[" : "",
			addr_is_set(addr) ? addr_format(addr, text) : "every address", v6 ? "]" : "",
			web->listen[i].port);
	}
	if (options->stamp_port)
		fprintf(stderr, "retour serve: reflecting test packets on UDP port %u\n",
			options->stamp_port);
	const struct vantage_options *vantage = &options->vantage;
	if (vantage->name && vantage->insecure)
		fprintf(stderr,
			"retour serve: WARNING: agent %s talks to its broker without encryption or proof of "
			"who is who: "
			"for closed laboratories only\n",
			vantage->name);
	if (vantage->name)
		fprintf(stderr, "retour serve: agent %s, %s, %zu sources\n", vantage->name,
			vantage->rules.spoof ? "may send in the names of registered sources"
					     : "sends in its own name only",
			vantage->source_count);
	if (options->responder)
		fprintf(stderr,
			"retour serve: responder ready on every interface (%s), probes leave from port %u\n",
			families(options), (unsigned)serve_port(serve));
}

static int run(const struct serve_options *options)
{
	struct error error = {0}, warning = {0};
	struct serve *serve = serve_start(options, &warning, &error);
	if (!serve) {
		fprintf(stderr, "retour serve: %s\n", error.text);
		return EXIT_CANNOT_MEASURE;
	}
	if (warning.code)
		fprintf(stderr,
			"retour serve: %s; the kernel will echo requests before we answer: retour can tell "
			"the "
			"echo from the answer, the deployed clients cannot\n",
			warning.text);
	say_ready(serve, options);
	int code = serve_run(serve, report, &error);
	if (code < 0)
		fprintf(stderr, "retour serve: %s\n", error.text);
	report(serve);
	serve_stop(serve);
	return code < 0 ? EXIT_CANNOT_MEASURE : EXIT_OK;
}

int cli_serve(int argc, char **argv)
{
	struct serve_config config;
	serve_config_init(&config);
	config.options.vantage.note = note;
	config.options.web.note = note_http;
	int status = parse_options(argc, argv, &config);
	if (status == EXIT_OK)
		status = run(&config.options);
	serve_config_deinit(&config);
	return status < 0 ? EXIT_OK : status;
}
