/* The rules, inside insight/. Each looks at one kind of fault, adds findings, and follows four principles:
 *
 *  - An answer from further away proves that the routers before it forward: what a hop itself fails to answer
 * is judged only together with the hops behind it.
 *  - Frequencies are intervals. Under RULE_SAMPLES_MIN samples nothing is more than possible.
 *  - A rule says what would show it wrong, and checks what the measurement at hand allows to check.
 *  - What an earlier rule has explained, a later one does not explain again: `explained` marks such hops. */
#ifndef RETOUR_INSIGHT_RULES_H
#define RETOUR_INSIGHT_RULES_H

#include "path/model.h"

#define RULE_SAMPLES_MIN 30
#define HOP_LABEL_SIZE	 160

/* One direction under examination. */
struct view {
	struct measurement *measurement;
	const struct path *path;
	bool broken;	 /* a loop, refusal or black hole was found: what lies behind it is not judged */
	size_t single;	 /* so many hops are judged one by one; in a loop the same routers are asked again and
			    again */
	bool *explained; /* by hop: its missing answers have been explained */
	size_t lossy_from;     /* first hop of a loss that carries through, hop_count = none */
	size_t lossy_earliest; /* the first hop at which it may have begun unnoticed, for want of samples */
};

/* In the order of evaluation: reachability, loss, then what is particular about single hops. */
void rule_loop(struct view *view);
void rule_refused(struct view *view);
void rule_black_hole(struct view *view);
void rule_watched_replies(struct view *view);
void rule_rate_limit(struct view *view);
void rule_loss(struct view *view);
void rule_silent_hops(struct view *view);
void rule_slow_reply(struct view *view);
void rule_latency_step(struct view *view);
void rule_congestion(struct view *view);
void rule_path_changed(struct view *view);
void rule_anycast_shift(struct view *view);
void rule_mpls(struct view *view);
void rule_load_balancing(struct view *view);
void rule_branches(struct view *view); /* the same where several flows were explored */
void rule_bad_branch(struct view *view);
/* Where rounds take several flows in turn: before the rule of loss, which does not tell one way from another.
 */
void rule_watched_branches(struct view *view);
void rule_watched_balancing(struct view *view);
void rule_nat(struct view *view);
void rule_remarked(struct view *view);
void rule_zero_ttl(struct view *view);
void rule_mtu(struct view *view);

/* Both directions together. The views may be empty (path NULL). */
void rule_ways(struct measurement *measurement);
/* Direction of a loss that both traces show. */
void rule_loss_directions(struct view *forward, struct view *reverse);

/* What the far end's count of test packets shows; last, since it turns suppositions into facts. */
void rule_apart(struct measurement *measurement);

/* Shared by the rules. */

/* "hop 4 (core1.example, 192.0.2.1)", "hop 5 (no answer)"; on the way back "return hop 4 (…)". */
const char *hop_label(const struct path *path, size_t index, char label[static HOP_LABEL_SIZE]);
/* "this host" or "the far host", where packets of this way come from. */
const char *start_label(const struct path *path);
/* The last hop that answered, hop_count when none did. */
size_t last_answering(const struct path *path);
/* Wilson's 95 % interval of a share of `part` in `whole`; 0..1 where nothing was counted. */
struct interval {
	double low, high;
};
struct interval share_interval(unsigned part, unsigned whole);
void finding_set_text(char **slot, const char *format, ...) PRINTF_LIKE(2, 3);
/* The finding's hops, by hop_number. */
void finding_add_range(struct finding *finding, const struct path *path, size_t first, size_t last);

#endif
