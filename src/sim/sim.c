/* Events, links and the run of virtual time. */
#include "sim/core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sim/fib.h"
#include "sim/names.h"

#define HEAP_WIDTH 4 /* children of one event lie in two cache lines */

/* An array of at least one element, filled with one byte. */
static void *make_array(size_t count, size_t size, int byte)
{
	void *array = byte ? malloc((count + 1) * size) : calloc(count + 1, size);
	return array && byte ? memset(array, byte, (count + 1) * size) : array;
}

static bool allocate(struct sim *sim)
{
	const struct world *w = sim->world;
	size_t links = w->interface_count / 2;
	sim->states = make_array(w->node_count, sizeof(*sim->states), 0);
	sim->queue_ends_ns = make_array(w->interface_count, sizeof(*sim->queue_ends_ns), 0);
	sim->link_gone = make_array(links, sizeof(*sim->link_gone), 0);
	sim->link_faulty = make_array(links, sizeof(*sim->link_faulty), 0);
	sim->link_by_hand = make_array(links, sizeof(*sim->link_by_hand), 0);
	sim->fib = sim->link_gone ? fib_new(w, sim->link_gone) : NULL;
	sim->ways = make_array(1u << WAYS_BITS, sizeof(*sim->ways), 0);
	sim->first_tunnel = make_array(w->node_count, sizeof(*sim->first_tunnel), 0xff);
	sim->next_tunnel = make_array(w->tunnel_count, sizeof(*sim->next_tunnel), 0xff);
	sim->first_machine = make_array(w->host_count, sizeof(*sim->first_machine), 0xff);
	return sim->states && sim->queue_ends_ns && sim->fib && sim->link_gone && sim->link_faulty &&
		sim->link_by_hand && sim->ways && sim->first_tunnel && sim->next_tunnel && sim->first_machine;
}

static void refresh_routes(struct sim *sim)
{
	route_refresh(sim);
	sim->generation++; /* starts with 1, so that no way is known at first */
}

struct sim *sim_new(const struct world *world, uint64_t seed)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	if (!sim)
		return NULL;
	sim->world = world;
	sim->rng = rng_seed(seed);
	sim->seed = seed;
	if (!allocate(sim)) {
		sim_free(sim);
		return NULL;
	}
	for (uint32_t i = 0; i < world->fault_count; i++)
		sim->link_faulty[world->faults[i].link] = true;
	for (uint32_t i = world->tunnel_count; i-- > 0;) { /* so that the first of the file is found first */
		uint32_t *first = &sim->first_tunnel[world->tunnels[i].routers[0]];
		sim->next_tunnel[i] = *first;
		*first = i;
	}
	refresh_routes(sim);
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
	fib_free(sim->fib);
	free(sim->link_gone);
	free(sim->link_faulty);
	free(sim->link_by_hand);
	free(sim->ways);
	free(sim->first_tunnel);
	free(sim->next_tunnel);
	free(sim->first_machine);
	for (uint32_t i = 0; sim->states && i < sim->world->node_count; i++)
		node_state_free(sim->states[i]);
	free(sim->states);
	free(sim->queue_ends_ns);
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
		parcel->tunnel = parcel->detour = WORLD_NONE;
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
	for (; at > 0 && earlier(&event, &sim->heap[(at - 1) / HEAP_WIDTH]); at = (at - 1) / HEAP_WIDTH)
		sim->heap[at] = sim->heap[(at - 1) / HEAP_WIDTH];
	sim->heap[at] = event;
}

/* The earliest of the events below `at`; heap_count when there are none. */
static size_t first_child(const struct sim *sim, size_t at)
{
	size_t first = MIN(HEAP_WIDTH * at + 1, sim->heap_count);
	size_t end = MIN(first + HEAP_WIDTH, sim->heap_count);
	for (size_t i = first + 1; i < end; i++)
		if (earlier(&sim->heap[i], &sim->heap[first]))
			first = i;
	return first;
}

static struct event take_first(struct sim *sim)
{
	struct event first = sim->heap[0], last = sim->heap[--sim->heap_count];
	size_t at = 0;
	for (;;) {
		size_t child = first_child(sim, at);
		if (child >= sim->heap_count || !earlier(&sim->heap[child], &last))
			break;
		sim->heap[at] = sim->heap[child];
		at = child;
	}
	sim->heap[at] = last;
	return first;
}

int sim_attach(struct sim *sim, uint32_t host, const struct machine *machine, unsigned flags)
{
	if (host >= sim->world->host_count)
		return -EINVAL;
	struct attached *list = realloc(sim->machines, (sim->machine_count + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	sim->machines = list;
	uint32_t *last = &sim->first_machine[host];
	while (*last != WORLD_NONE)
		last = &list[*last].next;
	*last = (uint32_t)sim->machine_count;
	list[sim->machine_count] = (struct attached){.machine = *machine,
		.host = host,
		.next = WORLD_NONE,
		.flags = flags,
		.wake_ns = sim->now_ns};
	sim->unfinished += !(flags & SIM_BACKGROUND);
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
	refresh_routes(sim);
}

/* The name server has no place in the topology: it answers at the edge, at once. */
static bool send_to_names(struct sim *sim, uint32_t host, const uint8_t *bytes, size_t length)
{
	struct packet packet;
	struct parcel *reply = parcel_new(sim);
	if (!reply)
		return false;
	struct writer writer = writer_init(reply->bytes, sizeof(reply->bytes));
	if (packet_read(bytes, length, &packet) == 0 && names_answer(sim->world, &packet, &writer)) {
		reply->length = writer.length;
		sim_schedule(sim, sim->now_ns, EVENT_ARRIVE, sim->world->nodes[host].interfaces[0], reply);
		return true;
	}
	parcel_drop(sim, reply);
	return false;
}

/* A host knows one way, its default route, for what nobody knows; its router will answer. */
static void leave_host(struct sim *sim, uint32_t host, struct parcel *parcel, const struct peek *peek)
{
	const struct way *way = way_find(sim, host, peek->destination);
	uint32_t default_way = sim->world->nodes[host].interfaces[0];
	if (way->route.kind == ROUTE_LOCAL)
		sim_schedule(sim, sim->now_ns, EVENT_ARRIVE, default_way, parcel);
	else if (way->route.kind == ROUTE_VIA)
		sim_transmit(sim, way_choose(sim, host, &way->route, peek), parcel);
	else
		sim_transmit(sim, default_way, parcel);
}

int sim_send(struct sim *sim, uint32_t host, const uint8_t *bytes, size_t length)
{
	struct peek peek;
	if (host >= sim->world->host_count)
		return -EINVAL;
	if (length > PARCEL_SIZE_MAX)
		return -EMSGSIZE;
	if (!peek_read(bytes, length, true, &peek)) {
		sim->counts.malformed++;
		return -EBADMSG;
	}
	sim->counts.sent++;
	if (names_is_server(peek.destination)) {
		if (sim->tap)
			sim->tap(sim->tap_context, sim->world->nodes[host].interfaces[0], false, bytes,
				length);
		return send_to_names(sim, host, bytes, length) ? 0 : -ENETUNREACH;
	}
	struct parcel *parcel = parcel_new(sim);
	if (!parcel)
		return -ENOMEM;
	memcpy(parcel->bytes, bytes, peek.length);
	parcel->length = peek.length;
	if (host_lets_pass(sim, host, WORLD_NONE, parcel))
		leave_host(sim, host, parcel, &peek);
	else
		parcel_drop(sim, parcel);
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
		refresh_routes(sim);
	switch (event.kind) {
	case EVENT_ARRIVE: arrive(sim, &event); break;
	case EVENT_DEPART: node_send(sim, event.place, event.parcel); break;
	case EVENT_WAKE:
		if (sim->machines[event.place].wake_ns == event.time_ns)
			host_pump(sim, event.place);
		break;
	}
}

bool sim_run(struct sim *sim, int64_t until_ns)
{
	while (sim->unfinished > 0) {
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

bool sim_next_is_visible(const struct sim *sim)
{
	const struct event *first = sim->heap;
	return sim->heap_count > 0 && first->kind == EVENT_ARRIVE &&
		sim->world->nodes[sim->world->interfaces[first->place].node].is_host;
}

void sim_advance(struct sim *sim, int64_t now_ns)
{
	while (sim_next(sim) <= now_ns)
		run_first(sim);
	if (now_ns > sim->now_ns)
		sim->now_ns = now_ns;
	if (sim->now_ns >= sim->next_reroute_ns)
		refresh_routes(sim);
}
