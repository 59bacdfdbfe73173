/* Rounds that take several flows in turn, as lists of events: each flow has its own way, loss and changes,
 * and the timeline above them is their sum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "path/history.h"

#define HOPS 4 /* 1 shared, 2 a router for each flow, 3 shared, 4 the destination */

struct fold {
	struct timeline timeline;
	struct history history;
	uint32_t probe, round;
	unsigned changes; /* that were news */
};

static const struct flow flows[] = {{.source_port = 50001}, {.source_port = 50002}, {.source_port = 50003}};

static void begin(struct fold *fold, unsigned count)
{
	memset(fold, 0, sizeof(*fold));
	timeline_init(&fold->timeline, NS_PER_S);
	history_init(&fold->history, NS_PER_S, 1000000);
	assert_int_equal(timeline_take_flows(&fold->timeline, flows, count), 0);
	assert_int_equal(timeline_take_flows(&fold->history.base, flows, count), 0);
}

static void end(struct fold *fold)
{
	timeline_deinit(&fold->timeline);
	history_deinit(&fold->history);
}

static void apply(struct fold *fold, const struct watch_event *event)
{
	fold->changes += timeline_apply(&fold->timeline, event);
	history_add(&fold->history, event);
}

static struct addr router(unsigned ttl, unsigned which)
{
	return addr_v4(0xc0000200 + 16 * ttl + which);
}

/* One probe: who answers, after how long; 0 ms = lost. */
static void probe(struct fold *fold, uint8_t flow, uint8_t ttl, struct addr from, int ms)
{
	int64_t sent_ns = fold->round * NS_PER_S + ttl * 100 * NS_PER_MS;
	struct probe_result answer = probe_result_none();
	struct watch_event event = {.kind = WATCH_SENT,
		.at_ns = sent_ns,
		.sent_ns = sent_ns,
		.probe = ++fold->probe,
		.round = fold->round,
		.ttl = ttl,
		.flow = flow};
	apply(fold, &event);
	answer.address = from;
	answer.rtt_ns = ms * NS_PER_MS;
	event.kind = ms ? WATCH_ANSWER : WATCH_LOST;
	event.at_ns += ms * NS_PER_MS;
	event.answer = ms ? &answer : NULL;
	event.reached = ms && ttl == HOPS;
	apply(fold, &event);
}

static void close_round(struct fold *fold, uint8_t flow)
{
	struct watch_event event = {.kind = WATCH_ROUND,
		.at_ns = (fold->round + 1) * NS_PER_S - 1,
		.round = fold->round,
		.flow = flow};
	apply(fold, &event);
	fold->round++;
}

/* A round of `flow` over its router at hop 2; lost from there on where `lost`. */
static void take_turn(struct fold *fold, uint8_t flow, unsigned at_two, bool lost)
{
	probe(fold, flow, 1, router(1, 0), 2);
	probe(fold, flow, 2, router(2, at_two), lost ? 0 : 10 + (int)flow);
	probe(fold, flow, 3, router(3, 0), lost ? 0 : 20 + (int)flow);
	probe(fold, flow, 4, router(4, 0), lost ? 0 : 30 + (int)flow);
	close_round(fold, flow);
}

/* Two flows meet two routers in turns: that is no change, and each router has its own row. */
static void test_turns_are_no_changes(void **state)
{
	(void)state;
	struct fold fold;
	struct timeline_branch branches[TIMELINE_FLOWS];
	begin(&fold, 2);
	for (unsigned i = 0; i < 20; i++)
		take_turn(&fold, (uint8_t)(i % 2), 1 + i % 2, false);
	assert_int_equal(fold.changes, 0);
	assert_int_equal(fold.timeline.changes_ever, 0);
	assert_int_equal(fold.timeline.end, HOPS);
	assert_int_equal(fold.timeline.rounds, 20);
	assert_int_equal(fold.timeline.sent, 20 * HOPS);
	assert_int_equal(timeline_branches(&fold.timeline, 1, branches), 1);
	assert_int_equal(branches[0].flows, 3);
	assert_int_equal(branches[0].series.received, 20);
	assert_int_equal(timeline_branches(&fold.timeline, 2, branches), 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(addr_equal(branches[i].address, router(2, 1 + i)));
		assert_int_equal(branches[i].flows, 1u << i);
		assert_int_equal(branches[i].series.received, 10);
		assert_int_equal(branches[i].median_ns, (10 + i) * NS_PER_MS);
	}
	/* The destination is told for each flow. */
	assert_int_equal(timeline_branches(&fold.timeline, 4, branches), 2);
	assert_true(branches[0].reached && branches[1].reached);
	assert_int_equal(branches[1].series.best_ns, 31 * NS_PER_MS);
	end(&fold);
}

/* Every third probe of one flow is lost from hop 2 on: its loss is on its rows only, and the sum has all of
 * it. */
static void test_loss_of_one_flow(void **state)
{
	(void)state;
	struct fold fold;
	struct timeline_branch branches[TIMELINE_FLOWS];
	begin(&fold, 2);
	for (unsigned i = 0; i < 60; i++)
		take_turn(&fold, (uint8_t)(i % 2), 1 + i % 2, i % 6 == 1);
	for (unsigned ttl = 2; ttl <= HOPS; ttl++) {
		struct loss sum = timeline_loss(&fold.timeline, ttl);
		struct loss good = timeline_loss(fold.timeline.flows[0], ttl);
		struct loss bad = timeline_loss(fold.timeline.flows[1], ttl);
		assert_int_equal(sum.sent, 60);
		assert_int_equal(sum.lost, 10);
		assert_int_equal(good.sent, 30);
		assert_int_equal(good.lost, 0);
		assert_int_equal(bad.lost, 10);
	}
	assert_int_equal(timeline_loss(&fold.timeline, 1).lost, 0);
	assert_int_equal(timeline_branches(&fold.timeline, 2, branches), 2);
	assert_int_equal(branches[0].loss.lost, 0);
	assert_int_equal(branches[1].loss.lost, 10);
	assert_int_equal(branches[1].loss.sent, 30);
	/* Behind the routers that part them, the flows share one: its row has both. */
	assert_int_equal(timeline_branches(&fold.timeline, 3, branches), 1);
	assert_int_equal(branches[0].loss.lost, 10);
	const struct series *now = &timeline_hop(&fold.timeline, 3)->now;
	assert_int_equal(now->received, 50);
	assert_int_equal(now->lost, 10);
	assert_int_equal(now->best_ns, 20 * NS_PER_MS);
	/* 30 answers after 20 ms, 20 after 21. */
	assert_true(now->mean_ns > 20.399e6 && now->mean_ns < 20.401e6);
	double deviation = series_deviation_ns(now); /* sqrt(50 * 0.4 * 0.6 / 49) ms */
	assert_true(deviation > 0.4948e6 && deviation < 0.4950e6);
	assert_int_equal(fold.timeline.changes_ever, 0);
	end(&fold);
}

/* The way of one flow moves: one change, of that flow. */
static void test_change_of_one_flow(void **state)
{
	(void)state;
	struct fold fold;
	begin(&fold, 2);
	for (unsigned i = 0; i < 40; i++)
		take_turn(&fold, (uint8_t)(i % 2), i % 2 == 0 ? 1 : i < 20 ? 2 : 3, false);
	assert_int_equal(fold.changes, 1);
	assert_int_equal(fold.timeline.changes_ever, 1);
	const struct timeline_change *change = &fold.timeline.changes[0];
	assert_int_equal(change->flows, 2);
	assert_int_equal(change->first_ttl, 2);
	assert_true(addr_equal(change->before, router(2, 2)));
	assert_true(addr_equal(change->after, router(2, 3)));
	/* Three answers of this flow, which has every second round: rounds 21, 23 and 25. */
	assert_int_equal(change->noticed_ns / NS_PER_S, 25);
	assert_int_equal(change->at_ns / NS_PER_S, 21);
	/* The router that is gone is an old one, those of both flows are present. */
	const struct timeline_hop *hop = timeline_hop(&fold.timeline, 2);
	assert_int_equal(hop->responder_count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(hop->responders[i].state,
			addr_equal(hop->responders[i].address, router(2, 2)) ? RESPONDER_OLD : RESPONDER_NOW);
	end(&fold);
}

/* A router that all flows share is replaced: all of them meet that, and it is told once. */
static void test_change_for_all(void **state)
{
	(void)state;
	struct fold fold;
	begin(&fold, 3);
	for (unsigned i = 0; i < 60; i++) {
		uint8_t flow = (uint8_t)(i % 3);
		probe(&fold, flow, 1, router(1, i >= 30), 2);
		probe(&fold, flow, 2, router(2, 1 + flow), 10);
		probe(&fold, flow, 3, router(3, 0), 20);
		probe(&fold, flow, 4, router(4, 0), 30);
		close_round(&fold, flow);
	}
	assert_int_equal(fold.changes, 1);
	assert_int_equal(fold.timeline.changes_ever, 1);
	assert_int_equal(fold.timeline.changes[0].flows, 7);
	assert_int_equal(fold.timeline.changes[0].first_ttl, 1);
	end(&fold);
}

/* A way that is longer than the other: both are told as far as they go. */
static void test_unequal_lengths(void **state)
{
	(void)state;
	struct fold fold;
	struct timeline_branch branches[TIMELINE_FLOWS];
	begin(&fold, 2);
	for (unsigned i = 0; i < 20; i++) {
		uint8_t flow = (uint8_t)(i % 2);
		if (flow == 0) {
			take_turn(&fold, 0, 1, false);
			continue;
		}
		for (uint8_t ttl = 1; ttl < 5; ttl++) {
			/* probe() has the destination at hop 4: a router stands there for this flow. */
			if (ttl == HOPS) {
				int64_t sent_ns = fold.round * NS_PER_S;
				struct probe_result answer = probe_result_none();
				answer.address = router(4, 1);
				answer.rtt_ns = NS_PER_MS;
				struct watch_event event = {.kind = WATCH_ANSWER,
					.at_ns = sent_ns,
					.sent_ns = sent_ns,
					.probe = ++fold.probe,
					.round = fold.round,
					.ttl = ttl,
					.flow = 1,
					.answer = &answer};
				apply(&fold, &event);
				answer.address = router(4, 0);
				event.ttl = 5;
				event.reached = true;
				apply(&fold, &event);
			} else {
				probe(&fold, 1, ttl, router(ttl, 2), 5);
			}
		}
		close_round(&fold, 1);
	}
	assert_int_equal(fold.timeline.changes_ever, 0);
	assert_int_equal(fold.timeline.flows[0]->end, 4);
	assert_int_equal(fold.timeline.flows[1]->end, 5);
	assert_int_equal(timeline_last(&fold.timeline), 5);
	assert_int_equal(timeline_branches(&fold.timeline, 5, branches), 1);
	assert_int_equal(branches[0].flows, 2);
	end(&fold);
}

/* A verdict on a router holds for all flows that meet it, and for nobody else at that hop limit. */
static void test_verdict_is_shared(void **state)
{
	(void)state;
	struct fold fold;
	begin(&fold, 3);
	for (unsigned i = 0; i < 30; i++)
		take_turn(&fold, (uint8_t)(i % 3), i % 3 == 0 ? 1 : 2, false);
	struct watch_event event = {
		.kind = WATCH_LIMIT, .ttl = 2, .flow = 1, .limit = LIMIT_LIMITS, .asked = 9, .answered = 9};
	apply(&fold, &event);
	assert_int_equal(timeline_hop(fold.timeline.flows[0], 2)->limit, LIMIT_UNKNOWN);
	assert_int_equal(timeline_hop(fold.timeline.flows[1], 2)->limit, LIMIT_LIMITS);
	assert_int_equal(timeline_hop(fold.timeline.flows[2], 2)->limit, LIMIT_LIMITS);
	assert_int_equal(timeline_hop(&fold.timeline, 2)->limit, LIMIT_LIMITS);
	end(&fold);
}

/* The past is the same fold; an event of a flow that there is not is ignored. */
static void test_history(void **state)
{
	(void)state;
	struct fold fold;
	struct timeline past;
	struct timeline_branch branches[TIMELINE_FLOWS];
	begin(&fold, 2);
	for (unsigned i = 0; i < 60; i++)
		take_turn(&fold, (uint8_t)(i % 2), 1 + i % 2, i % 6 == 1);
	struct watch_event stray = {.kind = WATCH_SENT, .ttl = 3, .flow = 2, .at_ns = 60 * NS_PER_S};
	apply(&fold, &stray);
	assert_int_equal(timeline_hop(&fold.timeline, 3)->in_flight, 0);
	assert_int_equal(history_at(&fold.history, 60 * NS_PER_S, &past), 0);
	assert_int_equal(timeline_path_id(&past), timeline_path_id(&fold.timeline));
	assert_int_equal(timeline_loss(&past, 4).lost, 10);
	timeline_deinit(&past);
	/* After round 29: half of it. */
	assert_int_equal(history_at(&fold.history, 30 * NS_PER_S - 1, &past), 0);
	assert_int_equal(timeline_branches(&past, 2, branches), 2);
	assert_int_equal(branches[1].loss.sent, 15);
	assert_int_equal(branches[1].loss.lost, 5);
	timeline_deinit(&past);
	end(&fold);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turns_are_no_changes),
		cmocka_unit_test(test_loss_of_one_flow),
		cmocka_unit_test(test_change_of_one_flow),
		cmocka_unit_test(test_change_for_all),
		cmocka_unit_test(test_unequal_lengths),
		cmocka_unit_test(test_verdict_is_shared),
		cmocka_unit_test(test_history),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
