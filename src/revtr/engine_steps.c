/* The course of one measurement: hops are added from what is known, probed or assumed, until it is at the
 * source or nothing more can be said. */
#include <string.h>

#include "base/clock.h"
#include "revtr/engine_inside.h"

#define SIBLINGS_MAX 3

/* ---- hops */

uint32_t hop_address(const struct measurement_state *m, int index)
{
	return index < 0 ? m->destination : m->hops[index].address;
}

static bool on_path(const struct measurement_state *m, uint32_t address)
{
	for (unsigned i = 0; i < m->hop_count; i++)
		if (m->hops[i].address == address)
			return true;
	return address == m->destination;
}

/* How often such a step was right in worlds whose truth is known (docs/benchmarks.md, calibration). */
#define SURE_CHAIN   0.999f /* Record Route, the target by its own address */
#define SURE_GUESSED 0.998f /* the same, its place in the list by other rules */
#define SURE_ATLAS   0.999f
#define SURE_SPAN    0.98f
#define SURE_INTRA   0.998f
#define SURE_INTER   0.6f
/* A neighbour's list is less sure than what comes behind it: ways from one prefix soon come together. */
#define SURE_SIBLING	   0.966f
#define SURE_SIBLING_CHAIN 0.926f
/* Behind a router that forwards its own answers by another way than what it passes on: by its own, and by
 * those of others. */
#define SURE_OWN     0.5f
#define SURE_PASSING 0.9f

bool hop_add(struct measurement_state *m, struct revtr_hop hop)
{
	hop.probability *= m->faith;
	hop.left = -1;
	if (m->faith < 1 && hop.certainty == CERTAINTY_MEASURED)
		hop.certainty = CERTAINTY_INFERRED;
	if (m->hop_count == REVTR_HOPS_MAX || (hop.address != 0 && on_path(m, hop.address)))
		return false;
	m->hops[m->hop_count++] = hop;
	return true;
}

int hop_last_known(const struct measurement_state *m)
{
	for (int i = (int)m->hop_count - 1; i >= 0; i--)
		if (m->hops[i].address != 0)
			return i;
	return -1;
}

static void cut(struct measurement_state *m, int after)
{
	m->hop_count = (unsigned)(after + 1);
}

void hop_step_made(struct measurement_state *m, int from)
{
	m->siblings = 0;
	m->segment = from + 1;
	m->at = hop_last_known(m);
}

/* The trace that assumptions come from is kept as long as somebody goes back along it. */
static void follow_trace(struct revtr_engine *engine, struct measurement_state *m, uint32_t job)
{
	if (m->trace != JOB_NONE)
		engine->jobs[m->trace].readers--;
	m->trace = job;
	if (job != JOB_NONE)
		engine->jobs[job].readers++;
}

/* ---- the three ways to go on */

static struct revtr_hop hop_of(const struct tree_hop *from)
{
	static const struct {
		enum technique technique;
		enum certainty certainty;
		float sure;
	} kinds[] = {
		[TREE_TRACE] = {TECHNIQUE_ATLAS, CERTAINTY_MEASURED, SURE_ATLAS},
		[TREE_SPAN] = {TECHNIQUE_ATLAS_INTERVAL, CERTAINTY_INFERRED, SURE_SPAN},
		[TREE_CHAIN] = {TECHNIQUE_RECORD_ROUTE, CERTAINTY_MEASURED, SURE_CHAIN},
		[TREE_CHAIN_SPOOFED] = {TECHNIQUE_RECORD_ROUTE_SPOOFED, CERTAINTY_MEASURED, SURE_CHAIN},
	};
	return (struct revtr_hop){.address = from->address,
		.technique = (uint8_t)kinds[from->how].technique,
		.certainty = (uint8_t)kinds[from->how].certainty,
		.probability = kinds[from->how].sure,
		.evidence = from->evidence,
		.seen_ns = from->seen_ns};
}

static uint32_t network_of(const struct revtr_engine *engine, uint32_t address)
{
	return address ? engine->environment.asn(engine->environment.context, address) : 0;
}

/* Hops that may lie before the router that was asked about are left out where their network is neither its
 * own nor that of the first hop behind them: they do. */
static unsigned leave_out_earlier(
	const struct revtr_engine *engine, uint32_t address, struct tree_hop *hops, unsigned count)
{
	unsigned span = 0, kept = 0;
	while (span < count && hops[span].how == TREE_SPAN)
		span++;
	uint32_t own = network_of(engine, address),
		 behind = span < count ? network_of(engine, hops[span].address) : 0;
	for (unsigned i = 0; i < count; i++) {
		uint32_t network = i < span ? network_of(engine, hops[i].address) : 0;
		if (network == 0 || network == own || network == behind)
			hops[kept++] = hops[i];
	}
	return kept;
}

/* A hop of the last segment from which the tree knows the rest. */
static bool by_tree(struct revtr_engine *engine, struct measurement_state *m)
{
	struct tree *tree = &engine->sources[m->source].tree;
	struct tree_hop hops[TREE_WALK_MAX];
	for (int i = hop_last_known(m); i >= m->segment && i >= -1; i--) {
		bool reached = false;
		uint32_t address = hop_address(m, i);
		unsigned count = address ? tree_walk(tree, address, engine->now_ns, hops, &reached) : 0;
		if (count == 0 || !reached)
			continue;
		cut(m, i);
		count = leave_out_earlier(engine, address, hops, count);
		for (unsigned j = 0; j < count; j++) {
			if (tree_by_origin(tree, j > 0 ? hops[j - 1].address : address, engine->now_ns))
				m->faith *= SURE_PASSING;
			(void)hop_add(m, hop_of(&hops[j]));
		}
		tree_note_use(tree, hops, count, engine->now_ns);
		return true;
	}
	return false;
}

/* Would a network on the way be left on the word of somebody in the prefix of one of its routers? That may be
 * anywhere in it, and leave it elsewhere. */
static bool leaves_elsewhere(
	const struct revtr_engine *engine, const struct measurement_state *m, const struct job *job)
{
	uint32_t network = network_of(engine, hop_address(m, hop_last_known(m)));
	unsigned first = 0;
	while (first < job->chain_count && job->chain[first] == 0)
		first++;
	return m->sibling && network != network_of(engine, m->destination) && first < job->chain_count &&
		network != network_of(engine, job->chain[first]);
}

static bool by_chain(struct revtr_engine *engine, struct measurement_state *m, const struct job *job)
{
	unsigned before = m->hop_count;
	int from = m->sibling ? hop_last_known(m) : m->at;
	if (leaves_elsewhere(engine, m, job))
		return false;
	struct revtr_hop kept[REVTR_HOPS_MAX];
	memcpy(kept, m->hops, before * sizeof(*kept));
	float faith = m->faith;
	cut(m, from);
	unsigned start = m->hop_count;
	m->faith *= m->sibling ? SURE_SIBLING : job->certain ? 1 : SURE_GUESSED;
	if (from >= 0 && tree_by_origin(&engine->sources[m->source].tree, job->target, engine->now_ns))
		m->faith *= SURE_OWN;
	for (unsigned i = 0; i < job->chain_count; i++)
		if (!hop_add(m,
			    (struct revtr_hop){.address = job->chain[i],
				    .technique = job->spoofed ? TECHNIQUE_RECORD_ROUTE_SPOOFED
							      : TECHNIQUE_RECORD_ROUTE,
				    .certainty = CERTAINTY_MEASURED,
				    .probability = m->sibling ? SURE_SIBLING_CHAIN : SURE_CHAIN,
				    .evidence = job->evidence,
				    .seen_ns = engine->now_ns}))
			break;
	if (hop_last_known(m) >= (int)start) {
		hop_step_made(m, from);
		return true;
	}
	memcpy(m->hops, kept, before * sizeof(*kept));
	m->hop_count = before;
	m->faith = faith;
	return false;
}

/* The place of the last hop in the trace there; the destination's is its end. -1: not in it. */
static int place_in(const struct job *trace, uint32_t address)
{
	for (int i = (int)trace->router_count - 1; i >= 0; i--)
		if (trace->routers[i] == address)
			return i;
	return -1;
}

/* The first with an address of another network: that may be the last router of this one still, so the address
 * says nothing of what comes next. */
static bool at_border(const struct revtr_engine *engine, const struct measurement_state *m, int hop)
{
	const struct revtr_environment *environment = &engine->environment;
	int before = hop - 1;
	if (hop < 0 ||
		(m->hops[hop].technique != TECHNIQUE_TIMESTAMP &&
			m->hops[hop].technique != TECHNIQUE_TIMESTAMP_SPOOFED))
		return false;
	while (before >= 0 && m->hops[before].address == 0)
		before--;
	uint32_t asn = environment->asn(environment->context, hop_address(m, hop));
	return asn == 0 || asn != environment->asn(environment->context, hop_address(m, before));
}

/* The two are not as many routers apart on their ways to the source as they are on the way there. */
static bool counts_contradict(
	const struct revtr_engine *engine, const struct job *trace, int place, int before)
{
	if (!engine->options.counts || before < 0 || place >= (int)trace->router_count ||
		trace->lefts[place] < 0 || trace->lefts[before] < 0)
		return false;
	return trace->lefts[place] - trace->lefts[before] != place - before;
}

/* The router before the last hop on the way there is behind it on the way back. */
static struct revtr_hop symmetric_hop(bool inside)
{
	return inside ? (struct revtr_hop){.technique = TECHNIQUE_SYMMETRIC_INTRA,
				.certainty = CERTAINTY_ASSUMED,
				.probability = SURE_INTRA}
		      : (struct revtr_hop){.technique = TECHNIQUE_SYMMETRIC_INTER,
				.certainty = CERTAINTY_ASSUMED,
				.probability = SURE_INTER};
}

static bool add_symmetric(
	struct revtr_engine *engine, struct measurement_state *m, struct revtr_hop hop, int silent)
{
	int last = hop_last_known(m);
	m->faith *= hop.probability;
	for (int i = 0; i < silent; i++)
		(void)hop_add(m, (struct revtr_hop){.technique = hop.technique, .certainty = hop.certainty});
	hop.probability = 1;
	hop.seen_ns = engine->now_ns;
	if (!hop_add(m, hop))
		return false;
	hop_step_made(m, last);
	return true;
}

/* The router before the last hop on the way there. *stop: why not. */
static bool by_symmetry(struct revtr_engine *engine, struct measurement_state *m, const struct job *trace,
	enum revtr_stop *stop)
{
	int last = hop_last_known(m),
	    place = m->trace_place >= 0 ? m->trace_place : place_in(trace, hop_address(m, last));
	*stop = REVTR_UNRESPONSIVE;
	bool silent = !trace->reached && last < 0 && engine->options.fallback;
	if (silent)
		place = (int)trace->router_count;
	if ((!trace->reached && !silent) || place < 0)
		return false;
	int before = place - 1;
	while (before >= 0 && trace->routers[before] == 0)
		before--;
	uint32_t next = before < 0 ? engine->sources[m->source].address : trace->routers[before];
	uint32_t asn = engine->environment.asn(engine->environment.context, hop_address(m, last));
	bool inside = asn != 0 && asn == engine->environment.asn(engine->environment.context, next);
	bool doubted = at_border(engine, m, last) || counts_contradict(engine, trace, place, before);
	if (measurement_ask_times(engine, m, trace, place, before))
		return true;
	if ((!inside || doubted) && !engine->options.symmetry_inter) {
		*stop = REVTR_INTERDOMAIN;
		return false;
	}
	if (!engine->options.symmetry_intra && inside)
		return false;
	if (measurement_ask_stamp(engine, m, next))
		return true;
	if (next == m->unstamped && m->stamp_refuted) {
		*stop = REVTR_INTERDOMAIN;
		return false;
	}
	struct revtr_hop hop = symmetric_hop(inside);
	hop.address = next;
	if (!add_symmetric(engine, m, hop, place - before - 1))
		return false;
	m->trace_place = before;
	return true;
}

/* ---- the course of a measurement */

/* Of its hops, whoever asked for them. */
static void note_what_is_known(const struct revtr_engine *engine, struct measurement_state *m)
{
	const struct tree *tree = &engine->sources[m->source].tree;
	if (m->left < 0)
		m->left = (int16_t)tree_left(tree, m->destination, engine->now_ns);
	for (unsigned i = 0; i < m->hop_count; i++) {
		struct revtr_hop *hop = &m->hops[i];
		hop->by_origin = tree_by_origin(tree, hop->address, engine->now_ns);
		if (hop->left < 0)
			hop->left = (int16_t)tree_left(tree, hop->address, engine->now_ns);
	}
}

static void end(struct revtr_engine *engine, uint32_t index, enum revtr_stop stop)
{
	struct measurement_state *m = &engine->measurements[index];
	uint32_t last = hop_address(m, hop_last_known(m));
	bool at_home = m->elsewhere && network_of(engine, last) == network_of(engine, m->destination);
	follow_trace(engine, m, JOB_NONE);
	if (at_home && (stop == REVTR_UNRESPONSIVE || stop == REVTR_INTERDOMAIN))
		stop = REVTR_ELSEWHERE;
	m->stop = m->refused && (stop == REVTR_UNRESPONSIVE || stop == REVTR_INTERDOMAIN) ? REVTR_REFUSED
											  : stop;
	m->over = true;
	m->finished_ns = engine->now_ns;
	note_what_is_known(engine, m);
	m->next_finished = UINT32_MAX;
	if (engine->finished_first == UINT32_MAX)
		engine->finished_first = index;
	else
		engine->measurements[engine->finished_last].next_finished = index;
	engine->finished_last = index;
	engine->busy--;
}

static bool at_source(const struct revtr_engine *engine, const struct measurement_state *m)
{
	return m->hop_count > 0 && m->hops[m->hop_count - 1].address == engine->sources[m->source].address;
}

/* Somebody else in the prefix of the last hop, of whom more may be known. */
static bool by_sibling(struct revtr_engine *engine, struct measurement_state *m)
{
	const struct revtr_environment *environment = &engine->environment;
	m->sibling = 0;
	if (!engine->options.siblings || !environment->sibling || m->siblings >= SIBLINGS_MAX)
		return false;
	uint32_t last = hop_address(m, hop_last_known(m)), other;
	do
		other = environment->sibling(environment->context, last, m->siblings++);
	while (other != 0 && (other == last || on_path(m, other)));
	m->sibling = other;
	return other != 0;
}

/* The job that is to be asked next, or JOB_NONE after the measurement has ended. */
static uint32_t next_job(struct revtr_engine *engine, uint32_t index)
{
	struct measurement_state *m = &engine->measurements[index];
	if (m->sibling)
		return job_get(engine, JOB_RECORD_ROUTE, m->source, m->sibling, index);
	if (m->stamp_asked)
		return job_get(engine, JOB_TIMESTAMP, m->source, m->unstamped, index);
	if (m->listed_count > 0)
		return job_get(engine, JOB_TIMESTAMP, m->source, hop_address(m, m->listed_at), index);
	bool ask = engine->options.direct || engine->options.spoofed;
	if (ask && m->at >= m->segment)
		return job_get(engine, JOB_RECORD_ROUTE, m->source, hop_address(m, m->at), index);
	if (m->trace != JOB_NONE)
		return m->trace;
	return job_get(engine, JOB_TRACE, m->source, hop_address(m, hop_last_known(m)), index);
}

/* Nothing that is measured goes on from here. false: that was all. */
static bool give_way(struct revtr_engine *engine, uint32_t index, enum revtr_stop stop)
{
	struct measurement_state *m = &engine->measurements[index];
	m->stop = stop; /* if nothing else helps */
	if (!at_border(engine, m, hop_last_known(m)) && by_sibling(engine, m))
		return true;
	end(engine, index, stop);
	return false;
}

static void note_left(struct measurement_state *m, int index, int left)
{
	if (index < 0)
		m->left = (int16_t)left;
	else
		m->hops[index].left = (int16_t)left;
}

/* One step with an answer that is there: false when the measurement has ended. */
static bool take_job(struct revtr_engine *engine, uint32_t index, uint32_t job_index)
{
	struct measurement_state *m = &engine->measurements[index];
	const struct job *job = &engine->jobs[job_index];
	enum revtr_stop stop;
	if (job->kind == JOB_RECORD_ROUTE) {
		m->rounds += job->rounds;
		m->refused |= job->refused;
		if (!m->sibling)
			note_left(m, m->at, job->left);
		m->elsewhere |= job->elsewhere;
		if (job->found && by_chain(engine, m, job)) {
			follow_trace(engine, m, JOB_NONE);
			m->trace_place = -1;
			m->sibling = 0;
		} else if (m->sibling) {
			return give_way(engine, index, m->stop);
		} else {
			/* Whose turn is it then? One hop back in the same segment, or nobody's. */
			do
				m->at--;
			while (m->at >= MAX(m->segment, 0) && m->hops[m->at].address == 0);
		}
		return true;
	}
	if (job->kind == JOB_TIMESTAMP)
		return measurement_by_times(engine, m, job) ||
			by_symmetry(engine, m, &engine->jobs[m->trace], &stop) ||
			give_way(engine, index, stop);
	follow_trace(engine, m, job_index);
	return by_symmetry(engine, m, job, &stop) || give_way(engine, index, stop);
}

void measurement_go_on(struct revtr_engine *engine, uint32_t index)
{
	uint32_t waited = engine->measurements[index].job;
	if (engine->measurements[index].over)
		return;
	engine->measurements[index].job = JOB_NONE;
	if (waited != JOB_NONE && !take_job(engine, index, waited))
		return;
	for (;;) {
		struct measurement_state *m = &engine->measurements[index];
		if (at_source(engine, m) || by_tree(engine, m)) {
			end(engine, index, at_source(engine, m) ? REVTR_REACHED : REVTR_TOO_LONG);
			return;
		}
		if (m->hop_count >= REVTR_HOPS_MAX - 1) {
			end(engine, index, REVTR_TOO_LONG);
			return;
		}
		uint32_t job = next_job(engine, index);
		if (job == JOB_NONE) {
			end(engine, index, REVTR_UNRESPONSIVE);
			return;
		}
		if (engine->jobs[job].stage != STAGE_DONE) {
			job_wait(engine, job, index);
			return;
		}
		if (!take_job(engine, index, job))
			return;
	}
}

/* Its job goes on with what is on its way, and then ends (engine_jobs.c). */
void measurement_cancel(struct revtr_engine *engine, uint32_t index)
{
	struct measurement_state *m = &engine->measurements[index];
	if (m->over)
		return;
	uint32_t *place = m->job != JOB_NONE ? &engine->jobs[m->job].first_waiter : NULL;
	while (place && *place != JOB_NONE && *place != index)
		place = &engine->measurements[*place].next_waiter;
	if (place && *place == index)
		*place = m->next_waiter;
	m->job = JOB_NONE;
	end(engine, index, REVTR_CANCELLED);
}
