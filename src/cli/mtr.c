#include "cli/mtr.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/rng.h"
#include "cli/mtr_args.h"
#include "cli/persona.h"
#include "cli/watch.h"
#include "trace/cycles.h"

#define FIRST_NUMBER 33000 /* of probes, and the first destination port of UDP */
#define HTTP_PORT    80

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "mtr: %s: %s\n", what, why);
	return MTR_FAILED;
}

/* ---- what to send ---- */

static struct engine_config describe(const struct mtr_args *args, struct addr destination)
{
	struct engine_config config = {
		.protocol = args->protocol,
		.destination = destination,
		.tos = (uint8_t)args->tos,
		.key = hash_key_random(),
	};
	struct rng rng = rng_seed(config.key.k1);
	if (args->protocol == PROBE_ICMP) {
		config.flow.icmp_id = (uint16_t)(rng_below(&rng, 0xfffe) + 1);
		config.flow.icmp_checksum = (uint16_t)(rng_below(&rng, 0xfffe) + 1);
	} else {
		config.flow.destination_port = args->port ? args->port
			: args->protocol == PROBE_TCP	  ? HTTP_PORT
							  : FIRST_NUMBER;
	}
	if (destination.family == 6)
		config.flow.flow_label = (uint32_t)rng_below(&rng, 0xfffff) + 1;
	uint16_t least = engine_size_min(&config);
	config.size = args->protocol == PROBE_TCP ? least : MAX(least, (uint16_t)args->size);
	return config;
}

static struct cycles_config plan(const struct mtr_args *args, const struct engine_config *engine,
	const struct persona_session *session)
{
	struct cycles_config config = {
		.engine = *engine,
		.first_ttl = args->first_ttl,
		.max_ttl = args->max_ttl,
		.max_unknown = args->max_unknown,
		.cycles = args->cycles,
		.interval_ns = (int64_t)(args->interval_s * (double)NS_PER_S),
		.grace_ns = (int64_t)(args->grace_s * (double)NS_PER_S),
		.timeout_ns = (int64_t)args->timeout_s * NS_PER_S,
		.port_grows = args->protocol == PROBE_UDP && !args->port,
	};
	config.engine.source = session->source;
	config.engine.flow.source_port = session->source_port;
	return config;
}

/* ---- raw ---- */

static void print_responder(
	const struct mtr_args *args, unsigned place, const struct cycles_responder *responder)
{
	char address[ADDR_TEXT_SIZE];
	printf("h %u %s\n", place, addr_format(responder->address, address));
	for (unsigned i = 0; args->mpls && i < responder->mpls_count; i++)
		printf("m %u %u %u %d %u\n", place, responder->mpls[i].label,
			responder->mpls[i].traffic_class, responder->mpls[i].bottom, responder->mpls[i].ttl);
}

static void print_name(unsigned place, struct addr address)
{
	char name[PERSONA_NAME_SIZE], shown[PERSONA_NAME_SIZE];
	if (persona_name(address, name)[0])
		printf("d %u %s\n", place, escape_text(name, shown, sizeof(shown)));
}

/* Hops count from 0. A new responder is told twice, as the model does. */
static void print_raw(void *context, const struct cycles_event *event)
{
	const struct mtr_args *args = context;
	unsigned place = event->ttl - 1;
	if (event->kind == CYCLES_SENT) {
		printf("x %u %u\n", place, FIRST_NUMBER + event->number);
	} else if (event->kind == CYCLES_NEW_RESPONDER) {
		print_responder(args, place, event->responder);
		print_responder(args, place, event->responder);
		if (!args->numeric)
			print_name(place, event->responder->address);
	} else {
		printf("p %u %lld %u\n", place, (long long)(event->rtt_ns / NS_PER_US),
			FIRST_NUMBER + event->number);
	}
	fflush(stdout);
}

/* ---- rows ---- */

static void describe_host(const struct mtr_args *args, struct addr address, struct mtr_host *host)
{
	char text[ADDR_TEXT_SIZE], name[PERSONA_NAME_SIZE] = "", shown[PERSONA_NAME_SIZE];
	addr_format(address, text);
	if (!args->numeric)
		persona_name(address, name);
	escape_text(name[0] ? name : text, shown, sizeof(shown));
	if (args->show_addresses && name[0])
		snprintf(host->text, sizeof(host->text), "%.250s (%s)", shown, text);
	else
		snprintf(host->text, sizeof(host->text), "%s", shown);
	host->asn = args->origins ? persona_origin(address) : 0;
}

/* Who answered last, then the others in the order in which they showed up. */
static size_t describe_hosts(
	const struct mtr_args *args, const struct cycles_hop *hop, struct mtr_host *hosts)
{
	size_t count = 0;
	if (addr_is_set(hop->address))
		describe_host(args, hop->address, &hosts[count++]);
	for (unsigned i = 0; i < hop->responder_count && count < CYCLES_RESPONDERS; i++)
		if (!addr_equal(hop->responders[i].address, hop->address))
			describe_host(args, hop->responders[i].address, &hosts[count++]);
	return count;
}

static int print_layout(const struct mtr_args *args, const struct mtr_report *report)
{
	switch (args->mode) {
	case MTR_CSV: layout_mtr_csv(stdout, report); break;
	case MTR_XML: layout_mtr_xml(stdout, report); break;
	case MTR_JSON: return layout_mtr_json(stdout, report);
	case MTR_REPORT: layout_mtr_report(stdout, report); break;
	case MTR_SCREEN:
	case MTR_RAW: break;
	}
	return 0;
}

static int print_report(
	const struct mtr_args *args, const char *target, const struct cycles *cycles, int64_t wall_ns)
{
	char source[HOST_NAME_MAX + 1] = "UNKNOWN", shown[256];
	unsigned last = cycles_last(cycles);
	struct mtr_row *rows = calloc(last + 1, sizeof(*rows));
	struct mtr_host *hosts = calloc((last + 1) * (size_t)CYCLES_RESPONDERS, sizeof(*hosts));
	size_t count = 0;
	gethostname(source, sizeof(source) - 1);
	for (unsigned ttl = args->first_ttl; rows && hosts && ttl <= last; ttl++) {
		const struct cycles_hop *hop = &cycles->hops[ttl];
		struct mtr_host *own = &hosts[ttl * CYCLES_RESPONDERS];
		rows[count++] = (struct mtr_row){.ttl = ttl,
			.sent = hop->sent,
			.series = hop->series,
			.hosts = own,
			.host_count = describe_hosts(args, hop, own)};
	}
	struct mtr_report report = {
		.source = source,
		.target = escape_text(target, shown, sizeof(shown)),
		.started_wall_ns = wall_ns,
		.tos = args->tos,
		.size = args->size,
		.cycles = args->cycles,
		.fields = args->fields,
		.wide = args->wide,
		.origins = args->origins,
		.rows = rows,
		.row_count = count,
	};
	int result = rows && hosts ? print_layout(args, &report) : -ENOMEM;
	free(rows);
	free(hosts);
	return result < 0 ? complain("cannot write the result", strerror(-result)) : 0;
}

/* ---- running ---- */

static int measure(const struct mtr_args *args, const char *target, const struct engine_config *engine,
	struct persona_session *session)
{
	struct cycles_config config = plan(args, engine, session);
	struct cycles *cycles = malloc(sizeof(*cycles));
	struct error error = {0};
	int64_t wall_ns = clock_wall_ns();
	if (!cycles)
		return complain("malloc", strerror(ENOMEM));
	if (args->mode == MTR_REPORT)
		layout_mtr_start(stdout, wall_ns);
	fflush(stdout);
	cycles_init(cycles, &config, args->mode == MTR_RAW ? print_raw : NULL, (void *)args);
	int result = persona_run(session, cycles_machine(cycles), &error);
	if (result == 0)
		result = cycles->send_error;
	/* CSV tells when it was written. */
	if (args->mode == MTR_CSV)
		wall_ns = clock_wall_ns();
	int status = result < 0 ? complain("cannot send", strerror(-result))
				: print_report(args, target, cycles, wall_ns);
	cycles_deinit(cycles);
	free(cycles);
	return session->signal ? 128 + session->signal : status;
}

static int explain(enum persona_step step, const struct mtr_args *args, const struct error *error)
{
	if (step == PERSONA_INTERFACE)
		return fputs("mtr: no such interface\n", stderr), MTR_FAILED;
	if (step == PERSONA_ROUTE && addr_is_set(args->source))
		return fputs("mtr: invalid local address\n", stderr), MTR_FAILED;
	if (error->code == -EPERM || error->code == -EACCES)
		return complain("no right to send these probes", "run as root, or see `setcap` in retour(1)");
	return complain("cannot measure", error->text);
}

/* A name that means nothing is told, and is no failure. */
static int measure_host(const struct mtr_args *args, const char *name)
{
	struct addr destination;
	struct persona_session session;
	struct error error = {0};
	int result = persona_resolve(name, args->family, 0, &destination);
	if (result != 0) {
		fprintf(stderr, "mtr: Failed to resolve host: %s: %s\n", name, gai_strerror(result));
		return 0;
	}
	struct engine_config engine = describe(args, destination);
	struct persona_request request = {
		.protocol = args->protocol,
		.destination = destination,
		.source = args->source,
		.source_port = args->local_port,
		.interface = args->interface,
		.mark = args->mark,
		.icmp_id = engine.flow.icmp_id,
	};
	enum persona_step step = persona_open(&session, &request, &error);
	int status =
		step == PERSONA_READY ? measure(args, name, &engine, &session) : explain(step, args, &error);
	persona_close(&session);
	return status;
}

/* ---- on a screen ---- */

#define WATCH_WORDS_MAX 24

struct words {
	char *list[WATCH_WORDS_MAX + 2];
	int count;
	char space[WATCH_WORDS_MAX][48];
};

static void add_word(struct words *words, const char *text)
{
	if (words->count == WATCH_WORDS_MAX)
		return;
	char *word = words->space[words->count];
	snprintf(word, sizeof(words->space[0]), "%s", text);
	words->list[words->count++] = word;
}

static void add_number(struct words *words, const char *option, unsigned number)
{
	char text[32];
	snprintf(text, sizeof(text), "%s%u", option, number);
	add_word(words, text);
}

/* The screen is that of `retour watch`, with what was asked for in its words. */
static int show_screen(const struct mtr_args *args)
{
	struct words words = {.count = 0};
	char text[48], address[ADDR_TEXT_SIZE];
	if (args->interface || args->host_count > 1) {
		fprintf(stderr, "mtr: %s not supported here on a screen; use -r\n",
			args->interface ? "option '--interface' is" : "several hosts are");
		return MTR_FAILED;
	}
	add_word(&words, "watch");
	if (args->family)
		add_word(&words, args->family == 4 ? "-4" : "-6");
	add_word(&words, args->protocol == PROBE_UDP ? "-u" : args->protocol == PROBE_TCP ? "-T" : "-I");
	if (args->numeric)
		add_word(&words, "-n");
	if (args->cycles_given)
		add_number(&words, "-c", args->cycles);
	add_number(&words, "-f", args->first_ttl);
	add_number(&words, "-m", args->max_ttl);
	if (args->port)
		add_number(&words, "-p", args->port);
	if (args->local_port)
		add_number(&words, "--sport=", args->local_port);
	if (args->tos)
		add_number(&words, "-Q", args->tos);
	if (args->mark)
		add_number(&words, "--mark=", args->mark);
	if (args->protocol != PROBE_TCP)
		add_number(&words, "--size=", args->size);
	if (addr_is_set(args->source)) {
		add_word(&words, "-s");
		add_word(&words, addr_format(args->source, address));
	}
	snprintf(text, sizeof(text), "-i%g", args->interval_s);
	add_word(&words, text);
	words.list[words.count++] = args->hosts[0];
	return cli_watch(words.count, words.list);
}

int cli_mtr(int argc, char **argv)
{
	struct mtr_args args;
	int status = mtr_args_parse(&args, argc, argv);
	if (status < 0 && args.mode == MTR_SCREEN) {
		status = show_screen(&args);
	} else if (status < 0) {
		status = 0;
		for (size_t i = 0; i < args.host_count && status == 0; i++)
			status = measure_host(&args, args.hosts[i]);
	}
	mtr_args_deinit(&args);
	return status;
}
