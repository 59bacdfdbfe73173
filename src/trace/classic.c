#include "trace/classic.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "trace/result.h"

#define CLOCK_GRAIN_NS (1 * NS_PER_MS) /* added to a round trip before it is multiplied */
#define LAST_LOOK_NS   (1 * NS_PER_MS)
#define ATTEMPTS_MAX   20

/* The probe and how often it was sent again: an answer to an earlier attempt is no answer any more. */
#define USER_OF(index, attempt) ((uint32_t)(attempt) << 16 | (index))

void classic_init(
	struct classic *classic, const struct classic_config *config, classic_tell *tell, void *context)
{
	memset(classic, 0, sizeof(*classic));
	classic->config = *config;
	classic->config.max_ttl = MIN((unsigned)CLASSIC_TTL_MAX, config->max_ttl);
	classic->config.per_hop = MIN((unsigned)CLASSIC_PER_HOP_MAX, MAX(1u, config->per_hop));
	classic->config.window = MAX(1u, config->window);
	classic->tell = tell;
	classic->tell_context = context;
	classic->told = (config->first_ttl - 1) * classic->config.per_hop;
	classic->end = classic->config.max_ttl * classic->config.per_hop;
	classic->last_sent_ns = TIME_NEVER;
	classic->size = config->engine.size;
	engine_init(&classic->engine, &config->engine);
	for (unsigned i = 0; i < classic->end; i++)
		classic->probes[i].result = probe_result_none();
}

/* ---- waiting ---- */

static bool has_rtt(const struct classic_probe *probe)
{
	return probe->state == CLASSIC_DONE && probe->result.rtt_ns > 0;
}

static unsigned hop_start(const struct classic *classic, unsigned index)
{
	return index - index % classic->config.per_hop;
}

/* Answers of the same hop count first, then those of later ones. */
static int64_t patience_ns(const struct classic *classic, unsigned index)
{
	const struct classic_config *config = &classic->config;
	double factor = 0;
	int64_t rtt_ns = 0;
	unsigned start = hop_start(classic, index);
	for (unsigned i = start; i < start + config->per_hop && config->wait_here > 0 && factor == 0; i++)
		if (has_rtt(&classic->probes[i])) {
			factor = config->wait_here;
			rtt_ns = classic->probes[i].result.rtt_ns;
		}
	for (unsigned i = index + 1; i < config->max_ttl * config->per_hop && config->wait_near > 0 &&
		factor == 0 && classic->probes[i].state != CLASSIC_UNSENT;
		i++)
		if (has_rtt(&classic->probes[i])) {
			factor = config->wait_near;
			rtt_ns = classic->probes[i].result.rtt_ns;
		}
	if (factor == 0)
		return config->wait_max_ns;
	double patience = (double)(rtt_ns + CLOCK_GRAIN_NS) * factor;
	return patience < (double)config->wait_max_ns ? (int64_t)patience : config->wait_max_ns;
}

/* ---- a refusal in the wrong place ---- */

/* The first probe behind the lost one that is done, when it is a refusal; NULL when the lost one is simply
 * lost. */
static struct classic_probe *later_refusal(struct classic *classic, unsigned lost)
{
	for (unsigned i = hop_start(classic, lost); i < lost; i++)
		if (classic->probes[i].state != CLASSIC_DONE || !classic->probes[i].final)
			return NULL;
	unsigned all = classic->config.max_ttl * classic->config.per_hop;
	for (unsigned i = lost + 1; i < all && classic->probes[i].state != CLASSIC_UNSENT; i++)
		if (classic->probes[i].state == CLASSIC_DONE)
			return classic->probes[i].final && classic->probes[i].result.mark[0]
				? &classic->probes[i]
				: NULL;
	return NULL;
}

static bool answered_before(const struct classic *classic, unsigned index, struct addr address)
{
	while (index-- > 0)
		if (addr_is_set(address) && addr_equal(classic->probes[index].result.address, address))
			return true;
	return false;
}

/* By the hop limit of the refusal, corrected by that of the nearest earlier answer, which came the same way
 * back. */
static bool came_from_here(const struct classic *classic, unsigned lost, const struct probe_result *refusal)
{
	if (refusal->reply.ttl <= 0)
		return false;
	int distance = (int)result_hops_travelled(refusal->reply.ttl);
	for (unsigned i = lost; i-- > 0;) {
		const struct classic_probe *probe = &classic->probes[i];
		if (probe->state != CLASSIC_DONE || probe->final || probe->result.reply.ttl <= 0)
			continue;
		int hops = (int)result_hops_travelled(probe->result.reply.ttl);
		if (hops < distance) {
			distance = distance - hops + (int)classic_ttl(classic, i);
			break;
		}
	}
	return distance <= (int)classic_ttl(classic, lost);
}

static void note_end(struct classic *classic, unsigned index)
{
	classic->end = MIN(classic->end, hop_start(classic, index) + classic->config.per_hop);
}

static void lose(struct classic *classic, unsigned lost)
{
	struct classic_probe *probe = &classic->probes[lost];
	probe->state = CLASSIC_DONE;
	struct classic_probe *refusal = later_refusal(classic, lost);
	if (!refusal)
		return;
	unsigned place = (unsigned)(refusal - classic->probes);
	bool same_hop =
		lost % classic->config.per_hop > 0 || hop_start(classic, place) == hop_start(classic, lost);
	if (!same_hop && !answered_before(classic, lost, refusal->result.address) &&
		!came_from_here(classic, lost, &refusal->result))
		return;
	*probe = *refusal;
	*refusal = (struct classic_probe){.state = CLASSIC_ON_ITS_WAY,
		.attempt = UINT8_MAX,
		.sent_ns = INT64_MIN / 2,
		.result = probe_result_none()};
	note_end(classic, lost);
}

/* ---- sending ---- */

static enum machine_want send_probe(
	struct classic *classic, unsigned index, int64_t now_ns, struct outgoing *outgoing)
{
	struct classic_probe *probe = &classic->probes[index];
	struct flow flow = classic->config.engine.flow;
	if (classic->config.port_grows)
		flow.destination_port = (uint16_t)(flow.destination_port + classic->sent);
	struct probe_request request = {
		.ttl = (uint8_t)classic_ttl(classic, index),
		.user = USER_OF(index, probe->attempt),
		.flow = &flow,
		.size = classic->size,
	};
	classic->send_error = engine_probe(&classic->engine, &request, now_ns, outgoing);
	if (classic->send_error < 0)
		return MACHINE_DONE;
	probe->state = CLASSIC_ON_ITS_WAY;
	probe->sent_ns = now_ns;
	classic->last_sent = index;
	classic->last_sent_ns = now_ns;
	classic->sent++;
	return MACHINE_SEND;
}

/* Tells what can be told. Returns the time at which the head is lost: TIME_NEVER when it is not sent yet. */
static int64_t settle(struct classic *classic, int64_t now_ns)
{
	while (classic->told < classic->end) {
		struct classic_probe *head = &classic->probes[classic->told];
		if (head->state == CLASSIC_UNSENT)
			return TIME_NEVER;
		if (head->state == CLASSIC_ON_ITS_WAY) {
			int64_t lost_ns = head->sent_ns + patience_ns(classic, classic->told);
			if (lost_ns > now_ns)
				return lost_ns;
			if (!classic->head_late && head->attempt != UINT8_MAX) {
				classic->head_late = true;
				return now_ns + LAST_LOOK_NS;
			}
			lose(classic, classic->told);
		}
		classic->head_late = false;
		classic->tell(classic->tell_context, classic, classic->told);
		classic->told++;
	}
	return TIME_NEVER;
}

static bool accepts(const struct classic *classic, const struct classic_probe *probe)
{
	return classic->config.engine.flow.source_port && probe->state == CLASSIC_DONE &&
		result_accepts(&probe->result);
}

/* The port accepted a probe of this hop, and another one is on its way there. */
static bool is_taken(const struct classic *classic, unsigned index)
{
	bool accepted = false, on_its_way = false;
	for (unsigned i = hop_start(classic, index); i < classic->end; i++) {
		accepted |= accepts(classic, &classic->probes[i]);
		on_its_way |= classic->probes[i].state == CLASSIC_ON_ITS_WAY;
	}
	return accepted && on_its_way;
}

static enum machine_want classic_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct classic *classic = self;
	unsigned on_their_way = 0;
	*wake_ns = settle(classic, now_ns);
	if (classic->told >= classic->end || classic->send_error < 0)
		return MACHINE_DONE;
	for (unsigned i = classic->told; i < classic->end && on_their_way < classic->config.window; i++) {
		if (classic->probes[i].state == CLASSIC_UNSENT && is_taken(classic, i))
			break;
		if (classic->probes[i].state == CLASSIC_UNSENT) {
			int64_t ready_ns = classic->last_sent_ns == TIME_NEVER
				? now_ns
				: classic->last_sent_ns + classic->config.gap_ns;
			ready_ns = MAX(ready_ns, classic->reset_ns);
			if (ready_ns <= now_ns)
				return send_probe(classic, i, now_ns, outgoing);
			*wake_ns = MIN(*wake_ns, ready_ns);
			break;
		}
		on_their_way += classic->probes[i].state == CLASSIC_ON_ITS_WAY;
	}
	return MACHINE_WAIT;
}

/* ---- reading ---- */

/* The probe was too big for a link of `mtu` bytes: send it again, smaller. false: that makes no sense. */
static bool shrink(struct classic *classic, struct classic_probe *probe, uint32_t mtu)
{
	if (!classic->config.find_mtu || mtu >= classic->size ||
		mtu < engine_size_min(&classic->config.engine) || probe->attempt >= ATTEMPTS_MAX)
		return false;
	classic->size = (uint16_t)mtu;
	snprintf(probe->result.mark, sizeof(probe->result.mark), "F=%u", mtu);
	probe->state = CLASSIC_UNSENT;
	probe->attempt++;
	return true;
}

static void refuse_size(struct classic *classic, unsigned index)
{
	struct classic_probe *probe = &classic->probes[index];
	if (shrink(classic, probe, classic->config.link_mtu))
		return;
	probe->state = CLASSIC_DONE;
	probe->final = true;
	probe->result.rtt_ns = 1; /* the kernel itself answers at once */
	snprintf(probe->result.mark, sizeof(probe->result.mark), "!F-%u", classic->config.link_mtu);
	note_end(classic, index);
}

static void classic_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct classic *classic = self;
	if (error == 0)
		engine_sent(&classic->engine, token, sent_ns);
	else if (error == -EMSGSIZE && classic->config.link_mtu > 0)
		refuse_size(classic, classic->last_sent);
	else
		classic->send_error = error;
}

/* Linux traceroute marks whatever ended the row, but for an answer that the probe asked for. */
static void mark_final(struct probe_result *result, const struct reply *reply)
{
	if (result->mark[0] || reply->icmp_type < 0 || reply->kind == ICMP_ECHO_REPLY)
		return;
	if (reply->kind != ICMP_UNREACHABLE)
		snprintf(result->mark, sizeof(result->mark), "!<%d-%d>", (uint8_t)reply->icmp_type,
			(uint8_t)reply->icmp_code);
	else if (reply->from.family == 4 && reply->icmp_code == 2)
		strcpy(result->mark, "!P");
}

/* A listening port keeps its answer for the one connection, and swallows other SYNs from the same port until
 * our reset comes: they are asked again, one at a time. */
static void release_swallowed(struct classic *classic, const struct classic_probe *accepted)
{
	unsigned index = (unsigned)(accepted - classic->probes);
	for (unsigned i = hop_start(classic, index); i < classic->end; i++) {
		struct classic_probe *probe = &classic->probes[i];
		if (probe->state != CLASSIC_ON_ITS_WAY || probe->sent_ns < accepted->sent_ns ||
			probe->attempt >= ATTEMPTS_MAX)
			continue;
		probe->state = CLASSIC_UNSENT;
		probe->attempt++;
	}
}

static void classic_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct classic *classic = self;
	struct reply reply;
	if (!engine_match(&classic->engine, received_ns, packet, &reply))
		return;
	unsigned index = reply.user & 0xffff;
	struct classic_probe *probe = &classic->probes[index];
	uint8_t family = classic->config.engine.destination.family;
	if (probe->state != CLASSIC_ON_ITS_WAY || reply.user != USER_OF(index, probe->attempt))
		return;
	if (reply.kind == ICMP_PACKET_TOO_BIG && shrink(classic, probe, reply.mtu))
		return;
	char size_mark[sizeof(probe->result.mark)];
	memcpy(size_mark, probe->result.mark, sizeof(size_mark));
	probe->state = CLASSIC_DONE;
	result_fill(&probe->result, family, &reply);
	probe->final = reply.kind != ICMP_TIME_EXCEEDED || reply.icmp_code != 0;
	if (probe->final)
		mark_final(&probe->result, &reply);
	if (!probe->result.mark[0])
		memcpy(probe->result.mark, size_mark, sizeof(size_mark));
	if (probe->final)
		note_end(classic, index);
	if (accepts(classic, probe)) {
		classic->reset_ns = received_ns + RESET_LEAVES_NS;
		release_swallowed(classic, probe);
	}
}

bool classic_ended(const struct classic *classic)
{
	return classic->end < classic->config.max_ttl * classic->config.per_hop ||
		(classic->end > 0 && classic->probes[classic->end - 1].final);
}

void classic_deinit(struct classic *classic)
{
	engine_deinit(&classic->engine);
}

struct machine classic_machine(struct classic *classic)
{
	static const struct machine_ops ops = {
		.next = classic_next, .sent = classic_sent, .packet = classic_packet};
	return (struct machine){.ops = &ops, .self = classic};
}
