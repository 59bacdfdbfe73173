#include "cli/serve.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exit.h"
#include "serve/kernel.h"

static const char usage[] = "usage: retour serve [OPTIONS]\n"
			    "\n"
			    "Answers on every interface to hosts that ask for the path from here to them.\n"
			    "\n"
			    "  -4, -6              IPv4 only, IPv6 only\n"
			    "      --allow PREFIX  answer only this network (repeatable; default: everyone)\n"
			    "      --rate N        probes per second at most (default 10000)\n"
			    "      --prefix-rate N the same for one /24 or /48 (default 200)\n"
			    "  -h, --help          this text\n"
			    "\n"
			    "SIGUSR1 prints counters, SIGINT or SIGTERM ends the program.\n";

enum { OPTION_ALLOW = 256, OPTION_RATE, OPTION_PREFIX_RATE };

static const struct option long_options[] = {
	{"allow", required_argument, NULL, OPTION_ALLOW},
	{"rate", required_argument, NULL, OPTION_RATE},
	{"prefix-rate", required_argument, NULL, OPTION_PREFIX_RATE},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static bool parse_rate(const char *text, unsigned *rate)
{
	char *end;
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	*rate = (unsigned)value;
	return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0' && value >= 1 &&
		value <= 10000000;
}

/* A network, or a single address. */
static bool parse_allow(const char *text, struct prefix *prefix)
{
	struct addr addr;
	if (addr_parse(text, &addr)) {
		*prefix = prefix_of(addr, addr_bits(addr));
		return true;
	}
	return prefix_parse(text, prefix);
}

static bool add_allow(struct serve_options *options, struct prefix **list, const char *text)
{
	struct prefix *longer = realloc(*list, (options->allow_count + 1) * sizeof(**list));
	if (!longer)
		return false;
	*list = longer;
	options->allow = longer;
	return parse_allow(text, &longer[options->allow_count++]);
}

static int bad_value(const char *option, const char *value, const char *expected)
{
	fprintf(stderr, "retour serve: %s %s: expected %s\n", option, value, expected);
	return EXIT_USAGE;
}

/* EXIT_OK to go on, EXIT_USAGE, or -1 after the help. */
static int parse_options(int argc, char **argv, struct serve_options *options, struct prefix **allow)
{
	int option;
	while ((option = getopt_long(argc, argv, "46h", long_options, NULL)) != -1) {
		if (option == '4') {
			options->ipv6 = false;
		} else if (option == '6') {
			options->ipv4 = false;
		} else if (option == OPTION_ALLOW) {
			if (!add_allow(options, allow, optarg))
				return bad_value(
					"--allow", optarg, "a network such as 192.0.2.0/24 or 2001:db8::/32");
		} else if (option == OPTION_RATE) {
			if (!parse_rate(optarg, &options->rate))
				return bad_value("--rate", optarg, "a number from 1 to 10000000");
		} else if (option == OPTION_PREFIX_RATE) {
			if (!parse_rate(optarg, &options->prefix_rate))
				return bad_value("--prefix-rate", optarg, "a number from 1 to 10000000");
		} else if (option == 'h') {
			fputs(usage, stdout);
			return -1;
		} else {
			fputs("retour serve --help tells the options\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc)
		return bad_value("argument", argv[optind], "none");
	if (!options->ipv4 && !options->ipv6)
		return bad_value("-4", "-6", "one of them");
	return EXIT_OK;
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

static const char *families(const struct serve_options *options)
{
	return options->ipv4 && options->ipv6 ? "IPv4 and IPv6" : options->ipv4 ? "IPv4" : "IPv6";
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
			"retour serve: %s; the kernel will echo requests before we answer: retour can tell the "
			"echo from the answer, the deployed clients cannot\n",
			warning.text);
	fprintf(stderr, "retour serve: responder ready on every interface (%s), probes leave from port %u\n",
		families(options), (unsigned)serve_port(serve));
	int code = serve_run(serve, print_counters, &error);
	if (code < 0)
		fprintf(stderr, "retour serve: %s\n", error.text);
	struct responder_counters counters = serve_counters(serve);
	print_counters(&counters);
	serve_stop(serve);
	return code < 0 ? EXIT_CANNOT_MEASURE : EXIT_OK;
}

int cli_serve(int argc, char **argv)
{
	struct serve_options options = {.ipv4 = true, .ipv6 = true};
	struct prefix *allow = NULL;
	int status = parse_options(argc, argv, &options, &allow);
	if (status == EXIT_OK)
		status = run(&options);
	free(allow);
	return status < 0 ? EXIT_OK : status;
}
