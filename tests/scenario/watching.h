/* Rounds from a through a world in virtual time, and what is concluded from them. */
#ifndef RETOUR_TESTS_SCENARIO_WATCHING_H
#define RETOUR_TESTS_SCENARIO_WATCHING_H

#include "scene.h"

#include "insight/insight.h"
#include "trace/rounds.h"

static struct rounds rounds;

/* No flows: that of the configuration alone. */
static inline void run_rounds(struct scene *scene, const struct rounds_config *config,
	const struct flow *flows, unsigned flow_count)
{
	struct machine machine;
	rounds_deinit(&rounds);
	rounds_init(&rounds, config);
	if (flow_count > 0)
		assert_int_equal(rounds_take_flows(&rounds, flows, flow_count), 0);
	machine = rounds_machine(&rounds);
	assert_int_equal(sim_attach(scene->sim, scene->a, &machine, 0), 0);
	assert_true(sim_run(scene->sim, sim_now(scene->sim) + 48 * 3600 * NS_PER_S));
}

static inline struct measurement concluded(const struct scene *scene)
{
	struct measurement m;
	measurement_init(&m);
	m.command = "watch";
	m.started_wall_ns = 1800000000 * NS_PER_S;
	m.source = scene->from[4];
	m.target = scene->to[4];
	m.forward = timeline_path(&rounds.timeline, m.started_wall_ns);
	m.timeline = &rounds.timeline;
	assert_non_null(m.forward);
	m.forward->protocol = rounds.config.engine.protocol;
	m.forward->source = m.source;
	m.forward->destination = m.target;
	assert_int_equal(insight_run(&m), 0);
	return m;
}

static inline const struct finding *finding_of(const struct measurement *m, const char *id)
{
	for (size_t i = 0; i < m->finding_count; i++)
		if (strcmp(m->findings[i].id, id) == 0)
			return &m->findings[i];
	return NULL;
}

static inline const struct finding *must_find(const struct measurement *m, const char *id)
{
	const struct finding *finding = finding_of(m, id);
	for (size_t i = 0; !finding && i < m->finding_count; i++)
		print_message("found instead: %s\n", m->findings[i].summary);
	if (!finding)
		fail_msg("no finding %s", id);
	return finding;
}

#endif
