/* What the files of the coordinator share. */
#ifndef RETOUR_REVTR_COORDINATOR_INSIDE_H
#define RETOUR_REVTR_COORDINATOR_INSIDE_H

#include <uv.h>

#include "bus/bus.h"
#include "revtr/aliases.h"
#include "revtr/atlas.h"
#include "revtr/atlas_plan.h"
#include "revtr/budget.h"
#include "revtr/capability.h"
#include "revtr/coordinator.h"
#include "revtr/message.h"
#include "revtr/registration.h"
#include "revtr/survey.h"

#define AGENTS_MAX	  256
#define EXPECTED_MAX	  65536	      /* tasks whose answer is known when it comes; a power of two */
#define REGISTRATIONS_MAX 16	      /* under way */
#define OWN_TASK	  0x80000000u /* numbers of tasks that are not the engine's */
#define OWN_UDP_TASK	  0x70000000u /* and of those among them that are sent by UDP: these have 31 bits only */

struct agent_entry {
	char name[AGENT_NAME_SIZE];
	struct agent_status status;
	int64_t since_ms, gone_ns;   /* gone: by the monotonic clock */
	bool missed;		     /* it was there when the broker was lost, and is not back */
	int64_t asked_ns, worked_ns; /* the last task, the last one whose packet was answered; 0 = none */
	uint64_t tasks, answers;
	char note[160];
	/* coordinator_capability.c */
	struct capability capability;
	bool testing, settling;
	unsigned tested_with;	       /* registered addresses of others there were */
	int64_t tested_ns, test_at_ns; /* the last test, the next one; 0 = none */
	/* A packet with options was answered: that it has sent in another's name, another in its, it itself;
	 * 0 = never. */
	int64_t sent_ns, heard_ns, listed_ns;
};

struct source_entry {
	struct store_source stored;
	uint32_t engine_index, agent;
	struct hash_key key;
	bool listed; /* by its agent's owner, since this coordinator runs */
	struct atlas atlas;
	struct atlas_purse purse;
	unsigned turn, doubts;		 /* of its tree, that were heeded */
	int64_t disturbed_ns;		 /* a task for it was lost with an agent */
	int64_t finished_ns, reached_ns; /* the last measurement, the last one that was whole; 0 = none */
};

/* Who may answer a task, and what its answer is for. */
struct expected {
	uint32_t task, receiver; /* agent; the source's own for Record Route */
	uint32_t source;	 /* by index */
	struct addr target;
	uint32_t sender;
	uint32_t trace, place; /* atlas: whose hop was asked; TREE_NONE = not the atlas's */
	bool spoofed;
	enum revtr_probe probe;
};

/* Record Route to hops of the atlas, when budgets allow it. */
struct hops {
	struct hop_ask {
		int64_t at_ns;
		uint32_t source, trace, place, agent, target;
		bool spoofed, alias; /* alias: coordinator_alias.c sends it */
	} * list;
	size_t count, room;
	int64_t next_ns;
	struct budget budget;
};

struct waiting {
	int64_t id, batch;
	struct addr destination;
};

/* What waits of one client for one source; all of it is in the store. */
struct lane {
	int64_t id;
	uint32_t client, source; /* by index; source UINT32_MAX: gone */
	bool interactive, empty;
	int64_t cursor; /* read from the store up to here */
	struct waiting *page;
	size_t first, count;
};

/* Who has how many in the engine. */
struct client {
	char key[64];
	unsigned running[2]; /* [1]: of those that overtake */
};

struct running {
	int64_t id, batch, started_ms; /* id 0: none */
	uint32_t lane;		       /* by index */
	unsigned tries;		       /* before this one */
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
	struct survey survey;
	uint32_t survey_source; /* whose turn it was */
	unsigned survey_minutes;
	struct aliases aliases;
	struct hops hops;
	struct alias_round *alias_round; /* coordinator_alias.c; NULL: nobody has asked yet */
	int64_t tended_ns;
	bool ingress_changed;
	struct revtr_site sites[AGENTS_MAX];
	struct agent_entry agents[AGENTS_MAX];
	uint32_t agent_count;
	struct source_entry *sources;
	uint32_t source_count;
	struct expected *expected;
	uint32_t own_task;
	struct registration registrations[REGISTRATIONS_MAX];
	struct lane *lanes;
	size_t lane_count, lane_turn;
	struct client *clients;
	uint32_t client_count;
	size_t unfinished; /* of all that the store knows */
	int64_t cancelling[64];
	size_t cancelling_count;
	struct running *running; /* by the engine's number */
	uint32_t running_room;
	struct outbox *outbox;	   /* coordinator_results.c */
	bool store_told;	   /* that it fails */
	char warned[200];	   /* what agents have found out about the broker */
	struct networks *networks; /* coordinator_networks.c */
	struct absence *absence;   /* coordinator_absence.c */
	unsigned missed;	   /* agents */
	int64_t missed_until_ns;   /* they are waited for; TIME_NEVER: nobody is back yet */
	uv_timer_t flush;
	struct {
		uv_timer_t timer;
		int64_t begun_ms, begun_ns; /* by the clock of the day, by the monotonic one */
	} keep;				    /* coordinator_keep.c */
	struct coordinator_tests *tests;
	struct coordinator_listener *listeners;
	struct coordinator_health health;
	bool pumping;
	unsigned handles; /* that are being closed */
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

/* coordinator_lanes.c */
int coordinator_resume(struct coordinator *c, struct error *error) MUST_USE;
/* Something waits in some lanes of a client now. */
void coordinator_wake_lanes(struct coordinator *c, const char *key, bool interactive);
/* The counter that this measurement is in. */
unsigned *coordinator_running_of(struct coordinator *c, uint32_t lane);
/* Let in what may come in now; true: there is more to be done at once. Else not before *wait_ns from now. */
bool coordinator_feed(struct coordinator *c, int64_t *wait_ns);
/* A step of what is being cancelled; false: nothing is. */
bool coordinator_cancel_some(struct coordinator *c);
void coordinator_free_lanes(struct coordinator *c);
/* Into the engine; false: out of memory. */
bool coordinator_start(struct coordinator *c, const struct running *of, struct addr destination);
/* Why nothing can be measured for that source, NULL = it can, *wait_ns from now. */
const char *coordinator_cannot_be(
	const struct coordinator *c, uint32_t source, bool interactive, int64_t *wait_ns);

/* coordinator_absence.c */
void coordinator_agent_gone(struct coordinator *c, uint32_t agent);
void coordinator_agent_back(struct coordinator *c, uint32_t agent);
/* It was not sent, or its answer cannot be heard. */
void coordinator_lost(struct coordinator *c, const struct expected *expected);
/* As coordinator_cannot_be, as far as the source's agent goes. */
const char *coordinator_waits(
	const struct coordinator *c, uint32_t source, bool interactive, int64_t *wait_ns);
/* Whether it will be measured once more, as agents went while it was. */
bool coordinator_again(struct coordinator *c, const struct running *of, const struct revtr_result *result);
/* Those whose time has come; *wait_ns becomes less if others have to wait less. */
void coordinator_feed_again(struct coordinator *c, int64_t *wait_ns);
void coordinator_forget_again(struct coordinator *c, int64_t batch);

/* coordinator_results.c */
/* The end of a measurement, to be kept and told soon: with a result (taken over), or given up for a reason
 * (static). */
int coordinator_keep_end(
	struct coordinator *c, int64_t id, int64_t batch, char *text, const char *reason) MUST_USE;
/* What was learned: it is kept when there is time. */
void coordinator_keep_view(
	struct coordinator *c, struct prefix prefix, uint32_t agent, unsigned distance, uint32_t ingress);
void coordinator_keep_responder(struct coordinator *c, uint32_t address);
void coordinator_spent_something(struct coordinator *c);
/* Keep and tell all of it now. */
int coordinator_flush(struct coordinator *c, struct error *error) MUST_USE;
/* So much waits to be kept that nothing more shall begin. */
bool coordinator_is_held_up(const struct coordinator *c);
void coordinator_take_results(struct coordinator *c);
/* It is not wanted any more; what it finds is dropped. */
void coordinator_stop_running(struct coordinator *c, uint32_t number);
/* The owner of a source does not consent any more. */
void coordinator_withdraw(struct coordinator *c, uint32_t source);
void coordinator_announce(struct coordinator *c, int64_t batch, int64_t id, const char *text, bool last);
void coordinator_free_results(struct coordinator *c);

/* coordinator_keep.c: from now on what is old enough is removed. */
int coordinator_keep(struct coordinator *c, struct error *error) MUST_USE;

/* coordinator_networks.c; some as the engine asks them (struct revtr_environment, the coordinator is the
 * context) */
int coordinator_load_networks(struct coordinator *c, struct error *error) MUST_USE;
void coordinator_free_networks(struct coordinator *c);
uint32_t coordinator_asn(void *context, uint32_t address);
bool coordinator_may_ask(void *context, uint32_t asn, uint32_t address);
uint32_t coordinator_sibling(void *context, uint32_t address, unsigned number);
bool coordinator_opted_out(const struct coordinator *c, struct addr address);
bool coordinator_may_spend(struct coordinator *c, struct addr target);
/* A packet with options goes there. */
void coordinator_spend(struct coordinator *c, struct addr target);
bool coordinator_has_spent(const struct coordinator *c);
/* Within a transaction; and after it. */
int coordinator_write_spent(struct coordinator *c, struct error *error) MUST_USE;
void coordinator_all_spent_kept(struct coordinator *c);
/* Who has answered is a neighbour of whoever does not. */
void coordinator_note_responder(
	struct coordinator *c, const struct expected *expected, const struct revtr_answer *answer);

/* coordinator_register.c */
void coordinator_init_registrations(struct coordinator *c);
/* What is missing, where an agent lists the address; NULL: none does, or nothing is. */
const char *coordinator_why_unregistered(const struct coordinator *c, struct addr address);
/* An agent has said which sources are there. */
void coordinator_check_sources(struct coordinator *c, uint32_t agent);
/* Now and then, and when an agent has come that can check others. */
void coordinator_check_all_sources(struct coordinator *c);
void coordinator_publish_keys(struct coordinator *c, uint32_t agent);
/* It is a source now, by proof or an administrator's word: nothing is waited for, and who is there traces to it. */
void coordinator_registered(struct coordinator *c, uint32_t source);
void coordinator_register_answer(struct coordinator *c, uint32_t agent, const struct revtr_answer *answer);

/* coordinator_fill.c */
void coordinator_tell(const struct coordinator *c, const char *format, ...) PRINTF_LIKE(2, 3);
void coordinator_tell_agent(const struct coordinator *c, uint32_t agent);
/* What it warns of, once for all who say the same. */
void coordinator_tell_warning(struct coordinator *c, uint32_t agent);
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
/* A packet with options that one has sent in another's name, or its own, was answered to that: no test is
 * needed to know it. */
void coordinator_test_seen(struct coordinator *c, uint32_t sender, uint32_t receiver);
/* What an agent tells of a trial; false: of none that is under way. */
bool coordinator_trial_answer(struct coordinator *c, uint32_t agent, const struct revtr_answer *answer);
/* By its owner's word, and as far as is known. */
bool coordinator_may_spoof(const struct agent_entry *agent);

/* coordinator_refresh.c */
void coordinator_ask_trace(struct coordinator *c, uint32_t source, uint32_t agent);
/* Record Route to every hop of new traceroutes that was not asked lately: which other addresses their routers
 * show. Not of all at once; the others have their turn within minutes. */
void coordinator_align(struct coordinator *c, uint32_t source);
/* Those whose time has come; until when there is nothing to do. */
int64_t coordinator_ask_hops(struct coordinator *c);
/* Now and then: what is worth it is traced anew. */
void coordinator_refresh_all(struct coordinator *c);
/* After an answer: if it contradicts a traceroute, that is made anew. */
void coordinator_heed(struct coordinator *c, uint32_t source);
void coordinator_settle_doubts(struct coordinator *c, uint32_t source);
void coordinator_init_hops(struct coordinator *c);
void coordinator_free_hops(struct coordinator *c);

/* coordinator_aliases.c */
int coordinator_load_aliases(struct coordinator *c, struct error *error) MUST_USE;

/* coordinator_alias.c */
/* A packet's turn has come. */
void coordinator_alias_ask(struct coordinator *c, const struct hop_ask *ask);
/* false: it answers no packet of a round. */
bool coordinator_alias_answer(struct coordinator *c, const struct revtr_answer *answer);
void coordinator_alias_lost(struct coordinator *c, uint32_t task);
/* Those that have not answered in time; until when there is nothing to do. */
int64_t coordinator_alias_due(struct coordinator *c);

/* coordinator_atlas.c */
/* What was of use is noted, what is too old forgotten. */
void coordinator_tend_atlas(struct coordinator *c);
int coordinator_load_atlas(struct coordinator *c, uint32_t source, struct error *error) MUST_USE;
int coordinator_load_survey(struct coordinator *c, struct error *error) MUST_USE;
void coordinator_atlas_answer(
	struct coordinator *c, const struct expected *expected, const struct revtr_answer *answer);
/* What an answer tells of how far its sender is from the target. */
void coordinator_learn_distance(
	struct coordinator *c, const struct expected *expected, const struct revtr_answer *answer);

/* coordinator_survey.c */
int coordinator_init_survey(struct coordinator *c, struct error *error) MUST_USE;
/* Every minute: what is due of it. */
void coordinator_survey(struct coordinator *c);
/* coordinator_refresh.c: a Record Route ping in the source's name, when its budgets allow it. false: there is
 * no room. */
bool coordinator_queue_survey(struct coordinator *c, uint32_t source, uint32_t agent, uint32_t address);
/* The same for coordinator_alias_ask, by the source's own agent. */
bool coordinator_queue_alias(struct coordinator *c, uint32_t source, uint32_t address);
uint32_t coordinator_own_task(struct coordinator *c);

#endif
