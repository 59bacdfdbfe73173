#include "trace/stamp_count.h"

#include <string.h>

#include "base/compiler.h"

#define LEFT_OUT   1   /* the number that no packet bears */
#define NEIGHBOURS 256 /* packets that may overtake each other */

void stamp_count_init(struct stamp_count *count)
{
	memset(count, 0, sizeof(*count));
}

uint32_t stamp_sequence_of(uint32_t place)
{
	return place < LEFT_OUT ? place : place + 1;
}

bool stamp_place_of(uint32_t sequence, uint32_t *place)
{
	*place = sequence < LEFT_OUT ? sequence : sequence - 1;
	return sequence != LEFT_OUT;
}

struct stamp_packet *stamp_count_packet(struct stamp_count *count, uint32_t place)
{
	struct stamp_packet *packet = &count->packets[place % STAMP_PACKETS];
	return packet->fate != STAMP_UNUSED && packet->place == place ? packet : NULL;
}

static const struct stamp_packet *look(const struct stamp_count *count, uint32_t place)
{
	return stamp_count_packet((struct stamp_count *)count, place);
}

struct stamp_packet *stamp_count_send(struct stamp_count *count, int64_t now_ns, uint64_t wire)
{
	uint32_t place = count->next_place++;
	/* Who sends that fast has waited long enough for the oldest. */
	if (place >= STAMP_PACKETS && count->settle_place <= place - STAMP_PACKETS)
		stamp_count_settle(count, count->packets[place % STAMP_PACKETS].sent_ns);
	struct stamp_packet *packet = &count->packets[place % STAMP_PACKETS];
	*packet =
		(struct stamp_packet){.place = place, .fate = STAMP_PENDING, .sent_ns = now_ns, .wire = wire};
	return packet;
}

void stamp_count_close(struct stamp_count *count)
{
	count->limit = count->next_place;
	count->has_limit = true;
}

/* ---- checkpoints ---- */

static uint32_t behind_checkpoint(const struct stamp_count *count)
{
	return count->has_checkpoint ? count->checkpoint + 1 : 0;
}

/* How many packets behind `at` came there before it? If the first of them is numbered lower than so many
 * explain, it is the reflector that has begun anew. */
static unsigned overtakers(const struct stamp_count *count, const struct stamp_packet *at)
{
	unsigned some = 0, lost = 0;
	uint32_t first = at->count;
	for (uint32_t i = 1; i <= NEIGHBOURS && at->place + i < count->next_place; i++) {
		const struct stamp_packet *behind = look(count, at->place + i);
		lost += behind && behind->fate == STAMP_LOST;
		if (!behind || behind->fate != STAMP_ANSWERED || behind->count >= at->count)
			continue;
		some++;
		first = MIN(first, behind->count);
	}
	return first >= count->base && (uint64_t)first + some + lost >= at->count ? some : 0;
}

/* And how many of the present span before it came after it? */
static unsigned overtaken_ones(const struct stamp_count *count, const struct stamp_packet *at)
{
	unsigned some = 0;
	for (uint32_t i = 1; i <= NEIGHBOURS && count->span_place + i <= at->place; i++) {
		const struct stamp_packet *before = look(count, at->place - i);
		some += before && before->fate == STAMP_ANSWERED && before->count > at->count;
	}
	return some;
}

static struct stamp_fates span_fates(const struct stamp_count *count)
{
	int64_t forward = (int64_t)count->span_packets - count->span_reached;
	int64_t reverse = count->span_reached - (int64_t)count->span_answers;
	/* What was overtaken and then lost may pass for lost on the wrong side for a moment. */
	int64_t missing = (int64_t)count->span_packets - (int64_t)count->span_answers;
	forward = MIN(MAX(forward, 0), MAX(missing, 0));
	reverse = MIN(MAX(reverse, 0), missing - forward);
	return (struct stamp_fates){
		.forward_lost = (unsigned)forward, .reverse_lost = (unsigned)MAX(reverse, 0)};
}

static void end_span(struct stamp_count *count)
{
	struct stamp_fates fates = span_fates(count);
	count->forward_lost += fates.forward_lost;
	count->reverse_lost += fates.reverse_lost;
	count->settled_answers += count->span_answers;
}

static void begin_span(struct stamp_count *count, const struct stamp_packet *packet)
{
	count->span_place = packet->place;
	count->base = packet->count;
	count->span_packets = count->span_answers = 1;
	count->span_reached = 1;
	count->span_twice = 0;
	count->highest_count = packet->count;
}

/* Packets behind the limit are not counted. If the last that count and the first of those behind it were lost
 * in the same gap, and not all the same way, nobody knows which went where. */
static void close_span(struct stamp_count *count, int64_t reached)
{
	unsigned counted = 0, missing = count->open_packets;
	for (uint32_t place = behind_checkpoint(count); place < count->limit; place++) {
		const struct stamp_packet *between = look(count, place);
		counted += between && between->fate == STAMP_LOST;
	}
	int64_t there = reached - count->span_reached - 1; /* of the gap */
	if (there >= (int64_t)missing) {
		count->span_packets += counted;
		count->span_reached += counted;
	} else if (there <= 0) {
		count->span_packets += counted;
	} else {
		count->undecided += counted;
	}
}

static void set_checkpoint(struct stamp_count *count, const struct stamp_packet *packet)
{
	unsigned earlier = overtakers(count, packet);
	int64_t reached = (int64_t)packet->count - count->base + 1 - earlier + overtaken_ones(count, packet) -
		count->span_twice;
	bool first = !count->has_checkpoint;
	/* Numbers from before our first packet: it goes on counting from an earlier session, or for all of
	 * them. And fewer than we have answers of: it has begun anew. */
	bool afresh = first ? packet->count > packet->place : reached < (int64_t)count->span_answers + 1;
	count->overtaken_forward += earlier > 0;
	if (count->has_limit && packet->place >= count->limit) {
		if (!afresh)
			close_span(count, reached);
		else
			count->undecided += count->open_packets; /* at most a few too many */
	} else if (afresh) {
		count->restarts += !first;
		count->undecided += count->open_packets;
		end_span(count);
		begin_span(count, packet);
	} else {
		count->span_packets += count->open_packets + 1;
		count->span_answers++;
		count->span_reached = reached;
	}
	count->open_packets = 0;
	count->checkpoint = packet->place;
	count->has_checkpoint = true;
}

void stamp_count_settle(struct stamp_count *count, int64_t before_ns)
{
	for (; count->settle_place < count->next_place; count->settle_place++) {
		struct stamp_packet *packet = stamp_count_packet(count, count->settle_place);
		if (!packet)
			continue;
		if (packet->fate == STAMP_PENDING && packet->sent_ns > before_ns)
			return;
		if (packet->fate == STAMP_PENDING)
			packet->fate = STAMP_LOST;
		if (packet->fate == STAMP_LOST)
			count->open_packets++;
		else if (packet->fate == STAMP_ANSWERED)
			set_checkpoint(count, packet);
	}
}

/* ---- answers ---- */

static void note_number(struct stamp_count *count, uint32_t place, uint32_t number)
{
	if (place >= LEFT_OUT) {
		count->mirrored += number == stamp_sequence_of(place);
		count->counted += number != stamp_sequence_of(place);
	}
	count->overtaken_back += number < count->highest_count && place < count->highest_place;
	count->highest_count = MAX(count->highest_count, number);
	count->highest_place = MAX(count->highest_place, place);
}

/* It was settled as lost: that was wrong. */
static void note_late(struct stamp_count *count, const struct stamp_packet *packet)
{
	count->late++;
	if (count->has_checkpoint && packet->place < count->checkpoint) {
		count->span_answers += packet->place >= count->span_place;
		return;
	}
	/* What comes after the checkpoint is settled once more. */
	count->settle_place = behind_checkpoint(count);
	count->open_packets = 0;
}

bool stamp_count_answer(struct stamp_count *count, struct stamp_packet *packet, uint32_t number)
{
	bool was_lost = packet->fate == STAMP_LOST;
	if (packet->fate == STAMP_ANSWERED) {
		count->duplicates++;
		/* Another number: it came there twice, and was counted twice. */
		count->span_twice += number != packet->count && number >= count->base;
		return false;
	}
	packet->fate = STAMP_ANSWERED;
	packet->count = number;
	bool counts = !count->has_limit || packet->place < count->limit;
	count->received += counts;
	note_number(count, packet->place, number);
	if (was_lost)
		note_late(count, packet);
	return true;
}

/* ---- what is known ---- */

struct stamp_fates stamp_count_fates(const struct stamp_count *count)
{
	struct stamp_fates fates = span_fates(count);
	unsigned open = 0;
	uint32_t end = count->has_limit ? MIN(count->settle_place, count->limit) : count->settle_place;
	for (uint32_t place = behind_checkpoint(count); place < end; place++) {
		const struct stamp_packet *packet = look(count, place);
		open += !packet || packet->fate == STAMP_LOST;
	}
	fates.forward_lost += count->forward_lost;
	fates.reverse_lost += count->reverse_lost;
	fates.undecided = count->undecided + open;
	fates.settled = count->settled_answers + count->span_answers + fates.forward_lost +
		fates.reverse_lost + fates.undecided;
	return fates;
}

bool stamp_count_mirrors(const struct stamp_count *count)
{
	return count->mirrored > 0 && count->counted == 0;
}
