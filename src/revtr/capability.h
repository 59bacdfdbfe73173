/* What an agent can do, found out with the help of others: do its packets with options get to others, do
 * those in others' names, does it hear what others send in its name, is it behind a NAT; and where not, why
 * and where. Pure.
 *
 * A test is a number of trials: echo requests, each with a number that only the coordinator and its sender
 * know, to registered addresses that stand at other agents, and in no other name than that of one of these.
 * Whoever sends a trial tells that it left; who stands at the target tells that it came, and how; who stands
 * at the address in whose name it was sent tells the answer. What fails everywhere is sent once more with
 * growing hop limits: the routers that answer show how far it gets. Nothing is concluded from silence about
 * what was not sent, nor where plain packets do not come either. */
#ifndef RETOUR_REVTR_CAPABILITY_H
#define RETOUR_REVTR_CAPABILITY_H

#include "base/hash.h"
#include "revtr/agent.h"
#include "revtr/message.h"

#define CAPABILITY_PARTNERS 3 /* more would tell little that is new */
#define CAPABILITY_SENDERS  2
#define CAPABILITY_HOPS	    24 /* of a sweep */
#define CAPABILITY_EACH	    2  /* packets of a kind, as one may be lost */
#define CAPABILITY_KINDS    3  /* that are swept */
#define CAPABILITY_TRIALS                                                                                    \
	(CAPABILITY_EACH *                                                                                   \
		(3 * CAPABILITY_PARTNERS + CAPABILITY_SENDERS * CAPABILITY_PARTNERS +                        \
			CAPABILITY_KINDS * CAPABILITY_HOPS))
#define CAPABILITY_TEXT_SIZE 240

/* ---- the result */

enum capability_cause {
	CAUSE_NONE,
	CAUSE_LOCAL,	     /* its own kernel does not send it: `error` */
	CAUSE_FILTERED,	     /* dropped on the way, behind `last` and not behind `next` any more */
	CAUSE_FILTERED_BACK, /* the answers are */
	CAUSE_UNASKED,	     /* answers are let in where it asked itself, and else not */
	CAUSE_STRIPPED,	     /* options are taken out */
	CAUSE_REWRITTEN,     /* a NAT puts another name on them: `seen_as` */
	CAUSE_FORBIDDEN,     /* its owner does not allow it */
	CAUSE_NO_SOURCE,     /* no address there is registered */
	CAUSE_NO_PARTNER,    /* there are not enough others with registered addresses */
	CAUSE_UNSENT,	     /* it did not say in time that it had sent anything */
	CAUSE_UNREACHED,     /* not even plain packets came */
	CAUSE_SEEN,	     /* it can: measurements have shown it where tests could not */
	CAUSE_COUNT
};

struct capability_place {
	unsigned hop; /* 0 = none */
	struct addr address;
};

struct capability_finding {
	enum agent_can can;
	enum capability_cause cause;
	int error; /* negative errno */
	struct capability_place last, next;
	struct addr seen_as;
};

struct capability {
	int64_t tested_ms;		   /* since 1970; 0 = never */
	struct capability_finding options; /* packets with Record Route get to others */
	struct capability_finding spoof;   /* packets in others' names do */
	struct capability_finding receive; /* answers to those that others send in its name come to it */
	enum agent_can behind_nat;	   /* AGENT_CAN: it is */
	struct addr seen_as;		   /* by others, where it is */
};

/* Whether it is worth asking it for packets with options in others' names. */
bool capability_may_spoof(const struct capability *capability);
enum capability_aspect { ASPECT_OPTIONS, ASPECT_SPOOF, ASPECT_RECEIVE };
/* One line for a person. */
const char *capability_text(enum capability_aspect aspect, const struct capability_finding *finding,
	char text[static CAPABILITY_TEXT_SIZE]);
const char *capability_cause_word(enum capability_cause cause);
/* {"tested_ms":N,"options":{...},...}, as the store keeps it; to be freed. NULL: out of memory. */
char *capability_to_json(const struct capability *capability) MUST_USE;
bool capability_from_json(const char *text, struct capability *capability) MUST_USE;

/* ---- the test */

/* A registered address and the agent that stands there, by index. */
struct capability_partner {
	uint32_t agent;
	struct addr address;
	struct hash_key key;
};

enum trial_kind { TRIAL_PLAIN, TRIAL_OPTIONS, TRIAL_SPOOFED, TRIAL_RECEIVE };

struct trial {
	uint32_t task;
	uint8_t kind, ttl;	      /* TRIAL_TTL: not of a sweep */
	uint8_t target, name, sender; /* partners by number; TRIAL_SUBJECT; of the sender, in `senders` */
	bool sent, refused, came, came_listed, answered, answer_listed;
	uint8_t came_ttl;
	int error;
	struct addr seen_as, router;
};
#define TRIAL_SUBJECT 0xff
#define TRIAL_TTL     64

struct capability_test {
	uint32_t subject; /* agent */
	struct addr own;  /* its address */
	bool may_spoof;	  /* its owner's word */
	struct capability_partner
		source; /* an address of its own that is registered; none: address is not set */
	struct capability_partner partners[CAPABILITY_PARTNERS]; /* at other agents */
	unsigned partner_count;
	uint32_t senders[CAPABILITY_SENDERS]; /* other agents that may send in others' names */
	unsigned sender_count;
	struct hash_key secret; /* makes the numbers; used for nothing else */
	/* from here on it is the test's own */
	struct trial trials[CAPABILITY_TRIALS];
	unsigned count, ordered; /* trials; of these, handed out */
	bool sweeping;
	int64_t started_ns, sent_ns; /* this phase; the last one that left */
};

enum capability_want {
	CAPABILITY_ORDER, /* *order is to be given to agent order->task.agent */
	CAPABILITY_WAIT,  /* until *wake_ns, or an answer */
	CAPABILITY_DONE,
};

/* The caller has filled in the upper part and zeroed the rest. */
void capability_start(struct capability_test *test, int64_t now_ns);
enum capability_want capability_next(
	struct capability_test *test, int64_t now_ns, struct agent_order *order, int64_t *wake_ns);
/* What `agent` says of a task. False: it is none of this test's, or not this agent's to say. */
bool capability_answer(
	struct capability_test *test, uint32_t agent, const struct revtr_answer *answer, int64_t now_ns);
/* capability_judge.c: what has been found; `tested_ms` is not filled in. */
struct capability capability_judge(const struct capability_test *test);
/* Did nobody hear a kind of trial that was sent to where plain ones came? For the sweep. */
bool capability_unheard(const struct capability_test *test, enum trial_kind kind);
/* A partner that plain packets came to, and the routers before it; false: there is none. */
bool capability_reached(const struct capability_test *test, uint8_t *partner, unsigned *routers);

#endif
