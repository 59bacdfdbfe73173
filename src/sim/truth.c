#include "sim/truth.h"

#include <errno.h>

#include "sim/core.h"

/* One search through the world; ways that part are followed one after the other. */
struct walk {
	struct sim *sim;
	const struct peek *peek; /* NULL: any flow */
	struct addr source, destination;
	struct truth *found;
	unsigned count, capacity;
	struct truth path; /* so far */
	bool faults;	   /* count */
};

struct position {
	uint32_t interface; /* arrived by */
	uint32_t tunnel;
	unsigned tunnel_at;
	uint32_t detour;
	int ttl; /* of the last hop that counted */
	int64_t delay_ns;
};

const char *truth_end_word(enum truth_end end)
{
	static const char *const words[] = {"reached", "dropped", "refused", "loop"};
	return words[end];
}

const char *truth_hidden_word(enum truth_hidden hidden)
{
	static const char *const words[] = {NULL, "silent", "mpls", "rate-limited", "tunnel"};
	return words[hidden];
}

static void finish(struct walk *walk, enum truth_end end)
{
	walk->path.end = end;
	if (walk->count < walk->capacity)
		walk->found[walk->count++] = walk->path;
}

static void visit(struct walk *walk, struct position at);

/* False: the link is down. */
static bool faults_pass(const struct sim *sim, uint32_t out, int64_t *delay_ns)
{
	if (sim->link_by_hand[out / 2] != LINK_UP)
		return false;
	for (unsigned i = 0; i < sim->world->fault_count && sim->link_faulty[out / 2]; i++) {
		const struct world_fault *fault = &sim->world->faults[i];
		if (fault->link != out / 2 || sim->now_ns < fault->from_ns ||
			sim->now_ns >= fault->until_ns ||
			(fault->interface != WORLD_NONE && fault->interface != out))
			continue;
		if (fault->down)
			return false;
		*delay_ns += fault->delay_ns;
	}
	return true;
}

static void leave(struct walk *walk, uint32_t out, struct position at)
{
	at.delay_ns += walk->sim->world->interfaces[out].delay_ns;
	if (walk->faults && !faults_pass(walk->sim, out, &at.delay_ns)) {
		finish(walk, TRUTH_DROPPED);
		return;
	}
	at.interface = out ^ 1;
	visit(walk, at);
}

/* Only here are options looked at: not where a label decides, nor in a tunnel or at its beginning. */
static void record(struct walk *walk, uint32_t out)
{
	if (walk->path.hop_count == 0 || walk->destination.family != 4)
		return;
	struct truth_hop *last = &walk->path.hops[walk->path.hop_count - 1];
	last->recorded = options_recorded(walk->sim, last->node, last->interface, out);
}

static void leave_by_route(struct walk *walk, uint32_t node, const struct route *route, struct position at)
{
	enum balance balance = walk->sim->world->nodes[node].behaviour.balance;
	bool all = !walk->peek && balance != BALANCE_NONE;
	uint64_t seen = walk->sim->packets_seen;
	for (unsigned i = 0; i < (all ? route->via_count : 1); i++) {
		uint32_t out = all ? route->via[i] : way_choose(walk->sim, node, route, walk->peek);
		struct position next = at;
		if (!walk->sim->world->nodes[node].is_host)
			next.tunnel = mpls_tunnel(walk->sim, node, out, walk->destination);
		next.tunnel_at = 1;
		record(walk, out);
		leave(walk, out, next);
	}
	walk->sim->packets_seen = seen;
}

static void leave_by_label(struct walk *walk, uint32_t node, struct position at)
{
	const struct world_tunnel *tunnel = &walk->sim->world->tunnels[at.tunnel];
	uint32_t next = tunnel->routers[++at.tunnel_at];
	if (at.tunnel_at + 1 == tunnel->count && tunnel->pop == POP_PENULTIMATE)
		at.tunnel = WORLD_NONE;
	leave(walk, world_interface_to(walk->sim->world, node, next), at);
}

static struct truth_hop hop_at(struct walk *walk, uint32_t node, struct position *at)
{
	const struct world_node *n = &walk->sim->world->nodes[node];
	const struct world_tunnel *tunnel =
		at->tunnel == WORLD_NONE ? NULL : &walk->sim->world->tunnels[at->tunnel];
	struct truth_hop hop = {
		.node = node,
		.interface = at->interface,
		.delay_ns = at->delay_ns,
		.address = n->is_host ? walk->destination
				      : answer_source(walk->sim, node, at->interface, walk->source),
		.hidden = n->behaviour.silent	   ? HIDDEN_SILENT
			: n->behaviour.limit_given ? HIDDEN_RATE_LIMITED
						   : HIDDEN_NOT,
		.label = tunnel ? tunnel->labels[at->tunnel_at] : 0,
		.tunnel = at->tunnel,
		.tunnel_at = at->tunnel_at,
		.detour = at->detour,
	};
	bool label_ends = tunnel && at->tunnel_at + 1 == tunnel->count;
	if (tunnel && tunnel->hidden && (!label_ends || tunnel->pop == POP_ULTIMATE)) {
		hop.hidden = HIDDEN_MPLS; /* the last router of such a tunnel lets the next one show twice */
		hop.ttl = -1;
		at->ttl += label_ends;
	} else if (at->detour != WORLD_NONE && walk->sim->world->detours[at->detour].to != node) {
		hop.hidden = HIDDEN_TUNNEL;
		hop.ttl = -1;
	} else {
		hop.ttl = ++at->ttl;
		at->detour = WORLD_NONE;
	}
	if (label_ends)
		at->tunnel = WORLD_NONE;
	return hop;
}

static bool been_there(const struct truth *path, uint32_t interface)
{
	for (unsigned i = 0; i < path->hop_count; i++)
		if (path->hops[i].interface == interface)
			return true;
	return false;
}

static bool wraps(const struct walk *walk, uint32_t node, struct position *at)
{
	at->detour = detour_find(walk->sim, node, walk->source, walk->destination);
	return at->detour != WORLD_NONE;
}

/* Wrapped, as plain routing goes to the end of the tunnel. */
static void leave_wrapped(struct walk *walk, uint32_t node, struct position at)
{
	const struct world_node *to = &walk->sim->world->nodes[walk->sim->world->detours[at.detour].to];
	struct route route =
		route_lookup(walk->sim, node, to->loopback[family_index(walk->destination.family)]);
	if (route.kind == ROUTE_VIA)
		leave(walk, route.via[0], at);
	else
		finish(walk, TRUTH_DROPPED);
}

/* Arrive somewhere, and go on. */
static void visit(struct walk *walk, struct position at)
{
	uint32_t node = walk->sim->world->interfaces[at.interface].node;
	unsigned depth = walk->path.hop_count;
	bool loop = been_there(&walk->path, at.interface);
	struct truth_hop hop = hop_at(walk, node, &at);
	struct route route = route_lookup(walk->sim, node, walk->destination);
	if (route.kind == ROUTE_LOCAL) {
		hop.address = walk->destination;
		hop.hidden = HIDDEN_NOT; /* the target answers for itself */
	}
	walk->path.hops[walk->path.hop_count++] = hop;
	if (loop || walk->path.hop_count == TRUTH_HOPS_MAX)
		finish(walk, TRUTH_LOOP);
	else if (at.tunnel != WORLD_NONE)
		leave_by_label(walk, node, at);
	else if (at.detour != WORLD_NONE)
		leave_wrapped(walk, node, at);
	else if (route.kind == ROUTE_LOCAL)
		finish(walk, TRUTH_REACHED);
	else if (route.kind == ROUTE_VIA && wraps(walk, node, &at))
		leave_wrapped(walk, node, at);
	else if (route.kind == ROUTE_VIA)
		leave_by_route(walk, node, &route, at);
	else
		finish(walk, route.kind == ROUTE_DROP ? TRUTH_DROPPED : TRUTH_REFUSED);
	walk->path.hop_count = depth;
}

static void start(struct walk *walk, uint32_t host)
{
	struct route route = route_lookup(walk->sim, host, walk->destination);
	struct position at = {.tunnel = WORLD_NONE, .detour = WORLD_NONE};
	walk->source = world_node_address(walk->sim->world, host, walk->destination.family);
	if (route.kind == ROUTE_LOCAL) {
		finish(walk, TRUTH_REACHED);
		return;
	}
	if (route.kind != ROUTE_VIA)
		route = (struct route){.kind = ROUTE_VIA,
			.via = {walk->sim->world->nodes[host].interfaces[0]},
			.via_count = 1};
	leave_by_route(walk, host, &route, at);
}

int sim_truth(struct sim *sim, uint32_t host, const uint8_t *bytes, size_t length, struct truth *truth)
{
	struct peek peek;
	struct walk walk = {.sim = sim, .peek = &peek, .found = truth, .capacity = 1};
	if (host >= sim->world->host_count)
		return -EINVAL;
	if (!peek_read(bytes, length, true, &peek))
		return -EBADMSG;
	walk.destination = peek.destination;
	start(&walk, host);
	return 0;
}

unsigned sim_truths(
	struct sim *sim, uint32_t host, struct addr destination, struct truth *truths, unsigned capacity)
{
	struct walk walk = {.sim = sim, .destination = destination, .found = truths, .capacity = capacity};
	if (host < sim->world->host_count)
		start(&walk, host);
	return walk.count;
}

unsigned sim_truths_now(struct sim *sim, uint32_t host, struct addr destination, const uint8_t *bytes,
	size_t length, struct truth *truths, unsigned capacity)
{
	struct peek peek;
	struct walk walk = {.sim = sim,
		.destination = destination,
		.found = truths,
		.capacity = capacity,
		.faults = true};
	if (bytes && !peek_read(bytes, length, true, &peek))
		return 0;
	walk.peek = bytes ? &peek : NULL;
	if (host < sim->world->host_count)
		start(&walk, host);
	return walk.count;
}

int64_t sim_delay(struct sim *sim, uint32_t node, struct addr destination)
{
	int64_t delay_ns = 0;
	for (unsigned hops = 0; hops < TRUTH_HOPS_MAX; hops++) {
		struct route route = route_lookup(sim, node, destination);
		if (route.kind == ROUTE_LOCAL)
			return delay_ns;
		if (route.kind != ROUTE_VIA)
			return -1;
		delay_ns += sim->world->interfaces[route.via[0]].delay_ns;
		if (!faults_pass(sim, route.via[0], &delay_ns))
			return -1;
		node = sim->world->interfaces[route.via[0] ^ 1].node;
	}
	return -1;
}
