/* An engine that is fed by hand: one source, one destination, and the networks between them. Include cmocka.h
 * before. */
#ifndef RETOUR_TESTS_REVTR_BY_HAND_H
#define RETOUR_TESTS_REVTR_BY_HAND_H

#include "base/clock.h"
#include "revtr/engine.h"

#define SOURCE	    0xcb007101u /* 203.0.113.1, network 1 */
#define MIDDLE	    0xc0000205u /* network 2 */
#define NEAR	    0xc6336401u /* the router before the destination, network 3 */
#define DESTINATION 0xc6336409u /* 198.51.100.9, network 3 */
#define START_NS    (3600 * NS_PER_S)
#define SITES_MAX   3

struct scene {
	struct ingress ingress;
	struct revtr_site sites[SITES_MAX];
	unsigned site_count; /* also the number of the source's agent */
	struct revtr_engine *engine;
	uint32_t forbidden; /* network that may not be asked; 0 = none */
	uint32_t neighbour; /* of everybody, who stands in for them; 0 = none */
	uint32_t source;
	int64_t now_ns;
};

static inline uint32_t asn_of(void *context, uint32_t address)
{
	(void)context;
	return address >> 8 == SOURCE >> 8	   ? 1
		: address >> 8 == MIDDLE >> 8	   ? 2
		: address >> 8 == DESTINATION >> 8 ? 3
						   : 0;
}

static inline bool may_ask(void *context, uint32_t asn, uint32_t address)
{
	const struct scene *s = context;
	assert_int_equal(asn, asn_of(NULL, address));
	return asn != s->forbidden;
}

static inline uint32_t neighbour_of(void *context, uint32_t address, unsigned number)
{
	const struct scene *s = context;
	(void)address;
	return number == 0 ? s->neighbour : 0;
}

/* The sites are given in the order in which they are near to the destination. */
static inline void scene_open(
	struct scene *s, const struct revtr_site *sites, unsigned count, struct revtr_options options)
{
	*s = (struct scene){.site_count = count, .now_ns = START_NS};
	assert_int_equal(ingress_init(&s->ingress, count), 0);
	for (uint32_t i = 0; i < count; i++) {
		s->sites[i] = sites[i];
		assert_int_equal(ingress_add(&s->ingress, prefix_of(addr_v4(DESTINATION), 24),
					 &(struct ingress_view){i, (uint8_t)(4 + i), 0}),
			0);
	}
	ingress_sort(&s->ingress);
	struct revtr_environment environment = {.ingress = &s->ingress,
		.sites = s->sites,
		.site_count = count,
		.asn = asn_of,
		.may_ask = may_ask,
		.sibling = neighbour_of,
		.context = s};
	s->engine = revtr_engine_new(&options, &environment);
	assert_non_null(s->engine);
	assert_int_equal(revtr_engine_add_source(s->engine, addr_v4(SOURCE), count, &s->source), 0);
}

static inline void scene_deinit(struct scene *s)
{
	revtr_engine_free(s->engine);
	ingress_deinit(&s->ingress);
}

static inline void submit(struct scene *s, uint32_t destination)
{
	uint32_t id;
	assert_int_equal(revtr_engine_submit(s->engine, s->source, addr_v4(destination), s->now_ns, &id), 0);
}

static inline struct revtr_task expect_task(
	struct scene *s, enum revtr_probe probe, uint32_t agent, uint32_t target)
{
	struct revtr_task task;
	int64_t wake_ns;
	assert_true(revtr_engine_next(s->engine, s->now_ns, &task, &wake_ns));
	assert_int_equal(task.probe, probe);
	assert_int_equal(task.agent, agent);
	assert_int_equal(task.target.low, target);
	assert_int_equal(task.spoofed, agent != s->site_count);
	return task;
}

/* Returns when it is to be asked again. */
static inline int64_t expect_nothing(struct scene *s)
{
	struct revtr_task task;
	int64_t wake_ns;
	assert_false(revtr_engine_next(s->engine, s->now_ns, &task, &wake_ns));
	return wake_ns;
}

static inline void answer_list(
	struct scene *s, const struct revtr_task *task, const uint32_t *stamps, uint8_t count)
{
	struct revtr_answer answer = {.task = task->id,
		.answered = true,
		.from = task->target,
		.reply = {.present = true, .type = 7, .slots = 9, .used = count}};
	for (uint8_t i = 0; i < 9; i++)
		answer.reply.addrs[i] = addr_v4(i < count ? stamps[i] : 0);
	revtr_engine_answer(s->engine, &answer, s->now_ns);
}

/* 0: a router that is silent. */
static inline void answer_trace(
	struct scene *s, const struct revtr_task *task, const uint32_t *routers, unsigned count)
{
	struct revtr_answer answer = {
		.task = task->id, .answered = true, .trace_count = count, .reached = true};
	for (unsigned i = 0; i < count; i++)
		answer.trace[i] = routers[i] ? addr_v4(routers[i]) : ADDR_NONE;
	revtr_engine_answer(s->engine, &answer, s->now_ns);
}

static inline struct revtr_result expect_end(struct scene *s, enum revtr_stop stop, unsigned hops)
{
	struct revtr_result result;
	(void)expect_nothing(s);
	assert_true(revtr_engine_finished(s->engine, &result));
	assert_int_equal(result.stop, stop);
	assert_int_equal(result.hop_count, hops);
	assert_int_equal(revtr_engine_busy(s->engine), 0);
	return result;
}

#endif
