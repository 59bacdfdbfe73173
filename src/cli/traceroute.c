#include "cli/traceroute.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/rng.h"
#include "cli/persona.h"
#include "cli/traceroute_args.h"
#include "report/layout_traceroute.h"
#include "trace/classic.h"

#define CANNOT_MEASURE 1 /* its exit status */
#define MTU_START      65000
#define GROWING_PORT   33434
#define DNS_PORT       53
#define HTTP_PORT      80
#define TCP_MSS_LEAST  536 /* RFC 9293 3.7.1 */
#define SIZE_BEYOND_IP 40

static struct traceroute_args defaults(void)
{
	return (struct traceroute_args){
		.protocol = PROBE_UDP,
		.ip_protocol = 253, /* RFC 3692 */
		.first_ttl = 1,
		.max_ttl = 30,
		.window = 16,
		.per_hop = 3,
		.wait_max_s = 5,
		.wait_here = 3,
		.wait_near = 10,
	};
}

struct display {
	const struct traceroute_args *args;
	struct traceroute_style style;
};

static void tell(void *context, const struct classic *classic, unsigned index)
{
	const struct display *display = context;
	const struct probe_result *hop[CLASSIC_PER_HOP_MAX];
	unsigned place = index % classic->config.per_hop;
	char name[PERSONA_NAME_SIZE];
	struct traceroute_label label = {0};
	for (unsigned i = 0; i <= place; i++)
		hop[i] = &classic->probes[index - place + i].result;
	if (layout_traceroute_shows_address(&display->style, hop, place)) {
		if (!display->style.numeric && persona_name(hop[place]->address, name)[0])
			label.name = name;
		if (display->style.origins)
			label.asn = persona_origin(hop[place]->address);
	}
	layout_traceroute_probe(stdout, &display->style, classic_ttl(classic, index), hop, place, &label);
	fflush(stdout);
}

/* ---- what to send ---- */

static uint16_t destination_port(const struct traceroute_args *args)
{
	if (args->port)
		return (uint16_t)args->port;
	if (args->protocol == PROBE_TCP)
		return HTTP_PORT;
	return args->constant_port ? DNS_PORT : GROWING_PORT;
}

static bool is_on(const char *setting)
{
	char path[80], value[8] = "";
	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", setting);
	FILE *file = fopen(path, "re");
	bool on = file && fgets(value, sizeof(value), file) && atoi(value) == 1;
	if (file)
		fclose(file);
	return on;
}

/* As its model: what this host sends when it connects, unless flags or options were given. A SYN tells the
 * size that it takes; how large that is becomes known with the interface. */
static void describe_tcp(const struct traceroute_args *args, struct engine_config *config)
{
	struct tcp_options *options = &config->tcp_options;
	*options = (struct tcp_options){.mss = 1,
		.sack = args->tcp_sack,
		.timestamps = args->tcp_timestamps,
		.window_scale = args->tcp_window_scaling};
	bool any = args->tcp_flags || options->sack || options->timestamps || options->window_scale;
	if (!args->tcp_sysctl && any)
		return;
	options->sack |= is_on("tcp_sack");
	options->timestamps |= is_on("tcp_timestamps");
	options->window_scale |= is_on("tcp_window_scaling");
	if (is_on("tcp_ecn"))
		config->tcp_flags = (uint8_t)((config->tcp_flags ? config->tcp_flags : TCP_SYN) | 0xc0);
}

/* The flow is one for the whole run, but for ports that grow: identifier and checksum of ICMP too. */
static struct engine_config describe(const struct traceroute_args *args)
{
	struct engine_config config = {
		.protocol = args->protocol,
		.ip_protocol = args->ip_protocol,
		.destination = args->address,
		.tos = (uint8_t)args->tos,
		.tcp_flags = args->tcp_flags,
		.dont_fragment = args->dont_fragment,
		.key = hash_key_random(),
	};
	struct rng rng = rng_seed(config.key.k1);
	if (args->protocol == PROBE_ICMP) {
		config.flow.icmp_id = (uint16_t)(rng_below(&rng, 0xfffe) + 1);
		config.flow.icmp_checksum = (uint16_t)(rng_below(&rng, 0xfffe) + 1);
	} else if (args->protocol != PROBE_IP) {
		config.flow.destination_port = destination_port(args);
	}
	if (args->address.family == 6)
		config.flow.flow_label = args->flow_label ? args->flow_label & 0xfffff
							  : (uint32_t)rng_below(&rng, 0xfffff) + 1;
	if (args->protocol == PROBE_TCP)
		describe_tcp(args, &config);
	unsigned usual = (args->address.family == 4 ? 20 : 40) + SIZE_BEYOND_IP;
	config.size = (uint16_t)MAX((unsigned)engine_size_min(&config), args->size ? args->size : usual);
	if (args->protocol == PROBE_TCP)
		config.size = engine_size_min(&config); /* a SYN carries nothing */
	return config;
}

static struct classic_config plan(const struct traceroute_args *args, const struct engine_config *engine,
	const struct persona_session *session)
{
	struct classic_config config = {
		.engine = *engine,
		.first_ttl = args->first_ttl,
		.max_ttl = args->max_ttl,
		.per_hop = args->per_hop,
		.window = args->window,
		.wait_max_ns = (int64_t)(args->wait_max_s * (double)NS_PER_S),
		.wait_here = args->wait_here,
		.wait_near = args->wait_near,
		.gap_ns = (int64_t)(args->gap_s * (double)NS_PER_S),
		.port_grows = args->protocol == PROBE_UDP && !args->constant_port,
		.find_mtu = args->find_mtu,
		.link_mtu = session->link_mtu,
	};
	config.engine.source = session->source;
	config.engine.flow.source_port = session->source_port;
	unsigned headers = args->address.family == 4 ? 40 : 60;
	config.engine.tcp_options.mss = args->tcp_mss ? (uint16_t)args->tcp_mss
		: session->link_mtu > headers
		? (uint16_t)MIN(session->link_mtu - headers, UINT16_MAX - headers)
		: TCP_MSS_LEAST;
	if (args->find_mtu)
		config.engine.size = OUTGOING_SIZE_MAX;
	return config;
}

/* ---- running ---- */

/* The model ends the line of its header before it complains. */
static int cannot(const char *what, int code)
{
	fflush(stdout);
	fprintf(stderr, "\n%s: %s\n", what, strerror(code < 0 ? -code : code));
	return CANNOT_MEASURE;
}

static int explain(enum persona_step step, const struct traceroute_args *args, const struct error *error)
{
	if (step == PERSONA_ROUTE)
		return cannot(addr_is_set(args->source) ? "bind" : "connect", error->code);
	if (step == PERSONA_INTERFACE)
		return cannot(args->interface ? "setsockopt SO_BINDTODEVICE" : "setsockopt", error->code);
	if (error->code == -EPERM || error->code == -EACCES)
		fputs("\nYou do not have enough privileges to use this traceroute method.", stderr);
	return cannot("socket", error->code);
}

static int run(const struct traceroute_args *args, struct persona_session *session,
	const struct engine_config *engine)
{
	struct display display = {
		.args = args,
		.style = {args->numeric, args->origins, args->extensions, args->backwards, args->tcp_info},
	};
	struct classic_config config = plan(args, engine, session);
	struct classic *classic = malloc(sizeof(*classic));
	struct error error = {0};
	if (!classic)
		return cannot("malloc", ENOMEM);
	classic_init(classic, &config, tell, &display);
	int result = persona_run(session, classic_machine(classic), &error);
	if (result == 0)
		result = classic->send_error;
	classic_deinit(classic);
	free(classic);
	if (result < 0)
		return cannot("send", result);
	layout_traceroute_end(stdout);
	return session->signal ? 128 + session->signal : 0;
}

static int trace(struct traceroute_args *args)
{
	struct persona_session session;
	struct error error = {0};
	struct engine_config engine = describe(args);
	layout_traceroute_header(
		stdout, args->host, args->address, args->max_ttl, args->find_mtu ? MTU_START : engine.size);
	fflush(stdout);
	struct persona_request request = {
		.protocol = args->protocol,
		.destination = args->address,
		.source = args->source,
		.source_port = (uint16_t)args->source_port,
		.interface = args->interface,
		.mark = args->mark,
		.icmp_id = engine.flow.icmp_id,
		.dont_fragment = args->dont_fragment,
		.bypass_routing = args->bypass_routing,
		.debug = args->debug,
	};
	enum persona_step step = persona_open(&session, &request, &error);
	int status = step == PERSONA_READY ? run(args, &session, &engine) : explain(step, args, &error);
	persona_close(&session);
	return status;
}

int cli_traceroute(int argc, char **argv)
{
	struct traceroute_args args = defaults();
	int status = traceroute_args_parse(&args, argc, argv);
	return status < 0 ? trace(&args) : status;
}

int cli_traceroute6(int argc, char **argv)
{
	struct traceroute_args args = defaults();
	args.family = 6;
	int status = traceroute_args_parse(&args, argc, argv);
	return status < 0 ? trace(&args) : status;
}
