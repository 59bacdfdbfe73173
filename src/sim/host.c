/* Hosts: machines that run on them, and a stack that answers where no machine does. */
#include "sim/core.h"

#include "base/clock.h"

bool host_lets_pass(struct sim *sim, uint32_t host, uint32_t in, const struct parcel *parcel)
{
	struct peek peek;
	return sim->world->nodes[host].behaviour.rule_count == 0 ||
		(peek_read(parcel->bytes, parcel->length, false, &peek) &&
			screen_firewall(sim, host, in, parcel, &peek));
}

/* As a kernel does once a responder has told it to leave code 1 alone. */
static bool left_to_responder(const struct sim *sim, uint32_t host, const struct packet *packet)
{
	if (packet->transport.icmp_kind != ICMP_ECHO_REQUEST || packet->transport.icmp_code != 1)
		return false;
	for (uint32_t i = sim->first_machine[host]; i != WORLD_NONE; i = sim->machines[i].next)
		if (sim->machines[i].flags & SIM_RESPONDER)
			return true;
	return false;
}

/* Nothing more goes to it. Its own `next` stays, for who is just walking the list. */
static void machine_done(struct sim *sim, uint32_t index)
{
	struct attached *at = &sim->machines[index];
	uint32_t *link = &sim->first_machine[at->host];
	while (*link != index)
		link = &sim->machines[*link].next;
	*link = at->next;
	at->done = true;
	sim->unfinished -= !(at->flags & SIM_BACKGROUND);
}

/* Let a machine send what it wants to; pushes are made while this runs. */
void host_pump(struct sim *sim, size_t index)
{
	struct attached *at = &sim->machines[index];
	struct outgoing outgoing;
	while (!at->done) {
		int64_t wake_ns = TIME_NEVER;
		switch (at->machine.ops->next(at->machine.self, sim->now_ns, &outgoing, &wake_ns)) {
		case MACHINE_SEND: {
			int result = sim_send(sim, at->host, outgoing.bytes, outgoing.length);
			at->machine.ops->sent(at->machine.self, outgoing.token, sim->now_ns, result);
			break;
		}
		case MACHINE_WAIT:
			at->wake_ns = wake_ns <= sim->now_ns ? sim->now_ns + 1 : wake_ns;
			if (at->wake_ns != TIME_NEVER)
				sim_schedule(sim, at->wake_ns, EVENT_WAKE, (uint32_t)index, NULL);
			return;
		case MACHINE_DONE: machine_done(sim, (uint32_t)index); return;
		}
	}
}

void host_receive(struct sim *sim, uint32_t node, struct parcel *parcel)
{
	struct packet packet;
	if (!host_lets_pass(sim, node, sim->world->nodes[node].interfaces[0], parcel)) {
		parcel_drop(sim, parcel);
		return;
	}
	sim->counts.delivered++;
	if (sim->deliver && sim->deliver(sim->deliver_context, node, parcel->bytes, parcel->length)) {
		/* it is out of our hands */
	} else if (segments_take(sim, node, sim->world->nodes[node].interfaces[0], parcel)) {
		return;
	} else if (fragments_gather(sim, node, parcel) &&
		packet_read(parcel->bytes, parcel->length, &packet) == 0) {
		for (uint32_t i = sim->first_machine[node]; i != WORLD_NONE; i = sim->machines[i].next) {
			struct attached *at = &sim->machines[i];
			if (at->done)
				continue;
			at->machine.ops->packet(at->machine.self, sim->now_ns, &packet);
			host_pump(sim, i);
		}
		if (world_has_address(sim->world, node, packet.ip.destination) &&
			!left_to_responder(sim, node, &packet))
			answer_local(sim, node, sim->world->nodes[node].interfaces[0], parcel);
	}
	parcel_drop(sim, parcel);
}
