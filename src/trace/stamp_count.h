/* Which way did the packets get lost? From our numbers and the reflector's.
 *
 * Theory of operation
 *
 * A reflector that keeps a count numbers its answers from 0 on. If the answer to our packet `n` (counting
 * from 0) bears number `r`, then r + 1 of the n + 1 packets sent so far have reached it: n - r got lost on
 * the way there. Of these r + 1 answers we have seen so many: the others got lost on the way back. So one
 * answer settles the fate of all packets before it; behind the last answer nothing is known.
 *
 * A packet is settled when it is answered or has waited long enough, in the order of sending; a settled
 * answer is a checkpoint. Where packets overtake each other, answers on one side of the checkpoint belong to
 * the other side of the count, and are moved there.
 *
 * A reflector without a count repeats our number. To know it for certain, the number 1 is never sent: whoever
 * counts falls behind our numbers by one at least. */
#ifndef RETOUR_TRACE_STAMP_COUNT_H
#define RETOUR_TRACE_STAMP_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#define STAMP_PACKETS 4096 /* whose answers still count; a power of two */

enum stamp_fate {
	STAMP_UNUSED,
	STAMP_PENDING,
	STAMP_ANSWERED,
	STAMP_LOST,
	STAMP_VOID, /* never left */
};

struct stamp_packet {
	uint32_t place; /* from 0 on, in the order of sending */
	enum stamp_fate fate;
	uint32_t count;	 /* the reflector's number, when answered */
	int64_t sent_ns; /* monotonic */
	uint64_t wire;	 /* the timestamp in the packet */
};

struct stamp_count {
	struct stamp_packet packets[STAMP_PACKETS]; /* by place */
	uint32_t next_place, settle_place;	    /* to be sent, to be settled */
	uint32_t limit; /* places from here on are not counted: they only settle what was sent before */
	bool has_limit;
	unsigned received, late, duplicates, restarts;
	unsigned mirrored, counted; /* answers that repeat our number, that do not */
	unsigned overtaken_forward, overtaken_back;
	uint32_t highest_count, highest_place; /* of all answers, for those overtaken on the way back */
	bool has_checkpoint;
	/* What is settled for good, of spans in which the reflector counted on. */
	unsigned forward_lost, reverse_lost, undecided, settled_answers;
	/* The present span, up to the last checkpoint. */
	uint32_t span_place, base; /* its first packet, and the reflector's number of that */
	uint32_t checkpoint;	   /* place */
	unsigned span_packets, span_answers, span_twice;
	int64_t span_reached;  /* packets that reached the reflector */
	unsigned open_packets; /* settled since the checkpoint, without an answer */
};

void stamp_count_init(struct stamp_count *count);
/* The number that the packet at that place bears, and back; false: no packet bears it. */
uint32_t stamp_sequence_of(uint32_t place);
bool stamp_place_of(uint32_t sequence, uint32_t *place);
/* NULL: too long ago, or never sent. */
struct stamp_packet *stamp_count_packet(struct stamp_count *count, uint32_t place);
/* The next packet. */
struct stamp_packet *stamp_count_send(struct stamp_count *count, int64_t now_ns, uint64_t wire);
/* From now on packets do not count. */
void stamp_count_close(struct stamp_count *count);
/* true: the first answer to it. */
bool stamp_count_answer(struct stamp_count *count, struct stamp_packet *packet, uint32_t number);
/* Settle what was sent until `before_ns`. */
void stamp_count_settle(struct stamp_count *count, int64_t before_ns);

struct stamp_fates {
	unsigned settled, forward_lost, reverse_lost, undecided;
};
struct stamp_fates stamp_count_fates(const struct stamp_count *count);
/* It repeats our numbers: which way packets get lost cannot be told. */
bool stamp_count_mirrors(const struct stamp_count *count);

#endif
