/* Agents that answer whatever they like, late, twice, or not at all: the engine asks for nothing that nobody
 * may do, all measurements come to an end, and what they find is within bounds. The first two bytes choose
 * options; then each byte is something that happens, with bytes of its own. */
#include <string.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "fuzz.h"
#include "revtr/engine.h"

#define SITES	      3 /* the source's agent comes after them; the first may not spoof */
#define SOURCE	      0xcb007101u
#define TASKS_MAX     64
#define TURNS_MAX     100000 /* after the input, until all has ended */
#define SUBMITTED_MAX 16

/* Three networks, told by the third byte. The last ones cannot be asked or are nobody's. */
static const uint32_t known[] = {SOURCE, SOURCE + 1, 0xcb0071fe, 0xc0000205, 0xc0000209, 0xc000020d,
	0xc6336401, 0xc6336402, 0xc6336409, 0xc633640a, 0xc63364fe, 0x08080801, 0x08080802, 0x0a000001,
	0x7f000001, 0};

struct run {
	struct ingress ingress;
	struct revtr_site sites[SITES];
	struct revtr_engine *engine;
	uint32_t source;
	int64_t now_ns;
	struct revtr_task tasks[TASKS_MAX]; /* the last ones that were given out */
	unsigned task_count;
	uint32_t ids[SUBMITTED_MAX];
	unsigned submitted;
};

static uint32_t asn_of(void *context, uint32_t address)
{
	(void)context;
	return address >> 8 == SOURCE >> 8 ? 1
		: address >> 8 == 0xc00002 ? 2
		: address >> 8 == 0xc63364 ? 3
					   : 0;
}

static uint32_t sibling_of(void *context, uint32_t address, unsigned number)
{
	(void)context;
	return number < 2 ? (address & ~0xffu) + 20 + number : 0;
}

static struct addr pick(struct cursor *bytes)
{
	uint8_t byte = cursor_u8(bytes);
	if (byte == 0xff)
		return ADDR_NONE;
	if (byte == 0xfe)
		return addr_v6(0x20010db800000000, 0xc6336409);
	return addr_v4(known[byte % ARRAY_LEN(known)] + (byte >> 6));
}

static void check_task(const struct run *run, const struct revtr_task *task)
{
	CHECK(task->id > 0 && task->id <= REVTR_TASK_MAX);
	CHECK(task->target.family == 4 && task->target.low != 0);
	CHECK(task->agent <= SITES && task->source == run->source);
	/* The last site may for a time: what was decided then may still be under way. */
	CHECK(!task->spoofed || (task->agent > 0 && task->agent < SITES));
	CHECK(task->spoofed || task->agent == SITES || task->probe == REVTR_TRACEROUTE);
	CHECK(task->listed_count <= REVTR_LISTED_MAX);
	CHECK(task->probe != REVTR_TS_PING || task->listed_count > 0);
}

static void check_finished(struct run *run)
{
	struct revtr_result result;
	struct revtr_gap gaps[REVTR_HOPS_MAX + 1];
	while (revtr_engine_finished(run->engine, &result)) {
		CHECK(result.stop != REVTR_GOING_ON && revtr_stop_text(result.stop));
		CHECK(result.hop_count <= REVTR_HOPS_MAX);
		CHECK(result.finished_ns >= result.started_ns);
		for (unsigned i = 0; i < result.hop_count; i++) {
			CHECK(result.hops[i].technique <= TECHNIQUE_INFERRED);
			CHECK(result.hops[i].certainty <= CERTAINTY_ASSUMED);
			CHECK(result.hops[i].probability >= 0 && result.hops[i].probability <= 1);
		}
		bool home = result.hop_count > 0 && result.hops[result.hop_count - 1].address == SOURCE;
		CHECK(result.stop != REVTR_REACHED || home);
		unsigned count = revtr_gaps(&result, gaps, ARRAY_LEN(gaps));
		CHECK(count <= ARRAY_LEN(gaps));
		for (unsigned i = 0; i < count; i++)
			CHECK(gaps[i].after >= -1 && gaps[i].after < gaps[i].before && gaps[i].missing > 0 &&
				gaps[i].before <= (int)result.hop_count);
	}
}

/* True: there was something to do. */
static bool take_task(struct run *run, int64_t *wake_ns)
{
	struct revtr_task *task = &run->tasks[run->task_count % TASKS_MAX];
	if (!revtr_engine_next(run->engine, run->now_ns, task, wake_ns))
		return false;
	check_task(run, task);
	run->task_count++;
	return true;
}

static void answer(struct run *run, const struct revtr_task *task, struct cursor *bytes)
{
	struct revtr_answer answer = {
		.task = task->id, .answered = true, .from = task->target, .reply_ttl = cursor_u8(bytes)};
	uint8_t shape = cursor_u8(bytes), count = cursor_u8(bytes);
	if (shape & 1)
		answer.from = pick(bytes);
	if (task->probe == REVTR_TRACEROUTE) {
		answer.reached = shape & 2;
		answer.trace_count = count % (REVTR_TRACE_MAX + 1);
		for (unsigned i = 0; i < answer.trace_count; i++) {
			answer.trace[i] = pick(bytes);
			answer.trace_ttl[i] = (uint8_t)(64 - i);
		}
	} else if (task->probe == REVTR_TS_PING) {
		answer.times = (struct timestamp_option){.present = !(shape & 4),
			.flag = 3,
			.slots = (uint8_t)task->listed_count,
			.used = (uint8_t)(count % (task->listed_count + 1))};
		for (unsigned i = 0; i < task->listed_count; i++) {
			answer.times.addrs[i] = shape & 8 ? pick(bytes) : task->listed[i];
			answer.times.times[i] = i < answer.times.used ? cursor_u8(bytes) * 10u : 0;
		}
	} else {
		answer.reply = (struct route_option){.present = !(shape & 4),
			.type = 7,
			.slots = RECORD_ROUTE_SLOTS_MAX,
			.used = (uint8_t)(count % (RECORD_ROUTE_SLOTS_MAX + 1))};
		for (unsigned i = 0; i < answer.reply.used; i++)
			answer.reply.addrs[i] = pick(bytes);
	}
	revtr_engine_answer(run->engine, &answer, run->now_ns);
}

/* The coordinator has refused a source as its own destination. */
static void submit(struct run *run, struct addr destination)
{
	if (run->submitted < SUBMITTED_MAX && !addr_equal(destination, addr_v4(SOURCE)) &&
		revtr_engine_submit(
			run->engine, run->source, destination, run->now_ns, &run->ids[run->submitted]) == 0)
		run->submitted++;
}

static void happen(struct run *run, struct cursor *bytes)
{
	uint8_t what = cursor_u8(bytes);
	const struct revtr_task *task =
		run->task_count > 0 ? &run->tasks[(what >> 4) % MIN(run->task_count, TASKS_MAX)] : NULL;
	int64_t wake_ns;
	switch (what % 8) {
	case 0: submit(run, pick(bytes)); break;
	case 1:
	case 2:
		if (take_task(run, &wake_ns) && cursor_ok(bytes) && what % 8 == 2)
			answer(run, &run->tasks[(run->task_count - 1) % TASKS_MAX], bytes);
		break;
	case 3:
		if (task)
			answer(run, task, bytes);
		break;
	case 4: run->now_ns += cursor_u8(bytes) * (what & 16 ? NS_PER_S : 20 * NS_PER_MS); break;
	case 5:
		if (task && what & 128)
			revtr_engine_lost(run->engine, task->id, run->now_ns);
		else if (task)
			revtr_engine_refused(run->engine, task->id, run->now_ns);
		break;
	case 6: {
		uint32_t way[6], index;
		for (unsigned i = 0; i < ARRAY_LEN(way); i++)
			way[i] = known[cursor_u8(bytes) % ARRAY_LEN(known)];
		(void)!revtr_engine_add_trace(
			run->engine, run->source, way, ARRAY_LEN(way), 99, run->now_ns, &index);
		break;
	}
	default:
		if (what & 16)
			revtr_engine_more_agents(run->engine, run->now_ns);
		else if (what & 32)
			revtr_engine_set_deaf(run->engine, run->source, what & 64);
		else if (what & 64)
			run->sites[2].may_spoof ^= true;
		else if (run->submitted > 0)
			revtr_engine_cancel(run->engine, run->ids[(what >> 7) % run->submitted], run->now_ns);
		break;
	}
}

static struct revtr_options options_of(uint16_t bits)
{
	struct revtr_options options = bits & 1 ? revtr_options_published() : revtr_options_default();
	bool *const switches[] = {&options.atlas, &options.direct, &options.spoofed, &options.heuristics,
		&options.quotes, &options.differ, &options.timestamps, &options.symmetry_inter,
		&options.fallback, &options.siblings, &options.counts};
	for (unsigned i = 0; i < ARRAY_LEN(switches); i++)
		*switches[i] ^= bits >> (i + 1) & 1;
	return options;
}

static void start(struct run *run, struct revtr_options options)
{
	*run = (struct run){.sites = {{0, false}, {1, true}, {2, true}}, .now_ns = 3600 * NS_PER_S};
	CHECK(ingress_init(&run->ingress, SITES) == 0);
	for (uint32_t i = 0; i < SITES; i++)
		CHECK(ingress_add(&run->ingress, prefix_of(addr_v4(0xc6336400), 24),
			      &(struct ingress_view){i, (uint8_t)(4 + i), 0}) == 0);
	ingress_sort(&run->ingress);
	struct revtr_environment environment = {.ingress = &run->ingress,
		.sites = run->sites,
		.site_count = SITES,
		.asn = asn_of,
		.sibling = sibling_of,
		.context = run};
	run->engine = revtr_engine_new(&options, &environment);
	CHECK(run->engine);
	CHECK(revtr_engine_add_source(run->engine, addr_v4(SOURCE), SITES, &run->source) == 0);
}

/* Nobody answers any more: all ends, and does not take for ever. */
static void end(struct run *run)
{
	int64_t wake_ns = run->now_ns;
	unsigned turns = 0;
	while (revtr_engine_busy(run->engine) > 0) {
		if (take_task(run, &wake_ns))
			wake_ns = run->now_ns;
		check_finished(run);
		CHECK(revtr_engine_busy(run->engine) == 0 || wake_ns != TIME_NEVER);
		run->now_ns = MAX(run->now_ns, MIN(wake_ns, run->now_ns + 3600 * NS_PER_S));
		CHECK(++turns < TURNS_MAX);
	}
	revtr_engine_free(run->engine);
	ingress_deinit(&run->ingress);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run run;
	struct cursor bytes = cursor_init(data, size);
	start(&run, options_of(cursor_u16(&bytes)));
	while (cursor_ok(&bytes) && cursor_left(&bytes) > 0) {
		happen(&run, &bytes);
		check_finished(&run);
	}
	end(&run);
	return 0;
}
