#include "trace/branch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "path/series.h"

#define A_ROUTER_NS (500 * NS_PER_MS) /* between two probes to the same hop limit */
#define GAP_MIN_NS  (40 * NS_PER_MS)
#define PATIENCE_NS (300 * NS_PER_MS) /* at least */
#define ENOUGH	    24		      /* probes, to be sure that there is a difference ... */
#define ENOUGH_NONE 60		      /* ... and that there is none */
#define CHANCE	    0.01	      /* looked at again and again, it has to be small */

void branch_init(struct branch *branch, const struct branch_config *config)
{
	*branch = (struct branch){.config = *config};
	branch->config.ttl_count = MIN(MAX(config->ttl_count, 1u), (unsigned)BRANCH_TTLS_MAX);
	engine_init(&branch->engine, &config->probe);
}

void branch_deinit(struct branch *branch)
{
	engine_deinit(&branch->engine);
}

static unsigned ttl_index(const struct branch *branch, unsigned probe)
{
	return probe % branch->config.ttl_count;
}

/* In turns at each hop limit, and at hop limits that follow each other. */
static unsigned flow_of(const struct branch *branch, unsigned probe)
{
	return (probe / branch->config.ttl_count + ttl_index(branch, probe)) % 2;
}

static int64_t gap_ns(const struct branch *branch)
{
	return MAX(A_ROUTER_NS / branch->config.ttl_count, GAP_MIN_NS);
}

static int64_t patience_ns(const struct branch *branch)
{
	return branch->config.rtt_ns == RTT_NONE ? 3 * PATIENCE_NS : 3 * branch->config.rtt_ns + PATIENCE_NS;
}

struct tally {
	unsigned sent, received;
	int64_t rtts[BRANCH_PROBES_MAX];
};

/* Of the probes whose fate is known at `now_ns`. */
static void count(const struct branch *branch, int64_t now_ns, struct tally tallies[2])
{
	memset(tallies, 0, 2 * sizeof(*tallies));
	for (unsigned i = 0; i < branch->sent; i++) {
		const struct branch_probe *probe = &branch->probes[i];
		struct tally *tally = &tallies[flow_of(branch, i)];
		bool answered = probe->rtt_ns != RTT_NONE;
		if (!answered && now_ns - probe->sent_ns < patience_ns(branch))
			continue;
		tally->sent++;
		if (answered)
			tally->rtts[tally->received++] = probe->rtt_ns;
	}
}

static bool is_decided(const struct branch *branch, int64_t now_ns)
{
	struct tally tallies[2];
	count(branch, now_ns, tallies);
	unsigned settled = tallies[0].sent + tallies[1].sent;
	unsigned lost = tallies[0].sent - tallies[0].received,
		 others_lost = tallies[1].sent - tallies[1].received;
	if (settled >= ENOUGH && lost > 0 &&
		share_chance(lost, tallies[0].sent, others_lost, tallies[1].sent) <= CHANCE)
		return true;
	return (settled >= ENOUGH_NONE && lost <= others_lost) || settled == BRANCH_PROBES_MAX;
}

static enum machine_want send_next(struct branch *branch, int64_t now_ns, struct outgoing *outgoing)
{
	unsigned number = branch->sent;
	struct probe_request request = {
		.ttl = branch->config.ttls[ttl_index(branch, number)],
		.user = number,
		.flow = &branch->config.flows[flow_of(branch, number)],
	};
	if (engine_probe(&branch->engine, &request, now_ns, outgoing) < 0) {
		branch->done = true;
		return MACHINE_DONE;
	}
	branch->probes[branch->sent++] = (struct branch_probe){.sent_ns = now_ns, .rtt_ns = RTT_NONE};
	return MACHINE_SEND;
}

static enum machine_want branch_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct branch *branch = self;
	branch->done = branch->done || is_decided(branch, now_ns);
	if (branch->done)
		return MACHINE_DONE;
	int64_t last_ns =
		branch->sent > 0 ? branch->probes[branch->sent - 1].sent_ns : now_ns - gap_ns(branch);
	*wake_ns = last_ns + (branch->sent < BRANCH_PROBES_MAX ? gap_ns(branch) : patience_ns(branch));
	if (*wake_ns > now_ns)
		return MACHINE_WAIT;
	return send_next(branch, now_ns, outgoing);
}

static void branch_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct branch *branch = self;
	if (error == 0)
		engine_sent(&branch->engine, token, sent_ns);
	else
		branch->done = true;
}

static void branch_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct branch *branch = self;
	struct reply reply;
	if (branch->done || !engine_match(&branch->engine, received_ns, packet, &reply) ||
		reply.user >= branch->sent)
		return;
	branch->probes[reply.user].rtt_ns = reply.rtt_ns;
	branch->received++;
}

struct machine branch_machine(struct branch *branch)
{
	static const struct machine_ops ops = {
		.next = branch_next, .sent = branch_sent, .packet = branch_packet};
	return (struct machine){.ops = &ops, .self = branch};
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static int64_t median_ns(struct tally *tally)
{
	if (tally->received == 0)
		return RTT_NONE;
	qsort(tally->rtts, tally->received, sizeof(tally->rtts[0]), compare);
	return tally->rtts[(tally->received - 1) / 2];
}

struct branch_test branch_result(const struct branch *branch)
{
	struct tally tallies[2];
	int64_t last_ns = branch->sent > 0 ? branch->probes[branch->sent - 1].sent_ns : 0;
	/* Interrupted: who could still answer does not count. */
	count(branch, branch->done ? TIME_NEVER : last_ns, tallies);
	return (struct branch_test){
		.sent = tallies[0].sent,
		.received = tallies[0].received,
		.rtt_ns = median_ns(&tallies[0]),
		.others_sent = tallies[1].sent,
		.others_received = tallies[1].received,
		.others_rtt_ns = median_ns(&tallies[1]),
	};
}
