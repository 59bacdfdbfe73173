#include "cli/session.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "net/privilege.h"
#include "net/route.h"
#include "reverse/climb.h"

#define UDP_PORT 33434
#define DNS_PORT 53
#define WEB_PORT 80
#define TLS_PORT 443

static const unsigned all_protocols =
	CHANNEL_PROTOCOL(PROBE_UDP) | CHANNEL_PROTOCOL(PROBE_ICMP) | CHANNEL_PROTOCOL(PROBE_TCP);

void session_init(struct session *session, const struct options *options)
{
	*session = (struct session){
		.options = options,
		.wishes = {.interface = options->interface,
			.mark = options->mark,
			.broadcast = options->broadcast},
		.port_fds = {-1, -1},
		.channel = {.fds = CHANNEL_NO_FDS},
	};
}

static void free_ports(struct session *session)
{
	for (int i = 0; i < 2; i++) {
		if (session->port_fds[i] >= 0)
			close(session->port_fds[i]);
		session->port_fds[i] = -1;
	}
}

void session_deinit(struct session *session)
{
	channel_close(&session->channel);
	free_ports(session);
}

/* ---- addresses ---- */

static int check_target(const struct session *session, const char *host, struct error *error)
{
	if (!addr_is_set(session->target) || (session->target.low == 0 && session->target.high == 0))
		return error_set(error, -EINVAL, "%s is not the address of a host", host);
	if (!addr_is_unicast(session->target) && !session->options->broadcast)
		return error_set(error, -EINVAL,
			"%s is not the address of one host; --broadcast probes it all the same", host);
	return 0;
}

/* SCHEME://[USER@]HOST[:PORT][/...]: HOST without the brackets of an IPv6 address. */
static int take_url(struct session *session, const char *url, struct error *error)
{
	const char *host = strstr(url, "://") + 3;
	size_t authority = strcspn(host, "/?#");
	const char *user = memchr(host, '@', authority);
	if (user) {
		authority -= (size_t)(user + 1 - host);
		host = user + 1;
	}
	bool bracket = authority > 0 && *host == '[';
	size_t length = bracket ? strcspn(++host, "]/?#") : MIN(strcspn(host, ":"), authority);
	if (length == 0 || length >= sizeof(session->host_of_url) || (bracket && host[length] != ']'))
		return error_set(error, -EINVAL, "no host in the URL '%.200s'", url);
	memcpy(session->host_of_url, host, length);
	session->host_of_url[length] = '\0';
	session->host = session->host_of_url;
	session->url = url;
	return 0;
}

int session_find(struct session *session, const char *host, struct error *error)
{
	session->host = host;
	if (strstr(host, "://") && take_url(session, host, error) < 0)
		return error ? error->code : -EINVAL;
	host = session->host;
	struct route_target found;
	char address[ADDR_TEXT_SIZE];
	uint8_t family = session->options->family, useful = family;
	if (!family && !addr_parse(host, &session->target))
		useful = climb_family(session->options->methods); /* of those that a name may have */
	int result = route_look_up(host, useful, &found, error);
	if (result == -EADDRNOTAVAIL && useful != family)
		result = route_look_up(host, family, &found, error);
	if (result < 0)
		return result;
	session->target = found.addr;
	result = check_target(session, host, error);
	if (result < 0)
		return result;
	snprintf(session->interface, sizeof(session->interface), "%s", found.interface);
	if (found.interface[0] && session->options->interface &&
		strcmp(found.interface, session->options->interface) != 0)
		return error_set(error, -EINVAL, "the target is on %s, but -i says %s", found.interface,
			session->options->interface);
	if (found.interface[0])
		session->wishes.interface = session->interface;
	if (found.count > 1 && !session->options->targets)
		fprintf(stderr, "retour: %s has %u addresses of this family; this is about %s\n", host,
			found.count, addr_format(found.addr, address));
	return route_source(
		session->target, session->options->source, &session->wishes, &session->source, error);
}

/* ---- the flow ---- */

static uint16_t port_of(const struct options *options, enum probe_protocol protocol)
{
	return options->destination_port ? options->destination_port
		: protocol == PROBE_TCP	 ? WEB_PORT
		: options->dns		 ? DNS_PORT
					 : UDP_PORT;
}

static int choose_flow(struct session *session, struct hash_key key, struct error *error)
{
	const struct options *options = session->options;
	struct rng rng = rng_seed(key.k1);
	struct flow *flow = &session->flow;
	flow->flow_label = options->flow_label != OPTION_NOT_GIVEN ? options->flow_label
								   : (uint32_t)rng_below(&rng, 0xfffff) + 1;
	flow->icmp_id = (uint16_t)(rng_below(&rng, 0xfffe) + 1);
	flow->icmp_checksum = (uint16_t)(rng_below(&rng, 0xfffe) + 1);
	flow->destination_port = port_of(options, options->protocol);
	flow->source_port = options->source_port;
	if (options->protocol == PROBE_ICMP || options->protocol == PROBE_IP)
		return 0;
	return route_reserve(session->source, &session->wishes, session->port_fds, &flow->source_port, error);
}

/* What the flow of that protocol is made of, and no more. */
static struct flow flow_of(
	const struct session *session, enum probe_protocol protocol, uint16_t port, uint8_t family)
{
	const struct flow *flow = &session->flow;
	/* Without raw sockets the kernel chooses flow labels, and the source ports of TCP. */
	struct flow of = {.flow_label = family == 6 && session->raw ? flow->flow_label : 0};
	if (protocol == PROBE_ICMP) {
		of.icmp_id = flow->icmp_id;
		of.icmp_checksum = flow->icmp_checksum;
	} else if (protocol != PROBE_IP) {
		of.source_port = protocol == PROBE_TCP && !session->raw ? 0 : flow->source_port;
		of.destination_port = port;
	}
	return of;
}

/* ---- sockets ---- */

static const char *protocol_name(enum probe_protocol protocol)
{
	static const char *const names[] = {"ICMP", "UDP", "TCP", "UDP-Lite", "bare IP"};
	return names[protocol];
}

/* One line about what is given up. */
static void say_what_is_lost(const struct session *session)
{
	bool automatic = session->options->automatic;
	bool echo = session->channel.protocols & CHANNEL_PROTOCOL(PROBE_ICMP);
	fprintf(stderr, "retour: no cap_net_raw: %s probes through ordinary sockets; quoted headers, ",
		protocol_name(session->options->protocol));
	if (session->options->protocol == PROBE_TCP)
		fputs("one source port for all, ", stderr);
	else if (session->options->protocol != PROBE_ICMP)
		fputs("routers that quote 8 bytes, ", stderr);
	fprintf(stderr, "%sand ways back by packets of our own stay unseen\n",
		automatic && !echo ? "ICMP (see net.ipv4.ping_group_range) " : "");
}

static int open_unprivileged(struct session *session, const struct channel_options *wanted,
	const char *needs_raw, struct error *error)
{
	enum probe_protocol protocol = session->options->protocol;
	if (needs_raw)
		return error_set(error, -EPERM,
			"%s the cap_net_raw capability: run as root, or see `setcap` in retour(1)",
			needs_raw);
	if (session->options->flow_label != OPTION_NOT_GIVEN)
		return error_set(error, -EPERM, "--flow-label needs the cap_net_raw capability: run as root");
	if (session->options->source_port && protocol == PROBE_TCP)
		return error_set(
			error, -EPERM, "--sport of TCP probes needs the cap_net_raw capability: run as root");
	free_ports(session); /* the channel's own sockets take the port over */
	int result = channel_open_unprivileged(&session->channel, wanted, error);
	if (result == 0 && !(session->channel.protocols & CHANNEL_PROTOCOL(protocol)))
		result = -EPERM;
	if (result < 0 && (protocol == PROBE_ICMP || protocol == PROBE_IP || protocol == PROBE_UDPLITE))
		return error_set(error, -EPERM,
			"%s probes need the cap_net_raw capability%s: run as root, or probe with UDP",
			protocol_name(protocol),
			protocol == PROBE_ICMP ? ", or net.ipv4.ping_group_range" : "");
	if (result == 0 && !session->options->plain_will_do)
		say_what_is_lost(session);
	return result;
}

int session_open_one(struct session *session, struct hash_key key, const char *needs_raw, struct error *error)
{
	const struct options *options = session->options;
	int result = choose_flow(session, key, error);
	if (result < 0)
		return result;
	struct channel_options wanted = {
		.family = session->source.family,
		.protocols = options->automatic ? all_protocols : CHANNEL_PROTOCOL(options->protocol),
		.source = session->source,
		.source_port = session->flow.source_port,
		.port_count = options->multipath > 0 ? SESSION_PORTS : 1,
		.icmp_id = session->flow.icmp_id,
		.wishes = session->wishes,
	};
	result = channel_open_raw(&session->channel, &wanted, error);
	session->raw = result == 0;
	/* An interface or a mark may be refused as well; then it is that which is to be said. */
	if ((result == -EPERM || result == -EACCES) && !(options->mark && geteuid() == 0))
		result = open_unprivileged(session, &wanted, needs_raw, error);
	return result;
}

int session_open(struct session *session, struct hash_key key, const char *needs_raw, struct error *error)
{
	int result = session_open_one(session, key, needs_raw, error);
	return result < 0 ? result : privilege_drop(error);
}

void session_say_drops(const struct session *session)
{
	uint32_t drops = channel_drops(&session->channel);
	if (drops > 0)
		fprintf(stderr,
			"retour: this host dropped %u answers for want of room in its own buffers; they "
			"count as "
			"unanswered\n",
			drops);
}

/* ---- the trace ---- */

static void set_timing(const struct options *options, struct trace_config *config)
{
	config->wait_max_ns = (int64_t)(options->wait_max_s * (double)NS_PER_S);
	config->wait_here = options->wait_here;
	config->wait_near = options->wait_near;
	config->pause_ns = (int64_t)(options->pause_s * (double)NS_PER_S);
	config->simultaneous = options->simultaneous;
}

/* What is an extension header in IPv6 (RFC 7045 4) carries no probe. */
static int check_protocol(const struct trace_config *config, struct error *error)
{
	static const uint8_t headers[] = {PROTOCOL_HOP_BY_HOP, PROTOCOL_ROUTING, PROTOCOL_FRAGMENT,
		PROTOCOL_NO_NEXT, PROTOCOL_DESTINATION_OPTIONS};
	for (size_t i = 0; i < sizeof(headers); i++)
		if (config->protocol == PROBE_IP && config->destination.family == 6 &&
			config->ip_protocol == headers[i])
			return error_set(error, -ERANGE,
				"protocol %u is an extension header of IPv6, no probe can be "
				"made of it",
				headers[i]);
	return 0;
}

static int check_size(const struct trace_config *config, struct error *error)
{
	struct engine_config engine = {
		.protocol = config->protocol, .destination = config->destination, .dns = config->dns};
	uint16_t least = engine_size_min(&engine);
	if (config->size == 0 || config->size >= least)
		return 0;
	return error_set(error, -ERANGE, "packets of %u bytes are too small: these probes have %u or more",
		config->size, least);
}

int session_plan(const struct session *session, struct addr source, struct addr target, struct hash_key key,
	struct trace_config *config, struct automatic_other *others, unsigned *other_count,
	struct error *error)
{
	static const struct {
		enum probe_protocol protocol;
		uint16_t port;
	} order[AUTOMATIC_OTHERS_MAX] = {{PROBE_ICMP, 0}, {PROBE_TCP, TLS_PORT}, {PROBE_TCP, WEB_PORT}};
	const struct options *options = session->options;
	*config = trace_defaults();
	config->protocol = options->protocol;
	config->ip_protocol = options->ip_protocol;
	config->dns = options->dns;
	config->classic_port = options->classic_port;
	config->source = source;
	config->destination = target;
	config->flow = flow_of(session, options->protocol, session->flow.destination_port, target.family);
	config->tos = (uint8_t)options->tos;
	config->size = (uint16_t)options->size;
	config->dont_fragment = options->dont_fragment;
	config->first_ttl = options->first_ttl;
	config->max_ttl = options->max_ttl;
	config->probes_per_hop = options->probes_per_hop;
	config->gap_limit = options->gap_limit;
	config->key = key;
	set_timing(options, config);
	*other_count = 0;
	for (unsigned i = 0; options->automatic && i < AUTOMATIC_OTHERS_MAX; i++)
		if (session->channel.protocols & CHANNEL_PROTOCOL(order[i].protocol))
			others[(*other_count)++] = (struct automatic_other){
				.protocol = order[i].protocol,
				.flow = flow_of(session, order[i].protocol, order[i].port, target.family),
			};
	int result = check_protocol(config, error);
	return result < 0 ? result : check_size(config, error);
}
