/* Recordings of packets that other programs read (tcpdump, Wireshark): the pcap format with times in
 * nanoseconds (draft-ietf-opsawg-pcap), packets from their IP header on (LINKTYPE_RAW). Labels of tunnels are
 * not part of a packet here and do not show. */
#ifndef RETOUR_SIM_PCAP_H
#define RETOUR_SIM_PCAP_H

#include "base/compiler.h"
#include "base/error.h"
#include "sim/world.h"

/* Bytes that belong together: a header or a packet with its header. */
typedef void pcap_sink(
	void *context, const uint8_t *head, size_t head_length, const uint8_t *packet, size_t length);

/* Everything that a node sends and receives, or that is put onto a link (also what the link then loses). */
struct pcap {
	const struct world *world;
	uint32_t node, link; /* one of them; the other is WORLD_NONE */
	int64_t epoch_ns;    /* the wall clock at the sim's time 0 */
	pcap_sink *sink;
	void *context;
};

/* `place` is NODE or NODE-NODE. 0, or -EINVAL when there is no such node or link. */
int pcap_place(struct pcap *pcap, const struct world *world, const char *place, struct error *error) MUST_USE;
/* Before the first packet. */
void pcap_begin(const struct pcap *pcap);
/* Fits sim_set_tap; keeps what belongs to its place. */
void pcap_packet(const struct pcap *pcap, int64_t now_ns, uint32_t interface, bool arrives,
	const uint8_t *bytes, size_t length);

#endif
