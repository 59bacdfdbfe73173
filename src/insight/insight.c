#include "insight/insight.h"

#include <errno.h>
#include <stdlib.h>

#include "insight/align.h"
#include "insight/rules.h"

static int view_init(struct view *view, struct measurement *measurement, const struct path *path)
{
	*view = (struct view){.measurement = measurement, .path = path};
	if (!path)
		return 0;
	view->lossy_from = path->hop_count;
	view->single = path->hop_count;
	view->explained = calloc(path->hop_count + 1, sizeof(bool));
	return view->explained ? 0 : -ENOMEM;
}

static void examine(struct view *view)
{
	static void (*const rules[])(struct view *) = {
		rule_loop,
		rule_refused,
		rule_black_hole,
		rule_watched_replies,
		rule_rate_limit,
		rule_watched_branches,
		rule_loss,
		rule_silent_hops,
		rule_slow_reply,
		rule_latency_step,
		rule_congestion,
		rule_mpls,
		rule_load_balancing,
		rule_branches,
		rule_watched_balancing,
		rule_bad_branch,
		rule_nat,
		rule_remarked,
		rule_zero_ttl,
		rule_mtu,
		rule_path_changed,
		rule_anycast_shift,
	};
	for (size_t i = 0; view->path && i < ARRAY_LEN(rules); i++)
		rules[i](view);
}

/* Insertion keeps the order of evaluation among equals. */
static void sort_by_severity(struct finding *findings, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct finding moving = findings[i];
		size_t j = i;
		for (; j > 0 && findings[j - 1].severity < moving.severity; j--)
			findings[j] = findings[j - 1];
		findings[j] = moving;
	}
}

int insight_run(struct measurement *measurement)
{
	alignment_free(measurement->alignment);
	measurement->alignment = NULL;
	if (measurement->forward && measurement->reverse) {
		measurement->alignment = align_paths(measurement->forward, measurement->reverse);
		if (!measurement->alignment)
			return -ENOMEM;
	}
	struct view forward, reverse;
	int status = view_init(&forward, measurement, measurement->forward);
	int status_reverse = view_init(&reverse, measurement, measurement->reverse);
	if (status == 0)
		status = status_reverse;
	if (status == 0) {
		rule_ways(measurement);
		examine(&forward);
		examine(&reverse);
		rule_loss_directions(&forward, &reverse);
		rule_apart(measurement);
		sort_by_severity(measurement->findings, measurement->finding_count);
	}
	free(forward.explained);
	free(reverse.explained);
	return status;
}
