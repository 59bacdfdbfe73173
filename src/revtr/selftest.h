/* What an agent can find out about itself with nobody's help: do packets with options leave, and do they come
 * back? It pings a host that its owner named (the broker), with Record Route and without, and where only the
 * plain ones are answered it looks how far the others come. Pure. */
#ifndef RETOUR_REVTR_SELFTEST_H
#define RETOUR_REVTR_SELFTEST_H

#include "probe/machine.h"
#include "revtr/message.h"

#define SELFTEST_PINGS 3
#define SELFTEST_HOPS  16

struct selftest {
	struct addr own, target;
	uint16_t id;
	bool tracing, done; /* pings first, then, if need be, by hop limit */
	unsigned next;	    /* packet of this phase */
	int64_t next_ns, end_ns;
	unsigned plain, listed,
		stripped; /* pings that were answered; of those with options, with and without them */
	int error;	  /* of sending with options, negative errno */
	bool plain_sent;
	unsigned plain_hop, listed_hop; /* the farthest that answered each kind */
	struct addr last;		/* who that was, with options */
};

void selftest_init(struct selftest *test, struct addr own, struct addr target, uint16_t id);
/* DONE when it knows. */
struct machine selftest_machine(struct selftest *test);
/* And says so: "" where all is well. */
enum agent_can selftest_result(const struct selftest *test, char *text, size_t size);

#endif
