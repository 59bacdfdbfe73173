/* What a continuous measurement knows, folded from its events one after the other: statistics per hop and per
 * responder, the way as it is now, the ways it took before, who only limits replies. Pure. A live screen, a
 * report, and the replay of a recording are all folds of the same events.
 *
 * Theory of operation
 *
 * Lost is said of a probe whose answer did not come in time; an answer that comes later takes that back.
 *
 * Probe fate, not hop fate. All probes of a round take one flow, so what hops further on answer has passed
 * the nearer ones. Of the answers that hop h fails to give, only the share that every hop from h to the end
 * misses as well can have hit traffic: timeline_loss(). The rest are answers that h skips.
 *
 * A hop changes when an address that is not of the present way answers TIMELINE_CONFIRM times with none of
 * the present ones in between; if one of those comes in between, both belong to the way (a balancer deals
 * packets out). The end changes likewise. Probes lost since the last answer of the old way then count for the
 * new one: what went missing while the way was moving is not loss of the old hops, and hops that are no
 * longer there lose nothing.
 *
 * Where rounds take several flows in turn (timeline_take_flows), all this holds for each flow by itself: it
 * has a timeline of its own, folded from its rounds. The timeline above them is their sum: it counts
 * everything, an address is of the present way if it is of that of one flow, its loss is that of all flows
 * together, and the way changes when that of a flow does. */
#ifndef RETOUR_PATH_TIMELINE_H
#define RETOUR_PATH_TIMELINE_H

#include "path/series.h"

#define TIMELINE_TTL_MAX    255
#define TIMELINE_RESPONDERS 16	/* addresses kept per hop */
#define TIMELINE_CHANGES    64	/* kept; all are counted */
#define TIMELINE_ROUNDS	    256 /* that may be unfinished at once */
#define TIMELINE_CONFIRM    3
#define TIMELINE_FLOWS	    8 /* that rounds may take in turn */

enum watch_event_kind {
	WATCH_SENT,
	WATCH_ANSWER,
	WATCH_LOST,  /* given up for now */
	WATCH_VOID,  /* cannot be judged: not sent, or nobody listened; as if never sent */
	WATCH_ROUND, /* every probe of `round` is settled */
	WATCH_LIMIT, /* a hop was asked more slowly: outcome in `limit` */
};

/* Why a hop leaves probes unanswered that passed it. */
enum limit_verdict {
	LIMIT_UNKNOWN,
	LIMIT_TESTING,	 /* being asked more slowly */
	LIMIT_LIMITS,	 /* slower, it answers: it limits replies */
	LIMIT_LOSES,	 /* slower, it misses as much: answers get lost */
	LIMIT_UNDECIDED, /* neither can be said */
};

struct watch_event {
	enum watch_event_kind kind;
	int64_t at_ns;	/* when it happened, since the start */
	uint32_t probe; /* its number, from 1 on */
	uint32_t round; /* from 0 on */
	uint8_t ttl;
	uint8_t flow;			   /* of the timeline's flows, from 0 on */
	bool test;			   /* belongs to a slower re-ask, not to the round */
	bool late;			   /* WATCH_ANSWER: after WATCH_LOST */
	bool reached;			   /* WATCH_ANSWER: the destination answered */
	bool refused;			   /* WATCH_ANSWER: somebody refuses to pass it on */
	int64_t sent_ns;		   /* all but ROUND and LIMIT: when the probe left */
	int error;			   /* WATCH_VOID: of the send, negative errno or 0 */
	const struct probe_result *answer; /* WATCH_ANSWER; borrowed */
	enum limit_verdict limit;	   /* WATCH_LIMIT */
	unsigned asked, answered;	   /* WATCH_LIMIT */
};

enum responder_state {
	RESPONDER_NOW,	     /* of the present way */
	RESPONDER_CANDIDATE, /* not confirmed yet */
	RESPONDER_OLD,	     /* of a way before */
};

struct responder {
	struct addr address;
	enum responder_state state;
	struct series series;	   /* answers only */
	int64_t first_ns, last_ns; /* when its first and last answered probes left */
	char mark[12];
	int icmp_type, icmp_code; /* as in the model */
	bool reached;
	int reply_ttl;
	uint8_t mpls_count;
	struct mpls_entry mpls[MPLS_STACK_MAX];
};

struct timeline_hop {
	uint8_t ttl;
	unsigned in_flight;
	struct series total; /* since the beginning */
	struct series now;   /* since the hop belongs to the present way: since_ns */
	int64_t since_ns;
	/* Since the whole way is as it is, slower re-asks not counted; and what was judged before that. */
	unsigned round_answered, round_lost;
	unsigned judged_sent, judged_lost;
	unsigned silent;  /* probes in a row without an answer */
	unsigned refused; /* answers that were refusals */
	struct responder responders[TIMELINE_RESPONDERS];
	size_t responder_count;
	unsigned strangers; /* answers from addresses beyond those */
	unsigned candidate_run;
	int64_t candidate_since_ns;
	struct series candidate; /* what `now` becomes if it is confirmed */
	unsigned candidate_answered, candidate_lost;
	enum limit_verdict limit;
	unsigned limit_asked, limit_answered;
	struct samples samples;
	struct buckets buckets;
};

/* The way changed. */
struct timeline_change {
	int64_t at_ns, noticed_ns;
	uint8_t first_ttl, last_ttl;
	struct addr before, after; /* at first_ttl; none = silent, or beyond the end */
	unsigned end_before, end_after;
	uint64_t path_before, path_after;
	int64_t rtt_before_ns, rtt_after_ns;   /* least to the end, before and after; RTT_NONE */
	struct addr gate_before, gate_after;   /* right before the destination; none = not known */
	int reply_ttl_before, reply_ttl_after; /* of the destination's answers; -1 = not known, or unsteady */
	unsigned flows;			       /* whose way it was, a bit each; 0 = there is one flow */
	uint8_t flow;			       /* of them, the one that noticed first */
};

/* With how many hops left the answers of the destination arrive. */
struct reply_ttls {
	int now, before;	  /* 0 = none */
	unsigned run, run_before; /* so many answers in a row */
	int64_t since_ns;	  /* when the first probe with the present one left */
};

struct timeline_round {
	uint32_t round;
	uint8_t reached;    /* the least TTL at which the destination answered, 0 = none */
	uint8_t refused;    /* likewise, a refusal */
	int64_t reached_ns; /* when that probe left */
};

struct timeline {
	int64_t now_ns; /* of the last event */
	int64_t interval_ns;
	struct timeline_hop *hops[TIMELINE_TTL_MAX + 1]; /* by TTL; NULL = not probed */
	unsigned end;	     /* TTL at which the destination answers, 0 = not known */
	unsigned refusal;    /* TTL of the refusal that ends the way, 0 = none */
	unsigned highest;    /* TTL that belongs to the present way and answered */
	unsigned end_rounds; /* that found the end there */
	unsigned end_candidate, end_candidate_run, end_missed; /* rounds */
	int64_t end_candidate_since_ns;
	unsigned rounds; /* finished */
	unsigned sent, answered, lost, late, void_count, send_errors;
	int send_error; /* the last, negative errno */
	struct reply_ttls reply_ttls;
	struct timeline_round recent[TIMELINE_ROUNDS];
	struct timeline_change changes[TIMELINE_CHANGES]; /* the last ones, oldest first */
	size_t change_count;
	unsigned changes_ever;
	/* Only where rounds take several flows in turn. */
	unsigned flow_count; /* else 0 */
	struct flow flow_of[TIMELINE_FLOWS];
	struct timeline *flows[TIMELINE_FLOWS];
};

void timeline_init(struct timeline *timeline, int64_t interval_ns);
void timeline_deinit(struct timeline *timeline);
/* Before the first event: rounds will take these flows in turn. Fewer than two change nothing, no more than
 * TIMELINE_FLOWS count. 0 or -ENOMEM. */
int timeline_take_flows(struct timeline *timeline, const struct flow *flows, unsigned count) MUST_USE;
/* 0 or -ENOMEM; `copy` is initialised here. */
int timeline_copy(struct timeline *copy, const struct timeline *timeline) MUST_USE;
/* Events that make no sense are ignored. true: the way changed just now; changes[change_count - 1] tells. */
bool timeline_apply(struct timeline *timeline, const struct watch_event *event);

/* The last hop that belongs to the way: its end, the refusal, or the last that answered; 0 = none. */
unsigned timeline_last(const struct timeline *timeline);
/* NULL: not probed. */
const struct timeline_hop *timeline_hop(const struct timeline *timeline, unsigned ttl);
/* The round trip below which `share` (0..1) of the kept answers of the present way lie; RTT_NONE without any.
 */
int64_t timeline_quantile_ns(const struct timeline_hop *hop, double share);
/* The address to show: of the present way, the one that answered last; NULL = none. */
const struct responder *timeline_shown(const struct timeline_hop *hop);

/* What of the missing answers can have been loss of traffic; see above. */
struct loss {
	unsigned sent;	    /* settled */
	unsigned lost;	    /* as many as the hop behind with the least share misses too */
	unsigned skipped;   /* missing for another reason: traffic passed */
	bool skips;	    /* more than chance explains: the hop skips answers */
	struct share share; /* 95 % interval of lost in sent */
};
struct loss timeline_loss(const struct timeline *timeline, unsigned ttl);

/* What some of several flows meet at a hop limit: the same router; or one flow at the destination, since
 * flows that come together again still differ in what they came through. */
struct timeline_branch {
	struct addr address; /* none = silent */
	bool reached;
	unsigned flows;	      /* a bit each */
	unsigned first_flow;  /* the least of them */
	struct series series; /* since it belongs to the present way */
	int64_t median_ns;    /* RTT_NONE */
	struct loss loss;
	enum limit_verdict limit;
};
/* How many `branches` there are, which has room for TIMELINE_FLOWS; 0 where there is one flow, or none gets
 * as far as `ttl`. */
unsigned timeline_branches(const struct timeline *timeline, unsigned ttl, struct timeline_branch *branches);

/* A number that names the present way: the same addresses at the same TTLs, the same number, on every
 * machine. */
uint64_t timeline_path_id(const struct timeline *timeline);
/* The present way as a path of the document, with the kept samples as probes. Caller owns. NULL: out of
 * memory. */
struct path *timeline_path(const struct timeline *timeline, int64_t started_wall_ns);

#endif
