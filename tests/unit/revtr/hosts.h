/* A coordinator and real agents on a bus: hosts, whose packets a test carries. Include cmocka.h before. */
#ifndef RETOUR_TESTS_REVTR_HOSTS_H
#define RETOUR_TESTS_REVTR_HOSTS_H

#include <string.h>

#include "base/clock.h"
#include "office.h"
#include "revtr/link.h"

#define HOSTS 4

struct hosts {
	char folder[40], file[60];
	uv_loop_t loop;
	struct store *store;
	struct bus *bus;
	struct coordinator *coordinator;
	struct coordinator_options options;
	struct agent *agents[HOSTS]; /* NULL: has not joined */
	struct agent_link *links[HOSTS];
	/* What becomes of a packet. */
	void (*carry)(void *context, unsigned sender, const struct packet *packet);
	void *context;
};

static inline struct addr address_of(unsigned i)
{
	return addr_v4(0xc6336401 + i);
}

static inline void do_nothing(void *context)
{
	(void)context;
}

static inline void hosts_open(struct hosts *hosts)
{
	hosts->coordinator =
		open_coordinator(&hosts->loop, hosts->bus, hosts->file, &hosts->options, &hosts->store);
}

static inline void hosts_close(struct hosts *hosts)
{
	close_coordinator(hosts->coordinator, &hosts->loop, hosts->store);
}

static inline void hosts_start(struct hosts *hosts)
{
	make_folder(hosts->folder, hosts->file);
	uv_loop_init(&hosts->loop);
	hosts->bus = bus_new_local(&hosts->loop);
	hosts->options.engine = revtr_options_default();
	hosts->options.engine.spoofed_wait_ns = hosts->options.engine.direct_wait_ns = 100 * NS_PER_MS;
	hosts_open(hosts);
}

static inline void hosts_stop(struct hosts *hosts)
{
	for (unsigned i = 0; i < HOSTS; i++)
		agent_link_free(hosts->links[i]);
	hosts_close(hosts);
	close_loop(&hosts->loop, hosts->bus);
	for (unsigned i = 0; i < HOSTS; i++)
		agent_free(hosts->agents[i]);
	remove_folder(hosts->folder);
}

/* `claims`: the source that it says stands there; may be none. */
static inline void hosts_join(struct hosts *hosts, unsigned i, const char *name, struct addr claims)
{
	struct agent_rules rules = {.spoof = true, .per_second = 1000};
	hosts->agents[i] = agent_new(&rules, address_of(i), NULL, &claims, addr_is_set(claims));
	struct agent_link_options options = {.name = name,
		.agent = hosts->agents[i],
		.wake = do_nothing,
		.status = {.online = true,
			.may_spoof = true,
			.address = address_of(i),
			.sources = {claims},
			.source_count = addr_is_set(claims)}};
	hosts->links[i] = agent_link_new(&hosts->loop, hosts->bus, &options);
	assert_non_null(hosts->links[i]);
}

/* Who has joined and has this address; -1: nobody. */
static inline int host_with(const struct hosts *hosts, struct addr address)
{
	for (int i = 0; i < HOSTS; i++)
		if (hosts->agents[i] && addr_equal(address, address_of((unsigned)i)))
			return i;
	return -1;
}

static inline void hosts_hand(struct hosts *hosts, int host, const struct packet *packet)
{
	struct machine machine = agent_machine(hosts->agents[host]);
	machine.ops->packet(machine.self, clock_monotonic_ns(), packet);
}

static inline void hosts_send(struct hosts *hosts, unsigned sender)
{
	struct machine machine = agent_machine(hosts->agents[sender]);
	struct outgoing out;
	struct packet packet;
	int64_t wake_ns;
	while (machine.ops->next(machine.self, clock_monotonic_ns(), &out, &wake_ns) == MACHINE_SEND) {
		machine.ops->sent(machine.self, out.token, clock_monotonic_ns(), 0);
		assert_int_equal(packet_read(out.bytes, out.length, &packet), 0);
		hosts->carry(hosts->context, sender, &packet);
	}
}

static inline void hosts_turn(struct hosts *hosts, unsigned count)
{
	for (; count > 0; count--) {
		uv_run(&hosts->loop, UV_RUN_NOWAIT);
		for (unsigned i = 0; i < HOSTS; i++)
			if (hosts->agents[i])
				hosts_send(hosts, i);
		uv_sleep(1);
	}
}

#endif
