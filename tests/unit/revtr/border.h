/* An engine that is asked for one way back, fed by hand: its source is too far for Record Route. Include
 * cmocka.h before. */
#ifndef RETOUR_TESTS_REVTR_BORDER_H
#define RETOUR_TESTS_REVTR_BORDER_H

#include "by_hand.h"

#define OWN_ROUTER 0xcb0071feu /* the first router on the way there */
#define BORDER	   0xc0000209u /* network 2's address on network 3's router */
#define NOBODY	   0xf0000001u /* 240.0.0.1 */
#define HERE	   2	       /* the source's agent */

/* Two sites that may send in the source's name, of which the first is nearer to the destination. */
static inline void scene_init(struct scene *s, struct revtr_options options)
{
	static const struct revtr_site sites[] = {{0, true}, {1, true}};
	scene_open(s, sites, HERE, options);
}

static inline struct revtr_options alone(void)
{
	struct revtr_options options = revtr_options_published();
	options.spoofed = false;
	options.timestamps = true;
	return options;
}

/* Longer than anything is waited for. */
static inline void let_time_pass(struct scene *s)
{
	(void)expect_nothing(s);
	s->now_ns += 20 * NS_PER_S;
}

/* Nine routers wrote themselves down before the packet was there. */
static inline void answer_full(struct scene *s, const struct revtr_task *task)
{
	uint32_t routers[9];
	for (uint32_t i = 0; i < 9; i++)
		routers[i] = 0x08080800u + i;
	answer_list(s, task, routers, 9);
}

static inline void answer_home(struct scene *s, const struct revtr_task *task)
{
	answer_list(s, task, (uint32_t[]){(uint32_t)task->target.low, SOURCE}, 2);
}

static inline struct revtr_answer stamped(const struct revtr_task *task, uint8_t stamps, uint32_t apart_ms)
{
	struct revtr_answer answer = {.task = task->id,
		.answered = true,
		.from = task->target,
		.times = {.present = true, .flag = 3, .slots = (uint8_t)task->listed_count, .used = stamps}};
	for (unsigned i = 0; i < task->listed_count; i++) {
		answer.times.addrs[i] = task->listed[i];
		answer.times.times[i] = i < stamps ? 1000 + i * apart_ms : 0;
	}
	return answer;
}

static inline void answer_times(
	struct scene *s, const struct revtr_task *task, uint8_t stamps, uint32_t apart_ms)
{
	struct revtr_answer answer = stamped(task, stamps, apart_ms);
	revtr_engine_answer(s->engine, &answer, s->now_ns);
}

static inline void submit_for(struct scene *s, uint32_t destination)
{
	s->now_ns += 20 * NS_PER_S;
	submit(s, destination);
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
