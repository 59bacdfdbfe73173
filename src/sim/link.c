/* What a link does to a packet: faults, the queue in front of it, loss and delay. */
#include "sim/core.h"

#include "packet/fragment.h"

/* From 0 to 1: how bad it is at this time of the day. A smooth hill; no libm, whose last digits differ
 * between machines. */
static double load_of(const struct queue *queue, int64_t now_ns)
{
	int64_t at = now_ns % queue->period_ns;
	int64_t away = at > queue->hour_ns ? at - queue->hour_ns : queue->hour_ns - at;
	away = MIN(away, queue->period_ns - away);
	if (2 * away >= queue->width_ns)
		return 0;
	double x = 2 * (double)away / (double)queue->width_ns;
	return (1 - x * x) * (1 - x * x);
}

/* When the packet leaves the queue, in order with those before it. */
static int64_t wait_in_queue(struct sim *sim, uint32_t interface, double load)
{
	const struct queue *queue = sim->world->interfaces[interface].queue;
	double wait_ns = load *
		((double)queue->peak_ns +
			(queue->noise_ns ? rng_unit(&sim->rng) * (double)queue->noise_ns : 0));
	int64_t leaves_ns = sim->now_ns + (int64_t)wait_ns;
	sim->queue_ends_ns[interface] = MAX(sim->queue_ends_ns[interface], leaves_ns);
	return sim->queue_ends_ns[interface];
}

/* The faults of this moment: what part of the packets gets through. */
static double faults_pass(const struct sim *sim, uint32_t interface, int64_t *delay_ns)
{
	double pass = 1;
	for (unsigned i = 0; i < sim->world->fault_count; i++) {
		const struct world_fault *fault = &sim->world->faults[i];
		if (fault->link != interface / 2 || sim->now_ns < fault->from_ns ||
			sim->now_ns >= fault->until_ns ||
			(fault->interface != WORLD_NONE && fault->interface != interface))
			continue;
		pass *= fault->down ? 0 : 1 - fault->loss;
		*delay_ns += fault->delay_ns;
	}
	return pass;
}

size_t parcel_overhead(const struct parcel *parcel)
{
	return (parcel->tunnel != WORLD_NONE ? LABEL_BYTES : 0) +
		(parcel->detour != WORLD_NONE ? OUTER_BYTES : 0);
}

/* In pieces, or not at all. A label or a wrapping goes with each of them (RFC 3032 3.4). */
static void transmit_cut(struct sim *sim, uint32_t interface, struct parcel *parcel, size_t room)
{
	size_t done = 0;
	struct parcel *piece;
	while ((piece = parcel_new(sim))) {
		piece->tunnel = parcel->tunnel;
		piece->tunnel_at = parcel->tunnel_at;
		piece->label_ttl = parcel->label_ttl;
		piece->detour = parcel->detour;
		piece->outer_ttl = parcel->outer_ttl;
		piece->length = fragment_cut(parcel->bytes, parcel->length, room, &done, piece->bytes);
		if (piece->length == 0)
			break;
		sim_transmit(sim, interface, piece);
	}
	if (piece)
		parcel_drop(sim, piece);
	sim->counts.too_big += done == 0;
	parcel_drop(sim, parcel);
}

void sim_transmit(struct sim *sim, uint32_t interface, struct parcel *parcel)
{
	const struct world_interface *out = &sim->world->interfaces[interface];
	int64_t delay_ns = out->delay_ns, leaves_ns = sim->now_ns;
	double load = out->queue ? load_of(out->queue, sim->now_ns) : 0;
	size_t overhead = parcel_overhead(parcel);
	if (out->mtu != 0 && parcel->length + overhead > out->mtu) {
		transmit_cut(sim, interface, parcel, out->mtu - overhead); /* no MTU is less than 68 */
		return;
	}
	double pass = sim->link_by_hand[interface / 2] == LINK_UP ? 1 - out->loss : 0;
	if (sim->tap)
		sim->tap(sim->tap_context, interface, false, parcel->bytes, parcel->length);
	if (sim->link_faulty[interface / 2])
		pass *= faults_pass(sim, interface, &delay_ns);
	if (load > 0)
		pass *= 1 - load * out->queue->loss;
	if (pass < 1 && !sim->lossless && rng_unit(&sim->rng) >= pass) {
		sim->counts.lost++;
		parcel_drop(sim, parcel);
		return;
	}
	if (out->queue)
		leaves_ns = wait_in_queue(sim, interface, load);
	sim_schedule(sim, leaves_ns + delay_ns, EVENT_ARRIVE, interface ^ 1, parcel);
}
