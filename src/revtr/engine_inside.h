/* What the files of the engine share. Not for others. */
#ifndef RETOUR_REVTR_ENGINE_INSIDE_H
#define RETOUR_REVTR_ENGINE_INSIDE_H

#include "revtr/budget.h"
#include "revtr/engine.h"

#define RANK_MAX  64 /* agents that are considered for a target */
#define JOB_NONE  UINT32_MAX
#define CHAIN_MAX RECORD_ROUTE_SLOTS_MAX

enum job_kind { JOB_RECORD_ROUTE, JOB_TRACE, JOB_TIMESTAMP };
enum job_stage {
	STAGE_PING,
	STAGE_DIRECT,
	STAGE_SPOOFED,
	STAGE_QUOTE,
	STAGE_TRACE,
	STAGE_TIMESTAMP,
	STAGE_DONE,
	STAGE_COUNT = STAGE_DONE
};

/* A reply in whose list the target did not show, and who asked. */
struct unplaced {
	struct revtr_answer answer;
	uint32_t site, agent;
	bool spoofed, asked; /* asked: to quote a list, too */
};

/* One target that is asked about for one source, for all measurements that want to know. */
struct job {
	uint32_t source, target;
	uint32_t next_same;    /* with the same hash */
	uint32_t next_timer;   /* behind it in its stage's queue */
	uint32_t first_waiter; /* measurements, by index */
	uint32_t payer;	       /* who is charged with its packets */
	uint32_t readers;      /* of the trace: measurements that go back along it */
	uint32_t evidence;
	int64_t deadline_ns, finished_ns;
	int64_t timer_ns;  /* its place in the queue */
	uint32_t *ranked;  /* record route: sites; only while it goes on */
	uint32_t *routers; /* trace: from the source to the target */
	int8_t *lefts; /* of each: routers that its answer passed on its way home, -1 = not known; in the same
			  memory */
	struct unplaced *unplaced; /* record route: only while it goes on; NULL: none */
	uint32_t chain[CHAIN_MAX]; /* timestamp: what is listed after the target */
	uint32_t heard_agent;	   /* record route: whose packet brought a list home, where `heard` */
	int16_t left;		   /* routers that a reply passed on its way to the source; -1 = not known */
	int16_t own_least, own_most;  /* the same, of replies to the source's own pings */
	uint16_t queued, outstanding; /* of the batch: not sent yet; without answer */
	uint32_t batch_from;	      /* the number of its first task; those before it are late */
	uint16_t asked, asked_far, answered, silent, rounds;
	uint8_t ranked_count, ranked_next, near, far_max;
	uint8_t chain_count, router_count;
	uint8_t kind, stage; /* enum job_kind, enum job_stage */
	bool in_timer, found, home, certain, spoofed, refused;
	bool disturbed; /* something was not asked or heard, for want of an agent */
	bool reached;	/* the trace has */
	bool heard, heard_spoofed;
	bool elsewhere;		/* another host has answered others (anycast) */
	uint8_t listed_count;	/* timestamp: of the chain */
	bool stamped;		/* timestamp: the target has, itself */
	bool doubted, checking; /* timestamp: it may be the target that stamped for the others */
};

struct measurement_state {
	uint32_t id, source, destination;
	enum revtr_stop stop;
	struct revtr_hop *hops;
	unsigned hop_count;
	int segment;	   /* index of the first hop that the last step added; -1: the destination */
	int at;		   /* whose turn it is to be asked; before `segment`: nobody's */
	uint32_t job;	   /* it waits for, or JOB_NONE */
	uint32_t trace;	   /* the job whose trace the last assumption came from, or JOB_NONE */
	int trace_place;   /* and the place there of the last hop */
	int16_t left;	   /* as of the result */
	float faith;	   /* the probability that all assumptions so far are right */
	unsigned siblings; /* that were asked in the last hop's stead */
	uint32_t sibling;  /* that is being asked; 0 = none */
	/* Routers that are asked to stamp behind hop `listed_at`, in whose ping; 0 of them: none. The first
	 * is at this place of the trace, and so many silent ones are between the last hop and it. */
	uint32_t listed[REVTR_LISTED_MAX - 1];
	unsigned listed_count, listed_silent;
	uint32_t unstamped; /* was listed, and did not stamp */
	/* Does it stamp at all? Not known and worth a packet; being asked; it does, so it is not on the way
	 * back. */
	bool stamp_open, stamp_asked, stamp_refuted;
	int stampless; /* so many, from the destination on, do not stamp themselves, or not reliably */
	int listed_at, listed_place;
	uint32_t next_waiter;
	uint32_t next_finished;
	unsigned option_packets, trace_packets, rounds;
	int64_t started_ns, finished_ns;
	bool over, refused; /* refused: a hop that would have told more may not be asked */
	bool elsewhere;	    /* as of the result */
};

struct ready {		 /* a packet that waits for its time */
	int64_t at_ns;	 /* by the budgets' clock */
	uint64_t number; /* those of one time leave in the order in which they came */
	uint32_t job, site, agent;
	enum revtr_probe probe;
	bool spoofed;
};

struct sent { /* tasks whose answer may come; by id */
	uint32_t id, job, target, site, agent;
	enum job_stage stage;
	bool spoofed;
};

struct source_state {
	uint32_t address, agent;
	struct tree tree;
	unsigned direct_asked, direct_found;
	unsigned times_asked, times_told, times_found; /* told: the target stamped, at least */
	unsigned answered;			       /* packets with options that came home */
	bool pings;				       /* its own come home */
	bool deaf;				       /* to answers that it has not asked for itself */
};

struct revtr_engine {
	struct revtr_options options;
	struct revtr_environment environment;
	struct source_state *sources;
	uint32_t source_count;
	struct job *jobs;
	uint32_t job_count, job_room;
	uint32_t free_job, job_sweep; /* the first that can be used anew; where to look for such next */
	uint32_t *buckets;	      /* of jobs */
	uint32_t bucket_count;
	struct measurement_state *measurements;
	uint32_t measurement_count, measurement_room;
	uint32_t free_measurement;
	uint32_t finished_first, finished_last;
	uint32_t last_result; /* handed out; its hops go with the next */
	unsigned busy;
	struct budget budget;
	struct ready *ready; /* a heap */
	uint32_t ready_count, ready_room;
	uint64_t ready_number;
	int64_t agents_ns; /* when the last agents came */
	int64_t lag_ns;	   /* of the budgets' clock behind the caller's */
	struct sent *sent;
	uint32_t sent_room; /* a power of two */
	uint32_t task_count;
	struct {
		uint32_t first, last;
	} timers[STAGE_COUNT];
	int64_t now_ns;
};

/* engine_jobs.c: the job that asks about the target, begun if there is none that is young enough. JOB_NONE:
 * out of memory. */
uint32_t job_get(
	struct revtr_engine *engine, enum job_kind kind, uint32_t source, uint32_t target, uint32_t payer);
void job_wait(struct revtr_engine *engine, uint32_t job, uint32_t measurement);
/* Batches whose time is over. */
void job_expire(struct revtr_engine *engine);
/* The last packet of a batch has left. */
void job_set_timer(struct revtr_engine *engine, uint32_t job);
/* Nothing more comes of it: the next one, or that was all. */
void job_batch_over(struct revtr_engine *engine, uint32_t job);
/* NULL: it is not known. */
const struct job *job_known(
	const struct revtr_engine *engine, enum job_kind kind, uint32_t source, uint32_t target);
/* It is over: those who wait go on. */
void job_finish(struct revtr_engine *engine, uint32_t job);
/* engine_answers.c */
void job_answer(struct revtr_engine *engine, const struct revtr_answer *answer);
void job_lost(struct revtr_engine *engine, uint32_t task, bool refused);
void job_learn_list(struct revtr_engine *engine, struct job *job, const struct revtr_list *list,
	uint32_t task, bool spoofed);
/* engine_quote.c: a reply in whose list the target did not show. */
void quote_keep(struct revtr_engine *engine, struct job *job, const struct revtr_answer *answer,
	const struct sent *sent);
/* false: there is nothing to be asked, or out of memory. */
bool quote_ask(struct revtr_engine *engine, uint32_t job);
void quote_take(struct revtr_engine *engine, struct job *job, const struct revtr_answer *answer,
	const struct sent *sent);
/* engine_timestamp.c: a job begins, its task is made, an answer came, its packet had its time. */
void timestamp_begin(struct revtr_engine *engine, uint32_t job);
void timestamp_list(const struct job *job, struct revtr_task *task);
void timestamp_answer(struct revtr_engine *engine, uint32_t job, const struct revtr_answer *answer);
void timestamp_end(struct revtr_engine *engine, uint32_t job);
/* The way goes on with hop `before` of the trace if it is symmetric, and the last hop is at `place`: may that
 * be found out, and has it not been tried? */
bool measurement_ask_times(struct revtr_engine *engine, struct measurement_state *m, const struct job *trace,
	int place, int before);
/* It would be assumed now that `next` is on the way back. Does it stamp at all, where it has not? That can be
 * asked. */
bool measurement_ask_stamp(struct revtr_engine *engine, struct measurement_state *m, uint32_t next);
/* What came of it, or somebody else is asked for it. false: it stays open. */
bool measurement_by_times(struct revtr_engine *engine, struct measurement_state *m, const struct job *job);
/* engine_send.c: false: out of memory. */
bool job_enqueue(struct revtr_engine *engine, struct ready ready);
/* The next packet, or until when there is none. */
bool job_next(struct revtr_engine *engine, struct revtr_task *task, int64_t *wake_ns);

/* engine_steps.c: the address of a hop; -1: the destination. */
uint32_t hop_address(const struct measurement_state *m, int index);
/* The last hop that could be asked; -1: the destination. */
int hop_last_known(const struct measurement_state *m);
/* false: it is there already, or there is no room. Unknown routers may come more than once. */
bool hop_add(struct measurement_state *m, struct revtr_hop hop);
/* All behind `from` are a new segment. */
void hop_step_made(struct measurement_state *m, int from);
/* A job that it waits for is done, or it begins. */
void measurement_go_on(struct revtr_engine *engine, uint32_t measurement);
void measurement_cancel(struct revtr_engine *engine, uint32_t measurement);

#endif
