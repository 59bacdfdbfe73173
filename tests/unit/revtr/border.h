/* An engine that is asked for one way back, fed by hand: its source is too far for Record Route. Include cmocka.h before. */
#ifndef RETOUR_TESTS_REVTR_BORDER_H
#define RETOUR_TESTS_REVTR_BORDER_H

#include "base/clock.h"
#include "revtr/engine.h"

#define SOURCE	    0xcb007101u /* 203.0.113.1, network 1 */
#define OWN_ROUTER  0xcb0071feu /* the first router on the way there */
#define MIDDLE	    0xc0000205u /* network 2 */
#define BORDER	    0xc0000209u /* network 2's address on network 3's router */
#define NEAR	    0xc6336401u /* the router before the destination, network 3 */
#define DESTINATION 0xc6336409u /* 198.51.100.9, network 3 */
#define NOBODY	    0xf0000001u /* 240.0.0.1 */
#define HERE	    2		/* the source's agent */

struct scene {
	struct ingress ingress;
	struct revtr_site sites[2];
	struct revtr_engine *engine;
	uint32_t source;
	int64_t now_ns;
};

static inline uint32_t asn_of(void *context, uint32_t address)
{
	(void)context;
	return address >> 8 == SOURCE >> 8 ? 1 : address >> 8 == MIDDLE >> 8 ? 2 : address >> 8 == DESTINATION >> 8 ? 3 : 0;
}

/* Two sites that may send in the source's name, of which the first is nearer to the destination. */
static inline void scene_init(struct scene *s, struct revtr_options options)
{
	*s = (struct scene){.sites = {{0, true}, {1, true}}, .now_ns = 3600 * NS_PER_S};
	assert_int_equal(ingress_init(&s->ingress, 2), 0);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(ingress_add(&s->ingress, prefix_of(addr_v4(DESTINATION), 24),
					 &(struct ingress_view){i, (uint8_t)(4 + i), 0}),
			0);
	ingress_sort(&s->ingress);
	struct revtr_environment environment = {
		.ingress = &s->ingress, .sites = s->sites, .site_count = 2, .asn = asn_of};
	s->engine = revtr_engine_new(&options, &environment);
	assert_non_null(s->engine);
	assert_int_equal(revtr_engine_add_source(s->engine, addr_v4(SOURCE), HERE, &s->source), 0);
}

static inline void scene_deinit(struct scene *s)
{
	revtr_engine_free(s->engine);
	ingress_deinit(&s->ingress);
}

static inline struct revtr_options alone(void)
{
	struct revtr_options options = revtr_options_published();
	options.spoofed = false;
	options.timestamps = true;
	return options;
}

static inline struct revtr_task expect_task(struct scene *s, enum revtr_probe probe, uint32_t agent, uint32_t target)
{
	struct revtr_task task;
	int64_t wake_ns;
	assert_true(revtr_engine_next(s->engine, s->now_ns, &task, &wake_ns));
	assert_int_equal(task.probe, probe);
	assert_int_equal(task.agent, agent);
	assert_int_equal(task.target.low, target);
	assert_int_equal(task.spoofed, agent != HERE);
	return task;
}

/* Longer than anything is waited for. */
static inline void let_time_pass(struct scene *s)
{
	struct revtr_task task;
	assert_false(revtr_engine_next(s->engine, s->now_ns, &task, &(int64_t){0}));
	s->now_ns += 20 * NS_PER_S;
}

/* Nine routers wrote themselves down before the packet was there. */
static inline void answer_full(struct scene *s, const struct revtr_task *task)
{
	struct revtr_answer answer = {.task = task->id, .answered = true, .from = task->target,
		.reply = {.present = true, .type = 7, .slots = 9, .used = 9}};
	for (uint32_t i = 0; i < 9; i++)
		answer.reply.addrs[i] = addr_v4(0x08080800u + i);
	revtr_engine_answer(s->engine, &answer, s->now_ns);
}

static inline void answer_home(struct scene *s, const struct revtr_task *task)
{
	struct revtr_answer answer = {.task = task->id, .answered = true, .from = task->target,
		.reply = {.present = true, .type = 7, .slots = 9, .used = 2, .addrs = {task->target, addr_v4(SOURCE)}}};
	revtr_engine_answer(s->engine, &answer, s->now_ns);
}

static inline void answer_trace(struct scene *s, const struct revtr_task *task, const uint32_t *routers, unsigned count)
{
	struct revtr_answer answer = {.task = task->id, .answered = true, .trace_count = count, .reached = true};
	for (unsigned i = 0; i < count; i++)
		answer.trace[i] = routers[i] ? addr_v4(routers[i]) : ADDR_NONE;
	revtr_engine_answer(s->engine, &answer, s->now_ns);
}

static inline struct revtr_answer stamped(const struct revtr_task *task, uint8_t stamps, uint32_t apart_ms)
{
	struct revtr_answer answer = {.task = task->id, .answered = true, .from = task->target,
		.times = {.present = true, .flag = 3, .slots = (uint8_t)task->listed_count, .used = stamps}};
	for (unsigned i = 0; i < task->listed_count; i++) {
		answer.times.addrs[i] = task->listed[i];
		answer.times.times[i] = i < stamps ? 1000 + i * apart_ms : 0;
	}
	return answer;
}

static inline void answer_times(struct scene *s, const struct revtr_task *task, uint8_t stamps, uint32_t apart_ms)
{
	struct revtr_answer answer = stamped(task, stamps, apart_ms);
	revtr_engine_answer(s->engine, &answer, s->now_ns);
}

static inline struct revtr_result expect_end(struct scene *s, enum revtr_stop stop, unsigned hops)
{
	struct revtr_result result;
	struct revtr_task task;
	assert_false(revtr_engine_next(s->engine, s->now_ns, &task, &(int64_t){0}));
	assert_true(revtr_engine_finished(s->engine, &result));
	assert_int_equal(result.stop, stop);
	assert_int_equal(result.hop_count, hops);
	return result;
}

static inline void submit_for(struct scene *s, uint32_t destination)
{
	uint32_t id;
	s->now_ns += 20 * NS_PER_S;
	assert_int_equal(revtr_engine_submit(s->engine, s->source, addr_v4(destination), s->now_ns, &id), 0);
}

/* The source is too far for Record Route, and the way there is known. The next task asks for times. */
static inline void come_to_the_list(struct scene *s, const uint32_t *routers, unsigned count)
{
	scene_init(s, alone());
	submit_for(s, DESTINATION);
	struct revtr_task task = expect_task(s, REVTR_RR_PING, HERE, DESTINATION);
	answer_full(s, &task);
	task = expect_task(s, REVTR_TRACEROUTE, HERE, DESTINATION);
	answer_trace(s, &task, routers, count);
}

#endif
