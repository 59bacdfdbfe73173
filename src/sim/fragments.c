/* Fragments that arrive are put together again (RFC 791 3.2, RFC 1122 3.3.2). A node keeps a few datagrams
 * for a while, of a size that fits into a parcel; the oldest goes first. Of what overlaps the first one
 * counts. */
#include "sim/core.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "packet/fragment.h"

#define ASSEMBLIES  8
#define PATIENCE_NS (30 * NS_PER_S) /* as Linux: ipfrag_time */
#define HEADER_MAX  60
#define BLOCK	    8
#define BLOCKS	    (PARCEL_SIZE_MAX / BLOCK)

struct assembly {
	int64_t until_ns; /* 0: free */
	struct addr source, destination;
	uint16_t id;
	uint8_t protocol;
	uint8_t header[HEADER_MAX];
	size_t header_length; /* 0: the first fragment is missing */
	size_t total;	      /* of the payload; 0: the last fragment is missing */
	bool here[BLOCKS];
	uint8_t payload[PARCEL_SIZE_MAX];
};

static bool is_of(const struct assembly *assembly, const struct peek *peek, uint16_t id, int64_t now_ns)
{
	return assembly->until_ns > now_ns && assembly->id == id && assembly->protocol == peek->protocol &&
		addr_equal(assembly->source, peek->source) &&
		addr_equal(assembly->destination, peek->destination);
}

/* The datagram that this is a part of, or the oldest place, cleared for it. */
static struct assembly *find_place(
	struct assembly *assemblies, const struct peek *peek, uint16_t id, int64_t now_ns)
{
	struct assembly *oldest = &assemblies[0];
	for (unsigned i = 0; i < ASSEMBLIES; i++) {
		if (is_of(&assemblies[i], peek, id, now_ns))
			return &assemblies[i];
		if (assemblies[i].until_ns < oldest->until_ns)
			oldest = &assemblies[i];
	}
	memset(oldest, 0, sizeof(*oldest));
	oldest->until_ns = now_ns + PATIENCE_NS;
	oldest->source = peek->source;
	oldest->destination = peek->destination;
	oldest->id = id;
	oldest->protocol = peek->protocol;
	return oldest;
}

static void add(struct assembly *to, const struct parcel *parcel, const struct peek *peek)
{
	size_t length = parcel->length - peek->header_length;
	for (size_t at = 0; at < length; at += BLOCK) {
		size_t block = (peek->fragment_offset + at) / BLOCK;
		if (to->here[block])
			continue;
		to->here[block] = true;
		memcpy(to->payload + block * BLOCK, parcel->bytes + peek->header_length + at,
			MIN(length - at, (size_t)BLOCK));
	}
	if (peek->fragment_offset == 0 && to->header_length == 0) {
		to->header_length = peek->header_length;
		memcpy(to->header, parcel->bytes, peek->header_length);
	}
	if (!peek->more_fragments && to->total == 0)
		to->total = peek->fragment_offset + length;
}

static bool is_whole(const struct assembly *assembly)
{
	for (size_t block = 0; block * BLOCK < assembly->total; block++)
		if (!assembly->here[block])
			return false;
	return assembly->total > 0 && assembly->header_length > 0;
}

static bool take_out(struct assembly *whole, struct parcel *parcel)
{
	whole->until_ns = 0;
	if (whole->header_length + whole->total > sizeof(parcel->bytes))
		return false;
	parcel->length = whole->header_length + whole->total;
	memcpy(parcel->bytes, whole->header, whole->header_length);
	memcpy(parcel->bytes + whole->header_length, whole->payload, whole->total);
	return fragment_finish(parcel->bytes, whole->header_length, parcel->length);
}

bool fragments_gather(struct sim *sim, uint32_t node, struct parcel *parcel)
{
	struct peek peek;
	if (!peek_read(parcel->bytes, parcel->length, false, &peek) || peek.source.family != 4 ||
		(peek.fragment_offset == 0 && !peek.more_fragments))
		return true;
	size_t length = parcel->length - peek.header_length;
	struct node_state *state = node_state(sim, node);
	if (length == 0 || (peek.more_fragments && length % BLOCK != 0) ||
		peek.fragment_offset + length > BLOCKS * BLOCK || !state)
		return false;
	if (!state->assemblies)
		state->assemblies = calloc(ASSEMBLIES, sizeof(*state->assemblies));
	if (!state->assemblies)
		return false;
	uint16_t id = fragment_id(parcel->bytes, parcel->length);
	struct assembly *assembly = find_place(state->assemblies, &peek, id, sim->now_ns);
	add(assembly, parcel, &peek);
	return is_whole(assembly) && take_out(assembly, parcel);
}
