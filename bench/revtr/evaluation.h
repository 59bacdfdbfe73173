#ifndef RETOUR_BENCH_REVTR_EVALUATION_H
#define RETOUR_BENCH_REVTR_EVALUATION_H

/* What the files of bench/revtr share: one world, its agents, the pairs that are asked for and what is known
 * of them beforehand; rows are what runs with it. */
#include "base/rng.h"
#include "revtr/virtual.h"
#include "sim/truth.h"
#include "sim/world.h"

#define SOURCES 10

struct pair {
	uint32_t source; /* by index */
	uint32_t target; /* a node */
	struct addr destination;
	uint32_t *nodes; /* of every way back */
	unsigned node_count;
	uint32_t *ases; /* of the first way, in order */
	unsigned as_count;
	unsigned shortest, longest; /* ways, in routers */
	bool pinged;
};

struct tally {
	unsigned asked, pinged, complete, raw, any;
	unsigned measured, measured_true, inferred, inferred_true, assumed, assumed_true;
	unsigned as_wrong, as_exact;
	unsigned counted, counted_right, gaps, gaps_right;
	unsigned option_packets, traces;
	double *seconds;
	struct {
		unsigned hops, right;
		double stated;
	} by_probability[100]; /* percent of what was stated */
	unsigned wrong_after[TECHNIQUE_INFERRED +
		2]; /* the technique of the hop before the first wrong network; the last: none */
};

struct evaluation {
	struct world *world;
	struct rng rng;
	unsigned ases, site_count, pair_count, at_once;
	uint64_t seed;
	uint32_t *hosts; /* of all agents: sites, sources, probes */
	unsigned agent_count, probe_count;
	struct revtr_site *sites;
	struct addr sources[SOURCES];
	bool *as_has_probe;
	struct pair *pairs;
	struct ingress ingress;	      /* of the survey */
	unsigned surveyed, scheduled; /* packets, of all agents, and as survey.c wanted them */
	struct ingress learned;	      /* by the row that runs */
	uint32_t (*siblings)[2];      /* by prefix of the world */
	struct {
		uint32_t (*addresses)[REVTR_TRACE_MAX];
		unsigned *counts, count;
	} atlas[SOURCES];
	struct tally tally;
	const struct revtr_engine *engine; /* of the row that runs */
	size_t memory, under_way;	   /* bytes for each of those at once, at most */
	const struct pair **by_id;
};

/* A method and how it differs from another. */
struct row {
	const char *name;
	struct revtr_options options;
	bool rr_atlas;
	bool survey;	 /* distances are measured beforehand; otherwise learned from what is asked, as a
			    coordinator does */
	bool scheduled;	 /* by survey.c, within a budget of packets for each prefix; into `learned` */
	bool neighbours; /* addresses of the survey stand in for those that say nothing */
};

void die(const char *what) __attribute__((noreturn));
void *need(void *memory);
uint32_t number_of(struct addr address);
struct addr host_address(const struct evaluation *e, uint32_t host);

/* place.c: the world, who stands where, and which pairs are asked for. */
void place_everything(struct evaluation *e);
/* The network of an address; `context` is the evaluation. */
uint32_t asn_of(void *context, uint32_t address);

/* before.c: what is measured beforehand. */
void measure_beforehand(struct evaluation *e);
void load_atlas(struct evaluation *e, struct revtr_engine *engine, struct virtual *v, unsigned source,
	const struct row *row);
/* survey.c's choice instead of everybody's: agents that may spoof only. */
void survey_by_schedule(struct evaluation *e, struct virtual *v, struct sim *sim);
/* How far the sender is, by an answer to one of the engine's tasks. */
void learn_distance(struct evaluation *e, const struct revtr_task *task, const struct revtr_answer *answer);
uint32_t sibling_of(void *context, uint32_t address, unsigned number);

/* judge.c */
void judge(struct evaluation *e, const struct revtr_result *result);

/* selection.c: how good the choice of agents is. */
void judge_selection(struct evaluation *e);

/* rows.c; false: there are no more. */
bool row_get(unsigned index, struct row *row);

#endif
