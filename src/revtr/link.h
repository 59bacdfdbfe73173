/* An agent on a bus: takes its tasks and keys there, tells answers and how it is. */
#ifndef RETOUR_REVTR_LINK_H
#define RETOUR_REVTR_LINK_H

#include "bus/bus.h"
#include "revtr/agent.h"
#include "revtr/message.h"

struct uv_loop_s;
struct agent_link;

struct agent_link_options {
	const char *name;
	struct agent *agent;	    /* borrowed, as the bus is */
	struct agent_status status; /* what is told of it while it is online */
	/* There is something to send: the agent's driver shall ask it. */
	void (*wake)(void *context);
	void *context;
};

struct agent_link_counters {
	uint64_t bad, unsaid; /* messages that are none of ours; answers that the bus had no room for */
	size_t keys;	      /* of sources, that stand here and are registered */
};

/* NULL: out of memory. */
struct agent_link *agent_link_new(
	struct uv_loop_s *loop, struct bus *bus, const struct agent_link_options *options);
/* Say it again, after the connection was lost: others have heard the will. */
void agent_link_online(struct agent_link *link);
void agent_link_set_status(struct agent_link *link, const struct agent_status *status);
struct agent_status agent_link_status(const struct agent_link *link);
struct agent_link_counters agent_link_counters(const struct agent_link *link);
/* Its handle closes on the loop. */
void agent_link_free(struct agent_link *link);
/* What a bus shall say when the agent is gone; the caller frees it, NULL: out of memory. */
char *agent_link_will(void) MUST_USE;

#endif
