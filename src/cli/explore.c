#include "cli/explore.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "insight/insight.h"
#include "net/route.h"

#define FLOWS_MIN 24 /* enough for four branches at 95 % */
#define SPARE_FDS 64 /* that the rest of the program may need */

const char *explore_needs_raw(const struct options *options)
{
	return options->multipath > 0 ? "--multipath needs" : options->mtu ? "--mtu needs" : NULL;
}

/* How many sockets may be held only to reserve ports. */
static unsigned ports_allowed(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return FLOWS_MIN;
	if (limit.rlim_cur < 3 * MULTIPATH_FLOWS_MAX && limit.rlim_max > limit.rlim_cur) {
		limit.rlim_cur = MIN(limit.rlim_max, (rlim_t)(3 * MULTIPATH_FLOWS_MAX));
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur <= SPARE_FDS)
		return 1;
	return (unsigned)MIN(limit.rlim_cur - SPARE_FDS, (rlim_t)MULTIPATH_FLOWS_MAX);
}

/* A source port for each flow, bound as long as the measurement lasts, so that no other program's traffic is
 * on it; of those whose answers the session reads. */
static unsigned reserve_ports(struct explore *explore, const struct session *session, struct flow *flows)
{
	unsigned allowed = ports_allowed(), count = 1;
	unsigned last = MIN((unsigned)UINT16_MAX, flows[0].source_port + SESSION_PORTS - 1u);
	bool tcp = session->options->protocol == PROBE_TCP;
	for (unsigned port = flows[0].source_port + 1u; port <= last && count < allowed; port++) {
		struct error ignored = {0};
		int fds[2] = {-1, -1};
		flows[count] = flows[0];
		flows[count].source_port = (uint16_t)port;
		if (route_reserve(
			    session->source, &session->wishes, fds, &flows[count].source_port, &ignored) < 0)
			continue;
		count++;
		explore->port_fds[explore->port_count++] = fds[tcp];
		if (fds[!tcp] >= 0)
			close(fds[!tcp]);
	}
	return count;
}

/* Balancers look at ports, of ICMP at the checksum. */
static unsigned make_flows(struct explore *explore, const struct session *session, struct flow *flows)
{
	if (session->options->protocol != PROBE_ICMP)
		return reserve_ports(explore, session, flows);
	for (unsigned i = 1; i < MULTIPATH_FLOWS_MAX; i++) {
		flows[i] = flows[0];
		/* Neither 0 nor 0xffff, and each once: steps of 41 do not meet in 256. */
		flows[i].icmp_checksum = (uint16_t)((flows[0].icmp_checksum + 41 * i) % 0xfffe + 1);
	}
	return MULTIPATH_FLOWS_MAX;
}

static struct engine_config engine_of(const struct trace_config *trace)
{
	return (struct engine_config){
		.protocol = trace->protocol,
		.source = trace->source,
		.destination = trace->destination,
		.flow = trace->flow,
		.tos = trace->tos,
		.dns = trace->dns,
		.size = trace->size,
		.dont_fragment = trace->dont_fragment,
		.key = trace->key,
	};
}

int explore_add(struct explore *explore, const struct session *session, struct driver *driver,
	struct hash_key key, struct error *error)
{
	struct trace_config trace;
	struct automatic_other others[AUTOMATIC_OTHERS_MAX];
	struct flow flows[MULTIPATH_FLOWS_MAX];
	unsigned other_count;
	int result = session_plan(
		session, session->source, session->target, key, &trace, others, &other_count, error);
	if (result < 0)
		return result;
	flows[0] = trace.flow;
	struct multipath_config config = {
		.probe = engine_of(&trace),
		.flows = flows,
		.flow_count = make_flows(explore, session, flows),
		.first_ttl = trace.first_ttl,
		.max_ttl = trace.max_ttl,
		.gap_limit = trace.gap_limit,
		.confidence = session->options->multipath,
	};
	if (config.flow_count < FLOWS_MIN)
		return error_set(error, -EMFILE,
			"--multipath needs %d source ports, and only %u were to be had", FLOWS_MIN,
			config.flow_count);
	explore->multipath = multipath_new(&config);
	if (!explore->multipath)
		return error_set(error, -ENOMEM, "out of memory");
	return driver_add(driver, multipath_machine(explore->multipath));
}

static void fill_answers(struct mtu_config *config, const struct path *path)
{
	for (size_t i = 0; i < path->hop_count; i++) {
		const struct hop *hop = &path->hops[i];
		if (hop->ttl < 1 || hop->ttl > UINT8_MAX || hop->received == 0)
			continue;
		config->answers[hop->ttl] = true;
		config->end_ttl = (unsigned)hop->ttl;
		if (hop->rtt_max_ns != RTT_NONE)
			config->rtt_ns = MAX(config->rtt_ns, hop->rtt_max_ns);
	}
}

int explore_go_on(struct explore *explore, const struct session *session, struct driver *driver,
	struct hash_key key, const struct path *path)
{
	struct mtu_config config = {
		.probe =
			{
				.protocol = PROBE_UDP,
				.source = path->source,
				.destination = path->destination,
				.flow = path->flow,
				.tos = (uint8_t)session->options->tos,
				/* Another key: its probes and those of the trace are told apart. */
				.key = {~key.k0, key.k1},
			},
		.rtt_ns = RTT_NONE,
	};
	if (!explore->mtu_wanted || explore->mtu)
		return 0;
	/* Of protocols without ports, the ports that the session holds. */
	if (path->flow.source_port == 0) {
		config.probe.flow.source_port = session->flow.source_port;
		config.probe.flow.destination_port = session->flow.destination_port;
	}
	fill_answers(&config, path);
	explore->mtu = malloc(sizeof(*explore->mtu));
	if (!explore->mtu)
		return -ENOMEM;
	mtu_init(explore->mtu, &config);
	return driver_add(driver, mtu_machine(explore->mtu));
}

static struct flow flow_of(const struct path *path, const struct edge *edge)
{
	struct flow flow = path->flow;
	if (edge->source_port)
		flow.source_port = edge->source_port;
	if (edge->icmp_checksum)
		flow.icmp_checksum = edge->icmp_checksum;
	return flow;
}

/* The hop limits at which one router answers the flows of both ways, or else the last at which somebody does.
 */
static void fill_ttls(struct branch_config *config, const struct path *path, int parting)
{
	uint8_t last = 0;
	for (size_t i = 0; i < path->hop_count; i++) {
		const struct hop *hop = &path->hops[i];
		if (hop->ttl <= parting || hop->received == 0 || hop->incomplete)
			continue;
		last = (uint8_t)hop->ttl;
		if (hop->address_count == 1 && config->ttl_count < BRANCH_TTLS_MAX)
			config->ttls[config->ttl_count++] = (uint8_t)hop->ttl;
		if (hop->rtt_max_ns != RTT_NONE)
			config->rtt_ns = MAX(config->rtt_ns, hop->rtt_max_ns);
	}
	if (config->ttl_count == 0 && last > 0)
		config->ttls[config->ttl_count++] = last;
}

int explore_ask_again(struct explore *explore, struct driver *driver, struct hash_key key, uint8_t tos,
	const struct path *path)
{
	const struct edge *bad, *other;
	explore->ways_known = true;
	if (!insight_suspect(path, &bad, &other))
		return 0;
	struct branch_config config = {
		.probe =
			{
				.protocol = path->protocol,
				.source = path->source,
				.destination = path->destination,
				.flow = path->flow,
				.tos = tos,
				.key = {key.k0, ~key.k1}, /* told apart from the probes before */
			},
		.flows = {flow_of(path, bad), flow_of(path, other)},
		.rtt_ns = RTT_NONE,
	};
	fill_ttls(&config, path, bad->ttl);
	if (config.ttl_count == 0)
		return 0;
	explore->suspect = *bad;
	explore->branch = malloc(sizeof(*explore->branch));
	if (!explore->branch)
		return -ENOMEM;
	branch_init(explore->branch, &config);
	return driver_add(driver, branch_machine(explore->branch));
}

static void tell_branch(const struct explore *explore, struct path *path)
{
	for (size_t i = 0; explore->branch && i < path->edge_count; i++) {
		struct edge *edge = &path->edges[i];
		if (edge->ttl == explore->suspect.ttl && addr_equal(edge->from, explore->suspect.from) &&
			addr_equal(edge->to, explore->suspect.to))
			edge->test = branch_result(explore->branch);
	}
}

int explore_tell(const struct explore *explore, struct path *path)
{
	tell_branch(explore, path);
	return explore->mtu ? mtu_tell(explore->mtu, path) : 0;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);
	if (getsockname(fd, (struct sockaddr *)&address, &length) != 0)
		return 0;
	return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
						   : ((struct sockaddr_in *)&address)->sin_port);
}

void explore_keep_ports(struct explore *explore, const struct flow *flows, unsigned count, int *fds)
{
	for (unsigned i = 0; i < count; i++) {
		fds[i] = -1;
		for (unsigned j = 0; j < explore->port_count && flows[i].source_port != 0 && fds[i] < 0; j++)
			if (port_of(explore->port_fds[j]) == flows[i].source_port) {
				fds[i] = explore->port_fds[j];
				explore->port_fds[j] = explore->port_fds[--explore->port_count];
			}
	}
}

void explore_deinit(struct explore *explore)
{
	for (unsigned i = 0; i < explore->port_count; i++)
		close(explore->port_fds[i]);
	multipath_free(explore->multipath);
	if (explore->mtu)
		mtu_deinit(explore->mtu);
	free(explore->mtu);
	if (explore->branch)
		branch_deinit(explore->branch);
	free(explore->branch);
	*explore = (struct explore){0};
}
