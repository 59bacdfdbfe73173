#include "sim/pcap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/cursor.h"

#define MAGIC_NANOSECONDS 0xa1b23c4d /* and, by the order of its bytes, the order of all others */
#define LINKTYPE_RAW	  101
#define SNAP_LENGTH	  65535
#define NAME_SIZE	  256

/* Names may have a '-' of their own: every one is tried. */
static uint32_t find_link(const struct world *world, const char *place)
{
	char from[NAME_SIZE];
	for (const char *dash = strchr(place, '-'); dash; dash = strchr(dash + 1, '-')) {
		snprintf(from, sizeof(from), "%.*s", (int)(dash - place), place);
		uint32_t a = world_find_node(world, from), b = world_find_node(world, dash + 1);
		uint32_t interface =
			a == WORLD_NONE || b == WORLD_NONE ? WORLD_NONE : world_interface_to(world, a, b);
		if (interface != WORLD_NONE)
			return interface / 2;
	}
	return WORLD_NONE;
}

int pcap_place(struct pcap *pcap, const struct world *world, const char *place, struct error *error)
{
	pcap->world = world;
	pcap->node = world_find_node(world, place);
	pcap->link = pcap->node == WORLD_NONE ? find_link(world, place) : WORLD_NONE;
	return pcap->node != WORLD_NONE || pcap->link != WORLD_NONE
		? 0
		: error_set(error, -EINVAL,
			  "cannot record at '%s': expected a host or a router, or two that a link connects "
			  "(A-B)",
			  place);
}

void pcap_begin(const struct pcap *pcap)
{
	uint8_t bytes[24];
	struct writer writer = writer_init(bytes, sizeof(bytes));
	writer_u32(&writer, MAGIC_NANOSECONDS);
	writer_u16(&writer, 2); /* version 2.4 */
	writer_u16(&writer, 4);
	writer_zeros(&writer, 8);
	writer_u32(&writer, SNAP_LENGTH);
	writer_u32(&writer, LINKTYPE_RAW);
	pcap->sink(pcap->context, bytes, writer.length, NULL, 0);
}

void pcap_packet(const struct pcap *pcap, int64_t now_ns, uint32_t interface, bool arrives,
	const uint8_t *packet, size_t length)
{
	uint8_t bytes[16];
	struct writer writer = writer_init(bytes, sizeof(bytes));
	int64_t at_ns = pcap->epoch_ns + now_ns;
	bool here = pcap->link == WORLD_NONE ? pcap->world->interfaces[interface].node == pcap->node
					     : interface / 2 == pcap->link && !arrives;
	if (!here)
		return;
	writer_u32(&writer, (uint32_t)(at_ns / NS_PER_S));
	writer_u32(&writer, (uint32_t)(at_ns % NS_PER_S));
	writer_u32(&writer, (uint32_t)length);
	writer_u32(&writer, (uint32_t)length);
	pcap->sink(pcap->context, bytes, writer.length, packet, length);
}
