#include "serve/admission.h"

#include "serve/probe_code.h"

#define ICMP_HEADER 8

/* First contact: the stock client's request of 32 bytes can cause 100. It sends ten requests a second. */
#define FIRST_CONTACT_PREFIX_BYTES_PER_S 4000
#define FIRST_CONTACT_PREFIX_BURST_BYTES 12000
#define FIRST_CONTACT_TOTAL_BYTES_PER_S	 100000
#define FIRST_CONTACT_TOTAL_BURST_BYTES	 100000

/* A notice costs no probe and gains nobody a byte, so its limits are wide: it is what an honest client needs
 * to get out of the crowd. */
#define NOTICE_PER_PROBE 20

#define COOKIE_EPOCH_BITS 36 /* 2^36 ns = 68.7 s */
#define COOKIE_MARK	  1  /* keeps a cookie apart from 0, "none" */

static size_t ip_header_size(uint8_t family)
{
	return family == 4 ? 20 : 40;
}

size_t admission_price(uint8_t family)
{
	return 2 * ip_header_size(family) + PROBE_TRANSPORT_SIZE + ICMP_HEADER + RESPONDER_SUCCESS_BODY;
}

size_t admission_notice_size(uint8_t family, bool with_cookie)
{
	return ip_header_size(family) + ICMP_HEADER + RESPONDER_ERROR_BODY +
		(with_cookie ? RESPONDER_COOKIE_BLOCK : 0);
}

static void gate_limit(struct gate *gate, uint64_t prefix_rate, uint64_t total_rate)
{
	/* Two seconds' worth at once for a prefix: a client asks for all hops in one burst. In total a tenth
	 * of a second: enough for several clients at a time, too little to disturb a link. */
	gate->prefix_limit = limit_per_second(prefix_rate, 2 * prefix_rate);
	gate->total_limit = limit_per_second(total_rate, total_rate / 10 + 100);
}

int admission_init(struct admission *admission, struct hash_key key, unsigned rate, unsigned prefix_rate)
{
	*admission = (struct admission){.key = key};
	struct gate *gates = admission->gates;
	unsigned half = MAX(rate / 2, 1);
	gate_limit(&gates[GATE_NOTICE], (uint64_t)prefix_rate * NOTICE_PER_PROBE,
		(uint64_t)rate * NOTICE_PER_PROBE);
	gate_limit(&gates[GATE_PROVEN], prefix_rate, half);
	gate_limit(&gates[GATE_PAID], prefix_rate, half);
	gate_limit(&gates[GATE_TARGET], prefix_rate, half);
	gate_limit(&gates[GATE_ANSWER], 2 * (uint64_t)prefix_rate, 2 * (uint64_t)rate);
	gate_limit(&gates[GATE_WEAK_ANSWER], prefix_rate, rate);
	gates[GATE_FIRST_CONTACT].prefix_limit =
		limit_per_second(FIRST_CONTACT_PREFIX_BYTES_PER_S, FIRST_CONTACT_PREFIX_BURST_BYTES);
	gates[GATE_FIRST_CONTACT].total_limit =
		limit_per_second(FIRST_CONTACT_TOTAL_BYTES_PER_S, FIRST_CONTACT_TOTAL_BURST_BYTES);
	for (int i = 0; i < GATE_COUNT; i++) {
		int error = bucket_table_init(&gates[i].prefixes, key);
		if (error) {
			admission_deinit(admission);
			return error;
		}
	}
	return 0;
}

void admission_deinit(struct admission *admission)
{
	for (int i = 0; i < GATE_COUNT; i++)
		bucket_table_deinit(&admission->gates[i].prefixes);
}

/* The prefix first: whoever is over his own limit must not use up everybody's. */
static bool gate_pass(struct gate *gate, struct addr source, int64_t now_ns, unsigned units)
{
	if (!bucket_table_take(&gate->prefixes, &gate->prefix_limit, source, now_ns, units)) {
		gate->over_prefix++;
		return false;
	}
	if (!bucket_take(&gate->total, &gate->total_limit, now_ns, units)) {
		gate->over_total++;
		return false;
	}
	gate->passed++;
	return true;
}

bool admission_probe(struct admission *admission, int64_t now_ns, const struct packet *packet,
	const struct responder_request *request)
{
	struct addr requester = packet->ip.source;
	struct gate *gates = admission->gates;
	size_t price = admission_price(requester.family);
	if (request->cookie && admission_cookie_valid(admission, requester, now_ns, request->cookie))
		return gate_pass(&gates[GATE_PROVEN], requester, now_ns, 1);
	if (packet->ip.total_length >= price)
		return gate_pass(&gates[GATE_PAID], requester, now_ns, 1);
	return gate_pass(&gates[GATE_FIRST_CONTACT], requester, now_ns, (unsigned)price);
}

bool admission_target(struct admission *admission, int64_t now_ns, struct addr target)
{
	return gate_pass(&admission->gates[GATE_TARGET], target, now_ns, 1);
}

bool admission_notice(struct admission *admission, int64_t now_ns, struct addr requester)
{
	return gate_pass(&admission->gates[GATE_NOTICE], requester, now_ns, 1);
}

bool admission_answer(struct admission *admission, int64_t now_ns, struct addr requester, bool strong)
{
	struct gate *gate = &admission->gates[strong ? GATE_ANSWER : GATE_WEAK_ANSWER];
	return gate_pass(gate, requester, now_ns, 1);
}

static uint64_t cookie_of_epoch(const struct admission *admission, struct addr requester, uint64_t epoch)
{
	uint64_t words[4] = {requester.high, requester.low, requester.family, epoch};
	return hash_bytes(admission->key, words, sizeof(words)) | COOKIE_MARK;
}

uint64_t admission_cookie(const struct admission *admission, struct addr requester, int64_t now_ns)
{
	return cookie_of_epoch(admission, requester, (uint64_t)now_ns >> COOKIE_EPOCH_BITS);
}

bool admission_cookie_valid(
	const struct admission *admission, struct addr requester, int64_t now_ns, uint64_t cookie)
{
	uint64_t epoch = (uint64_t)now_ns >> COOKIE_EPOCH_BITS;
	return cookie == cookie_of_epoch(admission, requester, epoch) ||
		(epoch > 0 && cookie == cookie_of_epoch(admission, requester, epoch - 1));
}
