/* Reverse traceroute without cooperation, judged in generated worlds.
 *
 *   revtr ASES SITES PAIRS SEED [ROW...]
 *
 * REVTR_AT_ONCE in the environment: so many measurements begin at once (200).
 *
 * A world of the profile `today`; SITES agents of which a third can send in the source's name; SOURCES
 * sources, and PAIRS (source, destination) pairs drawn among hosts that can be reached both ways. Each source
 * has an atlas of traceroutes from the sites and from hosts in a twentieth of the ASes, none of which has a
 * destination. Prints for each row
 *
 *   ROW|ASES|SITES|SEED|ASKED|PINGED|COMPLETE|RAW|ANY|MEASURED|MEASURED_TRUE|INFERRED|INFERRED_TRUE|ASSUMED|
 *   ASSUMED_TRUE|AS_WRONG|AS_EXACT|OPTION_PACKETS|TRACES|MEDIAN_S|P90_S|BUSIEST|PER_SECOND|MEMORY|COUNTED|COUNTED_TRUE|GAPS|GAPS_TRUE|
 *   UNDER_WAY
 *
 * COMPLETE: paths that end at the source without a hop assumed between networks; RAW: with those, too; ANY:
 * with at least one hop that is measured. MEASURED ... ASSUMED_TRUE count hops with an address, source left
 * out. AS_WRONG: paths with a hop in a network that is not on the way; AS_EXACT: complete ones that show
 * every network of it. BUSIEST: packets with options that one router saw in one second. PER_SECOND: finished
 * measurements in a second of this processor's time, simulator included. MEMORY: bytes for each measurement
 * at most under way at once, with what is remembered of earlier ones; UNDER_WAY: without it. COUNTED:
 * complete paths with the number of their routers by a hop limit, shown and missing; GAPS: those that miss
 * some. Then
 *
 *   ROW-calibration|ASES|SITES|SEED|PERCENT|HOPS|STATED|RIGHT   hops by the probability that was stated
 *   ROW-wrong|ASES|SITES|SEED|TECHNIQUE|PATHS		      what came right before the first wrong network
 *   ROW-survey|ASES|SITES|SEED|PACKETS			      beforehand
 *
 * The row `selection` is the choice of agents (selection.c). */
#include "evaluation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "path/words.h"

void die(const char *what)
{
	fprintf(stderr, "revtr: %s\n", what);
	exit(1);
}

void *need(void *memory)
{
	if (!memory)
		die("out of memory");
	return memory;
}

uint32_t number_of(struct addr address)
{
	return address.family == 4 ? (uint32_t)address.low : 0;
}

struct addr host_address(const struct evaluation *e, uint32_t host)
{
	return world_node_address(e->world, host, 4);
}

/* ---- the busiest router */

struct busy {
	const struct world *world;
	struct sim *sim;
	unsigned *count;
	int64_t *second;
	unsigned most;
};

static void count_options(
	void *context, uint32_t interface, bool arrives_there, const uint8_t *bytes, size_t length)
{
	struct busy *busy = context;
	uint32_t node = busy->world->interfaces[interface].node;
	if (!arrives_there || length == 0 || bytes[0] >> 4 != 4 || (bytes[0] & 15) <= 5 ||
		busy->world->nodes[node].is_host)
		return;
	int64_t second = sim_now(busy->sim) / NS_PER_S;
	if (busy->second[node] != second)
		busy->count[node] = 0;
	busy->second[node] = second;
	busy->most = MAX(busy->most, ++busy->count[node]);
}

static int compare_doubles(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return left < right ? -1 : left > right;
}

static void done(void *context, const struct revtr_result *result)
{
	struct evaluation *e = context;
	judge(e, result);
	size_t under_way;
	if (e->tally.asked % 50 != 1)
		return;
	e->memory = MAX(e->memory, revtr_engine_bytes(e->engine, &under_way) / e->at_once);
	e->under_way = MAX(e->under_way, under_way / e->at_once);
}

/* What agents were asked, until they answer; by number. */
#define ASKED_ROOM 65536
static struct revtr_task tasks[ASKED_ROOM];

static void run(struct evaluation *e, const struct row *row, struct revtr_engine *engine, struct virtual *v,
	struct sim *sim)
{
	struct revtr_task task;
	struct revtr_answer answer;
	struct revtr_result result;
	int64_t sorted_ns = sim_now(sim);
	for (;;) {
		int64_t wake_ns;
		while (revtr_engine_next(engine, sim_now(sim), &task, &wake_ns)) {
			tasks[task.id % ASKED_ROOM] = task;
			virtual_do(v, &task, e->sources[task.source]);
		}
		while (revtr_engine_finished(engine, &result))
			done(e, &result);
		if (revtr_engine_busy(engine) == 0)
			return;
		if (!virtual_answer(v, wake_ns, &answer)) {
			if (wake_ns == TIME_NEVER)
				return;
			continue;
		}
		const struct revtr_task *asked = &tasks[answer.task % ASKED_ROOM];
		if (!row->survey && asked->id == answer.task && asked->probe == REVTR_RR_PING &&
			asked->spoofed)
			learn_distance(e, asked, &answer);
		if (!row->survey && sim_now(sim) - sorted_ns > 60 * NS_PER_S) {
			sorted_ns = sim_now(sim);
			ingress_sort(&e->learned);
		}
		revtr_engine_answer(engine, &answer, sim_now(sim));
	}
}

static void run_row(struct evaluation *e, const struct row *row)
{
	struct sim *sim = need(sim_new(e->world, e->seed));
	struct virtual *v = need(virtual_new(sim, e->hosts, e->agent_count));
	struct revtr_environment environment = {.ingress = row->survey ? &e->ingress : &e->learned,
		.sites = e->sites,
		.site_count = e->site_count,
		.asn = asn_of,
		.sibling = row->neighbours ? sibling_of : NULL,
		.context = e};
	struct revtr_engine *engine = need(revtr_engine_new(&row->options, &environment));
	struct busy busy = {e->world, sim, need(calloc(e->world->node_count, sizeof(unsigned))),
		need(calloc(e->world->node_count, sizeof(int64_t))), 0};
	uint32_t index, id;
	if (ingress_init(&e->learned, e->site_count) < 0)
		die("out of memory");
	ingress_sort(&e->learned);
	if (row->scheduled)
		survey_by_schedule(e, v, sim);
	for (unsigned i = 0; i < SOURCES; i++) {
		if (revtr_engine_add_source(engine, e->sources[i], e->site_count + i, &index) < 0)
			die("out of memory");
		load_atlas(e, engine, v, i, row);
	}
	e->engine = engine;
	e->memory = e->under_way = 0;
	e->tally = (struct tally){.seconds = need(calloc(e->pair_count, sizeof(double)))};
	e->by_id = need(calloc(e->pair_count + 1, sizeof(*e->by_id)));
	sim_set_tap(sim, count_options, &busy);
	clock_t started = clock();
	for (unsigned i = 0; i < e->pair_count; i++) {
		if (revtr_engine_submit(
			    engine, e->pairs[i].source, e->pairs[i].destination, sim_now(sim), &id) < 0)
			die("a pair is refused");
		e->by_id[id] = &e->pairs[i];
		if (revtr_engine_busy(engine) >= e->at_once || i + 1 == e->pair_count)
			run(e, row, engine, v, sim);
	}
	double took = (double)(clock() - started) / CLOCKS_PER_SEC;
	const struct tally *t = &e->tally;
	qsort(t->seconds, t->asked, sizeof(double), compare_doubles);
	printf("%s|%u|%u|%llu|%u|%u|%u|%u|%u|%u|%u|%u|%u|%u|%u|%u|%u|%u|%u|%.2f|%.2f|%u|%.0f|%zu|%u|%u|%u|%"
	       "u|%zu\n",
		row->name, e->ases, e->site_count, (unsigned long long)e->seed, t->asked, t->pinged,
		t->complete, t->raw, t->any, t->measured, t->measured_true, t->inferred, t->inferred_true,
		t->assumed, t->assumed_true, t->as_wrong, t->as_exact, t->option_packets, t->traces,
		t->seconds[t->asked / 2], t->seconds[t->asked * 9 / 10], busy.most, t->asked / took,
		e->memory, t->counted, t->counted_right, t->gaps, t->gaps_right, e->under_way);
	for (unsigned i = 0; i < 100; i++)
		if (t->by_probability[i].hops > 0)
			printf("%s-calibration|%u|%u|%llu|%u|%u|%.4f|%.4f\n", row->name, e->ases,
				e->site_count, (unsigned long long)e->seed, i, t->by_probability[i].hops,
				t->by_probability[i].stated / t->by_probability[i].hops,
				(double)t->by_probability[i].right / t->by_probability[i].hops);
	for (unsigned i = 0; i <= TECHNIQUE_INFERRED + 1; i++)
		if (t->wrong_after[i] > 0)
			printf("%s-wrong|%u|%u|%llu|%s|%u\n", row->name, e->ases, e->site_count,
				(unsigned long long)e->seed,
				i <= TECHNIQUE_INFERRED ? technique_word((enum technique)i)
							: "the destination",
				t->wrong_after[i]);
	printf("%s-survey|%u|%u|%llu|%u\n", row->name, e->ases, e->site_count, (unsigned long long)e->seed,
		row->scheduled	      ? e->scheduled
			: row->survey ? e->surveyed
				      : 0);
	fflush(stdout);
	ingress_deinit(&e->learned);
	free(busy.count);
	free(busy.second);
	free(e->tally.seconds);
	free(e->by_id);
	revtr_engine_free(engine);
	virtual_free(v);
	sim_free(sim);
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 5; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc == 5;
}

int main(int argc, char **argv)
{
	struct evaluation e = {0};
	struct row row;
	if (argc < 5) {
		fprintf(stderr, "usage: revtr ASES SITES PAIRS SEED [ROW...]\n");
		return 3;
	}
	e.ases = (unsigned)atoi(argv[1]);
	e.site_count = (unsigned)atoi(argv[2]);
	e.pair_count = (unsigned)atoi(argv[3]);
	e.seed = (uint64_t)atoll(argv[4]);
	e.at_once = getenv("REVTR_AT_ONCE") ? MAX(1u, (unsigned)atoi(getenv("REVTR_AT_ONCE"))) : 200;
	place_everything(&e);
	measure_beforehand(&e);
	if (wanted("selection", argc, argv))
		judge_selection(&e);
	for (unsigned i = 0; row_get(i, &row); i++)
		if (wanted(row.name, argc, argv))
			run_row(&e, &row);
	return 0;
}
