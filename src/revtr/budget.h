/* When the next packet with options may be sent: token buckets, and targets that are left alone. Pure.
 *
 * Routers handle options by hand, and protect themselves with limits as low as ten packets a second. So there
 * is a bucket for whoever could see too many of them: the target, all targets of its /24, the source, which
 * gets all replies, and the agent's own first router. A packet needs a token of each. In any one second a
 * bucket lets pass no more than per_second + burst packets.
 *
 * A target that answered nobody is left alone for a while, whoever asks. */
#ifndef RETOUR_REVTR_BUDGET_H
#define RETOUR_REVTR_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum budget_kind { BUDGET_TARGET, BUDGET_NET, BUDGET_SOURCE, BUDGET_AGENT, BUDGET_KINDS };

struct budget_rate {
	double per_second; /* 0: without limit */
	unsigned burst;	   /* so many may go at once; at least 1 */
};

struct budget_entry {
	uint64_t key;	 /* 0: free */
	int64_t full_ns; /* when the bucket will be full again */
	int64_t dead_ns; /* left alone until then */
	unsigned silent; /* packets without an answer, since the last answer */
};

struct budget {
	struct budget_rate rates[BUDGET_KINDS];
	unsigned silent_max; /* so many, and it is dead; 0: never */
	int64_t dead_for_ns;
	struct budget_entry *table;
	uint32_t count, room; /* a power of two, or 0 */
};

/* One packet's buckets, by number: addresses, and indices of source and agent. */
struct budget_packet {
	uint32_t target, source, agent;
};

void budget_deinit(struct budget *budget);
/* A token of each bucket: the time, from now on, at which the packet may go. Without memory for a bucket it
 * is not limited by that one. */
int64_t budget_take(struct budget *budget, const struct budget_packet *packet, int64_t now_ns);
/* How long a packet would wait for the token of that bucket alone. */
int64_t budget_backlog(const struct budget *budget, enum budget_kind kind, uint32_t number, int64_t now_ns);
/* What became of packets to the target: so many stayed without an answer; or it has answered. */
void budget_silent(struct budget *budget, uint32_t target, unsigned packets, int64_t now_ns);
void budget_alive(struct budget *budget, uint32_t target);
bool budget_dead(const struct budget *budget, uint32_t target, int64_t now_ns);

#endif
