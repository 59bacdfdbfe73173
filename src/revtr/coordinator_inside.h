/* What the files of the coordinator share. */
#ifndef RETOUR_REVTR_COORDINATOR_INSIDE_H
#define RETOUR_REVTR_COORDINATOR_INSIDE_H

#include <uv.h>

#include "bus/bus.h"
#include "revtr/capability.h"
#include "revtr/coordinator.h"
#include "revtr/message.h"
#include "revtr/registration.h"

#define AGENTS_MAX   256
#define EXPECTED_MAX 65536 /* tasks whose answer is known when it comes; a power of two */
#define REGISTRATIONS_MAX 16 /* under way */
#define OWN_TASK     0x80000000u /* numbers of tasks that are not the engine's */

struct agent_entry {
	char name[AGENT_NAME_SIZE];
	struct agent_status status;
	int64_t since_ms;
	uint64_t tasks, answers;
	char note[160];
	/* coordinator_capability.c */
	struct capability capability;
	bool testing, settling;
	unsigned tested_with; /* registered addresses of others there were */
	int64_t tested_ns, test_at_ns; /* the last test, the next one; 0 = none */
};

struct source_entry {
	struct store_source stored;
	uint32_t engine_index, agent;
	struct hash_key key;
	bool listed; /* by its agent's owner, since this coordinator runs */
};

/* Who may answer a task, and what its answer is for. */
struct expected {
	uint32_t task, receiver; /* agent; the source's own for Record Route */
	uint32_t source;	 /* by index */
	struct addr target;
	uint32_t sender;
	uint32_t trace, place; /* atlas: whose hop was asked; TREE_NONE = not the atlas's */
	bool spoofed, is_trace;
};

struct waiting {
	int64_t id, batch;
	uint32_t source; /* by index */
	struct addr destination;
};

struct queue {
	struct waiting *list; /* a ring */
	size_t first, count, room;
};

struct running {
	int64_t id, batch, started_ms; /* id 0: none */
};

struct coordinator_listener {
	struct coordinator *coordinator;
	struct coordinator_listener *next;
	int64_t batch;
	coordinator_told *told;
	void *context;
};

struct coordinator {
	uv_loop_t *loop;
	uv_timer_t timer;  /* the engine's next business */
	uv_timer_t minute; /* what is done now and then */
	struct store *store;
	struct bus *bus;
	struct coordinator_options options;
	struct revtr_engine *engine;
	struct ingress ingress;
	bool ingress_changed;
	struct revtr_site sites[AGENTS_MAX];
	struct agent_entry agents[AGENTS_MAX];
	uint32_t agent_count;
	struct source_entry *sources;
	uint32_t source_count;
	struct expected *expected;
	uint32_t own_task;
	struct registration registrations[REGISTRATIONS_MAX];
	struct queue interactive, campaign;
	struct running *running; /* by the engine's number */
	uint32_t running_room;
	struct outbox *outbox;	   /* coordinator_results.c */
	struct networks *networks; /* coordinator_networks.c */
	uv_timer_t flush;
	struct coordinator_tests *tests;
	struct coordinator_listener *listeners;
	struct coordinator_health health;
	bool pumping;
	void (*closed)(void *context);
	void *closed_context;
};

int64_t coordinator_now_ms(void);
int64_t coordinator_now_ns(void);
/* The agent of this name, added if it is new; UINT32_MAX: there are too many. */
uint32_t coordinator_agent(struct coordinator *c, const char *name);
uint32_t coordinator_source(const struct coordinator *c, struct addr address);
/* Hand a task to an agent, and remember who may answer. */
void coordinator_dispatch(struct coordinator *c, const struct revtr_task *task, struct expected expected);
/* Let the engine do what it can now. */
void coordinator_pump(struct coordinator *c);

/* coordinator_batches.c */
int queue_put(struct queue *queue, const struct waiting *waiting) MUST_USE;
void coordinator_feed(struct coordinator *c);
int coordinator_resume(struct coordinator *c, struct error *error) MUST_USE;
void coordinator_take_results(struct coordinator *c);

/* coordinator_register.c */
void coordinator_init_registrations(struct coordinator *c);
/* An agent has said which sources are there. */
void coordinator_check_sources(struct coordinator *c, uint32_t agent);
/* Now and then, and when an agent has come that can check others. */
void coordinator_check_all_sources(struct coordinator *c);
void coordinator_publish_keys(struct coordinator *c, uint32_t agent);
void coordinator_register_answer(struct coordinator *c, uint32_t agent, const struct revtr_answer *answer);

/* coordinator_fill.c */
void coordinator_tell(const struct coordinator *c, const char *format, ...) PRINTF_LIKE(2, 3);
void coordinator_tell_agent(const struct coordinator *c, uint32_t agent);
/* How many there are, once all that were asked for are there. */
void coordinator_tell_atlas(const struct coordinator *c, uint32_t source);
/* Ask the agent for a traceroute to the source if there is none of the last day. */
void coordinator_fill_atlas(struct coordinator *c, uint32_t source, uint32_t agent);

/* coordinator_capability.c */
int coordinator_tests_new(struct coordinator *c, struct error *error) MUST_USE;
void coordinator_tests_free(struct coordinator *c);
/* An agent has said how it is; `came`: it was not there before. */
void coordinator_test_status(struct coordinator *c, uint32_t agent, bool came);
/* Those whose time has come. */
void coordinator_test_due(struct coordinator *c);
/* What an agent tells of a trial; false: of none that is under way. */
bool coordinator_trial_answer(struct coordinator *c, uint32_t agent, const struct revtr_answer *answer);
/* By its owner's word, and as far as is known. */
bool coordinator_may_spoof(const struct agent_entry *agent);

/* coordinator_atlas.c */
void coordinator_ask_trace(struct coordinator *c, uint32_t source, uint32_t agent);
int coordinator_load_atlas(struct coordinator *c, uint32_t source, struct error *error) MUST_USE;
int coordinator_load_survey(struct coordinator *c, struct error *error) MUST_USE;
void coordinator_atlas_answer(struct coordinator *c, const struct expected *expected, const struct revtr_answer *answer);
/* What an answer tells of how far its sender is from the target. */
void coordinator_learn_distance(struct coordinator *c, const struct expected *expected, const struct revtr_answer *answer);

#endif
