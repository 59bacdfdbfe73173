/* What a link does to a packet. */
#include "sim/core.h"

void sim_transmit(struct sim *sim, uint32_t interface, struct parcel *parcel)
{
	const struct world_interface *out = &sim->world->interfaces[interface];
	int64_t delay_ns = out->delay_ns;
	double pass = sim->link_by_hand[interface / 2] == LINK_UP ? 1 - out->loss : 0;
	if (sim->tap)
		sim->tap(sim->tap_context, interface, false, parcel->bytes, parcel->length);
	for (unsigned i = 0; sim->link_faulty[interface / 2] && i < sim->world->fault_count; i++) {
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
