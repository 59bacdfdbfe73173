/* A vantage point as a machine: does the tasks it is given and tells what came of them. Pure.
 *
 * Nobody registers probes with anybody before they leave. Every probe carries what its receiver needs to know
 * it again: the number of the task and a tag over source, target and number, keyed with a secret that the
 * coordinator shares with the agent of that source alone. So an agent that sends in the source's name cannot
 * make up answers, nor can anybody else; and whichever of them receives an answer knows it without being told
 * first.
 *
 * Who says that he stands at an address proves it by telling what an echo request to it carries (challenge).
 * What the packets look like is said in docs/protocol/revtr-agents.md.
 *
 * What the owner forbids is refused here, whatever the coordinator says. */
#ifndef RETOUR_REVTR_AGENT_H
#define RETOUR_REVTR_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/hash.h"
#include "probe/machine.h"
#include "revtr/task.h"

/* The owner's word. */
struct agent_rules {
	bool spoof;		   /* may it send in others' names? Off unless switched on */
	const struct prefix *veto; /* nothing is sent there; borrowed */
	size_t veto_count;
	double per_second; /* packets; 0 = 20 */
	unsigned per_day;  /* packets; 0 = no budget */
};

/* A task as an agent gets it. */
struct agent_order {
	struct revtr_task task;
	struct addr source;  /* in whose name, where it is spoofed; whose answer it is in any case */
	uint64_t tag;	     /* to be put into the probe; of a challenge, the nonce */
	uint64_t target_tag; /* of a trial: by which who stands at its target knows it */
};

/* The tag of a probe; `key` is the source's. */
uint64_t agent_tag(struct hash_key key, struct addr source, struct addr target, uint32_t task);

enum agent_verdict { AGENT_TAKEN, AGENT_FULL, AGENT_VETO, AGENT_NO_SPOOFING, AGENT_BUDGET, AGENT_BAD };

struct agent;

/* `own` is the agent's address; `sources` are its owner's that consent to be measured (copied), `count` of
 * them, and `keys` theirs: answers to them are recognised. Without keys (NULL) challenges are. NULL: out of
 * memory. */
struct agent *agent_new(const struct agent_rules *rules, struct addr own, const struct hash_key *keys,
	const struct addr *sources, size_t count);
void agent_free(struct agent *agent);
/* The keys that the coordinator has for the sources here, all of them; others' are left out. How many were
 * taken. */
size_t agent_set_keys(
	struct agent *agent, const struct hash_key *keys, const struct addr *sources, size_t count);
/* Never DONE. */
struct machine agent_machine(struct agent *agent);
enum agent_verdict agent_do(struct agent *agent, const struct agent_order *order, int64_t now_ns);
/* The next answer, whoever asked for it; false: none. */
bool agent_answer(struct agent *agent, struct revtr_answer *answer);
/* What it has sent, for the owner: by kind, since it was made. */
struct agent_counters {
	uint64_t orders, refused, sent, spoofed, traces, answers, foreign, over_budget, challenges,
		send_failed;
	int send_error; /* the last, negative errno */
	unsigned spent; /* packets of the day's budget */
};
struct agent_counters agent_counters(const struct agent *agent);
/* And to whom. */
struct ledger;
const struct ledger *agent_ledger(const struct agent *agent);
const char *agent_verdict_text(enum agent_verdict verdict);

#endif
