#include "serve/vantage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "bus/bus.h"
#include "net/driver.h"
#include "net/route.h"
#include "revtr/broker.h"
#include "revtr/link.h"
#include "revtr/selftest.h"
#include "serve/local.h"
#include "serve/vantage_ledger.h"

struct vantage_point {
	const struct vantage_options *options;
	struct channel channel;
	struct driver driver;
	bool has_channel, has_driver, connected;
	struct agent *agent;
	struct selftest selftest;
	struct bus *bus;
	struct agent_link *link;
	struct addr own;
	char *will;
	char state[240]; /* of the connection */
	struct bus_trial trial;
	char of_broker[170], of_itself[160]; /* what is wrong with either; "" = nothing */
};

static void on_presence(void *context, bool connected, const char *why)
{
	struct vantage_point *vantage = context;
	const struct vantage_options *options = vantage->options;
	bool came = connected && !vantage->connected;
	vantage->connected = connected;
	snprintf(vantage->state, sizeof(vantage->state), "%s %s %s%s%s",
		connected ? "connected to" : "not connected to",
		options->broker[0] == '/' ? "the coordinator at" : "broker", options->broker, why ? ": " : "",
		why ? why : "");
	if (options->note)
		options->note(vantage->state);
	if (came && vantage->link)
		agent_link_online(vantage->link);
}

static void wake(void *context)
{
	struct vantage_point *vantage = context;
	driver_wake(&vantage->driver);
}

/* ---- this host */

static bool has_address(const struct addr *addresses, size_t count, struct addr address)
{
	for (size_t i = 0; i < count; i++)
		if (addr_equal(addresses[i], address))
			return true;
	return false;
}

static int check_sources(const struct vantage_options *options, struct error *error)
{
	struct addr *addresses = NULL;
	size_t count;
	char text[ADDR_TEXT_SIZE];
	int code = local_addresses(&addresses, &count);
	if (code < 0)
		return error_set(error, code, "cannot read this host's addresses: %s", strerror(-code));
	for (size_t i = 0; i < options->source_count && code == 0; i++) {
		struct addr source = options->sources[i];
		if (!has_address(addresses, count, source))
			code = error_set(error, -EADDRNOTAVAIL, "agent: source %s is no address of this host",
				addr_format(source, text));
		else if (source.family != 4 || addr_is_private(source))
			code = error_set(error, -EINVAL,
				"agent: source %s is no public IPv4 address: Record Route cannot be answered "
				"to it from elsewhere",
				addr_format(source, text));
	}
	free(addresses);
	return code;
}

/* From where tasks are done: a source, or whatever address faces the broker or the rest of the world. */
static int find_own(struct vantage_point *vantage, struct error *error)
{
	const struct vantage_options *options = vantage->options;
	struct addr towards =
		addr_v4(0xc0000201); /* RFC 5737; nothing is sent there: the way to it is the default route */
	if (options->source_count > 0) {
		vantage->own = options->sources[0];
		return 0;
	}
	int code = route_source(towards, ADDR_NONE, NULL, &vantage->own, error);
	return code == 0
		? 0
		: error_set(error, code,
			  "agent: no IPv4 route to the rest of the world: name the address in sources");
}

/* ---- life */

static int open_driver(struct vantage_point *vantage, uv_loop_t *loop, struct error *error)
{
	struct channel_options options = {.family = 4, .source = vantage->own, .hears_requests = true};
	int code = channel_open_raw(&vantage->channel, &options, error);
	if (code < 0)
		return code;
	vantage->has_channel = true;
	code = driver_attach(&vantage->driver, loop, &vantage->channel, error);
	if (code < 0)
		return code;
	vantage->has_driver = true;
	code = driver_add(&vantage->driver, agent_machine(vantage->agent));
	return code < 0 ? error_set(error, code, "out of memory") : 0;
}

static void tell_trouble(struct vantage_point *vantage, enum agent_can sends_options)
{
	struct agent_status status = agent_link_status(vantage->link);
	status.sends_options = sends_options;
	snprintf(status.trouble, sizeof(status.trouble), "%s%s%s", vantage->of_broker,
		vantage->of_broker[0] && vantage->of_itself[0] ? "; " : "", vantage->of_itself);
	agent_link_set_status(vantage->link, &status);
}

/* Its owner reads it here, the broker's in what the coordinator tells. */
static void on_trial(void *context, bool may_say, bool may_hear)
{
	struct vantage_point *vantage = context;
	const struct vantage_options *options = vantage->options;
	static const char say[] = "speak in each other's names", hear[] = "read what is for others";
	char text[sizeof(vantage->of_broker)] = "";
	if (may_say || may_hear)
		snprintf(text, sizeof(text),
			"WARNING: the broker lets agents %s%s%s: it needs `acl_file` and the rest of what "
			"`retour revtr broker` prints",
			may_say ? say : "", may_say && may_hear ? " and " : "", may_hear ? hear : "");
	if (!vantage->link || strcmp(text, vantage->of_broker) == 0)
		return;
	memcpy(vantage->of_broker, text, sizeof(text));
	if (options->note && *text)
		options->note(text);
	tell_trouble(vantage, agent_link_status(vantage->link).sends_options);
}

static int connect_broker(struct vantage_point *vantage, uv_loop_t *loop, struct error *error)
{
	const struct vantage_options *options = vantage->options;
	char topic[TOPIC_SIZE];
	if (!(vantage->will = agent_link_will()))
		return error_set(error, -ENOMEM, "out of memory");
	if (options->broker[0] == '/') {
		vantage->bus = bus_new_socket(loop,
			&(struct bus_socket_options){.path = options->broker,
				.name = options->name,
				.will_topic = topic_of(topic, options->name, "status"),
				.will_payload = vantage->will,
				.presence = on_presence,
				.context = vantage},
			error);
		return vantage->bus ? 0 : error->code;
	}
	struct bus_mqtt_options mqtt = {.host = options->broker,
		.port = options->port,
		.name = options->name,
		.ca_file = options->ca,
		.certificate_file = options->certificate,
		.key_file = options->key,
		.insecure = options->insecure,
		.will_topic = topic_of(topic, options->name, "status"),
		.will_payload = vantage->will,
		.trial = &vantage->trial,
		.presence = on_presence,
		.context = vantage};
	vantage->trial = (struct bus_trial){BROKER_FROM_NOBODY, BROKER_FOR_NOBODY, on_trial, vantage};
	vantage->bus = bus_new_mqtt(loop, &mqtt, error);
	return vantage->bus ? 0 : error->code ? error->code : -EINVAL;
}

static int link_up(struct vantage_point *vantage, uv_loop_t *loop, struct error *error)
{
	const struct vantage_options *options = vantage->options;
	struct agent_link_options link = {.name = options->name,
		.agent = vantage->agent,
		.status = {.online = true,
			.may_spoof = options->rules.spoof,
			.address = vantage->own,
			.source_count = options->source_count},
		.wake = wake,
		.context = vantage};
	memcpy(link.status.sources, options->sources, sizeof(link.status.sources));
	vantage->link = agent_link_new(loop, options->bus ? options->bus : vantage->bus, &link);
	return vantage->link ? 0 : error_set(error, -ENOMEM, "out of memory");
}

/* ---- what it finds out about itself */

static void on_tested(void *context, unsigned machine)
{
	struct vantage_point *vantage = context;
	const struct vantage_options *options = vantage->options;
	(void)machine; /* the agent itself is never done */
	if (!vantage->link)
		return;
	enum agent_can can =
		selftest_result(&vantage->selftest, vantage->of_itself, sizeof(vantage->of_itself));
	if (options->note)
		options->note(vantage->of_itself[0] ? vantage->of_itself
						    : "packets with options leave and come back");
	tell_trouble(vantage, can);
}

static int start_selftest(struct vantage_point *vantage, struct error *error)
{
	const struct vantage_options *options = vantage->options;
	struct addr target;
	char text[ADDR_TEXT_SIZE];
	if (addr_is_private(vantage->own)) {
		snprintf(vantage->of_itself, sizeof(vantage->of_itself),
			"behind a NAT: %s is private, so nobody can be answered here in a source's name",
			addr_format(vantage->own, text));
		if (options->note)
			options->note(vantage->of_itself);
		tell_trouble(vantage, AGENT_CAN_UNKNOWN);
		return 0;
	}
	if (options->bus || options->broker[0] == '/' ||
		route_resolve(options->broker, 4, &target, NULL) < 0 || addr_is_loopback(target))
		return 0; /* there is nobody to ask */
	selftest_init(&vantage->selftest, vantage->own, target, (uint16_t)hash_key_random().k0);
	driver_set_done(&vantage->driver, on_tested, vantage);
	int code = driver_add(&vantage->driver, selftest_machine(&vantage->selftest));
	return code < 0 ? error_set(error, code, "out of memory") : 0;
}

int vantage_start(struct vantage_point **result, struct uv_loop_s *loop,
	const struct vantage_options *options, struct error *error)
{
	*result = NULL;
	if (!options->name)
		return 0;
	struct vantage_point *vantage = calloc(1, sizeof(*vantage));
	if (!vantage)
		return error_set(error, -ENOMEM, "out of memory");
	*result = vantage;
	vantage->options = options;
	int code = check_sources(options, error);
	if (code == 0)
		code = find_own(vantage, error);
	if (code < 0)
		return code;
	vantage->agent =
		agent_new(&options->rules, vantage->own, NULL, options->sources, options->source_count);
	if (!vantage->agent)
		return error_set(error, -ENOMEM, "out of memory");
	code = open_driver(vantage, loop, error);
	if (code == 0 && !options->bus)
		code = connect_broker(vantage, loop, error);
	if (code == 0)
		code = link_up(vantage, loop, error);
	return code < 0 ? code : start_selftest(vantage, error);
}

void vantage_needs(const struct vantage_point *vantage, struct sandbox_needs *needs)
{
	needs->agent = vantage != NULL;
}

void vantage_print(const struct vantage_point *vantage, FILE *out)
{
	if (!vantage)
		return;
	struct agent_counters c = agent_counters(vantage->agent);
	struct agent_link_counters link = agent_link_counters(vantage->link);
	const struct agent_status status = agent_link_status(vantage->link);
	const char *trouble = status.trouble,
		   *state = vantage->bus ? "connecting" : "in the coordinator's process";
	fprintf(out,
		"retour serve: agent %s, %s: %" PRIu64 " tasks, %" PRIu64 " refused (%" PRIu64
		" over the day's budget), %" PRIu64 " packets sent (%" PRIu64 " in a source's name), %" PRIu64
		" traceroutes, %" PRIu64 " answers, %" PRIu64 " forged or foreign, %" PRIu64
		" challenges; %zu of %zu sources registered; %" PRIu64 " sends failed%s%s; %" PRIu64
		" messages were none, %" PRIu64 " answers not told%s%s\n",
		vantage->options->name, vantage->state[0] ? vantage->state : state, c.orders, c.refused,
		c.over_budget, c.sent, c.spoofed, c.traces, c.answers, c.foreign, c.challenges, link.keys,
		vantage->options->source_count, c.send_failed, c.send_error ? ", last: " : "",
		c.send_error ? strerror(-c.send_error) : "", link.bad, link.unsaid, trouble[0] ? "; " : "",
		trouble);
	vantage_ledger_print(vantage->agent, vantage->options->name, &vantage->options->rules, out);
}

void vantage_stop(struct vantage_point *vantage)
{
	if (!vantage)
		return;
	agent_link_free(vantage->link);
	vantage->link = NULL;
	bus_free(vantage->bus, NULL, NULL);
	vantage->bus = NULL;
}

void vantage_free(struct vantage_point *vantage)
{
	if (!vantage)
		return;
	if (vantage->has_driver)
		driver_deinit(&vantage->driver);
	if (vantage->has_channel)
		channel_close(&vantage->channel);
	agent_free(vantage->agent);
	free(vantage->will);
	free(vantage);
}
