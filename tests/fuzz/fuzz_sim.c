/* Whatever hosts send into the virtual Internet, it keeps running and comes to rest. The first byte chooses
 * the host; the packet goes twice, so that boxes with a memory meet it again, into a world with labels and
 * into one in which every node has a bad habit. */
#include <errno.h>

#include "base/clock.h"
#include "fuzz.h"
#include "sim/sim.h"

#define REST_NS (3600 * NS_PER_S)

static const char habits[] =
	"ases:\n"
	"  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: \"2001:db8:1::/48\"}\n"
	"hosts:\n"
	"  - {name: a, as: 64496, address: 192.168.7.2, address6: \"2001:db8:1:a::2\"}\n"
	"  - {name: b, as: 64496, address: 192.0.2.80, address6: \"2001:db8:1:b::80\", behaviour: {srv6: true,\n"
	"      firewall: [\n"
	"      {do: allow, established: true}, {do: refuse, protocol: udp, port: 1, port_end: 1000, refuse: "
	"port},\n"
	"      {do: refuse, protocol: tcp, refuse: reset}, {do: drop, from: 203.0.113.0/24}]}}\n"
	"routers:\n"
	"  - {name: nat, as: 64496, behaviour: {nat: {inside: 192.168.7.0/24, quotes: false}, balance: "
	"packet}}\n"
	"  - {name: r1, as: 64496, behaviour: {record_route: strip, bleach: all, error_source: private,\n"
	"      source_filter: loose}}\n"
	"  - {name: r2, as: 64496, behaviour: {zero_ttl: true, timestamp: careless, own_stamps: alias,\n"
	"      record_route: private, balance: options, reply_jitter_ms: 3}}\n"
	"  - {name: r3, as: 64496, behaviour: {limits: linux, error_source: linux, timestamp: linux, "
	"too_big: zero, srv6: strict}}\n"
	"  - {name: r4, as: 64496, behaviour: {error_source: loopback, options_limit: {burst: 2, per_second: "
	"1},\n"
	"      quote_bytes: 8, source_filter: strict, own_stamps: none}}\n"
	"links:\n"
	"  - {from: nat, to: a, from_address: 192.168.7.1}\n"
	"  - {from: nat, to: r1}\n"
	"  - {from: nat, to: r2}\n"
	"  - {from: r1, to: r3, mtu: 600}\n"
	"  - {from: r2, to: r3, queue: {peak_ms: 5, hour: 0, width_h: 1, noise_ms: 2}}\n"
	"  - {from: r3, to: r4, loss: 0.1}\n"
	"  - {from: r4, to: b}\n"
	"tunnels:\n"
	"  - {routers: [nat, r1, r3, r4], pop: opaque}\n"
	"faults:\n"
	"  - {link: [nat, r2], after_s: 0.0005, down: true, reroute: true}\n";

static struct world *worlds[2];

static void load(void)
{
	struct error error = {0};
	if (world_load("mpls", &worlds[0], &error) < 0 ||
		world_parse("habits", habits, &worlds[1], &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!worlds[0])
		load();
	if (size < 1)
		return 0;
	for (unsigned i = 0; i < 2; i++) {
		struct sim *sim = sim_new(worlds[i], 1);
		CHECK(sim != NULL);
		for (unsigned again = 0; again < 2; again++) {
			struct sim_counts before = sim_counts(sim);
			int result = sim_send(sim, data[0] & 1, data + 1, size - 1);
			struct sim_counts after = sim_counts(sim);
			/* what is no packet is counted as that, and as nothing else */
			CHECK((result == -EBADMSG) == (after.malformed == before.malformed + 1));
			CHECK(result != -EBADMSG || after.sent == before.sent);
			sim_advance(sim, sim_now(sim) + NS_PER_MS);
		}
		sim_advance(sim, REST_NS);
		CHECK(sim_next(sim) > REST_NS); /* nothing goes round for ever */
		sim_free(sim);
	}
	return 0;
}
