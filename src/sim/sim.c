/* Events, links and the run of virtual time. */
#include "sim/core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sim/names.h"

struct sim *sim_new(const struct world *world, uint64_t seed)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	if (!sim)
		return NULL;
	sim->world = world;
	sim->rng = rng_seed(seed);
	sim->seed = seed;
	sim->buckets = calloc((size_t)world->node_count * BUCKETS + 1, sizeof(*sim->buckets));
	sim->distances = calloc(world->node_count + 1, sizeof(*sim->distances));
	sim->link_gone = calloc(world->interface_count / 2 + 1, sizeof(*sim->link_gone));
	sim->link_by_hand = calloc(world->interface_count / 2 + 1, sizeof(*sim->link_by_hand));
	if (!sim->buckets || !sim->distances || !sim->link_gone || !sim->link_by_hand) {
		sim_free(sim);
		return NULL;
	}
	route_refresh(sim);
	return sim;
}

void sim_free(struct sim *sim)
{
	if (!sim)
		return;
	for (size_t i = 0; i < sim->heap_count; i++)
		free(sim->heap[i].parcel);
	while (sim->free_parcels) {
		struct parcel *parcel = sim->free_parcels;
		sim->free_parcels = parcel->next;
		free(parcel);
	}
	for (uint32_t i = 0; sim->distances && i < sim->world->node_count; i++)
		free(sim->distances[i]);
	free(sim->distances);
	free(sim->link_gone);
	free(sim->link_by_hand);
	free(sim->buckets);
	free(sim->machines);
	free(sim->heap);
	free(sim);
}

const struct world *sim_world(const struct sim *sim)
{
	return sim->world;
}

int64_t sim_now(const struct sim *sim)
{
	return sim->now_ns;
}

struct sim_counts sim_counts(const struct sim *sim)
{
	return sim->counts;
}

struct parcel *parcel_new(struct sim *sim)
{
	struct parcel *parcel = sim->free_parcels;
	if (parcel)
		sim->free_parcels = parcel->next;
	else
		parcel = malloc(sizeof(*parcel));
	if (parcel) {
		parcel->next = NULL;
		parcel->length = 0;
		parcel->tunnel = WORLD_NONE;
	}
	return parcel;
}

void parcel_drop(struct sim *sim, struct parcel *parcel)
{
	parcel->next = sim->free_parcels;
	sim->free_parcels = parcel;
}

static bool earlier(const struct event *a, const struct event *b)
{
	return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->order < b->order;
}

void sim_schedule(
	struct sim *sim, int64_t time_ns, enum event_kind kind, uint32_t place, struct parcel *parcel)
{
	if (sim->heap_count == sim->heap_capacity) {
		size_t capacity = sim->heap_capacity ? 2 * sim->heap_capacity : 64;
		struct event *heap = realloc(sim->heap, capacity * sizeof(*heap));
		if (!heap) {
			if (parcel)
				parcel_drop(sim, parcel);
			return;
		}
		sim->heap = heap;
		sim->heap_capacity = capacity;
	}
	struct event event = {time_ns, sim->order++, kind, place, parcel};
	size_t at = sim->heap_count++;
	for (; at > 0 && earlier(&event, &sim->heap[(at - 1) / 2]); at = (at - 1) / 2)
		sim->heap[at] = sim->heap[(at - 1) / 2];
	sim->heap[at] = event;
}

static struct event take_first(struct sim *sim)
{
	struct event first = sim->heap[0], last = sim->heap[--sim->heap_count];
	size_t at = 0;
	for (;;) {
		size_t child = 2 * at + 1;
		if (child + 1 < sim->heap_count && earlier(&sim->heap[child + 1], &sim->heap[child]))
			child++;
		if (child >= sim->heap_count || !earlier(&sim->heap[child], &last))
			break;
		sim->heap[at] = sim->heap[child];
		at = child;
	}
	sim->heap[at] = last;
	return first;
}

void sim_transmit(struct sim *sim, uint32_t interface, struct parcel *parcel)
{
	const struct world_interface *out = &sim->world->interfaces[interface];
	int64_t delay_ns = out->delay_ns;
	double pass = sim->link_by_hand[interface / 2] == LINK_UP ? 1 - out->loss : 0;
	if (sim->tap)
		sim->tap(sim->tap_context, interface, false, parcel->bytes, parcel->length);
	for (unsigned i = 0; i < sim->world->fault_count; i++) {
		const struct world_fault *fault = &sim->world->faults[i];
		if (fault->link != interface / 2 || sim->now_ns < fault->from_ns ||
			sim->now_ns >= fault->until_ns)
			continue;
		pass *= fault->down ? 0 : 1 - fault->loss;
		delay_ns += fault->delay_ns;
	}
	if (pass < 1 && rng_unit(&sim->rng) >= pass) {
		sim->counts.lost++;
		parcel_drop(sim, parcel);
		return;
	}
	sim_schedule(sim, sim->now_ns + delay_ns, EVENT_ARRIVE, interface ^ 1, parcel);
}

int sim_attach(struct sim *sim, uint32_t host, const struct machine *machine, unsigned flags)
{
	if (host >= sim->world->host_count)
		return -EINVAL;
	struct attached *list = realloc(sim->machines, (sim->machine_count + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	sim->machines = list;
	list[sim->machine_count] =
		(struct attached){.machine = *machine, .host = host, .flags = flags, .wake_ns = sim->now_ns};
	sim_schedule(sim, sim->now_ns, EVENT_WAKE, (uint32_t)sim->machine_count++, NULL);
	return 0;
}

void sim_set_deliver(struct sim *sim, sim_deliver *deliver, void *context)
{
	sim->deliver = deliver;
	sim->deliver_context = context;
}

void sim_set_tap(struct sim *sim, sim_tap *tap, void *context)
{
	sim->tap = tap;
	sim->tap_context = context;
}

void sim_set_link(struct sim *sim, uint32_t link, enum link_state state)
{
	sim->link_by_hand[link] = state;
	route_refresh(sim);
}

/* The name server has no place in the topology: it answers at the edge, at once. */
static bool send_to_names(struct sim *sim, uint32_t host, const struct packet *packet)
{
	struct parcel *reply = parcel_new(sim);
	if (!reply)
		return false;
	struct writer writer = writer_init(reply->bytes, sizeof(reply->bytes));
	if (names_answer(sim->world, packet, &writer)) {
		reply->length = writer.length;
		sim_schedule(sim, sim->now_ns, EVENT_ARRIVE, sim->world->nodes[host].interfaces[0], reply);
		return true;
	}
	parcel_drop(sim, reply);
	return false;
}

int sim_send(struct sim *sim, uint32_t host, const uint8_t *bytes, size_t length)
{
	struct packet packet;
	if (host >= sim->world->host_count)
		return -EINVAL;
	if (length > PARCEL_SIZE_MAX)
		return -EMSGSIZE;
	if (packet_read(bytes, length, &packet) < 0)
		return -EBADMSG;
	sim->counts.sent++;
	if (names_is_server(packet.ip.destination)) {
		if (sim->tap)
			sim->tap(sim->tap_context, sim->world->nodes[host].interfaces[0], false, bytes, length);
		return send_to_names(sim, host, &packet) ? 0 : -ENETUNREACH;
	}
	struct parcel *parcel = parcel_new(sim);
	if (!parcel)
		return -ENOMEM;
	memcpy(parcel->bytes, bytes, length);
	parcel->length = length;
	struct route route = route_lookup(sim, host, packet.ip.destination);
	if (route.kind == ROUTE_VIA) {
		sim_transmit(sim, route_choose(sim, host, &route, &packet), parcel);
		return 0;
	}
	if (route.kind == ROUTE_LOCAL) {
		sim_schedule(sim, sim->now_ns, EVENT_ARRIVE, sim->world->nodes[host].interfaces[0], parcel);
		return 0;
	}
	/* A host knows one way, its default route, for what nobody knows; its router will answer. */
	sim_transmit(sim, sim->world->nodes[host].interfaces[0], parcel);
	return 0;
}

static void arrive(struct sim *sim, const struct event *event)
{
	uint32_t node = sim->world->interfaces[event->place].node;
	if (sim->tap)
		sim->tap(sim->tap_context, event->place, true, event->parcel->bytes, event->parcel->length);
	if (sim->world->nodes[node].is_host)
		host_receive(sim, node, event->parcel);
	else
		router_receive(sim, event->place, event->parcel);
}

static void run_first(struct sim *sim)
{
	struct event event = take_first(sim);
	if (event.time_ns > sim->now_ns)
		sim->now_ns = event.time_ns;
	if (sim->now_ns >= sim->next_reroute_ns)
		route_refresh(sim);
	switch (event.kind) {
	case EVENT_ARRIVE: arrive(sim, &event); break;
	case EVENT_DEPART: node_send(sim, event.place, event.parcel); break;
	case EVENT_WAKE:
		if (sim->machines[event.place].wake_ns == event.time_ns)
			host_pump(sim, event.place);
		break;
	}
}

static bool all_done(const struct sim *sim)
{
	for (size_t i = 0; i < sim->machine_count; i++)
		if (!sim->machines[i].done && !(sim->machines[i].flags & SIM_BACKGROUND))
			return false;
	return true;
}

bool sim_run(struct sim *sim, int64_t until_ns)
{
	while (!all_done(sim)) {
		if (sim_next(sim) > until_ns || sim->heap_count == 0) {
			sim->now_ns = until_ns;
			return false;
		}
		run_first(sim);
	}
	return true;
}

int64_t sim_next(const struct sim *sim)
{
	return sim->heap_count ? sim->heap[0].time_ns : TIME_NEVER;
}

void sim_advance(struct sim *sim, int64_t now_ns)
{
	while (sim_next(sim) <= now_ns)
		run_first(sim);
	if (now_ns > sim->now_ns)
		sim->now_ns = now_ns;
}
